"""Recordings for the cases of the critical values, each by what decides."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

import numpy as np

from greenchannel.signal.leads import STANDARD_12
from greenchannel.signal.measurements import GlobalBeat, LeadBeat, MedianBeat
from greenchannel.signal.p_train import AtrialTrain
from greenchannel.signal.silence import Silence
from greenchannel.triage.finding import Earlier, Patient
from tests.rule_cases.kinds import MAN, Given
from tests.triage_measurements import measured

VT: Final = "ventricular_tachycardia"
AF: Final = "atrial_fibrillation"
WELL: Final = Patient(age_years=61, sex="male", symptoms=False, chest_pain=False)


def strip(
    kinds: Iterable[int], widths: Iterable[float], bpm: float, patient: Patient = MAN, **rhythm: Any
) -> Given:
    """Beats of these classes at an even distance."""
    labels = tuple(kinds)
    return Given(
        made=measured(
            r_s=tuple(60.0 * i / bpm for i in range(len(labels))),
            beat_class=labels,
            class_qrs_ms=tuple(widths),
            heart_rate_bpm=bpm,
            rhythm={"name": "sinus", "beats": len(labels), "rate_bpm": bpm, **rhythm},
        ),
        patient=patient,
    )


def run_of(beats: float, bpm: float = 140.0, width: float = 160.0, own: float = 90.0, **more: Any) -> Given:
    """A run of another shape among sinus beats."""
    return strip((0, 0, 0, *(1,) * int(beats), 0, 0), (own, width), bpm, **more)


def tachycardia(bpm: float, wide: int = 20, narrow: int = 0, **more: Any) -> Given:
    """Ventricular tachycardia with or without narrow beats behind it."""
    return strip((0,) * wide + (1,) * narrow, (160.0, 90.0), bpm, name=more.pop("name", VT), **more)


def shapes(count: float, beats: int = 12, bpm: float = 200.0, width: float = 200.0, **more: Any) -> Given:
    """Wide beats whose shape changes with every beat."""
    kinds = tuple(i % int(count) for i in range(beats))
    return strip(kinds, (width,) * int(count), bpm, **({"name": VT} | more))


def mostly_one(share: float) -> Given:
    """Ten wide beats of which one shape makes up a share."""
    same = round(10 * share)
    rest = tuple(1 + i % 2 for i in range(10 - same))
    return strip((0,) * same + rest, (200.0,) * 3, 200.0, name=VT)


def beside_block(wider: float) -> Given:
    """A run of three shapes beside a block, wider than it by this."""
    return strip((0, 0, 0, *(1, 2, 3) * 3, 0), (140.0, *(140.0 + wider,) * 3), 200.0)


def waves(**rhythm: Any) -> Given:
    """A strip in which no QRS can be measured."""
    told = {"name": "irregular", "leakage": 0.3, "dominant_hz": 5.0, "activity_mv": 1.0, "irregularity": 0.0}
    return Given(made=measured(qrs_ms=None, rhythm=told | rhythm))


def rate(bpm: float, name: str, **more: Any) -> Given:
    """A mean rate."""
    return Given(made=measured(heart_rate_bpm=bpm, rhythm={"name": name, "rate_bpm": bpm, **more}))


def slurred(delta_ms: float) -> MedianBeat:
    """A QRS that begins to climb steeply after so long."""
    first = round(delta_ms / 2) + 1
    climb = np.clip(np.arange(81) - first, 0, 5) - np.clip(np.arange(81) - first - 20, 0, 5)
    beat = np.tile(0.2 * climb, (12, 1)).astype(np.float32)
    return MedianBeat(rate_hz=500.0, samples_mv=beat, qrs_on_s=0.0, qrs_off_s=0.15)


def preexcited(
    rr_s: float = 0.22, irregularity: float = 0.3, qrs_ms: float = 150.0, kinds: int = 2, shaped: float = 1.0,
    name: str = "atrial_fibrillation", delta_ms: float | None = None,
) -> Given:  # fmt: skip
    """Atrial fibrillation with wide beats of several shapes."""
    known = round(20 * shaped)
    labels = tuple(i % kinds for i in range(known)) + (-1,) * (20 - known)
    made = measured(
        qrs_ms=qrs_ms,
        beat_class=labels,
        class_qrs_ms=(qrs_ms, *(qrs_ms + 30.0,) * (kinds - 1)),
        heart_rate_bpm=180.0,
        median=None if delta_ms is None else slurred(delta_ms),
        rhythm={"name": name, "rr_min_s": rr_s, "irregularity": irregularity, "beats": 20},
    )
    return Given(made=made)


def block(dissociation: float = 0.8, per_beat: float = 2.0, cv: float = 0.01, name: str = "unknown") -> Given:
    """A train of P waves beside an escape rhythm of 45/min."""
    train = AtrialTrain(atrial_bpm=45.0 * per_beat, dissociation=dissociation, seen=1.0, p_s=())
    rhythm = {"name": name, "rr_mean_s": 1.0, "sdnn_ms": cv * 1000.0, "beats": 8}
    return Given(made=measured(heart_rate_bpm=45.0, atrial_train=train, rhythm=rhythm))


def pause(
    seconds: float, name: str = "sinus", patient: Patient = MAN, leads: float = 12, beats: int = 6
) -> Given:
    """The longest RR interval, with so many leads usable."""
    rhythm = {"name": name, "longest_pause_s": seconds, "beats": beats}
    return Given(made=measured(dead=STANDARD_12[int(leads) :], rhythm=rhythm), patient=patient)


def unfinished(level_uv: float) -> Given:
    """A pause that lasts to the end of the strip, of this RMS."""
    rhythm = {"name": "sinus", "longest_pause_s": 3.4, "beats": 6, "pause_open": True}
    return Given(made=measured(rhythm=rhythm, silence=Silence(level_mv=level_uv / 1000.0, hum_mv=0.0)))


def silence(seconds: float = 10.0, leads: float = 12, hum_uv: float = 5.0, level_uv: float = 20.0) -> Given:
    """No beat at all."""
    rhythm = {"name": "asystole", "longest_pause_s": seconds, "beats": 0}
    made = measured(
        dead=STANDARD_12[int(leads) :],
        r_s=(),
        qrs_ms=None,
        rhythm=rhythm,
        silence=Silence(level_mv=level_uv / 1000.0, hum_mv=hum_uv / 1000.0),
    )
    return Given(made=made)


def spikes(
    count: float = 5, after_ms: float = 700.0, before_ms: float = 800.0, atrial: float | None = None
) -> Given:
    """Spikes, each `before_ms` behind one QRS and `after_ms` before the next; and a last one with its QRS."""
    r, at, told = 0.5, [], [0.5]
    for _ in range(int(count)):
        at.append(r + before_ms / 1000.0)
        r = at[-1] + after_ms / 1000.0
        told.append(r)
    at.append(r - 0.05)
    rhythm = {"name": "unknown", "beats": len(told), "paced_atrium_share": atrial}
    return Given(made=measured(r_s=tuple(told), pace_spikes_s=tuple(sorted(at)), rhythm=rhythm))


def qt(qtc_ms: float, patient: Patient = MAN, name: str = "sinus", bpm: float = 60.0, **more: Any) -> Given:
    """A QTc."""
    made = measured(qt_ms=qtc_ms, qtc_fridericia_ms=qtc_ms, heart_rate_bpm=bpm, rhythm={"name": name}, **more)
    return Given(made=made, patient=patient)


def potassium(value: float, sex: str | None = "male") -> Patient:
    """A patient with this potassium."""
    return Patient(age_years=61, sex=sex, potassium_mmol_l=value)


def early(
    ratio: float = 0.4,
    width: float = 160.0,
    before_ms: float = 60.0,
    dominant: float = 0.9,
    name: str = "sinus",
) -> Given:
    """Ten beats at 1 s of which one comes early, upon the T before it."""
    own = round(10 * dominant)
    kinds = [0, 0, 0, 1, *(0,) * (own - 3), *(-1,) * (9 - own)]
    r = [0.0, 1.0, 2.0, 2.0 + ratio, *(3.0 + ratio + i for i in range(6))]
    on = [at - 0.04 for at in r]
    off: list[float | None] = [at + 0.4 for at in r]
    off[2] = on[3] + before_ms / 1000.0
    beats = tuple(GlobalBeat(None, None, a, a + 0.1, None, b) for a, b in zip(on, off, strict=True))
    made = measured(
        r_s=tuple(r), beats=beats, beat_class=tuple(kinds), class_qrs_ms=(90.0, width), rhythm={"name": name}
    )
    return Given(made=made)


def alternans(uv: float) -> Given:
    """Every second T differs by so much."""
    return Given(made=measured(t_alternans_mv=uv / 1000.0, rhythm={"name": "sinus"}))


def tented(
    chest_uv: float = 1200.0, limb_uv: float = 0.0, base_ms: float = 160.0, symmetry: float = 1.0,
    qrs_ms: float = 150.0, t_qrs: float = 1.0, p: bool = False, bpm: float = 60.0, patient: Patient = MAN,
    name: str = "unknown",
) -> Given:  # fmt: skip
    """Tall T in V2 and V3, or in II and aVF."""
    fall = base_ms / 1000.0 * symmetry / (1.0 + symmetry)
    beat = LeadBeat(None, None, None, 0.5, 0.6, 0.7, 0.7 + base_ms / 1000.0 - fall, 0.7 + base_ms / 1000.0)
    tall = dict.fromkeys(("V2", "V3"), chest_uv) | dict.fromkeys(("II", "aVF", "III"), limb_uv)
    made = measured(
        qrs_ms=qrs_ms,
        pr_ms=160.0 if p else None,
        heart_rate_bpm=bpm,
        rhythm={"name": "sinus" if p else name},
        beat_class=(0, 0),
        class_qrs_ms=(qrs_ms,),
        waves={
            lead: {"t_mv": uv / 1000.0, "qrs_pp_mv": uv / 1000.0 / t_qrs}
            for lead, uv in tall.items()
            if uv > 0.0
        },
    )
    return Given(made=replace(made, lead_beats=dict.fromkeys(tall, (beat, beat))), patient=patient)


def right_heart(
    s1_uv: float = 0.0, q3_uv: float = 0.0, t3_uv: float = 0.0, t_uv: float = 0.0, leads: float = 4,
    bpm: float = 110.0, v1_uv: float = 0.0, before: tuple[Earlier, ...] = (),
) -> Given:  # fmt: skip
    """S, Q and T of an acutely strained right heart."""
    waves: dict[str, dict[str, float]] = {
        lead: {"t_mv": -t_uv / 1000.0} for lead in ("V1", "V2", "V3", "V4")[: int(leads)]
    }
    waves["I"] = {"s_mv": -s1_uv / 1000.0}
    waves["III"] = {"q_mv": -q3_uv / 1000.0, "t_mv": -max(t3_uv, t_uv) / 1000.0}
    made = measured({"V1": v1_uv / 1000.0}, waves=waves, heart_rate_bpm=bpm, rhythm={"name": "sinus"})
    return Given(made=made, earlier=before)


def sign_count(count: float) -> Given:
    """So many signs of embolism, inverted T first."""
    return right_heart(t_uv=200.0, bpm=110.0 if count >= 2 else 80.0, v1_uv=150.0 if count >= 3 else 0.0)
