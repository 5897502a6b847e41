"""A study as one archive, as a van sends it over a bad link: taken in object by object, said to be whole at the end."""

import io
from collections import Counter
from collections.abc import Iterator
from typing import Any

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.imaging.archive_members import Member, members
from greenchannel.ingest.imaging.instance import ImageInstance, read_instance
from greenchannel.service.callers import Caller
from greenchannel.service.errors import ServiceError
from greenchannel.service.imaging.archive import ImageArchive
from greenchannel.service.imaging.ecg_objects import is_ecg
from greenchannel.service.imaging.threads import in_images
from greenchannel.service.intake import Intake
from greenchannel.service.upload_answers import StudyAnswer
from greenchannel.settings import Settings


class StudyIntake:
    """Takes archives in. The same archive again is the same study."""

    def __init__(self, settings: Settings, images: ImageArchive, intake: Intake) -> None:
        self._settings = settings
        self.most_bytes = settings.max_study_bytes
        self._images = images
        self._intake = intake

    async def take(self, file: Any, words: dict[str, str], caller: Caller) -> StudyAnswer:
        """All objects of an archive; see `members`.

        Parameters
        ----------
        file
            The archive, to be read in any order.
        words
            What stands beside it: `site` and `case_id`.

        Raises
        ------
        IngestError, ServiceError
            It is no archive, or nothing in it was taken: why the first was not.
        """
        fields = self._intake.fields_of(words, caller)
        site = self._intake.site_of(fields.site, caller)
        given = members(
            file,
            most_bytes=self._settings.max_study_bytes,
            most_object_bytes=self._settings.max_image_bytes,
        )
        result = _Result()
        try:
            while (member := await in_images(_next, given)) is not None:
                await self._member(member, result, site, fields.case_id, caller)
        except IngestError as error:
            await self._keep_archive(file, error, caller)
            raise
        if result.locked_in is not None:
            await self._keep_archive(file, result.locked_in, caller)
        if not result.cases and result.first is not None:
            raise result.first
        if not result.cases:
            raise IngestError("empty_body", "there is no DICOM object in the archive", "one or more")
        await self._images.finish(result.expected(), source=caller.actor, site_id=site)
        return result.answer()

    async def _keep_archive(self, file: Any, error: IngestError, caller: Caller) -> None:
        """The archive itself into quarantine, or as much of it as one object may be large."""
        most = self._settings.max_image_bytes

        def begun() -> tuple[bytes, int]:
            size = file.seek(0, io.SEEK_END)
            file.seek(0)
            return file.read(most), size

        data, size = await in_images(begun)
        await self._images.put_aside(data, error, caller.actor, size)

    async def _member(
        self, member: Member, result: "_Result", site: str, case_id: str | None, caller: Caller
    ) -> None:
        if member.data is None:
            if member.problem is None:
                result.passed_over += 1
            else:
                error = IngestError(member.problem, "a member of the archive cannot be taken")
                result.locked_in = result.locked_in or error
                result.refuse(member, error)
            return
        one = await self._read(member, member.data, result, caller)
        if one is None:
            return
        try:
            if is_ecg(one):
                got = await self._images.receive_ecg(member.data, one, caller, site_id=site, case_id=case_id)
                result.cases[got.study_uid] = got.case_id
                result.states[got.state] += 1
                return
            got = await self._images.receive(
                member.data, source=caller.actor, site_id=site, case_id=case_id, way="upload"
            )
        except (IngestError, ServiceError) as error:
            result.refuse(member, error)
            result.sent[one.study_uid] += 1  # missing from its study, and that is to be seen
            return
        result.sent[got.study_uid] += 1
        if got.state == "conflict":
            result.refused.append((str(member.number), "other_bytes"))
            return
        result.cases[got.study_uid] = got.case_id
        result.states[got.state] += 1

    async def _read(
        self, member: Member, data: bytes, result: "_Result", caller: Caller
    ) -> ImageInstance | None:
        try:
            return await in_images(read_instance, data)
        except IngestError as error:
            if error.code == "unsupported":
                result.passed_over += 1  # a directory of the files
                return None
            await self._images.put_aside(data, error, caller.actor)
            result.refuse(member, error)
            result.unread += 1
            return None


class _Result:
    """What became of the members so far."""

    def __init__(self) -> None:
        self.cases: dict[str, str] = {}
        self.sent: Counter[str] = Counter()
        self.states: Counter[str] = Counter()
        self.refused: list[tuple[str, str]] = []
        self.passed_over = 0
        self.unread = 0
        self.first: Exception | None = None
        self.locked_in: IngestError | None = None  # why a member was refused whose bytes could not be got out

    def refuse(self, member: Member, error: IngestError | ServiceError) -> None:
        self.first = self.first or error
        self.refused.append((str(member.number), error.code))

    def expected(self) -> dict[str, int | None]:
        """How many objects of each study were sent; of an archive of one study what cannot be read is of that one.

        A study of which nothing was taken is another's, or not here: nothing is said of it.
        """
        unread = self.unread if len(self.sent) == 1 else 0
        return {study_uid: sent + unread for study_uid, sent in self.sent.items() if study_uid in self.cases}

    def answer(self) -> StudyAnswer:
        return StudyAnswer(
            study_uids=tuple(self.cases),
            case_ids=tuple(dict.fromkeys(self.cases.values())),
            new=self.states["new"],
            duplicate=self.states["duplicate"],
            refused=tuple(self.refused),
            passed_over=self.passed_over,
        )


def _next(given: Iterator[Member]) -> Member | None:
    return next(given, None)
