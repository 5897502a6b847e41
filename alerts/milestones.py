"""The milestones of a case: the table, who may enter them, and which event of the log sets which of them."""

from datetime import datetime, timedelta
from functools import cache
from typing import Final

import msgspec

from greenchannel.alerts.ecg_state import Ecg
from greenchannel.alerts.green_channel import GreenChannel, template
from greenchannel.alerts.tables import read_table, read_value
from greenchannel.events import (
    AdviceSeen,
    AlertAcknowledged,
    AlertSent,
    ClockReading,
    ContextEntered,
    EcgAnalysed,
    EcgOpened,
    EcgReceived,
    Envelope,
    GreenChannelOpened,
    GreenChannelStoodDown,
    ImageResultReturned,
    MilestoneRecorded,
    ReadingSigned,
    StreamStarted,
    TaskDone,
)


class MilestoneSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of ``milestones.toml``; the fields are explained there."""

    id: str
    en: str
    zh: str
    definition: str
    by: tuple[str, ...]
    required: bool = False
    modes: tuple[int, ...] = (1, 2, 3, 4)
    precedence: str
    pick: str = "first"  # "first": the earliest; "last": the newest statement
    key: str | None = None
    enter: tuple[str, ...]
    day_told: bool = False
    mark: str

    def exists_in(self, arrival_mode: int | None) -> bool:
        """Whether a case of this arrival mode can have it; an unknown mode excludes nothing."""
        return arrival_mode is None or arrival_mode in self.modes


class Code(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that a milestone may say beside its time."""

    milestone: str
    id: str
    zh: str
    en: str


class MilestoneValue(msgspec.Struct, frozen=True, kw_only=True):
    """One value of one milestone, by one source."""

    milestone: str
    time: ClockReading
    source: str
    actor: str
    recorded_at: datetime
    seq: int
    key: str | None = None
    note: str | None = None
    correction: bool = False
    derived: bool = False  # set by another event of the log, not entered as a milestone
    ecg_id: str | None = None  # the ECG that it was derived from
    code: str | None = None  # one of the milestone's codes; None: it has none, or nobody said


@cache
def milestones() -> dict[str, MilestoneSpec]:
    """All milestones by id, in the order of care."""
    return {row.id: row for row in read_table("milestones", "milestone", MilestoneSpec)}


@cache
def codes(milestone: str) -> dict[str, Code]:
    """What a milestone may say beside its time, by id; empty for most."""
    return {row.id: row for row in read_table("milestones", "code", Code) if row.milestone == milestone}


@cache
def precedences() -> dict[str, tuple[str, ...]]:
    """The lists of sources, strongest first, by name."""
    return read_value("milestones", "precedence", dict[str, tuple[str, ...]])


@cache
def future_tolerance_s() -> float:
    """How far ahead of the server an entered time may lie."""
    return read_value("milestones", "future_tolerance_s", float)


@cache
def earliest_before_case_d() -> float:
    """How many days before the opening of its case an entered time may lie."""
    return read_value("milestones", "earliest_before_case_d", float)


@cache
def treated_before_ecg_h() -> float:
    """How many hours before the first ECG of its case a treatment may lie that ends its green channel."""
    return read_value("milestones", "treated_before_ecg_h", float)


@cache
def first_strip_s() -> float:
    """How much of a live stream makes the first ECG."""
    return read_value("milestones", "first_strip_s", float)


def enterable(role: str, arrival_mode: int | None = None) -> tuple[MilestoneSpec, ...]:
    """The milestones that a person of `role` may enter by hand for a case of this arrival mode."""
    return tuple(row for row in milestones().values() if role in row.enter and row.exists_in(arrival_mode))


DEVICE_SOURCE: Final = "device"
MACHINE_SOURCES: Final = frozenset({DEVICE_SOURCE, "server", "gps"})
"""What a machine said outweighs what a person typed, so people do not type in its name."""


@cache
def sources() -> frozenset[str]:
    """Every source that a time may have, the roles that enter times among them."""
    named = {name for order in precedences().values() for name in order}
    roles = {role for row in milestones().values() for role in row.enter}
    return frozenset(
        named | roles | set(read_value("milestones", "said_by", dict[str, tuple[str, ...]])["documents"])
    )


def source_rank(spec: MilestoneSpec, source: str) -> int:
    """0 for the strongest source; one that the table does not name comes last."""
    order = precedences()[spec.precedence]
    return order.index(source) if source in order else len(order)


