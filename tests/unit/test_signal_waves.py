"""The waves of the QRS and what ends it, written out lead by lead, sample by sample (SIG-4, Macfarlane 2015)."""

import math

import numpy as np
import pytest

from greenchannel.signal import qrs_waves as module
from tests.drawn_beats import Floats, Singles, drawn

ON, OFF = 186, 233
MS = 2.0


def qrs_waves(beat: Singles, on: int, off: int) -> dict[str, Floats]:
    """The waves of one beat, ``(leads, samples)``."""
    return module.qrs_waves(beat[None], [on], [off])


def sign(level: float) -> int:
    """Of a level beyond 30 µV."""
    return 1 if level > 0.03 else -1 if level < -0.03 else 0


def stretches(y: Singles) -> list[tuple[int, float, int, int]]:
    """Sign, extreme, length and place of the extreme of each stretch of 6 ms or more that turns before the end."""
    found, first = [], 0
    for at in range(1, y.size + 1):
        if at < y.size and sign(y[at]) == sign(y[first]):
            continue
        part, kind = y[first:at], sign(y[first])
        peak = first + int(part.argmax() if kind > 0 else part.argmin())
        if kind and part.size >= 3 and peak < y.size - 1:
            found.append((kind, float(y[peak]), part.size, peak))
        first = at
    return found


def waves_written_out(y: Singles, on: int, off: int) -> tuple[dict[str, float], int]:
    """Q, R, S, R′, S′ and the sample of the last R, -1 without one."""
    values = dict.fromkeys(("q", "r", "s", "r2", "s2"), 0.0)
    lengths, top = dict.fromkeys(values, 0), -1
    for kind, height, length, peak in stretches(y[on : max(off - 4, on + 4) + 1]):
        if kind > 0:
            name = "r2" if values["r"] and (values["s"] or values["r2"]) else "r"
        else:
            name = "q" if not values["r"] else "s2" if values["r2"] else "s"
        lengths[name] += length
        if abs(height) > abs(values[name]):
            values[name] = height
            top = peak if kind > 0 else top
    found = {f"{name}_mv": value for name, value in values.items()}
    found |= {f"{name}_ms": MS * length for name, length in lengths.items()}
    part = y[on : max(off - 4, on + 4) + 1]
    return found | {"qrs_pp_mv": float(part.max() - part.min())}, top


def end_written_out(beat: Singles, on: int, off: int, top: int) -> tuple[float, bool]:
    """Jp and whether it is a slur; NaN where there is neither."""
    y = beat[on : min(off + 10, beat.size - 1) + 1]
    if top < 0:
        return math.nan, False
    top = int(y[: off - on + 1].argmax())  # the tallest, whatever comes behind it
    if y[top] < 0.2 or top + 6 > y.size:
        return math.nan, False
    half, after = 0.5 * y[top], y[-1] + np.float32(0.05)
    lower = [at for at in range(top + 1, y.size) if 0.1 <= y[at] < half]
    rises = [at for at in lower if y[at] - y[at - 1] > 0.002]
    if rises:
        peak = float(y[rises[0] :].max())
        if 0.1 <= peak < half and peak - y[rises[0] - 1] >= 0.02 and peak >= after:
            return peak, False
    steps = {at: float(y[at] - y[at - 1]) for at in range(top + 1, y.size)}
    steepest = min(steps, key=lambda at: steps[at])
    slow = [at for at in lower if steepest < at < off - on and steps[at] > 0.35 * steps[steepest]]
    return (float(y[slow[0]]), True) if len(slow) >= 5 and y[slow[0]] >= after else (math.nan, False)


def assert_as_written(beat: Singles, on: int = ON, off: int = OFF) -> list[float]:
    """Every value of every lead equals the rules; the Jp are returned."""
    found, jp = qrs_waves(beat, on, off), []
    for row, y in enumerate(beat):
        rules, top = waves_written_out(y, on, off)
        for name, expected in rules.items():
            assert found[name][row] == pytest.approx(expected, abs=1e-6), name
        assert found["r_peak_ms"][row] == pytest.approx(MS * top if top >= 0 else math.nan, nan_ok=True)
        peak, slur = end_written_out(y, on, off, top)
        assert found["jp_mv"][row] == pytest.approx(peak, abs=1e-6, nan_ok=True)
        assert found["j_slur"][row] == slur
        jp.append(peak)
    return jp


