"""Signed webhooks to a real server, and the receipts that come back."""

import asyncio
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from greenchannel.events import (
    AlertAcknowledged,
    AlertDeclined,
    AlertDelivered,
    AlertSeen,
    AlertUnreachable,
)
from greenchannel.service.channels.signing import sign, signed_right
from greenchannel.service.errors import Conflict
from greenchannel.service.receipts import BadReceipt, Unsigned
from tests.delivery_world import PATIENT, SECRET, Ward, play
from tests.desk_world import person
from tests.receiver import receiver


async def say(
    ward: Ward, key: str, status: str, *, id: str = "r_1", at_s: int | None = None, **more: Any
) -> None:
    """A receipt as a gateway sends it."""
    secret = more.pop("secret", SECRET)
    body = msgspec.json.encode({"key": key, "status": status} | more)
    at_s = int(time.time()) if at_s is None else at_s
    await ward.desk.receipts.take(id, str(at_s), sign(secret, id, at_s, body), body)


def test_a_webhook_is_signed_and_says_no_name(tmp_path: Path) -> None:
    """In the form of Standard Webhooks; the id is the key; nothing of the patient leaves, on any channel."""

    async def story(ward: Ward) -> None:
        with receiver() as gateway:
            ward.webhook("chen", "sms", f"{gateway.base}/sms?token=abc", to="+86 138-0000-9999")
            ward.webhook("chen", "dingtalk", f"{gateway.base}/chat")
            case_id, alert_id = await ward.alert()
            key = await ward.ring(case_id, alert_id, "chen", "sms")
            await ward.ring(case_id, alert_id, "chen", "dingtalk")
            await ward.deliver()
            sms, chat = sorted(gateway.requests, key=lambda one: one.path, reverse=True)

        assert sms.path == "/sms?token=abc"
        signature, at_s = sms.headers["webhook-signature"], int(sms.headers["webhook-timestamp"])
        assert sms.headers["webhook-id"] == key
        assert signed_right(SECRET, key, at_s, sms.body, signature)
        assert abs(time.time() - at_s) < 60
        assert sms.json["type"] == "alert"
        assert sms.json["data"]["to"] == "+8613800009999"
        assert sms.json["data"]["alert_id"] == alert_id and sms.json["data"]["tier"] == "ACT"
        assert set(chat.json["data"]) == {"channel", "title", "text", "tag", "urgent", "silent"}
        assert "阴赵卫生院" in chat.json["data"]["text"] and "ACT" in chat.json["data"]["title"]
        for name, value in PATIENT.items():
            assert value not in sms.body.decode() + chat.body.decode(), name

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("status", "seconds", "outcome"),
    [(301, None, "redirected"), (403, None, "refused"), (404, None, "gone"), (410, None, "gone")],
)
def test_a_refusal_for_good_is_not_repeated(
    tmp_path: Path, status: int, seconds: float | None, outcome: str
) -> None:
    """A redirect is never followed: it may lead anywhere."""

    async def story(ward: Ward) -> None:
        with receiver() as gateway, receiver() as elsewhere:
            gateway.statuses, gateway.headers = [status], {"location": elsewhere.base}
            ward.webhook("chen", "sms", gateway.base)
            case_id, alert_id = await ward.alert()
            key = await ward.ring(case_id, alert_id, "chen", "sms")
            await ward.deliver()
            row = ward.rows()[key]

            assert (row.state, row.reason, row.attempts) == ("given_up", outcome, 1)
            assert elsewhere.requests == []

    play(tmp_path, story)


def test_a_busy_server_is_given_the_time_it_asks_for(tmp_path: Path) -> None:
    """429 with Retry-After: not before, and under the same key."""

    async def story(ward: Ward) -> None:
        with receiver() as gateway:
            gateway.statuses, gateway.headers = [429], {"retry-after": "30"}
            ward.webhook("chen", "sms", gateway.base)
            case_id, alert_id = await ward.alert()
            key = await ward.ring(case_id, alert_id, "chen", "sms")
            await ward.deliver()
            ward.world.pass_time(29.9)
            assert await ward.desk.delivery.deliver_due() == 0
            ward.world.pass_time(0.1)
            await ward.deliver()

            assert gateway.ids == [key, key]
            assert ward.rows()[key].state == "sent"

    play(tmp_path, story)


