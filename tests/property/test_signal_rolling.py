"""A running stream is read on whole seconds of its own, whatever packets it came in."""

import dataclasses
import functools
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from greenchannel.signal import rolling
from greenchannel.signal.leads import ALL, STANDARD_12
from greenchannel.signal.measure import measure
from greenchannel.signal.measurements import Measurements
from greenchannel.signal.recording import Recording
from greenchannel.signal.rolling import REACH_S, WINDOW_S, Rolling, edge, push, read, start, whole_seconds
from greenchannel.signal.synthesis import synthesize

Samples = NDArray[np.float32]
RATES_HZ = (100.0, 125.0, 128.0, 200.0, 240.0, 250.0, 257.0, 257.3, 360.0, 500.0, 977.0, 1000.0, 2000.0)
SECONDS = 13
slow = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@functools.cache
def source(which: int) -> Recording:
    """A long strip at 1000 Hz."""
    scenario = ("baseline_sinus", "extensive_anterior_high_lateral_stemi", "ventricular_ectopics")[which]
    return synthesize(
        scenario=scenario, seed=60 + which, rate_hz=1000.0, noise_mv=0.008, duration_s=SECONDS + 0.5
    )


@functools.cache
def stream(which: int, rate_hz: float, leads: int) -> tuple[tuple[str, ...], Samples]:
    """The same strip by another device: leads that are none of the twelve repeat others."""
    whole = source(which)
    at = np.arange(int((SECONDS + 0.4) * rate_hz)) / rate_hz
    known = np.arange(whole.samples_mv.shape[1]) / whole.rate_hz
    rows = [np.interp(at, known, whole.samples_mv[k % 12]) for k in range(leads)]
    names = STANDARD_12[:leads] if leads <= 12 else (*STANDARD_12, *(n for n in ALL if n not in STANDARD_12))
    return names[:leads], np.array(rows, dtype=np.float32)


def with_gaps(x: Samples, gaps: list[tuple[float, float, bool]]) -> Samples:
    """Without the samples of some stretches, each of all leads or of the first alone."""
    x = x.copy()
    for begin, width, everywhere in gaps:
        first = int(begin * x.shape[1])
        x[: x.shape[0] if everywhere else 1, first : first + int(width * x.shape[1])] = np.nan
    return x


GAPS = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 0.2), st.booleans()), max_size=2)


def readings(
    x: Samples, leads: tuple[str, ...], rate_hz: float, cuts: list[int]
) -> dict[int, Measurements | None]:
    """What is read at every whole second, the samples cut where it is said, and at the seconds."""
    edges = [edge(s, rate_hz) for s in range(SECONDS + 1)]
    state, found = start(leads, rate_hz), {}
    for first, stop in pairwise(sorted({*edges, *cuts, x.shape[1]})):
        state = push(state, x[:, first:stop])
        if state.until_s not in found and stop in edges:
            found[state.until_s], state = read(state)
    return found


def window(x: Samples, leads: tuple[str, ...], rate_hz: float, until_s: int) -> Recording:
    """The recording that ends with a second."""
    part = x[:, edge(max(until_s - WINDOW_S, 0), rate_hz) : edge(until_s, rate_hz)]
    return Recording(samples_mv=part, leads=leads, rate_hz=rate_hz)


@slow
@given(
    which=st.integers(0, 2),
    rate_hz=st.sampled_from(RATES_HZ),
    leads=st.sampled_from([1, 3, 12, 21]),
    gaps=GAPS,
    data=st.data(),
)
def test_no_cut_into_packets_is_seen_in_a_reading(
    which: int, rate_hz: float, leads: int, gaps: list[tuple[float, float, bool]], data: st.DataObject
) -> None:
    """However the samples are cut, every reading is the same to the bit; the samples themselves are left alone."""
    names, x = stream(which, rate_hz, leads)
    x = with_gaps(x, gaps)
    before = x.copy()
    cuts = data.draw(st.lists(st.integers(1, x.shape[1] - 1), max_size=30))

    assert readings(x, names, rate_hz, cuts) == readings(x, names, rate_hz, [])
    assert np.array_equal(x, before, equal_nan=True)


