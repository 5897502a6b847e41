"""The weekly report of device clocks: who is how wrong, the worst first. Pure: histories and a week in, rows out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Final

from greenchannel.clock import rfc3339
from greenchannel.ingest.clock_history import LIMITS, ClockHistory, Drift, Jump, Limits, drift_of, offset_now

LEVELS: Final = ("unset", "dead_battery", "jumped", "off", "drifting", "never_compared", "silent", "ok")
"""What is said of a clock, the worst first."""

_WEEK: Final = timedelta(days=7)


@dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """One device that may be compared."""

    id: str
    site: str
    name: str


def week_of(instant: datetime, zone: tzinfo) -> str:
    """The ISO week of an instant: ``2026-W48``."""
    year, week, _ = instant.astimezone(zone).isocalendar()
    return f"{year}-W{week:02d}"


def week_bounds(week: str, zone: tzinfo) -> tuple[datetime, datetime]:
    """Monday to Monday, midnight of the zone.

    Raises
    ------
    ValueError
        The text is no ISO week.
    """
    try:
        if len(week) != len("2026-W48") or week[4:6] != "-W":
            raise ValueError
        monday = date.fromisocalendar(int(week[:4]), int(week[6:]), 1)
    except ValueError:
        raise ValueError(f"expected an ISO week such as 2026-W48, got {week[:20]!r}") from None
    return datetime.combine(monday, time(), zone), datetime.combine(monday + _WEEK, time(), zone)


def report(
    devices: Iterable[Device],
    histories: Mapping[str, ClockHistory],
    *,
    starts: datetime,
    ends: datetime,
    now: datetime,
    limits: Limits = LIMITS,
) -> list[dict[str, Any]]:
    """One row a device, the worst first: by `LEVELS`, then by how wrong it will be a week on.

    Parameters
    ----------
    devices : all that may send
    histories : by device, as of the end of the week
    starts, ends : of the week; jumps and dates of stopped clocks are those within
    now : for the offset as it stands
    """
    rows = [
        _row(device, histories.get(device.id, ClockHistory()), starts, ends, now, limits)
        for device in devices
    ]
    return sorted(
        rows, key=lambda row: (LEVELS.index(row["level"]), -row["wrong_in_a_week_s"], row["device"])
    )


def _row(
    device: Device, history: ClockHistory, starts: datetime, ends: datetime, now: datetime, limits: Limits
) -> dict[str, Any]:
    last = history.last_contact
    offset = history.unset or offset_now(history, now)
    drift = drift_of(history.runs[-1]) if history.runs and history.unset is None else None
    jumps = [one for one in history.jumps if starts <= one.before < ends]
    dead = [one for one in history.dead_dates if starts <= one.seen_at < ends]
    wrong_s = 0.0 if offset is None else abs(offset.offset_s)
    if drift is not None:
        wrong_s += abs(drift.ppm) * 1e-6 * _WEEK.total_seconds()
    return {
        "device": device.id,
        "site": device.site,
        "name": device.name,
        "level": _level(history, jumps, bool(dead), drift, now, limits),
        "offset_s": None if offset is None else round(offset.offset_s, 3),
        "uncertainty_s": None if offset is None else round(offset.uncertainty_s, 3),
        "drift_ppm": None if drift is None else round(drift.ppm, 2),
        "drift_uncertainty_ppm": None if drift is None else round(drift.uncertainty_ppm, 2),
        "wrong_in_a_week_s": round(wrong_s, 1),
        "jumps": [_jump(one) for one in jumps],
        "suspected_jump": None
        if history.odd is None
        else {"at": rfc3339(history.odd.measured_at), "to_offset_s": round(history.odd.offset_s, 3)},
        "dead_dates": [{"seen_at": rfc3339(one.seen_at), "raw": one.raw} for one in dead],
        "contacts": history.contacts,
        "late_contacts": history.late,
        "last_contact_at": None if last is None else rfc3339(last.measured_at),
    }


def _level(
    history: ClockHistory,
    jumps: list[Jump],
    dead: bool,
    drift: Drift | None,
    now: datetime,
    limits: Limits,
) -> str:
    last, offset = history.last_contact, offset_now(history, now)
    if history.unset is not None:
        return "unset"
    if dead:
        return "dead_battery"
    if any(abs(one.by_s) - one.uncertainty_s >= limits.jump_s.value for one in jumps):
        return "jumped"
    if offset is not None and abs(offset.offset_s) - offset.uncertainty_s >= limits.off_s.value:
        return "off"
    if drift is not None and abs(drift.ppm) - drift.uncertainty_ppm >= limits.drift_ppm.value:
        return "drifting"
    if last is None:
        return "never_compared"
    return "silent" if now - last.measured_at > timedelta(days=limits.silent_days.value) else "ok"


def _jump(one: Jump) -> dict[str, Any]:
    return {
        "after": rfc3339(one.after),
        "before": rfc3339(one.before),
        "by_s": round(one.by_s, 3),
        "uncertainty_s": round(one.uncertainty_s, 3),
        "from_offset_s": round(one.from_offset_s, 3),
        "to_offset_s": round(one.to_offset_s, 3),
    }
