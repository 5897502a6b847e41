"""Going on duty by HTTP: a test on each channel, its outcome, who can be reached; one's own addresses; receipts."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from greenchannel.events import ChannelTested, DutyStarted
from greenchannel.service.channels.signing import sign
from tests.receiver import receiver
from tests.service.test_web_push import Browser, b64
from tests.service.viewer_house import House, house

SETTINGS = {"contacts_localhost": True, "delivery_poll_s": 0.05}


async def until(true: Callable[[Any], bool], ask: Callable[[], Any]) -> Any:
    """Ask again until an answer is as wanted, within a bound."""
    for _ in range(1000):
        answer = await ask()
        if true(answer):
            return answer
        await asyncio.sleep(0.02)
    raise AssertionError(f"never so: {answer}")


def play(folder: Path, story: Callable[[House], Any], **settings: Any) -> None:
    async def whole() -> None:
        async with house(folder, **SETTINGS | settings) as home:
            await story(home)

    asyncio.run(whole())


async def channels(home: House, who: dict[str, str]) -> dict[str, Any]:
    answer = await home.http.get("/api/v1/duty/channels", headers=who)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def of(health: dict[str, Any], channel: str) -> dict[str, Any]:
    return next(one for one in health["channels"] if one["channel"] == channel)


def test_a_shift_starts_with_a_test_on_each_channel(tmp_path: Path) -> None:
    """One that works and one that fails: both are shown with when and why, in both languages; the log says it, too."""

    async def story(home: House) -> None:
        doctor = await home.person("cardiologist")
        with receiver() as good, receiver() as bad:
            bad.statuses = [403]
            for channel, gateway in (("sms", good), ("phone", bad)):
                body = {"address": f"{gateway.base}/x", "to": "13800009999"}
                entered = await home.http.put(f"/api/v1/me/contacts/{channel}", json=body, headers=doctor)
                assert entered.status_code == 200 and entered.json()["secret"].startswith("whsec_")
            before = await channels(home, doctor)
            assert (before["reachable"], before["why"]["code"]) == (False, "never_tested")

            started = await home.http.post("/api/v1/duty/start", json={"sound": True}, headers=doctor)
            assert started.json()["tests_sent"] is True
            health = await until(
                lambda one: of(one, "sms")["works"] and of(one, "phone")["works"] is False,
                lambda: channels(home, doctor),
            )
            assert good.requests[0].json["type"] == bad.requests[0].json["type"] == "test"

            again = await home.http.post("/api/v1/duty/start", json={"sound": True}, headers=doctor)
            assert again.json()["tests_sent"] is False, "not a second one within a minute"

            moved = {"address": f"{good.base}/y", "to": "13800009998"}
            assert (
                await home.http.put("/api/v1/me/contacts/phone", json=moved, headers=doctor)
            ).status_code == 200
            assert of(await channels(home, doctor), "phone")["works"] is None, (
                "nothing is known of the new one"
            )
            once_more = await home.http.post("/api/v1/duty/start", json={"sound": True}, headers=doctor)
            assert once_more.json()["tests_sent"] is True, "the new address is tried"
            await until(lambda one: of(one, "phone")["works"], lambda: channels(home, doctor))
            assert [one.json["type"] for one in good.requests] == ["test", "test"]

        assert health["reachable"] and health["working"] == ["live", "sms"]
        assert health["duty"]["role"] == "first" and health["sound"] is True
        phone = of(health, "phone")
        assert phone["last_reason"] == {
            "code": "refused",
            "zh": "对方拒绝接收",
            "en": "the other side refused it",
        }
        assert phone["tested_at"] and phone["last_failed_at"] and phone["last_ok_at"] is None
        events = [one.event for one in home.desk.log.read_stream("duty:cardiologist")]
        assert [one for one in events if isinstance(one, DutyStarted)] == [
            DutyStarted(person="cardiologist", role="first", sound=True, channels=("live", "sms", "phone")),
            DutyStarted(person="cardiologist", role="first", sound=True, channels=("live", "phone")),
        ]
        outcomes = [(one.channel, one.ok, one.reason) for one in events if isinstance(one, ChannelTested)]
        assert set(outcomes) == {
            ("live", True, None),
            ("sms", True, None),
            ("phone", False, "refused"),
            ("phone", True, None),
        }

        empty = 'greenchannel_outbox_depth{channel="sms"} 0.0'

        async def metrics() -> str:
            return (await home.http.get("/metrics")).text

        text = await until(lambda one: empty in one, metrics)
        assert 'greenchannel_deliveries_total{channel="sms",outcome="sent"} 1.0' in text
        assert 'greenchannel_deliveries_total{channel="phone",outcome="given_up"} 1.0' in text

    play(tmp_path, story)


def test_push_alone_is_not_enough_and_a_silent_board_says_so(tmp_path: Path) -> None:
    """The test came through, and still the person counts as not reachable."""

    async def story(home: House) -> None:
        doctor, browser = await home.person("cardiologist"), Browser.new()
        with receiver() as service:
            body = {
                "endpoint": f"{service.base}/push/1",
                "expirationTime": None,
                "keys": {"p256dh": browser.p256dh, "auth": b64(browser.auth)},
            }
            subscribed = await home.http.post("/api/v1/me/contacts/webpush", json=body, headers=doctor)
            assert subscribed.status_code == 201
            await home.http.post("/api/v1/duty/start", json={"sound": False}, headers=doctor)
            health = await until(lambda one: of(one, "webpush")["works"], lambda: channels(home, doctor))

            assert (health["reachable"], health["working"]) == (False, ["webpush"])
            assert health["why"]["code"] == "push_alone" and "推送" in health["why"]["zh"]
            assert health["sound_problem"]["zh"] == "声音未开启"

            ref = browser.read(service.requests[0])["ref"]
            shown = await home.http.post(
                "/api/v1/receipts/push", json={"ref": ref, "status": "delivered"}, headers=doctor
            )
            assert shown.status_code == 204
            sounding = await home.http.post("/api/v1/duty/start", json={"sound": True}, headers=doctor)
            assert sounding.json()["reachable"] is True, "the board sounds now"
            assert len(service.requests) == 1

    play(tmp_path, story)


def test_addresses_are_ones_own_and_never_shown(tmp_path: Path) -> None:
    """What was entered does not come back; another's does not exist; off and gone."""

    async def story(home: House) -> None:
        doctor, other = await home.person("cardiologist"), await home.person("quality")
        url = "https://gateway.example/t0ken"
        put = await home.http.put("/api/v1/me/contacts/sms", json={"address": url}, headers=doctor)
        contact = put.json()["contact"]["id"]
        listed = await home.http.get("/api/v1/me/contacts", headers=doctor)
        assert [one["channel"] for one in listed.json()["contacts"]] == ["sms"]
        assert "t0ken" not in listed.text + put.text and len(listed.json()["push_key"]) > 80
        assert (await home.http.get("/api/v1/me/contacts", headers=other)).json()["contacts"] == []

        path = f"/api/v1/me/contacts/{contact}"
        assert (await home.http.delete(path, headers=other)).status_code == 404
        off = await home.http.patch(path, json={"enabled": False}, headers=doctor)
        assert off.status_code == 204
        assert home.desk.contacts.channels_of(["cardiologist"]) == {"cardiologist": ("live",)}
        assert (await home.http.delete(path, headers=doctor)).status_code == 204
        assert (await home.http.delete(path, headers=doctor)).status_code == 404

        for body, status in (
            ({"address": "http://gateway.example/x"}, 422),
            ({"address": "http://127.0.0.1/x"}, 422),
            ({"address": url, "to": "not a number"}, 422),
            ({"address": ""}, 422),
            ({}, 422),
        ):
            refused = await home.http.put("/api/v1/me/contacts/sms", json=body, headers=doctor)
            assert refused.status_code == status, body
        assert refused.headers["content-type"] == "application/problem+json"
        assert (await home.http.get("/api/v1/me/contacts", headers=home.device())).status_code == 403

    play(tmp_path, story, contacts_localhost=False)