@slow
@given(
    which=st.integers(0, 2),
    rate_hz=st.sampled_from(RATES_HZ),
    until_s=st.integers(5, SECONDS),
    ahead=st.integers(0, 900),
    cuts=st.lists(st.floats(0, 1), max_size=10),
    gaps=GAPS,
)
def test_samples_of_a_second_that_is_not_whole_yet_change_nothing(
    which: int,
    rate_hz: float,
    until_s: int,
    ahead: int,
    cuts: list[float],
    gaps: list[tuple[float, float, bool]],
) -> None:
    """A state that holds the beginning of the next second reads what one without it does."""
    names, x = stream(which, rate_hz, 12)
    x = with_gaps(x, gaps)
    stop = edge(until_s, rate_hz)
    more = min(stop + int(ahead * rate_hz / 1000), edge(until_s + 1, rate_hz) - 1, x.shape[1])
    state = start(names, rate_hz)
    for first, last in pairwise(sorted({0, more, *(int(cut * more) for cut in cuts)})):
        state = push(state, x[:, first:last])

    assert state.until_s == until_s
    assert read(state)[0] == read(push(start(names, rate_hz), x[:, :stop]))[0]


@slow
@given(
    which=st.integers(0, 2), until_s=st.integers(5, SECONDS), leads=st.sampled_from([1, 8, 12, 18]), gaps=GAPS
)
def test_at_500_hz_a_reading_is_that_of_its_window_as_a_recording(
    which: int, until_s: int, leads: int, gaps: list[tuple[float, float, bool]]
) -> None:
    """A state without earlier evidence reads its window to the bit as a file with the same samples."""
    names, x = stream(which, 500.0, leads)
    x = with_gaps(x, gaps)
    measured, _ = read(push(start(names, 500.0), x[:, : edge(until_s, 500.0)]))

    if measured is None:
        assert np.isnan(window(x, names, 500.0, until_s).samples_mv).all()
    else:
        assert measured == measure(window(x, names, 500.0, until_s))


