"""The built page: files of ``viewer/static``, and index.html for every address that the page itself resolves."""

import asyncio
import gzip
import hashlib
import html
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from mimetypes import guess_type
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import HTMLResponse, Response

from greenchannel.viewer.problems import Problem
from greenchannel.viewer.study_entry import study_in, with_first_picture

router = APIRouter(include_in_schema=False)

_FOLDER: Final = ("viewer", "static")
_FOREVER: Final = "public, max-age=31536000, immutable"  # their names carry their content's hash
_PACKED: Final = (("br", ".br"), ("gzip", ".gz"))  # as the build names them; the smaller first
# What a system's own table of kinds does not have, or has differently.
_KINDS: Final = {
    "js": "text/javascript; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "webmanifest": "application/manifest+json",
}
_NOT_BUILT: Final = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>绿色通道</title>
<h1>页面尚未构建</h1><p>The page has not been built. Run <code>make setup</code>, or install the package from a
wheel. The interface for programs works: see <a href="/docs">/docs</a>.</p></html>"""


def page_folder() -> Traversable:
    """Where the built page lies."""
    folder: Traversable = files("greenchannel")
    for part in _FOLDER:
        folder = folder / part
    return folder


@router.get("/static/{path:path}")
async def asset(path: str, request: Request) -> Response:
    """One file of the page."""
    return await asyncio.to_thread(_asset, path, request.headers)


@router.get("/sw.js")
async def worker(request: Request) -> Response:
    """The page's worker; at the root, so that all addresses of the page are its own."""
    return await asyncio.to_thread(_asset, "sw.js", request.headers)


def _asset(path: str, headers: Mapping[str, str]) -> Response:
    target: Traversable = page_folder()
    for part in path.split("/"):
        if part in {"", ".", ".."} or "\\" in part or "\0" in part:
            raise Problem(404, "there is no such file")
        target = target / part
    if not target.is_file():
        raise Problem(404, "there is no such file")
    caching = _FOREVER if path.startswith("assets/") else "no-cache"
    return _packed(path, target, headers, caching)


def _packed(path: str, file: Traversable, headers: Mapping[str, str], caching: str) -> Response:
    """A file as the build has packed it, where there is such a one that the reader takes; 304 for what they have."""
    content, encoding = file.read_bytes(), None
    said = {"Cache-Control": caching, "Vary": "Accept-Encoding"}
    if caching != _FOREVER:
        said["ETag"] = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        if headers.get("if-none-match") == said["ETag"]:
            return Response(status_code=304, headers=said)
    for encoding, ending in _PACKED:
        beside = page_folder().joinpath(*f"{path}{ending}".split("/"))
        if _takes(headers.get("accept-encoding", ""), encoding) and beside.is_file():
            content = beside.read_bytes()
            said["Content-Encoding"] = encoding
            break
    return Response(content, media_type=_kind(path), headers=said)


def _takes(accepted: str, encoding: str) -> bool:
    """Whether `Accept-Encoding` names it, and not to refuse it."""
    for offer in accepted.lower().split(","):
        name, _, weight = offer.partition(";")
        if name.strip() == encoding:
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


def _kind(path: str) -> str:
    kind, _ = guess_type(path)
    return _KINDS.get(path.rpartition(".")[2]) or kind or "application/octet-stream"


def index(headers: Mapping[str, str], study: str | None = None) -> Response:
    """The page's entry, of a study with its picture; a plain sentence where it has not been built."""
    entry, manifest = page_folder() / "index.html", page_folder() / "manifest.json"
    if not entry.is_file():
        return HTMLResponse(_NOT_BUILT, headers={"Cache-Control": "no-cache"})
    if study is not None and manifest.is_file():
        said = {"Cache-Control": "no-store", "Vary": "Accept-Encoding, Cookie"}
        content = with_first_picture(entry.read_bytes(), study, manifest.read_bytes())
        if _takes(headers.get("accept-encoding", ""), "gzip"):
            content, said["Content-Encoding"] = gzip.compress(content, 6, mtime=0), "gzip"
        return HTMLResponse(content, headers=said)
    return _packed("index.html", entry, headers, "no-cache")


def add_fallback(app: FastAPI) -> None:
    """Answer `GET` of every address that nothing else answers with the page; those of the interface stay 404."""

    @app.get("/{path:path}", include_in_schema=False)
    async def page(path: str, request: Request) -> Response:
        # The name of a study is a UID, whose parts have dots between them.
        is_file = "." in path.rpartition("/")[2] and not path.startswith("study/")
        if path.startswith("api/") or is_file:
            raise Problem(404, "there is no such address", got=f"/{path}"[:120])
        study = study_in(path, request.query_params, request.headers)
        return await asyncio.to_thread(index, request.headers, study)


def listing(schema: dict[str, Any]) -> str:
    """All calls of the interface as one plain page that needs nothing from elsewhere."""
    rows = []
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            text = operation.get("description", "")
            rows.append(
                f"<tr><td><code>{method.upper()}</code><td><code>{html.escape(path)}</code>"
                f"<td>{html.escape(operation.get('summary', ''))}<td>{html.escape(text)}"
            )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>greenchannel: interface</title>'
        f"<h1>{html.escape(schema['info']['title'])} {html.escape(schema['info']['version'])}</h1>"
        '<p>Schema: <a href="/openapi.json">/openapi.json</a>. WebSockets: <code>/api/v1/live</code> and '
        "<code>/api/v1/stream</code>; see docs/wire-protocol.md.</p>"
        f"<table><tr><th>call<th>address<th>meaning<th>{''.join(rows)}</table></html>"
    )
