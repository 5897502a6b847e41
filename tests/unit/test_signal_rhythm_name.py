"""What a rhythm is called at each limit of the table of rhythms, and one step beside it."""

import math

import pytest

from greenchannel.signal.rhythm_name import name

BEATING = {
    "beats": 10, "wide": 90.0, "dominant_share": 1.0, "pr": math.nan, "rate_bpm": 75.0, "irregularity": 0.02,
    "irregular_share": 0.0, "rr_min_s": 0.8, "rr_max_s": 0.8, "p_coherence": 0.0, "p_share": 1.0,
}  # fmt: skip
"""Regular narrow beats without P."""
SINUS = BEATING | {"pr": 0.16, "p_coherence": 0.8}
DISORDER = BEATING | {"irregularity": 0.11, "irregular_share": 0.4, "p_coherence": 0.2}
"""RR without order; the windows before the beats have something in common."""
NO_BEATS = {
    "beats": 0, "wide": math.nan, "dominant_share": 0.0, "pr": math.nan, "rate_bpm": math.nan,
    "irregularity": math.nan, "irregular_share": math.nan,
}  # fmt: skip
WAVES = {
    "activity_mv": 1.0, "size": 0.6, "leakage": 0.3, "dominant_hz": 5.0, "organisation": 0.5,
    "concentration": 0.3, "smoothness": 0.25, "live_mv": 0.01,
}  # fmt: skip
CHAOS = NO_BEATS | WAVES

VF, VT, AF = "ventricular_fibrillation", "ventricular_tachycardia", "atrial_fibrillation"
JUNCTIONAL, FLUTTER = "junctional_or_unknown", "atrial_flutter"


