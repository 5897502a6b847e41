"""What the simulator says is so."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pytest
from numpy.typing import NDArray

from greenchannel.signal.leads import ALL, STANDARD_12, STANDARD_18
from greenchannel.signal.synthesis import (
    CONDUCTION_NAMES,
    SCENARIOS,
    SHAPES,
    TERRITORIES,
    Simulated,
    limb_table,
    simulate,
    synthesize,
)

NOISE: Final = {
    "emg_mv": 0.03,
    "white_mv": 0.01,
    "wander_mv": 0.3,
    "mains_mv": 0.1,
    "electrode_motion_mv": 0.3,
}


def rows(made: Simulated) -> dict[str, NDArray[np.float64]]:
    """The noise-free samples by lead."""
    return dict(zip(made.truth.leads, made.truth.clean_mv, strict=True))


def seen_levels(made: Simulated, after_j_s: float = 0.0) -> Iterator[NDArray[np.float64]]:
    """Levels after J in the clean samples of each whole normal beat, read as MEAS-2 says."""
    rate_hz = made.recording.rate_hz
    for beat in made.truth.beats:
        on, at = round(beat.qrs_on_s * rate_hz), round((beat.qrs_off_s + after_j_s) * rate_hz)
        last_s = 0.010 if beat.kind == "paced" else 0.004  # the spike is no level
        low, high = on - round(0.020 * rate_hz), on - round(last_s * rate_hz)
        if beat.kind != "ectopic" and low >= 0 and at < made.truth.clean_mv.shape[1]:
            yield made.truth.clean_mv[:, at] - made.truth.clean_mv[:, low : high + 1].mean(axis=1)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("territory", TERRITORIES)
def test_the_leading_lead_has_the_level_that_was_asked(territory: str, shape: str) -> None:
    """At J the territory's leading lead stands at `stj_mv`, whatever the shape and the sign."""
    for stj_mv in (0.23, -0.12):
        truth = simulate(territory=territory, stj_mv=stj_mv, st_shape=shape).truth
        assert truth.stj_mv[TERRITORIES[territory].leading] == pytest.approx(stj_mv, abs=1e-9)


@pytest.mark.parametrize(
    "options",
    [
        {"territory": "anterior", "stj_mv": 0.3, "st_shape": "climbing"},
        {"territory": "posterior", "stj_mv": 0.1, "st_shape": "downsloping"},
        {"territory": "inferior", "stj_mv": 0.2, "st_shape": "domed", "reversal": "LA/LL"},
        {"conduction": "lbbb", "territory": "anteroseptal", "stj_mv": 0.2},
        {"conduction": "rbbb"},
        {"conduction": "wpw"},
        {"rhythm": "paced", "territory": "inferior", "stj_mv": 0.1},
        {"rhythm": "ectopics", "territory": "lateral", "stj_mv": 0.2},
        {"pr_depression": True, "territory": "pericarditis", "stj_mv": 0.1, "st_shape": "concave"},
        {"j_wave": True},
        {"tall_t": True, "territory": "anteroseptal", "stj_mv": -0.15, "st_shape": "climbing"},
    ],
)
def test_the_truth_is_what_the_samples_show(options: dict[str, Any]) -> None:
    """Read against the PR level, the clean samples at J and 20 to 80 ms after it are the truth to a nanovolt."""
    made = simulate(leads=ALL, heart_rate_bpm=60, **options)
    truth = made.truth
    for after_s, levels in zip(
        (0.0, 0.02, 0.04, 0.06, 0.08),
        (truth.stj_mv, truth.st20_mv, truth.st40_mv, truth.st60_mv, truth.st80_mv),
        strict=True,
    ):
        told = np.array([levels[name] for name in ALL])
        beats = list(seen_levels(made, after_s))
        assert len(beats) >= 7
        for seen in beats:
            assert seen == pytest.approx(told, abs=1e-6)


def test_a_scenario_has_its_written_levels() -> None:
    """`SCENARIOS[name].stj_mv` is read off the strip of `synthesize`, lead by lead."""
    for name, scenario in SCENARIOS.items():
        if scenario.rhythm == "atrial_fibrillation":
            continue
        strip = synthesize(leads=ALL, scenario=name).samples_mv
        level = strip[:, 150 + 45] - strip[:, 140:149].mean(axis=1)
        assert level == pytest.approx(np.array([scenario.stj_mv[lead] for lead in ALL]), abs=1e-6)


