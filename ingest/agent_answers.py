"""What an answer over HTTP means to the clinic's agent, in words for the clinic. Pure.

Between a village and its server stand things that answer in the server's name: a hotel's sign-in page, a proxy that
is out of breath, a wrong address. Only an answer that speaks the protocol is one of the server's; nothing else can
make an ECG count as sent, or as refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from greenchannel.ingest.tus_headers import VERSION

Step = Literal["create", "piece", "head", "states"]
Whose = Literal["link", "entry", "restart", "smaller", "refused"]
"""``link``: nothing gets through, everything waits. ``entry``: this ECG waits, the others go on. ``restart``: the
upload is sent from its beginning. ``smaller``: somebody on the way takes no body of this size. ``refused``: the server
said of the file or of its fields that it will not have it; kept, and shown to a person."""

PROBLEM: Final = "application/problem+json"
_EXPECTED: Final[Mapping[Step, int]] = {"create": 201, "piece": 204, "head": 200, "states": 200}
_OURS: Final = "urn:greenchannel:problem:"  # begins the type of each problem of the server's
_OF_CONTENT: Final = frozenset({413, 415, 422})
_OF_ECG: Final = frozenset(
    {
        "empty_body", "bad_field", "identity_conflict", "ecg_in_other_case", "case_closed", "patient_erased",
        "site_forbidden", "device_forbidden",
    }
)  # fmt: skip
"""What other refusals may say of a file or of the fields that came with it."""
_OF_REQUEST: Final = frozenset(
    {
        "", "bad_request", "malformed_json", "forbidden", "foreign_origin", "not_found", "method_not_allowed",
        "conflict", "gone", "unsupported_media_type", "body_type", "invalid", "error",
    }
)  # fmt: skip
"""Codes that say nothing of an ECG: the next one would be answered alike."""
_SIGN_IN: Final = 511  # Network Authentication Required (RFC 6585)
_SHOWN: Final = 300  # characters of what somebody else said


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Why something did not go as it should, and whose trouble it is."""

    whose: Whose
    code: str
    en: str
    zh: str
    status: int | None = None  # of HTTP; None: there was no answer
    wait_s: float = 0.0  # what the server asked for
    expected: str | None = None
    got: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """An answer as it came."""

    status: int
    headers: Mapping[str, str]  # by their names in small letters
    body: bytes = b""


_WORDS: Final[dict[str, tuple[str, str]]] = {
    "no_network": ("the server cannot be reached", "连不上服务器"),
    "bad_certificate": (
        "the server's certificate is not trusted; nothing was sent",
        "服务器证书不可信,未发送任何内容",
    ),
    "captive_portal": (
        "a sign-in page answered in the server's place; sign in to the network or ask who runs it",
        "网络登录页代替服务器作答:请先登录网络,或询问网络管理员",
    ),
    "not_our_server": ("whoever answered is no greenchannel server", "该地址不是 greenchannel 服务器"),
    "token_refused": (
        "the server does not accept this clinic's token; ask the administrator for a new one",
        "服务器不接受本机构的令牌,请向管理员索取新令牌",
    ),
    "wrong_address": (
        "no ECGs are taken at this address; check --server, expected one such as https://heart.example",
        "服务器在此地址不接收心电图,请核对 --server(应为 https://heart.example 之类的地址)",
    ),
    "busy": ("the server or something before it is overloaded", "服务器或中间设备繁忙"),
    "disk_full": (
        "the server has no room; it keeps what it confirmed",
        "服务器存储空间不足,已确认的内容仍保留",
    ),
    "too_many_uploads": ("too many uploads are under way", "同时上传过多,稍后继续"),
    "server_fault": ("something went wrong on the server", "服务器内部错误"),
    "body_too_large": ("something on the way takes no body of this size", "途中设备不接受这么大的数据块"),
    "upload_gone": ("the server no longer knows this upload; it is sent anew", "服务器已无此次上传,重新发送"),
    "offset_mismatch": ("the server is at another place of this upload", "上传位置不一致,重新核对"),
    "waiting_for_server": ("the server still works on this upload", "服务器仍在处理此次上传"),
    "damaged_on_the_way": (
        "the bytes were changed on the way; they are sent again",
        "传输中数据受损,重新发送",
    ),
    "protocol": (
        "the server does not speak this agent's protocol; update one of both",
        "服务器与本程序版本不符",
    ),
}


def trouble(whose: Whose, code: str, status: int | None = None, **more: Any) -> Trouble:
    """One of the troubles that are known by name."""
    en, zh = _WORDS[code]
    return Trouble(whose=whose, code=code, en=en, zh=zh, status=status, **more)


def trouble_of(reply: Reply, step: Step) -> Trouble | None:
    """What is wrong with an answer; None where it is what `step` asked for."""
    status, spoken = reply.status, _is_spoken(reply)
    document = _problem(reply)
    if status == _EXPECTED[step]:
        ours = "server_time" in _json(reply) if step == "states" else spoken and _has_place(reply, step)
        return None if ours else _stranger(reply)
    if document is None and not (spoken and step == "head"):
        return _without_words(reply, step)
    return _by_status(reply, step, document or {})


