"""Small files that would cost a great deal, or reach where they should not, if one believed them; one row each."""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from typing import Final

import numpy as np
import pydicom
from pydicom.uid import DeflatedExplicitVRLittleEndian

from greenchannel.ingest.bundle import make_zip
from greenchannel.ingest.dicom_ecg_write import write_dicom_ecg
from greenchannel.signal.leads import STANDARD_12
from greenchannel.signal.recording import Recording
from tests import pictures, scp_files, xml_files
from tests.ecg_vectors import STEPS, attachment, edf, ishne, mfer, oru, tag

_MEBI: Final = 2**20
_WFDB: Final = b"a 1 500 10\na.dat 16 200 16 0 0 0 0 I\n"
_FEW: Final = STEPS[:, :20]


# ---------------------------------------------------------------- archives


def _zip(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


@cache
def _zip_bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.dat", "w") as member:
        for _ in range(200):
            member.write(bytes(_MEBI))
    return out.getvalue()


def _nested(depth: int) -> bytes:
    data = _zip(("a.dat", bytes(_MEBI)))
    for level in range(depth):
        data = _zip(*((f"{level}-{number}.zip", data) for number in range(4)))
    return data


def _announces(size: int, name: str = "a.hea") -> bytes:
    """An archive whose directory and member say `size`, without having it."""
    data = bytearray(_zip((name, _WFDB), method=zipfile.ZIP_STORED))
    for magic, place in ((b"PK\x03\x04", 18), (b"PK\x01\x02", 20)):
        at = data.index(magic) + place
        data[at : at + 8] = struct.pack("<II", size, size)
    return bytes(data)


def _one_for_many(count: int) -> bytes:
    """A directory of many members that are all the same bytes, as the better bombs have it."""
    body = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = body.compress(bytes(_MEBI)) + body.flush()
    checksum = zlib.crc32(bytes(_MEBI))
    common = (20, 0, 8, 0, 33, checksum, len(packed), _MEBI, 1, 0)
    local = struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", *common) + b"a" + packed
    entries = b""
    for number in range(count):
        name = f"{number}".encode()
        entries += struct.pack(
            "<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 20, 20, 0, 8, 0, 33, checksum, len(packed), _MEBI, len(name),
            0, 0, 0, 0, 0, 0,
        ) + name  # fmt: skip
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, len(entries), len(local), 0)
    return local + entries + end


def _contains_itself() -> bytes:
    """A member whose bytes are those of the archive's own beginning: whoever follows it never ends."""
    name = b"again.zip"
    size = 30 + len(name)
    head = struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 20, 0, 0, 0, 33, 0, size, size, len(name), 0) + name
    body = head  # its content begins as the archive does
    checksum = zlib.crc32(body)
    head = head[:14] + struct.pack("<I", checksum) + head[18:]
    entry = struct.pack(
        "<4sHHHHHHIIIHHHHHII",
        b"PK\x01\x02",
        20,
        20,
        0,
        0,
        0,
        33,
        checksum,
        size,
        size,
        len(name),
        0,
        0,
        0,
        0,
        0,
        0,
    )
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, 46 + len(name), 2 * size, 0)
    return head + body + entry + name + end


