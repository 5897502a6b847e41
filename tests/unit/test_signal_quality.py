"""A lead that may not be trusted is named, in both languages, and the others are left alone."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from greenchannel.signal.leads import STANDARD_12
from greenchannel.signal.measure import measure
from greenchannel.signal.quality_words import WORDS
from greenchannel.signal.recording import Recording
from greenchannel.signal.synthesis import synthesize


def changed(recording: Recording, lead: str, samples: NDArray[np.floating] | float) -> Recording:
    """The recording with one lead replaced."""
    x = recording.samples_mv.copy()
    x[recording.leads.index(lead)] = samples
    return Recording(samples_mv=x, leads=recording.leads, rate_hz=recording.rate_hz)


def codes(recording: Recording) -> set[tuple[str, str | None]]:
    """What the quality messages of a recording say, without the words."""
    return {(m.code, m.lead) for m in measure(recording).quality.messages}


@pytest.mark.parametrize("lead", ["V1", "V4", "V6"])
def test_a_dead_lead_is_named_and_the_others_stay(lead: str) -> None:
    """One electrode off: it alone is bad, its values are None, the other leads measure as before within 5 µV."""
    options = {"scenario": "extensive_anterior_high_lateral_stemi", "noise_mv": 0.01, "seed": 6}
    whole = measure(synthesize(**options))  # type: ignore[arg-type]  # keywords of three types
    m = measure(synthesize(dead_leads=(lead,), **options))  # type: ignore[arg-type]
    assert m.quality.bad_leads == (lead,)
    assert m.quality.acceptable
    assert m.leads[lead].stj_mv is None and not m.leads[lead].usable
    message = next(q for q in m.quality.messages if q.lead == lead)
    assert message.zh == f"{lead} 电极脱落,请重新连接后再做一份"
    for name in STANDARD_12:
        if name != lead:
            assert m.leads[name].usable
            assert m.leads[name].stj_mv == pytest.approx(whole.leads[name].stj_mv, abs=0.005)


def test_a_lead_without_samples_is_named() -> None:
    """A lead of NaN is missing, the record goes on without it."""
    recording = changed(synthesize(noise_mv=0.01), "V6", np.nan)
    assert ("lead_missing", "V6") in codes(recording)
    assert measure(recording).quality.bad_leads == ("V6",)


def test_a_floating_electrode_full_of_mains_is_off() -> None:
    """A lead that carries nothing but mains hum counts as an electrode that fell off."""
    recording = synthesize(noise_mv=0.005)
    hum = 0.8 * np.sin(2 * np.pi * 50 * np.arange(5000) / 500)
    assert measure(changed(recording, "V5", hum)).quality.bad_leads == ("V5",)


def test_saturation_noise_and_steps_are_named() -> None:
    """A rail, tremor and a jump each have a name of their own."""
    recording = synthesize(noise_mv=0.005)
    t = np.arange(5000) / 500
    v3 = recording.lead("V3")
    rail = np.where((t > 4) & (t < 4.4), 5.0, v3)
    tremor = v3 + np.random.default_rng(1).normal(0, 0.15, 5000)
    step = v3 + np.where(t > 5.142 + 0.55, 1.2, 0.0)
    assert ("saturation", "V3") in codes(changed(recording, "V3", rail))
    assert ("hf_noise", "V3") in codes(changed(recording, "V3", tremor))
    assert ("steps", "V3") in codes(changed(recording, "V3", step))


def test_contradicting_limb_leads_are_named() -> None:
    """A limb lead that breaks Einthoven's and Goldberger's laws alone is the bad one."""
    recording = synthesize(noise_mv=0.005)
    assert ("einthoven_lead", "III") in codes(changed(recording, "III", 1.5 * recording.lead("III")))
    assert ("einthoven_lead", "aVL") in codes(changed(recording, "aVL", -recording.lead("aVL")))


def test_three_bad_leads_or_a_blind_territory_ask_for_a_new_record() -> None:
    """More than two bad leads, or no pair left on one wall, makes the record not acceptable."""
    three = measure(synthesize(dead_leads=("V2", "V5", "aVR"), noise_mv=0.01)).quality
    assert not three.acceptable and "too_many_bad_leads" in {m.code for m in three.messages}
    blind = measure(synthesize(dead_leads=("III", "aVF"), noise_mv=0.01)).quality
    assert not blind.acceptable
    assert any(m.code == "territory_unreadable" and "下壁" in m.zh for m in blind.messages)


@pytest.mark.parametrize("duration_s", [0.1, 2.0, 2.49])
def test_a_short_strip_is_refused_with_words(duration_s: float) -> None:
    """A strip of less than 2.5 s says so, and its values are None."""
    m = measure(synthesize(duration_s=duration_s))
    assert not m.quality.acceptable
    assert "too_short" in {q.code for q in m.quality.messages}
    assert m.heart_rate_bpm is None and m.median is None


def test_two_and_a_half_seconds_are_measured() -> None:
    """They hold two beats and what surrounds them."""
    m = measure(synthesize(duration_s=2.5, heart_rate_bpm=90))
    assert m.heart_rate_bpm is not None and "too_short" not in {q.code for q in m.quality.messages}


@pytest.mark.parametrize(("rate_hz", "measured"), [(99.0, False), (100.0, True)])
def test_a_strip_of_fewer_than_100_samples_a_second_is_not_measured(rate_hz: float, measured: bool) -> None:
    """There a QRS is a handful of samples; it is said."""
    m = measure(synthesize(rate_hz=rate_hz))
    assert ("low_rate" in {q.code for q in m.quality.messages}) is not measured
    assert (m.heart_rate_bpm is not None) is measured


def test_a_flat_line_has_no_beats() -> None:
    """Nothing but zero gives no beats, and the reader is told to look at the patient."""
    m = measure(
        Recording(samples_mv=np.zeros((12, 5000), dtype=np.float32), leads=STANDARD_12, rate_hz=500.0)
    )
    assert m.r_s == () and not m.quality.acceptable
    assert "no_qrs" in {q.code for q in m.quality.messages}


def test_a_gap_costs_its_beats_and_nothing_else() -> None:
    """Two seconds without any sample leave STJ where it was, within 10 µV, and no beat is found inside."""
    recording = synthesize(noise_mv=0.005, scenario="extensive_anterior_high_lateral_stemi", duration_s=12)
    x = recording.samples_mv.copy()
    x[:, 2600:3600] = np.nan
    gap = measure(Recording(samples_mv=x, leads=recording.leads, rate_hz=500.0, gaps=((2600, 3600),)))
    whole = measure(recording)
    assert not [r for r in gap.r_s if 5.2 <= r < 7.2]
    for name in STANDARD_12:
        assert gap.leads[name].stj_mv == pytest.approx(whole.leads[name].stj_mv, abs=0.010)


def test_the_machine_never_says_normal() -> None:
    """No message calls anything normal, in either language."""
    assert not any("normal" in en.lower() or "正常" in zh for en, zh in WORDS.values())


@pytest.mark.parametrize(
    ("low_hz", "high_hz", "reliable"),
    [
        (None, None, True),
        (0.05, 150.0, True),
        (0.16, 100.0, True),
        (0.25, 40.1, True),
        (0.56, 150.0, True),
        (0.67, 100.0, True),
        (0.67, 99.0, False),
        (0.7, 150.0, False),
        (0.3, 75.0, False),
        (0.5, 40.0, False),
        (None, 35.0, False),
        (0.67, None, False),
    ],
)
def test_filters_of_a_monitor_make_st_unreliable(
    low_hz: float | None, high_hz: float | None, reliable: bool
) -> None:
    """What the device says it cut away counts (SIG-1), and the clinic is told; saying nothing is no reason."""
    ecg = replace(synthesize(scenario="baseline_sinus", seed=3), low_cut_hz=low_hz, high_cut_hz=high_hz)
    quality = measure(ecg).quality
    assert (quality.st_reliable, quality.acceptable) == (reliable, True)
    assert ("monitor_mode" in {message.code for message in quality.messages}) is not reliable


@pytest.mark.parametrize(
    ("rate_hz", "said"), [(200.0, ["low_rate_st"]), (239.0, ["low_rate_st"]), (240.0, []), (500.0, [])]
)
def test_a_rate_too_low_for_st_has_a_name_of_its_own(rate_hz: float, said: list[str]) -> None:
    """Below 240 samples a second ST is not reliable; that is no monitor mode."""
    quality = measure(synthesize(rate_hz=rate_hz, seed=3, noise_mv=0.01)).quality
    assert [one.code for one in quality.messages if one.code in ("low_rate_st", "monitor_mode")] == said
    assert quality.st_reliable is not bool(said) and quality.acceptable


def test_twelve_times_the_same_lead_is_no_infarction() -> None:
    """Nor is a chest lead that shows a limb lead read; nobody is told that there was no heartbeat."""
    x = synthesize(scenario="extensive_anterior_high_lateral_stemi", noise_mv=0.01, seed=6).samples_mv
    same = Recording(samples_mv=np.repeat(x[7:8], 12, axis=0), leads=STANDARD_12, rate_hz=500.0)
    quality = measure(same).quality
    assert quality.bad_leads == STANDARD_12 and not quality.acceptable
    assert "no_qrs" not in {one.code for one in quality.messages}
    wired = np.array(x)
    wired[8] = wired[1]
    quality = measure(Recording(samples_mv=wired, leads=STANDARD_12, rate_hz=500.0)).quality
    assert quality.bad_leads == ("II", "V3") and not quality.acceptable


@pytest.mark.parametrize("cut_hz", [0.0, -1.0, float("nan"), float("inf")])
def test_a_cut_that_cannot_be_is_no_recording(cut_hz: float) -> None:
    """Unknown is None, and nothing else."""
    with pytest.raises(ValueError, match="cut_hz"):
        replace(synthesize(scenario="baseline_sinus", seed=3), low_cut_hz=cut_hz)
