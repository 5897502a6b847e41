"""Where a DICOM file is read straight from its bytes, the answer is the one that pydicom leads to."""

import io
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from greenchannel.ingest.dicom_ecg import read_by_pydicom, read_dicom, read_plain
from greenchannel.ingest.dicom_ecg_write import write_dicom_ecg
from greenchannel.ingest.dicom_tags import NotPlain
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.parsed import ParsedEcg
from greenchannel.signal.leads import STANDARD_12, STANDARD_18
from greenchannel.signal.recording import Recording

SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian)


def assert_same_ecg(one: ParsedEcg, other: ParsedEcg) -> None:
    """Samples to the bit, and everything that the file says."""
    np.testing.assert_array_equal(
        one.recording.samples_mv.view(np.uint32), other.recording.samples_mv.view(np.uint32)
    )
    for kind, first, second in ((Recording, one.recording, other.recording), (ParsedEcg, one, other)):
        for field in fields(kind):
            if field.name not in ("samples_mv", "recording"):
                assert getattr(first, field.name) == getattr(second, field.name), field.name


def outcome(read: Any, data: bytes) -> ParsedEcg | str:
    """The ECG, or the code of the error."""
    try:
        found: ParsedEcg = read(data)
    except IngestError as error:
        return error.code
    return found


def assert_plain_is_full(data: bytes) -> bool:
    """`read_dicom` and pydicom alone agree; gives whether pydicom was not needed."""
    whole, ours = outcome(read_by_pydicom, data), outcome(read_dicom, data)
    if isinstance(whole, str) or isinstance(ours, str):
        assert whole == ours
        return False
    assert_same_ecg(ours, whole)
    try:
        read_plain(data)
    except (NotPlain, IngestError):
        return False
    return True


def rewritten(data: bytes, syntax: UID, *, undefined: bool, charset: str, name: str) -> bytes:
    """The same object in another transfer syntax, by pydicom."""
    dataset = pydicom.dcmread(io.BytesIO(data))
    dataset.SpecificCharacterSet = charset
    dataset.PatientName = name
    dataset.file_meta.TransferSyntaxUID = syntax
    if undefined:
        for element in dataset.iterall():
            if element.VR == "SQ":
                element.is_undefined_length = True
                for item in element.value:
                    item.is_undefined_length_sequence_item = True
    out = io.BytesIO()
    dataset.save_as(
        out, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=True, enforce_file_format=True
    )
    return out.getvalue()


def _written(leads: tuple[str, ...]) -> bytes:
    steps = np.random.default_rng(3).integers(-900, 900, (len(leads), 30))
    recording = Recording(samples_mv=(steps / 400).astype(np.float32), leads=leads, rate_hz=500.0)
    return write_dicom_ecg(recording, acquired=None, age_years=61.0, sex="male", name="x", patient_id="1")


SOURCES = (
    _written(STANDARD_12),
    _written(STANDARD_18),
    Path(str(get_testdata_file("waveform_ecg.dcm", download=False))).read_bytes(),
)
FORMS = [
    rewritten(data, syntax, undefined=undefined, charset=charset, name=name)
    for data in SOURCES
    for syntax in SYNTAXES
    for undefined in (False, True)
    for charset, name in (("ISO_IR 192", "王^测试"), ("GB18030", "王^测试"), ("ISO_IR 100", "Müller^Ann"))
]


@pytest.mark.parametrize("number", range(len(FORMS)))
def test_both_little_endian_syntaxes_and_the_deflated_one_are_read_straight(number: int) -> None:
    """With lengths and without, in the character sets of China and of Europe, and as pydicom reads them."""
    assert assert_plain_is_full(FORMS[number])


@pytest.mark.data
def test_the_files_of_devices_are_read_straight(data_dir: Path) -> None:
    """All five, of two syntaxes, with Chinese text and with malformed UIDs."""
    paths = sorted((data_dir / "ecg-formats" / "dicom").glob("*.dcm"))
    assert len(paths) == 5
    for path in paths:
        assert assert_plain_is_full(path.read_bytes()), path.name


SMALL = [form for form in FORMS if len(form) < 40_000]
WORDS = (b"\0\0", b"\xff\xff\xff\xff", b"SQ", b"UN", b"\x1b", b"\\", b"=", b" ", b"\xfe\xff\x0d\xe0\0\0\0\0")
CHANGE = st.tuples(
    st.sampled_from(["flip", "flip", "word", "cut", "insert", "repeat"]),
    st.floats(0, 1),
    st.integers(0, 59),
    st.binary(min_size=1, max_size=12),
)


def spoilt(data: bytes, change: tuple[str, float, int, bytes]) -> bytes:
    """`data` with one thing wrong behind its preamble."""
    kind, where, number, piece = change
    place = 132 + int(where * (len(data) - 133))
    match kind:
        case "flip":
            return data[:place] + bytes([data[place] ^ 1 << number % 8]) + data[place + 1 :]
        case "word":
            word = WORDS[number % len(WORDS)]
            return data[:place] + word + data[place + len(word) :]
        case "cut":
            return data[:place] + data[place + 1 + number :]
        case "insert":
            return data[:place] + piece + data[place:]
        case _:
            return data[:place] + data[place : place + 1 + number] + data[place:]


@settings(max_examples=150)
@given(st.sampled_from(range(len(SMALL))), st.lists(CHANGE, min_size=1, max_size=3))
def test_a_spoilt_file_gives_what_pydicom_gives(
    number: int, changes: list[tuple[str, float, int, bytes]]
) -> None:
    """The same ECG to the bit with the same notes, or an error of the same code."""
    data = SMALL[number]
    for change in changes:
        data = spoilt(data, change)
    assert_plain_is_full(data)
