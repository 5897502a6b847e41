"""The chain against the simulator, whose every level and border is known."""

import numpy as np
import pytest

from greenchannel.signal.leads import STANDARD_12, STANDARD_18
from greenchannel.signal.measure import measure
from greenchannel.signal.measurements import Measurements
from greenchannel.signal.recording import Recording
from greenchannel.signal.synthesis import PR_S, QRS_S, SCENARIOS, limb_table, synthesize

SCENARIO_LEADS = {
    "baseline_sinus": STANDARD_12,
    "extensive_anterior_high_lateral_stemi": STANDARD_12,
    "inferior_posterior_rv_stemi": STANDARD_18,
    "ventricular_ectopics": STANDARD_12,
}


def assert_stj(measured: Measurements, truth: dict[str, float], *, tol_mv: float = 0.025) -> None:
    """Every lead's STJ lies within the tolerance of IEC 60601-2-25 around the truth."""
    for name, lead in measured.leads.items():
        assert lead.stj_mv is not None, name
        assert lead.stj_mv == pytest.approx(truth[name], abs=tol_mv), name


@pytest.mark.parametrize("scenario", SCENARIO_LEADS)
@pytest.mark.parametrize("mains_hz", [50.0, 60.0, 50.2])
@pytest.mark.parametrize("rate_hz", [500.0, 1000.0, 250.0])
def test_levels_survive_noise_wander_and_mains(scenario: str, mains_hz: float, rate_hz: float) -> None:
    """STJ within 25 µV, QRS within 10 ms and rate within 1/min of the truth, in a trace as a clinic sends it."""
    recording = synthesize(
        leads=SCENARIO_LEADS[scenario],
        scenario=scenario,
        rate_hz=rate_hz,
        noise_mv=0.010,
        wander_mv=0.4,
        mains_mv=0.1,
        mains_hz=mains_hz,
        seed=11,
    )
    m = measure(recording)
    assert m.quality.acceptable and m.quality.bad_leads == ()
    assert_stj(m, SCENARIOS[scenario].stj_mv)
    assert m.qrs_ms == pytest.approx(QRS_S * 1000, abs=10)
    assert m.heart_rate_bpm == pytest.approx(75, abs=1)
    assert m.pr_ms == pytest.approx(PR_S * 1000, abs=20)
    assert m.rhythm == "sinus"


@pytest.mark.parametrize("rate_bpm", [40, 60, 90, 120, 150])
def test_rate_is_found_from_slow_to_fast(rate_bpm: int) -> None:
    """The heart rate is right within 1/min and every beat is found from 40 to 150/min."""
    m = measure(synthesize(heart_rate_bpm=rate_bpm, noise_mv=0.015, seed=rate_bpm))
    assert m.heart_rate_bpm == pytest.approx(rate_bpm, abs=1)


def test_a_t_wave_never_passes_for_p() -> None:
    """At 180/min, where T and P run into each other, PR is right or unknown."""
    m = measure(synthesize(heart_rate_bpm=180, noise_mv=0.02))
    assert m.pr_ms is None or m.pr_ms == pytest.approx(PR_S * 1000, abs=25)


def test_a_clean_strip_is_exact() -> None:
    """Without any disturbance STJ is right within 2 µV in every lead."""
    name = "extensive_anterior_high_lateral_stemi"
    assert_stj(measure(synthesize(scenario=name)), SCENARIOS[name].stj_mv, tol_mv=0.002)


def test_fibrillation_is_irregular_and_has_no_p() -> None:
    """Atrial fibrillation is called so, and has no PR interval."""
    m = measure(synthesize(scenario="atrial_fibrillation", noise_mv=0.01, duration_s=20, seed=5))
    assert m.rhythm == "atrial_fibrillation"
    assert m.pr_ms is None


def test_ectopic_beats_are_found_and_kept_out_of_the_median() -> None:
    """Ventricular ectopics are beats of their own with a broad QRS; the dominant QRS keeps its width."""
    m = measure(synthesize(scenario="ventricular_ectopics", noise_mv=0.01, duration_s=20))
    widths = [
        round((b.qrs_off_s - b.qrs_on_s) * 1000)
        for b in m.beats
        if b.qrs_on_s is not None and b.qrs_off_s is not None
    ]
    assert m.qrs_ms is not None and m.qrs_ms < 105
    assert sum(width > 130 for width in widths) == 5


