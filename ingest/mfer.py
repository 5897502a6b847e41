"""Medical waveform Format Encoding Rules, level 1 (MFER; ISO/TS 11073-92001, ISO 22077-1)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import numpy as np

from greenchannel.ingest.channels import Channel, leads_of_labels, mv_per_unit, recording_of
from greenchannel.ingest.errors import IngestError, shown
from greenchannel.ingest.lead_names import SCP_LEADS
from greenchannel.ingest.mfer_frames import (
    DOMINANT_BEAT,
    PER_CHANNEL,
    Definitions,
    Frame,
    Layout,
    decode_frame,
    rate_of,
    scaled_row,
    word_of,
)
from greenchannel.ingest.mfer_tags import MOST_TAGS, Tag, tags
from greenchannel.ingest.parsed import ParsedEcg, Sex, age_between
from greenchannel.ingest.texts import decode_text

_PREAMBLES: Final = (b"MFR ", b"MFER", b" MFR", b" MFE")
_CHARSETS: Final = {
    "ISO-8859-1": "latin-1", "ISO-IR 100": "latin-1", "UTF-8": "utf-8", "UTF8": "utf-8", "UNICODE": "utf-8",
    "JIS X 0208": "iso2022_jp", "ISO-2022-JP": "iso2022_jp", "SHIFT_JIS": "shift_jis", "JIS X 0201": "shift_jis",
    "GB18030": "gb18030", "GBK": "gb18030", "GB2312": "gb18030",
}  # fmt: skip
_SEXES: Final[dict[int, Sex]] = {1: "male", 2: "female"}
_FILTERS: Final = {"HPF": "low_hz", "LPF": "high_hz", "BEF": "notch_hz"}
_MAX_NOTES: Final = 100


@dataclass(slots=True)
class _Content:
    """What has been read so far."""

    layout: Layout = field(default_factory=Layout)
    tags: int = 0
    charset: str | None = None
    frames: list[Frame] = field(default_factory=list)
    identifiers: dict[str, str] = field(default_factory=dict)
    age_years: float | None = None
    born: datetime | None = None
    sex: Sex | None = None
    acquired: datetime | None = None
    filters: dict[str, float] = field(default_factory=dict)
    remarks: dict[str, None] = field(default_factory=dict)
    tolerated: dict[str, None] = field(default_factory=dict)

    def text(self, value: bytes) -> str:
        """Words of a tag, in the charset that the file has named so far."""
        return decode_text(value, self.charset).strip("\0 \r\n")


def looks_like_mfer(data: bytes) -> bool:
    """Whether `data` begins with MFER's preamble, or with a byte order and a further tag as files without one do."""
    if data[:1] == b"\x40":
        return data[2:6] in _PREAMBLES
    return (
        data[:2] == b"\x01\x01"
        and data[2:3] in (b"\0", b"\x01")
        and data[3:4] in b"\x02\x03\x04\x05\x06\x08\x0b\x0c"
    )


def read_mfer(data: bytes) -> ParsedEcg:
    """Make one ECG of an MFER file.

    Raises
    ------
    IngestError
        ``malformed``, ``unsupported`` (compressed or encrypted waveforms), ``truncated``, ``empty_body`` or
        ``too_large``.
    """
    content = _Content()
    _read_tags(content, tags(data), None)
    frames = [frame for frame in content.frames if frame.kind != DOMINANT_BEAT]
    if len(frames) < len(content.frames):
        content.tolerated["the dominant beat is left out"] = None
    if not frames:
        raise IngestError("empty_body", "there is no waveform", "a tag MWF_WAV", "none")
    same = [frame for frame in frames if frame.definitions == frames[0].definitions]
    if len(same) < len(frames):
        content.tolerated[f"{len(frames) - len(same)} frames of another layout are left out"] = None
    tolerated = list(content.tolerated)
    recording = recording_of(_channels(same, tolerated), tolerated, filters=content.filters)
    age_years = content.age_years
    return ParsedEcg(
        recording=recording,
        format="mfer",
        age_years=age_between(content.born, content.acquired) if age_years is None else age_years,
        sex=content.sex,
        acquired=content.acquired,
        identifiers=content.identifiers,
        device_statements=tuple(content.remarks)[:_MAX_NOTES],
        filters=content.filters,
        tolerated=tuple(tolerated),
    )


