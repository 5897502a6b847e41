"""SCP-ECG as it is written: whole, deterministic, within a step, or not at all."""

from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenchannel.ingest.reader import read_ecg
from greenchannel.ingest.scp_ecg import read_scp
from greenchannel.ingest.scp_write import write_scp
from greenchannel.signal.leads import STANDARD_12, STANDARD_18
from greenchannel.signal.recording import Recording

CHINA = timezone(timedelta(hours=8))


def _recording(leads: tuple[str, ...] = STANDARD_18, samples: int = 700) -> Recording:
    steps = np.cumsum(np.random.default_rng(5).integers(-40, 41, (len(leads), samples)), axis=1)
    return Recording(
        samples_mv=(steps / 400).astype(np.float32), leads=leads, rate_hz=500.0, pace_spikes=(0, 99, 699),
        low_cut_hz=0.05, high_cut_hz=150.0,
    )  # fmt: skip


def test_a_written_recording_comes_back_whole() -> None:
    """Samples, codes, instant, patient, filters and spikes; Chinese names too. The same input gives the same bytes."""
    start = datetime(2026, 5, 1, 16, 5, 9, tzinfo=CHINA)

    def write(name: str) -> bytes:
        return write_scp(
            _recording(), acquired=start, age_years=61.0, sex="male", patient_id="p-1", name=name
        )

    for name in ("王^小测试", "Müller^Jo", "Иванов", "Kim"):
        parsed = read_ecg([(None, write(name))])
        np.testing.assert_array_equal(parsed.recording.samples_mv, _recording().samples_mv)
        assert parsed.recording.leads == STANDARD_18
        assert parsed.recording.pace_spikes == (0, 99, 699)
        assert (parsed.acquired, parsed.recording.started_at) == (start, start)
        assert (parsed.age_years, parsed.sex, parsed.tolerated) == (61.0, "male", ())
        assert parsed.identifiers == {"name": name, "patient_id": "p-1"}
        assert parsed.filters == {"low_hz": 0.05, "high_hz": 150.0}
    assert write("Kim") == write("Kim")


@given(
    st.lists(st.lists(st.integers(-32767, 32767), min_size=3, max_size=3), min_size=1, max_size=40),
    st.sampled_from([1, 5, 1000, 2500, 4880, 65535]),
    st.sampled_from([62.5, 125.0, 250.0, 257.0, 300.0, 360.0, 500.0, 1000.0, 2000.0]),
    st.one_of(st.none(), st.integers(0, 130), st.integers(0, 24).map(lambda months: months / 12)),
)
def test_every_recording_that_fits_comes_back_within_a_step(
    rows: list[list[int]], nv: int, rate_hz: float, age_years: float | None
) -> None:
    """Any samples of 16 bits, any step of the field, any rate that microseconds tell."""
    steps = np.array(rows).T
    recording = Recording(
        samples_mv=(steps * nv / 1e6).astype(np.float32), leads=("II", "V4R", "X"), rate_hz=rate_hz
    )
    data = write_scp(recording, acquired=None, age_years=age_years, sex=None, lsb_mv=nv / 1e6)
    parsed = read_scp(data)
    np.testing.assert_array_equal(np.rint(parsed.recording.samples_mv * 1e6 / nv), steps)
    assert (parsed.recording.leads, parsed.recording.rate_hz) == (recording.leads, rate_hz)
    assert parsed.age_years == (None if age_years is None else pytest.approx(age_years))
    assert parsed.tolerated == ()


def test_missing_samples_are_written_as_plain_numbers() -> None:
    """NaN comes back as NaN, and where no lead has a sample, there is a gap."""
    samples_mv = _recording(STANDARD_12).samples_mv.copy()
    samples_mv[:, 10:20] = np.nan
    samples_mv[3, 30:] = np.nan
    recording = Recording(samples_mv=samples_mv, leads=STANDARD_12, rate_hz=500.0)
    parsed = read_scp(write_scp(recording, acquired=None, age_years=None, sex=None))
    np.testing.assert_array_equal(parsed.recording.samples_mv, samples_mv)
    assert parsed.recording.gaps == ((10, 20),)
    assert parsed.tolerated == ("-32768 is taken as no sample",)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"lsb_mv": 0.07}, "nanovolts"),
        ({"lsb_mv": 0.00000001}, "nanovolts"),
        ({"rate_hz": 333.3}, "microseconds"),
        ({"rate_hz": 10.0}, "microseconds"),
        ({"samples_mv": np.full((2, 5), 500, dtype=np.float32)}, "16 bits|within"),
        ({"samples_mv": np.full((2, 40_000), np.nan, dtype=np.float32)}, "65535"),
        ({"pace_spikes": tuple(range(256)), "samples_mv": np.zeros((2, 300), dtype=np.float32)}, "spikes"),
        ({"name": "x" * 64}, "names"),
    ],
)
def test_what_the_fields_do_not_hold_is_not_written(changes: dict[str, object], said: str) -> None:
    """The writer makes whole files or none."""
    options = {key: changes.pop(key) for key in ("lsb_mv", "name") if key in changes}
    fields: dict[str, object] = {"samples_mv": np.zeros((2, 5), dtype=np.float32), "rate_hz": 500.0} | changes
    recording = Recording(leads=("I", "II"), **fields)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=said):
        write_scp(recording, acquired=None, age_years=None, sex=None, **options)  # type: ignore[arg-type]
