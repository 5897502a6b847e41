"""Every field of the measurements is what the part it comes from says, in its own unit."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from greenchannel.signal import alternans, arrhythmia, assembly, intervals, quality, reversal
from greenchannel.signal.amplitudes import amplitudes, baseline
from greenchannel.signal.assembly import assemble, unmeasured
from greenchannel.signal.cases import Case, Found, Known
from greenchannel.signal.delineation import Waves, waves
from greenchannel.signal.delineator import delineate
from greenchannel.signal.leads import STANDARD_12
from greenchannel.signal.measure import measure
from greenchannel.signal.measurements import Measurements
from greenchannel.signal.median import choose, median_beat
from greenchannel.signal.quality import LeadReasons
from greenchannel.signal.recording import Recording
from greenchannel.signal.reversal import Reversal
from greenchannel.signal.strip import Strip, condition
from greenchannel.signal.synthesis import simulate, synthesize

Singles = NDArray[np.float32]
RR_S = 0.8
FIELDS = [
    name for name in next(iter(measure(synthesize(duration_s=4)).leads.values()))._fields if name != "usable"
]


def taken_apart(recording: Recording) -> tuple[Strip, LeadReasons, dict[int, Found], np.ndarray]:
    """A strip, the borders of its classes and the beats of the first."""
    reasons = LeadReasons(recording.leads)
    strip = condition(recording, reasons)
    found, stacks = {}, []
    for number in range(int(strip.classes.label.max()) + 1):
        chosen = choose(strip.classes, number, strip.samples_mv.shape[1], 240, strip.valid)
        beat, stack = median_beat(strip.samples_mv, strip.classes, chosen)
        own = waves(beat, delineate(beat[None], RR_S).samples[0], recording.leads, reasons.usable)
        assert own is not None
        found[number] = Found(beat_mv=beat, waves=own)
        stacks.append(stack)
    return strip, reasons, found, stacks[0]


RECORDING = synthesize(noise_mv=0.01, seed=3, scenario="ventricular_ectopics", duration_s=12)
STRIP, _, FOUND, STACK = taken_apart(RECORDING)


def assembled(
    *,
    rr_s: float = RR_S,
    bad: str | None = None,
    code: str = "hf_noise",
    codes: tuple[str, ...] = (),
    strip: Strip | None = None,
    known: Known | None = None,
    beat_mv: Singles | None = None,
    **other: Any,
) -> Measurements:
    """The measurements of the strip, some borders of its first class replaced, one lead (or several) bad."""
    reasons = LeadReasons(STANDARD_12)
    if bad is not None:
        reasons.add(code, np.array([name in bad.split() for name in STANDARD_12]))
    beat = FOUND[0].beat_mv if beat_mv is None else beat_mv
    changed = FOUND | {0: Found(beat_mv=beat, waves=replace(FOUND[0].waves, **other))}
    case = case_of(changed, reasons, list(codes), rr_s=rr_s)
    return assemble([replace(case, strip=strip or STRIP, known=known)])[0]


def case_of(found: dict[int, Found], reasons: LeadReasons, codes: list[str], *, rr_s: float = RR_S) -> Case:
    """The strip with these borders."""
    return Case(
        recording=RECORDING, strip=STRIP, reasons=reasons, codes=codes, found=found, stack_mv=STACK, rr_s=rr_s,
        st_reliable=True, monitor=None,
    )  # fmt: skip


def codes_of(m: Measurements) -> set[str]:
    """The codes of what is said of its quality."""
    return {one.code for one in m.quality.messages}


def main() -> Waves:
    """Borders of the first class."""
    return FOUND[0].waves


def test_intervals_are_differences_of_borders_in_ms() -> None:
    """PR, QRS, QT and P of the first class; QTc by the RR that is told."""
    m, w = assembled(), main()
    corrected = intervals.corrected_qt((w.t_off - w.qrs_on) * 2, RR_S)
    assert m.pr_ms == pytest.approx((w.qrs_on - w.p_on) * 2) and m.p_ms == pytest.approx(
        (w.p_off - w.p_on) * 2
    )
    assert m.qrs_ms == (w.qrs_off - w.qrs_on) * 2 and m.qt_ms == pytest.approx((w.t_off - w.qrs_on) * 2)
    assert (m.qtc_bazett_ms, m.qtc_fridericia_ms) == (corrected.bazett_ms, corrected.fridericia_ms)
    assert (m.qtc_framingham_ms, m.qtc_hodges_ms) == (corrected.framingham_ms, corrected.hodges_ms)
    assert m.qtm_ms is None and m.class_qrs_ms == tuple(
        (one.waves.qrs_off - one.waves.qrs_on) * 2 for one in FOUND.values()
    )
    broad = assembled(qrs_off=w.qrs_on + 70)
    assert broad.qtm_ms == intervals.modified_qt(broad.qt_ms, 140.0)


def test_an_interval_as_long_as_a_beat_is_unknown() -> None:
    """It would belong to two beats; without RR it stays, and QTc is unknown."""
    on, t_off = main().qrs_on, main().t_off
    assert (
        assembled(t_off=on + 399.9).qt_ms == pytest.approx(799.8)
        and assembled(t_off=on + 400.0).qt_ms is None
    )
    assert (
        assembled(p_on=on - 399.9).pr_ms == pytest.approx(799.8) and assembled(p_on=on - 400.0).pr_ms is None
    )
    alone = assembled(rr_s=math.nan)
    assert alone.qt_ms == pytest.approx((t_off - on) * 2)
    assert alone.qtc_bazett_ms is None and alone.qtc_hodges_ms is None
    bare = assembled(t_off=math.nan, p_on=math.nan, p_off=math.nan)
    assert (bare.qt_ms, bare.pr_ms, bare.p_ms, bare.qtc_fridericia_ms) == (None, None, None, None)


def test_amplitudes_are_those_of_the_levelled_median_beat() -> None:
    """Field by field, flags as flags, NaN as None; axes from areas of usable leads."""
    m = assembled(bad="V3")
    beat = FOUND[0].beat_mv[None]
    beat = beat - baseline(beat, [main().qrs_on])[..., None]
    values = {name: one[0] for name, one in amplitudes(beat, [main().borders], [RR_S]).items()}
    for row, (name, lead) in enumerate(m.leads.items()):
        assert lead.usable == (name != "V3")
        for field in FIELDS:
            value, expected = getattr(lead, field), float(values[field][row])
            if field in ("j_slur", "t_low_last", "p_low_last"):
                assert value is bool(expected)
            else:
                assert value == pytest.approx(expected) if not math.isnan(expected) else value is None
    areas, usable = (
        (dict(zip(STANDARD_12, values[f"{wave}_area_mv_ms"], strict=True)) for wave in ("qrs", "p")),
        {*STANDARD_12},
    )
    qrs, p = areas
    assert m.axis_deg == pytest.approx(intervals.frontal_axis_deg(qrs, usable))
    assert m.p_axis_deg == pytest.approx(intervals.frontal_axis_deg(p, usable))
    t = dict(zip(STANDARD_12, values["t_area_mv_ms"], strict=True))
    assert m.t_axis_deg == pytest.approx(intervals.frontal_axis_deg(t, usable))
    assert assembled(bad="I").axis_deg == pytest.approx(intervals.frontal_axis_deg(qrs, usable - {"I"}))
    assert m.median is not None and np.array_equal(m.median.samples_mv, beat[0])
    assert (m.median.qrs_on_s, m.median.qrs_off_s) == (main().qrs_on / 500, main().qrs_off / 500)
    dead = assembled(bad="V3", code="lead_flat").leads["V3"]
    assert not dead.usable and dead.stj_mv is None and dead.j_slur is False


def test_every_beat_has_the_borders_of_its_class_at_its_r() -> None:
    """In seconds; unknown where they leave the strip, and for a beat of no class."""
    m, r, label = assembled(), STRIP.classes.r, STRIP.classes.label
    assert (
        m.r_s == tuple(r / 500)
        and m.beat_class == tuple(label)
        and m.heart_rate_bpm == pytest.approx(60 * 500 * (r.size - 1) / (r[-1] - r[0]))
    )
    for at, number, beat in zip(r, label, m.beats, strict=True):
        w = FOUND[int(number)].waves
        for value, border in zip(
            beat, (w.p_on, w.p_off, w.qrs_on, w.qrs_off, w.t_peak, w.t_off), strict=True
        ):
            place = at + border - 210
            inside = not math.isnan(border) and 0 <= place < STRIP.samples_mv.shape[1]
            assert value == (pytest.approx(place / 500) if inside else None)
    first, last = 210 - int(r[0]), 210 + STRIP.samples_mv.shape[1] - int(r[-1])
    assert (
        assembled(p_on=float(first)).beats[0].p_on_s == 0.0
        and assembled(p_on=first - 0.5).beats[0].p_on_s is None
    )
    assert label[-1] == 0
    assert assembled(t_peak=float(last)).beats[-1].t_peak_s is None
    assert assembled(t_peak=last - 1.0).beats[-1].t_peak_s == pytest.approx(
        (STRIP.samples_mv.shape[1] - 1) / 500
    )
    for row, name in enumerate(STANDARD_12):
        for at, number, own in zip(r, label, m.lead_beats[name], strict=True):
            learned = FOUND[int(number)].waves.lead[row]
            assert own.qrs_on_s == pytest.approx((at + learned[3] - 210) / 500) or own.qrs_on_s is None
            assert own.qrs_off_s == pytest.approx((at + learned[4] - 210) / 500) or own.qrs_off_s is None
            # P and T follow the beat itself, by no more than 40 ms.
            if own.t_peak_s is not None:
                assert own.t_peak_s == pytest.approx((at + learned[6] - 210) / 500, abs=0.041)
    assert all(beat.qrs_on_s is None for beat in assembled(bad="V3", code="lead_flat").lead_beats["V3"])


def test_levels_before_p_and_before_the_qrs_may_differ_by_50_uv() -> None:
    """More is named in the lead, whose evidence it does not take."""
    for step, named in ((0.046, False), (0.054, True)):
        moved = FOUND[0].beat_mv.copy()
        p = main().p_on
        beat = moved[None] - baseline(moved[None], [main().qrs_on])[..., None]
        tp = amplitudes(beat, [main().borders], [RR_S])["baseline_tp_mv"][0, 7]
        moved[7, : int(p) - 2] += step - tp
        reasons = LeadReasons(STANDARD_12)
        m = assemble([case_of(FOUND | {0: Found(beat_mv=moved, waves=main())}, reasons, [])])[0]
        assert (("baseline_disagree", "V2") in {(q.code, q.lead) for q in m.quality.messages}) == named
        assert m.leads["V2"].usable


def test_codes_that_were_found_before_are_said() -> None:
    """And a recording that cannot be measured says why, with its rate and rhythm."""
    assert "monitor_mode" in {q.code for q in assembled(codes=("monitor_mode",)).quality.messages}
    reasons = LeadReasons(STANDARD_12)
    m = unmeasured(RECORDING, STRIP, reasons, [], True, None)
    assert [q.code for q in m.quality.messages] == ["no_borders"] and not m.quality.acceptable
    assert (
        m.r_s == assembled().r_s
        and m.heart_rate_bpm == assembled().heart_rate_bpm
        and m.rhythm_detail is not None
    )
    assert len(m.beats) == len(m.lead_beats["V1"]) == len(m.r_s) and m.beats[0] == (None,) * 6
    assert m.lead_beats["V1"][0] == (None,) * 8 and m.median is None and not m.leads["V1"].usable
    nothing = unmeasured(RECORDING, None, reasons, ["too_short"], True, None)
    assert [q.code for q in nothing.quality.messages] == ["too_short"]
    assert (nothing.heart_rate_bpm, nothing.rhythm, nothing.r_s, len(nothing.beats)) == (
        None,
        "unknown",
        (),
        0,
    )


def test_fewer_than_three_beats_of_one_shape_are_told() -> None:
    """Two are measured all the same."""
    for duration_s, told in ((2.6, False), (2.5, False)):
        codes = {
            q.code for q in measure(synthesize(duration_s=duration_s, heart_rate_bpm=90)).quality.messages
        }
        assert ("few_beats" in codes) == told
    assert "few_beats" in {
        q.code for q in measure(synthesize(duration_s=2.6, heart_rate_bpm=50)).quality.messages
    }


def test_a_recording_is_assembled_in_company_as_alone() -> None:
    """Together with the same strip with other borders and a bad lead nothing changes."""
    other = FOUND | {0: Found(beat_mv=FOUND[0].beat_mv, waves=replace(main(), qrs_off=main().qrs_off + 30))}
    bad = LeadReasons(STANDARD_12)
    bad.add("lead_flat", np.array([name == "V3" for name in STANDARD_12]))
    cases = [
        case_of(FOUND, LeadReasons(STANDARD_12), []),
        case_of(other, bad, ["einthoven"], rr_s=math.nan),
        case_of(FOUND, LeadReasons(STANDARD_12), []),
    ]
    first, second, third = assemble(cases)
    assert first == third == assembled()
    assert second == assembled(
        qrs_off=main().qrs_off + 30, bad="V3", code="lead_flat", codes=("einthoven",), rr_s=math.nan
    )
    assert assemble([]) == []


def test_a_limb_lead_that_contradicts_the_others_is_named() -> None:
    """One limb lead with something of its own added: Einthoven's law fails, and the lead at fault is told."""
    strip = simulate(seed=3, emg_mv=0.005).recording
    samples = strip.samples_mv.copy()
    hum = np.float32(0.4) * np.sin(np.arange(samples.shape[1]) / 40).astype(np.float32)
    samples[strip.leads.index("aVL")] += hum
    found = measure(replace(strip, samples_mv=samples))
    assert [one.lead for one in found.quality.messages if one.code == "einthoven_lead"] == ["aVL"]


