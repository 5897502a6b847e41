"""Did what should have happened with the reading of studies happen? As `alerts.auditor`, of the same distrust: it reads
the folded readings and the clock, never the due times."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from greenchannel.alerts.auditor import Kind, Missed, audit_alert
from greenchannel.alerts.imaging.clock import confirm_within
from greenchannel.alerts.imaging.critical import again_s, told_by
from greenchannel.alerts.imaging.reading import Reading


def audit(readings: Iterable[Reading], now: datetime, grace_s: float) -> list[Missed]:
    """Return what is overdue by more than the grace, the oldest first.

    "step", "ring", "exhaustion", "repeat": of the call for a report; "untold": a critical result that nobody has said
    back, and of which nobody was told, or not again after the time that is set for it; "unconfirmed": the same of a
    provisional report that nobody has confirmed; "uncalled": a share of the clock is over, there is no report, and no
    alert that would call anybody for it.
    """
    found = [missed for reading in readings for missed in _audit(reading, now)]
    return sorted((m for m in found if m.late_s > grace_s), key=lambda m: (m.due_at, m.case_id))


def _audit(reading: Reading, now: datetime) -> Iterator[Missed]:
    about = reading.case_id or reading.study_uid
    if reading.alert is not None and reading.alert.open:
        yield from audit_alert(about, reading.alert, now)
    elif reading.report is None and not reading.gone:
        wanted = reading.clock
        due_at = wanted.started_at + (wanted.due_at - wanted.started_at) * wanted.shares[0]
        yield _missed("uncalled", about, max(due_at, reading.wanted_at), now)
    if reading.report is not None and reading.state == "provisional" and not reading.gone:
        since = reading.unconfirmed_said_at or reading.report.due_from
        yield _missed("unconfirmed", about, since + confirm_within(), now)
    said = dict(reading.overdue_at)
    for one in reading.untold:
        last = said.get(one.report_id)
        due_at = told_by(one) if last is None else last + timedelta(seconds=again_s())
        yield _missed("untold", about, due_at, now)


def audit_unwanted(came: Iterable[tuple[str, datetime]], now: datetime, grace_s: float) -> list[Missed]:
    """Return "uncalled" for studies that have come, each by its case and since when, and that nobody is to read: their
    clock was never begun."""
    found = [_missed("uncalled", case_id, at, now) for case_id, at in came]
    return [missed for missed in found if missed.late_s > grace_s]


def _missed(kind: Kind, about: str, due_at: datetime, now: datetime) -> Missed:
    return Missed(kind=kind, case_id=about, due_at=due_at, late_s=(now - due_at).total_seconds())
