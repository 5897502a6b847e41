"""The text header of a WFDB record, as the WFDB applications guide (header(5)) describes it."""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

from greenchannel.ingest.bounds import MAX_CHANNELS, MAX_HEADER_BYTES, MAX_VALUES
from greenchannel.ingest.errors import IngestError, shown

_RECORD: Final = re.compile(
    r"(?P<name>[^\s/]+)(?:/(?P<segments>\d{1,9}))?[ \t]+(?P<signals>\d{1,9})"
    r"(?:[ \t]+(?P<rate>\d{1,9}(?:\.\d*)?(?:[eE][+-]?\d{1,2})?)(?:/\S*)?"
    r"(?:[ \t]+(?P<samples>\d{1,15})(?:[ \t]+(?P<when>\S.*))?)?)?[ \t]*"
)
_SIGNAL: Final = re.compile(
    r"(?P<file>\S+)[ \t]+(?P<format>\d{1,4})(?:x(?P<per_frame>\d{1,4}))?(?::(?P<skew>\d{1,9}))?"
    r"(?:\+(?P<offset>\d{1,12}))?"
    r"(?:[ \t]+(?P<gain>-?\d{1,20}(?:\.\d{0,20})?(?:[eE][+-]?\d{1,3})?)(?:\((?P<baseline>-?\d{1,10})\))?"
    r"(?:/(?P<unit>\S+))?)?"
)
_HEAD: Final = re.compile(r"(?P<head>\S+[ \t]+\S+(?:[ \t]+\S+)?)(?P<rest>.*)")
_TRAILER: Final = re.compile(
    r"[ \t]+(?P<bits>\d{1,3})(?:[ \t]+(?P<zero>-?\d{1,10})(?:[ \t]+(?P<initial>-?\d{1,10})"
    r"(?:[ \t]+(?P<checksum>-?\d{1,10})(?:[ \t]+(?P<block>\d{1,10})(?:[ \t]+(?P<name>\S.*))?)?)?)?)?[ \t]*"
)
_WHEN: Final = (
    # as header(5) has it, and as the files of the CinC challenges have it
    (
        re.compile(r"(\d{1,2}:\d{2}:\d{2}(?:\.\d{1,6})?)\s+(\d{1,2}/\d{1,2}/\d{4})"),
        "%H:%M:%S.%f %d/%m/%Y",
        (1, 2),
    ),
    (
        re.compile(r"(\d{1,2}-[A-Za-z]{3}-\d{4})\s+(\d{1,2}:\d{2}:\d{2}(?:\.\d{1,6})?)"),
        "%H:%M:%S.%f %d-%b-%Y",
        (2, 1),
    ),
)
DEFAULT_RATE_HZ: Final = 250.0
DEFAULT_GAIN: Final = 200.0  # header(5): where the gain is missing or 0


@dataclass(frozen=True, kw_only=True, slots=True)
class SignalLine:
    """One signal of a record."""

    file: str  # name without a folder
    format: int
    offset_bytes: int
    steps_per_unit: float
    baseline: int
    unit: str
    checksum: int | None
    name: str
    initial: int = 0  # what a format of differences begins with


@dataclass(frozen=True, kw_only=True, slots=True)
class WfdbHeader:
    """One record."""

    name: str
    rate_hz: float
    samples: int | None  # None: as many as the files hold
    acquired: datetime | None  # as written, without a zone
    signals: tuple[SignalLine, ...]
    comments: tuple[str, ...]  # without the leading #
    tolerated: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentedHeader:
    """A record that is made of other records."""

    rate_hz: float
    acquired: datetime | None  # as written, without a zone
    segments: tuple[tuple[str, int], ...]  # name, or ~ for nothing, and number of samples
    comments: tuple[str, ...]


def header_lines(data: bytes) -> list[str] | None:
    """The lines of what may be a WFDB header, or None for what cannot be one."""
    if len(data) > MAX_HEADER_BYTES or b"\0" in data:
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    lines = [line.strip() for line in re.split(r"[\r\n]+", text)]
    first = next((line for line in lines if line and not line.startswith("#")), "")
    return lines if _RECORD.fullmatch(first) else None


def parse_header(lines: list[str]) -> WfdbHeader:
    """Read the header.

    Parameters
    ----------
    lines
        As `header_lines` gives them.

    Raises
    ------
    IngestError
        ``malformed``, ``unsupported`` or, for more samples than anyone records, ``too_large``.
    """
    return _parsed(tuple(lines))


@lru_cache(maxsize=4)  # whoever looks for the signal files asks first, whoever reads them a moment later
def _parsed(lines: tuple[str, ...]) -> WfdbHeader:
    content = [line for line in lines if line and not line.startswith("#")]
    comments = tuple(line.lstrip("#").strip() for line in lines if line.startswith("#"))
    record = _RECORD.fullmatch(content[0])
    if record is None:
        raise IngestError(
            "malformed", "the record line cannot be read", "name signals rate samples", shown(content[0])
        )
    if record["segments"] is not None:
        raise IngestError("unsupported", "the record has several segments", "one segment", record["segments"])
    count = int(record["signals"])
    if not 0 < count <= MAX_CHANNELS:
        raise IngestError(
            "malformed", "the number of signals is out of bounds", f"1 to {MAX_CHANNELS}", str(count)
        )
    samples = int(record["samples"] or 0) or None
    if samples is not None and samples * count > MAX_VALUES:
        raise IngestError(
            "too_large",
            "the header announces too much",
            f"at most {MAX_VALUES} samples in all",
            str(samples * count),
        )
    if len(content) - 1 != count:
        raise IngestError(
            "malformed", "signal lines are missing or too many", str(count), str(len(content) - 1)
        )
    rate_hz = float(record["rate"] or DEFAULT_RATE_HZ)
    tolerated = []
    name = record["name"]
    if "." in name:
        tolerated.append(f"the record line names a file ({name}) instead of a record")
        name = name.partition(".")[0]
    acquired = _when(record["when"])
    if record["when"] is not None and acquired is None:
        tolerated.append(
            f"the record line ends in {shown(record['when'])}, which is no time and date; ignored"
        )
    return WfdbHeader(
        name=name,
        rate_hz=rate_hz,
        samples=samples,
        acquired=acquired,
        signals=tuple(_signal(line) for line in content[1:]),
        comments=comments,
        tolerated=tuple(tolerated),
    )