@pytest.mark.parametrize("which", range(3))
def test_of_a_window_only_filters_and_cables_are_known_from_before(which: int) -> None:
    """Second after second a reading differs from its file's in nothing else than what was seen seconds ago."""
    names, x = stream(which, 500.0, 12)
    found = readings(x, names, 500.0, [])
    kept = 0
    for until_s, measured in found.items():
        if measured is None:
            assert until_s < rolling.FIRST_S
            continue
        whole = measure(window(x, names, 500.0, until_s))
        looked = measured.monitor == whole.monitor
        kept += not looked

        assert dataclasses.replace(measured, monitor=whole.monitor) == whole
        assert looked or until_s > WINDOW_S
    assert len(found) == SECONDS + 1 - (0 not in found)
    assert kept in (0, SECONDS - WINDOW_S - (SECONDS - WINDOW_S) // rolling.KNOWN_S)


@slow
@given(
    which=st.integers(0, 2),
    rate_hz=st.sampled_from([rate for rate in RATES_HZ if rate >= 200]),
    until_s=st.integers(5, SECONDS),
)
def test_at_other_rates_a_reading_differs_by_the_filters_reach_alone(
    which: int, rate_hz: float, until_s: int
) -> None:
    """ST at J within 10 µV and beats within a sample of those of the window as a recording."""
    names, x = stream(which, rate_hz, 12)
    measured, _ = read(push(start(names, rate_hz), x[:, : edge(until_s, rate_hz)]))
    whole = measure(window(x, names, rate_hz, until_s))

    assert measured is not None
    assert len(measured.r_s) == len(whole.r_s)
    assert np.abs(np.array(measured.r_s) - whole.r_s).max() <= 1 / 500 + 1e-9
    for name in names:
        assert (measured.leads[name].stj_mv is None) == (whole.leads[name].stj_mv is None)
        assert abs((measured.leads[name].stj_mv or 0.0) - (whole.leads[name].stj_mv or 0.0)) <= 0.010


@slow
@given(rate_hz=st.sampled_from(RATES_HZ), begin_s=st.integers(0, SECONDS - REACH_S), gaps=GAPS)
def test_a_state_that_began_later_reads_the_same(
    rate_hz: float, begin_s: int, gaps: list[tuple[float, float, bool]]
) -> None:
    """What lies further back than a state reaches counts for nothing."""
    names, x = stream(1, rate_hz, 12)
    x = with_gaps(x, gaps)
    stop = edge(begin_s + REACH_S, rate_hz)
    later = push(start(names, rate_hz, at_s=begin_s), x[:, edge(begin_s, rate_hz) : stop])
    older = push(start(names, rate_hz), x[:, :stop])

    assert later.until_s == older.until_s == begin_s + REACH_S
    assert read(later)[0] == read(older)[0]


def size_of(state: Rolling) -> int:
    """Bytes of all arrays a state holds on to, those behind views as well."""
    arrays = [state.rest_mv, *(second.samples_mv for second in state.seconds)]
    arrays += [second.grid_mv for second in state.seconds if second.grid_mv is not None]
    assert all(array.base is None for array in arrays)
    return sum(array.nbytes for array in arrays)


@pytest.mark.parametrize("rate_hz", [250.0, 500.0, 257.3, 2000.0])
def test_a_state_stays_small_and_an_old_one_stays_valid(rate_hz: float) -> None:
    """Half a minute takes the memory of twelve seconds, and no later sample changes an earlier state."""
    names, x = stream(0, rate_hz, 12)
    state, piece = start(names, rate_hz), x[:, : int(0.7 * rate_hz)]
    early = push(state, x[:, : edge(6, rate_hz)])
    said = read(early)[0]
    state = early
    for _ in range(40):
        state = push(state, piece)
        _, state = read(state)

        assert size_of(state) <= 12 * 4 * (REACH_S + 1) * (rate_hz + (500 if rate_hz != 500 else 0))
        assert not state.rest_mv.flags.writeable
    assert read(early)[0] == said
    assert push(state, np.zeros((12, int(3600 * rate_hz / 60)), dtype=np.float32)).came > state.came


@slow
@given(
    kind=st.sampled_from(["noise", "nothing", "huge", "infinite", "constant"]),
    rate_hz=st.sampled_from([100.0, 128.0, 257.3, 500.0, 1000.0]),
    leads=st.integers(1, 21),
    pieces=st.lists(st.integers(0, 4000), max_size=6),
)
def test_whatever_comes_is_taken(kind: str, rate_hz: float, leads: int, pieces: list[int]) -> None:
    """Samples such as no heart makes, at any rate, never raise."""
    rng = np.random.default_rng(len(pieces))
    state = start(ALL[:leads], rate_hz)
    for size in pieces:
        x = rng.standard_normal((leads, size))
        match kind:
            case "nothing":
                x[:] = np.nan
            case "huge":
                x *= 1e38
            case "infinite":
                x[rng.random(x.shape) < 0.1] = np.inf
            case "constant":
                x[:] = 2.5
        state = push(state, x)
        measured, state = read(state)
        assert measured is None or state.until_s >= rolling.FIRST_S
    assert state.came == sum(pieces)
    assert edge(state.until_s, rate_hz) <= state.came < edge(state.until_s + 1, rate_hz)


@given(samples=st.integers(0, 10**8), rate_hz=st.floats(1.0, 20_000.0))
def test_a_second_is_whole_with_its_last_sample(samples: int, rate_hz: float) -> None:
    """The whole seconds of so many samples end at or before them, and one more would not."""
    second = whole_seconds(samples, rate_hz)

    assert edge(second, rate_hz) <= samples < edge(second + 1, rate_hz)


def test_a_strip_of_other_leads_is_refused() -> None:
    """Rows that are not the stream's leads raise."""
    with pytest.raises(ValueError, match="2 leads"):
        push(start(("I", "II"), 500.0), np.zeros((3, 10), dtype=np.float32))
