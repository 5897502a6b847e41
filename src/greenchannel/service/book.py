"""The warm case book: every case as folded from the log, and which case an ECG, alert or task belongs to."""

from collections.abc import Iterable
from typing import Final

from greenchannel.alerts import case as case_fold
from greenchannel.alerts.case import Case
from greenchannel.alerts.channel_health import HealthBook
from greenchannel.alerts.imaging import reading as image_reading
from greenchannel.alerts.imaging.detector_counts import DetectorCounts
from greenchannel.events import (
    AlertOpened,
    ClockReportMade,
    DeviceClockMeasured,
    EcgReceived,
    Envelope,
    FollowUpPlanned,
    GreenChannelOpened,
    StreamStarted,
    study_of,
)
from greenchannel.ingest.clock_history import ClockHistory, DeadDate, after_contact, after_dead_date
from greenchannel.ingest.device_clock import MOST_OFFSET_S, ClockOffset, refine_offset

KEPT_REPORTS: Final = 53  # weeks


def fold_clocks(histories: dict[str, ClockHistory], envelope: Envelope) -> None:
    """Take into the histories of device clocks what one event says of one."""
    event = envelope.event
    if isinstance(event, DeviceClockMeasured):
        contact = ClockOffset(
            offset_s=event.offset_s, uncertainty_s=event.uncertainty_s, measured_at=envelope.at
        )
        known = histories.get(event.device, ClockHistory())
        histories[event.device] = after_contact(known, contact)
    elif (
        isinstance(event, EcgReceived) and event.device is not None and event.acquired_problem == "dead_clock"
    ):
        date = DeadDate(seen_at=event.received_at or envelope.at, raw=event.acquired_raw or "")
        known = histories.get(event.device, ClockHistory())
        histories[event.device] = after_dead_date(known, date)


class CaseBook:
    """A read model kept by the writer's thread; reading it from other threads is safe, its values never change."""

    def __init__(self) -> None:
        self.seq = 0
        self.cases: dict[str, Case] = {}
        self.device_clocks: dict[str, ClockOffset] = {}
        self.clock_histories: dict[str, ClockHistory] = {}
        self.clock_reports: dict[str, ClockReportMade] = {}  # by week, the newest year
        self.channel_health = HealthBook()
        # device and its stream id → case and start
        self.streams: dict[tuple[str, str], tuple[str, StreamStarted]] = {}
        self.image_readings: dict[str, image_reading.Reading] = {}  # by study
        self.open_images: dict[str, image_reading.Reading] = {}  # of these what is not done
        self.shared_images: dict[str, set[str]] = {}  # studies of others, by the site that may see them
        self.detector_counts = DetectorCounts()
        self._case_of: dict[str, str] = {}  # ECG, alert or task id → case id

    def apply(self, envelopes: Iterable[Envelope]) -> list[tuple[Envelope, Case | None]]:
        """Take committed events in; each comes back with its case as it is right after."""
        return [(envelope, self._apply(envelope)) for envelope in envelopes]

    def _apply(self, envelope: Envelope) -> Case | None:
        self.seq = envelope.seq
        event = envelope.event
        fold_clocks(self.clock_histories, envelope)
        self.channel_health.apply(envelope)
        if isinstance(event, ClockReportMade):
            self.clock_reports[event.week] = event
            for week in sorted(self.clock_reports)[:-KEPT_REPORTS]:
                del self.clock_reports[week]
        if isinstance(event, DeviceClockMeasured):
            measured = ClockOffset(
                offset_s=event.offset_s, uncertainty_s=event.uncertainty_s, measured_at=envelope.at
            )
            if abs(event.offset_s) <= MOST_OFFSET_S:  # one that was never set corrects nothing
                self.device_clocks[event.device] = refine_offset(
                    self.device_clocks.get(event.device), measured
                )
        case_id = envelope.case_id
        if case_id is None:
            self._apply_image(envelope)
            return None
        match event:
            case StreamStarted():
                self._case_of[event.ecg_id] = case_id
                self.streams[event.device, event.stream_id] = case_id, event
            case EcgReceived():
                self._case_of[event.ecg_id] = case_id
            case AlertOpened():
                self._case_of[event.alert_id] = case_id
            case FollowUpPlanned():
                self._case_of[event.followup_id] = case_id
            case GreenChannelOpened():
                self._case_of.update({task.task_id: case_id for task in event.tasks})
            case _:
                pass
        case = case_fold.fold(self.cases.get(case_id), envelope)
        self.cases[case_id] = case
        return case

    def _apply_image(self, envelope: Envelope) -> None:
        study_uid = study_of(envelope.stream)
        if study_uid is not None:
            before = self.image_readings.get(study_uid)
            read = image_reading.fold(before, envelope)
            if read is not None:
                self.detector_counts.apply(before, read)
                self.image_readings[study_uid] = read
                self._share(before, read)
                self.open_images.pop(study_uid, None)
                if read.is_open:
                    self.open_images[study_uid] = read

    def _share(self, before: image_reading.Reading | None, read: image_reading.Reading) -> None:
        """Keep by site what it may see of others; what is gone, nobody does."""
        had = () if before is None or before.gone else before.shared_with
        has = () if read.gone else read.shared_with
        for site in had:
            self.shared_images[site].discard(read.study_uid)
        for site in has:
            self.shared_images.setdefault(site, set()).add(read.study_uid)

    def case_id_of(self, thing_id: str) -> str | None:
        """The case that an ECG, an alert, a task or a follow-up belongs to."""
        return self._case_of.get(thing_id)
