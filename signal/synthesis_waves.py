"""The wave forms of beats, and how they are laid on the time axis."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from greenchannel.signal.synthesis_conduction import CONDUCTIONS
from greenchannel.signal.synthesis_heart import PR_S, QRS_S, Heart, turned
from greenchannel.signal.synthesis_tables import SHAPES, Floats, Vector

# All [E] where nothing else is said.
LEVEL_BEFORE_J_S: Final = 0.008  # ST has its level this long before J
LEVEL_BEGINS: Final = 0.45  # share of the QRS in which ST begins to leave the baseline
ARCH_SKEW: Final = (
    0.5  # share by which an arch climbs faster than it falls; a power would climb infinitely fast at J [E]
)
HUMP_AFTER_J_S: Final = (0.085, 0.145)  # the hump of T is none before and whole after
WIDE_QT_SHARE: Final = 0.6  # how much of a wide QRS lengthens QT (Bogossian 2014: about half [K])
J_WAVE_MV: Final = 0.16  # notch of early repolarisation, against 0.1 mV (Macfarlane 2015 [K])
J_WAVE_S: Final = (-0.012, 0.024)  # its ends, from the end of the QRS before it
J_WAVE_VECTOR: Final = (0.80, 1.00, 0.13)
PR_BACK: Final = 0.8  # share of the QRS within which a depressed PR is given back
SHORTEST_PR_S: Final = 0.080
ECTOPIC_T_S: Final = 0.020  # the plain ectopic: its T begins after the QRS and ends after QT by this
R_STEP_S: Final = 0.0005
PR_DEPRESSION: Final = (-0.030, -0.080, 0.020)  # vector; II sinks by 0.09 mV
RR_FOR_QT_S: Final = (0.4, 1.5)  # beyond these the QT stays as it is [E]
J_NORMAL_VECTOR: Final = (0.26, 0.14, -0.58)  # V2 near 1
ONE_SIDED_QRS_S: Final = 0.12  # from here a conduction is a block, pacing or a bypass


Wave = tuple[float, float, float, Floats]
"""Start, end, skew, vector."""


def bump(u: Floats) -> Floats:
    """Smooth bump over 0…1, height 1, gone outside; steep enough that its ends can be seen."""
    arch = np.maximum(np.sin(np.pi * np.clip(u, 0.0, 1.0)), 0.0)
    height: Floats = arch * np.sqrt(arch)
    return height


def step(u: Floats) -> Floats:
    """Smooth step from 0 at 0 to 1 at 1."""
    v = np.clip(u, 0.0, 1.0)
    return v * v * (3 - 2 * v)


@dataclass(frozen=True, kw_only=True, slots=True)
class Marks:
    """Borders of one form of beat, seconds from the onset of its QRS; None: no such wave."""

    qrs_off_s: float
    r_s: float
    p_on_s: float | None = None
    p_off_s: float | None = None
    t_on_s: float | None = None
    t_peak_s: float | None = None
    t_off_s: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Form:
    """One form of beat as bumps of the vector, and the course of ST where it has one."""

    starts_s: Floats
    lengths_s: Floats
    skews: Floats
    vectors: Floats  # (bumps, 3)
    first_s: float
    last_s: float
    marks: Marks
    st: tuple[str, float] | None = None  # shape, sign
    levels: tuple[tuple[Vector, str], ...] = ()  # steady parts: normal J, secondary ST, PR
    t_skew: float = 1.0


def waves(form: Form, u: Floats) -> Floats:
    """The channels X, Y, Z, ST at times `u` from the onset of the QRS, shape ``(4, samples)``."""
    phase = np.clip((u - form.starts_s[:, None]) / form.lengths_s[:, None], 0.0, 1.0)
    skewed = form.skews != 1.0
    phase[skewed] **= form.skews[skewed, None]
    made = np.zeros((4, u.size))
    made[:3] = form.vectors.T @ bump(phase)
    for vector, kind in form.levels:
        course = _pr_course(form, u) if kind == "pr" else st_course(form, u, kind, 1.0)
        made[:3] += np.outer(vector, course)
    if form.st is not None:
        made[3] = st_course(form, u, *form.st)
    return made


def _pr_course(form: Form, u: Floats) -> Floats:
    """The atria's repolarisation: sinks during P, is given back within the QRS."""
    p_on = form.marks.p_on_s
    assert p_on is not None  # only a beat with P has this level
    course: Floats = step((u - p_on) / (-0.5 * p_on)) - step(u / (PR_BACK * form.marks.qrs_off_s))
    return course