def _channels(frames: list[Frame], tolerated: list[str]) -> list[Channel]:
    definitions = frames[0].definitions
    found = leads_of_labels([_label(each) for each in definitions], tolerated)
    channels = []
    for index, lead in found.items():
        own = dict(definitions[index])
        mv_per_unit("V" if own.get("unit", 0) == 0 else "another", lead)
        raw = np.concatenate([frame.rows[index] for frame in frames])
        if "ivl" not in own:
            tolerated.append(f"lead {lead} has no sampling interval; MFER's own of 1 ms is taken")
        channels.append(Channel(lead, rate_of(own), scaled_row(raw, own, lead, tolerated)))
    return channels


def _label(definitions: Definitions) -> str:
    code, text = next((value for name, value in definitions if name == "ldn"), (0, ""))
    return SCP_LEADS.get(code) or text or f"code {code}"


def _read_tags(content: _Content, found: list[Tag], channel: int | None) -> None:
    """Take the tags in their order, since each holds for what follows it."""
    layout = content.layout
    content.tags += len(found)
    if content.tags > MOST_TAGS:
        raise IngestError("malformed", "there are too many tags", f"at most {MOST_TAGS}", f"{content.tags}")
    for tag in found:
        if tag.name in PER_CHANNEL:
            layout.define(tag.name, tag.value, channel)
        elif tag.name == "chn" and channel is None:
            layout.set_channels(tag.value)
        elif tag.name == "ble":
            layout.set_order(tag.value)
        elif tag.name == "att":
            if channel is not None:
                raise IngestError("malformed", "a channel is defined within a channel", "one level", "two")
            _read_tags(content, tags(tag.value), tag.channel)
        elif tag.name == "set":
            _read_tags(content, tags(tag.value), channel)
        elif tag.name == "wav":
            content.frames.append(decode_frame(tag.value, layout, content.tolerated))
        elif tag.name == "cmp" and any(tag.value[:2]):
            raise IngestError(
                "unsupported", "compressed waveforms are not read", "MWF_CMP 0", tag.value[:2].hex()
            )
        elif tag.name == "pnt" and any(tag.value) and content.frames:
            content.tolerated["a frame names its place in time; the frames are put one after another"] = None
        elif tag.name == "skw" and any(tag.value):
            content.tolerated["the channels are skewed by less than a sample; not corrected"] = None
        elif tag.value:
            _describe(content, tag)


def _describe(content: _Content, tag: Tag) -> None:
    value = tag.value
    match tag.name:
        case "txc":
            content.charset = _CHARSETS.get(value.decode("latin-1").strip("\0 ").upper())
        case "pnm":
            parts = [part.strip() for part in content.text(value).split("^")]
            content.identifiers["name"] = " ".join(part for part in parts[0::2] if part)
        case "pid":
            content.identifiers["patient_id"] = content.text(value).split("^")[0].strip()
        case "sex":
            content.sex = _SEXES.get(value[0])
        case "age":
            content.age_years = float(value[0]) if any(value[:3]) and value[0] <= 130 else None
            if len(value) >= 7:
                content.born = _date(word_of(value[3:5], content.layout), value[5:7] + b"\0\0\0")
        case "tim" if len(value) >= 7:
            content.acquired = _date(word_of(value[:2], content.layout), value[2:7])
            if content.acquired is not None and len(value) >= 9:
                thousandths = min(word_of(value[7:9], content.layout), 999)
                content.acquired = content.acquired.replace(microsecond=thousandths * 1000)
        case "flt":
            _filter(content, content.text(value))
        case "nte":
            content.remarks[content.text(value)] = None
        case "unknown":
            content.tolerated[f"tag {shown(tag.code, 8)} is not known here; ignored"] = None
    content.identifiers = {key: word for key, word in content.identifiers.items() if word}


def _filter(content: _Content, text: str) -> None:
    name, _, rest = text.partition("=")
    key = _FILTERS.get(name.strip().upper())
    word = rest.split("^")[0].strip().removesuffix("Hz").strip()
    if key is not None and word.replace(".", "", 1).isdigit() and word.isascii() and 0 < float(word) < 1e6:
        content.filters[key] = float(word)


def _date(year: int, rest: bytes) -> datetime | None:
    try:
        return datetime(year, *rest[:5])  # noqa: DTZ001 - as written
    except ValueError:
        return None
