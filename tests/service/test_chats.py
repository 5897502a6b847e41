"""Chats by apprise, and addresses that must not be what they look like."""

import asyncio
import logging
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from greenchannel.alerts.delivery import Failed, Refused
from greenchannel.service.channels import addresses, by_apprise
from greenchannel.service.channels.addresses import BadAddress
from greenchannel.service.channels.outgoing import Outgoing
from greenchannel.service.channels.own_threads import Busy, OwnThreads
from tests.delivery_world import PATIENT, Ward, play
from tests.receiver import receiver

TOKEN = "tok3n-that-stays-inside"


def test_a_chat_is_reached_by_apprise_and_says_no_name(tmp_path: Path) -> None:
    """apprise's own address for a plain server, through its blocking client in a thread."""

    async def story(ward: Ward) -> None:
        with receiver() as chat:
            url = chat.base.replace("http://", "json://") + f"/{TOKEN}"
            form, address = addresses.checked("dingtalk", url, by_person=False, localhost=False)
            now = ward.world.clock.now()
            ward.desk.contacts.set("chen", "dingtalk", form, address, now=now, by_person=False)
            case_id, alert_id = await ward.alert()
            key = await ward.ring(case_id, alert_id, "chen", "dingtalk")
            await ward.deliver()
            (request,) = chat.requests

        assert form == "json" and ward.rows()[key].state == "sent"
        assert "阴赵卫生院" in request.json["message"]
        for secret in (*PATIENT.values(), case_id, alert_id):
            assert secret not in request.body.decode()

    play(tmp_path, story)


def test_no_address_reaches_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not when it works, not when it fails, though every library may speak as loud as it can."""
    caplog.set_level(logging.DEBUG)

    async def story(ward: Ward) -> None:
        now = ward.world.clock.now()
        with receiver() as chat:
            chat.statuses = [500, 200, 500, 403]
            url = chat.base.replace("http://", "json://") + f"/{TOKEN}"
            form, address = addresses.checked("dingtalk", url, by_person=False, localhost=False)
            ward.desk.contacts.set("chen", "dingtalk", form, address, now=now, by_person=False)
            ward.webhook("chen", "sms", f"{chat.base}/{TOKEN}", to="13800009999")
            ward.webhook("chen", "phone", f"http://127.0.0.1:1/{TOKEN}")
            case_id, alert_id = await ward.alert()
            for channel in ("dingtalk", "sms", "phone"):
                await ward.ring(case_id, alert_id, "chen", channel)
            for pause_s in (0, 2, 5, 10, 20, 40):
                ward.world.pass_time(pause_s)
                await ward.deliver()
        log = ward.desk.log.read()
        assert TOKEN not in repr(log) and "13800009999" not in repr(log)
        assert TOKEN not in repr(ward.rows()) and "13800009999" not in repr(ward.rows())

    play(tmp_path, story)
    said = caplog.text + capsys.readouterr().out

    assert TOKEN not in said and "13800009999" not in said


def test_a_library_that_hangs_keeps_its_own_threads_alone() -> None:
    """Its callers go on after their time, and the next ones hear at once that it is busy."""
    ended = threading.Event()

    async def story() -> None:
        threads = OwnThreads(2, "test")
        for _ in range(2):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await threads.run(ended.wait)
        with pytest.raises(Busy):
            await threads.run(ended.wait)
        assert await asyncio.to_thread(lambda: 7) == 7, "the service's own pool is free"
        ended.set()
        until_s = time.monotonic() + 30
        while time.monotonic() < until_s:
            try:
                assert await threads.run(lambda: 8) == 8
                return
            except Busy:
                await asyncio.sleep(0.01)
        raise AssertionError("the threads never came back")

    asyncio.run(story())


@pytest.mark.parametrize(
    ("channel", "url"),
    [
        ("sms", "http://gateway.example/x"),
        ("sms", "https://user:pass@gateway.example/x"),
        ("sms", "https://"),
        ("sms", "file:///etc/passwd"),
        ("sms", "dingtalk://abcdefgh"),
        ("dingtalk", "https://gateway.example/x"),
        ("dingtalk", "json://10.0.0.1/x"),
        ("email", "mailto://a:b@example.org"),
        ("live", "https://gateway.example"),
        ("webpush", "https://push.example"),
        ("pigeon", "https://gateway.example"),
        ("phone", ""),
        ("phone", "https://gateway.example/" + "x" * 3000),
    ],
)
def test_what_a_person_may_not_enter(channel: str, url: str) -> None:
    """A sentence in both languages, which never repeats what was entered."""
    with pytest.raises(BadAddress) as refused:
        addresses.checked(channel, url, by_person=True, localhost=False)

    assert "expected" in refused.value.en and "应为" in refused.value.zh
    assert not url or url not in refused.value.en + refused.value.zh


@pytest.mark.parametrize(
    "url", ["syslog://", "dbus://", "windows://", "gnome://", "nothing-known://x", "just words"]
)
def test_nobody_enters_what_is_of_this_machine(url: str) -> None:
    """Not even an administrator: an alert in a log file wakes nobody."""
    with pytest.raises(BadAddress):
        addresses.checked("dingtalk", url, by_person=False, localhost=True)


def test_what_a_person_may_enter() -> None:
    """Their own chat's robot, and a gateway over TLS, which is given a secret."""
    form, address = addresses.checked("dingtalk", f"dingtalk://{'a' * 64}", by_person=True, localhost=False)
    assert (form, address.secret) == ("dingtalk", None)
    form, address = addresses.checked("phone", "https://gateway.example/x", by_person=True, localhost=False)
    assert form == "webhook" and address.secret is not None and address.secret.startswith("whsec_")


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "10.1.2.3", "192.168.0.9", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]", "0.0.0.0"],
)
def test_an_address_of_a_person_leads_into_no_private_network(host: str) -> None:
    """The metadata server of a cloud, the hospital's own machines: refused before a byte is sent."""

    async def story() -> Any:
        web = Outgoing(loopback=False)
        try:
            return await web.post(f"https://{host}/x", {}, b"{}", private=False, timeout_s=5.0)
        finally:
            await web.close()

    assert asyncio.run(story()) == Refused(reason="unsafe_address")


def test_a_name_that_leads_inside_is_refused_as_well() -> None:
    """It is the address that counts, not what it is called."""

    async def story() -> Any:
        web = Outgoing(loopback=False)
        try:
            return await web.post("http://localhost:1/x", {}, b"{}", private=False, timeout_s=5.0)
        finally:
            await web.close()

    assert asyncio.run(story()) == Refused(reason="unsafe_address")


def test_an_unreachable_server_is_worth_another_attempt() -> None:
    """Nobody listens: that may change."""

    async def story() -> Any:
        web = Outgoing(loopback=True)
        try:
            return await web.post("http://127.0.0.1:1/x", {}, b"{}", private=True, timeout_s=5.0)
        finally:
            await web.close()

    assert asyncio.run(story()) == Failed(reason="network")


def test_what_apprise_cannot_read_is_none() -> None:
    """And raises nothing."""
    assert by_apprise.opened("dingtalk://") is None
    assert by_apprise.opened("") is None
