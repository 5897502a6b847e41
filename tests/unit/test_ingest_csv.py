"""Plain tables: what is read, what is tolerated, and what an error says."""

from datetime import datetime, timedelta, timezone

import numpy as np
import pytest

from greenchannel.ingest.csv_ecg import looks_like_csv
from greenchannel.ingest.csv_ecg_write import write_csv
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.reader import read_ecg
from greenchannel.signal.recording import Recording


def _rows(text: str, charset: str = "utf-8") -> list[list[float]]:
    rows: list[list[float]] = (
        read_ecg([("x", text.encode(charset))]).recording.samples_mv.astype(float).tolist()
    )
    return [[round(value, 6) for value in row] for row in rows]


@pytest.mark.parametrize(
    "text",
    [
        "# rate=500\nI (mV),V1 (mV)\n0.5,-1\n0.25,2\n",
        "\ufeff# rate=500 Hz\r\nI[uV];V1[uV]\r\n500;-1000\r\n250;2000\r\n",
        "# rate: 500\n# unit=mV\nI;V1\n0,5;-1\n0,25;2\n",
        "time (s)\tI/mV\tV1_uV\n0\t0,5\t-1000\n0,002\t0,25\t2000\n",
        "time_ms,resp,I,V1\nms,,mV,mV\n10,9,0.5,-1\n12,9,0.25,2\n",
        'sample,"I (mV)","V1 (mV)"\n# rate=500\n0,0.5,-1\n1,0.25,2\n'.replace(
            "sample", "# rate=500\nsample", 1
        ),
        "时间 (ms),I (mV),V1 (mV)\n0,5e-1,-1\n\n2,.25,2\n",
    ],
)
def test_tables_of_many_programs_are_one_ecg(text: str) -> None:
    """Comma, semicolon or tab; decimal comma; byte order mark; units in many places; a time column or a rate."""
    recording = read_ecg([(None, text.encode())]).recording
    assert (recording.leads, recording.rate_hz) == (("I", "V1"), 500.0)
    assert _rows(text) == [[0.5, 0.25], [-1.0, 2.0]]


def test_charsets_are_told_apart() -> None:
    """UTF-16 with its mark, and GB18030 in a comment."""
    assert _rows("\ufeff# rate=500\nI (mV),V1 (mV)\n0.5,-1\n", "utf-16-le") == [[0.5], [-1.0]]
    text = "# rate=500\n# name=王力生\n# sex=男\n# age=61\nII (mV),V1 (mV)\n1,2\n"
    parsed = read_ecg([(None, text.encode("gb18030"))])
    assert (parsed.identifiers, parsed.sex, parsed.age_years) == ({"name": "王力生"}, "male", 61.0)
    assert (
        read_ecg([(None, "# name=Müller\n# rate=1\nII (mV)\n1\n".encode("latin-1"))]).identifiers["name"]
        == "Müller"
    )


def test_missing_samples_and_missing_lines_are_gaps() -> None:
    """An empty cell is no sample; a line that the times leave out is a gap."""
    parsed = read_ecg([(None, b"time (ms),II (mV),V1 (mV)\n0,1,\n4,2,5\n12,,NaN\n16,4,6\n")])
    np.testing.assert_array_equal(
        parsed.recording.samples_mv,
        np.array([[1, 2, np.nan, np.nan, 4], [np.nan, 5, np.nan, np.nan, 6]], np.float32),
    )
    assert (parsed.recording.rate_hz, parsed.recording.gaps) == (250.0, ((2, 4),))
    assert parsed.tolerated == ("the times leave out 1 samples; taken as gaps",)


def test_times_of_few_digits_give_the_rate_that_was_meant() -> None:
    """3 ms a line is 333 Hz, but 2.778 ms, written with three digits, is 360 Hz."""
    times = "".join(f"{index / 360:.3f},1\n" for index in range(2000))
    assert read_ecg([(None, f"time (s),II (mV)\n{times}".encode())]).recording.rate_hz == 360.0


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("I (mV),II (mV)\n1,2\n", "malformed", "the rate is not said"),
        ("# rate=500\nI,II\n1,2\n", "malformed", "lead I has no unit of voltage"),
        ("# rate=500\nI (mmHg),II (mV)\n1,2\n", "unsupported", "lead I has no unit of voltage"),
        ("# rate=500\nI (mV),II (mV)\n1,2\n1,two\n", "malformed", "there is no number in line 4"),
        ("# rate=500\nI (mV),II (mV)\n1,2\n1\n", "malformed", "line 4 is too short"),
        ("# rate=500\nI (mV),II (mV)\n1,inf\n", "malformed", "there is no finite number in line 3"),
        ("# rate=500\nI (mV),II (mV)\n", "empty_body", "there is no sample"),
        ("# rate=fast\nI (mV),II (mV)\n1,2\n", "malformed", "the rate cannot be read"),
        ("# rate=0\nI (mV),II (mV)\n1,2\n", "malformed", "the rate cannot be read"),
        ("time (s),I (mV)\n0,1\n0,2\n", "malformed", "the times do not rise"),
        ("time (s),I (mV)\n0,1\n1,1\n2,1\n3.5,1\n", "malformed", "the times are not those of one rate"),
    ],
)
def test_an_error_says_what_is_wrong_and_where(text: str, code: str, words: str) -> None:
    """The line, and what it takes."""
    with pytest.raises(IngestError) as caught:
        read_ecg([(None, text.encode())])
    assert (caught.value.code, caught.value.message) == (code, words)
    assert caught.value.expected


@pytest.mark.parametrize(
    "data", [b"", b"I", b"I am, here\n", b"100 2 360 5\n", b"hello\nI,II\n", b"<a>I,II</a>", b"{}"]
)
def test_other_texts_are_no_tables(data: bytes) -> None:
    """A header line must name leads."""
    assert not looks_like_csv(data)


def test_what_is_written_comes_back() -> None:
    """Samples to the last bit, missing ones, age, sex, time with its zone, identifiers, filters, electrode set."""
    samples_mv = np.random.default_rng(3).normal(size=(2, 40)).astype(np.float32)
    samples_mv[:, 3:5] = np.nan
    start = datetime(2026, 5, 1, 16, 5, 0, 125000, tzinfo=timezone(timedelta(hours=8)))
    recording = Recording(
        samples_mv=samples_mv, leads=("II", "V4R"), rate_hz=257.5, started_at=start, gaps=((3, 5),),
        electrode_set="right", low_cut_hz=0.05, high_cut_hz=150.0,
    )  # fmt: skip
    data = write_csv(recording, acquired=None, age_years=0.5, sex="female", patient_id="p 7", name="王\n力生")
    parsed = read_ecg([(None, data)])
    for name in ("leads", "rate_hz", "started_at", "gaps", "electrode_set", "low_cut_hz", "high_cut_hz"):
        assert getattr(parsed.recording, name) == getattr(recording, name)
    np.testing.assert_array_equal(parsed.recording.samples_mv, samples_mv)
    assert (parsed.age_years, parsed.sex, parsed.acquired) == (0.5, "female", start)
    assert parsed.identifiers == {"name": "王 力生", "patient_id": "p 7"}
    assert parsed.tolerated == ()


def test_a_table_of_empty_cells_is_refused_before_long() -> None:
    """Cells that are no plain numbers are looked at one by one, so there may be half a million of them."""
    with pytest.raises(IngestError) as caught:
        read_ecg([(None, b"# rate=500\nI (mV),II (mV)\n" + b",\n" * 300_000)])
    assert caught.value.code == "too_large"
