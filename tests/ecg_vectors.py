"""Small files made byte by byte from the standards, of formats of which there is no sample of a device."""

import base64
import binascii
import struct
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

STEPS = np.random.default_rng(7).integers(-900, 900, (2, 500)).astype(np.int16)
"""Two leads of a second at 500 Hz, in steps."""


def edf(
    signals: Sequence[tuple[str, int, bytes]],
    *,
    records: int,
    kind: str = "",
    record_s: str = "1",
    bits: int = 16,
    patient: str = "X X X X",
    recording: str = "Startdate X X X X",
    start: tuple[str, str] = ("01.05.26", "16.05.09"),
    unit: str = "uV",
    ranges: tuple[str, str, str, str] = ("-5000", "5000", "-2000", "2000"),
    prefilter: str = "HP:0.05Hz LP:150Hz N:50Hz",
) -> bytes:
    """EDF or BDF of `signals`: label, samples in a record, and all the bytes of that signal in turn."""
    count = len(signals)

    def column(width: int, words: Sequence[str]) -> bytes:
        return b"".join(word.encode().ljust(width) for word in words)

    version = b"0".ljust(8) if bits == 16 else b"\xffBIOSEMI"
    fixed = [(80, patient), (80, recording), (8, start[0]), (8, start[1]), (8, str(256 * (count + 1)))]
    fixed += [(44, kind), (8, str(records)), (8, record_s), (4, str(count))]
    head = version + b"".join(word.encode().ljust(width) for width, word in fixed)
    notes = [label.endswith("Annotations") for label, _, _ in signals]
    head += column(16, [label for label, _, _ in signals]) + column(80, [""] * count)
    head += column(8, ["" if note else unit for note in notes])
    for place, lowest in enumerate(("-1", "1", "-32768", "32767")):
        head += column(8, [lowest if note else ranges[place] for note in notes])
    head += column(80, ["" if note else prefilter for note in notes])
    head += column(8, [str(samples) for _, samples, _ in signals]) + column(32, [""] * count)
    width = bits // 8
    body = b"".join(
        data[record * samples * width : (record + 1) * samples * width]
        for record in range(records)
        for _, samples, data in signals
    )
    return head + body


def onset(text: str, width: int) -> bytes:
    """The annotation list that keeps the time of a record, with what may follow it."""
    return text.encode().ljust(width, b"\0")


def three_bytes(steps: NDArray[np.int16], factor: int = 1) -> bytes:
    """Integers of 24 bits, as BDF has them."""
    wide = (steps.astype("<i4") * factor).reshape(-1, 1).view(np.uint8).reshape(-1, 4)
    return wide[:, :3].tobytes()


def ishne(
    steps: NDArray[np.int16] = STEPS,
    *,
    codes: Sequence[int] = (6, 11),
    step_nv: int = 2500,
    rate_hz: int = 500,
    announced: int | None = None,
    remark: bytes = b"",
    crc: int | None = None,
    swapped: bool = False,
) -> bytes:
    """An ISHNE file, Badilini 1998, table of the header."""
    leads, samples = steps.shape
    fixed = bytearray(512)
    head = struct.pack(
        "<4i", len(remark), samples if announced is None else announced, 522, 522 + len(remark)
    )
    fixed[0:16] = head
    struct.pack_into("<h", fixed, 16, 1)
    fixed[18 : 18 + 7] = b"Lisheng"
    fixed[58 : 58 + 4] = "王".encode("gb18030") + b"\0\0"
    fixed[98 : 98 + 3] = b"P-7"
    # sex, race, birth, recording, file, start of the recording
    struct.pack_into("<14h", fixed, 118, 1, 3, 2, 5, 1960, 1, 5, 2026, 1, 5, 2026, 16, 5, 9)
    struct.pack_into("<h", fixed, 146, leads)
    for place in range(12):
        there = place < leads
        struct.pack_into("<h", fixed, 148 + 2 * place, codes[place] if there else -9)
        struct.pack_into("<h", fixed, 172 + 2 * place, 0 if there else -9)
        struct.pack_into("<h", fixed, 196 + 2 * place, step_nv if there else -9)
    struct.pack_into("<h", fixed, 262, rate_hz)
    block = bytes(fixed) + remark
    stored = binascii.crc_hqx(block, 0xFFFF) if crc is None else crc
    mark = struct.pack(">H" if swapped else "<H", stored)
    return b"ISHNE1.0" + mark + block + steps.T.astype("<i2").tobytes()


