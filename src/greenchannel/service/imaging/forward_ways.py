"""How objects are sent to another archive: C-STORE or STOW-RS. Blocking: for threads."""

import secrets
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
from pydicom import dcmread
from pydicom.filebase import DicomBytesIO

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.imaging.transcode import to_explicit
from greenchannel.service.errors import NotFound
from greenchannel.service.imaging.destinations import NUMBERS, Destination
from greenchannel.service.imaging.dicom_peers import no_delay
from greenchannel.store.errors import BlobError
from greenchannel.store.forward_rows import Due

BytesOf = Callable[[str], bytes]

MOST_CONTEXTS: Final = 128  # PS3.8
_PLAIN: Final = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2")
_FULL: Final = range(0xA700, 0xA800)
_WARNED: Final = range(0xB000, 0xC000)


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """The other side has it."""

    receipt: str


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """Not this time."""

    reason: str


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """The other side does not want this object; a person must look."""

    reason: str


Outcome = Sent | Failed | Refused


def send(to: Destination, batch: Sequence[Due], bytes_of: BytesOf, title: str) -> dict[str, Outcome]:
    """Send objects; what became of each, by its UID. An object that is gone here is not in it.

    `title` is our own, as the other side knows us.
    """
    if to.way == "stow":
        return _stow(to, batch, bytes_of)
    return _store(to, batch, bytes_of, title)


def _bytes(one: Due, bytes_of: BytesOf) -> bytes | Failed | None:
    """The bytes of an object; None where it is gone. One whose file cannot be read does not hold up the others."""
    try:
        return bytes_of(one.sop_uid)
    except NotFound:
        return None
    except (BlobError, OSError) as error:
        return Failed(reason=f"damaged, {type(error).__name__}")


# ---------------------------------------------------------------- C-STORE


def _store(to: Destination, batch: Sequence[Due], bytes_of: BytesOf, title: str) -> dict[str, Outcome]:
    from pynetdicom import AE, evt

    try:  # pynetdicom leaves a socket open where nobody listens
        socket.create_connection((to.host, to.port), timeout=NUMBERS.patience_s).close()
    except OSError as error:
        return {one.sop_uid: Failed(reason=f"no_connection, {type(error).__name__}") for one in batch}
    entity = AE(ae_title=title)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = NUMBERS.patience_s
    entity.connection_timeout = NUMBERS.patience_s
    kinds = dict.fromkeys((one.sop_class, one.transfer_syntax) for one in batch)
    wanted: list[tuple[str, Any]] = list(kinds)
    wanted += [(sop_class, list(_PLAIN)) for sop_class in dict.fromkeys(sop_class for sop_class, _ in kinds)]
    for sop_class, syntax in wanted[:MOST_CONTEXTS]:
        entity.requested_contexts = [*entity.requested_contexts, _context(sop_class, syntax)]
    association = entity.associate(
        to.host, to.port, ae_title=to.title, evt_handlers=[(evt.EVT_CONN_OPEN, no_delay)]
    )
    if not association.is_established:
        reason = "rejected" if association.is_rejected else "no_association"
        return {one.sop_uid: Failed(reason=reason) for one in batch}
    accepted = {
        (str(one.abstract_syntax), str(one.transfer_syntax[0])) for one in association.accepted_contexts
    }
    found: dict[str, Outcome] = {}
    try:
        for one in batch:
            if not association.is_established:
                found[one.sop_uid] = Failed(reason="association_ended")
                continue
            data = _bytes(one, bytes_of)
            if isinstance(data, bytes):
                found[one.sop_uid] = _store_one(association, one, data, accepted)
            elif data is not None:
                found[one.sop_uid] = data
    finally:
        if association.is_established:
            association.release()
    return found


def _context(sop_class: str, syntax: Any) -> Any:
    from pynetdicom import build_context

    return build_context(sop_class, syntax)


def _store_one(association: Any, one: Due, data: bytes, accepted: set[tuple[str, str]]) -> Outcome:
    if (one.sop_class, one.transfer_syntax) not in accepted:
        if not any((one.sop_class, plain) in accepted for plain in _PLAIN):
            return Refused(reason="sop_class_not_accepted")
        try:
            data = to_explicit(data)
        except IngestError as error:
            return Refused(reason=f"transfer_syntax_not_accepted, {error.code}")
    try:
        status = association.send_c_store(dcmread(DicomBytesIO(data), force=True))
    except (ValueError, RuntimeError, AttributeError) as error:
        return Failed(reason=f"not_sent, {type(error).__name__}")
    code = status.get("Status")
    if code is None:
        return Failed(reason="no_answer")
    if code == 0 or code in _WARNED:
        return Sent(receipt=f"0x{code:04X}")
    reason = f"0x{code:04X} {status.get('ErrorComment', '') or ''}".strip()[:200]
    return Failed(reason=reason) if code in _FULL else Refused(reason=reason)


# ---------------------------------------------------------------- STOW-RS


def _stow(to: Destination, batch: Sequence[Due], bytes_of: BytesOf) -> dict[str, Outcome]:
    headers = {"Accept": "application/dicom+json"}
    try:
        if to.token_file is not None:
            headers["Authorization"] = f"Bearer {Path(to.token_file).read_text(encoding='utf-8').strip()}"
    except OSError as error:
        return {one.sop_uid: Failed(reason=f"no_token, {type(error).__name__}") for one in batch}
    found: dict[str, Outcome] = {}
    with httpx.Client(timeout=NUMBERS.patience_s, headers=headers, trust_env=False) as http:
        for one in batch:
            data = _bytes(one, bytes_of)
            if isinstance(data, bytes):
                found[one.sop_uid] = _stow_one(http, f"{to.url.rstrip('/')}/studies", one, data)
            elif data is not None:
                found[one.sop_uid] = data
    return found


def _stow_one(http: httpx.Client, url: str, one: Due, data: bytes) -> Outcome:
    boundary = secrets.token_hex(16)
    # Without its transfer syntax, which the object says itself: Orthanc passes over a part that names it, with 200.
    head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n"
    body = head.encode("ascii") + data + f"\r\n--{boundary}--\r\n".encode("ascii")
    kind = f'multipart/related; type="application/dicom"; boundary={boundary}'
    try:
        answer = http.post(url, content=body, headers={"Content-Type": kind})
    except httpx.HTTPError as error:
        return Failed(reason=type(error).__name__)
    if answer.status_code in (200, 202):
        return _said(answer, one.sop_uid)
    if answer.status_code in (400, 409, 413, 415, 422):
        return Refused(reason=str(answer.status_code))
    return Failed(reason=str(answer.status_code))


def _said(answer: httpx.Response, sop_uid: str) -> Outcome:
    """What the answer says of our object (PS3.18 table 10.5.3-2); one that does not name it is no receipt."""
    status = answer.status_code
    try:
        said = answer.json()
        failed = _items(said, "00081198")
        if failed:
            reason = int(failed[0]["00081197"]["Value"][0])
            text = f"{status}, reason 0x{reason:04X}"
            return Failed(reason=text) if reason in _FULL else Refused(reason=text)
        taken = {item["00081155"]["Value"][0] for item in _items(said, "00081199")}
    except (ValueError, LookupError, TypeError, AttributeError):
        return Failed(reason=f"{status}, answer_not_understood")
    if sop_uid not in taken:
        return Failed(reason=f"{status}, object_not_named")
    return Sent(receipt=str(status))


def _items(said: Any, tag: str) -> list[Any]:
    """The items of a sequence of DICOM JSON; none where it is not there."""
    return list(said.get(tag, {}).get("Value", ()))
