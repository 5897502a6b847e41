"""The samples of Philips Sierra ECGs: XLI, which is LZW of ten bits over second differences, and what they end in.

For each channel in turn: the number of compressed bytes (32 bits, little-endian), two bytes, the first difference
(16 bits), and the compressed bytes. Unpacked, the upper bytes of all differences come first, then the lower ones.
Known from the project sierra-ecg-tools, against whose decoder this one is tested.  [K]
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.ingest.errors import IngestError

_HEAD_BYTES: Final = 8
_CODE_BITS: Final = 10
_LAST_CODE: Final = (1 << _CODE_BITS) - 2
_BIAS: Final = 64
# Bytes beyond those of the samples that a channel may unpack to; the ones at hand have none.
_SLACK: Final = 4096


def unpack_xli(data: bytes, channels: int, samples: int) -> NDArray[np.int16]:
    """Samples of shape ``(channels, samples)``, still with the limb leads as differences from what follows of I and II.

    Raises
    ------
    IngestError
        ``truncated`` or ``malformed``.
    """
    rows = np.zeros((channels, samples), dtype=np.int16)
    at = 0
    for index in range(channels):
        if len(data) - at < _HEAD_BYTES:
            raise IngestError("truncated", "channels are missing", f"{channels} channels", str(index))
        size = int.from_bytes(data[at : at + 4], "little")
        first = int.from_bytes(data[at + 6 : at + 8], "little")
        at += _HEAD_BYTES
        if size > len(data) - at:
            raise IngestError("truncated", "a channel is too short", f"{size} bytes", f"{len(data) - at}")
        body = _lzw(data[at : at + size], 2 * samples + _SLACK)
        at += size
        row = _undifferenced(body, first)
        if len(row) < samples:
            raise IngestError("truncated", "a channel is too short", f"{samples} samples", str(len(row)))
        rows[index] = row[:samples].view(np.int16)
    return rows


def _lzw(body: bytes, most: int) -> bytes:
    """LZW with codes of ten bits and a table that is never emptied."""
    # More codes than bytes wanted are never read, so that bits are not spread out for nothing.
    body = body[: most * _CODE_BITS // 8 + _CODE_BITS]
    count = len(body) * 8 // _CODE_BITS
    bits = np.unpackbits(np.frombuffer(body, dtype=np.uint8), count=count * _CODE_BITS).reshape(
        count, _CODE_BITS
    )
    codes = np.zeros(count, dtype=np.uint16)
    for column in range(_CODE_BITS):
        codes += bits[:, column].astype(np.uint16) << np.uint16(_CODE_BITS - 1 - column)
    table = [bytes((value,)) for value in range(256)]
    out = bytearray()
    previous = b""
    for code in codes.tolist():
        if code > _LAST_CODE:
            break
        if code < len(table):
            string = table[code]
        elif code == len(table) and previous:
            string = previous + previous[:1]
        else:
            raise IngestError(
                "malformed", "the compressed samples are damaged", f"a code below {len(table)}", str(code)
            )
        out += string
        if len(out) > most:
            raise IngestError("malformed", "a channel is too long", f"at most {most} bytes", "more")
        if previous and len(table) <= _LAST_CODE:
            table.append(previous + string[:1])
        previous = string
    return bytes(out)


def _undifferenced(body: bytes, first: int) -> NDArray[np.uint16]:
    """Samples from their second differences, in the arithmetic of 16 bits that the devices use."""
    body += b"\0" * (len(body) % 2)
    half = len(body) // 2
    octets = np.frombuffer(body, dtype=np.uint8).astype(np.uint16)
    deltas = (octets[:half] << np.uint16(8)) | octets[half:]
    if half < 3:
        return deltas
    # From the third sample on, each step is the step before it less the difference stored one place earlier.
    steps = np.empty(half - 1, dtype=np.uint16)
    steps[:1] = deltas[1:2] - deltas[:1]
    steps[1] = np.uint16(-first & 0xFFFF)
    steps[2:] = np.uint16(_BIAS) - deltas[2:-1]
    row = np.empty(half, dtype=np.uint16)
    row[0] = deltas[0]
    row[1:] = deltas[0] + np.cumsum(np.cumsum(steps, dtype=np.uint16), dtype=np.uint16)
    return row


def len_without_calibration(steps: NDArray[np.int32], steps_a_mv: float) -> int:
    """How many of ``(leads, samples)`` come before the calibration pulse with which carts end the strip.

    It is known by what no heart does: the same in all leads, aVR too, and nothing but 0 and 1 mV.
    """
    same = (steps == steps[0]).all(axis=0)
    pulse = same & (np.abs(steps[0] - steps_a_mv) <= 1)
    if len(steps) < 2 or not pulse.any():
        return len(same)
    others = np.flatnonzero(~(pulse | (same & (steps[0] == 0))))
    start = int(others[-1]) + 1 if len(others) else 0
    # Leads that were off may end in zeros; without a pulse among them they are no calibration. Nor is a whole strip.
    return start if start and pulse[start:].any() else len(same)
