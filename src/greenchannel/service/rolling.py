"""Rolling readings of a running stream: provisional, on a grid of whole seconds, never on packet borders."""

from typing import Final

import structlog

from greenchannel.alerts import commands
from greenchannel.events import ProvisionalReading
from greenchannel.service.casework import Casework
from greenchannel.service.ids import new_id
from greenchannel.service.intake import Intake
from greenchannel.service.live_stream import Running
from greenchannel.service.watch import Watch
from greenchannel.store.writer import Tx, Writer
from greenchannel.triage.finding import Patient
from greenchannel.triage.interpretation import interpret, to_json

logger = structlog.get_logger(__name__)

FIRST_S: Final = 5  # a shorter strip says too little
WINDOW_S: Final = 10


class RollingReader:
    """Reads the newest ten seconds of a stream whenever another second of it is durable."""

    def __init__(self, *, intake: Intake, writer: Writer, casework: Casework, watch: Watch) -> None:
        self._intake = intake
        self._writer = writer
        self._casework = casework
        self._watch = watch

    def due(self, running: Running) -> bool:
        """Is there a whole second that was not read?"""
        return self._newest(running) > max(running.analysed_until, FIRST_S * running.hello.rate_hz - 1)

    @staticmethod
    def _newest(running: Running) -> int:
        """The last sample on the grid of whole seconds that is durable."""
        seconds = int(running.ledger.acked / running.hello.rate_hz)
        return round(seconds * running.hello.rate_hz)

    async def read(self, running: Running) -> None:
        """Read once; a changed tier goes into the case, and rings where it must."""
        until = self._newest(running)
        first = max(0, until - round(WINDOW_S * running.hello.rate_hz))
        fields = running.hello.fields
        patient = Patient(age_years=fields.age_years, sex=fields.sex, chest_pain=fields.chest_pain)
        try:
            recording = running.state.excerpt(first, until)
            analysis = await self._intake.in_pool(
                lambda: to_json(interpret(recording, patient), source=None, sha256=None)
            )
            tier, findings = str(analysis["tier"]), list(analysis["findings"])
            running.tell(
                {
                    "type": "analysis",
                    "provisional": True,
                    "tier": tier,
                    "findings": findings,
                    "until_s": until / running.hello.rate_hz,
                }
            )
            if tier != running.provisional_tier:
                ecg_id, case_id = running.origin.ecg_id, running.origin.case_id

                def command(tx: Tx) -> None:
                    case = self._casework.current(tx, case_id)
                    reading = ProvisionalReading(
                        ecg_id=ecg_id, tier=tier, findings=findings, until_sample=until
                    )
                    plan = self._watch.plan(tier, tx.now)
                    events = commands.provisional(
                        case, reading, alert_id=new_id("a"), plan=plan, settings=self._watch.settings
                    )
                    if events:
                        self._casework.write(tx, case, case_id, events, "service")

                await self._writer.transact(command)
                running.provisional_tier = tier
        finally:
            running.analysed_until = until
            running.reading = False