def test_limb_leads_agree_through_every_disturbance() -> None:
    """Einthoven's and Goldberger's laws hold with noise, an electrode off the skin and exchanged cables."""
    for reversal in (None, "RA/LA", "LA/RL", "LL/V2"):
        made = simulate(variation=1, seed=3, reversal=reversal, lead_off=("LA",), **NOISE)  # type: ignore[arg-type]
        one, two = (made.recording.lead(name).astype(float) for name in ("I", "II"))
        for name in limb_table(0, 0):
            law = np.array([limb_table(a, b)[name] for a, b in zip(one[::50], two[::50], strict=True)])
            assert made.recording.lead(name)[::50] == pytest.approx(law, abs=1e-5)


RAISED: Final = {  # CLINICAL.md section 5: the leads that name a territory
    "septal": ("V1", "V2"),
    "anteroseptal": ("V1", "V2", "V3"),
    "anterior": ("V3", "V4", "V5"),
    "extensive_anterior": ("V1", "V2", "V3", "V4", "V5"),
    "anterolateral": ("V4", "V5", "V6", "I", "aVL"),
    "high_lateral": ("I", "aVL"),
    "lateral": ("I", "aVL", "V5", "V6"),
    "inferior": ("II", "III", "aVF"),
    "inferolateral": ("II", "III", "aVF", "V5", "V6"),
    "inferoposterior": ("II", "III", "aVF", "V7", "V8", "V9"),
    "posterior": ("V7", "V8", "V9"),
    "right_ventricular": ("V3R", "V4R", "V5R"),
}
OPPOSITE: Final = {
    "inferior": ("aVL", "I"),
    "inferoposterior": ("aVL", "V1", "V2", "V3"),
    "posterior": ("V1", "V2", "V3"),
    "high_lateral": ("III", "aVF"),
    "lateral": ("III", "aVF"),
    "extensive_anterior": ("III",),
    "diffuse_subendocardial": ("I", "II", "V3", "V4", "V5", "V6"),
    "pericarditis": ("aVR",),
}


@pytest.mark.parametrize("territory", RAISED)
def test_a_territory_shows_the_leads_that_name_it(territory: str) -> None:
    """With 0.45 mV in the chest, 0.3 mV in the limbs or 0.15 mV elsewhere its leads pass the STEMI thresholds."""
    leading = TERRITORIES[territory].leading
    size = 0.45 if leading in ("V2", "V3", "V4") else 0.15 if leading in ("V4R", "V8") else 0.30
    stj = simulate(territory=territory, stj_mv=size).truth.stj_mv
    for lead in RAISED[territory]:
        low = 0.05 if lead in STANDARD_18[12:] else 0.2 if lead in ("V2", "V3") else 0.1
        assert stj[lead] >= low, lead


@pytest.mark.parametrize("territory", OPPOSITE)
def test_the_opposite_leads_sink(territory: str) -> None:
    """Reciprocal depression reaches 0.05 mV where the leading lead has 0.3 mV."""
    stj = simulate(territory=territory, stj_mv=0.3).truth.stj_mv
    for lead in OPPOSITE[territory]:
        assert stj[lead] <= -0.05, lead


def test_focal_territories_leave_the_far_leads_alone() -> None:
    """A focal anterior injury reaches neither V1 nor the limbs; a septal one ends before V3's threshold."""
    anterior = simulate(territory="anterior", stj_mv=0.3).truth.stj_mv
    assert all(abs(anterior[lead]) < 0.05 for lead in ("V1", "V6", "I", "II", "III", "aVL", "aVF"))
    septal = simulate(territory="septal", stj_mv=0.3).truth.stj_mv
    assert septal["V1"] > 0.2 and septal["V3"] < 0.15 and septal["V4"] < 0.1


def test_exchanged_arm_cables_follow_the_algebra() -> None:
    """RA/LA: I′ = −I, II′ = III, III′ = II, aVR′ = aVL, aVF and the chest as they were."""
    right, wrong = rows(simulate()), rows(simulate(reversal="RA/LA"))
    assert wrong["I"] == pytest.approx(-right["I"])
    assert wrong["II"] == pytest.approx(right["III"])
    assert wrong["III"] == pytest.approx(right["II"])
    assert wrong["aVR"] == pytest.approx(right["aVL"])
    for lead in ("aVF", "V1", "V6"):
        assert wrong[lead] == pytest.approx(right[lead])


