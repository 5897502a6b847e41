"""What an administrator does with refused inputs: try again, into a case or not, or discard with a reason."""

import asyncio
from dataclasses import replace

import msgspec

from greenchannel.clock import Clock
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.fields import UploadFields
from greenchannel.ingest.imaging.instance import ImageInstance, read_instance
from greenchannel.service.administration import Administration
from greenchannel.service.callers import Caller
from greenchannel.service.errors import Conflict, NotFound
from greenchannel.service.imaging.archive import KEPT_ASIDE, ImageArchive
from greenchannel.service.imaging.ecg_objects import is_ecg
from greenchannel.service.imaging.threads import in_images
from greenchannel.service.intake import Intake
from greenchannel.store.quarantine import Quarantine, QuarantinedFile, Settled


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What a file that was refused has become: an ECG, or a part of a study."""

    case_id: str
    state: str
    duplicate: bool
    ecg_id: str | None = None
    study_uid: str | None = None


def image_of(data: bytes) -> ImageInstance | None:
    """The image that these bytes are; None for whatever is none, or is an ECG."""
    try:
        found = read_instance(data)
    except IngestError:
        return None
    return None if is_ecg(found) else found


class QuarantineDesk:
    """The bytes stay as they came; what was done with them stands beside them and in the access log."""

    def __init__(
        self, *, quarantine: Quarantine, intake: Intake, administration: Administration, clock: Clock
    ) -> None:
        self._quarantine = quarantine
        self._intake = intake
        self._administration = administration
        self._clock = clock

    async def take(
        self,
        caller: Caller,
        file_id: str,
        *,
        site: str | None = None,
        case_id: str | None = None,
        images: ImageArchive | None = None,
    ) -> Taken:
        """Read it once more, as an upload for `site`, of the case `case_id` where one is named; with `images` also as
        an image.

        Raises what `Intake.receive` and `ImageArchive.receive` raise: the file waits on, unchanged. `NotFound` where it
        is gone, `Conflict` where it was seen to, or where less of it was kept than came.
        """
        what = await self._waiting(file_id)
        if what.kept_bytes < what.size_bytes:
            raise Conflict(
                "not_whole",
                f"expected the whole file, only {what.kept_bytes} of its {what.size_bytes} bytes were kept",
                f"文件不完整:共 {what.size_bytes} 字节,只保留了 {what.kept_bytes} 字节,请重新发送",
            )
        data = await asyncio.to_thread(self._quarantine.read, file_id)
        if images is not None and await in_images(image_of, data) is not None:
            return await self._take_image(
                caller, file_id, data, images, self._intake.site_of(site, caller), case_id
            )
        fields = replace(UploadFields(), site=site, case_id=case_id)
        now = self._clock.now()
        answer = await self._intake.receive([(None, data)], fields, caller, upload_started_at=now)
        settled = Settled(at=self._clock.now(), actor=caller.actor, what="taken", ecg_id=answer.ecg_id)
        await self._settle(file_id, settled)
        await self._administration.note(
            caller.actor, "quarantine_take", f"{file_id}: {answer.ecg_id}", answer.case_id
        )
        return Taken(
            ecg_id=answer.ecg_id, case_id=answer.case_id, state=answer.state, duplicate=answer.duplicate
        )

    async def _take_image(
        self, caller: Caller, file_id: str, data: bytes, images: ImageArchive, site: str, case_id: str | None
    ) -> Taken:
        got = await images.receive(data, source=caller.actor, site_id=site, case_id=case_id, way=KEPT_ASIDE)
        if got.state == "conflict":
            raise Conflict(
                "other_bytes",
                f"another object is here under {got.sop_uid}, it stays; expected a sender that gives each its own",
                "同一图像编号下已有另一内容,原有的保留;请发送方更换编号后重发",
            )
        settled = Settled(at=self._clock.now(), actor=caller.actor, what="taken", study_uid=got.study_uid)
        await self._settle(file_id, settled)
        await self._administration.note(
            caller.actor, "quarantine_take", f"{file_id}: study {got.study_uid}", got.case_id
        )
        return Taken(
            study_uid=got.study_uid,
            case_id=got.case_id,
            state="received",
            duplicate=got.state == "duplicate",
        )

    async def image(self, file_id: str) -> tuple[ImageInstance, bytes] | None:
        """What a refused input is, where it can be read as an image; raises `NotFound` where it is gone."""
        try:
            data = await asyncio.to_thread(self._quarantine.read, file_id)
        except LookupError:
            raise NotFound("file in quarantine", file_id) from None
        found = await in_images(image_of, data)
        return None if found is None else (found, data)

    async def discard(self, caller: Caller, file_id: str, reason: str) -> QuarantinedFile:
        """It is of no use, and this is why. The bytes stay until newer ones need the room."""
        await self._waiting(file_id)
        settled = Settled(at=self._clock.now(), actor=caller.actor, what="discarded", reason=reason)
        what = await self._settle(file_id, settled)
        await self._administration.note(caller.actor, "quarantine_discard", f"{file_id}: {reason}")
        return what

    async def _waiting(self, file_id: str) -> QuarantinedFile:
        try:
            what = await asyncio.to_thread(self._quarantine.what, file_id)
        except LookupError:
            raise NotFound("file in quarantine", file_id) from None
        if what.settled is not None:
            raise _seen_to(what.settled.what)
        return what

    async def _settle(self, file_id: str, settled: Settled) -> QuarantinedFile:
        try:
            return await asyncio.to_thread(self._quarantine.settle, file_id, settled)
        except LookupError:
            raise NotFound("file in quarantine", file_id) from None
        except ValueError:
            raise _seen_to("seen to") from None


def _seen_to(what: str) -> Conflict:
    return Conflict(
        "quarantine_settled", f"expected a file that waits, this one was {what}", "这份文件已经处理过"
    )
