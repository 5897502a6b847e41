"""The clock of a clinic's computer, as its agent measured it against ours. Not that of the ECG machines it serves."""

from datetime import timedelta
from typing import Final

from greenchannel.events import DeviceClockMeasured
from greenchannel.ingest.device_clock import ClockOffset
from greenchannel.service.book import CaseBook
from greenchannel.service.callers import Caller
from greenchannel.store.writer import Tx, Writer

AGENT: Final = "agent:"
"""Before a device's id: the clock of the computer whose agent sends for it."""

NOTED_EVERY: Final = timedelta(hours=6)  # where nothing has changed  [E]
LEAST_CHANGE_S: Final = 0.5  # a smaller one is noted with the next  [E]


class AgentClocks:
    """Notes what agents say of their clocks, as often as it says something new."""

    def __init__(self, writer: Writer, book: CaseBook) -> None:
        self._writer = writer
        self._book = book

    async def note(self, caller: Caller, measured: ClockOffset) -> bool:
        """Append it to the log where it is news; gives whether it was. The clock is known as ``agent:`` and the
        device's id."""
        name = AGENT + caller.id
        history = self._book.clock_histories.get(name)
        noted = None if history is None else history.last_contact
        if noted is not None and not _is_news(noted, measured):
            return False
        event = DeviceClockMeasured(
            device=name, offset_s=measured.offset_s, uncertainty_s=measured.uncertainty_s
        )

        def write(tx: Tx) -> None:
            tx.append(f"device:{name}", [event], actor=caller.actor)

        await self._writer.transact(write)
        return True


def _is_news(noted: ClockOffset, measured: ClockOffset) -> bool:
    """Against what was noted last, which need not be the estimate that times are corrected by: that may be older."""
    moved_s = abs(measured.offset_s - noted.offset_s)
    width_s = noted.uncertainty_at(measured.measured_at) + measured.uncertainty_s
    moved = moved_s > max(LEAST_CHANGE_S, width_s)
    narrower = measured.uncertainty_s < noted.uncertainty_s / 2
    return moved or narrower or measured.measured_at - noted.measured_at >= NOTED_EVERY
