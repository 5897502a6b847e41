"""The archive of images: objects in, durable and in their case; studies, series, objects and bytes out.

Who may see what is asked by site: a search is given the caller's sites, everything else says whose it is.
"""

import asyncio
import functools
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import structlog
from sqlalchemy import Connection, Engine

from greenchannel.alerts.case import Case
from greenchannel.clock import Clock
from greenchannel.events import ImageStudySettled
from greenchannel.ingest.errors import ABOUT_THE_BYTES, IngestError
from greenchannel.ingest.imaging.instance import ImageInstance, read_instance
from greenchannel.ingest.imaging.packing import pack, unpack
from greenchannel.ingest.imaging.sameness import same_object
from greenchannel.service.callers import Caller
from greenchannel.service.casework import Casework
from greenchannel.service.errors import Conflict, NotFound
from greenchannel.service.imaging import records, searching
from greenchannel.service.imaging.ecg_objects import is_ecg, take_ecg
from greenchannel.service.imaging.filing import Coming, Filing
from greenchannel.service.imaging.records import (
    Hit,
    ImageSeries,
    ImageStudy,
    Received,
    StoredInstance,
)
from greenchannel.service.imaging.searching import Search
from greenchannel.service.imaging.threads import in_images, in_searches
from greenchannel.service.intake import Intake
from greenchannel.service.keeping import keep_running
from greenchannel.settings import Settings
from greenchannel.store import image_rows
from greenchannel.store.blobs import BlobErased, BlobError, BlobMissing, Blobs, Packing
from greenchannel.store.engine import reading
from greenchannel.store.errors import PatientKeyMissing
from greenchannel.store.quarantine import Quarantine
from greenchannel.store.vault import Vault
from greenchannel.store.writer import Tx, Writer

__all__ = ["Hit", "ImageArchive", "ImageSeries", "ImageStudy", "Received", "StoredInstance"]

KEPT_ASIDE: Final = "quarantine"
"""The way of what was refused once, and is tried again."""

logger = structlog.get_logger(__name__)

SETTLE_EVERY_S: Final = 2.0
SWEEP_EVERY_S: Final = 3600.0
_SETTLED_AT_ONCE: Final = 50


