"""Rolling readings of a running stream: provisional, on a grid of whole seconds, never on packet borders."""

import heapq
from collections.abc import Iterable
from typing import Final

from greenchannel.alerts import commands
from greenchannel.events import ProvisionalReading
from greenchannel.ingest.errors import IngestError
from greenchannel.service.book import CaseBook
from greenchannel.service.casework import Casework
from greenchannel.service.ids import new_id
from greenchannel.service.intake import Intake
from greenchannel.service.live_stream import Running
from greenchannel.service.watch import Watch
from greenchannel.signal.measure import measure
from greenchannel.store.writer import Tx, Writer
from greenchannel.triage.finding import Patient
from greenchannel.triage.interpretation import finding_json
from greenchannel.triage.reading import read

FIRST_S: Final = 5  # a shorter strip says too little
WINDOW_S: Final = 10


class RollingReader:
    """Reads the newest ten seconds of streams, no more of them at once than there are threads.

    Where more streams have a new second than can be read, those that were never read come first, then the one that
    waits longest: nobody waits behind the repeated readings of others, and a final reading behind two at most. What
    is read is always the newest second; one that was missed is skipped.
    """

    def __init__(
        self,
        *,
        intake: Intake,
        writer: Writer,
        casework: Casework,
        book: CaseBook,
        watch: Watch,
        at_once: int,
    ) -> None:
        self._intake = intake
        self._book = book
        self._writer = writer
        self._casework = casework
        self._watch = watch
        self._free = at_once

    def choose(self, streams: Iterable[Running]) -> list[Running]:
        """The streams to read now; the caller runs `read` on each."""
        due = [
            running
            for running in streams
            if not running.reading and not running.finishing and not running.given_up and self._due(running)
        ]
        chosen = heapq.nsmallest(self._free, due, key=self._priority)
        for running in chosen:
            running.reading = True
        self._free -= len(chosen)
        return chosen

    def _due(self, running: Running) -> bool:
        """Is there a whole second that was not read?"""
        return self._newest(running) > max(running.analysed_until, FIRST_S * running.hello.rate_hz - 1)

    def _priority(self, running: Running) -> tuple[bool, float]:
        return running.analysed_until > 0, (
            running.analysed_until - self._newest(running)
        ) / running.hello.rate_hz

    @staticmethod
    def _newest(running: Running) -> int:
        """The last sample on the grid of whole seconds that is durable."""
        seconds = int(running.ledger.acked / running.hello.rate_hz)
        return round(seconds * running.hello.rate_hz)

    async def read(self, running: Running) -> None:
        """Read once; a changed tier goes into the case, and rings where it must."""
        until = self._newest(running)
        try:
            await self._read(running, until)
        finally:
            running.analysed_until = until
            running.reading = False
            self._free += 1

    async def _read(self, running: Running, until: int) -> None:
        first = max(0, until - round(WINDOW_S * running.hello.rate_hz))
        try:
            recording = running.state.excerpt(first, until)
        except IngestError:
            return  # the device announced that nothing comes for these seconds
        patient = self._patient(running)
        reading = await self._intake.in_pool(lambda: read(measure(recording), patient))
        tier, findings = reading.tier.value, [finding_json(finding) for finding in reading.findings]
        running.tell(
            {
                "type": "analysis",
                "provisional": True,
                "tier": tier,
                "findings": findings,
                "until_s": until / running.hello.rate_hz,
            }
        )
        if tier == running.provisional_tier:
            return
        provisional = ProvisionalReading(
            ecg_id=running.origin.ecg_id, tier=tier, findings=findings, until_sample=until
        )
        await self._writer.transact(lambda tx: self._write(tx, running.origin.case_id, provisional))
        running.provisional_tier = tier

    def _patient(self, running: Running) -> Patient:
        """What the case knows, as for the final reading; for what it does not know, what the hello said."""
        fields = running.hello.fields
        known = self._book.cases[running.origin.case_id].context
        return Patient(
            age_years=known.age_years if known.age_years is not None else fields.age_years,
            sex=known.sex if known.sex is not None else fields.sex,
            chest_pain=known.chest_pain if known.chest_pain is not None else fields.chest_pain,
        )

    def _write(self, tx: Tx, case_id: str, provisional: ProvisionalReading) -> None:
        case = self._casework.current(tx, case_id)
        events = commands.provisional(
            case,
            provisional,
            alert_id=new_id("a"),
            plan=self._watch.plan(provisional.tier, tx.now),
            settings=self._watch.settings,
        )
        if events:
            self._casework.write(tx, case, case_id, events, "service")