Heard = list[tuple[tuple[Any, ...], dict[str, Any]]]


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str], Heard]:
    """What a part is told from now on: it answers as ever, and each call with its arguments is kept."""

    def listen(module: Any, name: str) -> Heard:
        part, calls = getattr(module, name), []

        def told(*args: Any, **named: Any) -> Any:
            calls.append((args, named))
            return part(*args, **named)

        monkeypatch.setattr(module, name, told)
        return calls

    return listen


def called(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let the rhythm have this name."""
    monkeypatch.setattr(arrhythmia, "measure_rhythm", lambda **_: arrhythmia.Rhythm(name=name))


PACED = replace(STRIP, spikes=np.array([600, 1000]))
HALF = np.arange(STRIP.samples_mv.shape[1]) < 3000
GAPPED = replace(STRIP, valid=np.broadcast_to(HALF, STRIP.samples_mv.shape))
"""The last six of twelve seconds were not recorded."""


def test_beats_are_looked_at_from_20_ms_before_the_qrs_to_the_end_of_t(
    heard: Callable[[Any, str], Heard],
) -> None:
    """Where no T ends, to 200 ms behind the QRS; never before the beat begins."""
    looks, w = heard(quality, "look_at_beats"), main()
    assembled()
    assembled(t_off=math.nan)
    assembled(qrs_on=10)
    assert [call[0][2] for call in looks] == [
        slice(w.qrs_on - 10, int(w.t_off)),
        slice(w.qrs_on - 10, w.qrs_off + 100),
        slice(0, int(w.t_off)),
    ]


def test_the_rhythm_is_told_seconds_and_ms(heard: Callable[[Any, str], Heard]) -> None:
    """Beats, spikes and duration in seconds, PR and QRS in ms, where the QRS begins before R."""
    asked, w = heard(arrhythmia, "measure_rhythm"), main()
    assembled(strip=PACED)
    assembled(strip=GAPPED, p_on=math.nan, p_off=math.nan)
    (_, one), (_, two) = asked
    assert np.array_equal(one["r_s"], STRIP.classes.r / 500) and one["spikes_s"] == (1.2, 2.0)
    assert one["duration_s"] == pytest.approx(12.0) and one["onset_s"] == pytest.approx(
        (210 - w.qrs_on) / 500
    )
    assert one["pr_ms"] == pytest.approx((w.qrs_on - w.p_on) * 2) and math.isnan(two["pr_ms"])
    assert one["qrs_ms"] == {k: (f.waves.qrs_off - f.waves.qrs_on) * 2 for k, f in FOUND.items()}
    assert one["missing_s"] == () and two["missing_s"] == ((6.0, 12.0),)


def test_evidence_of_the_rhythm_rests_on_usable_leads(heard: Callable[[Any, str], Heard]) -> None:
    """While there is one; else on all that have a signal, as in fibrillation."""
    asked = heard(arrhythmia, "measure_rhythm")
    assembled(bad="V3")
    assembled(bad=" ".join(STANDARD_12), code="unstable_beats")
    assert asked[0][1]["usable"].tolist() == [name != "V3" for name in STANDARD_12]
    assert asked[1][1]["usable"].all()


@pytest.mark.parametrize(
    ("two", "one", "bad", "upright"),
    [
        (1.0, 1.0, None, True), (-1.0, 1.0, None, False), (0.0, 1.0, None, False), (1.0, -1.0, None, True),
        (-1.0, 1.0, "II", True), (1.0, -1.0, "II", False), (1.0, 1.0, "I II", False),
    ],
)  # fmt: skip
def test_p_is_upright_in_ii_or_else_in_i(
    two: float,
    one: float,
    bad: str | None,
    upright: bool,
    heard: Callable[[Any, str], Heard],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By its sign in the first of the two that is usable; without either it is not known to be."""
    monkeypatch.setattr(quality, "look_at_beats", lambda *_: None)  # its beats are not turned with it
    asked, beat = heard(arrhythmia, "measure_rhythm"), FOUND[0].beat_mv.copy()
    beat[0] *= np.float32(one)
    beat[1] *= np.float32(two)
    assembled(bad=bad, beat_mv=beat)
    assert asked[0][1]["p_upright"] is upright


def test_silence_and_alternans_are_told_where_the_beats_are(heard: Callable[[Any, str], Heard]) -> None:
    """R in seconds, gaps, and the QRS and T peak in samples from R."""
    silences, turns, w = heard(assembly, "silence"), heard(alternans, "t_alternans_mv"), main()
    m = assembled(strip=replace(GAPPED, spikes=PACED.spikes))
    assert silences[0][0][2] == tuple(STRIP.classes.r / 500) and silences[0][0][5] == ((6.0, 12.0),)
    assert (turns[0][1]["qrs_on"], turns[0][1]["t_peak"]) == (w.qrs_on - 210, w.t_peak - 210)
    assert m.pace_spikes_s == (1.2, 2.0) and assembled().pace_spikes_s == ()


def test_a_swap_is_looked_for_between_the_borders(heard: Callable[[Any, str], Heard]) -> None:
    """P and T only where they are known; where the leads were looked at before, what is known of them stands."""
    asked, w = heard(reversal, "find_all"), main()
    assembled()
    assembled(p_on=math.nan, p_off=math.nan, t_off=math.nan)
    (full,), (bare,) = asked[0][0][0], asked[1][0][0]
    assert (full.p, full.qrs, full.t_off) == ((w.p_on, w.p_off), (w.qrs_on, w.qrs_off), w.t_off)
    assert (bare.p, bare.qrs, bare.t_off) == (None, (w.qrs_on, w.qrs_off), None)
    swap = Reversal(rule="LEAD-1", swap=("RA", "LA"), en="arms", zh="双臂", confident=True)
    seen = assembled(known=Known(monitor=None, reversal=swap))
    assert seen.reversal_detail is swap and seen.quality.reversal == "LEAD-1" and asked[2][0][0] == []
    assert assembled().reversal_detail is None


def test_without_a_level_before_the_qrs_st_is_unknown() -> None:
    """Nothing that is measured against it: the waves of the QRS stay. A level that is not sure is said."""
    m, usual = assembled(level_known=False), assembled()
    for name, lead in m.leads.items():
        for field in ("stj_mv", "st20_mv", "st40_mv", "st60_mv", "st80_mv", "st_area_mv_ms", "jp_mv"):
            assert getattr(lead, field) is None
        assert lead.r_mv == usual.leads[name].r_mv and lead.t_mv == usual.leads[name].t_mv
        assert usual.leads[name].stj_mv is not None
    assert "baseline_uncertain" in codes_of(assembled(level_sure=False))
    assert "baseline_uncertain" not in codes_of(usual)


def test_where_the_rhythm_has_no_p_none_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """In fibrillation of the atria what was taken for P is none; QRS and T are measured as ever."""
    usual = assembled()
    called(monkeypatch, "atrial_fibrillation")
    m = assembled()
    assert (m.pr_ms, m.p_ms) == (None, None) and m.qt_ms == usual.qt_ms and m.p_axis_deg is None
    assert all(lead.p_mv is None and lead.stj_mv is not None for lead in m.leads.values())
    assert all(beat.p_on_s is None for beat in m.beats)
    called(monkeypatch, "sinus")
    m = assembled()
    assert m.pr_ms == usual.pr_ms and m.leads["II"].p_mv == usual.leads["II"].p_mv is not None


def test_fibrillation_of_the_ventricles_has_no_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither rate, intervals nor amplitudes; the strip is kept as it was found."""
    called(monkeypatch, "ventricular_fibrillation")
    m = assembled()
    assert (m.rhythm, m.heart_rate_bpm, m.qrs_ms, m.median) == ("ventricular_fibrillation", None, None, None)
    assert not any(lead.usable for lead in m.leads.values()) and "baseline_disagree" not in codes_of(m)
    assert m.beat_class == tuple(STRIP.classes.label)


@pytest.mark.parametrize(("count", "few"), [(0, True), (2, True), (3, False), (4, False)])
def test_three_beats_of_the_first_shape_are_enough(count: int, few: bool) -> None:
    """However many of others there are."""
    classes = STRIP.classes
    label = np.where(np.arange(classes.r.size) < count, 0, 1)
    m = assembled(strip=replace(STRIP, classes=replace(classes, label=label)))
    assert ("few_beats" in codes_of(m)) == few


@pytest.mark.parametrize(
    ("answer", "codes", "lead"),
    [(None, set(), None), ("", {"einthoven"}, None), ("aVL", {"einthoven_lead"}, "aVL")],
)
def test_limb_leads_that_contradict_each_other_are_told(
    answer: str | None, codes: set[str], lead: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that explains it; where none does, the recording as a whole."""
    monkeypatch.setattr(quality, "limb_contradiction", lambda *_: answer)
    m = assembled()
    named = {(one.code, one.lead) for one in m.quality.messages if one.code.startswith("einthoven")}
    assert named == {(code, lead) for code in codes}


def test_a_class_without_borders_has_no_qrs_duration() -> None:
    """The others have theirs, each in its place."""
    label = STRIP.classes.label.copy()
    label[0] = 2
    m = assembled(strip=replace(STRIP, classes=replace(STRIP.classes, label=label)))
    assert m.class_qrs_ms == (
        *((FOUND[k].waves.qrs_off - FOUND[k].waves.qrs_on) * 2 for k in (0, 1)),
        None,
    )


def test_a_dead_lead_leaves_the_others_as_they_are() -> None:
    """Each of the twelve is there, in order."""
    usual, m = assembled(), assembled(bad="V3", code="lead_flat")
    assert tuple(m.leads) == STANDARD_12
    assert all(m.leads[name][:9] == usual.leads[name][:9] for name in STANDARD_12 if name != "V3")


def test_what_cannot_be_measured_keeps_its_beats_and_spikes(heard: Callable[[Any, str], Heard]) -> None:
    """In seconds, with what is missing; without a beat it is said that none was found."""
    asked, silences = heard(arrhythmia, "measure_rhythm"), heard(assembly, "silence")
    strip, reasons = replace(GAPPED, spikes=PACED.spikes), LeadReasons(STANDARD_12)
    m = unmeasured(RECORDING, strip, reasons, [], True, None)
    r_s = tuple(STRIP.classes.r / 500)
    assert m.r_s == r_s and m.pace_spikes_s == (1.2, 2.0) and m.beat_class == tuple(STRIP.classes.label)
    assert tuple(asked[0][1]["r_s"]) == r_s and asked[0][1]["spikes_s"] == (1.2, 2.0)
    assert silences[0][0][2] == r_s and silences[0][0][5] == ((6.0, 12.0),)
    none = np.zeros(0, dtype=np.int64)
    empty = replace(STRIP, classes=replace(STRIP.classes, r=none, label=none))
    m = unmeasured(RECORDING, empty, reasons, [], True, None)
    assert codes_of(m) == {"no_qrs"} and m.heart_rate_bpm is None
    nothing = unmeasured(RECORDING, None, reasons, ["too_short"], True, None)
    assert nothing.pace_spikes_s == () and nothing.beat_class == () and silences[-1][0][5] == ()
