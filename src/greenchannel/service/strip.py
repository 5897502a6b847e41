"""How a live stream ends: its strip becomes a file, and is read as one; a stream without a sample is written off."""

import asyncio
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

from greenchannel.alerts.ecg_state import Ecg
from greenchannel.clock import Clock
from greenchannel.events import StreamEndedEmpty
from greenchannel.ingest import device_clock
from greenchannel.ingest.device_hello import Hello
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.parsed import ParsedEcg
from greenchannel.ingest.reader import read_ecg
from greenchannel.ingest.scaling import mv_to_int16
from greenchannel.ingest.wfdb_write import write_wfdb_zip
from greenchannel.service.book import CaseBook
from greenchannel.service.casework import Casework
from greenchannel.service.intake import Arrival, Intake
from greenchannel.service.live_stream import Running
from greenchannel.signal.recording import Recording
from greenchannel.store.blobs import Blobs, StagedBlob
from greenchannel.store.writer import Tx, Writer

logger = structlog.get_logger(__name__)


class Strips:
    """Ends streams. Every step may be repeated after a failure; what is done already is not done again."""

    def __init__(
        self,
        *,
        clock: Clock,
        writer: Writer,
        casework: Casework,
        book: CaseBook,
        intake: Intake,
        blobs: Blobs,
    ) -> None:
        self._clock = clock
        self._writer = writer
        self._casework = casework
        self._book = book
        self._intake = intake
        self._blobs = blobs

    async def finish(self, running: Running) -> None:
        """Store the strip as a file and read it as a file."""
        origin = running.origin
        try:
            recording = running.state.assemble()
        except IngestError:
            logger.warning("a stream ended without samples", ecg_id=origin.ecg_id, device=origin.device)
            await self.end_empty(origin.ecg_id, origin.case_id)
            return
        if not self.is_stored(origin.ecg_id):
            await self._store(running, recording)
        if not self._intake.is_read(origin.case_id, origin.ecg_id):
            await self._intake.read(origin.ecg_id, origin.case_id, recording)
        ecg = self._book.cases[origin.case_id].ecg(origin.ecg_id)
        if ecg is not None:
            running.tell(analysis_message(ecg.final_tier, list(ecg.final_findings), recording.duration_s))
        logger.info("stream finished", ecg_id=origin.ecg_id, device=origin.device, leads=len(recording.leads))

    async def end_empty(self, ecg_id: str, case_id: str) -> None:
        """Write down that nothing will come of a live ECG, where nothing came."""

        def command(tx: Tx) -> None:
            case = self._casework.current(tx, case_id)
            ecg = case.ecg(ecg_id)
            if ecg is not None and ecg.live:
                self._casework.write(tx, case, case_id, [StreamEndedEmpty(ecg_id=ecg_id)], "service")

        await self._writer.transact(command)

    async def _store(self, running: Running, recording: Recording) -> None:
        origin, fields = running.origin, running.hello.fields
        data = write_wfdb_zip(
            recording, lsb_mv=running.hello.lsb_mv, age_years=fields.age_years, sex=fields.sex, acquired=None
        )
        staged = await asyncio.to_thread(self._blobs.stage, data)
        arrival = await self._intake.looked_for(self._arrival(running, recording, staged))

        def command(tx: Tx) -> None:
            case = self._casework.current(tx, origin.case_id)
            ecg = case.ecg(origin.ecg_id)
            if ecg is None or ecg.sha256 is None:
                self._intake.add(tx, arrival, case, case.patient)

        await self._writer.transact(command)

    def _arrival(self, running: Running, recording: Recording, staged: StagedBlob) -> Arrival:
        origin = running.origin
        acquired = device_clock.judge_acquired(
            running.hello.started_at,
            received_at=self._clock.now(),
            offset=self._intake.offset_of(origin.device),
            site_zone=self._intake.zone_of(origin.site),
            clock=f"device:{origin.device}",
        )
        return Arrival(
            parsed=ParsedEcg(recording=recording, format="wfdb"),
            staged=staged,
            size_bytes=staged.size_bytes,
            way="stream",
            fields=running.hello.fields,
            site=origin.site,
            device=origin.device,
            acquired=acquired,
            sent=None,
            actor=origin.actor,
            ecg_id=origin.ecg_id,
        )

    # ------------------------------------------------------------ questions

    async def steps(self, ecg: Ecg, patient: str, hello: Hello) -> NDArray[np.int16]:
        """The samples of a stored strip in the device's steps, ``(leads, samples)``."""
        assert ecg.sha256 is not None
        data = await asyncio.to_thread(self._blobs.get, ecg.sha256, patient)
        recording = (await asyncio.to_thread(read_ecg, [(None, data)])).recording
        return mv_to_int16(recording.samples_mv, hello.lsb_mv)

    def is_stored(self, ecg_id: str) -> bool:
        """Is the strip a file?"""
        case = self._book.cases.get(self._book.case_id_of(ecg_id) or "")
        ecg = case.ecg(ecg_id) if case else None
        return ecg is not None and ecg.sha256 is not None

    def is_over(self, ecg_id: str) -> bool:
        """Is nothing more to come of it, whether it was stored or ended without a sample?"""
        case = self._book.cases.get(self._book.case_id_of(ecg_id) or "")
        ecg = case.ecg(ecg_id) if case else None
        return ecg is not None and not ecg.live


def analysis_message(tier: str | None, findings: list[Any], until_s: float) -> dict[str, Any]:
    """The final reading as the device hears it."""
    return {"type": "analysis", "provisional": False, "tier": tier, "findings": findings, "until_s": until_s}