def test_a_channel_that_never_answers_delays_no_other(tmp_path: Path) -> None:
    """Twenty messages hang on one channel, more than it makes at once; the other channel brings its own at once."""

    async def story(ward: Ward) -> None:
        with receiver() as hanging, receiver() as well:
            hanging.hold = lambda request: True
            ward.webhook("chen", "sms", hanging.base)
            ward.webhook("lin", "phone", well.base)
            case_id, alert_id = await ward.alert()
            for step in range(20):
                await ward.ring(case_id, alert_id, "chen", "sms", step=step)
            await asyncio.to_thread(hanging.wait_for, 8)
            begun_s = time.monotonic()
            key = await ward.ring(case_id, alert_id, "lin", "phone")
            await asyncio.to_thread(well.wait_for, 1)
            took_s = time.monotonic() - begun_s

            assert well.ids == [key]
            assert len(hanging.requests) == 8, "no more at once than the table says"
            print(f"delivered beside a hanging channel after {took_s * 1000:.0f} ms")
            assert took_s < 5.0, "far within the time that the hanging channel is given"

    play(tmp_path, story, lanes=True)


def test_a_receipt_says_how_far_a_message_came(tmp_path: Path) -> None:
    """Taken by the gateway is not yet arrived; answered by a key is an answer, and the log says by which way."""

    async def story(ward: Ward) -> None:
        with receiver() as gateway:
            ward.webhook("chen", "phone", gateway.base)
            case_id, alert_id = await ward.alert()
            key = await ward.ring(case_id, alert_id, "chen", "phone")
            await ward.deliver()
            assert ("chen", "phone") not in [
                (e.person, e.channel) for e in ward.events(case_id, AlertDelivered)
            ]

            await say(ward, key, "delivered", id="r_1")
            told = [(e.person, e.channel) for e in ward.events(case_id, AlertDelivered)]
            assert told.count(("chen", "phone")) == 1

            with pytest.raises(BadReceipt, match="mailbox"):
                await say(ward, key, "answered", id="r_2")
            assert ward.events(case_id, AlertAcknowledged) == []
            await say(ward, key, "answered", id="r_3", keypress="1")
            assert [e.person for e in ward.events(case_id, AlertAcknowledged)] == ["chen"]
            assert [(e.person, e.channel) for e in ward.events(case_id, AlertSeen)] == [("chen", "phone")]

    play(tmp_path, story)


def test_a_person_may_decline_by_a_key_and_a_gateway_may_fail(tmp_path: Path) -> None:
    """Declined is no answer; failed takes back what the gateway had taken."""

    async def story(ward: Ward) -> None:
        with receiver() as gateway:
            for name in ("chen", "lin"):
                ward.webhook(name, "phone", gateway.base)
            case_id, alert_id = await ward.alert()
            declined = await ward.ring(case_id, alert_id, "chen", "phone")
            failed = await ward.ring(case_id, alert_id, "lin", "phone")
            await ward.deliver()
            await say(ward, declined, "declined", id="r_1", keypress="2")
            await say(ward, failed, "failed", id="r_2")

        assert [e.person for e in ward.events(case_id, AlertDeclined)] == ["chen"]
        assert [(e.person, e.reason) for e in ward.events(case_id, AlertUnreachable)] == [("lin", "failed")]
        assert ward.rows()[failed].state == "given_up"

    play(tmp_path, story)


def test_gateways_number_their_receipts_each_by_themselves(tmp_path: Path) -> None:
    """Two of them use the same id: both answers are taken."""

    async def story(ward: Ward) -> None:
        with receiver() as gateway:
            for name in ("chen", "lin"):
                ward.webhook(name, "phone", gateway.base)
            case_id, alert_id = await ward.alert()
            one = await ward.ring(case_id, alert_id, "chen", "phone")
            other = await ward.ring(case_id, alert_id, "lin", "phone")
            await ward.deliver()
            await say(ward, one, "delivered", id="1")
            await say(ward, other, "answered", id="1", keypress="1")

        assert [e.person for e in ward.events(case_id, AlertAcknowledged)] == ["lin"]

    play(tmp_path, story)


