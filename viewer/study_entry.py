"""The page of a study as its reader gets it: its first picture stands in it before any script has run."""

import html
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from greenchannel.viewer.gate import session_token

FIRST_PX: Final = 512  # as `firstPicture` of the page's dicomWeb.ts asks for it, so that it is fetched once
QUALITY: Final = 75
_PAGE: Final = "src/pages/image/StudyPage.tsx"
_WITH_IT: Final = "src/rest.ts"
_ENTRY: Final = "index.html"
_ADDRESS: Final = re.compile(r"study/([0-9.]{1,64})/?")
_HEAD_BEGINS: Final = "<head>"
_HEAD_ENDS: Final = "</head>"
_BODY_BEGINS: Final = '<div id="app">'
_SAID: Final = "预览(有损压缩),不用于诊断 · Preview (lossy), not for diagnosis"


def study_in(path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> str | None:
    """The study whose picture may stand in the page of an address: somebody is signed in, no series is asked for."""
    found = _ADDRESS.fullmatch(path)
    return found[1] if found and "series" not in query and session_token(headers) else None


def with_first_picture(page: bytes, study: str, manifest: bytes) -> bytes:
    """The built entry with the study's picture, and with the scripts of its page asked for at once.

    Whether the reader may see the study decides the route that gives the picture.
    """
    said = f"/dicom-web/studies/{study}/thumbnail?viewport={FIRST_PX},{FIRST_PX}&quality={QUALITY}"
    address = html.escape(said)
    # First of all that the page asks for: a browser opens six connections, and scripts and styles would fill them.
    first = f'<link rel="preload" as="image" fetchpriority="high" href="{address}">'
    picture = (
        f'<figure id="first-picture" class="first-picture" data-study="{study}">'
        f'<img class="first-picture-itself" data-testid="preview" alt="" fetchpriority="high" '
        f'src="{address}" /><figcaption>{_SAID}</figcaption></figure>'
    )
    text = page.decode().replace(_HEAD_BEGINS, _HEAD_BEGINS + first, 1)
    text = text.replace(_HEAD_ENDS, _early(json.loads(manifest)) + _HEAD_ENDS, 1)
    return text.replace(_BODY_BEGINS, picture + _BODY_BEGINS, 1).encode()


def _early(manifest: dict[str, dict[str, Any]]) -> str:
    """The files of the study's page that the entry itself does not bring; behind the picture on a thin line."""
    here: list[str] = []
    _add(manifest, _ENTRY, here)
    entry = set(here)
    files: list[str] = []
    for name in (_PAGE, _WITH_IT):
        _add(manifest, name, files)
    lines = []
    for file in dict.fromkeys(files):
        if file in entry:
            continue
        kind = 'rel="preload" as="style"' if file.endswith(".css") else 'rel="modulepreload"'
        lines.append(f'<link {kind} crossorigin fetchpriority="low" href="/static/{html.escape(file)}">')
    return "".join(lines)


def _add(manifest: dict[str, dict[str, Any]], name: str, files: list[str]) -> None:
    chunk = manifest.get(name)
    if chunk is None or chunk["file"] in files:
        return
    files.append(chunk["file"])
    files.extend(chunk.get("css", ()))
    for other in chunk.get("imports", ()):
        _add(manifest, other, files)