@pytest.mark.parametrize("noise_mv", [0.0, 0.01, 0.04])
@pytest.mark.parametrize("seed", range(3))
def test_the_waves_of_a_random_complex_are_those_of_the_rules(seed: int, noise_mv: float) -> None:
    """Sixty leads of random Q, R and S, smooth, in noise, and in noise that makes waves of its own."""
    beat = drawn(seed, leads=60, noise_mv=noise_mv)
    assert_as_written(beat)
    assert_as_written(beat, 190, 228)


def complexes(seed: int, leads: int = 200) -> Singles:
    """Random polygons of seven corners within the QRS, R first, many with a notch or a slur behind."""
    rng = np.random.default_rng(seed)
    x = np.zeros((leads, 540))
    for row in x:
        r = rng.uniform(0.15, 1.5)
        tail = rng.uniform(0.0, 0.6, 3) * r
        corners = [0, rng.uniform(-0.2, 0.3) * r, r, *tail, rng.choice([0.0, 0.08, 0.2]) * r]
        at = [0, *np.sort(rng.uniform(4, OFF - ON + 8, 5)), OFF - ON + 10]
        row[ON : OFF + 11] = np.interp(np.arange(OFF - ON + 11), at, corners)
    made: Singles = x.astype(np.float32)
    return made


@pytest.mark.parametrize("seed", range(3))
def test_the_end_of_the_qrs_is_that_of_the_rules(seed: int) -> None:
    """Two hundred random descents from R: notches, slurs and neither, each as written."""
    beat = complexes(seed)
    jp = assert_as_written(beat)
    slurred = qrs_waves(beat, ON, OFF)["j_slur"] > 0
    assert slurred.sum() > 10 and (~slurred & np.isfinite(jp)).sum() > 10 and np.isnan(jp).sum() > 10


def test_a_qrs_at_the_end_of_the_beat_is_no_obstacle() -> None:
    """Where the beat ends with the QRS the waves are found, and a notch as far as there are samples."""
    beat = np.roll(complexes(5, 60), 540 - OFF - 1, axis=1)
    assert_as_written(beat, ON + 540 - OFF - 1, 539)
    assert_as_written(beat, 533, 539)
    assert_as_written(beat, 530, 531)


def complex_of(*levels: float) -> Singles:
    """One lead whose QRS has these levels from its onset on, 0 elsewhere."""
    x = np.zeros((1, 540), dtype=np.float32)
    x[0, ON : ON + len(levels)] = levels
    return x


def test_a_wave_is_more_than_30_uv_for_6_ms() -> None:
    """Three samples of 31 µV are a wave, two are none, nor are any of 30 µV."""
    assert qrs_waves(complex_of(0, -0.031, -0.032, -0.031, 0), ON, OFF)["q_mv"][0] == pytest.approx(-0.032)
    assert qrs_waves(complex_of(0, 0.031, 0.032, 0.031, 0), ON, OFF)["r_ms"][0] == 6.0
    assert qrs_waves(complex_of(0, -0.5, -0.5, 0), ON, OFF)["q_mv"][0] == 0.0
    level = float(np.float32(0.03))
    assert qrs_waves(complex_of(0, level, level, level, level, 0), ON, OFF)["r_mv"][0] == 0.0
    assert qrs_waves(complex_of(0, -level, -level, -level, -level, 0), ON, OFF)["q_mv"][0] == 0.0