def called(base: dict[str, float], changes: dict[str, float], *, upright: bool = True) -> str:
    return name(base | changes, upright)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, VF),
        ({"leakage": 0.405}, VF),  # Kuo & Dillman's leakage where waves are large,
        ({"leakage": 0.406}, "unknown"),
        ({"size": 0.39, "leakage": 0.624}, VF),  # and where they are smaller than 0.4 mV
        ({"size": 0.39, "leakage": 0.625}, "unknown"),
        ({"size": 0.4, "leakage": 0.5}, "unknown"),
        ({"size": 0.15}, VF),
        ({"size": 0.149}, "unknown"),
        ({"dominant_hz": 2.0}, VF),  # 2 to 9 Hz (CV-2)
        ({"dominant_hz": 1.99}, "unknown"),
        ({"dominant_hz": 9.0}, VF),
        ({"dominant_hz": 9.01}, "unknown"),
        ({"organisation": 0.8, "concentration": 0.5}, VT),  # one wave that repeats
        ({"organisation": 0.79, "concentration": 0.5}, VF),
        ({"organisation": 0.8, "concentration": 0.49}, VF),
    ],
)
def test_waves_in_place_of_beats_are_fibrillation_or_tachycardia(
    changes: dict[str, float], expected: str
) -> None:
    """By their size, rate and likeness, where no beat was found."""
    assert called(CHAOS, changes) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"beats": 2}, VF),
        ({"dominant_share": 0.49}, VF),
        ({"wide": math.nan}, VF),
        ({"beats": 3, "dominant_share": 0.5}, "sinus"),
    ],
)
def test_beats_that_can_be_relied_on_are_no_fibrillation(changes: dict[str, float], expected: str) -> None:
    """Three beats, half of them alike, with a QRS that has borders; otherwise the waves decide."""
    assert called(SINUS | WAVES, changes) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "asystole"),
        ({"activity_mv": 0.099}, "asystole"),
        ({"activity_mv": 0.1}, "unknown"),  # [K Kerber 1997]
        ({"live_mv": 0.003}, "asystole"),
        ({"live_mv": 0.0029}, "unknown"),  # an input that does not even drift
        ({"beats": 1}, "unknown"),
    ],
)
def test_a_still_trace_on_living_skin_is_asystole(changes: dict[str, float], expected: str) -> None:
    """Below 0.1 mV without a single beat, while the baseline drifts as it does on skin."""
    assert called(NO_BEATS | {"activity_mv": 0.02, "live_mv": 0.01, "size": 0.01}, changes) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"paced_share": 0.5, "paced_atrium_share": 0.0}, "paced"),
        ({"paced_share": 0.0, "paced_atrium_share": 0.5}, "paced"),
        ({"paced_share": 0.49, "paced_atrium_share": 0.49}, "sinus"),
    ],
)
def test_half_of_the_beats_with_a_spike_are_paced(changes: dict[str, float], expected: str) -> None:
    """Of the ventricle or of the atrium."""
    assert called(SINUS, changes) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, VF),
        ({"wide": 159.9}, "irregular"),
        ({"irregularity": 0.1}, VT),  # in order: a tachycardia
        ({"irregular_share": 0.39}, VT),
        ({"leakage": 0.625}, "irregular"),
        ({"dominant_hz": 3.0}, VF),
        ({"dominant_hz": 2.99}, "irregular"),
        ({"dominant_hz": 9.0}, VF),
        ({"dominant_hz": 9.01}, "irregular"),
    ],
)
def test_broad_waves_without_order_are_no_beats(changes: dict[str, float], expected: str) -> None:
    """From 160 ms on, irregular, one beside the other, three to nine a second."""
    broad = DISORDER | {"wide": 160.0, "leakage": 0.624, "dominant_hz": 5.0, "rate_bpm": 150.0}
    assert called(broad, changes) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, VF),
        ({"smoothness": 0.29}, "irregular"),  # a narrow QRS stands out
        ({"dominant_hz": 3.0}, VF),
        ({"dominant_hz": 2.99}, "irregular"),
        ({"dominant_hz": 9.0}, VF),
        ({"dominant_hz": 9.01}, "irregular"),
        ({"leakage": 0.624}, VF),
        ({"leakage": 0.625}, "irregular"),
        ({"size": 0.149}, "irregular"),
        ({"irregularity": 0.1}, "unknown"),
        ({"irregular_share": 0.39}, "unknown"),
        ({"dominant_share": 0.5}, "irregular"),
    ],
)
def test_waves_of_no_shape_and_no_order_are_fibrillation(changes: dict[str, float], expected: str) -> None:
    """However many of them were taken for beats, where nothing narrow stands out."""
    shapeless = {"dominant_share": 0.3, "dominant_hz": 5.0, "leakage": 0.5, "size": 0.5, "smoothness": 0.3}
    assert called(DISORDER | shapeless, changes) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, VT),
        ({"concentration": 0.49}, JUNCTIONAL),
        ({"smoothness": 0.199}, JUNCTIONAL),
        ({"wide": 99.9}, JUNCTIONAL),  # so narrow a QRS is not ventricular
        ({"rate_bpm": 99.9}, JUNCTIONAL),
        (DISORDER | {"wide": 100.0, "rate_bpm": 100.0, "organisation": 0.8}, VT),
        (DISORDER | {"wide": 100.0, "rate_bpm": 100.0, "organisation": 0.79}, "irregular"),
    ],
)
def test_one_wave_that_repeats_is_a_ventricular_tachycardia(changes: dict[str, float], expected: str) -> None:
    """From 100 a minute on (CV-3), unless the QRS is narrow; a disorder must come back after each cycle."""
    wave = {"wide": 100.0, "rate_bpm": 100.0, "concentration": 0.5, "smoothness": 0.2}
    assert called(BEATING | wave, changes) == expected


