"""Laws of the signal core: whatever comes, a result; whatever is moved, the same result."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from greenchannel.signal.leads import ALL, STANDARD_12
from greenchannel.signal.measure import measure
from greenchannel.signal.measurements import Measurements
from greenchannel.signal.recording import Recording
from greenchannel.signal.synthesis import synthesize


def assert_finite_or_none(value: object, where: str = "measurements") -> None:
    """No number anywhere inside is NaN or infinite."""
    if isinstance(value, float):
        assert math.isfinite(value), where
    elif dataclasses.is_dataclass(value):
        for item in dataclasses.fields(value):
            assert_finite_or_none(getattr(value, item.name), f"{where}.{item.name}")
    elif isinstance(value, dict):
        for key, item in value.items():
            assert_finite_or_none(item, f"{where}[{key}]")
    elif isinstance(value, tuple):
        for item in value:
            assert_finite_or_none(item, where)


def samples_of(kind: str, leads: int, n: int, seed: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Samples such as no heart makes."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((leads, n))
    match kind:
        case "noise":
            x *= 0.3
        case "constant":
            x = np.full((leads, n), 3.3)
        case "huge":
            x *= 1e38
        case "infinite":
            x[rng.random((leads, n)) < 0.1] = np.inf
        case "holes":
            x[rng.random((leads, n)) < 0.5] = np.nan
        case "nothing":
            x[:] = np.nan
        case "one_sample":
            x[:] = np.nan
            x[:, n // 2] = 1.0
        case "spikes":
            x = np.where(rng.random((leads, n)) < 0.004, 5.0, 0.0)
        case "square":
            x = np.sign(np.sin(np.arange(n) / 40))[None] * np.ones((leads, 1))
        case "steps":
            x = np.cumsum(rng.standard_normal((leads, n)), axis=1)
    return np.clip(x, -3e38, 3e38).astype(np.float32)


KINDS = (
    "noise",
    "constant",
    "huge",
    "infinite",
    "holes",
    "nothing",
    "one_sample",
    "spikes",
    "square",
    "steps",
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    kind=st.sampled_from(KINDS),
    leads=st.integers(1, 21),
    rate_hz=st.sampled_from([0.5, 60.0, 100.0, 128.0, 250.0, 257.3, 500.0, 1000.0, 2000.0]),
    duration_s=st.floats(0.1, 12.0),
    seed=st.integers(0, 1000),
)
@example(kind="spikes", leads=1, rate_hz=500.0, duration_s=2.6, seed=0)
@example(kind="noise", leads=21, rate_hz=100.0, duration_s=2.5, seed=1)
def test_every_recording_gives_a_result(
    kind: str, leads: int, rate_hz: float, duration_s: float, seed: int
) -> None:
    """No recording raises, and every value is finite or None."""
    n = max(int(duration_s * rate_hz), 1)
    m = measure(Recording(samples_mv=samples_of(kind, leads, n, seed), leads=ALL[:leads], rate_hz=rate_hz))
    assert_finite_or_none(m)
    assert set(m.leads) == set(ALL[:leads])
    assert len(m.beats) == len(m.r_s)


@settings(max_examples=25, deadline=None)
@given(
    lead_count=st.integers(1, 12),
    seed=st.integers(0, 100),
    missing=st.floats(0, 0.7),
    rate=st.integers(30, 220),
)
def test_a_holey_heartbeat_gives_a_result(lead_count: int, seed: int, missing: float, rate: int) -> None:
    """A real shape with stretches of NaN in any lead never raises either."""
    recording = synthesize(leads=STANDARD_12[:lead_count], heart_rate_bpm=rate, noise_mv=0.02, seed=seed)
    x = recording.samples_mv.copy()
    rng = np.random.default_rng(seed)
    for row in range(lead_count):
        start = int(rng.integers(0, 5000))
        x[row, start : start + int(missing * 5000)] = np.nan
    assert_finite_or_none(measure(Recording(samples_mv=x, leads=recording.leads, rate_hz=500.0)))


def stj(m: Measurements) -> list[float]:
    """STJ of all leads."""
    return [lead.stj_mv if lead.stj_mv is not None else math.nan for lead in m.leads.values()]


@settings(max_examples=15, deadline=None)
@given(shift=st.integers(0, 800), seed=st.integers(0, 50))
def test_where_a_strip_begins_does_not_matter(shift: int, seed: int) -> None:
    """Cut some samples later, the same rhythm gives STJ within 10 µV and the same beats."""
    long = synthesize(duration_s=14, noise_mv=0.0, wander_mv=0.2, seed=seed)
    a, b = (
        measure(Recording(samples_mv=long.samples_mv[:, s : s + 5000], leads=long.leads, rate_hz=500.0))
        for s in (0, shift)
    )
    assert stj(a) == pytest.approx(stj(b), abs=0.010)
    early = {round(r, 2) for r in a.r_s}
    late = {round(r + shift / 500, 2) for r in b.r_s}
    inside = [r for r in early if 0.3 + shift / 500 < r < 9.7]
    assert all(any(abs(r - other) <= 0.011 for other in late) for r in inside)


@settings(max_examples=10, deadline=None)
@given(order=st.permutations(range(12)))
def test_the_order_of_the_leads_does_not_matter(order: list[int]) -> None:
    """Leads in another order give the same STJ, name by name."""
    recording = synthesize(noise_mv=0.01, scenario="extensive_anterior_high_lateral_stemi")
    other = Recording(
        samples_mv=recording.samples_mv[order],
        leads=tuple(recording.leads[i] for i in order),
        rate_hz=recording.rate_hz,
    )
    a, b = measure(recording).leads, measure(other).leads
    for name in recording.leads:
        assert b[name].stj_mv == pytest.approx(a[name].stj_mv, abs=1e-6)
