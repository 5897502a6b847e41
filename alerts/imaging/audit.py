"""Did what should have happened with the reading of studies happen? As `alerts.auditor`, of the same distrust: it reads
the folded readings and the clock, never the due times."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from greenchannel.alerts.auditor import Missed, audit_alert
from greenchannel.alerts.imaging.critical import again_s, told_by
from greenchannel.alerts.imaging.reading import Reading


def audit(readings: Iterable[Reading], now: datetime, grace_s: float) -> list[Missed]:
    """Return what is overdue by more than the grace, the oldest first.

    "step", "ring", "exhaustion", "repeat": of the call for a report; "untold": a critical result that nobody has said
    back, and of which nobody was told, or not again after the time that is set for it.
    """
    found = [missed for reading in readings for missed in _audit(reading, now)]
    return sorted((m for m in found if m.late_s > grace_s), key=lambda m: (m.due_at, m.case_id))


def _audit(reading: Reading, now: datetime) -> Iterator[Missed]:
    about = reading.case_id or reading.study_uid
    if reading.alert is not None and reading.alert.open:
        yield from audit_alert(about, reading.alert, now)
    said = dict(reading.overdue_at)
    for one in reading.untold:
        last = said.get(one.report_id)
        due_at = told_by(one) if last is None else last + timedelta(seconds=again_s())
        yield Missed(kind="untold", case_id=about, due_at=due_at, late_s=(now - due_at).total_seconds())