class ImageArchive:
    """Keeps images. Nothing is answered before it is on disk; the same object again is the same thing."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        engine: Engine,
        writer: Writer,
        vault: Vault,
        casework: Casework,
        intake: Intake,
        quarantine: Quarantine,
    ) -> None:
        self._settings = settings
        self.clock = self._clock = clock
        self._engine = engine
        self._writer = writer
        self._vault = vault
        self.casework = self._casework = casework
        self._intake = intake
        self._quarantine = quarantine
        self.blobs = Blobs(settings.data_dir / "images", engine, vault, Packing(pack, unpack))
        self._filing = Filing(vault=vault, blobs=self.blobs, casework=casework, episodes=intake.episodes)
        self._zones = functools.lru_cache(maxsize=256)(intake.zone_of)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to settle studies that have become quiet, and to sweep what belongs to nobody."""
        works = (
            ("image studies", self.settle_quiet, SETTLE_EVERY_S),
            ("image files", self.sweep, SWEEP_EVERY_S),
        )
        self._tasks = [asyncio.create_task(keep_running(name, work, s), name=name) for name, work, s in works]

    async def stop(self) -> None:
        """End both."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ------------------------------------------------------------ in

    async def receive(
        self,
        data: bytes | Path,
        *,
        source: str,
        site_id: str,
        case_id: str | None = None,
        way: str = "upload",
    ) -> Received:
        """Keep one object; it is durable, and in its case, when this returns.

        Parameters
        ----------
        data
            A DICOM file, or the path of one.
        source
            The actor who sent it: ``device:<id>``, ``user:<id>``, ``service``.
        site_id
            Whose patient it is.
        case_id
            The case it belongs to; None: that of its study, or the running episode of its patient, or a new one.
        way
            "stow", "dicom", "upload", or "quarantine": what is refused of that is there already.

        Raises
        ------
        IngestError
            It is no object that can be kept; its bytes are in quarantine.
        Conflict
            ``identity_conflict``: it names a study or a case of another patient; its bytes are in quarantine.
        NotFound
            The named case is none of the site's.
        """
        work = functools.partial(self._prepared, data, source, site_id, case_id, way)
        coming = await in_images(work)
        if isinstance(coming, Received):
            return coming
        filed: Received | Conflict
        try:
            filed = await self._writer.transact(functools.partial(self._filing.file, coming=coming))
        except Conflict as refused:  # the named case is of another patient: nothing was written
            filed = refused
        return await in_images(self._after, filed, coming)

    async def receive_ecg(
        self, data: bytes, one: ImageInstance, caller: Caller, *, site_id: str, case_id: str | None = None
    ) -> Received:
        """Take an ECG that came by the way of images in as one; raises as `receive`, of whatever is no image."""
        try:
            return await take_ecg(
                self._intake, data, one, caller, site=site_id, case_id=case_id, started_at=self._clock.now()
            )
        except IngestError as error:
            await self.put_aside(data, error, caller.actor)
            raise

    async def add_made_here(
        self, data: bytes, one: ImageInstance, of: ImageStudy, may: Callable[[Tx], bool]
    ) -> None:
        """Put an object that was made here into its study, as no image of it; where `may` says so in the same commit.

        Nothing where it is there already, or the study is not. `of`: the study as it was when the object was made;
        where it was moved since, the object names another patient, and `may` is not asked.
        """
        staged = await in_images(self.blobs.stage, data)

        def command(tx: Tx) -> None:
            study = image_rows.study_of(tx.conn, one.study_uid)
            if study is not None and (study.patient, study.case_id) != (of.patient, of.case_id):
                return
            if may(tx) and study is not None and image_rows.instance_of(tx.conn, one.sop_uid) is None:
                self.blobs.link(tx, staged, study.patient)
                self._filing.add(tx, study, one, staged, made_here=True)

        await self._writer.transact(command)

    async def put_aside(
        self, data: bytes, error: IngestError, actor: str, size_bytes: int | None = None
    ) -> None:
        """Into quarantine, where it is about the bytes that they are refused; `size_bytes`: where they begin more."""
        if error.code in ABOUT_THE_BYTES:
            await in_images(self._put_aside, data, error.code, str(error), actor, size_bytes)

    def receive_sync(
        self, data: bytes, *, source: str, site_id: str, case_id: str | None = None, way: str = "upload"
    ) -> Received:
        """As `receive`, for a thread that may wait."""
        coming = self._prepared(data, source, site_id, case_id, way)
        if isinstance(coming, Received):
            return coming
        filed: Received | Conflict
        try:
            filed = self._writer.transact_sync(functools.partial(self._filing.file, coming=coming))
        except Conflict as refused:
            filed = refused
        return self._after(filed, coming)

    def _prepared(
        self, data: bytes | Path, source: str, site: str, case_id: str | None, way: str
    ) -> Coming | Received:
        """The object read and on disk; of one that is here, as it is here, what its sender is told."""
        if isinstance(data, Path):
            data = data.read_bytes()
        try:
            if len(data) > self._settings.max_image_bytes:
                most = f"at most {self._settings.max_image_bytes} bytes"
                raise IngestError("too_large", "the object is too large", most, f"{len(data)} bytes")
            facts = read_instance(data)
            if is_ecg(facts):
                raise IngestError(
                    "unsupported", "this object is an ECG, and goes the way of ECGs", "an image"
                )
        except IngestError as error:
            if error.code in ABOUT_THE_BYTES and way != KEPT_ASIDE:
                self._put_aside(data, error.code, str(error), source)
            raise
        here = self._here(facts, data, site, case_id)
        if here is not None:
            return here
        return Coming(
            facts=facts,
            staged=self.blobs.stage(data),
            actor=source,
            way=way,
            site=site,
            zone=self._zones(site),
            case_id=case_id,
        )

    def _here(self, one: ImageInstance, data: bytes, site: str, case_id: str | None) -> Received | None:
        """Spares the disk a sender's second try. Whatever is not plainly the same goes the long way."""
        if case_id is not None:
            return None
        with reading(self._engine) as connection:
            row = image_rows.instance_of(connection, one.sop_uid)
            study = None if row is None else image_rows.study_of(connection, row.study_uid)
        if row is None or study is None or study.site != site:
            return None
        if row.study_uid != one.study_uid:
            return None
        try:
            kept = self.blobs.get(row.sha256, row.patient)
            if row.content_sha256 != one.content_sha256 and not same_object(kept, data):
                return None
        except (BlobError, PatientKeyMissing):  # lost or damaged: this copy may mend it
            return None
        return Received(
            study_uid=row.study_uid,
            series_uid=row.series_uid,
            sop_uid=row.sop_uid,
            sop_class=row.sop_class,
            case_id=study.case_id,
            sha256=row.sha256,
            state="duplicate",
        )

    def _after(self, filed: Received | Conflict, coming: Coming) -> Received:
        """What was not taken is kept aside before its sender is told."""
        if isinstance(filed, Received) and filed.state != "conflict":
            return filed
        code = filed.code if isinstance(filed, Conflict) else "other_bytes"
        detail = f"study {coming.facts.study_uid}, object {coming.facts.sop_uid}"
        if coming.way != KEPT_ASIDE:
            self._put_aside(self.blobs.staged(coming.staged), code, detail, coming.actor)
        if isinstance(filed, Conflict):
            raise filed
        return filed

    def _put_aside(
        self, data: bytes, reason: str, detail: str, actor: str, size_bytes: int | None = None
    ) -> None:
        at = self._clock.now()
        self._quarantine.keep(data, reason=reason, detail=detail, actor=actor, at=at, size_bytes=size_bytes)

    # ------------------------------------------------------------ whole studies

    async def finish(
        self, expected: Mapping[str, int | None], *, source: str, site_id: str | None = None
    ) -> None:
        """The sender has said that it is all of these studies; with how many objects there should be, if it said.

        Of another site than `site_id` it has nothing to say; None: of any.
        """
        await self._writer.transact(functools.partial(self._finished, expected, source, site_id))

    def finish_sync(
        self, expected: Mapping[str, int | None], *, source: str, site_id: str | None = None
    ) -> None:
        """As `finish`, for a thread that may wait."""
        self._writer.transact_sync(functools.partial(self._finished, expected, source, site_id))

    def _finished(self, expected: Mapping[str, int | None], source: str, site_id: str | None, tx: Tx) -> None:
        for study_uid, number in expected.items():
            study = image_rows.study_of(tx.conn, study_uid)
            if study is not None and site_id in (None, study.site):
                self._settle(tx, study_uid, number, source, quiet=False)

    async def settle_quiet(self) -> None:
        """One round: studies of which nothing has come for a while have come as far as they will."""
        since = self._clock.now() - timedelta(seconds=self._settings.image_quiet_s)

        def look() -> list[str]:
            with reading(self._engine) as connection:
                return image_rows.quiet_since(connection, since, _SETTLED_AT_ONCE)

        def command(tx: Tx) -> None:
            for study_uid in image_rows.quiet_since(tx.conn, since, _SETTLED_AT_ONCE):
                self._settle(tx, study_uid, None, "service", quiet=True)

        if await asyncio.to_thread(look):
            await self._writer.transact(command)

    def _settle(self, tx: Tx, study_uid: str, number: int | None, actor: str, *, quiet: bool) -> None:
        study = image_rows.study_of(tx.conn, study_uid)
        if study is None:
            return
        expected, by = study.expected, study.expected_by
        if number is not None:
            expected, by = max(number, expected if by == "sender" and expected else 0), "sender"
        elif by not in ("sender", "header"):
            came = [one for one in image_rows.instances_of(tx.conn, study_uid) if not one.made_here]
            expected = _by_numbers(came)
            by = None if expected is None else "numbers"
        before = (study.state, study.expected, study.expected_by)
        if before == ("settled", expected, by):
            return
        image_rows.change_study(tx, study_uid, state="settled", expected=expected, expected_by=by)
        event = ImageStudySettled(
            study_uid=study_uid,
            series=len(image_rows.series_of(tx.conn, study_uid)),
            instances=study.instances,
            modalities=tuple(one for one in study.modalities.split("\\") if one),
            expected=expected,
            expected_by=by,
            quiet=quiet,
        )
        case = self._intake.episodes.of_site(tx, study.site, study.case_id)
        self._casework.write(tx, case, case.case_id, [event], actor)

    async def sweep(self) -> None:
        """Remove the files that nobody can open."""
        await in_images(self.blobs.sweep)

    # ------------------------------------------------------------ out

    async def study(self, study_uid: str) -> ImageStudy:
        """One study; raises `NotFound`, also for one of an erased patient."""
        return await asyncio.to_thread(self.study_sync, study_uid)

    def study_sync(self, study_uid: str) -> ImageStudy:
        """As `study`, for a thread that may wait."""
        with reading(self._engine) as connection:
            row = image_rows.study_of(connection, study_uid)
            if row is None:
                raise NotFound("study", study_uid)
            return self._opened([row], connection)[0]

    async def series(self, study_uid: str) -> list[ImageSeries]:
        """The series of a study, by number."""

        def look() -> list[ImageSeries]:
            with reading(self._engine) as connection:
                opened = self._vault.opener(connection)
                rows = image_rows.series_of(connection, study_uid)
                return [
                    records.series_of(row, opened(row.patient, row.sealed, row.series_uid)) for row in rows
                ]

        return await asyncio.to_thread(look)

    async def instances(self, study_uid: str, series_uid: str | None = None) -> list[StoredInstance]:
        """The objects of a study, or of one of its series, by series and number."""

        def look() -> list[StoredInstance]:
            with reading(self._engine) as connection:
                rows = image_rows.instances_of(connection, study_uid, series_uid)
            return [records.instance_of(row) for row in rows]

        return await asyncio.to_thread(look)

    async def instance(self, sop_uid: str) -> StoredInstance:
        """One object; raises `NotFound`."""
        return await asyncio.to_thread(self.instance_sync, sop_uid)

    def instance_sync(self, sop_uid: str) -> StoredInstance:
        """As `instance`, for a thread that may wait."""
        with reading(self._engine) as connection:
            row = image_rows.instance_of(connection, sop_uid)
        if row is None:
            raise NotFound("image", sop_uid)
        return records.instance_of(row)

    async def bytes_of(self, sop_uid: str) -> bytes:
        """The bytes of an object as they came; raises `NotFound`."""
        return await in_images(self.bytes_of_sync, sop_uid)

    def bytes_of_sync(self, sop_uid: str) -> bytes:
        """As `bytes_of`, for a thread that may wait."""
        one = self.instance_sync(sop_uid)
        try:
            return self.blobs.get(one.sha256, one.patient)
        except (BlobErased, BlobMissing, PatientKeyMissing):
            raise NotFound("file of image", sop_uid) from None

    async def of_case(self, case: Case, cases: Mapping[str, Case]) -> list[ImageStudy]:
        """The studies of a case and of those merged into it, newest first."""
        case_ids = [case.case_id, *(one.case_id for one in cases.values() if one.merged_into == case.case_id)]

        def look() -> list[ImageStudy]:
            with reading(self._engine) as connection:
                return self._opened(image_rows.studies_of_cases(connection, case_ids), connection)

        return await asyncio.to_thread(look)

    async def search(self, level: str, filters: Mapping[str, str], **more: Any) -> list[Hit]:
        """Results of one level, newest study first; see `searching.Search` for all that can be said.

        Raises `IngestError` for a filter that cannot be read.
        """
        return await in_searches(self.search_sync, level, filters, **more)

    def search_sync(self, level: str, filters: Mapping[str, str], **more: Any) -> list[Hit]:
        """As `search`, for a thread that may wait."""
        return self.found(Search(level=level, filters=filters, **more))

    def found(self, asked: Search) -> list[Hit]:
        """What is found; for a thread that may wait."""
        return searching.search(self._engine, self._vault, asked)

    def _opened(self, rows: Sequence[image_rows.StudyRow], connection: Connection) -> list[ImageStudy]:
        opened = self._vault.opener(connection)
        return [records.study_of(row, opened(row.patient, row.sealed, row.study_uid)) for row in rows]


def _by_numbers(rows: Sequence[image_rows.InstanceRow]) -> int | None:
    """How many objects there are at least, where the numbers within a series leave gaps; None where they leave none."""
    series: dict[str, list[int | None]] = {}
    for row in rows:
        series.setdefault(row.series_uid, []).append(row.number)
    missing = 0
    for numbers in series.values():
        known = {number for number in numbers if number is not None and number > 0}
        if len(known) == len(numbers) and len(known) > 1:
            gaps = max(known) - min(known) + 1 - len(known)
            missing += gaps if gaps <= len(known) else 0  # numbers with wide steps count something else
    return len(rows) + missing if missing else None
