"""EDF, EDF+ and BDF: what is read, what is tolerated, what is refused."""

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from greenchannel.ingest.edf import read_edf
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.reader import read_ecg, read_path
from tests.ecg_vectors import STEPS, edf, onset, three_bytes

II, V1 = (row.astype("<i2").tobytes() for row in STEPS)
MV = (STEPS * 0.0025).astype(np.float32)


def _two(**changes: Any) -> bytes:
    given: dict[str, Any] = {"records": 2, "record_s": "0.5"} | changes
    return edf([("ECG II", 250, II), ("V1", 250, V1)], **given)


def _refused(data: bytes, code: str) -> IngestError:
    with pytest.raises(IngestError) as caught:
        read_ecg([(None, data)])
    assert caught.value.code == code
    return caught.value


@pytest.mark.data
def test_the_sample_of_one_lead_agrees_with_a_second_reader(data_dir: Path) -> None:
    """CinC 2017 A00001: first samples and their sum as pyEDFlib 0.1.42 gives them; the filling is no sample."""
    parsed = read_path(data_dir / "ecg-formats" / "edf" / "cardio_sample.edf")
    recording = parsed.recording
    assert (recording.leads, recording.rate_hz, recording.samples_mv.shape) == (("I",), 300.0, (1, 12000))
    np.testing.assert_array_equal(recording.samples_mv[0, :3], np.array([-0.127, -0.162, -0.197], np.float32))
    assert float(np.nansum(recording.samples_mv, dtype=np.float64)) == pytest.approx(
        SECOND_READER_SUM_MV, abs=1e-3
    )
    assert recording.gaps == ((9000, 12000),)
    assert parsed.acquired is None
    assert "channel 'ECG' does not say which lead it is; read as I" in parsed.tolerated


SECOND_READER_SUM_MV = 167.125
"""Sum of pyEDFlib's `readSignal(0)` without the samples at -32.768."""


@pytest.mark.data
def test_a_file_of_annotations_alone_is_refused_as_such(data_dir: Path) -> None:
    """The sleep stages of the wfdb package's test data hold no signal."""
    error = _refused((data_dir / "ecg-formats" / "edf" / "test_edfann.edf").read_bytes(), "unsupported")
    assert error.message == "the file holds annotations alone"


def test_leads_are_read_with_what_the_header_says() -> None:
    """Amplitudes by the two ranges, filters by the prefilter, a respiration channel of another rate left out."""
    data = edf([("ECG II", 250, II), ("V1", 250, V1), ("Resp", 10, bytes(40))], records=2, record_s="0.5")
    parsed = read_ecg([("x", data)])
    np.testing.assert_array_equal(parsed.recording.samples_mv, MV)
    assert (parsed.recording.leads, parsed.recording.rate_hz) == (("II", "V1"), 500.0)
    assert parsed.filters == {"low_hz": 0.05, "high_hz": 150.0, "notch_hz": 50.0}
    assert parsed.acquired == datetime(2026, 5, 1, 16, 5, 9)  # noqa: DTZ001 - as written
    assert any("Resp" in note for note in parsed.tolerated)


def test_24_bits_are_read() -> None:
    """BDF: three bytes a sample, of either sign."""
    signals = [("II", 500, three_bytes(STEPS[0], 80)), ("V1", 500, three_bytes(STEPS[1], 80))]
    ranges = ("-262144", "262144", "-8388607", "8388607")
    parsed = read_edf(edf(signals, records=1, bits=24, kind="24BIT", ranges=ranges))
    assert parsed.format == "bdf"
    np.testing.assert_allclose(parsed.recording.samples_mv, MV, atol=1e-5)


