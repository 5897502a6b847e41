"""Rhythm and conduction against the labels of real recordings, and false proposals by group, real and simulated."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.accuracy_data import Case, cases, version
from benchmarks.accuracy_pictures import picture
from benchmarks.accuracy_report import Row, Table, Topic, Value
from benchmarks.accuracy_stats import wilson
from benchmarks.harness import Json
from greenchannel.ingest.errors import IngestError
from greenchannel.signal.synthesis import simulate
from greenchannel.triage.context import context
from greenchannel.triage.finding import Patient, Tier
from greenchannel.triage.interpretation import Interpretation, interpret

SETS: Final = ("ludb", "ptb-10s", "cinc-12lead")
LEAST: Final = 20  # patients from which a share is held against a goal
SEED: Final = 20261102
SIMULATED_EACH: Final = 60

Said = Callable[[Interpretation], bool]


def _rhythm(*names: str) -> Said:
    return lambda one: one.measurements.rhythm in names


def _conduction(name: str) -> Said:
    return lambda one: context(one.measurements, one.patient).conduction.name == name


def _fired(rule: str) -> Said:
    return lambda one: any(finding.id == rule for finding in one.reading.findings)


_LEFT: Final = r"(?<!incomplete )(?<!in)\b(complete )?left bundle branch block"
_RIGHT: Final = r"(?<!incomplete )(?<!in)\b(complete )?right bundle branch block"
_PACED: Final = r"pacing|paced|pacemaker presence|pacemaker rhythm"
_WHICH: Final = rf"^bundle branch block|; bundle branch block|{_PACED}"  # of which side, nobody says


@dataclass(frozen=True, kw_only=True)
class Label:
    """What labels say by these words; a label with `open_words` alone says neither yes nor no."""

    words: str
    said: Said
    open_words: str = "$^"

    def has(self, label: str) -> bool | None:
        """None where the label leaves it open."""
        if re.search(self.words, label, re.IGNORECASE):
            # A paced ventricle hides the atria and looks like a block: what is under it is not asked.
            return (
                None if self.open_words.endswith(_PACED) and re.search(_PACED, label, re.IGNORECASE) else True
            )
        return None if re.search(self.open_words, label, re.IGNORECASE) else False


WHAT: Final[dict[str, Label]] = {
    "atrial fibrillation": Label(
        words="atrial fibrillation",
        said=_rhythm("atrial_fibrillation"),
        open_words=f"flutter|dysrhythmia|{_PACED}",
    ),
    "atrial flutter": Label(words="atrial flutter", said=_rhythm("atrial_flutter")),
    "pacing": Label(words=_PACED, said=_rhythm("paced")),
    "complete AV block": Label(
        words=r"(third|iii|3rd|complete)[ -]*(degree)?[ -]*(av|atrioventricular|heart)[ -]?block",
        said=_fired("CV-7"),
    ),
    "right bundle branch block": Label(words=_RIGHT, said=_conduction("rbbb"), open_words=_WHICH),
    "left bundle branch block": Label(words=_LEFT, said=_conduction("lbbb"), open_words=_WHICH),
}
GROUPS: Final[dict[str, str]] = {
    "LVH": r"left ventric\w* (hypertrophy|high voltage)|lvh",
    "left bundle branch block": _LEFT,
    "right bundle branch block": _RIGHT,
    "paced": _PACED,
    "early repolarisation": r"early repolari",
}
_SICK: Final = re.compile(r"acute|stemi", re.IGNORECASE)

_SIMULATED: Final[dict[str, dict[str, Any]]] = {
    "left bundle branch block": {"conduction": "lbbb"},
    "right bundle branch block": {"conduction": "rbbb"},
    "paced": {"rhythm": "paced"},
    "early repolarisation": {"j_wave": True},
    "pre-excitation": {"conduction": "wpw"},
    "atrial fibrillation": {"rhythm": "atrial_fibrillation"},
    "atrial flutter": {"rhythm": "atrial_flutter"},
    "complete AV block": {"rhythm": "av_block_3"},
    "healthy": {},
}
_SIMULATED_SAID: Final[dict[str, Said]] = {
    "left bundle branch block": _conduction("lbbb"),
    "right bundle branch block": _conduction("rbbb"),
    "paced": _conduction("paced"),
    "pre-excitation": _conduction("preexcited"),
    "atrial fibrillation": _rhythm("atrial_fibrillation"),
    "atrial flutter": _rhythm("atrial_flutter"),
    "complete AV block": _fired("CV-7"),
}


def topic(folder: Path, step: int = 1) -> Topic:
    """Labels of real recordings."""
    read = list(_all(folder, step))
    made = Topic(name="rhythms", title="Rhythm, conduction and false proposals by label", intro=_INTRO)
    data = version(folder, *SETS)
    for name, label in WHAT.items():
        told = [
            (has, label.said(one), case) for case, one in read if (has := label.has(case.label)) is not None
        ]
        made.rows.append(_against(name, told, data))
    for name, pattern in GROUPS.items():
        some = [
            (c, o)
            for c, o in read
            if re.search(pattern, c.label, re.IGNORECASE) and not _SICK.search(c.label)
        ]
        made.rows.append(_false_act(name, some, data))
    made.tables = [
        Table(title="Each disagreement of rhythm or conduction", rows=_disagreements(read)),
        Table(title="Each proposal in these groups", rows=_proposals(read)),
    ]
    return made


def simulated(step: int = 1) -> Topic:
    """The same on simulated hearts, whose truth is known."""
    made = Topic(name="simulated-rhythms", title="The same, simulated", intro=_SIMULATED_INTRO)
    each = max(SIMULATED_EACH // step, 1)
    for name, how in _SIMULATED.items():
        told = [_simulated(number, how) for number in range(each)]
        values = [
            _share("ACT", [one.reading.tier is Tier.ACT for one in told], must=10.0, aim=3.0, at_most=True)
        ]
        if name in _SIMULATED_SAID:
            hits = [_SIMULATED_SAID[name](one) for one in told]
            values.append(_share("named", hits, must=90.0, aim=97.0))
        made.rows.append(
            Row(
                what=name,
                n=f"{each} strips",
                values=tuple(values),
                data=f"simulated, seed {SEED}",
                chosen="other seeds",
                reported="these strips",
            )
        )
    return made


def _simulated(number: int, how: dict[str, Any]) -> Interpretation:
    strip = simulate(
        seed=SEED + number, heart_rate_bpm=55.0 + number % 50, variation=1.0, emg_mv=0.02, wander_mv=0.3, mains_mv=0.05,
        report_spikes=False, **how,
    )  # fmt: skip
    sex = "male" if number % 2 else "female"
    return interpret(strip.recording, Patient(age_years=40.0 + number % 40, sex=sex))


def _all(folder: Path, step: int) -> Sequence[tuple[Case, Interpretation]]:
    read = []
    for case in cases(folder, SETS, step):
        try:
            recording = case.recording
        except (IngestError, OSError):
            continue
        if len(recording.leads) >= 12 and case.label.strip() not in ("", "n/a"):
            age = float(case.age) if case.age.replace(".", "", 1).isdigit() else None
            sex = case.sex if case.sex in ("male", "female") else None
            read.append((case, interpret(recording, Patient(age_years=age, sex=sex))))
    return read


def _share(
    name: str, hits: Sequence[bool], *, must: float | None, aim: float | None, at_most: bool = False
) -> Value:
    n = len(hits)
    return Value(
        name=name, value=100.0 * sum(hits) / n if n else None, ci95=wilson(sum(hits), n), unit="%", must=must, aim=aim,
        at_most=at_most,
    )  # fmt: skip


def _against(name: str, told: Sequence[tuple[bool, bool, Case]], data: str) -> Row:
    """Sensitivity and specificity; held against the goal only where enough patients have the label.

    `told` holds for each record whether its label has it, whether we say it, and the record.
    """
    people = len({case.patient for has, _, case in told if has})
    enough = people >= LEAST
    of_sick = [said for has, said, _ in told if has]
    of_rest = [not said for has, said, _ in told if not has]
    return Row(
        what=name + ("" if enough else " (too few people for a goal)"),
        n=f"{len(of_sick)} records of {people} people, {len(of_rest)} without",
        values=(
            _share("sensitivity", of_sick, must=90.0 if enough else None, aim=97.0 if enough else None),
            _share("specificity", of_rest, must=95.0, aim=98.0),
        ),
        data=data,
        chosen="LUDB < 100, every second person",
        reported="all",
    )


def _false_act(name: str, some: Sequence[tuple[Case, Interpretation]], data: str) -> Row:
    people = len({case.patient for case, _ in some})
    enough = people >= LEAST
    hits = [one.reading.tier is Tier.ACT for _, one in some]
    value = _share("ACT", hits, must=10.0 if enough else None, aim=3.0 if enough else None, at_most=True)
    return Row(
        what=f"false proposals: {name}" + ("" if enough else " (too few people for a goal)"),
        n=f"{len(some)} records of {people} people",
        values=(value,),
        data=data,
        chosen="LUDB < 100, every second person",
        reported="all",
    )


def _disagreements(read: Sequence[tuple[Case, Interpretation]]) -> list[Json]:
    rows: list[Json] = []
    for case, one in read:
        for name, label in WHAT.items():
            has = label.has(case.label)
            if has is not None and label.said(one) != has:
                m = one.measurements
                rows.append({
                    "set": case.set, "record": case.record, "what": name, "label has it": has,
                    "rhythm": m.rhythm, "conduction": context(m, one.patient).conduction.name,
                    "QRS ms": m.qrs_ms, "rate": None if m.heart_rate_bpm is None else round(m.heart_rate_bpm),
                    "label": case.label[:90],
                        "picture": picture(one, f"{case.set}-{case.record}"),
                })  # fmt: skip
    return rows


def _proposals(read: Sequence[tuple[Case, Interpretation]]) -> list[Json]:
    return [
        {
            "set": case.set, "record": case.record, "findings": " ".join(f.id for f in one.reading.findings),
            "evidence": ", ".join(f"{e.lead} {e.value:+.2f}" for e in one.reading.findings[0].evidence),
            "label": case.label[:90],
            "picture": picture(one, f"{case.set}-{case.record}"),
        }
        for case, one in read
        if one.reading.tier is Tier.ACT and any(re.search(p, case.label, re.IGNORECASE) for p in GROUPS.values())
    ]  # fmt: skip


_INTRO: Final = """
Labels are those of the data sets; a record may carry several. Shares are held against the goals only where at least
20 people have the label; otherwise they are counts with their interval, and each disagreement stands in the table.
Published programs: sensitivity 0.62 to 0.69 and specificity 0.89 to 0.95 against a cardiologist's reading (Garvey
2016); our labels are another reference standard, so the figures must not be compared.
"""
_SIMULATED_INTRO: Final = """
Hearts of many people with each conduction or rhythm and no injury, with seeds of this report alone.
"""
