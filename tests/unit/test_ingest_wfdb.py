"""WFDB records: what is read, what is tolerated, what is refused."""

import warnings
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.reader import read_ecg, read_path
from greenchannel.ingest.wfdb_header import header_lines, parse_header
from greenchannel.ingest.wfdb_signals import decode, packed_bytes
from greenchannel.ingest.wfdb_write import write_wfdb_zip
from greenchannel.signal.recording import Recording


def _two_leads(
    record: str = "r 2 500 4", lines: str = "", comments: str = ""
) -> list[tuple[str | None, bytes]]:
    steps = np.array([[1000, -500], [2000, 0], [-32768, 7], [3, 4]], dtype="<i2")
    lines = lines or "r.dat 16 1000/mV 16 0 0 0 0 I\nr.dat 16 1000/mV 16 0 0 0 0 II\n"
    return [("r.hea", f"{record}\n{lines}{comments}".encode()), ("r.dat", steps.tobytes())]


def _refused(files: list[tuple[str | None, bytes]], code: str) -> IngestError:
    with pytest.raises(IngestError) as caught:
        read_ecg(files)
    assert caught.value.code == code
    return caught.value


def test_samples_are_in_millivolts_and_missing_ones_are_nan() -> None:
    """A step of 1/1000 mV and −32768 come out as millivolts and NaN."""
    recording = read_ecg(_two_leads()).recording
    np.testing.assert_array_equal(
        recording.samples_mv,
        np.array([[1.0, 2.0, np.nan, 0.003], [-0.5, 0.0, 0.007, 0.004]], dtype=np.float32),
    )
    assert recording.leads == ("I", "II")
    assert recording.gaps == ()


@pytest.mark.parametrize(
    ("unit", "factor"), [("mV", 1.0), ("mv", 1.0), ("uV", 1e-3), ("µV", 1e-3), ("V", 1e3)]
)
def test_units_are_converted(unit: str, factor: float) -> None:
    """Any unit of voltage gives millivolts."""
    lines = f"r.dat 16 10(2)/{unit} 16 0 0 0 0 v1\nr.dat 16 10(2)/{unit} 16 0 0 0 0 avr\n"
    recording = read_ecg(_two_leads(lines=lines)).recording
    assert recording.leads == ("V1", "aVR")
    assert recording.samples_mv[0, 1] == pytest.approx(1998 / 10 * factor)


def test_baseline_defaults_to_the_adc_zero() -> None:
    """header(5): without a baseline in brackets, the ADC zero is the baseline, and a gain of 0 means 200."""
    lines = "r.dat 16 0 16 100 0 0 0 I\nr.dat 16 200/mV 16 0 0 0 0 II\n"
    assert read_ecg(_two_leads(lines=lines)).recording.samples_mv[0, 0] == pytest.approx(900 / 200)


@pytest.mark.parametrize(
    ("comments", "age_years", "sex"),
    [
        ("#Age: 74\n#Sex: Male\n", 74.0, "male"),
        ("# age: n/a\n# sex: female\n", None, "female"),
        ("#<age>: 51\n#<sex>: F\n", 51.0, "female"),
        ("#Age: NaN\n#Sex: Unknown\n", None, None),
        ("#Age: 300\n", None, None),
        ("# 69 M 1085 1629 x1\n", 69.0, "male"),
    ],
)
def test_age_and_sex_come_from_the_comments(comments: str, age_years: float | None, sex: str | None) -> None:
    """The four ways in which public data sets write age and sex are understood; nonsense is unknown."""
    parsed = read_ecg(_two_leads(comments=comments))
    assert (parsed.age_years, parsed.sex) == (age_years, sex)


@pytest.mark.parametrize("when", ["12:33:59.250 12/05/2020", "12-May-2020 12:33:59.250"])
def test_the_time_of_a_record_has_no_zone(when: str) -> None:
    """Both orders of time and date are read, as written."""
    parsed = read_ecg(_two_leads(record=f"r 2 500 4 {when}"))
    assert parsed.acquired == datetime(2020, 5, 12, 12, 33, 59, 250000)  # noqa: DTZ001 - as written
    assert not parsed.acquired_has_zone
    assert parsed.recording.started_at is None


def test_signals_that_are_no_leads_are_left_out_and_named() -> None:
    """A respiration channel does not stop the ECG from being read."""
    lines = "r.dat 16 1000/mV 16 0 0 0 0 I\nr.dat 16 10/Ohm 16 0 0 0 0 RESP\n"
    parsed = read_ecg(_two_leads(lines=lines))
    assert parsed.recording.leads == ("I",)
    assert any("RESP" in note for note in parsed.tolerated)


def test_a_truncated_signal_file_says_how_many_bytes_are_missing() -> None:
    """The error names the bytes that were expected and the bytes that came."""
    header, (name, body) = _two_leads()
    error = _refused([header, (name, body[:-3])], "truncated")
    assert (error.expected, error.got) == ("16 bytes", "13 bytes")


def test_a_gigabyte_that_is_only_announced_is_refused_before_it_is_allocated() -> None:
    """A header of a few bytes can't make us allocate."""
    _refused(_two_leads(record="r 2 500 500000000"), "too_large")


