"""Around a study: whose page took its ring, asking for images, sharing, and what was refused; in a real browser."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from greenchannel.county import cast
from greenchannel.store.accounts import Accounts
from tests.browser.image_files import stow
from tests.browser.people import SOON_MS, People, width_beyond
from tests.browser.test_every_page import CHOOSE
from tests.imaging_files import ROOT_UID, ct
from tests.served import served

pytestmark = [pytest.mark.browser]

STUDY = f"{ROOT_UID}.1"


def everybody(accounts: Accounts, now: datetime) -> dict[str, str]:
    """The demo's people, a radiologist and an administrator, each place of the roster held for a day."""
    tokens = cast.settle(accounts, now, (*cast.USERS, cast.RADIOLOGIST, cast.ADMIN))
    for role, person in (("first", "chen"), ("second", "lin"), ("head", "zhao")):
        accounts.add_shift(f"test-{role}", role, person, now, now + timedelta(days=1))
    return tokens


@pytest.fixture
def people(browser: Browser, tmp_path: Path) -> Iterator[People]:
    """The people of a county whose hospital has a radiologist."""
    with served(
        tmp_path / "county",
        settle=everybody,
        contacts_localhost="true",
        delivery_poll_s=0.05,
        image_quiet_s=0.5,
    ) as county:
        yield People(browser=browser, county=county)


def test_an_open_page_takes_the_ring_and_the_study_page_says_so(people: People) -> None:
    """It comes over the line within seconds, and who was called is said with whether a page of theirs had it."""
    reader = people.enter("rad")
    expect(reader.get_by_test_id("imaging-page")).to_be_visible(timeout=SOON_MS)
    people.infarction(patient_ref="P1")
    stow(people, [ct(1, size=64, RequestedProcedurePriority="STAT")])
    expect(reader.get_by_test_id("image-call")).to_be_visible(
        timeout=5_000
    )  # a poll alone would take a minute
    expect(reader.get_by_test_id(f"work-{STUDY}")).to_be_visible(timeout=5_000)
    reader.wait_for_timeout(500)
    rung = people.ask("chen", "GET", f"/imaging/studies/{STUDY}")["reading"]["rung"]
    assert {one["person"]["person"]: one["arrived"] for one in rung if one["channel"] == "live"}[
        "rad"
    ] is True
    reader.get_by_test_id(f"work-{STUDY}").locator("a").click()
    reader.get_by_test_id("study-rung").locator("summary").click()
    expect(reader.get_by_test_id("study-rung")).to_contain_text("已送达")
    reader.evaluate(CHOOSE, ["dark", "en"])
    expect(reader.get_by_test_id("study-rung")).to_contain_text("delivered")
    assert width_beyond(reader) == 0
    reader.set_viewport_size({"width": 390, "height": 844})
    reader.goto("/imaging")
    link = reader.get_by_test_id("image-call").locator("a")
    expect(link).to_be_visible(timeout=SOON_MS)
    assert (link.bounding_box() or {"height": 0})["height"] >= 44
    assert people.errors == []


def test_images_are_asked_for_on_the_case_listed_and_taken_back(people: People) -> None:
    """On a phone, in both languages; the study is then shared with another site."""
    case_id = people.infarction(patient_ref="P1")
    stow(people, [ct(1, size=64)])
    clinic = people.enter("wang", phone=True)
    clinic.goto(f"/case/{case_id}")
    asking = clinic.get_by_test_id("order-images")
    asking.locator("summary").click()
    asking.get_by_test_id("order-part").select_option("CHEST")
    asking.get_by_test_id("order-ref").fill("P1")
    asking.get_by_test_id("order-reason").fill("胸痛待查")
    asking.get_by_test_id("order-send").click()
    expect(clinic.get_by_test_id("order-made")).to_contain_text("GC", timeout=SOON_MS)
    assert width_beyond(clinic) == 0

    clinic.goto("/imaging?lang=en")
    clinic.get_by_test_id("orders").locator("summary").click()
    line = clinic.get_by_test_id("orders").locator("li")
    expect(line).to_contain_text("胸痛待查", timeout=SOON_MS)
    line.get_by_role("button").click()
    line.locator("input").fill("transferred")
    line.locator("form .act").first.click()
    expect(line).to_contain_text("–", timeout=SOON_MS)
    assert width_beyond(clinic) == 0

    clinic.goto(f"/study/{STUDY}")
    clinic.get_by_test_id("share").locator("summary").click()
    clinic.get_by_test_id("share-site").select_option(index=1)
    clinic.get_by_test_id("share-act").click()
    clinic.get_by_test_id("share-act-reason").fill("transfer")
    clinic.get_by_test_id("share-act-sure").click()
    expect(clinic.get_by_test_id("shared-with")).to_be_visible(timeout=SOON_MS)
    clinic.get_by_test_id("sent-on").locator("summary").click()
    expect(clinic.get_by_test_id("sent-on").locator("p.muted")).to_be_visible(timeout=SOON_MS)
    assert width_beyond(clinic) == 0
    assert people.errors == []


def test_a_refused_image_is_seen_in_quarantine_with_what_can_be_done(people: People) -> None:
    """Its picture, its study's case, the advice; whose it says that it is, on a reason."""
    stow(people, [ct(1, size=64)])
    stow(people, [ct(2, size=64, patient_id="P2")], refused=True)
    admin = people.enter("admin")
    admin.goto("/admin/quarantine")
    expect(admin.get_by_test_id("file-advice")).to_contain_text("另一位患者", timeout=SOON_MS)
    admin.get_by_test_id("quarantined").locator("summary").click()
    shown = admin.get_by_test_id("quarantined-image")
    expect(shown.get_by_test_id("study-here")).to_be_visible(timeout=SOON_MS)
    picture = shown.locator("img")
    admin.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=picture.element_handle())
    shown.get_by_role("button").click()
    shown.locator("input").fill("核对")
    shown.locator("form .act").first.click()
    expect(shown.get_by_test_id("image-patient")).to_contain_text("P2", timeout=SOON_MS)
    for path in ("/admin/forwards", "/detectors"):
        admin.goto(path)
        expect(admin.locator("main h2").first).to_be_visible(timeout=SOON_MS)
    assert people.errors == []
