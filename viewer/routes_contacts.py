"""How one is reached: a person's own addresses, the beginning of a shift, the health of channels; and receipts."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from greenchannel.alerts.channels import LIVE, WEBPUSH, channels
from greenchannel.clock import rfc3339
from greenchannel.service.channels import addresses
from greenchannel.service.channels.addresses import BadAddress
from greenchannel.service.errors import NotFound
from greenchannel.service.receipts import BadReceipt, Unsigned
from greenchannel.store.contacts import Contact
from greenchannel.store.errors import UnknownAccount
from greenchannel.viewer.access import require
from greenchannel.viewer.front import NOTHING, Front, Here, Who, answer
from greenchannel.viewer.problems import Problem
from greenchannel.viewer.routes_cases import Given

router = APIRouter(tags=["duty"])


class NewAddress(Given):
    """An address for one channel."""

    address: Annotated[str, Field(min_length=1, max_length=2000)]
    to: Annotated[str, Field(min_length=1, max_length=32)] | None = None


class Keys(BaseModel):
    """The keys of a browser."""

    model_config = ConfigDict(extra="ignore")

    p256dh: Annotated[str, Field(min_length=1, max_length=200)]
    auth: Annotated[str, Field(min_length=1, max_length=100)]


class Subscription(BaseModel):
    """What `PushSubscription.toJSON()` gives; what else it says is not kept."""

    model_config = ConfigDict(extra="ignore")

    endpoint: Annotated[str, Field(min_length=1, max_length=2000)]
    keys: Keys


class Enabled(Given):
    """In use, or not."""

    enabled: bool


class Start(Given):
    """The board may sound, and the person heard the test tone."""

    sound: bool


class Shown(Given):
    """What a browser's worker says of a message."""

    ref: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    status: Literal["delivered", "seen"]


def _refused(error: BadAddress | BadReceipt) -> Problem:
    return Problem(422, error.en, code=error.code, zh=error.zh)


def _shown(contact: Contact) -> dict[str, Any]:
    """A contact without its address, which nobody is shown again."""
    return {
        "id": contact.id,
        "channel": contact.channel,
        "form": contact.form,
        "enabled": contact.enabled,
        "public": channels()[contact.channel].public if contact.channel in channels() else True,
        "entered_by": "person" if contact.by_person else "administrator",
        "created_at": rfc3339(contact.created_at),
    }


# ---------------------------------------------------------------- one's own addresses


@router.get("/me/contacts", summary="On which channels I am reached")
async def own(front: Here, who: Who) -> Response:
    """Without the addresses: they are secrets. `push_key` is what a browser subscribes with."""
    require(who, "contacts")
    found = await asyncio.to_thread(front.desk.contacts.shown, who.id)
    key = await asyncio.to_thread(lambda: front.desk.senders.vapid.public)
    known = [
        {"channel": one.name, "zh": one.zh, "en": one.en, "public": one.public, "schemes": list(one.schemes)}
        for one in channels().values()
        if one.name != LIVE
    ]
    return answer({"contacts": [_shown(one) for one in found], "channels": known, "push_key": key})


@router.post("/me/contacts/webpush", summary="This browser takes push messages", status_code=201)
async def subscribe(body: Subscription, front: Here, who: Who) -> Response:
    """The same browser again takes the place of itself."""
    require(who, "contacts")
    try:
        address = addresses.subscription(
            body.endpoint, body.keys.p256dh, body.keys.auth, localhost=front.desk.settings.contacts_localhost
        )
    except BadAddress as error:
        raise _refused(error) from None
    contact = await asyncio.to_thread(
        lambda: front.desk.contacts.set(
            who.id, WEBPUSH, WEBPUSH, address, now=front.desk.clock.now(), by_person=True, several=True
        )
    )
    return answer({"contact": _shown(contact)}, 201)


@router.put("/me/contacts/{channel}", summary="My address on a channel")
async def enter(channel: str, body: NewAddress, front: Here, who: Who) -> Response:
    """Takes the place of the one before. A webhook's secret is in the answer, this once."""
    require(who, "contacts")
    try:
        form, address = await asyncio.to_thread(
            lambda: addresses.checked(
                channel,
                body.address,
                to=body.to,
                by_person=True,
                localhost=front.desk.settings.contacts_localhost,
            )
        )
    except BadAddress as error:
        raise _refused(error) from None
    contact = await asyncio.to_thread(
        lambda: front.desk.contacts.set(
            who.id, channel, form, address, now=front.desk.clock.now(), by_person=True
        )
    )
    return answer({"contact": _shown(contact), "secret": address.secret})


@router.patch("/me/contacts/{contact_id}", status_code=NOTHING, summary="Use an address, or do not")
async def enable(contact_id: str, body: Enabled, front: Here, who: Who) -> Response:
    """It is kept either way."""
    require(who, "contacts")
    contacts = front.desk.contacts
    return await _changed(contact_id, lambda: contacts.enable(contact_id, body.enabled, person=who.id))


@router.delete("/me/contacts/{contact_id}", status_code=NOTHING, summary="Forget an address")
async def remove(contact_id: str, front: Here, who: Who) -> Response:
    """Nothing is sent there any more."""
    require(who, "contacts")
    contacts = front.desk.contacts
    return await _changed(contact_id, lambda: contacts.remove(contact_id, person=who.id))


async def _changed(contact_id: str, change: Any) -> Response:
    try:
        await asyncio.to_thread(change)
    except UnknownAccount:
        raise NotFound("contact", contact_id) from None
    return Response(status_code=NOTHING)


# ---------------------------------------------------------------- going on duty


@router.post("/duty/start", summary="My shift begins")
async def start(body: Start, front: Here, who: Who) -> Response:
    """A test message goes out on each of the person's channels; what became of them is in `GET /duty/channels`."""
    require(who, "duty")
    tested = await front.desk.going_on_duty.start(who, sound=body.sound)
    return answer(await _health(front, who.id) | {"tests_sent": tested})


@router.get("/duty/channels", summary="Whether each channel works, and whether an alert would get through")
async def health(
    front: Here, who: Who, person: Annotated[str | None, Query(max_length=64)] = None
) -> Response:
    """Of the person who asks, or for an admin and quality staff of another."""
    require(who, "duty")
    if person is not None and person != who.id:
        require(who, "duty_of_others")
        if await asyncio.to_thread(front.desk.accounts.user, person) is None:
            raise NotFound("person", person)
    return answer(await _health(front, person or who.id))


async def _health(front: Front, person: str) -> dict[str, Any]:
    return await front.desk.going_on_duty.health(person, front.desk.clock.now())


# ---------------------------------------------------------------- receipts


@router.post("/receipts", status_code=NOTHING, summary="What a gateway says of a message")
async def receipt(request: Request, front: Here) -> Response:
    """Signed with the secret of the address that the message went to, in the form of Standard Webhooks; no token."""
    headers = request.headers
    try:
        await front.desk.receipts.take(
            headers.get("webhook-id", ""),
            headers.get("webhook-timestamp", ""),
            headers.get("webhook-signature", ""),
            await request.body(),
        )
    except Unsigned as error:
        raise Problem(401, error.en, code=error.code, zh=error.zh) from None
    except BadReceipt as error:
        raise _refused(error) from None
    return Response(status_code=NOTHING)


@router.post("/receipts/push", status_code=NOTHING, summary="A browser has shown a message")
async def shown(body: Shown, front: Here, who: Who) -> Response:
    """From the worker of the page, with the person's session."""
    require(who, "contacts")
    await front.desk.receipts.by_browser(who, body.ref, body.status)
    return Response(status_code=NOTHING)
