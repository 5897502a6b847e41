"""Rolling readings of a running stream: provisional, on a grid of whole seconds, never on packet borders."""

import asyncio
import heapq
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from greenchannel.alerts import commands
from greenchannel.events import ProvisionalReading
from greenchannel.ingest.scaling import int16_to_mv
from greenchannel.service.book import CaseBook
from greenchannel.service.casework import Casework
from greenchannel.service.ids import new_id
from greenchannel.service.intake import Intake
from greenchannel.service.live_stream import Running
from greenchannel.service.look_pace import LookPace
from greenchannel.service.reading_process import ReadingProcess, Window
from greenchannel.service.watch import Watch
from greenchannel.signal import rolling as windows
from greenchannel.signal.standing import WINDOW_S, Standing, slow
from greenchannel.signal.standing_look import look as held_against
from greenchannel.store.writer import Tx, Writer
from greenchannel.triage.electrode_sets import true_leads
from greenchannel.triage.finding import Patient

REFRESH_S: Final = 10
"""A reading that every second has confirmed is made anew after so long: by then its whole window is new.  [E]"""

HOLE_S: Final = 3
"""So long a reading waits for samples that are missing while later ones come: a socket keeps its order.  [E]"""

LATE_S: Final = REFRESH_S + 2
"""A reading that is older than this is made anew in its turn with those in which something has changed.  [E]"""

IN_PROCESS: Final = 2
"""Windows that are with the reading process, where there is one.  [E]"""


