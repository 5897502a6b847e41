"""The readings against annotated recordings: `make accuracy`. Nothing is tuned here, and nothing fails here.

Needs the folder of real recordings (``GREENCHANNEL_TEST_DATA``, default ``../shared/data``). Labels are mostly per
patient and nothing was recorded within hours of an onset: the table of tiers counts false alarms, and says nothing
about sensitivity for an acute occlusion.
"""

import csv
import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from benchmarks.accuracy_labels import HEALTHY, SINUS, group_of
from benchmarks.accuracy_ludb import GLOBAL, SINGLE, TOLERANCE_S, Score, bias, score_records
from benchmarks.harness import Json, data_folder, save, show
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.reader import read_path
from greenchannel.triage.finding import Patient, Tier
from greenchannel.triage.interpretation import Interpretation, interpret

SETS: Final = ("ludb", "ptb-10s", "ptb-diagnostic", "cinc-12lead", "ecg-formats")
LEAST_LEADS: Final = 12


def wilson(hits: int, n: int) -> list[float] | None:
    """95 % interval of a share in percent (Wilson 1927); None for none."""
    if n == 0:
        return None
    z, share = 1.96, hits / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return [round(100 * max(0.0, middle - half), 2), round(100 * min(1.0, middle + half), 2)]


def _share(hits: int, n: int) -> str:
    interval = wilson(hits, n)
    return "–" if interval is None else f"{100 * hits / n:.2f} ({interval[0]:.2f}–{interval[1]:.2f})"


def ludb(folder: Path) -> Json:
    """Detection and borders."""
    score: Score = score_records(folder)
    found, told = score.hits + score.missed, score.hits + score.extra
    show(
        f"QRS detection, LUDB, {score.records} records, ±{TOLERANCE_S * 1000:.0f} ms, 95 % CI",
        [
            {
                "beats": found,
                "missed": score.missed,
                "extra": score.extra,
                "Se %": _share(score.hits, found),
                "P+ %": _share(score.hits, told),
                "missed in": _names(score.missed_in),
                "extra in": _names(score.extra_in),
            }
        ],
    )
    whole = {name: bias(score.whole[name]) for name in GLOBAL}
    single = {name: bias(score.single[name]) for name in SINGLE}
    for title, table in (
        ("Borders over all leads, ours − second-outermost mark", whole),
        ("Borders lead by lead, ours − mark", single),
    ):
        show(
            f"{title} (ms)",
            [
                {
                    "border": name,
                    "n": row["n"],
                    "records": row["records"],
                    "bias ± SD": f"{row['bias_ms']} ± {row['sd_ms']}",
                    "95 % CI of bias": row["ci95_ms"],
                    "median": row["median_ms"],
                }
                for name, row in table.items()
            ],
        )
    show(
        "P waves, beats by where one is marked and whether we give one",
        [{"P marked": marked, **row} for marked, row in score.p_given.items()],
    )
    return {
        "records": score.records,
        "unmeasured": score.unmeasured,
        "beats": found,
        "missed": score.missed,
        "extra": score.extra,
        "missed_in": dict(Counter(score.missed_in)),
        "extra_in": dict(Counter(score.extra_in)),
        "se_percent": round(100 * score.hits / found, 3),
        "se_ci95": wilson(score.hits, found),
        "ppv_percent": round(100 * score.hits / told, 3),
        "ppv_ci95": wilson(score.hits, told),
        "borders_over_all_leads": whole,
        "borders_lead_by_lead": single,
        "p_waves": score.p_given,
    }


def _names(records: Iterable[str]) -> str:
    return ", ".join(f"{name} ×{count}" for name, count in Counter(records).items()) or "–"


def tiers(folder: Path) -> Json:
    """Every readable 12-lead recording through all rules, by data set and label group."""
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    patients: dict[tuple[str, str], set[str]] = defaultdict(set)
    alarms: list[Json] = []
    unread: list[Json] = []
    with (folder / "index.csv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["set"] in SETS]
    for row in rows:
        if row["n_leads"].isdigit() and int(row["n_leads"]) < LEAST_LEADS:
            continue
        try:
            read = _read(folder, row)
        except (IngestError, OSError) as error:
            unread.append({"record": row["path"], "format": row["format"], "why": str(error)[:100]})
            continue
        key = row["set"], group_of(row["label"])
        counts[key][read.reading.tier.value] += 1
        counts[key]["not acceptable"] += not read.measurements.quality.acceptable
        patients[key].add(row["patient"] or row["record"])
        if read.reading.tier is Tier.ACT:
            alarms.append(_alarm(row, key[1], read))
    table = [
        {
            "set": name,
            "group": group,
            "n": sum(found[tier.value] for tier in Tier),
            "patients": len(patients[name, group]),
            **{tier.value: found[tier.value] for tier in Tier},
            "ACT % (95 % CI)": _share(found["ACT"], sum(found[tier.value] for tier in Tier)),
            "not acceptable": found["not acceptable"],
        }
        for (name, group), found in sorted(counts.items())
    ]
    show("Tiers by data set and the source's own label", table)
    quiet = [one for one in alarms if one["group"] in (HEALTHY, SINUS)]
    show("ACT among healthy controls and sinus rhythm alone", _alarm_rows(quiet))
    show("ACT in all other groups", _alarm_rows([one for one in alarms if one not in quiet]))
    by_format = Counter(str(one["format"]) for one in unread)
    print(f"\nnot readable yet: {dict(by_format) or 'none'}")
    return {"table": table, "act": alarms, "unread": unread}


def _read(folder: Path, row: dict[str, str]) -> Interpretation:
    path = folder / row["path"]
    parsed = read_path(path if path.is_file() else path.with_name(path.name + ".hea"))
    sex = row["sex"] if row["sex"] in ("male", "female") else None
    age = float(row["age"]) if row["age"].replace(".", "", 1).isdigit() else None
    return interpret(parsed.recording, Patient(age_years=age, sex=sex))


def _alarm(row: dict[str, str], group: str, read: Interpretation) -> Json:
    return {
        "set": row["set"],
        "record": row["record"],
        "group": group,
        "age": row["age"],
        "sex": row["sex"],
        "label": row["label"],
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


def _alarm_rows(alarms: list[Json]) -> list[Json]:
    return [
        {
            "set": one["set"],
            "record": one["record"],
            "age, sex": f"{one['age'] or '?'} {one['sex'] or '?'}",
            "group": one["group"],
            "rule: lead value ≥ threshold": "; ".join(
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


def run() -> Json | None:
    """Score, print, save; None where there are no recordings."""
    folder = data_folder()
    if folder is None:
        print(
            "accuracy: no folder of recordings; set GREENCHANNEL_TEST_DATA to one with an index.csv. Nothing done."
        )
        return None
    results: Json = {"ludb": ludb(folder), "tiers": tiers(folder)}
    save("accuracy", results)
    return results


if __name__ == "__main__":
    run()
