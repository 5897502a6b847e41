"""Whom a study calls now: the board of those who are rung for it. Pure."""

from collections.abc import Collection

from greenchannel.alerts.imaging.reading import Reading


def calls_for_report(reading: Reading, person: str) -> bool:
    """Was this person rung for the report, and is it not there? What another has claimed since calls again with the
    next ring alone."""
    alert = reading.alert
    if reading.gone or alert is None or not alert.open:
        return False
    taken_at = reading.claimed_at if reading.claimed_by not in (None, person) else None
    return any(
        one.person == person
        and one.rung_at is not None
        and one.rung_at >= alert.round_began_at
        and one.declined_at is None
        and (taken_at is None or one.rung_at > taken_at)
        for one in alert.people
    )


def report_call(reading: Reading) -> str:
    """The name of the present ring: what is silenced under it is heard again with the next."""
    alert = reading.alert
    if alert is None:
        return reading.study_uid
    return f"{alert.alert_id}:{alert.round}:{alert.step}:{alert.repeats}:{int(alert.exhausted)}"


def calls_for_telling(reading: Reading, person: str, watching: Collection[str]) -> bool:
    """Must this person see to it that a critical result is told? Its signer at once; `watching`, the radiologists and
    the head of duty, once it is overdue."""
    late = any(one.report_id in reading.overdue for one in reading.untold)
    return any(one.person == person for one in reading.untold) or (late and person in watching)


def untold_call(reading: Reading) -> str:
    """The name of the present call to tell: an addendum, or once more untold, is another."""
    names = "+".join(one.report_id for one in reading.untold)
    moved = f":moved{len(reading.moves)}" if reading.moves else ""
    return f"{names}:{reading.overdue_times}{moved}"