def test_a_wave_that_still_climbs_where_the_qrs_ends_is_none() -> None:
    """The last 8 ms before J belong to no wave, and a peak must lie before them."""
    rising, turned = np.zeros((2, 1, 540), dtype=np.float32)
    rising[0, OFF - 10 : OFF + 1] = np.linspace(0.1, 0.5, 11)
    turned[0, OFF - 10 : OFF - 4] = np.linspace(0.1, 0.5, 6)
    assert qrs_waves(rising, ON, OFF)["r_mv"][0] == 0.0
    assert qrs_waves(turned, ON, OFF)["r_mv"][0] == pytest.approx(0.5)


DESCENT = (0.0, 0.2, 0.6, 1.0, 0.75, 0.45)


@pytest.mark.parametrize(
    ("behind", "jp_mv"),
    [
        ((0.2, 0.15, 0.18, 0.12), 0.18),  # a rise of 30 µV to 180 µV
        ((0.2, 0.08, 0.1, 0.05), 0.1),  # the peak just reaches 100 µV
        ((0.2, 0.06, 0.095, 0.05), None),  # it does not
        ((0.2, 0.15, 0.1705, 0.1), 0.1705),  # a rise of 20 µV and a half
        ((0.2, 0.15, 0.169, 0.1), None),  # one of 19
        ((0.3, 0.28, 0.5, 0.2), None),  # up to half of R: no lower half any more
        ((0.3, 0.28, 0.499, 0.2), 0.499),
        ((0.3, 0.28, 0.4, 0.5, 0.2), None),  # the same after a beginning below it
        ((0.3, 0.3015, 0.303, 0.2), None),  # creeps up by a few µV
    ],
)
def test_a_notch_is_a_rise_in_the_lower_half_of_the_descent(
    behind: tuple[float, ...], jp_mv: float | None
) -> None:
    """Peak from 100 µV to half of R, 20 µV above where the rise began."""
    found = qrs_waves(complex_of(*DESCENT, *behind), ON, OFF)
    assert found["j_slur"][0] == 0
    assert found["jp_mv"][0] == pytest.approx(math.nan if jp_mv is None else jp_mv, nan_ok=True)


@pytest.mark.parametrize(("stays_mv", "there"), [(0.0, True), (0.129, True), (0.131, False), (0.18, False)])
def test_what_does_not_come_down_again_is_no_notch(stays_mv: float, there: bool) -> None:
    """A raised ST behind the QRS is none: 50 µV below the peak by 20 ms behind the QRS."""
    levels = (*DESCENT, 0.2, 0.15, 0.18, *[stays_mv] * 60)
    assert math.isnan(qrs_waves(complex_of(*levels), ON, OFF)["jp_mv"][0]) == (not there)


def test_just_50_uv_below_is_down_again() -> None:
    """A notch and a slur of 100 µV above an ST of 50 µV are there."""
    notched = qrs_waves(complex_of(*DESCENT, 0.2, 0.06, 0.1, *[0.05] * 60), ON, OFF)
    assert notched["jp_mv"][0] == pytest.approx(0.1) and notched["j_slur"][0] == 0
    slurred = qrs_waves(complex_of(0, 0.5, 1.0, 0.5, *[0.1] * 6, *[0.05] * 60), ON, OFF)
    assert slurred["jp_mv"][0] == pytest.approx(0.1) and slurred["j_slur"][0] == 1


def test_an_r_that_is_tallest_just_where_the_qrs_ends_may_have_a_notch() -> None:
    """R is the tallest up to the offset, the offset included; half of it is the height of a notch."""
    levels = [*DESCENT[:3], 0.2, *[0.0] * 60]
    levels[OFF - ON : OFF - ON + 6] = [1.0, 0.4, 0.2, 0.3, 0.1, 0.0]
    assert qrs_waves(complex_of(*levels), ON, OFF)["jp_mv"][0] == pytest.approx(0.3)


def test_a_j_wave_behind_an_s_is_a_notch() -> None:
    """It is the last positive wave, and small beside R."""
    levels = (0.0, 0.4, 1.0, 0.4, -0.2, -0.3, -0.1, 0.05, 0.11, 0.16, 0.11, 0.05)
    assert qrs_waves(complex_of(*levels), ON, OFF)["jp_mv"][0] == pytest.approx(0.16)


