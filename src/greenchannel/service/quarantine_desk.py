"""What an administrator does with refused inputs: try again, into a case or not, or discard with a reason."""

import asyncio
from dataclasses import replace

from greenchannel.clock import Clock
from greenchannel.ingest.fields import UploadFields
from greenchannel.service.administration import Administration
from greenchannel.service.arrival import UploadAnswer
from greenchannel.service.callers import Caller
from greenchannel.service.errors import Conflict, NotFound
from greenchannel.service.intake import Intake
from greenchannel.store.quarantine import Quarantine, QuarantinedFile, Settled


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
        self, caller: Caller, file_id: str, *, site: str | None = None, case_id: str | None = None
    ) -> UploadAnswer:
        """Read it once more, as an upload for `site`, of the case `case_id` where one is named.

        Raises what `Intake.receive` raises: the file waits on, unchanged. `NotFound` where it is gone, `Conflict`
        where it was seen to, or where less of it was kept than came.
        """
        what = await self._waiting(file_id)
        if what.kept_bytes < what.size_bytes:
            raise Conflict(
                "not_whole",
                f"expected the whole file, only {what.kept_bytes} of its {what.size_bytes} bytes were kept",
                f"文件不完整:共 {what.size_bytes} 字节,只保留了 {what.kept_bytes} 字节,请重新发送",
            )
        data = await asyncio.to_thread(self._quarantine.read, file_id)
        fields = replace(UploadFields(), site=site, case_id=case_id)
        now = self._clock.now()
        answer = await self._intake.receive([(None, data)], fields, caller, upload_started_at=now)
        settled = Settled(at=self._clock.now(), actor=caller.actor, what="taken", ecg_id=answer.ecg_id)
        await self._settle(file_id, settled)
        await self._administration.note(
            caller.actor, "quarantine_take", f"{file_id}: {answer.ecg_id}", answer.case_id
        )
        return answer

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
