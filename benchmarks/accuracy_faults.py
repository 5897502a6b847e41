"""Leads off, saturated leads, monitor mode: made from clean recordings, and looked for in the quality messages."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from scipy.signal import butter, sosfilt, sosfiltfilt

from benchmarks.accuracy_data import Case, Samples, cases, changed, clean, twelve, version
from benchmarks.accuracy_report import Row, Table, Topic, Value
from benchmarks.accuracy_stats import share
from benchmarks.harness import Json
from greenchannel.signal.leads import STANDARD_12
from greenchannel.signal.measure import measure
from greenchannel.signal.recording import Recording

SETS: Final = ("ludb", "ptb-10s", "ptb-diagnostic")  # recorded for diagnosis, with the whole band
LIMITS: Final = (98.0, 99.5)  # must, aim
PARTS: Final[Mapping[str, tuple[bool, ...]]] = {
    # Which values of `Case.development` are in it.
    "all": (True, False),
    "development half": (True,),
    "held-back half": (False,),
}
STEP_MV: Final = 0.005  # a monitor stores what it filtered in steps of this
RAILS_MV: Final = (3.3, 5.0, 10.0)
_OFF: Final = frozenset({"lead_flat", "lead_missing"})
_RAILED: Final = frozenset({"saturation"})

Fault = Callable[[Samples, float, np.random.Generator], Samples]


def _zero(x: Samples, rate_hz: float, rng: np.random.Generator) -> Samples:
    return np.zeros_like(x)


def _shelf(x: Samples, rate_hz: float, rng: np.random.Generator) -> Samples:
    return np.full_like(x, float(rng.choice([-1.0, 1.0]) * rng.uniform(0.2, 1.5)))


def _faint(x: Samples, rate_hz: float, rng: np.random.Generator) -> Samples:
    noise: Samples = rng.standard_normal(x.size) * 0.003
    return noise


def _falls_off(x: Samples, rate_hz: float, rng: np.random.Generator) -> Samples:
    """Off for the last 3 to 7 s."""
    off = x.copy()
    off[-round(rng.uniform(3.0, 7.0) * rate_hz) :] = 0.0
    return off


def _unrecorded(x: Samples, rate_hz: float, rng: np.random.Generator) -> Samples:
    return np.full_like(x, np.nan)


def _railed(x: Samples, rate_hz: float, rng: np.random.Generator) -> Samples:
    """Drifts into the rail of the converter, stays there for 0.3 to 4 s, and comes back."""
    rail = float(rng.choice(RAILS_MV))
    stay, ramp = rng.uniform(0.3, 4.0), 0.8
    begin = rng.uniform(0.5, x.size / rate_hz - stay - 2 * ramp - 0.5)
    t = np.arange(x.size) / rate_hz
    push = np.interp(
        t, [begin, begin + ramp, begin + ramp + stay, begin + 2 * ramp + stay], [0.0, 1.0, 1.0, 0.0]
    )
    # As far beyond the rail as the lead is tall, so that no QRS brings it back within.
    beyond = rail + 1.1 * float(np.ptp(x))
    clipped: Samples = np.clip(x + float(rng.choice([-1.0, 1.0])) * beyond * push, -rail, rail)
    return clipped


FAULTS: Final[Mapping[str, tuple[Fault, frozenset[str]]]] = {
    "lead off: zero": (_zero, _OFF),
    "lead off: another level": (_shelf, _OFF),
    "lead off: 3 µV of noise": (_faint, _OFF),
    "lead off: falls off after some seconds": (_falls_off, _OFF),
    "lead off: not recorded": (_unrecorded, _OFF),
    "saturation": (_railed, _RAILED),
}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What was said of one altered lead."""

    case: Case
    fault: str
    named: bool  # among the bad leads, with a message of its own
    rightly: bool  # with the code that says what it is
    others: int  # untouched leads called bad that were good before
    untouched: int


def answers(found: Sequence[Case]) -> list[Answer]:
    """Every fault once in each recording, in another lead each time."""
    made = []
    for number, case in enumerate(found):
        for k, (name, (fault, codes)) in enumerate(FAULTS.items()):
            lead = STANDARD_12[(number + 5 * k) % 12]
            rng = np.random.default_rng([number, k])
            recording = case.recording

            def alter(rows: dict[str, Samples], lead: str = lead, fault: Fault = fault, rng: np.random.Generator = rng,
                      rate_hz: float = recording.rate_hz) -> None:  # fmt: skip
                rows[lead] = fault(rows[lead], rate_hz, rng)

            quality = measure(changed(recording, alter)).quality
            said = {one.code for one in quality.messages if one.lead == lead}
            made.append(
                Answer(
                    case=case,
                    fault=name,
                    named=lead in quality.bad_leads and bool(said),
                    rightly=bool(said & codes),
                    others=len(set(quality.bad_leads) - {lead} - set(case.measured.quality.bad_leads)),
                    untouched=len(recording.leads) - 1,
                )
            )
    return made


def monitor(
    recording: Recording, low_hz: float, high_hz: float, *, order: int = 2, both_ways: bool = False
) -> Recording:
    """A recording through the filter of a monitor; what the device says of its filters is left out."""
    sos = butter(order, (low_hz, high_hz), "bandpass", fs=recording.rate_hz, output="sos")
    x = recording.samples_mv.astype(np.float64)
    run = sosfiltfilt if both_ways else sosfilt
    y = STEP_MV * np.rint(run(sos, x - x[:, :1], axis=1) / STEP_MV)
    return Recording(samples_mv=y.astype(np.float32), leads=recording.leads, rate_hz=recording.rate_hz)