def derive(envelope: Envelope, ecgs: tuple[Ecg, ...], channel: GreenChannel) -> tuple[MilestoneValue, ...]:
    """Return the milestone values that one event sets.

    `ecgs` and `channel` are the state before the event. A value read from the server's clock is exact by
    definition; a task's "done" is the instant of the press, so how late it was is unknown.
    """
    event = envelope.event
    server = ClockReading(at=envelope.at, clock=envelope.clock, offset_s=0.0, uncertainty_s=0.0)
    match event:
        case EcgReceived() as e:
            received = _carried(server, e.received_at)
            found = [_value(envelope, "ECG_RECEIVED", received, "server", ecg_id=e.ecg_id)]
            if e.sent is not None:
                found.append(_value(envelope, "ECG_SENT", e.sent, "device", ecg_id=e.ecg_id))
            if e.acquired is not None and _is_first_known(e, ecgs):
                completed = _completed(e, e.acquired, received.at)
                found.append(_value(envelope, "ECG1_ACQ", completed, "device", ecg_id=e.ecg_id))
            return tuple(found)
        case StreamStarted() as e:
            source, started = ("device", e.started) if e.started is not None else ("server", server)
            return (_value(envelope, "ECG_SENT", started, source, ecg_id=e.ecg_id),)
        case EcgAnalysed() as e:
            stored = _carried(server, e.analysed_at)
            return (_value(envelope, "ECG_ALGO", stored, "server", ecg_id=e.ecg_id),)
        case EcgOpened() as e:
            return (_value(envelope, "ECG_OPENED", server, "server", ecg_id=e.ecg_id),)
        case ReadingSigned() as e:
            names = ("ECG_DX",) if e.advice is None else ("ECG_DX", "ADVICE_BACK")
            return tuple(_value(envelope, name, server, "server", ecg_id=e.ecg_id) for name in names)
        case AdviceSeen() as e:
            return (_value(envelope, "ADVICE_SEEN", server, "server", ecg_id=e.ecg_id),)
        case AlertSent() as e:
            return (_value(envelope, "ALERT_SENT", server, "server", key=e.person),)
        case AlertAcknowledged() as e:
            return (_value(envelope, "ALERT_ACK", server, "server", key=e.person),)
        case GreenChannelOpened():
            return (_value(envelope, "GREEN_OPEN", server, "server"),)
        case GreenChannelStoodDown() as e:
            return (_value(envelope, "GREEN_CANCEL", server, "server", note=e.reason),)
        case ImageResultReturned(modality="CT", addendum=False):  # the press of who signs is the time
            return (_value(envelope, "CT_REPORT", server, "radiologist"),)
        case ContextEntered() as e if e.onset is not None:
            return (_value(envelope, "ONSET", e.onset, "clinic"),)
        case TaskDone() as e:
            return _of_task(envelope, e.task_id, channel)
        case MilestoneRecorded() as e:
            return (
                MilestoneValue(
                    milestone=e.milestone,
                    time=e.time,
                    source=e.source,
                    actor=e.said_by or envelope.actor,
                    recorded_at=e.said_at or envelope.at,
                    seq=envelope.seq,
                    key=e.key,
                    note=e.note,
                    correction=e.correction,
                    code=e.code,
                ),
            )
        case _:
            return ()


def _value(
    envelope: Envelope,
    milestone: str,
    time: ClockReading,
    source: str,
    *,
    key: str | None = None,
    note: str | None = None,
    ecg_id: str | None = None,
) -> MilestoneValue:
    return MilestoneValue(
        milestone=milestone,
        time=time,
        source=source,
        actor=envelope.actor,
        recorded_at=envelope.at,
        seq=envelope.seq,
        key=key,
        note=note,
        derived=True,
        ecg_id=ecg_id,
    )


def _carried(server: ClockReading, first_at: datetime | None) -> ClockReading:
    """The server's instant; the first one where the event was carried over from another case."""
    return server if first_at is None else msgspec.structs.replace(server, at=first_at)


def _completed(event: EcgReceived, started: ClockReading, received_at: datetime) -> ClockReading:
    """The end of an acquisition that began at `started`: the milestone is the first ECG completed.

    Of a live stream the first strip counts, however long it goes on. What was received was completed before.
    """
    length_s = event.duration_s or 0.0  # nobody knows how long the strip on a paper took
    if event.way == "stream":
        length_s = min(length_s, first_strip_s())
    length = timedelta(seconds=length_s)
    at = max(min(started.at + length, received_at), started.at)
    raw = None if started.raw is None else started.raw + length
    return msgspec.structs.replace(started, at=at, raw=raw)


def _is_first_known(event: EcgReceived, ecgs: tuple[Ecg, ...]) -> bool:
    """Whether this ECG can bear the time of the first one.

    Chest electrodes that were moved make another recording, not the first. Where an ECG of the standard set came
    before and has no time, the first ECG's time is unknown, and a later one must not stand in for it.
    """
    if event.electrode_set != "standard":
        return False
    return not any(
        ecg.received_at is not None and ecg.electrode_set == "standard" and ecg.acquired is None
        for ecg in ecgs
        if ecg.ecg_id != event.ecg_id
    )


def _of_task(envelope: Envelope, task_id: str, channel: GreenChannel) -> tuple[MilestoneValue, ...]:
    task = channel.task(task_id)
    row = template(task.kind) if task is not None else None
    if task is None or row is None or row.done_milestone is None or task.done_at is not None:
        return ()
    pressed = ClockReading(at=envelope.at, clock=envelope.clock, offset_s=0.0, uncertainty_s=None)
    return (_value(envelope, row.done_milestone, pressed, task.role),)
