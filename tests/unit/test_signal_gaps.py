"""Where nothing was recorded nobody knows of a pause: a gap is no standstill."""

import numpy as np
import pytest
from numpy.typing import NDArray

from greenchannel.signal.leads import STANDARD_12
from greenchannel.signal.measure import measure
from greenchannel.signal.recording import Recording
from greenchannel.signal.rhythm_measures import pause
from greenchannel.signal.synthesis import simulate
from greenchannel.triage.finding import Patient, Tier
from greenchannel.triage.interpretation import interpret


def strip(*gaps_s: tuple[float, float], rhythm: str = "sinus") -> Recording:
    """Half a minute of somebody, with nothing in the gaps."""
    x: NDArray[np.float32] = np.array(
        simulate(seed=4, duration_s=30.0, emg_mv=0.01, rhythm=rhythm).recording.samples_mv
    )
    for begin, end in gaps_s:
        x[:, round(begin * 500) : round(end * 500)] = np.nan
    return Recording(samples_mv=x, leads=STANDARD_12, rate_hz=500.0)


@pytest.mark.parametrize(
    "gaps_s", [((12.0, 16.5),), ((8.0, 13.0), (20.0, 25.0)), ((0.0, 6.0),), ((24.0, 30.0),)]
)
def test_a_gap_in_a_quiet_rhythm_is_nothing_critical(gaps_s: tuple[tuple[float, float], ...]) -> None:
    """No pause, no standstill, and the rate of the beats that are there."""
    found = interpret(strip(*gaps_s), Patient(age_years=61.0, sex="male"))
    rhythm = found.measurements.rhythm_detail

    assert rhythm is not None and rhythm.longest_pause_s is not None
    assert rhythm.longest_pause_s < 1.5
    assert rhythm.rate_bpm == pytest.approx(75.0, abs=3.0)
    assert found.reading.tier is not Tier.CRIT
    assert found.measurements.silence is None


def test_a_standstill_beside_a_gap_is_still_one() -> None:
    """Ten recorded seconds without a beat count, whatever is missing elsewhere."""
    well, still = strip().samples_mv, strip(rhythm="asystole").samples_mv
    x = np.concatenate([well[:, :5000], still[:, 5000:10000], well[:, 10000:]], axis=1)
    x[:, 11000:13000] = np.nan
    measured = measure(Recording(samples_mv=x, leads=STANDARD_12, rate_hz=500.0))

    assert measured.rhythm_detail is not None and measured.rhythm_detail.longest_pause_s is not None
    assert measured.rhythm_detail.longest_pause_s > 9.0


def test_a_pause_that_touches_a_gap_lasted_at_least_so_long() -> None:
    """Two recorded seconds on each side of a gap are two pauses of two seconds, each open."""
    r = np.array([1.0, 7.0, 8.0])

    assert pause(r, 8.5, ((3.0, 5.0),)) == {"longest_pause_s": 2.0, "pause_open": True}
    assert pause(r, 8.5) == {"longest_pause_s": 6.0, "pause_open": False}