def test_einthoven_and_goldberger_hold_in_the_simulator_and_in_what_is_measured() -> None:
    """I + III is II and the augmented leads sum to zero, in the samples and in STJ, within a rounding error."""
    recording = synthesize(scenario="inferior_posterior_rv_stemi", noise_mv=0.02, wander_mv=0.3, mains_mv=0.1)
    one, two, three = (recording.lead(n) for n in ("I", "II", "III"))
    assert np.abs(one + three - two).max() < 1e-6
    assert np.abs(sum(recording.lead(n) for n in ("aVR", "aVL", "aVF"))).max() < 1e-6
    stj = {name: lead.stj_mv or 0.0 for name, lead in measure(recording).leads.items()}
    # A median is not linear; half the tolerance of an amplitude is granted.
    for name, value in limb_table(stj["I"], stj["II"]).items():
        assert stj[name] == pytest.approx(value, abs=0.0125), name


def test_equal_input_gives_equal_bits() -> None:
    """Measuring twice gives the same values to the last bit, and a seed gives the same recording."""
    first, second = (synthesize(noise_mv=0.02, wander_mv=0.2, seed=4) for _ in range(2))
    assert np.array_equal(first.samples_mv, second.samples_mv)
    assert measure(first) == measure(second)


def test_borders_are_in_order_and_belong_to_each_beat() -> None:
    """There is one global and one lead-wise set of borders for each R, P before QRS before T."""
    m = measure(synthesize(noise_mv=0.01))
    assert len(m.beats) == len(m.r_s) == len(m.lead_beats["V2"])
    for r, beat in zip(m.r_s, m.beats, strict=True):
        marks = [beat.p_on_s, beat.p_off_s, beat.qrs_on_s, beat.qrs_off_s, beat.t_peak_s, beat.t_off_s]
        known = [value for value in marks if value is not None]
        assert known == sorted(known)
        if beat.qrs_on_s is not None and beat.qrs_off_s is not None:
            assert beat.qrs_on_s < r < beat.qrs_off_s


def test_scaled_samples_give_scaled_levels() -> None:
    """Twice the voltage gives twice every STJ."""
    once = synthesize(scenario="extensive_anterior_high_lateral_stemi", noise_mv=0.01, wander_mv=0.2)
    twice = Recording(samples_mv=2 * once.samples_mv, leads=once.leads, rate_hz=once.rate_hz)
    a, b = measure(once), measure(twice)
    for name in once.leads:
        assert (b.leads[name].stj_mv or 0) == pytest.approx(2 * (a.leads[name].stj_mv or 0), abs=0.004)
    assert b.qrs_ms == pytest.approx(a.qrs_ms, abs=2)


@pytest.mark.parametrize("climb_mv_s", [0.0, 2.0, 4.0, 6.0, 8.0, 12.0])
def test_an_st_segment_that_climbs_into_t_keeps_j(climb_mv_s: float) -> None:
    """However steeply ST climbs from J into a hyperacute T, J stays at the end of the QRS and its level is right."""
    scenario = "extensive_anterior_high_lateral_stemi"
    recording = synthesize(scenario=scenario, noise_mv=0.01, seed=3)
    samples_mv = recording.samples_mv.copy()
    t_s = np.arange(120) / recording.rate_hz
    climb_mv = climb_mv_s * np.where(t_s < 0.14, t_s, 0.14 * np.clip(1 - (t_s - 0.14) / 0.1, 0, 1))
    for beat in measure(synthesize(scenario=scenario, seed=3)).beats:
        if beat.qrs_on_s is None:
            continue
        j = round((beat.qrs_on_s + QRS_S) * recording.rate_hz)
        for row in (recording.leads.index(name) for name in ("V2", "V3", "V4", "V5")):
            part = samples_mv[row, j : j + 120]
            part += climb_mv[: part.size]
    m = measure(Recording(samples_mv=samples_mv, leads=recording.leads, rate_hz=recording.rate_hz))
    assert m.qrs_ms == pytest.approx(QRS_S * 1000, abs=10)
    # J is found up to 10 ms late, and ST has climbed by then.
    truth = SCENARIOS[scenario].stj_mv["V3"]
    assert truth - 0.025 <= (m.leads["V3"].stj_mv or 0) <= truth + 0.025 + 0.010 * climb_mv_s
