"""A second that brings nothing new confirms the reading before it; whatever is new is named within the second or two
that it takes to come."""

import functools

import numpy as np
import pytest
from numpy.typing import NDArray

from greenchannel.signal import rolling
from greenchannel.signal.leads import STANDARD_12
from greenchannel.signal.measure import measure
from greenchannel.signal.recording import Recording
from greenchannel.signal.rolling import edge
from greenchannel.signal.standing import SIZE, WINDOW_S, slow, stand_on
from greenchannel.signal.standing_look import look
from greenchannel.signal.synthesis import Simulated, simulate

Samples = NDArray[np.float32]
READ_S, END_S = 10, 20
NEW_S = 14  # something new begins here


@functools.cache
def person(**traits: object) -> Simulated:
    """Twenty seconds of somebody, with what every recording has of noise and wander."""
    given = {"seed": 3, "duration_s": float(END_S), "emg_mv": 0.01, "wander_mv": 0.2} | traits
    return simulate(**given)  # type: ignore[arg-type]


def later(
    x: Samples, rate_hz: float = 500.0, leads: tuple[str, ...] = STANDARD_12
) -> dict[int, tuple[str, ...]]:
    """What each second after the reading of the first ten says, up to the first that is new."""
    state = rolling.push(rolling.start(leads, rate_hz), x[:, : edge(READ_S, rate_hz)])
    measured, state = rolling.read(state)
    assert measured is not None
    standing = rolling.standing(state, measured)
    assert standing is not None
    said: dict[int, tuple[str, ...]] = {}
    for second in range(READ_S + 1, END_S + 1):
        stop = edge(second, rate_hz)
        window = slow(x[None, :, stop - round(WINDOW_S * rate_hz) : stop], rate_hz)
        ((standing, changed),) = look([standing], window)
        said[second] = changed
        if changed:
            break
    return said


def first_news(said: dict[int, tuple[str, ...]]) -> tuple[int, tuple[str, ...]]:
    """The second that was new, and why."""
    second = max(said)
    return second, said[second]


def spliced(before: Samples, after: Samples, at_s: float = NEW_S) -> Samples:
    """One strip up to an instant, another one from there on."""
    cut = round(at_s * 500)
    return np.concatenate([before[:, :cut], after[:, cut:]], axis=1)


@pytest.mark.parametrize("rate_hz", [200.0, 250.0, 257.0, 500.0, 1000.0])
@pytest.mark.parametrize("heart_rate_bpm", [45.0, 75.0, 110.0, 140.0])
def test_ten_quiet_seconds_confirm_the_reading(rate_hz: float, heart_rate_bpm: float) -> None:
    """Same heart, same noise: nothing is new, at any rate of samples and beats."""
    x = person(rate_hz=rate_hz, heart_rate_bpm=heart_rate_bpm).recording.samples_mv

    assert set(later(x, rate_hz).values()) == {()}


def test_atrial_fibrillation_that_was_read_is_no_news() -> None:
    """Intervals as irregular as those of the reading confirm it."""
    x = person(rhythm="atrial_fibrillation").recording.samples_mv

    said = later(x)
    assert [changed for changed in said.values() if "st" in changed or "beat_shape" in changed] == []


@pytest.mark.parametrize("level_mv", [0.15, -0.15])
@pytest.mark.parametrize("territory", ["anterior", "inferior"])
def test_an_infarction_that_begins_is_seen_within_three_seconds(territory: str, level_mv: float) -> None:
    """ST of 0.15 mV that comes from one beat to the next, in either direction, is news of ST."""
    well, ill = person(), person(territory=territory, stj_mv=level_mv)

    second, changed = first_news(later(spliced(well.recording.samples_mv, ill.recording.samples_mv)))

    assert NEW_S < second <= NEW_S + 3
    assert "st" in changed


def test_an_infarction_that_creeps_is_seen() -> None:
    """ST that rises by 0.02 mV a second is news before it has risen by 0.15 mV."""
    well, ill = person().recording.samples_mv, person(territory="anterior", stj_mv=0.2).recording.samples_mv
    share = np.clip((np.arange(well.shape[1]) / 500 - READ_S) / 10, 0, 1).astype(np.float32)

    second, changed = first_news(later(well + (ill - well) * share))

    assert second <= READ_S + 7
    assert "st" in changed


def test_st_of_a_lead_that_the_reading_could_not_use_is_no_news() -> None:
    """A dead lead tells nothing, whatever it shows later."""
    well = person(dead_leads=("V2",)).recording.samples_mv
    ill = np.array(well)
    ill[STANDARD_12.index("V2")] += np.where(np.arange(well.shape[1]) > NEW_S * 500, 0.3, 0.0)

    assert set(later(ill).values()) == {()}


