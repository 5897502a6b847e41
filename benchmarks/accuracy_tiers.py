"""Tiers by data set and by the source's own label, through every rule."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.accuracy_data import Case, cases, version
from benchmarks.accuracy_labels import HEALTHY, SINUS, group_of
from benchmarks.accuracy_pictures import picture
from benchmarks.accuracy_report import Row, Table, Topic, Value
from benchmarks.accuracy_stats import share, wilson
from benchmarks.harness import Json
from greenchannel.ingest.errors import IngestError
from greenchannel.triage.finding import Patient, Tier
from greenchannel.triage.interpretation import Interpretation, interpret

SETS: Final = ("ludb", "ptb-10s", "ptb-diagnostic", "cinc-12lead", "ecg-formats")
LEAST_LEADS: Final = 12


def topic(folder: Path, step: int = 1) -> Topic:
    """Every readable recording with twelve leads."""
    read: dict[Case, Interpretation] = {}
    unread: list[Json] = []
    for case in cases(folder, SETS, step):
        try:
            recording = case.recording
        except (IngestError, OSError) as error:
            unread.append(
                {"record": str(case.path.relative_to(folder)), "format": case.format, "why": str(error)[:100]}
            )
            continue
        if len(recording.leads) >= LEAST_LEADS:
            read[case] = interpret(recording, _patient(case))
    made = Topic(name="tiers", title="Tiers by label", intro=_INTRO)
    for what, groups in (
        ("false ACT, healthy controls", (HEALTHY,)),
        ("false ACT, healthy or sinus rhythm alone", (HEALTHY, SINUS)),
    ):
        some = {case: one for case, one in read.items() if group_of(case.label) in groups}
        value, ci = share([one.reading.tier is Tier.ACT for one in some.values()], [1] * len(some))
        n = f"{len(some)} records of {len({case.patient for case in some})} people"
        values = (Value(name="ACT", value=value, ci95=ci, unit="%", at_most=True),)
        made.rows.append(Row(what=what, n=n, values=values, data=version(folder, *SETS), chosen="LUDB < 100",
                             reported="all sets"))  # fmt: skip
    alarms = [_alarm(case, one) for case, one in read.items() if one.reading.tier is Tier.ACT]
    made.tables = [
        Table(title="Tiers by data set and the source's own label", rows=_by_group(read)),
        Table(title="Each ACT, with the measured values and their thresholds", rows=_alarm_rows(alarms)),
        Table(title="Not read, as no reader exists for the format", rows=_by_format(unread)),
    ]
    made.raw = {"act": alarms, "unread": unread}
    return made


def _patient(case: Case) -> Patient:
    sex = case.sex if case.sex in ("male", "female") else None
    age = float(case.age) if case.age.replace(".", "", 1).isdigit() else None
    return Patient(age_years=age, sex=sex)


def _by_group(read: dict[Case, Interpretation]) -> list[Json]:
    groups: dict[tuple[str, str], list[tuple[Case, Interpretation]]] = defaultdict(list)
    for case, one in read.items():
        groups[case.set, group_of(case.label)].append((case, one))
    rows = []
    for (name, group), members in sorted(groups.items()):
        counts = Counter(one.reading.tier for _, one in members)
        low, high = wilson(counts[Tier.ACT], len(members)) or (0.0, 100.0)
        rows.append(
            {
                "set": name,
                "group": group,
                "n": len(members),
                "patients": len({case.patient for case, _ in members}),
                **{tier.value: counts[tier] for tier in Tier},
                "ACT % (95 % CI)": f"{100 * counts[Tier.ACT] / len(members):.1f} ({low:.1f} to {high:.1f})",
                "not acceptable": sum(not one.measurements.quality.acceptable for _, one in members),
            }
        )
    return rows


def _alarm(case: Case, read: Interpretation) -> Json:
    return {
        "set": case.set,
        "record": case.record,
        "group": group_of(case.label),
        "age": case.age,
        "sex": case.sex,
        "label": case.label,
        "picture": picture(read, f"{case.set}-{case.record}"),
        "findings": [
            {
                "id": one.id,
                "evidence": [
                    {
                        "lead": e.lead,
                        "quantity": e.quantity,
                        "value": round(e.value, 3),
                        "threshold": round(e.threshold, 3),
                    }
                    for e in one.evidence
                ],
            }
            for one in read.reading.findings
            if one.tier is Tier.ACT
        ],
    }


def _alarm_rows(alarms: Sequence[Json]) -> list[Json]:
    return [
        {
            "set": one["set"],
            "record": one["record"],
            "age, sex": f"{one['age'] or '?'} {one['sex'] or '?'}",
            "group": one["group"],
            "picture": one["picture"],
            "rule: lead, quantity, value / threshold": "; ".join(
                f"{finding['id']}: "
                + ", ".join(
                    f"{e['lead']} {e['quantity']} {e['value']} / {e['threshold']}"
                    for e in finding["evidence"]
                )
                for finding in one["findings"]
            ),
        }
        for one in alarms
    ]


def _by_format(unread: Sequence[Json]) -> list[Json]:
    counts = Counter(str(one["format"]) for one in unread)
    return [{"format": name, "files": count} for name, count in counts.most_common()]


_INTRO: Final = """
Labels are mostly per patient, nothing was recorded within hours of an onset, and no reader has looked at these
tiers: the tables count alarms that should not be, and **say nothing about sensitivity** for an acute occlusion.
Groups are made from words of the labels.
"""
