"""Rhythms: simulated ones with a known answer, and LUDB's with the cardiologists' own beats."""

import csv
import math
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import wfdb

from greenchannel.signal.arrhythmia import Rhythm, measure_rhythm, without_p
from greenchannel.signal.atrial import SLOW_RATE_HZ
from greenchannel.signal.leads import STANDARD_12

N = round(10 * SLOW_RATE_HZ)
T_S = np.arange(N) / SLOW_RATE_HZ
# What P, QRS, T and atrial waves look like from twelve sides; limb leads are not checked for Einthoven here.
SIDES = {
    name: np.random.default_rng(k).normal(size=12)[:, None]
    for k, name in enumerate(("p", "qrs", "t", "atrial", "ectopic", "wave", "wave2"), start=11)
}


def bumps(at_s: np.ndarray, width_s: float) -> np.ndarray:
    """Sum of bumps of height 1."""
    made: np.ndarray = np.exp(-0.5 * ((T_S[None] - at_s[:, None]) / width_s) ** 2).sum(axis=0)
    return made


def strip(
    r_s: np.ndarray, *, p: bool = True, ectopic: np.ndarray | None = None, noise_mv: float = 0.005
) -> np.ndarray:
    """Twelve leads with P, QRS and T at the R given; ectopic beats are broad and have no P."""
    foreign = np.zeros(r_s.size, dtype=bool) if ectopic is None else ectopic
    own = r_s[~foreign]
    x = SIDES["qrs"] * bumps(own, 0.015) + 0.12 * SIDES["t"] * bumps(own + 0.25, 0.045)
    x = x + SIDES["ectopic"] * (bumps(r_s[foreign], 0.045) - 0.4 * bumps(r_s[foreign] + 0.28, 0.06))
    if p:
        x = x + 0.12 * SIDES["p"] * bumps(own - 0.16, 0.022)
    return np.asarray(x + noise_mv * np.random.default_rng(7).normal(size=x.shape), dtype=np.float32)


def named(x: np.ndarray, r_s: np.ndarray, **rest: object) -> Rhythm:
    """The rhythm of a strip, with what a core would say of it unless told otherwise."""
    given: dict[str, object] = {
        "r_s": r_s,
        "label": np.zeros(len(r_s), dtype=np.int64),
        "qrs_ms": {0: 90.0, 1: 150.0},
        "slow_mv": x,
        "leads": STANDARD_12,
        "usable": np.ones(12, dtype=bool),
        "duration_s": 10.0,
        "onset_s": 0.045,
    }
    return measure_rhythm(**(given | rest))  # type: ignore[arg-type]


def regular(bpm: float) -> np.ndarray:
    return np.arange(0.5, 9.6, 60.0 / bpm)


def irregular(seed: int, bpm: float = 85.0) -> np.ndarray:
    """RR without any order, as in fibrillation."""
    rr = 60.0 / bpm * np.random.default_rng(seed).uniform(0.65, 1.5, size=40)
    r = 0.4 + np.cumsum(rr)
    return r[r < 9.7]


def waves(seed: int, hz: float, spread: float) -> np.ndarray:
    """One wave after the other whose rate and size wander by `spread`."""
    rng = np.random.default_rng(seed)
    slow = np.stack([np.convolve(rng.normal(size=N), np.hanning(125), "same") for _ in range(2)])
    slow *= spread / slow.std(axis=1, keepdims=True)
    return np.asarray(np.exp(2 * slow[1]) * np.sin(2 * np.pi * np.cumsum(hz * (1 + slow[0])) / SLOW_RATE_HZ))


def fibrillatory(seed: int) -> np.ndarray:
    """Waves of the atria, plainest in V1."""
    side = SIDES["atrial"].copy()
    side[STANDARD_12.index("V1")] = 2.0
    return np.asarray(0.06 * side * waves(seed, 6.5, 0.1), dtype=np.float32)


