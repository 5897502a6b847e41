"""STOW-RS (PS3.18 10.5): objects are sent to us over HTTP. Each is answered for by itself."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec
import structlog
from fastapi import APIRouter, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from greenchannel.ingest.dicom_ecg import ECG_CLASSES
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.imaging.instance import read_instance
from greenchannel.ingest.imaging.multipart import MultipartReader, parameters
from greenchannel.service.callers import Caller
from greenchannel.service.errors import Conflict, ServiceError
from greenchannel.service.imaging.ecg_objects import is_ecg
from greenchannel.service.imaging.records import Received
from greenchannel.service.upload_body import out_of_room
from greenchannel.store.errors import CommitFailed
from greenchannel.viewer import problems
from greenchannel.viewer.access import require
from greenchannel.viewer.dicom_web_bodies import ALL_TOGETHER, Bodies, Body
from greenchannel.viewer.dicom_web_front import beside
from greenchannel.viewer.front import Front, Here, Who
from greenchannel.viewer.problems import Problem
from greenchannel.viewer.uploads import check_announced

ECG_CLASS: Final = b"1.2.840.10008.5.1.4.1.1.9.1."  # where an object names none of these it is no ECG
ROOT: Final = "/dicom-web"
BODIES: Final = Bodies()  # memory is one, whatever serves
DICOM_JSON: Final = "application/dicom+json"
router = APIRouter(tags=["images"])
logger = structlog.get_logger(__name__)

# Reasons of failures and warnings, PS3.18 annex I and PS3.4 table B.2-1
FAILED: Final = 0x0110
CANNOT_UNDERSTAND: Final = 0xC000
OTHER_STUDY: Final = 0xA900
OUT_OF_RESOURCES: Final = 0xA700
DUPLICATE_OTHER_BYTES: Final = 0x0111

_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/related": {"schema": {"type": "string", "format": "binary"}},
            "application/dicom": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


class _Store:
    """What became of the objects of one request."""

    def __init__(self, front: Front, who: Caller, site: str, case_id: str | None, study: str | None) -> None:
        self._front = front
        self._who = who
        self._site = site
        self._case_id = case_id
        self._study = study
        self.stored: list[Received] = []
        self.failed: list[tuple[Exception, dict[str, str]]] = []

    async def take(self, data: bytes) -> None:
        """One object. What is wrong with it is answered for it alone; what is wrong with us ends the request."""
        desk = self._front.desk
        try:
            if self._study is not None and (await beside(read_instance, data)).study_uid != self._study:
                raise IngestError("bad_field", "the object is of another study", self._study, "another")
            if ECG_CLASS in data[:2000] and is_ecg(one := await beside(read_instance, data)):
                got = await desk.images.receive_ecg(
                    data, one, self._who, site_id=self._site, case_id=self._case_id
                )
            else:
                got = await desk.images.receive(
                    data, source=self._who.actor, site_id=self._site, case_id=self._case_id, way="stow"
                )
        except (OSError, CommitFailed) as error:
            raise out_of_room(error) from error
        except (IngestError, ServiceError) as error:
            self.failed.append((error, await beside(_named, data)))
            return
        if got.state == "conflict":
            other = Conflict(
                "other_bytes",
                "another object is here under this identifier, and stays; this one is kept aside for a person",
                "同一影像编号已有不同内容,原影像保留,新影像已隔离待人工核对",
            )
            self.failed.append((other, {"sop": got.sop_uid, "class": got.sop_class}))
        else:
            self.stored.append(got)

    async def finish(self) -> None:
        """Several objects in one request are a study; of a sender who makes a request of each the last is not known."""
        sent = Counter(
            one.study_uid for one in self.stored if one.state == "new" and one.sop_class not in ECG_CLASSES
        )
        whole: dict[str, int | None] = {study: None for study, count in sent.items() if count > 1}
        if whole:
            await self._front.desk.images.finish(whole, source=self._who.actor, site_id=self._site)

    def response(self, base: str) -> Response:
        """As PS3.18 10.5.3 has it; where everything was refused for one reason, that is the answer."""
        if self.failed and not self.stored and len({_code(error) for error, _ in self.failed}) == 1:
            raise problems.of(self.failed[0][0])
        body: dict[str, Any] = {}
        if self.stored:
            studies = {one.study_uid for one in self.stored}
            if len(studies) == 1:
                body["00081190"] = {"vr": "UR", "Value": [f"{base}/studies/{next(iter(studies))}"]}
            body["00081199"] = {"vr": "SQ", "Value": [_stored(one, base) for one in self.stored]}
        if self.failed:
            body["00081198"] = {"vr": "SQ", "Value": [_failed(error, named) for error, named in self.failed]}
        status = 409 if not self.stored else 202 if self.failed else 200
        return Response(
            msgspec.json.encode(body),
            status_code=status,
            media_type=DICOM_JSON,
            headers={"Cache-Control": "no-store"},
        )


def _stored(one: Received, base: str) -> dict[str, Any]:
    url = f"{base}/studies/{one.study_uid}/series/{one.series_uid}/instances/{one.sop_uid}"
    return {
        "00081150": {"vr": "UI", "Value": [one.sop_class]},
        "00081155": {"vr": "UI", "Value": [one.sop_uid]},
        "00081190": {"vr": "UR", "Value": [url]},
    }


def _failed(error: Exception, named: dict[str, str]) -> dict[str, Any]:
    problem = problems.of(error)
    found: dict[str, Any] = {
        "00081197": {"vr": "US", "Value": [_reason(problem)]},
        "00000902": {"vr": "LO", "Value": [f"{problem.code}: {problem.zh}"[:64]]},
    }
    for tag, name in (("00081150", "class"), ("00081155", "sop")):
        if name in named:
            found[tag] = {"vr": "UI", "Value": [named[name]]}
    return found


def _reason(problem: Problem) -> int:
    match problem.code:
        case "bad_field":
            return OTHER_STUDY
        case "other_bytes":
            return DUPLICATE_OTHER_BYTES
        case "malformed" | "unknown_format" | "unsupported" | "truncated" | "empty_body":
            return CANNOT_UNDERSTAND
        case "too_large":
            return OUT_OF_RESOURCES
        case _:
            return FAILED


def _code(error: Exception) -> str:
    return problems.of(error).code


def _named(data: bytes) -> dict[str, str]:
    try:
        one = read_instance(data)
    except IngestError:
        return {}
    return {"sop": one.sop_uid, "class": one.sop_class}


@router.post("/studies", summary="Store DICOM objects (STOW-RS)", openapi_extra=_BODY)
async def store(request: Request, front: Here, who: Who) -> Response:
    """200 where all were stored, 202 where some were, 409 where none was. `site`, `case_id` may stand in the query."""
    return await _store(request, front, who, None)


@router.post("/studies/{study_uid}", summary="Store objects of one study (STOW-RS)", openapi_extra=_BODY)
async def store_study(study_uid: str, request: Request, front: Here, who: Who) -> Response:
    """The same; objects of another study are refused."""
    return await _store(request, front, who, study_uid)


async def _store(request: Request, front: Front, who: Caller, study_uid: str | None) -> Response:
    require(who, "send")
    settings, query = front.desk.settings, request.query_params
    check_announced(request.headers.get("content-length"), settings.max_study_bytes)
    site = front.desk.intake.site_of(query.get("site"), who)
    taken = _Store(front, who, site, query.get("case_id"), study_uid)
    kind, given = parameters(request.headers.get("content-type", ""))
    if kind not in ("multipart/related", "application/dicom"):
        raise Problem(
            415,
            "objects are sent as parts of one body",
            expected='multipart/related; type="application/dicom"',
            got=kind[:60],
        )
    if given.get("type", "application/dicom") != "application/dicom":
        raise Problem(
            415, "only whole objects are taken", expected="type=application/dicom", got=given["type"][:60]
        )
    most_together_bytes = int(ALL_TOGETHER * settings.max_image_bytes)
    try:
        with BODIES.body(most_together_bytes=most_together_bytes, idle_s=settings.upload_idle_s) as body:
            if kind == "application/dicom":
                await _take_one(request, body, taken, settings.max_image_bytes)
            else:
                reader = MultipartReader(given.get("boundary", ""), settings.max_image_bytes)
                await _take_parts(request, body, taken, reader, settings.max_study_bytes)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody is there to read it; what was whole is kept
    if not taken.stored and not taken.failed:
        raise IngestError("empty_body", "nothing was sent", "one part or more")
    await taken.finish()
    return taken.response(str(request.base_url).rstrip("/") + ROOT)


async def _take_one(request: Request, body: Body, taken: _Store, most_bytes: int) -> None:
    held: list[bytes] = []
    try:
        async for piece in body.pieces(_bounded(request, most_bytes)):
            held.append(piece)
        data = b"".join(held)
    finally:
        held.clear()  # a refusal is known for longer than what was refused
    await taken.take(data)


async def _take_parts(
    request: Request, body: Body, taken: _Store, reader: MultipartReader, most_bytes: int
) -> None:
    try:
        async for piece in body.pieces(_bounded(request, most_bytes)):
            for part in reader.feed(piece):
                await taken.take(part.body)
                del part  # or it would be held as long as the next one comes
            body.held_bytes = reader.held_bytes
        reader.finish()
    finally:
        reader.drop()  # a refusal is known for longer than what was refused


async def _bounded(request: Request, most_bytes: int) -> AsyncIterator[bytes]:
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > most_bytes:
            raise Problem(
                413,
                "the body is too large",
                expected=f"at most {most_bytes} bytes",
                got=f"more than {most_bytes} bytes",
            )
        yield piece