def tag(code: int, value: bytes, *channel: int) -> bytes:
    """One MFER tag; the length in the short form, or with four bytes."""
    length = bytes([len(value)]) if len(value) < 128 else b"\x84" + len(value).to_bytes(4, "big")
    return bytes([code, *channel]) + length + value


def mfer(
    steps: NDArray[np.int16] = STEPS,
    *,
    little: bool = True,
    block: int = 100,
    codes: Sequence[int] = (2, 3),
    extra: bytes = b"",
    interval: tuple[int, int, int] = (1, -3, 2),
    sensitivity: tuple[int, int, int] | None = (0, -7, 25),
    beat: bool = False,
) -> bytes:
    """An MFER file of one frame: blocks of `block` samples, 2 ms and 2.5 uV a step if nothing else is said."""
    order: Literal["little", "big"] = "little" if little else "big"
    small = "<" if little else ">"

    def word(number: int, size: int) -> bytes:
        return number.to_bytes(size, order, signed=True)

    leads, samples = steps.shape
    sequences = samples // block
    out = tag(0x40, b"MFR Standard 12 leads ECG       ") + tag(0x01, bytes([little]))
    out += tag(0x03, b"UTF-8") + tag(0x08, word(9 if beat else 1, 2))
    out += tag(0x81, "王^^力生".encode()) + tag(0x82, b"P-7") + tag(0x84, b"\x01")
    out += tag(0x83, b"\x41" + word(24000, 2) + word(1960, 2) + b"\x05\x02")
    out += tag(0x85, word(2026, 2) + b"\x05\x01\x10\x05\x09" + word(250, 2) + word(0, 2))
    out += tag(0x11, b"HPF=0.05") + tag(0x11, b"LPF=150^x") + tag(0x16, "窦性心律".encode())
    out += tag(0x0B, bytes([interval[0], interval[1] & 255]) + word(interval[2], 4))
    if sensitivity is not None:
        out += tag(0x0C, bytes([sensitivity[0], sensitivity[1] & 255]) + word(sensitivity[2], 2))
    out += tag(0x05, word(leads, 1)) + tag(0x04, word(block, 4)) + tag(0x06, word(sequences, 4)) + extra
    for place, code in enumerate(codes):
        out += tag(0x3F, tag(0x09, word(code, 2)), place)
    body = steps[:, : sequences * block].reshape(leads, sequences, block).transpose(1, 0, 2)
    return out + tag(0x1E, body.astype(f"{small}i2").tobytes()) + b"\x80\x00"


HEAD = "MSH|^~\\&|cart|clinic|green|channel|20260501160600+0800||ORU^R01|1|P|2.5.1||||||{charset}"
PID = "PID|1||P-7^^^clinic||王^力生||19600502|M"
OBR = "OBR|1|||93000^EKG|||20260501160509+0800"


def oru(*results: str, charset: str = "UNICODE UTF-8", pid: str = PID) -> bytes:
    """An ORU^R01 with these OBX segments, in the charset that it names."""
    codec = {"GB 18030-2000": "gb18030"}.get(charset, "utf-8")
    return "\r".join([HEAD.format(charset=charset), pid, OBR, *results, ""]).encode(codec)


def attachment(data: bytes, number: int = 1) -> str:
    """An OBX with a file in it."""
    return (
        f"OBX|{number}|ED|11524-6^EKG||cart^Application^Octet-stream^Base64^{base64.b64encode(data).decode()}"
    )
