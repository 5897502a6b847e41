"""What the clocks of devices are worth: each contact is written down, and times that devices gave are corrected."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from greenchannel.alerts.milestones import future_tolerance_s
from greenchannel.clock import Clock
from greenchannel.events import ClockReading, DeviceClockMeasured
from greenchannel.ingest import device_clock
from greenchannel.ingest.clock_history import after_contact, offset_for
from greenchannel.ingest.device_clock import ClockOffset, JudgedTime
from greenchannel.ingest.fields import UploadFields
from greenchannel.ingest.paper import Paper
from greenchannel.ingest.parsed import ParsedEcg
from greenchannel.service.book import CaseBook
from greenchannel.service.callers import Caller
from greenchannel.store.accounts import Accounts
from greenchannel.store.writer import Tx, Writer


class DeviceTimes:
    """Judges times for the intake and the streams."""

    def __init__(self, *, clock: Clock, writer: Writer, book: CaseBook, accounts: Accounts) -> None:
        self._clock = clock
        self._writer = writer
        self._book = book
        self._accounts = accounts

    async def note(
        self, device: str | None, reading: datetime | None, received_at: datetime, caller: Caller | None
    ) -> None:
        """Write down how far a device's clock is off, where it said its time. Nobody but the device may say it."""
        if device is None or reading is None or (caller is not None and caller.actor != f"device:{device}"):
            return
        offset = device_clock.estimate_offset(reading, received_at=received_at)
        await self._writer.transact(lambda tx: self.write(tx, device, offset))

    @staticmethod
    def write(tx: Tx, device: str, offset: ClockOffset) -> None:
        """One contact, whatever it says: a clock that was never set is the first that must be reported."""
        event = DeviceClockMeasured(
            device=device, offset_s=offset.offset_s, uncertainty_s=offset.uncertainty_s
        )
        tx.append(f"device:{device}", [event], actor=f"device:{device}")

    def zone_of(self, site: str) -> ZoneInfo:
        """The site's time zone."""
        record = self._accounts.site(site)
        return ZoneInfo(record.timezone if record else "UTC")

    def offset_of(self, device: str | None) -> ClockOffset | None:
        """The newest estimate of a device's clock; None where it was never compared."""
        return None if device is None else self._book.device_clocks.get(device)

    def offset_with(self, device: str | None, measured: ClockOffset | None) -> ClockOffset | None:
        """The estimate after one more contact; one of a clock that was never set corrects nothing."""
        offset = self.offset_of(device)
        if measured is None or abs(measured.offset_s) > device_clock.MOST_OFFSET_S:
            return offset
        return device_clock.refine_offset(offset, measured)

    def acquired(
        self,
        parsed: ParsedEcg | Paper,
        fields: UploadFields,
        caller: Caller,
        device: str | None,
        offset: ClockOffset | None,
        zone: ZoneInfo,
    ) -> JudgedTime:
        """When an ECG was recorded: as a person says, else as its sender or its file says, corrected."""
        now, said = self._clock.now(), fields.acquired_at
        if said is not None and caller.kind == "user":
            reading = device_clock.check_said("acquired_at", said, now=now, ahead_s=future_tolerance_s())
            return JudgedTime(reading=reading, raw=said)
        raw = parsed.acquired if said is None else said
        seen_at = fields.seen_at if caller.kind == "device" else None
        # A clinic's agent sends files of other machines than itself: its sighting bounds their time, its clock does not
        # correct it.
        return device_clock.judge_acquired(
            raw,
            received_at=now if seen_at is None else min(seen_at, now),
            offset=self._offset_of_reading(device, offset, raw, zone) if seen_at is None else None,
            site_zone=zone,
            clock=_clock_of(device),
        )

    def _offset_of_reading(
        self, device: str | None, newest: ClockOffset | None, raw: datetime | None, zone: ZoneInfo
    ) -> ClockOffset | None:
        """By what a time of a device's clock is corrected: by what the clock was when it was read."""
        history = None if device is None else self._book.clock_histories.get(device)
        if history is None or raw is None or newest is None:
            return newest
        if newest.measured_at > (history.last_contact or newest).measured_at:
            history = after_contact(history, newest)
        aware = raw.replace(tzinfo=zone) if raw.utcoffset() is None else raw
        return offset_for(history, aware) or newest

    def sent(
        self,
        fields: UploadFields,
        caller: Caller,
        device: str | None,
        offset: ClockOffset | None,
        started: datetime,
    ) -> ClockReading:
        """When sending began: as the sender's clock has it where that can be, else as we saw it."""
        said = fields.sent_at
        if said is not None and caller.kind == "user":
            return device_clock.check_said("sent_at", said, now=started, ahead_s=future_tolerance_s())
        judged = device_clock.judge_acquired(
            said, received_at=started, offset=offset, site_zone=UTC, clock=_clock_of(device)
        )
        return judged.reading or ClockReading(at=started, clock=self._clock.name)


def _clock_of(device: str | None) -> str:
    return f"device:{device}" if device else "device"