def st_course(form: Form, u: Floats, name: str, sign: float) -> Floats:
    """The factor of the levels at J: 1 from 8 ms before J, gone at the end of T."""
    shape, marks = SHAPES[name], form.marks
    j, t_on, t_peak, t_off = marks.qrs_off_s, marks.t_on_s, marks.t_peak_s, marks.t_off_s
    assert t_on is not None and t_peak is not None and t_off is not None  # a form with ST has a T
    side = sign if shape.signed else 1.0
    rise = step((u - LEVEL_BEGINS * j) / ((1 - LEVEL_BEGINS) * j - LEVEL_BEFORE_J_S))
    back = j + shape.hold_s if shape.hold_s is not None else t_peak
    level = rise * (1 - step((u - back) / (t_off - back)))
    if shape.grow or shape.dome:
        way = np.clip((u - j) / (t_peak - j), 0.0, 1.0)
        v = (t_peak - j) / 0.1 * way * (1.5 - 0.5 * way * way)
        along = np.clip((u - j) / (t_off - j), 0.0, 1.0)
        arch = np.sin(np.pi * along * (1 + ARCH_SKEW * (1 - along)))
        level = level * (1 + side * (shape.grow * v**shape.power + shape.dome * arch))
    if shape.hump:
        low, high = (j + after for after in HUMP_AFTER_J_S)
        inside = np.clip((u - t_on) / (t_off - t_on), 0.0, 1.0)
        wave = bump(inside if form.t_skew == 1.0 else inside**form.t_skew)
        level = level + side * shape.hump * wave * step((u - low) / (high - low))
    return level


def form_of(
    heart: Heart, kind: str, conduction: str, rr_s: float, *, p: bool, st: tuple[str, float] | None
) -> Form:
    """The form of a beat of this kind and conduction at this distance of beats."""
    notched = heart.j_wave and kind == "normal"
    marks, skew = _marks(heart, conduction, rr_s, p=p, notched=notched)
    found = _bumps(heart, conduction, marks, skew, notched=notched)
    starts, ends, skews = (np.array([wave[i] for wave in found]) for i in range(3))
    form = Form(
        starts_s=starts,
        lengths_s=ends - starts,
        skews=skews,
        vectors=np.array([wave[3] for wave in found]),
        first_s=float(starts.min()),
        last_s=float(ends.max()),
        marks=marks,
        st=st,
        levels=_levels(heart, kind, conduction, p=p),
        t_skew=skew,
    )
    u = np.arange(0.0, marks.qrs_off_s, R_STEP_S)
    peak = u[np.argmax(np.square(waves(form, u)[:3]).sum(axis=0))]
    return replace(form, marks=replace(marks, r_s=float(peak)))


def _marks(heart: Heart, conduction: str, rr_s: float, *, p: bool, notched: bool) -> tuple[Marks, float]:
    """The borders of a beat, and the skew of its T."""
    path = CONDUCTIONS[conduction]
    qrs_s = path.qrs_s + heart.qrs_s - QRS_S
    qt_s = heart.qt_at_60_s * min(max(rr_s, RR_FOR_QT_S[0]), RR_FOR_QT_S[1]) ** (1 / 3)
    p_on = p_off = None
    if p:
        p_on = min(-heart.pr_s if path.pr_s is None else PR_S - heart.pr_s - path.pr_s, -SHORTEST_PR_S)
        p_off = min(p_on + heart.p_s, 0.0)
    j = qrs_s + J_WAVE_S[1] if notched else qrs_s
    t_on, t_off, skew = (
        j + heart.t_after_j_s,
        qt_s + WIDE_QT_SHARE * max(qrs_s - heart.qrs_s, 0.0),
        heart.t_skew,
    )
    if conduction == "ectopic":
        t_on, t_off, skew = qrs_s + ECTOPIC_T_S, qt_s + ECTOPIC_T_S, 1.0
    t_on = t_off - heart.t_length * (t_off - t_on)
    t_peak = t_on + 0.5 ** (1 / skew) * (t_off - t_on)
    marks = Marks(
        qrs_off_s=j, r_s=0.0, p_on_s=p_on, p_off_s=p_off, t_on_s=t_on, t_peak_s=t_peak, t_off_s=t_off
    )
    return marks, skew