def ventricular_chaos(seed: int, mv: float = 0.5) -> np.ndarray:
    """Ventricular fibrillation: such waves, seen differently by each lead."""
    one, two = waves(seed, 5.0, 0.2), waves(seed + 100, 5.6, 0.2)
    return np.asarray(mv * (SIDES["wave"] * one + SIDES["wave2"] * two), dtype=np.float32)


@pytest.mark.parametrize("bpm", [45.0, 60.0, 75.0, 95.0, 120.0])
def test_regular_beats_with_p_are_sinus(bpm: float) -> None:
    """At any usual rate; the numbers are those of the beats."""
    r = regular(bpm)
    m = named(strip(r), r, pr_ms=160.0, p_upright=True)
    assert m.name == "sinus"
    assert m.rate_bpm == pytest.approx(bpm)
    assert m.rr_mean_s == pytest.approx(60 / bpm) and m.sdnn_ms == pytest.approx(0.0, abs=1e-6)
    assert (m.p_coherence or 0) > 0.8 and m.p_share == 1.0
    assert m.ectopic_share == 0.0 and not m.bigeminy and m.wide_run_beats == 0


def test_nothing_is_called_sinus_without_p() -> None:
    """Regular narrow beats without P are junctional or unknown, above 150 a minute supraventricular tachycardia."""
    for bpm, name in (
        (50.0, "junctional_or_unknown"),
        (75.0, "junctional_or_unknown"),
        (180.0, "supraventricular_tachycardia"),
    ):
        r = regular(bpm)
        assert named(strip(r, p=False), r).name == name
        assert named(strip(r, p=False), r, pr_ms=160.0, p_upright=False).name != "sinus"


def test_sinus_arrhythmia_stays_sinus() -> None:
    """RR that breathes by 15 % with P before every beat is neither irregular nor fibrillation."""
    r = 0.5 + np.cumsum(0.85 * (1 + 0.15 * np.sin(2 * np.pi * 0.25 * np.arange(10))))
    assert named(strip(r), r, pr_ms=160.0, p_upright=True).name == "sinus"


@pytest.mark.parametrize("seed", range(8))
def test_disorder_without_p_is_fibrillation(seed: int) -> None:
    """RR without order, no P before the beats, waves of 4 to 9 Hz."""
    r = irregular(seed)
    m = named(strip(r, p=False) + fibrillatory(seed), r)
    assert m.name == "atrial_fibrillation"
    assert (m.irregularity or 0) > 0.1 and (m.p_coherence or 0) < 0.35 and (m.fibrillatory_share or 0) > 0.3


@pytest.mark.parametrize("seed", range(8))
def test_disorder_with_p_is_not_fibrillation(seed: int) -> None:
    """However irregular, beats that have their P are not fibrillation."""
    r = irregular(seed)
    assert named(strip(r), r, pr_ms=160.0, p_upright=True).name in ("sinus", "irregular")


@pytest.mark.parametrize(("ratios", "bpm"), [((4,), 290.0), ((2, 3), 280.0), ((3, 4), 300.0), ((2,), 300.0)])
def test_flutter_is_seen_by_its_waves(ratios: tuple[int, ...], bpm: float) -> None:
    """Waves that repeat in every lead, with RR of whole numbers of them: the atrial rate comes out within 5 %."""
    cycle = 60.0 / bpm
    beats = np.cumsum(np.resize(ratios, 40)) * cycle
    r = 0.3 + beats[beats < 9.3]
    phase = (T_S / cycle) % 1.0
    saw = np.where(phase < 0.65, phase / 0.65, (1 - phase) / 0.35) - 0.5
    x = strip(r, p=False) + (0.25 * SIDES["atrial"] * saw).astype(np.float32)
    m = named(x, r)
    assert m.name == "atrial_flutter"
    assert m.flutter_bpm == pytest.approx(bpm, rel=0.05)