@pytest.mark.parametrize(
    ("record", "lines", "code"),
    [
        ("r/3 2 500 4", "", "malformed"),
        ("r 2 500 4", "r.dat 508 1000/mV 16 0 0 0 0 I\nr.dat 508 1000/mV 16 0 0 0 0 II\n", "unsupported"),
        ("r 2 500 4", "r.dat 16x2 1000/mV 16 0 0 0 0 I\nr.dat 16 1000/mV 16 0 0 0 0 II\n", "unsupported"),
        ("r 2 500 4", "../r.dat 16 1000/mV 16 0 0 0 0 I\nr.dat 16 1000/mV 16 0 0 0 0 II\n", "unsupported"),
        ("r 2 500 4", "r.dat 16 1000/mmHg 16 0 0 0 0 I\nr.dat 16 1000/mV 16 0 0 0 0 II\n", "unsupported"),
        ("r 2 500 4", "r.dat 16 1000/mV 16 0 0 0 0 ART\nr.dat 16 1000/mV 16 0 0 0 0 PAP\n", "malformed"),
        ("r 3 500 4", "", "malformed"),
        ("r 0 500 4", "", "malformed"),
        ("r 2 0 4", "", "malformed"),
        ("r 2 500 4", "x.dat 16 1000/mV 16 0 0 0 0 I\nx.dat 16 1000/mV 16 0 0 0 0 II\n", "missing_part"),
        ("r 2 500 4", "r.dat 16 1e-300/mV 16 0 0 0 0 I\nr.dat 16 1/mV 16 0 0 0 0 II\n", "malformed"),
    ],
)
def test_headers_that_cannot_be_read_are_refused(record: str, lines: str, code: str) -> None:
    """Each has its code, and none ends in another exception."""
    _refused(_two_leads(record=record, lines=lines), code)


@pytest.mark.parametrize("number", [16, 61, 80, 160, 212, 24, 32])
def test_each_signal_format_agrees_with_the_wfdb_library(number: int, tmp_path: Path) -> None:
    """Integers decoded here are those that the WFDB library decodes, an odd count included."""
    wfdb = pytest.importorskip("wfdb")
    rng = np.random.default_rng(number)
    count = 3 * 7
    (tmp_path / "r.dat").write_bytes(
        rng.integers(0, 256, packed_bytes(number, count), dtype=np.uint8).tobytes()
    )
    lines = "".join(f"r.dat {number} 100(0)/mV 16 0 0 0 0 {lead}\n" for lead in ("I", "II", "III"))
    (tmp_path / "r.hea").write_text("r 3 500 7\n" + lines)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = wfdb.rdrecord(str(tmp_path / "r"), physical=False).d_signal
    ours = decode(number, memoryview((tmp_path / "r.dat").read_bytes()), count).reshape(7, 3)
    np.testing.assert_array_equal(ours, theirs)


def test_an_archive_keeps_the_instant_the_gaps_and_the_electrode_set() -> None:
    """What WFDB has no place for stands in comments, and comes back."""
    samples_mv = np.zeros((2, 10), dtype=np.float32)
    samples_mv[:, 3:5] = np.nan
    start = datetime(2026, 5, 1, 16, 5, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
    recording = Recording(
        samples_mv=samples_mv,
        leads=("I", "V9"),
        rate_hz=512.5,
        started_at=start,
        gaps=((3, 5),),
        electrode_set="posterior",
    )
    data = write_wfdb_zip(recording, lsb_mv=0.0025, age_years=61.5, sex="female", acquired=None)
    assert data == write_wfdb_zip(recording, lsb_mv=0.0025, age_years=61.5, sex="female", acquired=None)
    parsed = read_ecg([(None, data)])
    back = parsed.recording
    np.testing.assert_array_equal(back.samples_mv, samples_mv)
    assert (back.gaps, back.started_at, back.electrode_set, back.rate_hz) == (
        ((3, 5),),
        start,
        "posterior",
        512.5,
    )
    assert (parsed.age_years, parsed.sex, parsed.acquired_has_zone, parsed.tolerated) == (
        61.5,
        "female",
        True,
        (),
    )


def test_a_sample_beyond_sixteen_bits_is_not_written() -> None:
    """The writer says what fits instead of clipping."""
    recording = Recording(samples_mv=np.full((1, 4), 90.0, dtype=np.float32), leads=("I",), rate_hz=500.0)
    with pytest.raises(ValueError, match=r"81\.9"):
        write_wfdb_zip(
            recording, lsb_mv=0.0025, age_years=None, sex=None, acquired=datetime(2026, 1, 1, tzinfo=UTC)
        )


def _oracle(path: Path) -> NDArray[np.float32]:
    import wfdb

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        record = wfdb.rdrecord(str(path.with_suffix("")))
    return np.asarray(record.p_signal.T, dtype=np.float32)


@pytest.mark.data
@pytest.mark.parametrize(
    "folder", ["cinc-12lead/records", "ptb-10s", "ptb-diagnostic", "ludb/data", "wfdb-annotated"]
)
def test_every_record_is_what_the_wfdb_library_reads(data_dir: Path, folder: str) -> None:
    """Samples, leads and rate of every record agree with the WFDB library, to the last bit of float32."""
    headers = sorted((data_dir / folder).glob("*.hea"))
    assert headers
    for path in headers:
        recording = read_path(path).recording
        np.testing.assert_array_equal(recording.samples_mv, _oracle(path), err_msg=path.name)


@pytest.mark.data
def test_a_record_line_that_names_a_file_is_tolerated(data_dir: Path) -> None:
    """The WFDB library refuses this record; nothing in it is ambiguous, so it is read, and noted."""
    parsed = read_path(data_dir / "cinc-12lead/malformed_header/E00015.hea")
    assert parsed.recording.samples_mv.shape == (12, 5000)
    assert (parsed.age_years, parsed.sex) == (67.0, "male")
    assert len(parsed.tolerated) == 1


def test_a_header_may_come_in_any_line_ending_and_encoding() -> None:
    """CR LF and Latin-1 comments are read."""
    lines = header_lines(b"r 1 500 4\r\nr.dat 16 1000/mV 16 0 0 0 0 I\r\n# Caf\xe9\r\n")
    assert lines is not None
    assert parse_header(lines).comments == ("Café",)