def test_other_exchanged_limb_cables_follow_theirs() -> None:
    """RA/LL: I′ = −III, II′ = −II, III′ = −I, aVR′ = aVF. LA/LL: I′ = II, III′ = −III, aVL′ = aVF."""
    right = rows(simulate())
    wrong = rows(simulate(reversal="RA/LL"))
    for mine, sign, other in (("I", -1, "III"), ("II", -1, "II"), ("III", -1, "I"), ("aVR", 1, "aVF")):
        assert wrong[mine] == pytest.approx(sign * right[other]), mine
    wrong = rows(simulate(reversal="LA/LL"))
    for mine, sign, other in (("I", 1, "II"), ("II", 1, "I"), ("III", -1, "III"), ("aVL", 1, "aVF")):
        assert wrong[mine] == pytest.approx(sign * right[other]), mine


@pytest.mark.parametrize(("reversal", "flat"), [("RA/RL", "II"), ("LA/RL", "III")])
def test_an_arm_cable_on_the_right_leg_flattens_one_lead(reversal: str, flat: str) -> None:
    """The lead between both legs is below 0.1 mV peak to peak, and Wilson's terminal moves in every chest lead."""
    right, wrong = rows(simulate()), rows(simulate(reversal=reversal))
    assert np.ptp(wrong[flat]) < 0.1
    assert all(np.ptp(wrong[lead]) > 0.3 for lead in ("I", "II", "III") if lead != flat)
    moved = wrong["V1"] - right["V1"]
    assert np.ptp(moved) > 0.1
    assert wrong["V5"] - right["V5"] == pytest.approx(moved)


def test_exchanged_chest_cables_exchange_two_rows() -> None:
    """V1/V2 swaps those rows alone; a limb cable on the chest moves all."""
    right, wrong = rows(simulate()), rows(simulate(reversal="V1/V2"))
    assert wrong["V1"] == pytest.approx(right["V2"]) and wrong["V2"] == pytest.approx(right["V1"])
    assert wrong["V3"] == pytest.approx(right["V3"]) and wrong["I"] == pytest.approx(right["I"])
    mixed = rows(simulate(reversal="LL/V2"))
    assert mixed["I"] == pytest.approx(right["I"])
    assert np.ptp(mixed["V3"] - right["V3"]) > 0.1


def test_equal_arguments_give_equal_bits_and_others_do_not() -> None:
    """A seed decides the person, the rhythm and the noise."""
    options: dict[str, Any] = {"variation": 1, "rhythm": "atrial_fibrillation", **NOISE}
    first, again, other = (simulate(seed=seed, **options) for seed in (7, 7, 8))
    assert first.recording.samples_mv.tobytes() == again.recording.samples_mv.tobytes()
    assert first.truth.beats == again.truth.beats and first.truth.stj_mv == again.truth.stj_mv
    assert first.recording.samples_mv.tobytes() != other.recording.samples_mv.tobytes()


def test_a_lead_does_not_depend_on_which_others_are_asked() -> None:
    """V2 of a two-lead strip is V2 of the eighteen leads, noise included."""
    options: dict[str, Any] = {"variation": 1, "seed": 2, **NOISE}
    few, many = (simulate(leads=leads, **options).recording for leads in (("V2", "II"), STANDARD_18))
    assert few.lead("V2") == pytest.approx(many.lead("V2"), abs=1e-6)


def test_one_heart_at_any_rate_of_sampling() -> None:
    """Strips at 250 and 1000 samples a second agree where both have a sample."""
    slow, fast = (simulate(rate_hz=rate, territory="inferior", stj_mv=0.2).truth for rate in (250.0, 1000.0))
    assert slow.clean_mv == pytest.approx(fast.clean_mv[:, ::4], abs=1e-9)
    assert slow.stj_mv == fast.stj_mv and slow.beats == fast.beats


@pytest.mark.parametrize("kind", ["white_mv", "emg_mv"])
def test_noise_has_the_size_that_was_asked(kind: str) -> None:
    """I, II, III and each chest lead have the asked RMS within 8 %, muscle noise keeps to its band."""
    options: dict[str, Any] = {kind: 0.04, "duration_s": 20.0, "leads": ALL, "seed": 1}
    made = simulate(**options)
    noise = made.recording.samples_mv - made.truth.clean_mv
    for lead, row in zip(ALL, noise, strict=True):
        if not lead.startswith("aV"):
            assert np.sqrt(np.mean(row**2)) == pytest.approx(0.04, rel=0.08), lead
    power = np.abs(np.fft.rfft(noise[6])) ** 2
    hz = np.fft.rfftfreq(noise.shape[1], 1 / 500)
    outside = power[(hz < 15) | (hz > 156)].sum() / power.sum()
    assert (outside < 1e-6) == (kind == "emg_mv")


