"""The metrics once more, case by case from their definitions, slowly and with fractions.

Nothing of the engine is used: the table of metrics is read as plain TOML, and what its columns mean is written out here
again. Where engine and reference differ, one of them is wrong.
"""

import tomllib
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from greenchannel.alerts.duty_calendar import chinese_calendar
from greenchannel.alerts.quality.record import CaseRecord, RecordTime
from tests.require import ROOT

TABLE: dict[str, Any] = tomllib.loads((ROOT / "alerts" / "quality" / "editions.toml").read_text("utf-8"))
ZONE = ZoneInfo("Asia/Shanghai")
US = timedelta(microseconds=1)
MINUTE = 60_000_000


def began(record: CaseRecord) -> datetime:
    """The first contact that is known, else the opening."""
    for name in ("CALL", "SPOKE_DOOR", "FMC", "HUB_DOOR", "ECG1_ACQ", "ECG_RECEIVED"):
        if name in record.times:
            return record.times[name].at
    return record.opened_at


def group(record: CaseRecord, by: str) -> str | None:
    """Which group a case is counted in."""
    local = began(record).astimezone(ZONE)
    match by:
        case "clinic":
            return record.site
        case "town" | "referring" | "ambulance" | "doctor" | "reader":
            found: str | None = getattr(record, by)
            return found
        case "mode":
            return None if record.arrival_mode is None else str(record.arrival_mode)
        case "month":
            return local.strftime("%Y-%m")
        case "quarter":
            return f"{local.year}-Q{(local.month + 2) // 3}"
        case "half":
            return f"{local.year}-H{1 if local.month <= 6 else 2}"
        case "year":
            return str(local.year)
        case "hours":
            return hours(local.date(), local)
    raise ValueError(by)


def hours(day: date, local: datetime) -> str | None:
    """From 8 to 17 on working days; unknown where it hangs on a calendar that is not announced."""
    if not 8 <= local.hour < 17:
        return "off"
    kinds = chinese_calendar().kinds(day)
    if kinds == {"working"}:
        return "on"
    return None if "working" in kinds else "off"


def reperfusion(record: CaseRecord) -> str | None:
    """As was said; else by lysis and wire."""
    if "REPERFUSION" in record.facts:
        return record.facts["REPERFUSION"]
    lysis, wire = "LYSIS_START" in record.times, "WIRE" in record.times
    return {(True, True): "lysis_pci", (True, False): "lysis", (False, True): "ppci"}.get((lysis, wire))


def belongs(record: CaseRecord, asked: dict[str, Any]) -> bool:
    """Whether a metric is asked of a case."""
    checks: dict[str, Callable[[Any], bool]] = {
        "diagnosis": lambda wanted: record.diagnosis in wanted,
        "modes": lambda wanted: record.arrival_mode in wanted,
        "reperfusion": lambda wanted: reperfusion(record) in wanted,
        "chest_pain": lambda wanted: record.chest_pain is wanted,
        "age_from": lambda wanted: record.age_years is not None and record.age_years >= wanted,
        "has": lambda wanted: all(name in record.times for name in wanted),
    }
    return all(checks[name](wanted) for name, wanted in asked.items())


def judge(record: CaseRecord, metric: dict[str, Any]) -> dict[str, Any]:
    """What is known of one case: a state, minutes, bounds, a verdict, and what the clocks may be off."""
    kind = metric.get("kind", "interval")
    if kind == "fact":
        said = [record.facts.get(name) for name in metric["yes"]]
        if all(one == "yes" for one in said):
            return {"state": "exact", "met": True, "maybe": True}
        known = any(one == "no" for one in said)
        return {"state": "exact" if known else "unsaid", "met": False, "maybe": False}
    start, end = record.times.get(metric["from"]), record.times.get(metric["to"])
    if start is None or end is None:
        state = "missing_both" if start is end else ("missing_start" if start is None else "missing_end")
        return {"state": state, "met": False, "maybe": False}
    if kind == "before":
        return times_judged(end, start, Fraction(0), early=None)
    target = Fraction(metric["target_min"]) * MINUTE if "target_min" in metric else None
    early, below = metric.get("early_counts", False), metric.get("below", False)
    return times_judged(start, end, target, early=early, below=below)