def test_premature_beats_and_bigeminy_are_counted() -> None:
    """One ectopic in five is a share of 0.2; every second one is bigeminy, and sinus P leads the name."""
    r = regular(70.0)
    foreign = np.arange(r.size) % 5 == 3
    early = r - 0.25 * foreign
    m = named(strip(early, ectopic=foreign), early, label=foreign.astype(int), pr_ms=160.0, p_upright=True)
    assert m.ectopic_share == pytest.approx(foreign.mean()) and not m.bigeminy and m.name == "sinus"
    foreign = np.arange(r.size) % 2 == 1
    early = r - 0.25 * foreign
    m = named(strip(early, ectopic=foreign), early, label=foreign.astype(int), pr_ms=160.0, p_upright=True)
    assert m.bigeminy and m.ectopic_share == pytest.approx(0.5, abs=0.1)


def test_a_run_of_wide_beats_has_its_length_and_rate() -> None:
    """Five wide beats 0.4 s apart within narrow ones: a run of 5 at 150 a minute; two are none."""
    r = np.array([0.5, 1.4, 2.3, 3.0, 3.4, 3.8, 4.2, 4.6, 5.7, 6.6, 7.5, 8.4, 9.3])
    foreign = (r > 2.9) & (r < 4.7)
    m = named(strip(r, ectopic=foreign), r, label=foreign.astype(int), pr_ms=160.0, p_upright=True)
    assert m.wide_run_beats == 5 and m.wide_run_bpm == pytest.approx(150.0)
    few = named(strip(r), r, label=((r > 2.9) & (r < 3.5)).astype(int))
    assert few.wide_run_beats == 0 and few.wide_run_bpm is None


def test_the_longest_pause_counts_the_ends_of_the_strip() -> None:
    """3.2 s between two beats; 4.5 s behind the last one, which may have lasted longer."""
    r = np.array([0.5, 1.3, 2.1, 5.3, 6.1, 6.9, 7.7, 8.5, 9.3])
    m = named(strip(r), r)
    assert m.longest_pause_s == pytest.approx(3.2) and not m.pause_open
    r = r[:2]
    m = named(strip(r), r)
    assert m.longest_pause_s == pytest.approx(8.7) and m.pause_open and m.name == "unknown"


def test_spikes_before_the_beats_are_pacing() -> None:
    """Ventricular, atrial and both; a spike here and there is none."""
    r = regular(70.0)
    x = strip(r)
    ventricle, atrium = tuple((r - 0.06).tolist()), tuple((r - 0.2).tolist())
    m = named(x, r, spikes_s=ventricle)
    assert m.name == "paced" and m.paced_share == 1.0 and m.paced_atrium_share == 0.0
    m = named(x, r, spikes_s=atrium)
    assert m.name == "paced" and m.paced_atrium_share == 1.0
    assert named(x, r, spikes_s=ventricle[:2], pr_ms=160.0, p_upright=True).name == "sinus"
    assert named(x, r, spikes_s=()).paced_share == 0.0 and named(x, r).paced_share is None


@pytest.mark.parametrize("bpm", [150.0, 180.0, 220.0])
def test_broad_regular_tachycardia_is_ventricular(bpm: float) -> None:
    """By a wide QRS, and by one repeating wave where no QRS could be delineated."""
    r = regular(bpm)
    beats = np.ones(r.size, dtype=bool)
    assert named(strip(r, ectopic=beats), r, qrs_ms={0: 160.0}).name == "ventricular_tachycardia"
    phase = 2 * np.pi * T_S * bpm / 60
    x = (SIDES["wave"] * np.sin(phase) + 0.3 * SIDES["wave2"] * np.sin(2 * phase + 1)).astype(np.float32)
    m = named(x, r, qrs_ms={0: math.nan})
    assert m.name == "ventricular_tachycardia" and m.dominant_hz == pytest.approx(bpm / 60, abs=0.1)
    assert named(x, r[:0]).name == "ventricular_tachycardia"


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("mv", [0.15, 0.6])
def test_chaotic_waves_without_a_qrs_are_ventricular_fibrillation(seed: int, mv: float) -> None:
    """With no beat found, and with false beats of many shapes."""
    x = ventricular_chaos(seed, mv=mv)
    m = named(x, np.zeros(0))
    assert m.name == "ventricular_fibrillation"
    assert 2.0 <= (m.dominant_hz or 0) <= 9.0 and (m.leakage or 1) < 0.406
    r = irregular(seed)
    assert named(x, r, label=np.arange(r.size) % 5 - 1).name == "ventricular_fibrillation"


