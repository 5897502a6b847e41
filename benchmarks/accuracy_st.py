"""ST of real recordings: known shapes added after J, and levels at the J that cardiologists marked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.accuracy_data import Case, Samples, cases, changed, clean, version
from benchmarks.accuracy_labels import HEALTHY, group_of
from benchmarks.accuracy_marks import borders, read_marks
from benchmarks.accuracy_report import Row, Table, Topic, Value
from benchmarks.accuracy_scoring import match
from benchmarks.accuracy_stats import of_records, p95_of_size
from benchmarks.accuracy_synthesis import error_values
from benchmarks.harness import Json
from greenchannel.signal.leads import STANDARD_12
from greenchannel.signal.measure import measure
from greenchannel.signal.recording import Recording

RISE_S: Final = 0.008  # a shape begins this long before J and is whole at J
SHAPES: Final = {"plateau": 0.0, "climbing": 0.4, "sagging": -0.4}  # change over the 80 ms after J, in shares
HELD_S, FALL_S = 0.08, 0.20
# I and II, from which the other limb leads follow, and V1–V6, in mV.
TERRITORIES: Final[Mapping[str, tuple[float, float, tuple[float, ...]]]] = {
    "anterior": (0.05, 0.0, (0.15, 0.30, 0.35, 0.25, 0.10, 0.0)),
    "inferior": (-0.05, 0.20, (0.0, -0.10, -0.10, 0.0, 0.0, 0.05)),
    "lateral": (0.15, 0.05, (-0.05, -0.10, 0.0, 0.05, 0.15, 0.20)),
}
MUST_UV, AIM_UV = 15.0, 8.0


def levels_mv(territory: str) -> dict[str, float]:
    """What is added at J in every lead."""
    one, two, chest = TERRITORIES[territory]
    limbs = (one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2)
    return dict(zip(STANDARD_12, (*limbs, *chest), strict=True))


def shape(t: Samples, change: float) -> Samples:
    """The added shape over `t` in s from J: 0 before the rise, 1 at J, gone after the fall."""
    up = np.clip(t / RISE_S + 1, 0.0, 1.0)
    down = np.clip((t - HELD_S) / FALL_S, 0.0, 1.0)
    slope = 1 + change * np.clip(t / HELD_S, 0.0, 1.0)
    return np.asarray(_smooth(up) * (1 - _smooth(down)) * slope)


def _smooth(u: Samples) -> Samples:
    return np.asarray(u * u * (3 - 2 * u))


def with_st(
    recording: Recording, j_s: Sequence[float], levels: Mapping[str, float], change: float
) -> Recording:
    """A recording with the same shape after each J."""
    t = np.arange(recording.samples_mv.shape[1]) / recording.rate_hz
    added = np.zeros_like(t)
    for j in j_s:
        low, high = np.searchsorted(t, [j - RISE_S, j + HELD_S + FALL_S])
        added[low:high] = np.maximum(added[low:high], shape(t[low:high] - j, change))

    def add(rows: dict[str, Samples]) -> None:
        for lead, level in levels.items():
            rows[lead] += level * added

    return changed(recording, add)


def j_of_every_beat(case: Case) -> list[float]:
    """J of every beat: by LUDB's marks, a beat that nobody marked like the others; elsewhere by our own reading."""
    m = case.measured
    if case.set != "ludb":
        return [beat.qrs_off_s for beat in m.beats if beat.qrs_off_s is not None]
    marks = read_marks(case.path)
    pairs = [
        (at, m.r_s[j])
        for i, j in match(marks.sure_s, m.r_s)
        if (at := borders(marks, marks.sure_s[i]).get("qrs_off")) is not None
    ]
    if not pairs:
        return []
    usual = float(np.median([at - r for at, r in pairs]))
    marked = {r: at for at, r in pairs}
    return [marked.get(r, r + usual) for r in m.r_s]


@dataclass(kw_only=True)
class _Added:
    """Errors in µV of one altered recording, in leads that got something and in those that got nothing."""

    case: Case
    territory: str
    shape: str
    given: list[float]
    spared: list[float]
    silent: int  # leads usable before and not after


def _alter(found: Sequence[Case]) -> Iterator[_Added]:
    for case in found:
        j_s = j_of_every_beat(case)
        if not j_s:
            continue
        before = case.measured
        for territory, kind in zip(TERRITORIES, _turned(tuple(SHAPES), case), strict=True):
            levels = levels_mv(territory)
            after = measure(with_st(case.recording, j_s, levels, SHAPES[kind]))
            one = _Added(case=case, territory=territory, shape=kind, given=[], spared=[], silent=0)
            for lead, level in levels.items():
                old, new = before.leads[lead], after.leads[lead]
                if old.stj_mv is None or not old.usable:
                    continue
                if new.stj_mv is None or not new.usable:
                    one.silent += 1
                    continue
                (one.given if level else one.spared).append((new.stj_mv - old.stj_mv - level) * 1000)
            yield one


def _turned(kinds: tuple[str, ...], case: Case) -> tuple[str, ...]:
    """Each record meets each shape once, in another territory than its neighbour."""
    by = sum(map(ord, case.record)) % len(kinds)
    return kinds[by:] + kinds[:by]


