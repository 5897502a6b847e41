"""A small log for tests of the alerts room: append events, get the folded case."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from greenchannel.alerts.alert_deadlines import Deadline, deadlines
from greenchannel.alerts.case import Case, fold, fold_all
from greenchannel.events import (
    AnyEvent,
    CaseOpened,
    ClockReading,
    EcgAnalysed,
    EcgReceived,
    Envelope,
    PlanStep,
    case_stream,
)

T0 = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
CASE = "c_1"


def seconds(s: float) -> datetime:
    """The instant `s` seconds after the log began."""
    return T0 + timedelta(seconds=s)


def reading(s: float, clock: str = "person", uncertainty_s: float | None = None) -> ClockReading:
    """A time read from a clock, `s` seconds after the log began."""
    return ClockReading(at=seconds(s), clock=clock, uncertainty_s=uncertainty_s)


def due_times(envelopes: Iterable[Envelope]) -> list[Deadline]:
    """All due times that a log sets, each as of the event that sets it."""
    found, case = [], None
    for envelope in envelopes:
        case = fold(case, envelope)
        found += deadlines(envelope, case)
    return found


class Log:
    """The log of one case, with a clock that the test turns."""

    def __init__(self, arrival_mode: int | None = 2, case_id: str = CASE) -> None:
        self.case_id = case_id
        self.envelopes: list[Envelope] = []
        self.now_s = 0.0
        self.add(CaseOpened(case_id=case_id, site="s_1", patient="p_1", arrival_mode=arrival_mode))

    @property
    def case(self) -> Case:
        return fold_all(self.envelopes)

    @property
    def now(self) -> datetime:
        return seconds(self.now_s)

    def add(self, *events: AnyEvent, actor: str = "service", at_s: float | None = None) -> Case:
        """Append events at `at_s`, or at the log's own time, and return the case."""
        self.now_s = self.now_s if at_s is None else at_s
        for event in events:
            n = len(self.envelopes) + 1
            self.envelopes.append(
                Envelope(
                    seq=n,
                    stream=case_stream(self.case_id),
                    version=n,
                    at=self.now,
                    clock="server",
                    actor=actor,
                    event=event,
                )
            )
        return self.case

    def extend(self, events: Iterable[AnyEvent], actor: str = "service", at_s: float | None = None) -> Case:
        return self.add(*events, actor=actor, at_s=at_s)

    def ecg(self, ecg_id: str = "e_1", at_s: float | None = None, **more: object) -> Case:
        return self.add(received(ecg_id, **more), at_s=at_s)


def received(ecg_id: str = "e_1", **more: object) -> EcgReceived:
    """An upload of a 12-lead ECG."""
    fields: dict[str, object] = {
        "sha256": "00",
        "size_bytes": 1,
        "way": "upload",
        "format": "dicom",
        "device": "d_1",
        "leads": ("I", "II"),
        "rate_hz": 500.0,
        "duration_s": 10.0,
    }
    return EcgReceived(ecg_id=ecg_id, **{**fields, **more})  # type: ignore[arg-type]


def read(ecg_id: str = "e_1", tier: str = "ACT", sha256: str | None = None) -> EcgAnalysed:
    """A machine reading with one finding of its tier."""
    return EcgAnalysed(
        ecg_id=ecg_id,
        tier=tier,
        findings=[{"id": "STE-1", "tier": tier}],
        acceptable=True,
        bad_leads=(),
        advice=[],
        software="0",
        rules="1",
        analysis_sha256=sha256 or f"{ecg_id}:{tier}",
    )


PLAN = tuple(
    PlanStep(after_s=after_s, role=role, people=people, channels=("live",))
    for after_s, role, people in (
        (0.0, "first", ("anna",)),
        (60.0, "second", ("bo", "anna")),
        (120.0, "head", ("chen",)),
        (180.0, "everybody", ("anna", "bo", "chen")),
    )
)