@pytest.mark.parametrize("bpm", [50.0, 80.0, 130.0])
def test_a_heart_that_beats_is_not_in_ventricular_fibrillation(bpm: float) -> None:
    """Even where nobody found the beats or their shapes."""
    r = regular(bpm)
    assert named(strip(r), r[:0]).name == "unknown"
    assert named(strip(r), r, label=np.full(r.size, -1)).name not in ("ventricular_fibrillation", "asystole")


def test_silence_is_asystole_only_where_the_leads_are_on() -> None:
    """Noise of 5 µV and slow wander in usable leads is asystole; with every electrode off nothing is known."""
    x = (0.005 * np.random.default_rng(1).normal(size=(12, N)) + 0.2 * T_S / 10).astype(np.float32)
    m = named(x, np.zeros(0))
    assert m.name == "asystole" and m.longest_pause_s == 10.0 and (m.activity_mv or 1) < 0.1
    off = named(x, np.zeros(0), usable=np.zeros(12, dtype=bool))
    assert off.name == "unknown" and off.activity_mv is None
    waves = np.float32(0.15) * bumps(np.arange(0.5, 10), 0.03).astype(np.float32)
    x[3] += waves
    assert (
        named(x, np.zeros(0)).name == "asystole"
    )  # one electrode that came off does not speak for the others
    x[4:9] += waves
    assert named(x, np.zeros(0)).name == "unknown"  # waves in half of the leads, perhaps P


def test_an_input_that_neither_drifts_nor_breathes_is_no_asystole() -> None:
    """Microvolts of an amplifier's own noise, however many, are no heart that stands still: nothing is known."""
    x = (0.005 * np.random.default_rng(1).normal(size=(12, N))).astype(np.float32)
    assert named(x, np.zeros(0)).name == "unknown"
    assert named(x + (0.02 * np.sin(T_S)).astype(np.float32), np.zeros(0)).name == "asystole"


def test_waves_without_shape_or_order_are_fibrillation_whatever_was_taken_for_beats() -> None:
    """Where no beat resembles another and no QRS stands out; a narrow QRS in the same disorder stands out."""
    chaos, r = ventricular_chaos(3), irregular(3, 110.0)
    none = np.full(r.size, -1)
    assert named(chaos, r, label=none, qrs_ms={}).name == "ventricular_fibrillation"
    assert named(strip(r, p=False), r, label=none, qrs_ms={}).name != "ventricular_fibrillation"


def test_p_waves_that_go_their_own_way_have_no_pr() -> None:
    """Windows before the beats that hold no common P; fibrillation and its like have none by their name."""
    assert not without_p(Rhythm(name="sinus", p_coherence=0.8))
    assert not without_p(Rhythm(name="unknown"))
    assert without_p(Rhythm(name="junctional_or_unknown", p_coherence=0.0))
    assert without_p(Rhythm(name="atrial_fibrillation", p_coherence=0.8))


@pytest.mark.parametrize(
    "x",
    [
        np.full((12, N), np.nan),
        np.full((12, N), np.inf),
        np.zeros((12, N)),
        np.full((12, N), 1e30),
        np.zeros((12, 0)),
        np.ones((12, 30)),
        np.random.default_rng(0).normal(size=(12, N)) * 50,
    ],
)
@pytest.mark.parametrize("beats", [0, 1, 2, 3, 12, 60])
def test_odd_input_raises_nothing(x: np.ndarray, beats: int) -> None:
    """NaN, silence, huge values, nothing at all; and odd beats with them."""
    r = np.linspace(0.1, 9.9, beats)
    assert named(x.astype(np.float32), r).beats == beats
    assert named(x.astype(np.float32), r, qrs_ms={}, label=np.full(beats, 9)).name
    assert (
        named(x.astype(np.float32), np.append(r[::-1], [math.nan, -1.0, 1e300]), duration_s=math.nan).beats
        == beats
    )


