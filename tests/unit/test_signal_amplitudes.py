"""Every amplitude, duration and area is what its rule says, written out lead by lead (MEAS-2 to MEAS-4)."""

import math

import numpy as np
import pytest

from greenchannel.signal.amplitudes import Borders, amplitudes, baseline, stj_levels, tp_level
from tests.drawn_beats import Floats, Singles, drawn, own_borders

MS = 2.0  # between samples


def near(y: Singles, at: int) -> float:
    """A level smoothed over 6 ms."""
    return float(y[at - 1 : at + 2].astype(float).mean())


def held(value: float, low: int, high: int) -> int:
    """A sample within limits."""
    return min(max(int(value), low), high)


def line_at_j(y: Singles, j: float, off: int) -> float:
    """Level of the line through the 32 ms from 12 ms behind J on, half way to the QRS offset, at most 3 ms behind J."""
    first = min(int(j), y.size - 22)
    at = np.arange(6, 22)
    slope, level = np.polyfit(at, y[first + 6 : first + 22].astype(float), 1)
    return float(level + slope * (j - int(j) + min(max((off - j) / 2, 0.0), 1.5)))


def written_out(y: Singles, b: Borders, lead: Floats) -> dict[str, float]:
    """All amplitudes of one lead by their rules."""
    n = y.size
    p_on, p_peak, p_off, _, _, t_on, t_peak, t_off = lead
    st = [line_at_j(y, b.j, b.off), *(near(y, min(b.off + k, n - 2)) for k in (10, 20, 30, 40))]
    found = dict(zip(("stj_mv", "st20_mv", "st40_mv", "st60_mv", "st80_mv"), st, strict=True))
    found["st_slope_mv"] = st[4] - st[0]
    found["st_area_mv_ms"] = MS * float(y[b.off : b.off + 40].sum())
    found["qrs_area_mv_ms"] = MS * float(y[b.on : b.off + 1].sum())
    if not math.isnan(t_peak):
        peak = held(t_peak, 1, n - 2)
        found["t_mv"] = near(y, peak)
        middle = held((b.off + peak) // 2, 1, n - 2)
        found["st_below_chord_mv"] = (st[0] + found["t_mv"]) / 2 - near(y, middle)
        first = min(b.off + 30, n - 2)
        end = held(t_off, first + 1, n)
        part = y[first:end]
        found |= {"t_high_mv": float(part.max()), "t_low_mv": float(part.min())}
        found["t_low_last"] = float(part.argmin() > part.argmax())
        found["t_area_mv_ms"] = MS * float(y[held(t_on, b.off, end) : end].sum())
        found["qt_ms"] = MS * (t_off - 4.5 - b.on)
    if not math.isnan(p_peak):
        begin = held(p_on, 0, n - 2)
        end = held(p_off, begin + 1, n)
        before = y[max(begin - 5, 0) : begin]
        level = float(before.mean()) if before.size else 0.0
        part = y[begin:end] - level
        found["p_mv"] = near(y, held(p_peak, 1, n - 2)) - level
        found |= {"p_high_mv": float(part.max()), "p_low_mv": float(part.min())}
        found["p_low_last"] = float(part.argmin() > part.argmax())
        found["p_area_mv_ms"] = MS * float(part.sum())
        found["p_ms"] = MS * (p_off - p_on)
    return found


def borders(
    lead: Floats,
    *,
    on: int = 186,
    off: int = 233,
    j: float = 229.6,
    p_on: float = 120.0,
    t_off: float = 385.0,
) -> Borders:
    """Global borders beside each lead's own."""
    return Borders(on=on, off=off, j=j, p_on=p_on, t_off=t_off, lead=lead, t_tangent=lead[:, 7] - 4.5)


def assert_as_written(beat: Singles, b: Borders) -> None:
    """Every value of every lead equals its rule; what has no wave is NaN."""
    found = {name: values[0] for name, values in amplitudes(beat[None], [b], [0.8]).items()}
    for row, y in enumerate(beat):
        rules = written_out(y, b, b.lead[row])
        for name, expected in rules.items():
            assert found[name][row] == pytest.approx(expected, abs=2e-4 if "area" in name else 2e-5), name
        assert math.isnan(found["qt_ms"][row]) == ("qt_ms" not in rules)
        for wave in "pt":
            if f"{wave}_mv" not in rules:
                own = [name for name in found if name.startswith(f"{wave}_") and not name.endswith("_last")]
                assert (
                    all(math.isnan(found[name][row]) for name in own) and found[f"{wave}_low_last"][row] == 0
                )


@pytest.mark.parametrize("seed", range(4))
def test_every_value_is_what_its_rule_says(seed: int) -> None:
    """Levels at J, J + 20 … 80 ms, slope, areas, peaks and extremes of T and P, of twelve leads at once."""
    beat, lead = drawn(seed, noise_mv=0.02), own_borders(seed)
    assert_as_written(beat, borders(lead))
    lead[2, :3], lead[5, 5:] = np.nan, np.nan
    assert_as_written(beat, borders(lead, j=233.0))
    assert_as_written(beat, borders(lead, on=188, off=260, j=251.25))


def test_a_wave_at_the_edge_of_the_beat_is_measured_on_what_there_is() -> None:
    """P from the very first samples, T beyond the last one, ST that the beat cuts off."""
    rng = np.random.default_rng(9)
    beat = drawn(7, noise_mv=0.05)
    lead = own_borders(7)
    lead[:, 0] = rng.integers(0, 9, 12)
    lead[:, 1] = rng.integers(0, 3, 12)
    lead[:4, 0] = [0.0, 0.4, 1.0, 1.9]
    lead[:, 2] = lead[:, 0] + rng.integers(0, 30, 12)
    lead[:, 5] = rng.integers(450, 545, 12)
    lead[:, 6] = rng.integers(520, 545, 12)
    lead[:, 7] = rng.integers(470, 580, 12)
    for off in (480, 500, 520, 538):
        assert_as_written(beat, borders(lead, off=off, j=off - 3.4))
    lead[:, 0], lead[:, 1], lead[:, 2] = 530 + np.arange(12), 532.0 + np.arange(12), 534.0 + np.arange(12)
    lead[:, 5], lead[:, 7] = 100.0, 101.0
    assert_as_written(beat, borders(lead))
    lead[:, 5], lead[:, 6], lead[:, 7] = 0.0, np.repeat([0.0, 0.4, 1.0, 2.0], 3), 300.0
    assert_as_written(beat, borders(lead, on=0, off=1, j=1.0))


def test_a_beat_without_any_p_or_t_has_levels_all_the_same() -> None:
    """Where no lead has P or T the ST levels are as they are, and P and T unknown."""
    lead = own_borders(1)
    lead[:, :3] = lead[:, 5:] = np.nan
    assert_as_written(drawn(1), borders(lead, p_on=math.nan, t_off=math.nan))


def test_the_baseline_is_the_mean_from_20_to_4_ms_before_the_qrs() -> None:
    """Eight samples, none of the QRS itself (MEAS-2); at the very edge what there is."""
    beat = np.arange(540, dtype=np.float32)[None, None] ** 2
    assert baseline(beat, [186])[0, 0] == pytest.approx(np.mean(np.arange(176.0, 184) ** 2))
    assert baseline(beat, [10])[0, 0] == pytest.approx(np.mean(np.arange(8.0) ** 2))
    assert baseline(beat, [5])[0, 0] == pytest.approx(np.mean(np.arange(3.0) ** 2))
    assert baseline(beat, [1])[0, 0] == 0.0
    assert baseline(beat, [11])[0, 0] == pytest.approx(np.mean(np.arange(1.0, 9) ** 2))


def test_st_levels_follow_j_and_the_offset_each() -> None:
    """STJ moves with J by the slope of ST, in fractions of a sample; the later levels stand on the QRS offset."""
    beat = (0.01 * np.arange(540) - 2.0)[None, None].astype(np.float32)
    later = ("st20_mv", "st40_mv", "st60_mv", "st80_mv")
    for j, off, stj_at in (
        (230.25, 235, 231.75),
        (234.0, 235, 234.5),
        (233.9, 236, 234.95),
        (236.0, 235, 236.0),
    ):
        assert stj_levels(beat, [j], [off])[0, 0] == pytest.approx(0.01 * stj_at - 2, abs=1e-5)
        found = amplitudes(beat, [borders(own_borders(1)[:1], off=off, j=j)], [0.8])
        levels = [0.01 * at - 2 for at in (off + 10, off + 20, off + 30, off + 40)]
        assert [found[name][0, 0] for name in later] == pytest.approx(levels, abs=1e-5)
    assert stj_levels(beat, [535.0], [535])[0, 0] == pytest.approx(0.01 * 518 - 2, abs=1e-5)
    found = amplitudes(beat, [borders(own_borders(1)[:1], off=535, j=535.0)], [0.8])
    assert [found[name][0, 0] for name in later] == pytest.approx([0.01 * 538 - 2] * 4, abs=1e-5)


def test_the_tp_level_is_the_30_ms_before_p() -> None:
    """Fifteen samples that end 6 ms before P; unknown without a P, at the edge, and where the last T still runs."""
    beat = np.arange(540, dtype=np.float32)[None]
    assert tp_level(beat, 120.9, 385.0, 0.8)[0] == np.arange(102, 117).mean()
    assert tp_level(beat, 18.0, 385.0, 0.8)[0] == np.arange(15).mean()
    assert math.isnan(tp_level(beat, 17.9, 385.0, 0.8)[0])
    assert np.isnan(tp_level(beat, math.nan, 385.0, 0.8)).tolist() == [True]
    # T of the last beat ends at 385 - 283 samples: just there the level begins, a sample later it does not.
    assert tp_level(beat, 120.0, 385.0, 0.566)[0] == np.arange(102, 117).mean()
    assert math.isnan(tp_level(beat, 120.0, 385.5, 0.566)[0])
    assert tp_level(beat, 120.0, 385.0, math.nan)[0] == np.arange(102, 117).mean()


def test_beats_in_company_have_the_bits_they_have_alone() -> None:
    """Each beat is measured between its own borders, wherever the others have theirs: of two, of some, of many."""
    rng, beats = np.random.default_rng(4), np.stack([drawn(seed, noise_mv=0.03) for seed in range(7)])
    edges = [
        borders(own_borders(k), on=int(rng.integers(0, 190)), off=int(off), j=float(off) - 3.3)
        for k, off in enumerate((191, 233, 260, 300, 480, 520, 538))
    ]
    edges[2].lead[:, :3], edges[3].lead[4, 5:] = np.nan, np.nan
    rr_s = [0.8, 0.6, math.nan, 1.0, 0.8, 0.5, 0.8]
    alone = [amplitudes(beats[k : k + 1], [one], rr_s[k : k + 1]) for k, one in enumerate(edges)]
    for company in ([0, 4], range(7), [*range(7)] * 6):
        together = amplitudes(beats[list(company)], [edges[k] for k in company], [rr_s[k] for k in company])
        for place, k in enumerate(company):
            for name, values in alone[k].items():
                assert values.tobytes() == together[name][place : place + 1].tobytes(), name
    assert (
        baseline(beats, [one.on for one in edges])[5].tobytes()
        == baseline(beats[5:6], [edges[5].on]).tobytes()
    )