class RollingReader:
    """Reads the newest ten seconds of streams, `at_once` of them in threads, and holds each new second against that.

    A second that confirms the reading before it (`signal.standing`) needs no reading of its own; the seconds of all
    streams that wait are held against theirs together. Where more streams must be read than can be, those that were
    never read come first, then those in which something has changed, then what is only to be made anew; among
    equals the one that waits longest. With more threads than `at_once`, a file and a final reading never wait behind
    any. What is read is always the newest second; one that was missed is skipped.
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
        process: ReadingProcess,
    ) -> None:
        self._intake = intake
        self._book = book
        self._writer = writer
        self._casework = casework
        self._watch = watch
        self._at_once = at_once
        self._under_way = 0
        self._process = process
        self._pace = LookPace()  # by the event loop's clock
        self._fresh: dict[Running, None] = {}  # a second was not looked at, or a reading is to be made anew

    def choose(self) -> list[Running]:
        """The streams to read now; the caller runs `read` on each."""
        # One waits at the process while another is read there: it must not stand still until this loop has time for it.
        places = max(self._at_once, IN_PROCESS if self._process.is_there else 0)
        free = places - self._under_way
        if free <= 0:
            return []
        due = [running for running in self._fresh if self._must_be_read(running)]
        chosen = heapq.nsmallest(free, due, key=self._priority)
        if places > 1 and len(chosen) == free and self._may_wait(chosen[-1]):
            chosen.pop()  # the last place is left to what may be an infarction
        for running in chosen:
            running.reading = True
        self._under_way += len(chosen)
        return chosen

    @staticmethod
    def _busy(running: Running) -> bool:
        return running.reading or running.looking or running.given_up or running.finishing

    def _must_be_read(self, running: Running) -> bool:
        return self._is_due(running) and not self._busy(running)

    @staticmethod
    def _is_due(running: Running) -> bool:
        news = running.readable_until - running.measured_until
        return news > 0 and (running.standing is None or news >= REFRESH_S * running.hello.rate_hz)

    @staticmethod
    def _may_wait(running: Running) -> bool:
        """Is its reading only to be made anew, and not late?"""
        waits = running.readable_until - running.measured_until
        return running.standing is not None and waits < LATE_S * running.hello.rate_hz

    @classmethod
    def _priority(cls, running: Running) -> tuple[bool, bool, float]:
        waits = running.readable_until - running.measured_until
        return running.measured_until > 0, cls._may_wait(running), -waits / running.hello.rate_hz

    def choose_to_look(self) -> list[Running]:
        """The streams whose new second is to be held against their reading; the caller runs `look` on all of them."""
        now_s = asyncio.get_running_loop().time()
        if not self._pace.may_begin(now_s):
            return []
        due = []
        for running in self._fresh:
            if running.standing is None or self._busy(running):
                continue
            seconds = self._seconds(running, running.readable_until) - self._seconds(
                running, running.analysed_until
            )
            if seconds > 1 or (seconds == 1 and running.read_for != timeless(self._patient(running))):
                running.standing = None  # several came at once, or more is known of the patient: read
            elif seconds == 1:
                due.append(running)
        for running in due:
            running.looking = True
        if due:
            self._pace.begin(now_s)
        return due

    def look_rest_s(self) -> float:
        """In how long `choose_to_look` is to be asked again; 0 where nothing waits for that."""
        return self._pace.rest_s(asyncio.get_running_loop().time()) if self._fresh else 0.0

    @staticmethod
    def _seconds(running: Running, sample: int) -> int:
        return windows.whole_seconds(sample, running.hello.rate_hz)

    def durable(self, running: Running) -> None:
        """Note that more of a stream may have become durable, or that what was known of it has become void."""
        rate_hz = running.hello.rate_hz
        ledger = running.ledger
        # A hole that nothing has filled for so long is read as one; what comes into it later makes the reading void.
        holds = ledger.reached - ledger.acked < HOLE_S * rate_hz
        seconds = windows.whole_seconds(ledger.acked if holds else ledger.reached, rate_hz)
        until = windows.edge(seconds, rate_hz) if seconds >= windows.FIRST_S else 0
        if until != running.readable_until or (running.standing is None and self._is_due(running)):
            running.readable_until = until
            self._fresh[running] = None

    def forget(self, running: Running) -> None:
        """Its strip is stored."""
        self._fresh.pop(running, None)

    def _settle(self, running: Running) -> None:
        """Until its next second there may be nothing more to do with a stream."""
        if running.readable_until <= running.analysed_until and not self._is_due(running):
            self._fresh.pop(running, None)

    async def read(self, running: Running) -> None:
        """Read once; a changed tier goes into the case, and rings where it must."""
        until = running.readable_until
        try:
            await self._read(running, until)
        finally:
            running.measured_until = running.analysed_until = until
            running.reading = False
            self._under_way -= 1
            self._settle(running)

    async def look(self, streams: Sequence[Running]) -> None:
        """Hold the newest second of each stream against its reading; where something has changed, it is read next."""
        try:
            alike: dict[tuple[int, float], list[_Look]] = {}
            for running in streams:
                look = _Look(running)
                alike.setdefault((len(look.rows), running.hello.rate_hz), []).append(look)
            found = await self._intake.in_pool(
                lambda: [pair for looks in alike.values() for pair in _compared(looks)]
            )
            for look, standing, changed in found:
                look.take(standing, changed)
        finally:
            for running in streams:
                running.looking = False
                self._settle(running)
            self._pace.end(asyncio.get_running_loop().time())

    async def _read(self, running: Running, until: int) -> None:
        rewritten = running.rewritten
        running.rolled_until = until
        running.standing = None  # until there is that of this reading
        window = self._window(running, until)
        reading = await self._process.read(window)
        if reading is None:
            return  # the device announced that nothing comes for these seconds
        tier, findings = reading.tier, reading.findings
        until_s = until / running.hello.rate_hz
        running.reading_told = {
            "type": "analysis",
            "provisional": True,
            "tier": tier,
            "findings": findings,
            "until_s": until_s,
            "measured_until_s": until_s,
        }
        running.tell(running.reading_told)
        if tier != running.provisional_tier:
            await self._note(running, tier, findings, until)
        if running.rewritten == rewritten:  # and the tier is in the log: else the next second is read
            running.standing, running.read_for = reading.standing, timeless(window.patient)
            running.known, running.known_s = reading.known, reading.known_s

    async def _note(self, running: Running, tier: str, findings: list[dict[str, Any]], until: int) -> None:
        """A tier that changed goes into the case, and rings where it must."""
        provisional = ProvisionalReading(
            ecg_id=running.origin.ecg_id, tier=tier, findings=findings, until_sample=until
        )
        await self._writer.transact(lambda tx: self._write(tx, running.origin.case_id, provisional))
        running.provisional_tier = tier

    def _window(self, running: Running, until: int) -> Window:
        """As far back as a reading reaches."""
        hello = running.hello
        begin_s = max(windows.whole_seconds(until, hello.rate_hz) - windows.REACH_S, 0)
        leads, rows = _leads(running)
        return Window(
            leads=leads,
            rate_hz=hello.rate_hz,
            lsb_mv=hello.lsb_mv,
            begin_s=begin_s,
            steps=running.state.steps(windows.edge(begin_s, hello.rate_hz), until)[list(rows)],
            known=running.known,
            known_s=running.known_s,
            patient=self._patient(running),
            rules_version=self._intake.rules_of(self._book.cases[running.origin.case_id].site).version,
        )

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
            plan=self._watch.plan(provisional.tier, tx.now, case.site),
            settings=self._watch.settings,
        )
        if events:
            self._casework.write(tx, case, case_id, events, "service")


class _Look:
    """One stream's newest second on its way to be held against its reading."""

    def __init__(self, running: Running) -> None:
        rate_hz = running.hello.rate_hz
        self.running = running
        self.until = running.readable_until
        self.standing = running.standing
        self.rewritten = running.rewritten
        self.rows = _leads(running)[1]
        self.steps = running.state.steps(self.until - round(WINDOW_S * rate_hz), self.until)
        running.rolled_until = max(running.rolled_until, self.until)

    def samples_mv(self) -> NDArray[np.float32]:
        """The samples in mV, in the order of the reading's leads."""
        return int16_to_mv(self.steps, self.running.hello.lsb_mv)[list(self.rows)]

    def take(self, standing: Standing, changed: tuple[str, ...]) -> None:
        """What came out goes into the stream, unless its samples have become others in between."""
        running = self.running
        if running.rewritten != self.rewritten or running.standing is not self.standing:
            return
        running.standing = None if changed else standing
        if changed or running.reading_told is None:
            return
        running.analysed_until = self.until
        until_s = self.until / running.hello.rate_hz
        running.tell(running.reading_told | {"until_s": until_s})


def _compared(looks: Sequence[_Look]) -> list[tuple[_Look, Standing, tuple[str, ...]]]:
    """Streams of equally many leads and one rate, held against their readings."""
    rate_hz = looks[0].running.hello.rate_hz
    samples_mv = np.array([look.samples_mv() for look in looks])
    before = [look.standing for look in looks if look.standing is not None]
    found = held_against(before, slow(samples_mv, rate_hz))
    return [(look, *pair) for look, pair in zip(looks, found, strict=True)]


def timeless(patient: Patient) -> Patient:
    """What is known of a patient but for what every second changes."""
    return msgspec.structs.replace(patient, onset_h=None)


def _leads(running: Running) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The leads of a stream by where its electrodes are, and their rows."""
    return true_leads(running.hello.leads, running.hello.fields.electrode_set or "standard")