def topic(folder: Path, step: int = 1) -> Topic:
    """Added ST on clean records of LUDB and healthy controls of PTB; ST at the marked J of all LUDB."""
    made = Topic(name="st", title="ST at J on real recordings", intro=_INTRO)
    ludb = list(clean(cases(folder, ("ludb",), step)))
    healthy = [c for c in cases(folder, ("ptb-10s", "ptb-diagnostic")) if group_of(c.label) == HEALTHY][
        ::step
    ]
    ones = list(_alter([*ludb, *clean(healthy)]))
    marked = [one for one in ones if one.case.set == "ludb"]
    others = [one for one in ones if one.case.set != "ludb"]
    here, there = version(folder, "ludb"), version(folder, "ptb-10s", "ptb-diagnostic")
    made.rows += _rows(marked, "LUDB, all clean records", here)
    made.rows += _rows([one for one in marked if one.case.development], "LUDB, below 100", here)
    made.rows += _rows([one for one in marked if not one.case.development], "LUDB, above 100", here)
    made.rows += _rows(others, "PTB healthy controls, J by our own reading", there)
    made.rows += _marked_rows(cases(folder, ("ludb",), step), here)
    made.tables = [
        Table(title="Worst ten altered recordings", rows=_worst(ones)),
        Table(title="By shape and territory", rows=_by_shape(ones)),
    ]
    return made


def _rows(ones: Sequence[_Added], part: str, data: str) -> list[Row]:
    rows = []
    for what, side in (
        ("added ST recovered at J", "given"),
        ("leads without added ST stay as they were", "spared"),
    ):
        by_record: dict[str, list[float]] = {}
        for one in ones:
            by_record.setdefault(one.case.patient, []).extend(getattr(one, side))
        high = of_records(list(by_record.values()), p95_of_size)
        value = Value(name="95th pct of size", value=high[1] if high else None, ci95=high[2] if high else None,
                      unit="µV", must=MUST_UV, aim=AIM_UV, at_most=True)  # fmt: skip
        lost = sum(one.silent for one in ones)
        n = f"{len(by_record)} people, {len(ones)} alterations, {high[0] if high else 0} leads ({lost} lost)"
        rows.append(Row(what=what, n=n, values=(value,), data=data, chosen="LUDB < 100", reported=part))
    return rows


def _worst(ones: Sequence[_Added]) -> list[Json]:
    def size(one: _Added) -> float:
        return max(map(abs, one.given), default=0.0)

    return [
        {
            "record": f"{one.case.set} {one.case.record}",
            "territory": one.territory,
            "shape": one.shape,
            "largest error µV": round(size(one), 1),
            "leads no longer usable": one.silent,
            "label": one.case.label,
        }
        for one in sorted(ones, key=lambda one: -size(one))[:10]
    ]


def _by_shape(ones: Sequence[_Added]) -> list[Json]:
    rows: list[Json] = []
    for territory in TERRITORIES:
        for kind in SHAPES:
            some = [one.given for one in ones if (one.territory, one.shape) == (territory, kind)]
            told = "; ".join(value.text() for value in error_values(some, None, None))
            rows.append(
                {"territory": territory, "shape": kind, "alterations": len(some), "µV (95 % CI)": told}
            )
    return rows


def _marked_rows(found: Sequence[Case], data: str) -> list[Row]:
    """Our STJ against the plain level at the marked J: a second way that shares neither borders nor filters."""
    rows = []
    differences = {case: _at_marked_j(case) for case in found if case.measured.quality.acceptable}
    for part, inside in (
        ("all records", (True, False)),
        ("below 100", (True,)),
        ("above 100", (False,)),
    ):
        some = [errors for case, errors in differences.items() if case.development in inside]
        rows.append(
            Row(what="STJ minus the level at the marked J", n=f"{len(some)} records, {sum(map(len, some))} leads",
                values=error_values(some, None, None), data=data, chosen="LUDB < 100", reported=part)
        )  # fmt: skip
    return rows


def _at_marked_j(case: Case) -> list[float]:
    marks, m, recording = read_marks(case.path), case.measured, case.recording
    rate_hz = recording.rate_hz
    levels = []
    for at in marks.sure_s:
        beat = borders(marks, at)
        if "qrs_on" not in beat or "qrs_off" not in beat:
            continue
        on, j = round(beat["qrs_on"] * rate_hz), round(beat["qrs_off"] * rate_hz)
        first, last = on - round(0.020 * rate_hz), on - round(0.004 * rate_hz)
        if first >= 0 and j + 1 < recording.samples_mv.shape[1]:
            x = recording.samples_mv.astype(np.float64)
            levels.append(x[:, j - 1 : j + 2].mean(axis=1) - x[:, first:last].mean(axis=1))
    if not levels:
        return []
    middle = np.median(np.array(levels), axis=0)
    return [
        (told - float(at)) * 1000
        for lead, at in zip(recording.leads, middle, strict=True)
        if m.leads[lead].usable and (told := m.leads[lead].stj_mv) is not None
    ]


_INTRO: Final = """
*Added ST*: a shape of known height is added to real recordings, whole at J and begun in the 8 ms before it, held for
80 ms (level, climbing or sagging by 40 %) and gone 200 ms later, in all leads of a territory, limb leads by
Einthoven's law; 0.05 to 0.35 mV. The recording is measured before and after, and the difference at J compared with
what was added. In LUDB J is the second-outermost of the cardiologists' marks; in PTB, where nobody marked, it is our
own reading. Recordings are those that the core itself calls sinus rhythm, acceptable and without a bad lead. *Level
at the marked J*: three samples at the marked J against the level before the marked QRS onset, median over the marked
beats, nothing filtered; there is no limit, for the marks scatter too and wander is in it.
"""