def times_judged(
    start: RecordTime, end: RecordTime, target: Fraction | None, *, early: bool | None, below: bool = False
) -> dict[str, Any]:
    """From one time to another; `early`: what comes before it was due counts (None: the sign means nothing)."""
    us = Fraction((end.at - start.at) // US)
    low = Fraction((end.earliest - start.latest) // US)
    high = Fraction((end.latest - start.earliest) // US)
    told = start.told is not None or end.told is not None
    state = "bounded" if told else "exact"
    if early is not None and high < 0:
        state = "early" if early else "negative"
    if early is False and low < 0:
        low = Fraction(0)
    found: dict[str, Any] = {"state": state, "us": us, "low": low, "high": high, "half": None}
    counted = state != "negative"

    def met(us: Fraction) -> bool:
        return target is not None and (us < target if below else us <= target)

    found["met"] = counted and met(high)
    found["maybe"] = counted and met(low)
    if state in ("exact", "early"):
        clocks = [start.uncertainty_s, end.uncertainty_s]
        if told:  # done before a told day: the day itself has no clock
            clocks = [0.0 if one.told is not None else one.uncertainty_s for one in (start, end)]
        if None in clocks:
            found["no_clock"] = True
        else:
            half = sum(round(clock * 1e6) for clock in clocks if clock is not None)
            found["half"] = Fraction(half)
            if target is not None:
                found["turn"] = not met(us + half) if found["met"] else met(us - half)
    return found


def mean(values: Sequence[Fraction]) -> float | None:
    """In minutes."""
    return float(sum(values) / len(values) / MINUTE) if values else None


def quantile(values: Sequence[Fraction], part: Fraction) -> float | None:
    """In minutes, between neighbours."""
    if not values:
        return None
    ordered = sorted(values)
    place = (len(ordered) - 1) * part
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return float((ordered[below] + (place - below) * (ordered[above] - ordered[below])) / MINUTE)


def numbers(metric: dict[str, Any], cases: Sequence[CaseRecord]) -> dict[str, Any]:
    """All numbers of one set of cases, as the answer names them."""
    judged = [judge(case, metric) for case in cases]
    states = [one["state"] for one in judged]
    minutes = metric.get("kind", "interval") == "interval"
    exact = [one for one in judged if one["state"] == "exact"] if minutes else []
    bounded = [one for one in judged if one["state"] == "bounded"] if minutes else []
    us = [one["us"] for one in exact]
    low, high = us + [one["low"] for one in bounded], us + [one["high"] for one in bounded]
    halves = [one["half"] for one in exact if one["half"] is not None]
    wanted = not minutes or "target_min" in metric
    met = sum(one["met"] for one in judged) if wanted else None
    most = sum(one["maybe"] for one in judged) if wanted else None
    eligible = len(judged)
    known = sum(state in ("exact", "bounded", "early") for state in states)
    missing = {
        name: states.count(name) for name in ("missing_start", "missing_end", "missing_both", "unsaid")
    }
    half = Fraction(1, 2)
    return {
        "eligible": eligible,
        "n": states.count("exact"),
        "bounded": states.count("bounded"),
        "early": states.count("early"),
        "missing": sum(missing.values()),
        **missing,
        "negative": states.count("negative"),
        "mean_min": mean(us),
        "median_min": quantile(us, half),
        "q1_min": quantile(us, half / 2),
        "q3_min": quantile(us, half * 3 / 2),
        "mean_bounds_min": None if not low else (mean(low), mean(high)),
        "median_bounds_min": None if not low else (quantile(low, half), quantile(high, half)),
        "met": met,
        "met_most": most,
        "share": None if met is None or not eligible else met / eligible,
        "share_interval": None if met is None or not eligible else score_interval(met, eligible),
        "share_most": None if most is None or not eligible else most / eligible,
        "share_known": None if met is None or not known else met / known,
        "could_turn": sum(one.get("turn", False) for one in judged),
        "no_clock": sum(one.get("no_clock", False) for one in judged),
        "half_width_min": mean(halves),
        "half_width_n": len(halves),
    }


def score_interval(met: int, n: int) -> tuple[float, float]:
    """Wilson's interval as the roots of its quadratic equation."""
    z2 = TABLE["wilson_z"] ** 2
    a, b, c = 1 + z2 / n, -(2 * met / n + z2 / n), (met / n) ** 2
    root = max(b * b - 4 * a * c, 0.0) ** 0.5
    return max(0.0, (-b - root) / (2 * a)), min(1.0, (-b + root) / (2 * a))


def cell(metric: dict[str, Any], cases: Sequence[CaseRecord], names: Sequence[str]) -> dict[str, Any]:
    """One group: with and without those excluded, and why they are."""
    facts = {row["id"]: row["fact"] for row in TABLE["exclusion"]}
    out = {name: [case for case in cases if case.facts.get(facts[name]) == "yes"] for name in names}
    gone = {case.case_id for left in out.values() for case in left}
    kept = [case for case in cases if case.case_id not in gone]
    return {
        "all": numbers(metric, cases),
        "kept": numbers(metric, kept),
        "excluded": len(gone),
        "reasons": {name: len(left) for name, left in out.items()},
    }


def exclusions_of(metric: dict[str, Any]) -> list[str]:
    """What the edition of a metric leaves out."""
    found: list[str] = next(row["exclusions"] for row in TABLE["edition"] if row["id"] == metric["edition"])
    return found
