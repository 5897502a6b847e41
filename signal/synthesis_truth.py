"""What is known of a simulated strip."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from greenchannel.signal.leads import ALL
from greenchannel.signal.recording import Recording
from greenchannel.signal.synthesis_strip import Strip
from greenchannel.signal.synthesis_tables import Floats
from greenchannel.signal.synthesis_waves import Marks, waves

# MEAS-2: the baseline is the mean from 20 to 4 ms before the QRS; MEAS-3: levels at J and after it.
BASELINE_S: Final = np.arange(-0.020, -0.003, 0.002)
AFTER_J_S: Final = np.array([0.0, 0.020, 0.040, 0.060, 0.080])


@dataclass(frozen=True, kw_only=True, slots=True)
class Beat:
    """One beat whose QRS lies in the strip; seconds from the first sample, None where there is no such wave."""

    kind: str
    """``normal``, ``ectopic``, ``paced``, ``ventricular`` or ``escape``."""
    qrs_on_s: float
    r_s: float
    """Where the heart vector of the QRS is longest."""
    qrs_off_s: float
    """J."""
    p_on_s: float | None = None
    p_off_s: float | None = None
    t_on_s: float | None = None
    t_peak_s: float | None = None
    """Where the T bump of the vector is highest."""
    t_off_s: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Truth:
    """What a strip was made of.

    Levels are those of one noise-free beat of the dominant kind, against the mean of
    [QRSon − 20, QRSon − 4 ms], as the strip shows them (with exchanged cables, where asked), for every
    lead of `leads.ALL`. Fibrillatory waves, flutter waves and pacing spikes are no part of them. Empty
    where nothing beats.
    """

    leads: tuple[str, ...]
    stj_mv: dict[str, float]
    st20_mv: dict[str, float]
    st40_mv: dict[str, float]
    st60_mv: dict[str, float]
    st80_mv: dict[str, float]
    beats: tuple[Beat, ...]
    p_on_s: tuple[float, ...]
    """Onsets of all P waves in the strip, those without a beat included."""
    p_length_s: float | None
    spikes_s: tuple[float, ...]
    """Onsets of pacing spikes."""
    rhythm: str
    conduction: str
    territory: str | None
    reversal: str | None
    ventricular_bpm: float | None
    flutter_bpm: float | None
    clean_mv: Floats
    """``(leads, samples)``, the heart alone, without disturbances or dead leads."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Simulated:
    """A strip and what it was made of."""

    recording: Recording
    truth: Truth


def levels(strip: Strip) -> tuple[dict[str, float], ...]:
    """STJ, ST20, ST40, ST60 and ST80 of the dominant kind of beat in every lead of `ALL`; empty without beats."""
    kinds = [kind for _, kind in strip.plan.beats if kind != "ectopic"]
    if not kinds:
        return ({}, {}, {}, {}, {})
    form = strip.forms[max(sorted(set(kinds)), key=kinds.count)]
    at = np.concatenate((BASELINE_S, form.marks.qrs_off_s + AFTER_J_S))
    seen = strip.seen @ waves(form, at)
    level = seen[:, BASELINE_S.size :] - seen[:, : BASELINE_S.size].mean(axis=1, keepdims=True)
    return tuple(dict(zip(ALL, column, strict=True)) for column in level.T.tolist())


def truth_of(
    strip: Strip, *, rhythm: str, conduction: str, territory: str | None, reversal: str | None
) -> Truth:
    """All that is known of a strip."""
    end = float(strip.t[-1])
    beats = tuple(
        _beat(strip.forms[kind].marks, kind, at, end)
        for at, kind in strip.plan.beats
        if at >= 0 and at + strip.forms[kind].marks.qrs_off_s <= end
    )
    p_on = [at for at in strip.plan.lone_p_s if strip.p_length_s is not None]
    for at, kind in strip.plan.beats:
        on = strip.forms[kind].marks.p_on_s
        p_on += [] if on is None else [at + on]
    onsets = sorted(at for at, _ in strip.plan.beats)
    made = levels(strip)
    return Truth(
        leads=strip.leads,
        stj_mv=made[0],
        st20_mv=made[1],
        st40_mv=made[2],
        st60_mv=made[3],
        st80_mv=made[4],
        beats=tuple(sorted(beats, key=lambda beat: beat.qrs_on_s)),
        p_on_s=tuple(sorted(at for at in p_on if 0 <= at <= end - (strip.p_length_s or 0.0))),
        p_length_s=strip.p_length_s,
        spikes_s=strip.spikes_s,
        rhythm=rhythm,
        conduction=conduction,
        territory=territory,
        reversal=reversal,
        ventricular_bpm=60.0 * (len(onsets) - 1) / (onsets[-1] - onsets[0]) if len(onsets) > 1 else None,
        flutter_bpm=None if strip.plan.flutter_hz is None else 60.0 * strip.plan.flutter_hz,
        clean_mv=strip.clean_mv,
    )


def _beat(marks: Marks, kind: str, at: float, end: float) -> Beat:
    def seen(first: float | None, last: float | None, which: float | None) -> float | None:
        """A border of a wave that lies in the strip from end to end."""
        whole = first is not None and last is not None and at + first >= 0 and at + last <= end
        return at + which if whole and which is not None else None

    p, t = (marks.p_on_s, marks.p_off_s), (marks.t_on_s, marks.t_off_s)
    return Beat(
        kind=kind,
        qrs_on_s=at,
        r_s=at + marks.r_s,
        qrs_off_s=at + marks.qrs_off_s,
        p_on_s=seen(*p, p[0]),
        p_off_s=seen(*p, p[1]),
        t_on_s=seen(*t, t[0]),
        t_peak_s=seen(*t, marks.t_peak_s),
        t_off_s=seen(*t, t[1]),
    )
