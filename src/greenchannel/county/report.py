"""The timeline of a case as text for a terminal, both languages side by side."""

import unicodedata
from datetime import tzinfo

from greenchannel.alerts.timeline import Interval, Timeline

UNKNOWN = "— 未知 unknown"
HIDDEN = ("ALERT_SENT", "ALERT_ACK")  # one for each person; the case page has them


def timeline_text(timeline: Timeline, zone: tzinfo, address: str) -> str:
    """Every milestone of the case, set or not, and every interval; times of day in `zone`."""
    lines = ["", "  时间线 timeline", ""]
    for entry in timeline.entries:
        if entry.spec.id in HIDDEN:
            continue
        value = entry.valid
        shown = UNKNOWN if value is None else f"{value.time.at.astimezone(zone):%H:%M:%S}  {value.source}"
        lines.append(f"  {pad(entry.spec.id, 20)}{pad(entry.spec.zh, 30)}{shown}")
    lines += ["", "  时间间隔 intervals (min)", ""]
    lines += [_interval(interval) for interval in timeline.intervals]
    for problem in timeline.problems:
        lines.append(f"  {problem.level}: {problem.zh} / {problem.en}")
    return "\n".join([*lines, "", f"  {address}", ""])


def _interval(interval: Interval) -> str:
    spec = interval.spec
    if interval.minutes is None:
        shown = f"{UNKNOWN}  ({', '.join(interval.missing)})"
    else:
        target = "" if interval.target_min is None else f"  (≤ {interval.target_min:g})"
        shown = f"{interval.minutes:>3}{target}"
    return f"  {'▮' if interval.segment else ' '} {pad(spec.zh, 30)}{pad(spec.en, 42)}{shown}"


def pad(text: str, columns: int) -> str:
    """`text` filled to so many terminal columns; a Chinese character takes two."""
    width = sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
    return text + " " * max(1, columns - width)
