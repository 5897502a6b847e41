"""The clinics: patients come, ECGs are sent again until they are taken, and the service reads them.

Mirrored: `Intake._receive` and `_place` (one case for a patient's open episode, the same bytes once), `_write_reading`,
`read_what_was_left` and `Desk._read_again`; `Rolling._note` for running streams. What an ECG shows is drawn, not read.
"""

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from greenchannel.alerts import commands
from greenchannel.alerts.escalation_plan import default_settings
from greenchannel.events import (
    CaseOpened,
    EcgAnalysed,
    EcgReceived,
    ProvisionalReading,
    StreamStarted,
)
from tests.simulation.agenda import DAY, HOUR, MINUTE, SECOND
from tests.simulation.house import SITES
from tests.simulation.memory_store import MemoryTx

if TYPE_CHECKING:
    from tests.simulation.world import World

_LEADS: Final = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
_LATER: Final = {"ACT": 0.35, "CRIT": 0.2, "URG": 0.15, "FLAG": 0.1, "NONE": 0.2}


class Upload(NamedTuple):
    """One ECG of one patient."""

    patient: str
    site: str
    mode: int | None
    sha256: str
    tier: str
    stream: str | None = None  # the ECG's id, where it runs already


class Clinics:
    """What comes in on one day."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._tiers: dict[str, str] = {}  # sha256 → what the machine will say
        self._patients = 0

    def plan(self) -> list[int]:
        """Put the patients of the day into the agenda, at least 20 whose ECG pages; gives when they come."""
        dice = self._world.dice
        tiers = ["ACT" if dice.chance(0.7) else "CRIT" for _ in range(dice.between(20, 21))]
        tiers += ["URG"] * dice.between(2, 3) + ["FLAG", "NONE"]
        at_ms, times = 0, []
        for tier in tiers:
            if not at_ms or dice.chance(0.85):  # else they come together
                at_ms = dice.between(MINUTE, DAY - HOUR)
            times.append(at_ms)
            self._world.agenda.at(at_ms, self._patient, tier)
        return times

    def _patient(self, tier: str) -> None:
        dice, agenda = self._world.dice, self._world.agenda
        self._patients += 1
        patient, site, mode = f"p_{self._patients}", dice.pick(SITES), dice.pick((1, 2, 3, 4, None))
        first = Upload(patient, site, mode, f"{patient}/1", tier)
        if dice.chance(0.25):
            self._stream(first)
        else:
            self._send(first)
            if dice.chance(0.1):  # the agent sends it again, for whatever reason
                agenda.after(dice.spread(SECOND, HOUR), self._send, first)
        if dice.chance(0.2):
            later = first._replace(sha256=f"{patient}/2", tier=dice.weighed(_LATER))
            agenda.after(dice.spread(MINUTE, 2 * HOUR), self._send, later)

    # ------------------------------------------------------------ whole ECGs

    def _send(self, upload: Upload) -> None:
        self._tiers[upload.sha256] = upload.tier
        pause = functools.partial(self._world.dice.spread, SECOND, 20 * SECOND)
        self._world.insist(
            functools.partial(self._receive, upload=upload), self._received, times=1_000, pause=pause
        )

    def _receive(self, tx: MemoryTx, upload: Upload) -> tuple[str, str]:
        known = tx.store.ecgs.get(upload.sha256)
        if known is not None:
            return known
        case_id, ecg_id = self._episode(tx, upload), upload.stream or self._world.new_id("e")
        received = EcgReceived(
            ecg_id=ecg_id,
            sha256=upload.sha256,
            size_bytes=40_000,
            way="upload" if upload.stream is None else "stream",
            format="dicom",
            device="d_1",
            leads=_LEADS,
            rate_hz=500.0,
            duration_s=10.0,
        )
        self._world.service.change(tx, case_id, lambda case: [received], "device:d_1")
        tx.add_ecg(upload.sha256, ecg_id, case_id)
        return ecg_id, case_id

    def _episode(self, tx: MemoryTx, upload: Upload) -> str:
        service = self._world.service
        real: Any = tx
        number = tx.store.episodes.get(upload.patient, 0)
        case_id = f"c_{upload.patient}_{number}"
        if not number or service.casework.current(real, case_id).state != "open":
            case_id = f"c_{upload.patient}_{number + 1}"
            opened = CaseOpened(
                case_id=case_id, site=upload.site, patient=upload.patient, arrival_mode=upload.mode
            )
            service.casework.write(real, None, case_id, [opened], "device:d_1")
            tx.note_episode(upload.patient, number + 1)
        return case_id

    def _received(self, result: Any, error: BaseException | None) -> None:
        if result is not None:
            service = self._world.service
            if service.up:
                service.later(self._world.dice.between(200, 2_500), self._read, *result)

    def read_what_was_left(self) -> None:
        """After a start: what was received and not read."""
        for ecg_id, case_id in self._world.promises.unread():
            self._world.service.later(self._world.dice.between(200, 2_500), self._read, ecg_id, case_id)

    def read_again(self, ecg_id: str, case_id: str) -> None:
        """The look for readings left over, for one ECG that was received a while ago."""
        if (ecg_id, case_id) in self._world.promises.unread():
            service = self._world.service
            if service.up:
                service.later(self._world.dice.between(200, 2_500), self._read, ecg_id, case_id)
            self._world.agenda.after(10 * SECOND, self.read_again, ecg_id, case_id)

    def _read(self, ecg_id: str, case_id: str) -> None:
        write = functools.partial(self._write_reading, ecg_id=ecg_id, case_id=case_id)
        self._world.service.submit(write, lambda result, error: None)

    def _write_reading(self, tx: MemoryTx, ecg_id: str, case_id: str) -> None:
        service = self._world.service
        real: Any = tx
        case = service.casework.current(real, case_id)
        ecg = case.ecg(ecg_id)
        if ecg is None or ecg.analysed_at is not None or ecg.sha256 is None:
            return
        tier = self._tiers[ecg.sha256]
        reading = EcgAnalysed(
            ecg_id=ecg_id,
            tier=tier,
            findings=_findings(tier),
            acceptable=True,
            bad_leads=(),
            advice=[],
            software="0",
            rules="1",
            analysis_sha256=f"{ecg.sha256}:{tier}",
        )
        plan = service.watch.plan(tier, tx.now, case.site)
        events = commands.analysed(
            case, reading, alert_id=self._world.new_id("a"), plan=plan, settings=default_settings()
        )
        service.casework.write(real, case, case_id, events, "service")

    # ------------------------------------------------------------ running streams

    def _stream(self, upload: Upload) -> None:
        """A device that streams: a hello, tiers that change as it runs, its end."""
        dice = self._world.dice
        ecg_id = self._world.new_id("e")
        tiers = [dice.pick(("NONE", "FLAG", upload.tier)), upload.tier]
        if dice.chance(0.3):
            tiers += [dice.pick(("NONE", "URG", "CRIT")), upload.tier]
        pause = functools.partial(dice.spread, SECOND, 10 * SECOND)
        begun = functools.partial(self._begun, upload._replace(stream=ecg_id), tiers)
        self._world.insist(
            functools.partial(self._begin, upload=upload, ecg_id=ecg_id), begun, times=1_000, pause=pause
        )

    def _begin(self, tx: MemoryTx, upload: Upload, ecg_id: str) -> str:
        stream_id = f"st_{ecg_id}"
        known = tx.recall("streams", stream_id)
        if known is not None:
            return known[1].decode()
        case_id = self._episode(tx, upload)
        started = StreamStarted(ecg_id=ecg_id, device="d_1", stream_id=stream_id, leads=_LEADS, rate_hz=500.0)
        self._world.service.change(tx, case_id, lambda case: [started], "device:d_1")
        tx.remember("streams", stream_id, bytes(32), case_id.encode())
        return case_id

    def _begun(self, upload: Upload, tiers: Sequence[str], result: Any, error: BaseException | None) -> None:
        if result is None:
            return
        at_ms = 0
        for place, tier in enumerate(tiers, start=1):
            at_ms += self._world.dice.spread(3 * SECOND, 40 * SECOND)
            self._world.agenda.after(at_ms, self._changes, upload, result, tier, place)
        self._world.agenda.after(at_ms + self._world.dice.spread(SECOND, MINUTE), self._send, upload)

    def _changes(self, upload: Upload, case_id: str, tier: str, place: int) -> None:
        """A tier that changed; where it could not be written, the next second is read anew."""
        assert upload.stream is not None
        reading = ProvisionalReading(
            ecg_id=upload.stream, tier=tier, findings=_findings(tier), until_sample=place * 5_000
        )
        write = functools.partial(self._write_tier, case_id=case_id, reading=reading)
        pause = functools.partial(self._world.dice.between, SECOND, 2 * SECOND)
        self._world.insist(write, lambda result, error: None, times=30, pause=pause)

    def _write_tier(self, tx: MemoryTx, case_id: str, reading: ProvisionalReading) -> None:
        service = self._world.service
        real: Any = tx
        case = service.casework.current(real, case_id)
        events = commands.provisional(
            case,
            reading,
            alert_id=self._world.new_id("a"),
            plan=service.watch.plan(reading.tier, tx.now, case.site),
            settings=default_settings(),
        )
        if events:
            service.casework.write(real, case, case_id, events, "service")


def _findings(tier: str) -> list[dict[str, Any]]:
    return [] if tier == "NONE" else [{"id": f"RULE-{tier}", "tier": tier}]
