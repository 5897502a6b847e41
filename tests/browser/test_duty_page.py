"""Going on duty in a real browser: the tone, the question, and what each channel's test brought."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.people import SOON_MS, People, width_beyond
from tests.receiver import receiver

pytestmark = pytest.mark.browser

# What the page plays, counted: a test cannot listen.
COUNT_TONES = """() => {
    window.tones = 0;
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (...when) { window.tones += 1; return start.apply(this, when); };
}"""


def test_a_shift_begins_with_a_tone_and_a_test_on_each_channel(people: People) -> None:
    """The alarm sounds, the person has heard it, and each outcome comes to the page with its reason."""
    with receiver() as good, receiver() as bad:
        bad.statuses = [403]
        for channel, gateway in (("sms", good), ("phone", bad)):
            people.ask("chen", "PUT", f"/me/contacts/{channel}", {"address": f"{gateway.base}/x"})
        doctor = people.enter("chen")
        doctor.evaluate(COUNT_TONES)
        panel = doctor.get_by_test_id("duty-panel")
        expect(panel).to_contain_text(
            re.compile("[一二]线"), timeout=SOON_MS
        )  # by day the first, by night the second
        doctor.get_by_test_id("duty-listen").click()
        expect(doctor.get_by_test_id("duty-heard")).to_be_visible(timeout=SOON_MS)
        assert doctor.evaluate("window.tones") >= 10, "the alarm has ten pulses"

        doctor.get_by_test_id("duty-heard").click()
        expect(doctor.get_by_test_id("duty-begun")).to_be_visible(timeout=SOON_MS)
        expect(doctor.get_by_test_id("channel-sms")).to_have_attribute("data-state", "works", timeout=SOON_MS)
        phone = doctor.get_by_test_id("channel-phone")
        expect(phone).to_have_attribute("data-state", "failed", timeout=SOON_MS)
        expect(phone).to_contain_text("对方拒绝接收")
        expect(doctor.get_by_test_id("reach")).to_contain_text("预警能通知到您")
        assert [one.json["type"] for one in good.requests] == ["test"]
    known = people.ask("chen", "GET", "/duty/channels")
    assert known["duty"]["sound"] is True and known["reachable"] is True
    assert people.errors == []


def test_a_board_without_sound_says_so_on_every_page(people: People) -> None:
    """On a phone, in both languages, until it sounds; a shift begun without sound and channel says that too."""
    doctor = people.enter("chen", phone=True)
    people.ask("chen", "POST", "/duty/start", {"sound": False})
    doctor.get_by_test_id("sound").click()
    for path in ("/", "/tasks", "/rules"):
        doctor.goto(path)
        expect(doctor.get_by_test_id("sound-bar")).to_contain_text("声音已关", timeout=SOON_MS)
        assert width_beyond(doctor) <= 0
    doctor.goto("/")
    expect(doctor.get_by_test_id("duty-no-sound")).to_have_text("⚠ 声音未开启", timeout=SOON_MS)
    expect(doctor.get_by_test_id("reach")).to_contain_text("联系不上")
    doctor.get_by_test_id("lang").click()
    expect(doctor.get_by_test_id("reach")).to_contain_text("Not reachable")
    assert width_beyond(doctor) <= 0
    doctor.get_by_test_id("sound-bar").get_by_role("button").click()
    expect(doctor.get_by_test_id("sound-bar")).to_be_hidden(timeout=SOON_MS)
    assert people.errors == []