def test_a_beat_of_another_shape_is_news() -> None:
    """The first ectopic beat after a strip without any."""
    x = person(rhythm="ectopics")
    ectopic = [beat.r_s for beat in x.truth.beats if beat.kind == "ectopic"]
    calm = person().recording.samples_mv
    late = next(at for at in ectopic if at > NEW_S)

    second, changed = first_news(later(spliced(calm, x.recording.samples_mv, late - 0.3)))

    assert late < second <= late + 2
    assert "beat_shape" in changed or "early_beat" in changed


@pytest.mark.parametrize("rhythm", ["ventricular_tachycardia", "ventricular_fibrillation"])
def test_a_rhythm_that_kills_is_news_at_once(rhythm: str) -> None:
    """Ventricular tachycardia and fibrillation: no second goes by that confirms anything."""
    second, _ = first_news(
        later(spliced(person().recording.samples_mv, person(rhythm=rhythm).recording.samples_mv))
    )

    assert NEW_S < second <= NEW_S + 2


def test_a_pause_is_news_before_the_next_beat() -> None:
    """Nothing where a beat was due, at 75 beats a minute, is told within two seconds."""
    second, changed = first_news(
        later(spliced(person().recording.samples_mv, person(rhythm="asystole").recording.samples_mv))
    )

    assert NEW_S < second <= NEW_S + 3
    assert "pause" in changed


@pytest.mark.parametrize("fault", ["off", "noise", "gap"])
def test_a_lead_that_goes_is_news(fault: str) -> None:
    """An electrode that falls off, muscle noise, missing samples: each is named."""
    x = np.array(person().recording.samples_mv)
    row, from_here = STANDARD_12.index("V3"), NEW_S * 500
    if fault == "off":
        x[row, from_here:] = 0
    elif fault == "noise":
        x[row, from_here:] += np.random.default_rng(1).normal(0, 0.2, x.shape[1] - from_here)
    else:
        x[row, from_here : from_here + 50] = np.nan

    second, changed = first_news(later(x))

    assert NEW_S < second <= NEW_S + 3
    expected = {"off": {"lead", "st"}, "noise": {"lead"}, "gap": {"samples"}}[
        fault
    ]  # without a trace ST is gone first
    assert expected & set(changed)


def test_streams_in_company_are_told_what_they_are_told_alone() -> None:
    """The answer to a stream does not depend on the others that are asked about with it."""
    strips = [
        person().recording.samples_mv,
        person(seed=8).recording.samples_mv,
        spliced(person().recording.samples_mv, person(territory="inferior", stj_mv=0.3).recording.samples_mv),
        person(rhythm="ectopics").recording.samples_mv,
    ]
    together, alone = [], []
    for x in strips:
        state = rolling.push(rolling.start(STANDARD_12, 500.0), x[:, : READ_S * 500])
        measured, state = rolling.read(state)
        assert measured is not None
        standing = rolling.standing(state, measured)
        assert standing is not None
        together.append(standing)
    alone = list(together)
    for second in range(READ_S + 1, END_S):
        windows = slow(
            np.array([x[:, second * 500 - round(WINDOW_S * 500) : second * 500] for x in strips]), 500.0
        )
        company = look(together, windows)
        single = [look([one], windows[i : i + 1])[0] for i, one in enumerate(alone)]

        assert [changed for _, changed in company] == [changed for _, changed in single]
        for (mine, _), (theirs, _) in zip(company, single, strict=True):
            np.testing.assert_allclose(mine.moved_mv, theirs.moved_mv, atol=1e-9)
        together, alone = [one for one, _ in company], [one for one, _ in single]


def test_a_strip_that_cannot_be_held_against_is_read() -> None:
    """No reading without beats, and none with samples missing at its end, says anything to later seconds."""
    silent = person(rhythm="asystole").recording
    measured = measure(Recording(samples_mv=silent.samples_mv[:, :5000], leads=STANDARD_12, rate_hz=500.0))
    assert stand_on(measured, np.zeros((12, SIZE), dtype=np.float32), 10.0) is None

    good = person().recording
    measured = measure(Recording(samples_mv=good.samples_mv[:, :5000], leads=STANDARD_12, rate_hz=500.0))
    window = np.full((12, SIZE), np.nan, dtype=np.float32)
    assert stand_on(measured, window, 10.0) is None


def test_a_device_slower_than_the_grid_is_read_every_second() -> None:
    """At 100 samples a second nothing can be held against anything at 125."""
    x = person(rate_hz=100.0).recording.samples_mv
    state = rolling.push(rolling.start(STANDARD_12, 100.0), x[:, :1000])
    measured, state = rolling.read(state)

    assert measured is not None
    assert rolling.standing(state, measured) is None