def refused_for_good(reply: Reply) -> bool:
    """Was the whole file looked at and not taken?"""
    return reply.headers.get("greenchannel-state") == "refused"


def _has_place(reply: Reply, step: Step) -> bool:
    if step == "create":
        return bool(reply.headers.get("location"))
    return reply.headers.get("upload-offset", "").isdigit()


def _by_status(reply: Reply, step: Step, document: Mapping[str, Any]) -> Trouble:
    """An answer of the server's own."""
    status, code = reply.status, str(document.get("code") or reply.headers.get("greenchannel-problem") or "")
    wait_s = _retry_after(reply)
    if refused_for_good(reply) and code != "checksum_mismatch":
        return _in_its_words("refused", reply, document, code)
    match status, code:
        case 401, _:
            return trouble("link", "token_refused", 401)
        case _, "checksum_mismatch":
            return trouble("restart" if refused_for_good(reply) else "entry", "damaged_on_the_way", status)
        case ((404 | 405), _) if step == "states":
            return trouble("entry", "protocol", status)
        case ((404 | 405), _) if step == "create" or status == 405:
            return trouble("link", "wrong_address", status, got=_text(document.get("detail")))
        case ((404 | 410), _) if step != "create":
            return trouble("restart", "upload_gone", status)
        case _, "offset_mismatch":
            return trouble("entry", "offset_mismatch", status)
        case ((408 | 423), _):
            return trouble("entry", "waiting_for_server", status)
        case _, "upload_final":
            return trouble("entry", "waiting_for_server", status)
        case 412, _:
            return trouble("link", "protocol", 412)
        case 429, "too_many_uploads":
            return trouble("entry", "too_many_uploads", 429, wait_s=max(wait_s, 60.0))
        case 429, _:
            return trouble("link", "busy", 429, wait_s=wait_s)
        case 507, _:
            return trouble("link", "disk_full", 507, wait_s=wait_s)
        case ((502 | 503 | 504), _):
            return trouble("link", "busy", status, wait_s=wait_s)
        case _ if status >= 500:
            return trouble("entry", "server_fault", status, wait_s=wait_s, got=_text(document.get("detail")))
        case _ if 400 <= status < 500:
            return _by_code(reply, document, code)
    return _stranger(reply)


def _by_code(reply: Reply, document: Mapping[str, Any], code: str) -> Trouble:
    """Only what is said of the file or of its fields refuses it; anything else may be otherwise tomorrow."""
    if not (_is_spoken(reply) or str(document.get("type")).startswith(_OURS)):
        return _stranger(reply)
    if code in _OF_REQUEST:
        return _in_its_words("link", reply, document, code)
    is_of_ecg = code in _OF_ECG or reply.status in _OF_CONTENT
    return _in_its_words("refused" if is_of_ecg else "entry", reply, document, code)


def _is_spoken(reply: Reply) -> bool:
    return reply.headers.get("tus-resumable") == VERSION


def _without_words(reply: Reply, step: Step) -> Trouble:
    """An answer that is no document of the server's: of something on the way, or of the server in need."""
    status, wait_s = reply.status, _retry_after(reply)
    if status == 413:
        return trouble("smaller", "body_too_large", 413)
    if status in (408, 429) or (status >= 500 and status != _SIGN_IN):
        return trouble("link", "busy", status, wait_s=wait_s)
    return _stranger(reply)


def _stranger(reply: Reply) -> Trouble:
    kind = reply.headers.get("content-type", "").lower()
    portal = (
        "html" in kind
        or reply.body.lstrip()[:1] == b"<"
        or 300 <= reply.status < 400
        or reply.status == _SIGN_IN
    )
    got = reply.headers.get("location") or kind or "no content type"
    code = "captive_portal" if portal else "not_our_server"
    return trouble("link", code, reply.status, got=f"{reply.status}, {got}"[:_SHOWN])


def _in_its_words(whose: Whose, reply: Reply, document: Mapping[str, Any], code: str) -> Trouble:
    """The server's own words, as it said them."""
    return Trouble(
        whose=whose,
        code=code or "refused",
        en=_text(document.get("detail")) or f"refused with {reply.status}",
        zh=_text(document.get("zh")) or "服务器未接受",
        status=reply.status,
        wait_s=_retry_after(reply),
        expected=_text(document.get("expected")),
        got=_text(document.get("got")),
    )


def _problem(reply: Reply) -> Mapping[str, Any] | None:
    if not reply.headers.get("content-type", "").lower().startswith(PROBLEM):
        return None
    found = _json(reply)
    return found if "code" in found else None


def _json(reply: Reply) -> Mapping[str, Any]:
    try:
        found = msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str | None:
    return value[:_SHOWN] if isinstance(value, str) and value else None


def _retry_after(reply: Reply) -> float:
    word = reply.headers.get("retry-after", "")
    return float(word) if word.isdigit() and len(word) < 7 else 0.0
