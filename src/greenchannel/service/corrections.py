"""What people set right about cases and patients: merge, split, erase; and cases entered as a whole."""

import asyncio
from collections.abc import Callable, Sequence

from greenchannel.alerts import commands
from greenchannel.alerts.case import Case
from greenchannel.alerts.record_commands import require_read
from greenchannel.events import AnyEvent, PatientErased
from greenchannel.service.callers import Caller
from greenchannel.service.casework import Casework
from greenchannel.service.ids import new_id
from greenchannel.service.watch import Watch
from greenchannel.store import ambulance_rows, ecg_rows
from greenchannel.store.blobs import Blobs
from greenchannel.store.vault import Vault
from greenchannel.store.writer import Tx, Writer

SYSTEM_STREAM = "system"


class Corrections:
    """Each is one transaction over all that it touches: cases, rows, keys."""

    def __init__(
        self, *, writer: Writer, casework: Casework, vault: Vault, blobs: Blobs, watch: Watch
    ) -> None:
        self._writer = writer
        self._casework = casework
        self._vault = vault
        self._blobs = blobs
        self._watch = watch

    async def enter_history(self, site: str, build: Callable[[str, str], Sequence[AnyEvent]]) -> Case:
        """Enter a case that is known as a whole, from another system or a report.

        `build(case_id, patient)` gives its events, from the opening on.
        """
        case_id = new_id("c")

        def command(tx: Tx) -> Case:
            patient = self._vault.patient_for(tx, site, None)
            return self._casework.write(tx, None, case_id, build(case_id, patient), "service")

        return await self._writer.transact(command)

    async def merge(self, case_id: str, caller: Caller, into: str) -> Case:
        """One case is the same episode as another; both are kept, the other goes on. Returns the first."""

        def command(tx: Tx) -> Case:
            case, other = self._casework.current(tx, case_id), self._casework.current(tx, into)
            ours, theirs = commands.merge(case, other)
            if not ours:
                return case
            self._move(tx, case, [ecg.ecg_id for ecg in case.current_ecgs], into, other.patient)
            # Whoever goes on with the case must be able to call back, and know of the allergy.
            known = self._vault.personal_in(tx, other.patient)
            brought = self._vault.personal_in(tx, case.patient)
            self._vault.put_personal(tx, other.patient, brought | known)
            self._casework.write(tx, other, into, theirs, caller.actor)
            return self._casework.write(tx, case, case_id, ours, caller.actor)

        return await self._writer.transact(command)

    async def split(
        self,
        case_id: str,
        caller: Caller,
        ecg_ids: Sequence[str],
        into: str | None = None,
        study_uids: Sequence[str] = (),
    ) -> Case:
        """Some ECGs and studies belong to another patient or episode; they go to a new case or `into` one. Returns the
        old one. Raises `Refused`, also where there is nothing to be moved, and `NotFound` for a study that is not in
        the case."""
        new_case_id = new_id("c")
        # One that is named twice moves once: with the first move its bytes leave the case.
        ecg_ids, study_uids = tuple(dict.fromkeys(ecg_ids)), tuple(dict.fromkeys(study_uids))

        def command(tx: Tx) -> Case:
            case = self._casework.current(tx, case_id)
            if ecg_ids or not study_uids:
                case = ecgs(tx, case)
            if not study_uids:
                return case
            target = into or (new_case_id if ecg_ids else None)
            other = None if target is None else self._casework.current(tx, target)
            for move in self._casework.on_move:
                move(tx, case, study_uids, other, new_case_id, caller.actor)
            return self._casework.current(tx, case_id)

        def ecgs(tx: Tx, case: Case) -> Case:
            if into is not None:
                other = self._casework.current(tx, into)
                ours, theirs = commands.split(
                    case, ecg_ids, new_case_id=into, patient=other.patient, into=other
                )
                self._move(tx, case, ecg_ids, into, other.patient)
                other = self._casework.write(tx, other, into, theirs, caller.actor)
                self._ring(tx, case, other, ecg_ids)
                return self._casework.write(tx, case, case_id, ours, caller.actor)
            patient = self._vault.patient_for(tx, case.site, None)
            ours, theirs = commands.split(case, ecg_ids, new_case_id=new_case_id, patient=patient)
            self._move(tx, case, ecg_ids, new_case_id, patient)
            other = self._casework.write(tx, None, new_case_id, theirs, caller.actor)
            self._ring(tx, case, other, ecg_ids)
            return self._casework.write(tx, case, case_id, ours, caller.actor)

        return await self._writer.transact(command)

    def _ring(self, tx: Tx, before: Case, case: Case, ecg_ids: Sequence[str]) -> None:
        """Ring for what was silent as a repeat of an ECG that stays behind."""
        for ecg_id in ecg_ids:
            ecg = case.ecg(ecg_id)
            if ecg is None or ecg.final_tier is None:
                continue
            plan, settings = self._watch.plan(ecg.final_tier, tx.now, case.site), self._watch.settings
            events = commands.ring_split_off(
                before, case, ecg_id, alert_id=new_id("a"), plan=plan, settings=settings
            )
            if events:
                case = self._casework.write(tx, case, case.case_id, events, "service")

    def _move(self, tx: Tx, case: Case, ecg_ids: Sequence[str], to_case: str, to_patient: str) -> None:
        for ecg_id in ecg_ids:
            ecg = case.ecg(ecg_id)
            if ecg is not None and ecg.sha256 is not None:
                self._blobs.share(tx, ecg.sha256, case.patient, to_patient)
                ecg_rows.move_ecg(tx, ecg_id, to_case, to_patient)

    async def erase_patient(self, case_ids: Sequence[str], caller: Caller, reason: str) -> None:
        """Destroy the keys of the patients of these cases, which are one person's: a case and those merged into it.

        Names and originals become unreadable, the log keeps the pseudonyms and says why. Once more changes nothing.
        Raises `Refused` while an ECG still runs or was not read: what it shows would reach nobody.
        """

        def command(tx: Tx) -> None:
            cases = [self._casework.current(tx, case_id) for case_id in case_ids]
            for case in cases:
                require_read(case.current_ecgs)
            ambulance_rows.forget_cases(tx, case_ids)
            for patient in dict.fromkeys(case.patient for case in cases):
                if self._vault.has_key(tx.conn, patient):
                    for listener in self._casework.on_erase:
                        listener(tx, patient)
                    self._vault.erase(tx, patient)
                    erased = PatientErased(patient=patient, reason=reason)
                    tx.append(SYSTEM_STREAM, [erased], actor=caller.actor)

        await self._writer.transact(command)
        await asyncio.to_thread(self._vault.scrub)
