"""ISHNE Holter files, made from the standard: there is no sample of a device."""

from datetime import datetime

import numpy as np
import pytest

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.reader import read_ecg
from tests.ecg_vectors import STEPS, ishne

MV = (STEPS * 0.0025).astype(np.float32)


def _refused(data: bytes, code: str) -> IngestError:
    with pytest.raises(IngestError) as caught:
        read_ecg([(None, data)])
    assert caught.value.code == code
    return caught.value


def test_leads_patient_and_time_are_read() -> None:
    """Steps in nanovolts, leads by their codes, names in a Chinese charset, age by the birth date."""
    parsed = read_ecg([("x.ecg", ishne(remark=b"pause at 02:13"))])
    np.testing.assert_array_equal(parsed.recording.samples_mv, MV)
    assert (parsed.format, parsed.recording.leads, parsed.recording.rate_hz) == ("ishne", ("II", "V1"), 500.0)
    assert (parsed.age_years, parsed.sex) == (65.0, "male")
    assert parsed.acquired == datetime(2026, 5, 1, 16, 5, 9)  # noqa: DTZ001 - as written
    assert parsed.identifiers == {"name": "王 Lisheng", "patient_id": "P-7"}
    assert parsed.device_statements == ("pause at 02:13",)
    assert parsed.tolerated == ()


def test_a_fault_of_a_lead_is_no_sample() -> None:
    """The paper's -32768."""
    steps = STEPS.copy()
    steps[:, 10:20] = -32768
    assert read_ecg([(None, ishne(steps))]).recording.gaps == ((10, 20),)


def test_a_damaged_header_is_refused_by_its_checksum() -> None:
    """The resolution stands in it: a wrong digit would scale the ECG."""
    data = bytearray(ishne())
    data[206] ^= 1
    _refused(bytes(data), "malformed")
    assert read_ecg([(None, ishne(swapped=True))]).tolerated == (
        "the checksum has its bytes the other way round",
    )
    assert read_ecg([(None, ishne(crc=0))]).tolerated == ("the header has no checksum",)


def test_samples_may_be_counted_of_all_leads() -> None:
    """Some writers do; the size of the file tells."""
    parsed = read_ecg([(None, ishne(announced=1000))])
    np.testing.assert_array_equal(parsed.recording.samples_mv, MV)
    assert parsed.tolerated == ("the number of samples is that of all leads together",)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (ishne()[:100], "truncated"),
        (ishne()[:-1], "truncated"),
        (ishne(announced=501), "truncated"),
        (ishne(announced=0), "empty_body"),
        (ishne(announced=-1), "empty_body"),
        (ishne(step_nv=0), "malformed"),
        (ishne(rate_hz=0), "malformed"),
        (ishne(codes=(0, 17)), "malformed"),
        (ishne(codes=(1, 1)), "unsupported"),
    ],
)
def test_what_cannot_be_read_exactly_is_refused(data: bytes, code: str) -> None:
    """Cut files, no scale, no rate, leads without a name."""
    _refused(data, code)


def test_a_lone_bipolar_lead_is_read() -> None:
    """A recorder of one lead does not say which."""
    parsed = read_ecg([(None, ishne(STEPS[:1], codes=(1,)))])
    assert parsed.recording.leads == ("I",)
    assert parsed.tolerated == ("channel 'ECG' does not say which lead it is; read as I",)
