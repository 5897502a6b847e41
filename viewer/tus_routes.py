"""Resumable upload over HTTP, tus 1.0.0: headers in, `service.uploads` asked, headers out."""

from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from greenchannel.clock import rfc3339
from greenchannel.ingest import tus
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.tus_body import beyond
from greenchannel.ingest.tus_headers import (
    ALGORITHMS,
    BODY_TYPE,
    EXTENSIONS,
    VERSION,
    check_body_type,
    check_version,
    parse_checksum,
    parse_concat,
    parse_number,
)
from greenchannel.service.upload_answers import Outcome
from greenchannel.service.upload_body import BodyCut
from greenchannel.viewer import problems
from greenchannel.viewer.access import require
from greenchannel.viewer.front import NOTHING, PREFIX, Front, Here, Who, answer
from greenchannel.viewer.problems import Problem
from greenchannel.viewer.unread import server_receive
from greenchannel.viewer.uploads import check_announced

PATH: Final = "/uploads"
_METHODS: Final = "OPTIONS, POST, HEAD, PATCH, DELETE, GET"
_BODY: Final[dict[str, Any]] = {
    "requestBody": {"content": {BODY_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
}


class _TusRoute(APIRoute):
    """Every answer says which version was spoken, refusals too."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                response = await inner(request)
            except (Problem, *problems.REFUSALS) as error:
                problem = problems.of(error)
                response = problem.response()
                if problem.code == "tus_version":
                    response.headers["Tus-Version"] = VERSION
            response.headers["Tus-Resumable"] = VERSION
            return response

        return handle


router = APIRouter(prefix=PATH, tags=["resumable uploads"], route_class=_TusRoute)


@router.options("", status_code=NOTHING, summary="What of tus is spoken here")
@router.options("/{upload_id}", status_code=NOTHING, include_in_schema=False)
async def options(front: Here) -> Response:
    """For everybody, without a credential."""
    said = {
        "Tus-Version": VERSION,
        "Tus-Extension": ",".join(EXTENSIONS),
        "Tus-Max-Size": str(front.desk.uploads.limits.most_bytes),
        "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
        "Allow": _METHODS,
    }
    return Response(status_code=NOTHING, headers=said)


@router.post("", status_code=201, summary="Begin an upload", openapi_extra=_BODY)
async def create(request: Request, front: Here, who: Who) -> Response:
    """With the first bytes in its body, where there are any; or join partial uploads into one."""
    check_version(request.headers.get("tus-resumable"))
    require(who, "send")
    headers, uploads = request.headers, front.desk.uploads
    concat = parse_concat(headers.get("upload-concat"))
    length = None if concat.final else parse_number("Upload-Length", headers.get("upload-length"))
    announced, checksum = _announced(request), parse_checksum(headers.get("upload-checksum"))
    with_body = announced != 0
    if with_body:
        check_body_type(headers.get("content-type"))
        if concat.final:
            raise beyond(0, "a body with a final upload")
        if announced is not None and length is not None and announced > length:
            raise beyond(length, f"{announced} bytes announced")
    metadata = headers.get("upload-metadata", "")
    upload = await uploads.create(length=length, metadata=metadata, concat=concat, caller=who)
    location = {"Location": f"{_base(request)}/{upload.upload_id}"}
    outcome = None
    try:
        async with uploads.turn(upload.upload_id) as over:
            if with_body:
                now = front.desk.clock.now()
                patch = tus.begin(upload, offset=0, announced=announced, checksum=checksum, now=now)
                upload = await uploads.take(upload, patch, _chunks(request), over)
            if upload.awaits_intake:
                outcome = await uploads.finish(upload)
    except BodyCut:
        raise _cut(location) from None
    except problems.REFUSALS as error:
        raise _with(problems.of(error), location) from error
    return _told(front, request, 201, upload, outcome, location)


@router.patch("/{upload_id}", status_code=NOTHING, summary="Go on with an upload", openapi_extra=_BODY)
async def go_on(upload_id: str, request: Request, front: Here, who: Who) -> Response:
    """204 once the bytes are on disk; with the last of them, as `POST /ecgs` would answer, in headers."""
    check_version(request.headers.get("tus-resumable"))
    require(who, "send")
    headers, uploads = request.headers, front.desk.uploads
    check_body_type(headers.get("content-type"))
    offset = parse_number("Upload-Offset", headers.get("upload-offset"))
    checksum, announced = parse_checksum(headers.get("upload-checksum")), _announced(request)
    await uploads.get(upload_id, who)
    async with uploads.turn(upload_id) as over:
        upload, outcome = await uploads.get(upload_id, who)
        try:
            now = front.desk.clock.now()
            patch = tus.begin(upload, offset=offset, announced=announced, checksum=checksum, now=now)
            if outcome is None:
                upload = await uploads.take(upload, patch, _chunks(request), over)
            if upload.awaits_intake:
                outcome = await uploads.finish(upload)
        except BodyCut:
            raise _cut({}) from None
        except IngestError as error:
            upload, _ = await uploads.get(upload_id, who)
            raise _with(problems.of(error), {"Upload-Offset": str(upload.offset)}) from error
    return _told(front, request, NOTHING, upload, outcome, {})


@router.head("/{upload_id}", summary="How far an upload is")
async def how_far(upload_id: str, request: Request, front: Here, who: Who) -> Response:
    """A body of it that is still awaited comes to its end first: so the answer holds."""
    check_version(request.headers.get("tus-resumable"))
    require(who, "send")
    await front.desk.uploads.get(upload_id, who)
    async with front.desk.uploads.turn(upload_id):
        upload, outcome = await front.desk.uploads.get(upload_id, who)
    more = {"Cache-Control": "no-store"}
    return Response(headers=_headers(front, request, upload, outcome) | more)


@router.delete("/{upload_id}", status_code=NOTHING, summary="Give an upload up")
async def terminate(upload_id: str, request: Request, front: Here, who: Who) -> Response:
    """What was taken in stays taken in."""
    check_version(request.headers.get("tus-resumable"))
    require(who, "send")
    await front.desk.uploads.get(upload_id, who)
    async with front.desk.uploads.turn(upload_id):
        upload, _ = await front.desk.uploads.get(upload_id, who)
        await front.desk.uploads.terminate(upload)
    return Response(status_code=NOTHING)


@router.post("/{upload_id}", summary="PATCH, HEAD or DELETE where a proxy lets none of them pass")
async def overridden(upload_id: str, request: Request, front: Here, who: Who) -> Response:
    """As `X-HTTP-Method-Override` says."""
    method = request.headers.get("x-http-method-override", "").strip().upper()
    meant = {"PATCH": go_on, "HEAD": how_far, "DELETE": terminate}.get(method)
    if meant is None:
        allowed = {"Allow": _METHODS}
        raise Problem(405, "expected X-HTTP-Method-Override: PATCH, HEAD or DELETE", headers=allowed)
    return await meant(upload_id, request, front, who)


@router.get("/{upload_id}", summary="What became of an upload")
async def became(upload_id: str, front: Here, who: Who) -> Response:
    """`answer` is what `POST /ecgs` would have answered, `problem` why it would have refused."""
    require(who, "send")
    upload, outcome = await front.desk.uploads.get(upload_id, who)
    refusal = None if outcome is None else outcome.refusal
    return answer(
        {
            "upload_id": upload.upload_id,
            "state": upload.state,
            "offset": upload.offset,
            "length": upload.length,
            "expires_at": rfc3339(upload.expires_at),
            "answer": _ids(front, outcome),
            "study": None if outcome is None else outcome.study,
            "problem": None if refusal is None else problems.of(refusal.error()).document(),
        }
    )


# ---------------------------------------------------------------- in and out


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.stream():
            if chunk:
                yield chunk
    except ClientDisconnect:
        if rest := _not_given_out(request):
            yield rest
        raise BodyCut from None


def _not_given_out(request: Request) -> bytes:
    """What had come when the line was cut, and the server keeps for itself: once it knows of the cut it tells of
    nothing else, and on a thin link that may be the work of half a minute. A server made otherwise has nothing here.
    """
    cycle = getattr(server_receive(request.receive), "__self__", None)
    body = getattr(cycle, "body", b"")
    return bytes(body) if isinstance(body, bytes | bytearray) else b""


def _announced(request: Request) -> int | None:
    """Length of the body; None where it comes in chunks."""
    if "transfer-encoding" in request.headers:
        return None
    length = request.headers.get("content-length", "0")
    check_announced(length, 10**15)
    return int(length)


def _base(request: Request) -> str:
    """Absolute, for there are clients that take nothing else."""
    return f"{str(request.base_url).rstrip('/')}{PREFIX}{PATH}"


def _told(
    front: Front,
    request: Request,
    status: int,
    upload: tus.Upload,
    outcome: Outcome | None,
    more: dict[str, str],
) -> Response:
    headers = _headers(front, request, upload, outcome) | more
    if outcome is not None and outcome.refusal is not None:
        raise _with(problems.of(outcome.refusal.error()), headers)
    return Response(status_code=status, headers=headers)


def _headers(front: Front, request: Request, upload: tus.Upload, outcome: Outcome | None) -> dict[str, str]:
    headers = tus.headers(upload, f"{_base(request)}/")
    ids = _ids(front, outcome)
    if ids is not None:
        headers |= {
            "Greenchannel-Ecg-Id": ids["ecg_id"],
            "Greenchannel-Case-Id": ids["case_id"],
            "Greenchannel-Sha256": ids["sha256"],
            "Greenchannel-State": ids["state"],
            "Greenchannel-Duplicate": "true" if ids["duplicate"] else "false",
        }
        if ids["dropped"]:
            headers["Greenchannel-Dropped"] = ",".join(ids["dropped"])
    elif outcome is not None and outcome.study is not None:
        study = outcome.study
        headers |= {
            "Greenchannel-State": "stored",
            "Greenchannel-Case-Id": ",".join(study.case_ids),
            "Greenchannel-Study": ",".join(study.study_uids),
            "Greenchannel-Images": f"new={study.new} duplicate={study.duplicate} refused={len(study.refused)}",
        }
    elif outcome is not None and outcome.refusal is not None:
        headers |= {"Greenchannel-State": "refused", "Greenchannel-Problem": outcome.refusal.code}
    return headers


def _ids(front: Front, outcome: Outcome | None) -> dict[str, Any] | None:
    """The answer of `POST /ecgs`, with how far the ECG is by now."""
    if outcome is None or outcome.answer is None:
        return None
    known = outcome.answer
    read = known.state == "received" and front.desk.intake.is_read(known.case_id, known.ecg_id)
    return {
        "ecg_id": known.ecg_id,
        "case_id": known.case_id,
        "sha256": known.sha256,
        "state": "analysed" if read else known.state,
        "duplicate": known.duplicate,
        "same_as": known.same_as,
        "dropped": known.dropped,
    }


def _with(problem: Problem, headers: dict[str, str]) -> Problem:
    problem.headers = headers | problem.headers
    return problem


def _cut(headers: dict[str, str]) -> Problem:
    return Problem(408, "nothing more came of the body; what came is kept", headers=headers)
