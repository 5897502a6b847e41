"""The timeline in the shape of the wire protocol."""

from collections.abc import Callable
from typing import Any

from greenchannel.alerts.facts import fact_codes
from greenchannel.alerts.milestones import MilestoneValue
from greenchannel.alerts.timeline import Entry, FactEntry, Interval, Timeline
from greenchannel.clock import rfc3339

Names = Callable[[str], str | None]  # actor, as "user:<id>", to the name that the reader may see


def to_json(timeline: Timeline, names: Names) -> dict[str, Any]:
    """Return the timeline as the wire protocol has it; `names` gives the name of an actor, or None."""
    return {
        "arrival_mode": timeline.arrival_mode,
        "milestones": [milestone_json(entry, names) for entry in timeline.entries],
        "intervals": [interval_json(interval) for interval in timeline.intervals],
        "problems": [
            {"level": p.level, "before": p.before, "after": p.after, "zh": p.zh, "en": p.en}
            for p in timeline.problems
        ],
        "facts": [fact_json(entry, names) for entry in timeline.facts],
    }


def milestone_json(entry: Entry, names: Names) -> dict[str, Any]:
    """One milestone with all its values."""
    valid = entry.valid
    return {
        "id": entry.spec.id,
        "zh": entry.spec.zh,
        "en": entry.spec.en,
        "required": entry.spec.required,
        "at": None if valid is None else rfc3339(valid.time.at),
        "known": valid is not None,
        "key": entry.key,
        "source": None if valid is None else valid.source,
        "clock": None if valid is None else valid.time.clock,
        "offset_s": None if valid is None else valid.time.offset_s,
        "uncertainty_s": None if valid is None else valid.time.uncertainty_s,
        "code": None if valid is None else valid.code,
        "told": None if valid is None else valid.time.told,
        "values": [_value(value, names, valid=value is valid) for value in entry.values],
    }


def _value(value: MilestoneValue, names: Names, *, valid: bool) -> dict[str, Any]:
    return {
        "at": rfc3339(value.time.at),
        "source": value.source,
        "actor": value.actor,
        "actor_name": names(value.actor),
        "recorded_at": rfc3339(value.recorded_at),
        "note": value.note,
        "correction": value.correction,
        "valid": valid,
        "clock": value.time.clock,
        "raw": None if value.time.raw is None else rfc3339(value.time.raw),
        "offset_s": value.time.offset_s,
        "uncertainty_s": value.time.uncertainty_s,
        "zone_assumed": value.time.zone_assumed,
        "told": value.time.told,
        "code": value.code,
    }


def fact_json(entry: FactEntry, names: Names) -> dict[str, Any]:
    """One fact with all that was said of it."""
    valid = entry.valid
    return {
        "id": entry.spec.id,
        "zh": entry.spec.zh,
        "en": entry.spec.en,
        "group": entry.spec.group,
        "code": None if valid is None else valid.code,
        "known": valid is not None,
        "codes": [{"id": one.id, "zh": one.zh, "en": one.en} for one in fact_codes(entry.spec.id).values()],
        "values": [
            {
                "code": value.code,
                "source": value.source,
                "actor": value.actor,
                "actor_name": names(value.actor),
                "recorded_at": rfc3339(value.recorded_at),
                "note": value.note,
                "correction": value.correction,
                "valid": value is valid,
            }
            for value in entry.values
        ],
    }


def interval_json(interval: Interval) -> dict[str, Any]:
    """One interval."""
    spec = interval.spec
    return {
        "id": spec.id,
        "zh": spec.zh,
        "en": spec.en,
        "from": spec.start,
        "to": spec.end,
        "minutes": interval.minutes,
        "seconds": interval.seconds,
        "uncertainty_s": interval.uncertainty_s,
        "target_min": interval.target_min,
        "late_by_min": interval.late_by_min,
        "state": "unknown" if interval.seconds is None else "known",
        "negative": interval.negative,
        "missing": list(interval.missing),
        "segment": interval.segment,
    }
