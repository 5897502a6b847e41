"""The ISHNE Holter standard output file: Badilini F, Ann Noninvasive Electrocardiol 1998;3(3):263-266."""

import binascii
import struct
from datetime import datetime
from typing import Final

import numpy as np

from greenchannel.ingest.channels import (
    Channel,
    check_counts,
    leads_of_labels,
    recording_of,
    scaled,
)
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.parsed import ParsedEcg, Sex, age_between
from greenchannel.ingest.scaling import MISSING
from greenchannel.ingest.texts import decode_text

_MAGIC: Final = b"ISHNE1.0"
_HEAD_BYTES: Final = 522
_CRC_FROM: Final = 10
_MOST_LEADS: Final = 12
# Table 1 of the paper. [K] "bipolar" says that it is an ECG, not which.
_LEADS: Final = {
    1: "ECG", 2: "X", 3: "Y", 4: "Z", 5: "I", 6: "II", 7: "III", 8: "aVR", 9: "aVL", 10: "aVF",
    11: "V1", 12: "V2", 13: "V3", 14: "V4", 15: "V5", 16: "V6", 17: "ES", 18: "AS", 19: "AI",
}  # fmt: skip
_MV_PER_NV: Final = 1e-6
_SEXES: Final[dict[int, Sex]] = {1: "male", 2: "female"}


def looks_like_ishne(data: bytes) -> bool:
    """Whether `data` begins as an ISHNE file does."""
    return data.startswith(_MAGIC)


def read_ishne(data: bytes) -> ParsedEcg:
    """Make one ECG of an ISHNE file.

    Raises
    ------
    IngestError
        ``malformed`` (also for a header whose checksum does not match), ``unsupported`` where several leads do not
        say which they are, ``truncated``, ``empty_body`` or ``too_large``.
    """
    if len(data) < _HEAD_BYTES:
        raise IngestError(
            "truncated", "the header is too short", f"{_HEAD_BYTES} bytes", f"{len(data)} bytes"
        )
    tolerated: list[str] = []
    start_bytes = _start(data, tolerated)
    (count,) = struct.unpack_from("<h", data, 156)
    (rate_hz,) = struct.unpack_from("<h", data, 272)
    if not 0 < count <= _MOST_LEADS:
        raise IngestError("malformed", "the number of leads is wrong", f"1 to {_MOST_LEADS}", f"{count}")
    samples = _samples(data, start_bytes, count, tolerated)
    check_counts(count, samples, rate_hz)
    codes = struct.unpack_from(f"<{count}h", data, 158)
    steps_nv = struct.unpack_from(f"<{count}h", data, 206)
    found = leads_of_labels([_LEADS.get(code, f"code {code}") for code in codes], tolerated)
    raw = np.frombuffer(data, "<i2", samples * count, start_bytes).reshape(samples, count)
    channels = []
    for index, lead in found.items():
        if steps_nv[index] <= 0:
            raise IngestError(
                "malformed", f"lead {lead} has no resolution", "nV a step", f"{steps_nv[index]}"
            )
        samples_mv = scaled(raw[:, index], steps_nv[index] * _MV_PER_NV, 0.0, lead)
        samples_mv[raw[:, index] == MISSING] = np.nan
        channels.append(Channel(lead, float(rate_hz), samples_mv))
    acquired = _instant(struct.unpack_from("<3h", data, 138), struct.unpack_from("<3h", data, 150))
    born = _instant(struct.unpack_from("<3h", data, 132), (0, 0, 0))
    given, family, code = (
        _text(data[start : start + size]) for start, size in ((28, 40), (68, 40), (108, 20))
    )
    named = {"name": " ".join(part for part in (family, given) if part), "patient_id": code}
    remark = _text(data[_HEAD_BYTES:start_bytes])
    return ParsedEcg(
        recording=recording_of(channels, tolerated),
        format="ishne",
        age_years=age_between(born, acquired),
        sex=_SEXES.get(struct.unpack_from("<h", data, 128)[0]),
        acquired=acquired,
        identifiers={key: value for key, value in named.items() if value},
        device_statements=(remark,) if remark else (),
        tolerated=tuple(tolerated),
    )


def checksum(data: bytes) -> int:
    """CRC-CCITT (polynomial 0x1021, start 0xFFFF) of the header behind the checksum and of the variable block."""
    return binascii.crc_hqx(data, 0xFFFF)


def _start(data: bytes, tolerated: list[str]) -> int:
    """Where the samples begin, once the header is known to be whole."""
    variable_bytes, _, variable_at, ecg_at = (int(word) for word in struct.unpack_from("<4i", data, 10))
    start_bytes = _HEAD_BYTES + variable_bytes
    if variable_bytes < 0:
        raise IngestError(
            "malformed", "the variable block has no size", "0 or more bytes", f"{variable_bytes}"
        )
    if start_bytes > len(data):
        raise IngestError(
            "truncated", "the variable block is too short", f"{start_bytes} bytes", f"{len(data)} bytes"
        )
    if (variable_at, ecg_at) != (_HEAD_BYTES, start_bytes):
        tolerated.append(
            f"the offsets in the header ({variable_at}, {ecg_at}) are not those of its sizes; ignored"
        )
    (stored,) = struct.unpack_from("<H", data, 8)
    counted = checksum(data[_CRC_FROM:start_bytes])
    if stored == 0:
        tolerated.append("the header has no checksum")
    elif stored == counted >> 8 | (counted & 0xFF) << 8:
        tolerated.append("the checksum has its bytes the other way round")
    elif stored != counted:
        # Resolution and name stand in this header: nothing of it can be relied on.
        raise IngestError(
            "malformed", "the checksum of the header does not match", f"{counted:#06x}", f"{stored:#06x}"
        )
    return start_bytes


def _samples(data: bytes, start_bytes: int, count: int, tolerated: list[str]) -> int:
    """Samples of each lead. The paper counts them a lead; some writers count those of all leads."""
    announced: int = struct.unpack_from("<i", data, 14)[0]
    there, odd = divmod(len(data) - start_bytes, 2 * count)
    if announced == there * count and count > 1:
        tolerated.append("the number of samples is that of all leads together")
        return there
    if announced > there:
        needed = start_bytes + 2 * count * announced
        raise IngestError("truncated", "the file is too short", f"{needed} bytes", f"{len(data)} bytes")
    if announced < there or odd:
        tolerated.append("the file holds more bytes than it announces")
    return announced


def _text(data: bytes) -> str:
    return decode_text(data.split(b"\0", 1)[0]).strip()


def _instant(date: tuple[int, ...], time: tuple[int, ...]) -> datetime | None:
    day, month, year = date
    hour, minute, second = time
    try:
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - as written
    except ValueError:
        return None
