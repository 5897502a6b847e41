"""The published case of ``golden_case.toml`` as the events of a closed case."""

from datetime import date, datetime, time, tzinfo

import msgspec

from greenchannel.alerts.tables import read_table, read_value
from greenchannel.events import (
    AnyEvent,
    CaseClosed,
    CaseOpened,
    ClockReading,
    FactRecorded,
    MilestoneRecorded,
)


class ReportedTime(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One time of day that the report gives."""

    milestone: str
    at: time
    note: str | None = None


class ReportedFact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that the report says and that is no time."""

    id: str
    code: str


def published_case(day: date, zone: tzinfo, *, case_id: str, site: str, patient: str) -> list[AnyEvent]:
    """Return the events that seed the published case as a closed one.

    Parameters
    ----------
    day : date
        Any day; the report gives none, and the case's note says so.
    zone : tzinfo
        The zone of the reported times of day.
    case_id, site, patient : str
        Whose the case is to be; `patient` a pseudonym.
    """

    def value(name: str) -> str:
        return read_value("golden_case", name, str)

    note = read_value("golden_case", "note", dict[str, str])
    opened = CaseOpened(
        case_id=case_id,
        site=site,
        patient=patient,
        arrival_mode=read_value("golden_case", "arrival_mode", int),
        note=f"{note['zh']} / {note['en']}",
    )
    events: list[AnyEvent] = [opened]
    for reported in read_table("golden_case", "time", ReportedTime):
        reading = ClockReading(
            at=datetime.combine(day, reported.at, zone),
            clock=value("clock"),
            uncertainty_s=read_value("golden_case", "uncertainty_s", float),
        )
        events.append(
            MilestoneRecorded(
                milestone=reported.milestone, time=reading, source=value("source"), note=reported.note
            )
        )
    events += [
        FactRecorded(fact=reported.id, code=reported.code, source=value("source"))
        for reported in read_table("golden_case", "fact", ReportedFact)
    ]
    return [*events, CaseClosed(reason=value("close_reason"))]