def test_bursts_of_muscle_noise_come_and_go() -> None:
    """In bursts the noise of a second differs more than threefold over the strip; its RMS stays."""
    made = simulate(leads=("V2", "V3"), emg_mv=0.05, emg_bursts=True, duration_s=20, seed=4)
    noise = made.recording.samples_mv - made.truth.clean_mv
    seconds = np.sqrt(np.mean(noise.reshape(2, 20, 500) ** 2, axis=2))
    assert seconds.max() > 3 * seconds.min()
    assert np.sqrt(np.mean(noise**2)) == pytest.approx(0.05, rel=0.15)


def test_hum_has_its_frequency_and_wander_its_size() -> None:
    """Mains is one line at the asked frequency; breathing and drift stay within the asked size in the mean."""
    made = simulate(leads=("V4",), mains_mv=0.1, mains_hz=60.0, seed=5)
    spectrum = np.abs(np.fft.rfft(made.recording.samples_mv[0] - made.truth.clean_mv[0])) / 2500
    assert spectrum.argmax() == 600
    assert 0.05 < spectrum.max() <= 0.1
    made = simulate(leads=STANDARD_12, wander_mv=0.4, duration_s=30, seed=5)
    sizes = np.ptp(made.recording.samples_mv - made.truth.clean_mv, axis=1)
    assert 0.15 < sizes.mean() < 0.45


def test_a_strip_without_disturbances_is_the_heart_alone() -> None:
    """With nothing asked the samples are the clean ones; with a step asked they lie on it."""
    made = simulate(territory="anterior", stj_mv=0.3)
    assert made.recording.samples_mv == pytest.approx(made.truth.clean_mv, abs=1e-6)
    stepped = simulate(lsb_mv=0.005, white_mv=0.02).recording.samples_mv / 0.005
    assert stepped == pytest.approx(np.rint(stepped), abs=1e-3)


def area(made: Simulated, lead: str) -> float:
    """Net area of the first QRS, in mV·s."""
    beat, rate_hz = made.truth.beats[1], made.recording.rate_hz
    return float(
        rows(made)[lead][round(beat.qrs_on_s * rate_hz) : round(beat.qrs_off_s * rate_hz)].sum() / rate_hz
    )


def test_conduction_shapes_the_qrs() -> None:
    """Right block: R′ in V1, S in I. Left: broad R in I and V6, QS in V1, ST opposite. Fascicle: axis up and left."""
    made = {name: simulate(conduction=name) for name in CONDUCTION_NAMES}
    widths = {name: m.truth.beats[0].qrs_off_s - m.truth.beats[0].qrs_on_s for name, m in made.items()}
    assert widths["narrow"] < widths["lafb"] < 0.12 < widths["wpw"] < widths["rbbb"] < widths["lbbb"]
    late = slice(round((0.3 + 0.085) * 500), round((0.3 + 0.14) * 500))
    assert rows(made["rbbb"])["V1"][late].max() > 0.4 and rows(made["rbbb"])["I"][late].min() < -0.2
    left = made["lbbb"]
    assert area(left, "I") > 0.02 and area(left, "V6") > 0.04 and area(left, "V1") < -0.05
    assert left.truth.stj_mv["V1"] > 0.1 and left.truth.stj_mv["V6"] < -0.05
    axis = np.degrees(np.arctan2(2 / np.sqrt(3) * area(made["lafb"], "aVF"), area(made["lafb"], "I")))
    assert -90 < axis < -45
    first = made["wpw"].truth.beats[1]
    assert first.p_on_s is not None and first.qrs_on_s - first.p_on_s < 0.12


def test_traits_change_what_they_name() -> None:
    """Low voltage, tall, inverted and missing waves, notches at J, PR below TP."""
    plain, low = simulate(), simulate(low_voltage=True)
    assert max(np.ptp(rows(low)[lead]) for lead in STANDARD_12[:6]) < 0.5 < np.ptp(rows(plain)["II"])
    assert max(np.ptp(rows(low)[lead]) for lead in STANDARD_12[6:]) < 1.0
    peak = round(plain.truth.beats[0].t_peak_s * 500)  # type: ignore[operator]
    tall = simulate(tall_t=True)
    assert rows(tall)["V3"][round(tall.truth.beats[0].t_peak_s * 500)] > 2 * rows(plain)["V3"][peak]  # type: ignore[operator]
    assert rows(simulate(inverted_t=True))["V3"][peak] < -0.1
    assert simulate(missing_p=True).truth.p_on_s == ()
    notched = simulate(j_wave=True)
    j = round(notched.truth.beats[0].qrs_off_s * 500)
    assert rows(notched)["II"][j - 12 : j].max() > 0.1
    assert rows(simulate(pr_depression=True))["II"][145] < -0.05


