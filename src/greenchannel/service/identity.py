"""Whose an ECG is, and whether it is one that came before. What is found is written down and shown; a person decides.

Two things are asked: does an earlier ECG of the site hold the same samples, and does the ECG fit another patient's
while it fits none of its own patient's.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Engine

from greenchannel.alerts.case import Case, Context
from greenchannel.alerts.ecg_state import Ecg
from greenchannel.clock import Clock
from greenchannel.events import IdentityConflictRaised, PatientDoubted, SameRecordingFound
from greenchannel.ingest.fields import UploadFields
from greenchannel.ingest.parsed import ParsedEcg
from greenchannel.service.arrival import Arrival
from greenchannel.service.casework import Casework
from greenchannel.service.episodes import AGE_CONTRADICTS_YEARS, Episodes, FileFacts
from greenchannel.service.same_recordings import Look, SameRecordings
from greenchannel.store import ecg_rows, print_rows
from greenchannel.store.blobs import Blobs
from greenchannel.store.vault import Vault
from greenchannel.store.writer import Tx
from greenchannel.triage.patient_doubt import LIMITS, doubt


@dataclass(frozen=True, kw_only=True, slots=True)
class Original:
    """The earlier ECG that an arriving one is, as of a transaction, and the case that it is in."""

    ecg: Ecg
    case: Case


def contradicts(fields: UploadFields, facts: FileFacts, known: Mapping[str, str], context: Context) -> bool:
    """Does a sender, or a file, say anything of its patient that cannot be true of a known one?

    What one of the two does not say speaks against nobody.
    """
    names = [_name(name) for name in (fields.name, facts.name) if name]
    ages_years = [age for age in (fields.age_years, facts.age_years) if age is not None]
    sexes = [sex for sex in (fields.sex, facts.sex) if sex is not None]
    known_name, number = known.get("name"), known.get("id_number")
    age_years = context.age_years
    return (
        (known_name is not None and any(name != _name(known_name) for name in names))
        or (number is not None and bool(fields.id_number) and _bare(fields.id_number) != _bare(number))
        or (context.sex is not None and any(sex != context.sex for sex in sexes))
        or (age_years is not None and any(abs(age - age_years) > AGE_CONTRADICTS_YEARS for age in ages_years))
    )


def _name(text: str) -> list[str]:
    """The words of a name, in any order and case: "Doe^Jane" and "Jane Doe" are one."""
    return sorted(
        word for word in re.split(r"[\W_]+", unicodedata.normalize("NFKC", text).casefold()) if word
    )


def _bare(text: str | None) -> str:
    return "".join(re.findall(r"[^\W_]", unicodedata.normalize("NFKC", text or "").casefold()))


class Identity:
    """Asks both questions for the intake."""

    def __init__(
        self,
        *,
        engine: Engine,
        clock: Clock,
        blobs: Blobs,
        vault: Vault,
        casework: Casework,
        episodes: Episodes,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._vault = vault
        self._casework = casework
        self._episodes = episodes
        self._known = SameRecordings(engine=engine, blobs=blobs)

    # ------------------------------------------------------------ the same recording

    def look(self, arrival: Arrival, before: Look | None = None) -> Look | None:
        """Look for the recording among the ECGs that came before; None for a picture. Not in the writer's thread."""
        if not isinstance(arrival.parsed, ParsedEcg):
            return None
        return self._known.look(arrival.site, arrival.parsed.recording, self._clock.now(), before)

    def must_look_again(self, tx: Tx, arrival: Arrival, look: Look | None) -> bool:
        """Has one that may be the same come since?"""
        return look is not None and self._known.missed(tx, arrival.site, look)

    def original(self, tx: Tx, look: Look | None) -> Original | None:
        """The ECG that was found, as it is now; of a copy of a copy the first one that holds as much."""
        return None if look is None or look.twin is None else self._original(tx, look.twin.ecg_id)

    def _original(self, tx: Tx, ecg_id: str) -> Original | None:
        row = ecg_rows.row_of(tx, ecg_id)
        if row is None or not self._vault.has_key(tx.conn, row.patient):  # erased meanwhile
            return None
        case = self._casework.current(tx, row.case_id)
        ecg = case.ecg(ecg_id)
        if ecg is not None and ecg.same_as is not None and ecg.only_repeats and ecg.same_as.ecg_id != ecg_id:
            return self._original(tx, ecg.same_as.ecg_id) or Original(ecg=ecg, case=case)
        return None if ecg is None else Original(ecg=ecg, case=case)

    def joins(
        self, tx: Tx, site: str, fields: UploadFields, facts: FileFacts, original: Original | None
    ) -> str | None:
        """The case of the original, where nothing that the sender or the file says speaks against it.

        The site's own number of a patient decides. Where none is given, nobody of another name, id number, sex or age
        joins: who it is must be asked.
        """
        if original is None or original.case.is_drill:
            return None
        case = original.case
        if fields.patient_ref is not None:
            patient = self._vault.patient_for(tx, site, fields.patient_ref)
            return case.case_id if self._episodes.is_of(tx, patient, case.case_id) else None
        known = self._vault.personal_in(tx, case.patient)
        return None if contradicts(fields, facts, known, case.context) else case.case_id

    def keep(
        self, tx: Tx, *, ecg_id: str, case: Case, arrival: Arrival, look: Look | None, actor: str
    ) -> Case:
        """Keep the print of a new ECG, and say on its case where it came before; returns the case after it.

        One that has leads which the earlier one lacks is no repeat, though its samples are: it says something new.
        """
        if look is None:
            return case
        print_rows.add(tx, ecg_id=ecg_id, site=arrival.site, patient=case.patient, print=look.data)
        original = self.original(tx, look)
        if original is None or look.twin is None or original.ecg.ecg_id == ecg_id:
            return case
        mine = original.case.case_id == case.case_id or original.case.patient == case.patient
        found = SameRecordingFound(
            ecg_id=ecg_id,
            of_ecg_id=original.ecg.ecg_id,
            of_case_id=original.case.case_id,
            of_format=original.ecg.format,
            same_patient=mine,
            overlap_s=look.twin.same.overlap_s,
            shift_s=look.twin.same.shift_s,
        )
        founds = [] if look.twin.same.new_leads else [found]
        if mine:
            return self._casework.write(tx, case, case.case_id, founds, actor) if founds else case
        here = IdentityConflictRaised(
            sha256=arrival.staged.sha256, existing_ecg_id=original.ecg.ecg_id, ecg_id=ecg_id
        )
        there = IdentityConflictRaised(
            sha256=original.ecg.sha256 or "", existing_ecg_id=ecg_id, ecg_id=original.ecg.ecg_id
        )
        self._casework.write(tx, original.case, original.case.case_id, [there], actor)
        return self._casework.write(tx, case, case.case_id, [*founds, here], actor)

    def read_before(self, tx: Tx, case: Case, ecg_id: str) -> Ecg | None:
        """The earlier ECG of the same patient with the same samples; None where there is none, or it is not read."""
        ecg = case.ecg(ecg_id)
        if ecg is None or ecg.same_as is None or not ecg.same_as.same_patient:
            return None
        original = self._original(tx, ecg.same_as.ecg_id)
        return None if original is None or original.ecg.final_tier is None else original.ecg

    # ------------------------------------------------------------ another patient's

    def doubted(self, case: Case, ecg_id: str, shape: bytes | None) -> PatientDoubted | None:
        """Whether a person must look whose an ECG is, by the shape of its QRS. Not in the writer's thread."""
        ecg = case.ecg(ecg_id)
        if shape is None or ecg is None or (ecg.same_as is not None and not ecg.same_as.same_patient):
            return None  # the same recording of another patient is said already
        own = print_rows.shapes_of_patient(self._engine, case.patient, but=ecg_id, most=int(LIMITS.own.value))
        if not own:
            return None
        since = self._clock.now() - timedelta(days=LIMITS.days.value)
        others = print_rows.shapes_of_others(
            self._engine, case.site, case.patient, since=since, most=int(LIMITS.others.value)
        )
        found = doubt(shape, [row.shape for row in own], [row.shape for row in others])
        if found is None:
            return None
        like = ecg_rows.get_ecg(self._engine, others[found.other].ecg_id)
        if like is None:
            return None
        return PatientDoubted(
            ecg_id=ecg_id,
            like_ecg_id=like.ecg_id,
            like_case_id=like.case_id,
            own_ecg_id=own[found.own].ecg_id,
            like_distance=round(found.other_distance, 4),
            own_distance=round(found.own_distance, 4),
        )