def test_a_refusal_with_the_key_that_says_yes_is_no_refusal(tmp_path: Path) -> None:
    """It is told as contradictory, and the ring goes on."""

    async def story(ward: Ward) -> None:
        with receiver() as gateway:
            ward.webhook("chen", "phone", gateway.base)
            case_id, alert_id = await ward.alert()
            key = await ward.ring(case_id, alert_id, "chen", "phone")
            await ward.deliver()
            with pytest.raises(BadReceipt):
                await say(ward, key, "declined", id="r_1", keypress="1")
            assert ward.events(case_id, AlertDeclined) == ward.events(case_id, AlertAcknowledged) == []
            await say(ward, key, "answered", id="r_1", keypress="1")

        assert [e.person for e in ward.events(case_id, AlertAcknowledged)] == ["chen"]

    play(tmp_path, story)


def test_a_receipt_of_a_message_whose_answer_was_lost_ends_its_repeats(tmp_path: Path) -> None:
    """The gateway had it though its answer did not come: it is not sent again."""

    async def story(ward: Ward) -> None:
        with receiver() as gateway:
            gateway.statuses = [500]
            ward.webhook("chen", "sms", gateway.base)
            case_id, alert_id = await ward.alert()
            key = await ward.ring(case_id, alert_id, "chen", "sms")
            await ward.deliver()
            await say(ward, key, "sent")
            ward.world.pass_time(3600)
            await ward.deliver()

            assert (gateway.ids, ward.rows()[key].state) == ([key], "sent")

    play(tmp_path, story)


def test_receipts_are_taken_once_and_from_the_right_hand_alone(tmp_path: Path) -> None:
    """Repeated: no change. Altered, late, early, signed by another, about nothing: one answer, which tells nothing."""

    async def story(ward: Ward) -> None:
        with receiver() as gateway:
            ward.webhook("chen", "phone", gateway.base)
            case_id, alert_id = await ward.alert()
            key = await ward.ring(case_id, alert_id, "chen", "phone")
            await ward.deliver()
        now_s = int(time.time())
        other = "whsec_" + "enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6eno="
        wrong: list[dict[str, Any]] = [
            {"at_s": now_s - 301},
            {"at_s": now_s + 310},
            {"secret": other},
            {"key": f"{alert_id}:1:0:lin:phone"},
        ]
        for one in wrong:
            with pytest.raises(Unsigned):
                await say(ward, **{"key": key, "status": "answered", "keypress": "1"} | one)
        body = msgspec.json.encode({"key": key, "status": "failed"})
        with pytest.raises(Unsigned):
            await ward.desk.receipts.take("r_1", str(now_s), sign(SECRET, "r_1", now_s, body + b" "), body)
        for garbage in (b"", b"[]", b'{"key": 7}', b"\xff", b"null"):
            with pytest.raises(Unsigned):
                await ward.desk.receipts.take("r_1", str(now_s), "v1,AAAA", garbage)
        assert ward.events(case_id, AlertAcknowledged) == []

        head = None
        for _ in range(3):
            await say(ward, key, "answered", keypress="1", at_s=now_s)
            head = head or ward.desk.log.head()
        assert ward.desk.log.head() == head, "the same again changes nothing"
        with pytest.raises(Conflict):
            await say(ward, key, "failed", at_s=now_s)

    play(tmp_path, story)


def test_a_receipt_between_the_answer_and_the_outcome_lets_the_end_follow(tmp_path: Path) -> None:
    """The gateway's word ends an attempt that is under way: its person must still hear that the alert is over."""

    async def story(ward: Ward) -> None:
        with receiver() as gateway:
            ward.webhook("lin", "phone", gateway.base)
            case_id, alert_id = await ward.alert()
            key = await ward.ring(case_id, alert_id, "lin", "phone")
            send = ward.desk.senders.send

            async def slow(*args: object) -> object:
                await ward.desk.answers.acknowledge(alert_id, person("chen"))
                await say(ward, key, "delivered")
                return await send(*args)  # type: ignore[arg-type]

            setattr(ward.desk.senders, "send", slow)  # noqa: B010
            await ward.desk.delivery.attempt(key)
            setattr(ward.desk.senders, "send", send)  # noqa: B010
            await ward.deliver()

        assert ward.rows()[key].state == "sent"
        assert [row.person for row in ward.rows(kind="alert_stop").values()] == ["lin"]

    play(tmp_path, story)