def test_shapes_go_the_way_they_are_called() -> None:
    """80 ms after J the leading lead has climbed, kept or lost its level; a dome stands above its chord."""
    for stj_mv in (0.2, -0.15):
        change = {}
        for shape in SHAPES:
            truth = simulate(territory="inferior", stj_mv=stj_mv, st_shape=shape).truth
            change[shape] = truth.st80_mv["III"] - truth.stj_mv["III"]
        assert abs(change["plateau"]) < 0.025
        assert change["climbing"] > 0.025 > -0.025 > change["downsloping"]
    for shape, above in (("domed", True), ("concave", False)):
        made = simulate(territory="anterior", stj_mv=0.3, st_shape=shape)
        beat = made.truth.beats[0]
        assert beat.t_peak_s is not None
        trace = rows(made)["V4"][round(beat.qrs_off_s * 500) : round(beat.t_peak_s * 500)]
        assert (trace[len(trace) // 2] > (trace[0] + trace[-1]) / 2) == above


def test_persons_differ_and_the_standard_one_does_not() -> None:
    """Variation draws axis, sizes, lengths and places of electrodes; at 0 the seed changes nothing of the heart."""
    first, second = (simulate(seed=seed).truth.clean_mv for seed in (1, 2))
    assert np.array_equal(first, second)
    crowd = [simulate(seed=seed, variation=1) for seed in range(40)]
    height = np.array([np.ptp(rows(made)["V2"]) for made in crowd])
    assert 0.15 < height.std() / height.mean() < 0.6
    width = np.array([made.truth.beats[1].qrs_off_s - made.truth.beats[1].qrs_on_s for made in crowd])
    assert 0.003 < width.std() < 0.012 and width.min() > 0.07 and width.max() < 0.115
    assert all(made.truth.p_on_s for made in crowd)


def test_age_and_sex_have_modest_effects() -> None:
    """Young men have the highest J in V2, women a smaller QRS and a longer QT, the old an axis further left."""
    man, woman = simulate(age_years=25, sex="M"), simulate(age_years=25, sex="F")
    old = simulate(age_years=80, sex="M")
    assert 0.15 > man.truth.stj_mv["V2"] > old.truth.stj_mv["V2"] > 0.02 < woman.truth.stj_mv["V2"] < 0.06
    assert np.ptp(rows(woman)["V3"]) < np.ptp(rows(man)["V3"])
    late, early = woman.truth.beats[0], man.truth.beats[0]
    assert late.t_off_s is not None and early.t_off_s is not None and late.t_off_s > early.t_off_s
    assert area(old, "III") < area(man, "III")
    assert max(simulate().truth.stj_mv.values()) < 1e-9


def test_broken_rows_are_broken_as_asked() -> None:
    """Dead rows are 0, saturated ones stand at the rail for a while; a loose arm spares only the lead without it."""
    made = simulate(dead_leads=("V5",), saturated_leads=("V3",), white_mv=0.005)
    assert not made.recording.lead("V5").any()
    rail = np.abs(made.recording.lead("V3")).max()
    assert (np.abs(made.recording.lead("V3")) == rail).sum() > 50
    loose = simulate(lead_off=("LA",))
    off = np.abs(loose.recording.samples_mv - loose.truth.clean_mv).max(axis=1)
    assert off[STANDARD_12.index("II")] < 1e-6
    assert np.delete(off, 1).min() > 0.3


@pytest.mark.parametrize(
    "wrong",
    [
        {"territory": "apex"},
        {"st_shape": "round"},
        {"rhythm": "waltz"},
        {"conduction": "none"},
        {"reversal": "RA"},
        {"reversal": "RA/X"},
        {"lead_off": ("V10",)},
    ],
)
def test_an_unknown_name_is_an_error(wrong: dict[str, Any]) -> None:
    """The message has what was expected and what came."""
    with pytest.raises(KeyError, match=r"expected .* got"):
        simulate(**wrong)