def _link() -> bytes:
    """A symbolic link to a file of the machine, beside a header that asks for it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.hea", b"a 1 500 100\nlink 16 200 16 0 0 0 0 I\n")
        info = zipfile.ZipInfo("link")
        info.create_system = 3
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    return out.getvalue()


# ---------------------------------------------------------------- other formats


def _xml(prolog: str, inner: str = "&l9;") -> bytes:
    return (
        f"<?xml version='1.0'?>{prolog}<AnnotatedECG xmlns='urn:hl7-org:v3'>{inner}</AnnotatedECG>".encode()
    )


def _laughs() -> bytes:
    lines = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 10))
    return _xml(f"<!DOCTYPE a [<!ENTITY l0 'ha'>{lines}]>")


def _dicom() -> bytes:
    recording = Recording(
        samples_mv=np.tile((_FEW[:1] / 400).astype(np.float32), (12, 1)), leads=STANDARD_12, rate_hz=500.0
    )
    return write_dicom_ecg(recording, acquired=None, age_years=None, sex=None)


def _dicom_with(element: bytes, value: bytes) -> bytes:
    data = _dicom()
    at = data.index(element) + len(element)
    return data[:at] + value + data[at + len(value) :]


def _dicom_deflated() -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(_dicom()))
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    out = io.BytesIO()
    dataset.save_as(out)
    data = out.getvalue()
    head = data[: 144 + int.from_bytes(data[140:144], "little")]
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return head + b"".join(packer.compress(bytes(_MEBI)) for _ in range(100)) + packer.flush()


def _dicom_deep() -> bytes:
    data = _dicom()
    at = data.index(b"\x08\x00\x05\x00CS")
    sequence = b"\x40\x00\x20\xb0SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff"
    return data[:at] + sequence * 20_000


def _png(width: int, height: int, body: bytes) -> bytes:
    head = pictures.chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + pictures.chunk(b"IDAT", body) + pictures.chunk(b"IEND", b"")


def _jpeg_huge() -> bytes:
    data = bytearray(pictures.jpeg(exif=b"", comment=b"", xmp=b""))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = b"\xff\xff\xff\xff"
    return bytes(data)


def _scp_lengths() -> bytes:
    data = bytearray(scp_files.simple([scp_files.words(range(20))] * 2, 20))
    for row in range(12):  # the lengths in section 0
        at = 22 + 10 * row + 2
        data[at : at + 4] = b"\xff\xff\xff\xff"
    return bytes(data)


def _scp_samples() -> bytes:
    body = scp_files.leads([(1, 2**31 - 1, 1)])
    return scp_files.record(
        {1: scp_files.patient(), 3: body, 6: scp_files.samples([scp_files.words(range(9))])}
    )


def _edf(records: str, count: bytes = b"1   ") -> bytes:
    data = bytearray(edf([("ECG II", 10, _FEW[0, :10].astype("<i2").tobytes())], records=1, record_s="0.02"))
    data[236:244] = records.encode().ljust(8)
    data[252:256] = count
    return bytes(data)


def _ishne(offset: int, value: int) -> bytes:
    data = bytearray(ishne(_FEW, crc=0))
    data[offset : offset + 4] = struct.pack("<I", value)
    return bytes(data)


def _mfer(length: bytes) -> bytes:
    return mfer(_FEW, block=10)[:40] + b"\x1e" + length + b"\0" * 40


Row = tuple[Callable[[], bytes], tuple[str, ...]]
"""Makes the file; the codes of which one is given. A file for which ``taken`` is among them does no harm by itself."""

BOMBS: Final[dict[str, Row]] = {
    "xml: a billion laughs": (_laughs, ("unsupported",)),
    "xml: one long entity a thousand times": (
        lambda: _xml(f"<!DOCTYPE a [<!ENTITY l9 '{'x' * 100_000}'>]>", "&l9;" * 1000),
        ("unsupported",),
    ),
    "xml: a file of the machine": (
        lambda: _xml("<!DOCTYPE a [<!ENTITY l9 SYSTEM 'file:///etc/passwd'>]>"),
        ("unsupported",),
    ),
    "xml: a page of another machine": (
        lambda: _xml("<!DOCTYPE a [<!ENTITY % l9 SYSTEM 'http://127.0.0.1:9/x'> %l9;]>", ""),
        ("unsupported",),
    ),
    "xml: an outer document type": (
        lambda: _xml("<!DOCTYPE a SYSTEM 'http://127.0.0.1:9/x.dtd'>"),
        ("malformed",),
    ),
    "xml: laughs in UTF-16": (lambda: _laughs().decode().encode("utf-16"), ("unsupported",)),
    "xml: a hundred thousand elements deep": (lambda: _xml("", "<a>" * 100_000), ("too_large",)),
    "xml: a million elements": (lambda: _xml("", "<a/>" * 1_000_000), ("too_large",)),
    "xml: a tag that never ends": (lambda: _xml("", "<a b='" + "x" * 4 * _MEBI), ("too_large", "truncated")),
    "philips: a strip of nothing that says a gigabyte": (
        lambda: xml_files.philips(struct.pack("<III", 2**30, 0, 0) + bytes(64), STANDARD_12, 2**29).encode("utf-16"),
        ("malformed", "too_large", "truncated"),
    ),
    "zip: two hundred megabytes of nothing": (_zip_bomb, ("too_large",)),
    "zip: archives five deep": (lambda: _nested(5), ("unknown_format",)),
    "zip: an archive in an archive": (lambda: _zip(("a.zip", _zip(("a.hea", _WFDB)))), ("unknown_format",)),
    "zip: an archive in itself": (_contains_itself, ("unknown_format", "malformed")),
    "zip: four gigabytes announced": (lambda: _announces(2**32 - 2), ("too_large", "malformed")),
    "zip: a megabyte under two hundred names": (lambda: _one_for_many(200), ("too_large",)),
    "zip: a megabyte under a hundred names": (lambda: _one_for_many(100), ("unknown_format", "malformed")),
    "zip: sixty thousand members": (
        lambda: make_zip([(f"{number}", b"") for number in range(60_000)]),
        ("too_large",),
    ),
    "zip: a way out of the folder": (
        lambda: _zip(("../../../../tmp/greenchannel-escaped.hea", _WFDB)),
        ("missing_part",),
    ),
    "zip: an absolute name": (lambda: _zip(("/tmp/greenchannel-escaped.hea", _WFDB)), ("missing_part",)),
    "zip: a name of Windows": (lambda: _zip(("C:\\Windows\\a.hea", _WFDB)), ("missing_part",)),
    "zip: a symbolic link": (_link, ("truncated",)),
    "wfdb: a path in the header": (
        lambda: make_zip([("a.hea", _WFDB.replace(b"a.dat", b"/etc/passwd")), ("passwd", bytes(20))]),
        ("unsupported",),
    ),
    "wfdb: a terabyte announced": (
        lambda: make_zip([("a.hea", _WFDB.replace(b" 10\n", b" 999999999999\n")), ("a.dat", bytes(20))]),
        ("too_large",),
    ),
    "wfdb: a billion signals": (
        lambda: make_zip([("a.hea", _WFDB.replace(b"a 1 ", b"a 999999999 ")), ("a.dat", bytes(20))]),
        ("malformed",),
    ),
    "wfdb: a billion segments": (
        lambda: make_zip([("a.hea", b"a/999999999 1 500 10\n" + b"a 10\n" * 5), ("a.dat", bytes(20))]),
        ("malformed", "too_large"),
    ),
    "wfdb: a record that is its own segment": (
        lambda: make_zip([("a.hea", b"a/1 1 500 10\na 10\n"), ("a.dat", bytes(20))]),
        ("missing_part",),
    ),
    "dicom: a hundred megabytes deflated": (_dicom_deflated, ("too_large",)),
    "dicom: four gigabytes of waveform announced": (
        lambda: _dicom_with(b"\x00\x54\x10\x10OW\0\0", b"\xfe\xff\xff\xff"),
        ("malformed", "truncated"),
    ),
    "dicom: four billion samples announced": (
        lambda: _dicom_with(b"\x3a\x00\x10\x00UL\x04\x00", b"\xff\xff\xff\xff"),
        ("too_large",),
    ),
    "dicom: twenty thousand sequences deep": (_dicom_deep, ("malformed", "unsupported")),
    "scp: sections of four gigabytes": (_scp_lengths, ("malformed", "truncated")),
    "scp: two billion samples announced": (_scp_samples, ("too_large", "malformed", "truncated")),
    "edf: a billion records": (lambda: _edf("99999999"), ("too_large", "truncated")),
    "edf: ten thousand signals": (lambda: _edf("1", b"9999"), ("malformed", "truncated", "too_large")),
    "ishne: four gigabytes of header": (lambda: _ishne(10, 2**32 - 1), ("malformed", "truncated", "too_large")),
    "ishne: two billion samples": (lambda: _ishne(14, 2**31 - 1), ("malformed", "truncated", "too_large")),
    "mfer: a field of four gigabytes": (lambda: _mfer(b"\x84\xff\xff\xff\xff"), ("malformed", "truncated")),
    "mfer: a length of 126 bytes": (lambda: _mfer(b"\xfe" + b"\xff" * 126), ("malformed", "truncated")),
    "mfer: blocks of four billion samples": (
        lambda: tag(64, b"MFR ") + tag(1, b"\x01") + tag(4, b"\xff" * 4) + tag(5, b"\xff" * 4) + tag(6, b"\xff" * 4)
        + tag(30, bytes(40)),
        ("malformed", "too_large", "truncated", "unknown_format"),
    ),
    "hl7: a bomb within": (lambda: oru(attachment(_zip_bomb())), ("too_large", "malformed", "unsupported")),
    "hl7: a message within itself": (
        lambda: oru(attachment(oru(attachment(oru(attachment(mfer(_FEW, block=10))))))),
        ("unsupported", "malformed", "unknown_format"),
    ),
    "fhir: a hundred thousand lists deep": (
        lambda: b'{"resourceType":"Observation","component":' + b"[" * 100_000,
        ("malformed",),
    ),
    "csv: two million columns": (
        lambda: b"time (ms)" + b";II (mV)" * 2_000_000 + b"\n1;2\n3;4\n",
        ("too_large", "malformed", "unknown_format"),
    ),
    "png: two billion pixels a side": (
        lambda: _png(2**31 - 1, 2**31 - 1, b""),
        ("too_large", "malformed", "unsupported"),
    ),
    "png: a picture of 60 by 40 that unpacks to 64 megabytes": (
        lambda: _png(60, 40, zlib.compress(bytes(64 * _MEBI), 9)),
        ("taken", "unsupported"),
    ),
    "png: a chunk of four gigabytes": (
        lambda: b"\x89PNG\r\n\x1a\n\xff\xff\xff\xffIHDR" + bytes(40),
        ("malformed", "truncated", "unsupported"),
    ),
    "jpeg: four billion pixels": (_jpeg_huge, ("too_large", "malformed", "unsupported")),
    "heic: boxes without end": (
        lambda: pictures.heic()[:24] + b"\0\0\0\x01moov" + b"\xff" * 8 + bytes(40),
        ("malformed", "truncated", "unsupported"),
    ),
    "heic: ten thousand boxes deep": (
        lambda: pictures.heic()[:24] + b"".join(struct.pack(">I4s", 80_000 - 8 * n, b"meta") for n in range(9_000)),
        ("malformed", "truncated", "unsupported"),
    ),
    "pdf: a stream of four gigabytes": (
        lambda: b"%PDF-1.7\n1 0 obj<</Length 4294967295/Filter/FlateDecode>>stream\n" + zlib.compress(bytes(_MEBI)),
        ("malformed", "truncated", "unsupported", "taken"),
    ),
}  # fmt: skip
