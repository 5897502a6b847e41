"""Rolling readings of a running stream: provisional, on a grid of whole seconds, never on packet borders."""

import heapq
from collections.abc import Iterable

import msgspec

from greenchannel.alerts import commands
from greenchannel.events import ProvisionalReading
from greenchannel.ingest.scaling import int16_to_mv
from greenchannel.service.book import CaseBook
from greenchannel.service.casework import Casework
from greenchannel.service.ids import new_id
from greenchannel.service.intake import Intake
from greenchannel.service.live_stream import Running
from greenchannel.service.watch import Watch
from greenchannel.signal import rolling as windows
from greenchannel.store.writer import Tx, Writer
from greenchannel.triage.electrode_sets import true_leads
from greenchannel.triage.finding import Patient
from greenchannel.triage.interpretation import finding_json
from greenchannel.triage.reading import Reading, read


class RollingReader:
    """Reads the newest ten seconds of streams, `at_once` of them at most.

    Where more streams have a new second than can be read, those that were never read come first, then the one that
    waits longest: nobody waits behind the repeated readings of others. With more threads than that, a file and a final
    reading never wait behind any. What is read is always the newest second; one that was missed is skipped.
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
        if self._free == 0:
            return []
        due = [
            running
            for running in streams
            if running.readable_until > running.analysed_until
            and not (running.reading or running.given_up or running.finishing)
        ]
        chosen = heapq.nsmallest(self._free, due, key=self._priority)
        for running in chosen:
            running.reading = True
        self._free -= len(chosen)
        return chosen

    def _priority(self, running: Running) -> tuple[bool, float]:
        waits = running.readable_until - running.analysed_until
        return running.analysed_until > 0, -waits / running.hello.rate_hz

    @staticmethod
    def durable(running: Running) -> None:
        """Note that more of a stream may have become durable."""
        rate_hz = running.hello.rate_hz
        seconds = windows.whole_seconds(running.ledger.acked, rate_hz)
        running.readable_until = windows.edge(seconds, rate_hz) if seconds >= windows.FIRST_S else 0

    async def read(self, running: Running) -> None:
        """Read once; a changed tier goes into the case, and rings where it must."""
        until = running.readable_until
        try:
            await self._read(running, until)
        finally:
            running.analysed_until = until
            running.reading = False
            self._free += 1

    async def _read(self, running: Running, until: int) -> None:
        state, rewritten = self._state(running, until), running.rewritten
        steps = running.state.steps(state.came, until)
        running.rolled_until = until
        patient, (_, rows) = self._patient(running), _leads(running)
        rules = self._intake.rules_of(self._book.cases[running.origin.case_id].site)

        def look() -> tuple[windows.Rolling, Reading | None]:
            samples_mv = int16_to_mv(steps, running.hello.lsb_mv)[list(rows)]
            measured, new = windows.read(windows.push(state, samples_mv))
            return new, None if measured is None else read(measured, patient, rules)

        new, reading = await self._intake.in_pool(look)
        if running.rewritten == rewritten:
            running.rolling = new
        if reading is None:
            return  # the device announced that nothing comes for these seconds
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

    @staticmethod
    def _state(running: Running, until: int) -> windows.Rolling:
        """Where reading goes on: at the state it has, or as far back as that would reach."""
        rate_hz, state = running.hello.rate_hz, running.rolling
        begin_s = max(windows.whole_seconds(until, rate_hz) - windows.REACH_S, 0)
        if state is not None and begin_s < state.until_s:
            return state
        return windows.start(_leads(running)[0], rate_hz, at_s=begin_s)

    def _patient(self, running: Running) -> Patient:
        """What the case knows, as for the final reading; for what it does not know, what the hello said."""
        fields = running.hello.fields
        case = self._book.cases[running.origin.case_id]
        known = self._intake.patient(case)
        return msgspec.structs.replace(
            known,
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


def _leads(running: Running) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The leads of a stream by where its electrodes are, and their rows."""
    return true_leads(running.hello.leads, running.hello.fields.electrode_set or "standard")
