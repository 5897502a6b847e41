"""`/live`: every change that the reader may see, in order, and the few things that a page says."""

import asyncio
import contextlib
from typing import Final
from urllib.parse import parse_qs

import msgspec
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from greenchannel.alerts.imaging.calling import report_call
from greenchannel.service.callers import Caller
from greenchannel.service.errors import NotFound
from greenchannel.viewer.access import RightsClass, may, require, visible
from greenchannel.viewer.frames import writer_of
from greenchannel.viewer.front import Front, address_of
from greenchannel.viewer.live import Client, attached
from greenchannel.viewer.problems import REFUSALS, Problem, of
from greenchannel.viewer.sockets import SLOW, Disconnected, Socket, cancel, first_of

MOST_MESSAGE_CHARACTERS: Final = 4096
CHECK_AGAIN_S: Final = 60.0  # a session that has run out is noticed after this long at the latest


Told = tuple[str, str, int | str]
"""What a page said, of which alert, in which of its rounds; of a study's alert by which ring."""


class Said(msgspec.Struct):
    """What a page may say."""

    type: str
    alert_id: str | None = None
    ecg_id: str | None = None
    study_uid: str | None = None  # where it is the alert of a study


async def live(front: Front, scope: Scope, receive: Receive, send: Send) -> None:
    """One connection, from its acceptance to its end."""
    socket = Socket(receive, send)
    try:
        await socket.accept()
        try:
            caller = await _caller(front, scope)
            require(caller, "look")
            after = _after(scope)
            await front.directory.refresh()
            with attached(front.fanout, RightsClass.of(caller), after) as client:
                client.write_frame = writer_of(scope)
                await _serve(front, scope, socket, client, caller)
        except (Problem, *REFUSALS) as error:
            await socket.refuse(of(error))
    except Disconnected:
        return


async def _caller(front: Front, scope: Scope) -> Caller:
    return await front.caller(Headers(scope=scope), address_of(scope), changes=True)


def _after(scope: Scope) -> int | None:
    given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("after")
    if given is None:
        return None
    if not (given[0].isascii() and given[0].isdigit() and len(given[0]) <= 18):
        raise Problem(400, "after is no sequence number", expected="a whole number", got=given[0][:40])
    return int(given[0])


async def _serve(front: Front, scope: Scope, socket: Socket, client: Client, caller: Caller) -> None:
    writing = asyncio.create_task(_write(socket, client))
    hearing = asyncio.create_task(_hear(front, socket, client, caller))
    slow = asyncio.create_task(_wait_slow(client))
    tasks = (writing, hearing, slow)
    try:
        with front.leaving.watched(caller.actor) as told:
            while not await _ends(tasks, told):
                if await _caller(front, scope) != caller:
                    raise Problem(401, "the rights of this connection have changed")
                await front.directory.refresh()
    finally:
        await cancel(*tasks)
    await socket.close(SLOW, "too slow, come back with after=SEQ")


async def _ends(tasks: "tuple[asyncio.Task[None], ...]", told: asyncio.Event) -> bool:
    """Wait for the end of one of the tasks; False after a while, and at once where the rights may have changed."""
    telling = asyncio.create_task(_wait(told))
    try:
        ended = await first_of(*tasks, telling, timeout_s=CHECK_AGAIN_S)
    finally:
        await cancel(telling)
    if told.is_set():
        told.clear()
        return any(task.done() for task in tasks)
    return ended


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


async def _wait_slow(client: Client) -> None:
    await client.too_slow.wait()


async def _write(socket: Socket, client: Client) -> None:
    while True:
        await socket.send_text(await client.next())


async def _hear(front: Front, socket: Socket, client: Client, caller: Caller) -> None:
    told: set[Told] = set()
    while True:
        said = _parse(await socket.next())
        match said:
            case Said(type="delivered" | "seen", alert_id=str() as alert_id):
                if caller.kind == "user" and may(caller, "deliver"):
                    if said.study_uid is None:
                        await _on_screen(front, caller, said.type, alert_id, told)
                    else:
                        await _study_on_screen(front, caller, said.type, said.study_uid, alert_id, told)
            case Said(type="watch", ecg_id=ecg_id):
                if ecg_id is not None:
                    require(caller, "waveform")
                    case = front.case_of_ecg(ecg_id, caller)
                    front.look(caller, "look_waveform", case.case_id, ecg_id)
                front.fanout.watch(client, ecg_id)
            case Said(type="ping"):
                front.fanout.mark(client)
            case _:
                raise _unknown(said)


async def _on_screen(front: Front, caller: Caller, what: str, alert_id: str, told: set[Told]) -> None:
    """A board has the alert, or its case is before the person's eyes. Each round of it is told anew, and once."""
    case = visible(front.desk.case_of_alert(alert_id), caller)
    alert = case.alert_of(alert_id)
    key = (what, alert_id, 0 if alert is None else alert.round)
    if key in told:
        return
    told.add(key)
    answers = front.desk.answers
    await (answers.seen if what == "seen" else answers.delivered)(alert_id, caller)


async def _study_on_screen(
    front: Front, caller: Caller, what: str, study_uid: str, alert_id: str, told: set[Told]
) -> None:
    """As `_on_screen`, of the call for a study's report; each ring is told anew, and once."""
    readings = front.desk.image_readings
    reading = readings.known(study_uid)
    if reading is None or not readings.may_see(study_uid, caller):
        return  # erased since, or none of theirs: no reason to end the line, on which ECGs ring as well
    key = (what, alert_id, report_call(reading))
    if key in told:
        return
    told.add(key)
    with contextlib.suppress(NotFound):  # erased at this moment
        await readings.on_page(study_uid, alert_id, caller, looked=what == "seen")


def _parse(message: str | bytes) -> Said:
    if isinstance(message, bytes) or len(message) > MOST_MESSAGE_CHARACTERS:
        raise Problem(400, "the message cannot be read", expected="a short JSON text", got=_shape(message))
    try:
        return msgspec.json.decode(message, type=Said)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise Problem(
            400, "the message cannot be read", expected="a JSON object with a type", got=str(error)[:120]
        ) from error


def _shape(message: str | bytes) -> str:
    return f"{len(message)} bytes" if isinstance(message, bytes) else f"{len(message)} characters"


def _unknown(said: Said) -> Problem:
    return Problem(400, "unknown message", expected="delivered, seen, watch or ping", got=said.type[:40])
