"""The files that Heal Force Prince 180D, a hand-held recorder, calls SCP-ECG.

They have the sections and their headers, but count bytes from 0, take other checksums, write dates the other way round
and keep the samples of all leads in one stream of their own. Known from files of one device alone.
"""

import binascii
import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.ingest.channels import check_counts
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.scp_header import Header, read_header
from greenchannel.ingest.scp_sections import POINTER, RECORD_HEADER, SECTION_HEADER
from greenchannel.ingest.scp_waveform import NV_PER_MV, Strip

# A sample has 10 bits and two marks of the device's own beat detector; four samples take three words of 16 bits: the
# first three their 12 bits in the words, the fourth in the 4 bits of each that are free.  [O]
_SAMPLE_MASK: Final = 0x3FF
_FOURTH_MASK: Final = 0x3C00
_ZERO: Final = 512
_WORDS: Final = 3
_LEADS: Final = ("I", "II", "III")
"""The three streams; not named in the file, but I + III = II holds in them."""

_MOST_REST: Final = 0.5
"""Of the least lead's deviation, what may remain of I − II + III: each lead has its own rounding and filter.  [E]"""

_MAX_BYTES: Final = 0xFFFF
"""The sizes of this form have 16 bits."""

_NV_WITHOUT_STEP: Final = 10_000
"""One step where the file does not say: 0.01 mV.  [O]"""


def is_healforce(data: bytes) -> bool:
    """Whether the first pointer counts from 0 and the size of the record stands in the third word."""
    return (
        len(data) >= 38
        and data[2:4] == b"\0\0"
        and data[28:32] == RECORD_HEADER.size.to_bytes(4, "little")
        and int.from_bytes(data[4:6], "little") <= len(data)
    )


def read_healforce(data: bytes, tolerated: list[str]) -> tuple[Strip, Header]:
    """The strip and what the file says of its time.

    Raises
    ------
    IngestError
        ``truncated``, ``malformed``, or ``unsupported`` for anything but three leads that fit each other.
    """
    tolerated.append(
        "the file is no conforming SCP-ECG (Heal Force): own packing of samples, bytes counted from 0"
    )
    bodies = _bodies(data, tolerated)
    definition = bodies.get(3, b"")
    if len(definition) < 10 or definition[0] != len(_LEADS):
        raise IngestError(
            "unsupported",
            "which leads these are is not known",
            "three leads",
            f"{definition[:1].hex() or 'none'}",
        )
    start, end = struct.unpack_from("<II", definition, 2)
    body = bodies.get(6, b"")
    nv_per_step, rate_hz, _, _, size = (
        struct.unpack_from("<HHBBH", body) if len(body) >= 8 else (0, 0, 0, 0, 0)
    )
    if rate_hz == 0 or size == 0:
        raise IngestError(
            "malformed", "there are no samples", "a rate and samples", f"{rate_hz} Hz, {size} bytes"
        )
    if len(body) < 8 + size:
        raise IngestError(
            "truncated", "the samples are cut off", f"{size} bytes", f"{max(len(body) - 8, 0)} bytes"
        )
    if nv_per_step == 0:
        nv_per_step = _NV_WITHOUT_STEP
        tolerated.append("the amplitude of a step is missing; 0.01 mV is taken")
    steps = unpack(body[8 : 8 + size])
    steps = steps[: steps.size // len(_LEADS) * len(_LEADS)].reshape(-1, len(_LEADS)).T
    check_counts(len(_LEADS), steps.shape[1], rate_hz)
    if end - start + 1 != steps.shape[1]:
        tolerated.append(f"the file announces {end - start + 1} samples and holds {steps.shape[1]}")
    rest = np.std(steps[0] - steps[1] + steps[2])
    if rest > _MOST_REST * np.std(steps, axis=1).min():
        raise IngestError("unsupported", "which leads these are is not known", "I, II and III", "others")
    samples_mv = (steps * nv_per_step / NV_PER_MV).astype(np.float32)
    header = read_header(bodies.get(1, b""), tolerated, byte_order=">")
    return Strip(samples_mv=samples_mv, leads=_LEADS, rate_hz=float(rate_hz)), header


def unpack(stream: bytes) -> NDArray[np.int64]:
    """Samples in steps from their words, shape (samples,)."""
    words = (
        np.frombuffer(stream, dtype="<u2", count=len(stream) // 6 * _WORDS)
        .astype(np.int64)
        .reshape(-1, _WORDS)
    )
    free = words & _FOURTH_MASK
    fourth = free[:, 0] >> 2 | free[:, 1] >> 6 | free[:, 2] >> 10
    return (np.column_stack((words, fourth)).ravel() & _SAMPLE_MASK) - _ZERO


def _bodies(data: bytes, tolerated: list[str]) -> dict[int, bytes]:
    """Sections by number; the size that a section gives itself counts, for its pointer is larger."""
    size = min(int.from_bytes(data[10:14], "little"), len(data), _MAX_BYTES)
    bodies: dict[int, bytes] = {}
    for at in range(RECORD_HEADER.size + SECTION_HEADER.size, RECORD_HEADER.size + size - 9, POINTER.size):
        number, pointed, index = POINTER.unpack(data[at : at + POINTER.size].ljust(POINTER.size, b"\0"))
        head = data[index : index + SECTION_HEADER.size]
        whole = len(head) == SECTION_HEADER.size and head[2:4] == data[at : at + 2]
        if not whole or number in bodies or not 0 < number <= 12:
            continue
        section = data[index : index + min(pointed, _MAX_BYTES)]
        value = binascii.crc_hqx(section[2:], 0).to_bytes(2, "little")
        # Section 6 has its checksum the other way round, and that of section 9 is of another kind.
        if number in (1, 3, 6) and head[:2] not in (value, value[::-1]):
            tolerated.append(f"the checksum of section {number} does not match")
        bodies[number] = section[SECTION_HEADER.size : int.from_bytes(head[4:8], "little")]
    return bodies