def _said(recording: Recording) -> Recording:
    return Recording(samples_mv=recording.samples_mv, leads=recording.leads, rate_hz=recording.rate_hz,
                     low_cut_hz=0.5, high_cut_hz=40.0)  # fmt: skip


MONITORS: Final[Mapping[str, Callable[[Recording], Recording]]] = {
    "monitor mode, said by the device (0.5–40 Hz)": _said,
    "monitor mode, from the samples: 0.5–40 Hz": lambda r: monitor(r, 0.5, 40.0),
    "monitor mode, from the samples: 0.67–25 Hz": lambda r: monitor(r, 0.67, 25.0),
    "monitor mode, from the samples: 0.5–40 Hz, forth and back": lambda r: monitor(
        r, 0.5, 40.0, order=1, both_ways=True
    ),
}


def _marked(recording: Recording) -> bool:
    quality = measure(recording).quality
    return not quality.st_reliable and any(one.code == "monitor_mode" for one in quality.messages)


def topic(folder: Path, step: int = 1) -> Topic:
    """Named faults, and faults named where there are none."""
    data = version(folder, *SETS)
    found = cases(folder, SETS, step)
    good = list(clean(found))
    said = answers(good)
    made = Topic(name="faults", title="Leads off, saturation, monitor mode", intro=_INTRO)
    filtered = {name: {c: _marked(change(c.recording)) for c in good} for name, change in MONITORS.items()}
    for part, halves in PARTS.items():
        for what in ("lead off", "saturation"):
            some = [one for one in said if one.fault.startswith(what) and one.case.development in halves]
            made.rows.append(_row(f"{what} named", some, part, data))
        for name, of_all in filtered.items():
            of = [int(yes) for case, yes in of_all.items() if case.development in halves]
            value, ci = share(of, [1] * len(of))
            values = (Value(name="named", value=value, ci95=ci, unit="%", must=LIMITS[0], aim=LIMITS[1]),)
            made.rows.append(
                Row(
                    what=name, n=f"{len(of)} records", values=values, data=data, chosen=_CHOSEN, reported=part
                )
            )
        half = [one for one in said if one.case.development in halves]
        made.rows += _false_rows(half, [c for c in twelve(found) if c.development in halves], part, data)
    made.tables = [
        Table(title="By fault", rows=_by_fault(said)),
        Table(
            title="Leads called bad as they are, all recordings", rows=_bad_as_they_are(list(twelve(found)))
        ),
    ]
    return made


_CHOSEN: Final = "the development half"


def _row(what: str, some: Sequence[Answer], part: str, data: str) -> Row:
    named, ci = share([one.named for one in some], [1] * len(some))
    rightly, right_ci = share([one.rightly for one in some], [1] * len(some))
    values = (
        Value(name="named", value=named, ci95=ci, unit="%", must=LIMITS[0], aim=LIMITS[1]),
        Value(name="by its own code", value=rightly, ci95=right_ci, unit="%"),
    )
    n = f"{len({one.case for one in some})} records, {len(some)} altered leads"
    return Row(what=what, n=n, values=values, data=data, chosen=_CHOSEN, reported=part)


def _false_rows(some: Sequence[Answer], found: Sequence[Case], part: str, data: str) -> list[Row]:
    others, ci = share([one.others for one in some], [one.untouched for one in some])
    leads = [len(case.recording.leads) for case in found]
    bad, bad_ci = share([len(case.measured.quality.bad_leads) for case in found], leads)
    wrong, wrong_ci = share([not case.measured.quality.st_reliable for case in found], [1] * len(found))
    told = (
        (
            "untouched leads called bad beside a fault",
            f"{sum(one.untouched for one in some)} leads",
            others,
            ci,
        ),
        (
            "leads called bad in recordings as they are",
            f"{len(found)} records, {sum(leads)} leads",
            bad,
            bad_ci,
        ),
        ("recordings for diagnosis called monitor mode", f"{len(found)} records", wrong, wrong_ci),
    )
    return [
        Row(what=what, n=n, values=(Value(value=value, ci95=interval, unit="%", at_most=True, digits=2),), data=data,
            chosen=_CHOSEN, reported=part)
        for what, n, value, interval in told
    ]  # fmt: skip


def _by_fault(said: Sequence[Answer]) -> list[Json]:
    rows = []
    for name in FAULTS:
        some = [one for one in said if one.fault == name]
        rows.append(
            {
                "fault": name,
                "altered leads": len(some),
                "named": sum(one.named for one in some),
                "by its own code": sum(one.rightly for one in some),
            }
        )
    return rows


def _bad_as_they_are(found: Sequence[Case]) -> list[Json]:
    codes: Counter[str] = Counter()
    for case in found:
        bad = set(case.measured.quality.bad_leads)
        codes.update(one.code for one in case.measured.quality.messages if one.lead in bad)
    return [{"code": code, "leads": count} for code, count in codes.most_common()]


_INTRO: Final = """
Halves: LUDB below 100 and above; of PTB every second person. Faults are made in clean real recordings, each in
another lead. *Named* asks that the lead is among the bad ones with a message of its own; *by its own code* that the
message says what it is. Monitor mode is asked of recordings whose device says so, and of recordings that went
through the filter of a monitor without a word. Of leads called bad in recordings as they are nobody said whether
they are: the row counts, it does not blame.
"""
