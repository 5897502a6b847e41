"""Every refusal as an RFC 9457 problem document: what was expected, what came, and nothing of the inside.

``{"type", "title", "status", "detail", "code"}``, plus ``zh`` (the detail in Chinese), ``expected`` and ``got`` where
they help. A fault of ours is logged with its trace and answered by a number that finds it in the log.
"""

import uuid
from http import HTTPStatus
from typing import Any, Final

import msgspec
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from greenchannel.alerts.refusal import Refused
from greenchannel.clock import NaiveDatetimeError
from greenchannel.ingest.errors import IngestError
from greenchannel.service.errors import Conflict, Forbidden, NotFound, ServiceError
from greenchannel.store.errors import BlobErased, PatientKeyMissing
from greenchannel.viewer.instants import BEYOND, BEYOND_ZH

logger = structlog.get_logger(__name__)

MEDIA_TYPE: Final = "application/problem+json"

# Which answer a refusal of the way in gets; what is not listed here is 400.
INGEST_STATUS: Final = {
    "too_large": 413,
    "unknown_format": 415,
    "unsupported": 415,
    "truncated": 422,
    "missing_part": 422,
    "malformed": 422,
    "bad_field": 422,
    "not_durable": 503,
    "stale_session": 409,
    "stream_changed": 409,
    "tus_version": 412,
    "body_type": 415,
    "offset_mismatch": 409,
    "checksum_mismatch": 460,
    "parts_unfinished": 409,
    "upload_final": 403,
    "upload_expired": 410,
    "upload_taken_over": 423,
    "too_many_uploads": 429,
    "disk_full": 507,
}

_WORDS: Final[dict[int, tuple[str, str]]] = {  # code, Chinese detail
    400: ("bad_request", "请求格式不正确"),
    401: ("unauthenticated", "请先登录或提供有效的令牌"),
    403: ("forbidden", "没有权限"),
    404: ("not_found", "没有找到"),
    405: ("method_not_allowed", "不支持这种请求方法"),
    408: ("timeout", "等待数据超时"),
    409: ("conflict", "与已有内容不符"),
    410: ("gone", "已过期"),
    412: ("precondition_failed", "协议版本不符"),
    413: ("too_large", "文件过大"),
    415: ("unsupported_media_type", "不支持这种内容类型"),
    422: ("invalid", "内容不正确"),
    423: ("locked", "正由另一请求处理"),
    429: ("too_many_requests", "尝试次数过多,请稍后再试"),
    500: ("internal", "服务内部错误,已记录"),
    460: ("checksum_mismatch", "校验和不符,请重新发送"),
    503: ("unavailable", "服务暂不可用,请稍后再试"),
    507: ("disk_full", "存储空间不足,已确认的内容仍保留,请稍后再试"),
}
_PHRASES: Final = {460: "Checksum Mismatch"}  # of tus, unknown to HTTP itself


class Problem(Exception):
    """A refusal with everything its document says."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        code: str | None = None,
        zh: str | None = None,
        expected: str | None = None,
        got: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        usual_code, usual_zh = _WORDS.get(status, ("error", "请求未能完成"))
        self.status = status
        self.detail = detail
        self.code = code or usual_code
        self.zh = zh or usual_zh
        self.expected = expected
        self.got = got
        self.headers = headers or {}

    def document(self) -> dict[str, Any]:
        """The problem document."""
        more = {"expected": self.expected, "got": self.got}
        return {
            "type": f"urn:greenchannel:problem:{self.code}",
            "title": _PHRASES.get(self.status) or HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "zh": self.zh,
            **{key: value for key, value in more.items() if value is not None},
        }

    def response(self) -> Response:
        """The document as an HTTP answer."""
        return Response(
            msgspec.json.encode(self.document()),
            status_code=self.status,
            media_type=MEDIA_TYPE,
            headers=self.headers,
        )


REFUSALS: Final = (ServiceError, Refused, IngestError, NaiveDatetimeError, PatientKeyMissing, BlobErased)
"""What the rooms raise where something is not to be done; anything else is a fault."""


def of(error: Exception) -> Problem:
    """The problem that a refusal of one of the rooms becomes.

    Raises
    ------
    TypeError
        The error is no refusal; it must not be answered as one.
    """
    match error:
        case Problem():
            return error
        case IngestError():
            status = INGEST_STATUS.get(error.code, 400)
            return Problem(
                status, error.message, code=error.code, zh=error.zh, expected=error.expected, got=error.got
            )
        case NotFound():
            return Problem(404, error.en, code=error.code, zh=error.zh)
        case PatientKeyMissing() | BlobErased():
            return Problem(
                409, "the patient of this case was erased", code="patient_erased", zh="该患者的资料已被删除"
            )
        case Forbidden():
            return Problem(403, error.en, code=error.code, zh=error.zh)
        case Conflict():
            return Problem(409, error.en, code=error.code, zh=error.zh)
        case Refused():
            return Problem(error.status, error.en, code=error.code, zh=error.zh)
        case ServiceError():
            return Problem(400, error.en, code=error.code, zh=error.zh)
        case NaiveDatetimeError():
            return Problem(422, "expected an instant with a zone", code="no_zone", got=str(error)[:120])
        case _:
            raise TypeError(f"{type(error).__name__} is no refusal") from error


def fault(error: Exception, where: str) -> Problem:
    """A fault of ours: the log gets all of it, the client a number."""
    number = uuid.uuid4().hex[:12]
    logger.error("fault", number=number, where=where, exc_info=error)
    return Problem(500, f"something went wrong on our side; it is logged as {number}")


_NOT_JSON: Final = Problem(400, "the body is not JSON", code="malformed_json", expected="a JSON object")


def install(app: FastAPI) -> None:
    """Make every error of an application a problem document."""

    async def refused(request: Request, error: Exception) -> Response:
        return of(error).response()

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 400:  # a body that is not even text
            return _NOT_JSON.response()
        detail = f"{request.method} {request.url.path}"[:200]
        return Problem(error.status_code, detail, headers=dict(error.headers or {})).response()

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return _validation(error).response()

    async def failed(request: Request, error: Exception) -> Response:
        return fault(error, f"{request.method} {request.url.path}"[:200]).response()

    for kind in (Problem, *REFUSALS):
        app.add_exception_handler(kind, refused)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Exception, failed)


def _validation(error: RequestValidationError) -> Problem:
    """The first thing that does not fit, by its place; never what else the body held."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "json_invalid":
        return _NOT_JSON
    missing = first["type"] == "missing"
    got = "nothing" if missing else None if "password" in place else repr(first.get("input"))[:60]
    zh = BEYOND_ZH if first["type"] == BEYOND else None
    return Problem(422, f"{place}: {first['msg']}", zh=zh, expected=first["msg"], got=got)
