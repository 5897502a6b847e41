"""One's own addresses in a real browser; and the page's worker, handed a message as by a push service."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import SOON_MS, People, width_beyond
from tests.receiver import receiver
from tests.service.test_web_push import Browser, b64

pytestmark = pytest.mark.browser


def test_an_address_is_entered_tested_paused_and_removed(people: People) -> None:
    """Its secret is shown once, its test has an outcome, and what was typed is never shown again."""
    with receiver() as gateway:
        doctor = people.enter("chen", phone=True)
        doctor.get_by_test_id("contacts-link").click()
        doctor.get_by_test_id("contact-channel").select_option("sms")
        doctor.get_by_test_id("contact-address").fill(f"{gateway.base}/t0ken")
        doctor.get_by_test_id("contact-number").fill("13800009999")
        doctor.get_by_test_id("contact-save").click()
        expect(doctor.get_by_test_id("contact-secret")).to_contain_text("whsec_", timeout=SOON_MS)
        expect(doctor.get_by_test_id("contact-sms")).to_contain_text("本人录入")

        doctor.get_by_test_id("duty-listen").click()
        doctor.get_by_test_id("duty-heard").click(timeout=SOON_MS)
        expect(doctor.get_by_test_id("channel-sms")).to_have_attribute("data-state", "works", timeout=SOON_MS)
        assert [one.json["data"]["to"] for one in gateway.requests] == ["13800009999"]
    doctor.reload()
    expect(doctor.get_by_test_id("contact-sms")).to_be_visible(timeout=SOON_MS)
    assert "t0ken" not in doctor.content() and "whsec_" not in doctor.content()
    doctor.get_by_test_id("contact-stop-sms").click()
    expect(doctor.get_by_test_id("contact-sms")).to_contain_text("已停用", timeout=SOON_MS)
    for _ in range(2):
        assert width_beyond(doctor) <= 0
        doctor.get_by_test_id("lang").click()
    doctor.get_by_test_id("contact-remove-sms").click()
    expect(doctor.get_by_test_id("contact-remove-sms")).to_have_text("确定删除")
    doctor.get_by_test_id("contact-remove-sms").click()
    expect(doctor.get_by_test_id("contact-sms")).to_have_count(0, timeout=SOON_MS)
    assert people.ask("chen", "GET", "/me/contacts")["contacts"] == []
    assert people.errors == []


def test_an_address_that_cannot_be_taken_says_what_is_expected(people: People) -> None:
    """In the reader's language, and nothing is lost of what was typed."""
    doctor = people.enter("chen")
    doctor.goto("/contacts")
    doctor.get_by_test_id("contact-channel").select_option("sms")
    doctor.get_by_test_id("contact-address").fill("ftp://gateway.example/x")
    doctor.get_by_test_id("contact-save").click()
    expect(doctor.get_by_test_id("trouble")).to_contain_text("https://", timeout=SOON_MS)
    expect(doctor.get_by_test_id("contact-address")).to_have_value("ftp://gateway.example/x")
    assert people.errors == []


def shown(page: Page) -> list[dict[str, Any]]:
    """The notifications that stand on the person's desk."""
    found: list[dict[str, Any]] = page.evaluate(
        """async () => {
            const registration = await navigator.serviceWorker.ready;
            const all = await registration.getNotifications();
            return all.map((one) => ({ title: one.title, body: one.body, tag: one.tag, silent: one.silent }));
        }"""
    )
    return found


def test_a_push_message_is_shown_told_and_put_away(people: People) -> None:
    """The worker at the root shows an alert without names; the service hears of it, and its end closes it."""
    push = Browser.new()
    with receiver() as service:
        keys = {"p256dh": push.p256dh, "auth": b64(push.auth)}
        body = {"endpoint": f"{service.base}/push/1", "keys": keys}
        people.ask("chen", "POST", "/me/contacts/webpush", body)
        doctor = people.enter("chen", permissions=["notifications"])
        registered = doctor.evaluate(
            """async () => {
                await navigator.serviceWorker.register("/sw.js", { scope: "/" });
                return (await navigator.serviceWorker.ready).scope;
            }"""
        )
        assert registered == f"{people.county.base}/"
        line = doctor.context.new_cdp_session(doctor)
        versions: list[dict[str, Any]] = []
        line.on(
            "ServiceWorker.workerRegistrationUpdated",
            lambda event: versions.extend(event["registrations"]),
        )
        line.send("ServiceWorker.enable")
        doctor.wait_for_timeout(200)
        registration = versions[-1]["registrationId"]

        def bring(number: int) -> dict[str, Any]:
            """Hand the browser what came for it, as a push service does."""
            service.wait_for(number)
            message = push.read(service.requests[number - 1])
            line.send(
                "ServiceWorker.deliverPushMessage",
                {
                    "origin": people.county.base,
                    "registrationId": registration,
                    "data": json.dumps(message, ensure_ascii=False),
                },
            )
            return message

        case_id = people.infarction(name="张三丰")
        message = bring(1)
        for _ in range(100):
            if shown(doctor):
                break
            doctor.wait_for_timeout(50)
        (notification,) = shown(doctor)
        assert notification["title"] == message["title"] and "ACT" in notification["title"]
        assert notification["tag"] == message["tag"] and not notification["silent"]
        assert "张三丰" not in json.dumps(notification, ensure_ascii=False)

        def delivered() -> bool:
            people_called = people.ask("chen", "GET", f"/cases/{case_id}")["alert"]["people"]
            return any(
                one["channel"] == "webpush" and one["delivered_at"] is not None for one in people_called
            )

        for _ in range(100):
            if delivered():
                break
            doctor.wait_for_timeout(50)
        assert delivered(), "the worker says that it has shown the message"

        doctor.get_by_test_id("ack").first.click()
        assert bring(2)["close"] is True
        for _ in range(200):
            if not shown(doctor):
                break
            doctor.wait_for_timeout(50)
        assert shown(doctor) == []
    assert people.errors == []