@pytest.mark.parametrize(
    ("changes", "upright", "expected"),
    [
        ({}, True, "sinus"),
        ({"p_share": 0.79}, True, VT),
        ({"dominant_share": 0.89}, True, VT),
        ({"pr": 0.12}, True, "sinus"),
        ({"pr": 0.119}, True, VT),
        ({}, False, VT),
        ({"p_coherence": 0.34}, True, VT),
    ],
)
def test_a_p_before_every_beat_is_no_ventricular_tachycardia(
    changes: dict[str, float], upright: bool, expected: str
) -> None:
    """Nine of ten beats alike, eight of ten with the common P, 120 ms before the QRS or more."""
    wave = {"wide": 100.0, "rate_bpm": 110.0, "concentration": 0.5, "smoothness": 0.2}
    led = SINUS | wave | {"dominant_share": 0.9, "p_share": 0.8}
    assert called(led, changes, upright=upright) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, VT),
        ({"wide": 119.9}, JUNCTIONAL),
        ({"rate_bpm": 119.9}, "unknown"),
        ({"pr": 0.12, "p_coherence": 0.8, "p_share": 0.0}, "sinus"),
        ({"pr": 0.119, "p_coherence": 0.8}, VT),  # the foot of its own QRS
    ],
)
def test_a_regular_broad_rhythm_from_120_a_minute_is_ventricular(
    changes: dict[str, float], expected: str
) -> None:
    """Unless a P leads it: below, P may hide."""
    assert called(BEATING | {"wide": 120.0, "rate_bpm": 120.0}, changes) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, FLUTTER),
        ({"flutter_match": 0.39}, JUNCTIONAL),
        ({"flutter_ratio": 0.59}, JUNCTIONAL),
        ({"rr_max_s": 0.625}, JUNCTIONAL),  # RR differ by just half a cycle of 250 ms: all may be the same …
        ({"rr_max_s": 0.625, "flutter_match": 0.6}, FLUTTER),  # … and the waves must be the more alike
        ({"rr_max_s": 0.625, "flutter_match": 0.59}, JUNCTIONAL),
        ({"flutter_bpm": 230.0, "rr_max_s": 0.9}, FLUTTER),
        ({"flutter_bpm": 229.9, "rr_max_s": 0.9}, JUNCTIONAL),
        ({"flutter_bpm": 350.0}, FLUTTER),
        ({"flutter_bpm": 350.1}, JUNCTIONAL),
    ],
)
def test_waves_of_230_to_350_a_minute_are_flutter(changes: dict[str, float], expected: str) -> None:
    """Where they repeat and RR are whole numbers of them."""
    waves = {"flutter_match": 0.4, "flutter_ratio": 0.6, "flutter_bpm": 240.0}
    assert called(BEATING | waves | {"rr_min_s": 0.5, "rr_max_s": 0.626}, changes) == expected


@pytest.mark.parametrize(
    ("changes", "upright", "expected"),
    [
        ({}, False, AF),
        ({"fibrillatory_share": 0.279}, False, "irregular"),
        ({"p_coherence": 0.35}, False, "irregular"),
        ({"pr": 0.16}, True, "irregular"),
        ({"pr": 0.16}, False, AF),
        ({"fibrillatory_share": 0.0, "p_coherence": 0.149}, False, AF),
        ({"fibrillatory_share": 0.0, "p_coherence": 0.15}, False, "irregular"),
        ({"irregularity": 0.1}, False, JUNCTIONAL),
        ({"irregular_share": 0.39}, False, JUNCTIONAL),
    ],
)
def test_disorder_without_p_is_atrial_fibrillation(
    changes: dict[str, float], upright: bool, expected: str
) -> None:
    """No common P at all, or hardly one and waves of 4 to 9 Hz."""
    disorder = DISORDER | {"p_coherence": 0.34, "fibrillatory_share": 0.28}
    assert called(disorder, changes, upright=upright) == expected


@pytest.mark.parametrize(
    ("changes", "upright", "expected"),
    [
        ({"beats": 3}, True, "sinus"),
        ({"beats": 2}, True, "unknown"),
        ({"pr": 0.09}, True, "sinus"),
        ({"pr": 0.089}, True, JUNCTIONAL),
        ({"pr": 0.4}, True, "sinus"),
        ({"pr": 0.401}, True, JUNCTIONAL),
        ({}, False, JUNCTIONAL),
        ({"p_coherence": 0.35}, True, "sinus"),
        ({"p_coherence": 0.349}, True, JUNCTIONAL),
        ({"p_coherence": 0.5, "irregularity": 0.11, "irregular_share": 0.4}, True, "sinus"),
        ({"p_coherence": 0.49, "irregularity": 0.11, "irregular_share": 0.4}, True, "irregular"),
    ],
)
def test_sinus_has_an_upright_p_that_leads_to_the_qrs(
    changes: dict[str, float], upright: bool, expected: str
) -> None:
    """PR of 90 to 400 ms, the same before the beats; the more so where they are irregular."""
    assert called(SINUS, changes, upright=upright) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"wide": 119.9}, JUNCTIONAL),
        ({"wide": 120.0}, "unknown"),
        ({"dominant_share": 0.5}, JUNCTIONAL),
        ({"dominant_share": 0.49}, "unknown"),
        ({"rate_bpm": 130.0}, JUNCTIONAL),
        ({"rate_bpm": 130.1}, "unknown"),
        ({"rate_bpm": 149.9}, "unknown"),
        ({"rate_bpm": 150.0}, "supraventricular_tachycardia"),
    ],
)
def test_narrow_regular_beats_without_p_are_named_by_their_rate(
    changes: dict[str, float], expected: str
) -> None:
    """Junctional up to 130 a minute, supraventricular from 150 on, unknown between."""
    assert called(BEATING, changes) == expected
