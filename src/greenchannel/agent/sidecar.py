"""What stands beside an ECG: a JSON file with what is known of the patient, as fields of the upload."""

import codecs
import contextlib
import unicodedata
from pathlib import Path
from typing import Any, Final

import msgspec

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.fhir_observation import looks_like_fhir
from greenchannel.ingest.fields import parse_fields

MOST_SIDECAR_BYTES: Final = 64 * 1024
_NOT_HERE: Final = frozenset(
    {"filename", "filetype", "sha256", "encoding", "seen_at"}
)  # the agent's own words


def is_no_ecg(path: Path) -> bool:
    """Is a JSON file none that our FHIR reader would take, and no larger than a sidecar? Raises `OSError`."""
    with path.open("rb") as file:
        content = file.read(MOST_SIDECAR_BYTES + 1)
    return len(content) <= MOST_SIDECAR_BYTES and not looks_like_fhir(content)


def read_sidecar(path: Path) -> tuple[dict[str, str], str | None]:
    """Its fields and what was odd; one that cannot be read must not keep its ECG. Raises `OSError`."""
    if path.stat().st_size > MOST_SIDECAR_BYTES:
        return {}, f"{path.name} 过大，未随附发送 is too large for a sidecar; sent without it"
    try:
        return sidecar_fields(path.read_bytes())
    except ValueError as error:
        return {}, f"{path.name} 无法读取，未随附发送 cannot be read ({error}); sent without it"


def sidecar_fields(content: bytes) -> tuple[dict[str, str], str | None]:
    """The fields in a sidecar as they go over the wire, and what was odd about it.

    Raises
    ------
    ValueError
        It is no JSON object.
    """
    text, guessed = _text(content)
    try:
        found = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)[:100]) from error
    fields: dict[str, str] = {}
    odd: list[str] = []
    if guessed:
        odd.append("按 GB 18030 读取，请核对 read as GB 18030, please check")
    for key, value in found.items():
        word = _word(value)
        if key in _NOT_HERE or word is None:
            continue
        try:
            known = parse_fields({key: word})
        except IngestError as error:
            odd.append(str(error))
            continue
        if any(getattr(known, name) is not None for name in known.__slots__):
            fields[key] = word
        else:
            odd.append(f"{key[:40]} 不认识，未发送 is no field that is known here; left out")
    return fields, "; ".join(odd) or None


def _text(content: bytes) -> tuple[str, bool]:
    """A sidecar's text, and whether its encoding is a guess. Programs on Chinese Windows write GB 18030, some editors
    UTF-16.

    Hardly any text in GB 18030 is also text in UTF-8, so what is UTF-8 is taken for that. Other encodings may read as
    GB 18030 by accident, with other signs: what has signs that nobody uses is refused, and what is left is told.

    Raises
    ------
    ValueError
        It is text in none of them.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16"), False
    with contextlib.suppress(UnicodeDecodeError):
        return content.decode("utf-8-sig"), False
    text = content.decode("gb18030")
    if any(unicodedata.category(sign) in ("Co", "Cn") for sign in text):
        raise ValueError("expected text in UTF-8, GB 18030 or UTF-16")
    return text, True


def _word(value: Any) -> str | None:
    match value:
        case None | "":
            return None
        case bool():
            return "yes" if value else "no"
        case str():
            # As a person reads it: full-width letters of Chinese keyboards, spaces around, marks that nobody sees.
            seen = unicodedata.normalize("NFKC", value)
            return "".join(sign for sign in seen if unicodedata.category(sign) != "Cf").strip() or None
        case dict():
            return msgspec.json.encode(value).decode()
        case _:
            return str(value)