def test_who_may_ask_about_others(tmp_path: Path) -> None:
    """Those who keep the roster; not a colleague."""

    async def story(home: House) -> None:
        boss, village = await home.person("boss"), await home.person("village")
        path = "/api/v1/duty/channels?person=cardiologist"
        assert (await home.http.get(path, headers=boss)).json()["person"] == "cardiologist"
        assert (await home.http.get(path, headers=village)).status_code == 403
        nobody = await home.http.get("/api/v1/duty/channels?person=nobody", headers=boss)
        assert nobody.status_code == 404
        assert home.desk.going_on_duty.reachable("cardiologist", home.desk.clock.now()) is False

    play(tmp_path, story)


def test_receipts_come_by_http(tmp_path: Path) -> None:
    """Signed, without a token; unsigned they are refused, and nothing is learnt."""

    async def story(home: House) -> None:
        doctor = await home.person("cardiologist")
        with receiver() as gateway:
            put = await home.http.put(
                "/api/v1/me/contacts/phone", json={"address": gateway.base}, headers=doctor
            )
            secret = put.json()["secret"]
            await home.http.post("/api/v1/duty/start", json={"sound": True}, headers=doctor)
            await asyncio.to_thread(gateway.wait_for, 1)
            await until(lambda one: of(one, "phone")["works"], lambda: channels(home, doctor))
            body = msgspec.json.encode({"key": gateway.ids[0], "status": "failed"})
            now_s = int(time.time())
            headers = {
                "webhook-id": "r_1",
                "webhook-timestamp": str(now_s),
                "webhook-signature": sign(secret, "r_1", now_s, body),
            }
            wrong = await home.http.post(
                "/api/v1/receipts", content=body, headers=headers | {"webhook-id": "r_2"}
            )
            assert (wrong.status_code, wrong.json()["code"]) == (401, "bad_signature")
            for _ in range(2):
                right = await home.http.post("/api/v1/receipts", content=body, headers=headers)
                assert right.status_code == 204, right.text
            health = await channels(home, doctor)

        assert of(health, "phone")["works"] is False
        assert of(health, "phone")["last_reason"]["code"] == "failed"
        tests = [one.event for one in home.desk.log.read_stream("duty:cardiologist")]
        assert sum(isinstance(one, ChannelTested) and one.channel == "phone" for one in tests) == 2

    play(tmp_path, story)