def test_one_lead_is_enough_and_equal_input_gives_equal_bits() -> None:
    """A monitor's single lead has a rhythm; the strip is not changed."""
    r = regular(70.0)
    largest = int(np.abs(SIDES["p"]).argmax())
    x = strip(r)[largest : largest + 1]
    before = x.copy()
    one = named(x, r, leads=("II",), usable=np.ones(1, dtype=bool), pr_ms=160.0, p_upright=True)
    two = named(x, r, leads=("II",), usable=np.ones(1, dtype=bool), pr_ms=160.0, p_upright=True)
    assert one == two and one.name == "sinus"
    np.testing.assert_array_equal(x, before)


def ludb_rhythm(folder: Path, number: int) -> Rhythm:
    """The rhythm of a LUDB record from the cardiologists' own beats; the strip is levelled at each onset."""
    record = wfdb.rdrecord(str(folder / "data" / str(number)))
    mark = wfdb.rdann(str(folder / "data" / str(number)), "ii")
    marked = [
        (symbol, int(mark.sample[i - 1]), int(mark.sample[i]), int(mark.sample[i + 1]))
        for i, symbol in enumerate(mark.symbol[1:-1], start=1)
        if symbol in "pN"
    ]
    qrs = [wave for wave in marked if wave[0] == "N"]
    pr = [q[1] - p[1] for p, q in pairwise(marked) if p[0] == "p" and q[0] == "N"]
    y = record.p_signal.T
    first, last = qrs[0][1] - 150, qrs[-1][3] + 150
    level = [y[:, q[1] - 10 : q[1] - 2].mean(axis=1) for q in qrs]
    at = np.arange(y.shape[1])
    y = y - np.stack([np.interp(at, [q[1] - 6 for q in qrs], row) for row in np.array(level).T])
    y = y[:, max(first, 0) : last]
    y = y[:, : y.shape[1] // 4 * 4].reshape(12, -1, 4).mean(axis=2)
    r = (np.array([q[2] for q in qrs]) - max(first, 0)) / 500
    p_mv = float(
        np.median([record.p_signal[p[2], 1] - record.p_signal[p[1], 1] for p in marked if p[0] == "p"] or [0])
    )
    return measure_rhythm(
        r_s=r,
        label=np.zeros(len(qrs), dtype=np.int64),
        qrs_ms={0: 2 * float(np.median([q[3] - q[1] for q in qrs]))},
        slow_mv=y.astype(np.float32),
        leads=STANDARD_12,
        usable=np.ones(12, dtype=bool),
        duration_s=y.shape[1] / SLOW_RATE_HZ,
        pr_ms=2 * float(np.median(pr)) if len(pr) >= len(qrs) / 2 else math.nan,
        p_upright=p_mv > 0,
        onset_s=float(np.median([q[2] - q[1] for q in qrs])) / 500,
    )


@pytest.mark.data
def test_sinus_of_ludb_is_not_called_fibrillation_and_fibrillation_is_found(data_dir: Path) -> None:
    """Records from 101 on, which chose no number: no sinus rhythm is fibrillation, 95 % are sinus."""
    table: Counter[tuple[str, str]] = Counter()
    with (data_dir / "ludb" / "ludb.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            truth = row["Rhythms"].strip().splitlines()[0]
            if int(row["ID"]) > 100 and not row["Cardiac pacing"].strip():
                table[truth.split()[0], ludb_rhythm(data_dir / "ludb", int(row["ID"])).name] += 1
    sinus = {name: count for (truth, name), count in table.items() if truth == "Sinus"}
    assert sinus.get("atrial_fibrillation", 0) == 0
    assert sinus["sinus"] >= 0.95 * sum(sinus.values())
    atrial = {name: count for (truth, name), count in table.items() if truth == "Atrial"}
    assert atrial["atrial_fibrillation"] + atrial["atrial_flutter"] >= sum(atrial.values()) - 1
