"""Did what should have happened with the reading of studies happen? As `alerts.auditor`, of the same distrust: it reads
the folded readings and the clock, never the due times."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from greenchannel.alerts.auditor import Missed, audit_alert
from greenchannel.alerts.imaging.critical import told_by
from greenchannel.alerts.imaging.reading import Reading


def audit(readings: Iterable[Reading], now: datetime, grace_s: float) -> list[Missed]:
    """Return what is overdue by more than the grace, the oldest first.

    "step", "ring", "exhaustion", "repeat": of the call for a report; "untold": a critical result that nobody has said
    back, and of which nobody was told.
    """
    found = [missed for reading in readings for missed in _audit(reading, now)]
    return sorted((m for m in found if m.late_s > grace_s), key=lambda m: (m.due_at, m.case_id))


def _audit(reading: Reading, now: datetime) -> Iterator[Missed]:
    about = reading.case_id or reading.study_uid
    if reading.alert is not None and reading.alert.open:
        yield from audit_alert(about, reading.alert, now)
    for one in reading.untold:
        if one.report_id not in reading.overdue:
            due_at = told_by(one)
            late_s = (now - due_at).total_seconds()
            yield Missed(kind="untold", case_id=about, due_at=due_at, late_s=late_s)
