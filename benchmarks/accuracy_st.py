"""ST of real recordings: known shapes added after J, and levels at the J that cardiologists marked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
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

SLOW_S, STEEP_S = 0.040, 0.008  # a shape begins this long before J and is whole at J
SHAPES: Final = {"plateau": 0.0, "climbing": 0.4, "sagging": -0.4}  # change over the 80 ms after J, in shares
HELD_S, FALL_S = 0.08, 0.20
# I and II, from which the other limb leads follow, and V1–V6, in mV.
TERRITORIES: Final[Mapping[str, tuple[float, float, tuple[float, ...]]]] = {
    "anterior": (0.05, 0.0, (0.15, 0.30, 0.35, 0.25, 0.10, 0.0)),
    "inferior": (-0.05, 0.20, (0.0, -0.10, -0.10, 0.0, 0.0, 0.05)),
    "lateral": (0.15, 0.05, (-0.05, -0.10, 0.0, 0.05, 0.15, 0.20)),
}
MUST_UV, AIM_UV = 15.0, 8.0


@dataclass(frozen=True, kw_only=True)
class Way:
    """Where J of the added shape is, and how long before J it begins."""

    name: str
    at_marks: bool  # else by our own reading of the unaltered record, as everywhere outside of LUDB
    rise_s: float


WAYS: Final = (
    Way(name="J by our own reading, 40 ms rise", at_marks=False, rise_s=SLOW_S),
    Way(name="J at the marks, 40 ms rise", at_marks=True, rise_s=SLOW_S),
    Way(name="J at the marks, 8 ms rise (hard)", at_marks=True, rise_s=STEEP_S),
)
UNMARKED: Final = (
    WAYS[0],
    Way(name="J by our own reading, 8 ms rise (hard)", at_marks=False, rise_s=STEEP_S),
)


def levels_mv(territory: str) -> dict[str, float]:
    """What is added at J in every lead."""
    one, two, chest = TERRITORIES[territory]
    limbs = (one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2)
    return dict(zip(STANDARD_12, (*limbs, *chest), strict=True))


def shape(t: Samples, change: float, rise_s: float) -> Samples:
    """The added shape over `t` in s from J: 0 before the rise, 1 at J, gone after the fall."""
    up = np.clip(t / rise_s + 1, 0.0, 1.0)
    down = np.clip((t - HELD_S) / FALL_S, 0.0, 1.0)
    slope = 1 + change * np.clip(t / HELD_S, 0.0, 1.0)
    return np.asarray(_smooth(up) * (1 - _smooth(down)) * slope)


def _smooth(u: Samples) -> Samples:
    return np.asarray(u * u * (3 - 2 * u))


def with_st(
    recording: Recording, j_s: Sequence[float], levels: Mapping[str, float], change: float, rise_s: float
) -> Recording:
    """A recording with the same shape after each J."""
    t = np.arange(recording.samples_mv.shape[1]) / recording.rate_hz
    added = np.zeros_like(t)
    for j in j_s:
        low, high = np.searchsorted(t, [j - rise_s, j + HELD_S + FALL_S])
        added[low:high] = np.maximum(added[low:high], shape(t[low:high] - j, change, rise_s))

    def add(rows: dict[str, Samples]) -> None:
        for lead, level in levels.items():
            rows[lead] += level * added

    return changed(recording, add)


def j_of_every_beat(case: Case, at_marks: bool) -> list[float]:
    """J of every beat: by LUDB's marks, a beat that nobody marked like the others; or by our own reading."""
    m = case.measured
    if not at_marks:
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
    way: Way
    territory: str
    shape: str
    given: list[float]
    spared: list[float]
    silent: int  # leads usable before and not after


def _alter(found: Sequence[Case], way: Way) -> Iterator[_Added]:
    for case in found:
        j_s = j_of_every_beat(case, way.at_marks)
        if not j_s:
            continue
        before = case.measured
        for territory, kind in zip(TERRITORIES, _turned(tuple(SHAPES), case), strict=True):
            levels = levels_mv(territory)
            after = measure(with_st(case.recording, j_s, levels, SHAPES[kind], way.rise_s))
            one = _Added(case=case, way=way, territory=territory, shape=kind, given=[], spared=[], silent=0)
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
    here, there = version(folder, "ludb"), version(folder, "ptb-10s", "ptb-diagnostic")
    unmarked = list(clean(healthy))
    ones: list[_Added] = []
    for way in WAYS:
        marked = list(_alter(ludb, way))
        made.rows += _rows(marked, way, "LUDB, all clean records", here)
        made.rows += _rows([o for o in marked if o.case.development], way, "LUDB, below 100", here)
        made.rows += _rows([o for o in marked if not o.case.development], way, "LUDB, above 100", here)
        ones += marked
    for way in UNMARKED:
        others = list(_alter(unmarked, way))
        made.rows += _rows(others, way, "PTB healthy controls", there)
        ones += others
    made.rows += _marked_rows(cases(folder, ("ludb",), step), here)
    made.tables = [
        Table(
            title=f"Worst ten altered recordings, {way.name}", rows=_worst([o for o in ones if o.way is way])
        )
        for way in WAYS
    ]
    made.tables.append(Table(title="By shape and territory, leads with added ST", rows=_by_shape(ones)))
    return made


def _rows(ones: Sequence[_Added], way: Way, part: str, data: str) -> list[Row]:
    rows = []
    for what, side in (
        (f"known ST added: recovered STJ difference, {way.name}", "given"),
        (f"… leads without added ST, {way.name}", "spared"),
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
    for way, territory, kind in product(dict.fromkeys((*WAYS, *UNMARKED)), TERRITORIES, SHAPES):
        some = [o.given for o in ones if (o.way, o.territory, o.shape) == (way, territory, kind)]
        told = "; ".join(value.text() for value in error_values(some, None, None))
        names = {"J and rise": way.name, "territory": territory, "shape": kind}
        rows.append({**names, "alterations": len(some), "µV (95 % CI)": told})
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
*Known ST added*: a shape of known height is added to clean real recordings, whole at J and risen smoothly before it,
held for 80 ms (level, climbing or sagging by 40 %) and gone 200 ms later, in all leads of a territory, limb leads by
Einthoven's law; 0.05 to 0.35 mV. The recording is measured before and after, and the difference of STJ compared with
what was added at J. *J by our own reading* is the QRS end of each beat that the core reports of the unaltered
recording: this asks whether ST is recovered where we say J is, and does not ask whether J is right. *At the marks*
asks both: J is the second-outermost of the cardiologists' marks. We take the rise within 40 ms for the nearer to an
injured heart, an estimate that no recording here can prove; the one within 8 ms is a step behind the QRS of most
leads, and stays as the hard case. In PTB nobody marked. *Clean*: by the core itself sinus rhythm, acceptable and
without a bad lead. *Level at the marked J*: three samples at the marked J against the level before the marked QRS
onset, median over the marked beats, nothing filtered; there is no limit, for the marks scatter too and wander is in
it.
"""