def is_segmented(lines: list[str]) -> bool:
    """Whether the record line announces segments."""
    first = next((line for line in lines if line and not line.startswith("#")), "")
    record = _RECORD.fullmatch(first)
    return record is not None and record["segments"] is not None


def parse_segments(lines: list[str]) -> SegmentedHeader:
    """Read the header of a record of several segments.

    Raises
    ------
    IngestError
        ``malformed`` or ``too_large``.
    """
    content = [line for line in lines if line and not line.startswith("#")]
    record = _RECORD.fullmatch(content[0])
    if record is None or record["segments"] is None:
        raise IngestError("malformed", "the record line cannot be read", "name/segments …", shown(content[0]))
    count = int(record["segments"])
    if len(content) - 1 != count:
        raise IngestError(
            "malformed", "segment lines are missing or too many", f"{count}", f"{len(content) - 1}"
        )
    segments = []
    for line in content[1:]:
        match = re.fullmatch(r"([^\s/\\]{1,200})[ \t]+(\d{1,12})[ \t]*", line)
        if match is None:
            raise IngestError("malformed", "a segment line cannot be read", "name samples", shown(line))
        segments.append((match[1], int(match[2])))
    samples = sum(each for _, each in segments)
    if not 0 < samples <= MAX_VALUES:
        raise IngestError(
            "too_large" if samples else "malformed", "the segments' samples are out of bounds", f"1 to {MAX_VALUES}",
            f"{samples}",
        )  # fmt: skip
    return SegmentedHeader(
        rate_hz=float(record["rate"] or DEFAULT_RATE_HZ),
        acquired=_when(record["when"]),
        segments=tuple(segments),
        comments=tuple(line.lstrip("#").strip() for line in lines if line.startswith("#")),
    )


def _signal(line: str) -> SignalLine:
    whole = _HEAD.fullmatch(line)
    trailer = _TRAILER.fullmatch(whole["rest"]) if whole else None
    if whole is None or (trailer is None and whole["rest"].strip()):
        raise _unreadable(line)
    head = _head(whole["head"])
    if head is None:
        raise _unreadable(line)
    zero = int(trailer["zero"] or 0) if trailer else 0
    return SignalLine(
        file=head.file,
        format=head.format,
        offset_bytes=head.offset_bytes,
        steps_per_unit=head.steps_per_unit,
        baseline=zero if head.baseline is None else head.baseline,
        unit=head.unit,
        checksum=int(trailer["checksum"]) if trailer and trailer["checksum"] is not None else None,
        name=(trailer["name"] or "").strip() if trailer else "",
        initial=int(trailer["initial"] or 0) if trailer else 0,
    )


class _Head(NamedTuple):
    """What the first words of a signal line say, which most lines of a record share."""

    file: str
    format: int
    offset_bytes: int
    steps_per_unit: float
    baseline: int | None
    unit: str


@lru_cache(maxsize=64)
def _head(text: str) -> _Head | None:
    match = _SIGNAL.fullmatch(text)
    if match is None:
        return None
    file = match["file"]
    if "/" in file or "\\" in file or file in ("~", "-", ".", ".."):
        raise IngestError(
            "unsupported", "the signals are not in a file beside the header", "a file name", shown(file)
        )
    if int(match["per_frame"] or 1) != 1:
        raise IngestError(
            "unsupported", "signals of several rates are not read", "1 sample a frame", match["per_frame"]
        )
    if int(match["skew"] or 0) != 0:
        raise IngestError("unsupported", "skewed signals are not read", "skew 0", match["skew"])
    return _Head(
        file=file,
        format=int(match["format"]),
        offset_bytes=int(match["offset"] or 0),
        steps_per_unit=float(match["gain"] or 0.0) or DEFAULT_GAIN,
        baseline=None if match["baseline"] is None else int(match["baseline"]),
        unit=match["unit"] or "mV",
    )


def _unreadable(line: str) -> IngestError:
    return IngestError(
        "malformed", "a signal line cannot be read", "file format gain bits zero …", shown(line)
    )


def _when(text: str | None) -> datetime | None:
    for pattern, form, (time, date) in _WHEN:
        match = pattern.fullmatch((text or "").strip())
        if match is None:
            continue
        clock = match[time] if "." in match[time] else match[time] + ".0"
        try:
            # The file has no zone; whoever knows its site gives it one.
            return datetime.strptime(f"{clock} {match[date]}", form)  # noqa: DTZ007
        except ValueError:
            return None
    return None
