"""What can go wrong on the way in.

    IngestError                 the bytes or the words of others cannot be taken
    └── SegmentBufferFull       the write-ahead file cannot be written, and no more can be held in memory

Every error says what was expected and what came; `code` is stable and goes to the client as it is:

==================  ====================================================================
code                meaning
==================  ====================================================================
empty_body          nothing was sent, or a strip without one sample
too_large           above a bound of `greenchannel.ingest.bounds`
unknown_format      the content is of no format known here
unsupported         the format is known, this form of it is not read
truncated           fewer bytes than the header announces
missing_part        a signal file that the header names was not sent
malformed           the content breaks its own format
bad_field           an optional field of an upload
bad_hello           the first message of a live stream
bad_frame           a binary frame of a live stream
stale_session       a frame on a connection that a newer one has replaced
stream_changed      samples of another recording under the id of one that is here
not_durable         nothing can be written to disk at present
bad_tus_header      a header of a resumable upload
tus_version         another version of tus than 1.0.0
body_type           a piece of an upload that is not announced as one
offset_mismatch     a piece that does not go on where the upload ends
checksum_algorithm  a checksum of an algorithm that is not known
checksum_mismatch   bytes that are not those which were sent
parts_unfinished    uploads that cannot be joined (yet)
upload_final        an upload that takes no more bytes, or cannot be withdrawn
upload_expired      an upload that nobody went on with in time
upload_taken_over   another request goes on with the upload
too_many_uploads    too many uploads of one sender under way
disk_full           no room; nothing that was confirmed is lost
==================  ====================================================================
"""

from typing import Final

CODES: Final = frozenset(
    {
        "empty_body",
        "too_large",
        "unknown_format",
        "unsupported",
        "truncated",
        "missing_part",
        "malformed",
        "bad_field",
        "bad_hello",
        "bad_frame",
        "stale_session",
        "stream_changed",
        "not_durable",
        "bad_tus_header",
        "tus_version",
        "body_type",
        "offset_mismatch",
        "checksum_algorithm",
        "checksum_mismatch",
        "parts_unfinished",
        "upload_final",
        "upload_expired",
        "upload_taken_over",
        "too_many_uploads",
        "disk_full",
    }
)

ZH: Final = {
    "empty_body": "内容是空的",
    "too_large": "文件过大",
    "unknown_format": "无法识别的文件格式",
    "unsupported": "能识别此格式，但不支持它的这种形式",
    "truncated": "文件不完整，请重新导出或发送",
    "missing_part": "缺少对应的信号文件，请一起发送",
    "malformed": "文件内容有误，与其格式不符",
    "bad_field": "附带的信息有一项填写有误",
    "bad_hello": "数据流的开始信息有误",
    "bad_frame": "数据流中的一帧有误",
    "stale_session": "此数据流已由新的连接接管",
    "stream_changed": "该 stream_id 已用于另一次记录，新的记录请使用新的 stream_id",
    "not_durable": "暂时无法写入磁盘，请稍后再试",
    "bad_tus_header": "上传请求的标头有误",
    "checksum_algorithm": "不支持这种校验算法",
    "parts_unfinished": "还有部分没有传完，暂不能合并",
    "upload_final": "此次上传已结束，不再接受内容",
    "upload_expired": "此次上传已过期，请重新发送",
}
"""What is said of each code in Chinese, where it says more than the status of the answer."""

ABOUT_THE_BYTES: Final = frozenset(
    {"too_large", "unknown_format", "unsupported", "truncated", "missing_part", "malformed"}
)
"""Refusals that are about the bytes; those are kept for an admin to see."""


class IngestError(Exception):
    """What came cannot be taken.

    Parameters
    ----------
    code
        One of `CODES`.
    message
        One sentence for a person.
    expected, got
        What was expected and what came, in words; None where the message says it all.
    """

    def __init__(self, code: str, message: str, expected: str | None = None, got: str | None = None) -> None:
        if code not in CODES:
            raise ValueError(f"expected a code of {sorted(CODES)}, got {code!r}")
        self.code = code
        self.message = message
        self.expected = expected
        self.got = got
        super().__init__(code, message, expected, got)

    @property
    def zh(self) -> str | None:
        """What is wrong, in Chinese; None where the status of the answer says as much."""
        return ZH.get(self.code)

    def __str__(self) -> str:
        text = f"{self.code}: {self.message}"
        if self.expected is not None:
            text += f"; expected {self.expected}"
        if self.got is not None:
            text += f"; got {self.got}"
        return text


class SegmentBufferFull(IngestError):
    """The write-ahead file cannot be written, and no more can be held in memory."""

    def __init__(self, limit_bytes: int, held_bytes: int) -> None:
        super().__init__(
            "not_durable",
            "the write-ahead segments cannot be written at present",
            expected=f"at most {limit_bytes} bytes waiting",
            got=f"{held_bytes}",
        )


def shown(value: object, limit: int = 60) -> str:
    """`value` as it may stand in an error: its repr, cut to `limit` characters."""
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