def _bumps(heart: Heart, conduction: str, marks: Marks, skew: float, *, notched: bool) -> list[Wave]:
    """P, QRS, a notch at its end, and T."""
    path, turn = CONDUCTIONS[conduction], turned(heart.axis_deg, heart.turn_deg)
    qrs_s = path.qrs_s + heart.qrs_s - QRS_S
    found: list[Wave] = [
        (first * qrs_s, last * qrs_s, 1.0, heart.qrs_gain * turn @ np.array(size))
        for first, last, size in path.bumps
    ]
    if marks.p_on_s is not None and marks.p_off_s is not None:
        found += p_bumps(heart, marks.p_on_s, marks.p_off_s - marks.p_on_s)
    if notched:
        found.append((qrs_s + J_WAVE_S[0], qrs_s + J_WAVE_S[1], 1.0, J_WAVE_MV * np.array(J_WAVE_VECTOR)))
    t_vector = turn @ turned(heart.t_turn_deg, 0.0) @ np.array(heart.t_vector) * path.t_gain
    assert marks.t_on_s is not None and marks.t_off_s is not None  # every beat has a T
    secondary = _secondary(heart, path.t_added)
    found.append((marks.t_on_s, marks.t_off_s, skew, heart.t_gain * (t_vector + secondary)))
    return found


def _secondary(heart: Heart, vector: Vector) -> Floats:
    """A change of ST or T that the conduction makes: it turns and grows with this person's QRS, which it opposes."""
    opposed: Floats = heart.qrs_gain * turned(heart.axis_deg, heart.turn_deg) @ np.array(vector)
    return opposed


def _levels(heart: Heart, kind: str, conduction: str, *, p: bool) -> tuple[tuple[Vector, str], ...]:
    """What is steady: secondary ST, the normal height of J, the depression of PR."""
    found: list[tuple[Vector, str]] = []
    path = CONDUCTIONS[conduction]
    if any(path.j_vector):
        x, y, z = _secondary(heart, path.j_vector).tolist()
        found.append(((x, y, z), "concave"))
    # Ventricles that are activated from one side have no normal height of J.
    if heart.normal_j_mv and kind == "normal" and path.qrs_s < ONE_SIDED_QRS_S:
        x, y, z = (heart.normal_j_mv * part for part in J_NORMAL_VECTOR)
        found.append(((x, y, z), "concave"))
    if heart.pr_depression and p:
        found.append((PR_DEPRESSION, "pr"))
    return tuple(found)


def p_bumps(heart: Heart, on_s: float, length_s: float) -> list[Wave]:
    """The bumps of one P wave that begins at `on_s`."""
    turn = turned(0.5 * heart.axis_deg, 0.0) * heart.p_gain
    return [
        (on_s + a * length_s, on_s + b * length_s, 1.0, turn @ np.array(size)) for a, b, size in heart.p_waves
    ]


def lay(form: Form, onsets_s: Floats, t: Floats, channels: Floats) -> None:
    """Add a beat of this form at each onset to ``channels`` (4, samples)."""
    bounds = np.searchsorted(t, onsets_s[:, None] + np.array((form.first_s, form.last_s)))
    for on, (low, high) in zip(onsets_s, bounds, strict=True):
        if low < high:
            channels[:, low:high] += waves(form, t[low:high] - on)