@pytest.mark.parametrize(("r_mv", "there"), [(0.21, True), (0.19, False)])
def test_only_an_r_of_twice_the_least_notch_can_have_one(r_mv: float, there: bool) -> None:
    """Below an R of 200 µV there is no room for a notch of 100 µV in the lower half."""
    levels = (0.0, 0.5 * r_mv, r_mv, 0.5 * r_mv, 0.02, 0.102, 0.05, 0.0) if there else (
        0.0, 0.5 * r_mv, r_mv, 0.5 * r_mv, 0.02, 0.094, 0.05, 0.0)  # fmt: skip
    assert math.isnan(qrs_waves(complex_of(*levels), ON, OFF)["jp_mv"][0]) == (not there)


def test_a_slur_is_five_slow_samples_below_half_of_r() -> None:
    """10 ms; a sample at just half of R is not below it."""
    slow = [0.55, 0.5, 0.49, 0.48, 0.47, 0.46, 0.1]
    jp, slur = (qrs_waves(complex_of(0, 0.5, 1.0, *slow), ON, OFF)[name][0] for name in ("jp_mv", "j_slur"))
    assert math.isnan(jp) and slur == 0
    found = qrs_waves(complex_of(0, 0.5, 1.0, *slow[:-1], 0.45, 0.1), ON, OFF)
    assert found["jp_mv"][0] == pytest.approx(0.49) and found["j_slur"][0] == 1


def test_of_two_equal_tops_the_first_is_the_peak() -> None:
    """And an R that peaks with the onset of the QRS may have a notch as any other."""
    top = (0.5, 1.0, 0.5)
    assert qrs_waves(complex_of(0, *top, 0, 0, *top, 0), ON, OFF)["r_peak_ms"][0] == 4.0
    assert qrs_waves(complex_of(1.0, 0.8, 0.4, 0.2, 0.3, 0.1), ON, OFF)["jp_mv"][0] == pytest.approx(0.3)


def test_a_notch_needs_five_samples_behind_r() -> None:
    """Where the beat ends any earlier there is none."""
    beat = np.zeros((1, 540), dtype=np.float32)
    beat[0, 533:] = [0.5, 1.0, 0.4, 0.2, 0.3, 0.1, 0.0]
    assert qrs_waves(beat, 525, 539)["jp_mv"][0] == pytest.approx(0.3)
    beat[0, 533:] = [0.0, 0.5, 1.0, 0.4, 0.2, 0.3, 0.1]
    assert math.isnan(qrs_waves(beat, 534, 539)["jp_mv"][0])


def test_waves_in_company_have_the_bits_they_have_alone() -> None:
    """Short and long QRS together, one at the end of the beat: each has the waves that it has by itself."""
    beats = np.stack([complexes(seed, 12) for seed in range(6)])
    on, off = [ON, ON + 3, 150, ON, 500, 533], [OFF, OFF + 40, OFF, ON + 6, 539, 539]
    for some in ([0, 1], [3, 5], range(6)):
        together = module.qrs_waves(beats[list(some)], [on[k] for k in some], [off[k] for k in some])
        for place, k in enumerate(some):
            for name, values in qrs_waves(beats[k], on[k], off[k]).items():
                assert values.tobytes() == together[name].reshape(len(some), -1)[place].tobytes(), name


def test_a_shorter_row_goes_on_with_its_last_value() -> None:
    """Nothing that lies before or behind it passes for a part of it."""
    beats = np.arange(3 * 2 * 30, dtype=np.float32).reshape(3, 2, 30)
    rows, size = module.stretch(beats, [3, 5, 27], [8, 6, 40])
    assert size.tolist() == [6, 6, 2, 2, 3, 3]
    assert rows[0].tolist() == [3, 4, 5, 6, 7, 8]
    assert (rows[2] - 60).tolist() == [5, 6, 6, 6, 6, 6] and (rows[3] - 90).tolist() == [5, 6, 6, 6, 6, 6]
    assert (rows[4] - 120).tolist() == [27, 28, 29, 29, 29, 29]