def test_records_apart_in_time_leave_a_gap() -> None:
    """EDF+D: each record stands where its own time says; the device's words are kept, the patient is read."""
    notes = onset("+0.25\x14\x14", 40) + onset("+3.75\x14\x14\0+3.9\x14\u5ba4\u65e9\x14", 40)
    data = edf(
        [("EDF Annotations", 20, notes), ("ECG II", 250, II)], records=2, record_s="0.5", kind="EDF+D",
        patient="P-7 M 02-MAY-1960 Wang_Lisheng", recording="Startdate 01-MAY-2026 X X X",
    )  # fmt: skip
    parsed = read_edf(data)
    assert parsed.recording.gaps == ((250, 1750),)
    np.testing.assert_array_equal(parsed.recording.samples_mv[0, :250], MV[0, :250])
    np.testing.assert_array_equal(parsed.recording.samples_mv[0, 1750:], MV[0, 250:])
    assert parsed.device_statements == ("室早",)
    assert (parsed.age_years, parsed.sex) == (65.0, "male")
    assert parsed.identifiers == {"name": "Wang Lisheng", "patient_id": "P-7"}
    assert parsed.acquired == datetime(2026, 5, 1, 16, 5, 9, 250000)  # noqa: DTZ001 - as written


def test_leads_of_the_commonest_rate_are_taken() -> None:
    """Two leads at 500 Hz and one at 250 Hz: the third is named and left out."""
    third = STEPS[0, ::2].astype("<i2").tobytes()
    parsed = read_edf(edf([("II", 500, II), ("aVR", 250, third), ("V1", 500, V1)], records=1))
    assert parsed.recording.leads == ("II", "V1")
    assert "lead aVR has 250 Hz, not 500 Hz; left out" in parsed.tolerated


def test_an_open_end_is_taken_from_the_size() -> None:
    """A recorder that was switched off leaves -1 records."""
    data = bytearray(_two())
    data[236:244] = b"-1      "
    parsed = read_edf(bytes(data))
    np.testing.assert_array_equal(parsed.recording.samples_mv, MV)
    assert "the number of records is not given; taken from the size of the file" in parsed.tolerated


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"unit": ""}, "malformed"),
        ({"unit": "mmHg"}, "unsupported"),
        ({"ranges": ("5", "5", "-2000", "2000")}, "malformed"),
        ({"ranges": ("-5", "5", "2000", "-2000")}, "malformed"),
        ({"record_s": "0"}, "malformed"),
        ({"record_s": "x"}, "malformed"),
        ({"kind": "EDF+D"}, None),
    ],
)
def test_headers_without_a_scale_or_a_rate_are_refused(changes: dict[str, Any], code: str | None) -> None:
    """No amplitude and no time is ever guessed; EDF+D without any annotation signal is read as continuous."""
    if code is None:
        assert read_edf(_two(**changes)).recording.gaps == ()
    else:
        _refused(_two(**changes), code)


def test_what_is_cut_or_holds_no_lead_is_refused() -> None:
    """With the bytes that are missing; several channels called ECG are not guessed at."""
    assert _refused(_two()[:-1], "truncated").got == f"{len(_two()) - 1} bytes"
    _refused(_two()[:300], "truncated")
    _refused(edf([("EEG C3", 250, II)], records=2, record_s="0.5"), "malformed")
    _refused(edf([("ECG1", 250, II), ("ECG2", 250, V1)], records=2, record_s="0.5"), "unsupported")
    late = onset("+3\x14\x14", 40) + onset("+1\x14\x14", 40)
    _refused(edf([("EDF Annotations", 20, late), ("II", 250, II)], records=2, kind="EDF+D"), "malformed")


def test_the_lowest_integer_is_no_sample() -> None:
    """-32768 lies outside of what a converter gives; it is filling."""
    steps = STEPS[0].copy()
    steps[3] = -32768
    parsed = read_edf(edf([("II", 500, steps.astype("<i2").tobytes())], records=1))
    assert np.flatnonzero(np.isnan(parsed.recording.samples_mv[0])).tolist() == [3]


def test_a_time_far_away_allocates_nothing() -> None:
    """Two records a year apart would be a gap of a year."""
    notes = onset("+0\x14\x14", 40) + onset("+31536000\x14\x14", 40)
    _refused(edf([("EDF Annotations", 20, notes), ("II", 250, II)], records=2, kind="EDF+D"), "too_large")
