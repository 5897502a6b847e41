"""Administration in a real browser: a device is paired by the code on the screen, a person comes in by invitation."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.admin_county import with_admin
from tests.browser.people import SOON_MS, People, width_beyond
from tests.served import served
from tests.service.viewer_house import ecg_file

pytestmark = pytest.mark.browser


@pytest.fixture
def people(browser: Browser, tmp_path: Path) -> Iterator[People]:
    """As everywhere, and an administrator."""
    with served(tmp_path / "county", settle=with_admin, contacts_localhost="true") as county:
        yield People(browser=browser, county=county)


PARTS = ("sites", "devices", "users", "channels", "rules", "quarantine", "changes")


def test_a_site_and_its_device_are_entered_and_the_device_sends(people: People, tmp_path: Path) -> None:
    """From an empty form to an ECG on the service: site, device, code, token file, and the page says it is paired."""
    admin = people.enter("admin")
    admin.get_by_test_id("admin-link").click()
    admin.get_by_test_id("admin-sites").click()
    admin.get_by_test_id("site-add").click(timeout=SOON_MS)
    for field, text in (
        ("id", "dongcun"),
        ("zh", "东村卫生室"),
        ("en", "East Village"),
        ("town", "东村镇"),
        ("phone", "0000-5005"),
        ("fallback", "0000-120"),
        ("km", "41.5"),
    ):
        admin.get_by_test_id(f"site-{field}").fill(text)
    admin.get_by_test_id("site-save").click()
    expect(admin.get_by_test_id("site-dongcun")).to_contain_text("0000-5005", timeout=SOON_MS)

    admin.get_by_test_id("admin-devices").click()
    admin.get_by_test_id("device-add").click(timeout=SOON_MS)
    admin.get_by_test_id("device-id").fill("ecg-dongcun")
    admin.get_by_test_id("device-name").fill("12导心电图机")
    admin.get_by_test_id("device-site").select_option("dongcun")
    admin.get_by_test_id("device-save").click()
    expect(admin.get_by_test_id("once-digits")).to_have_text(re.compile(r"^\d{4} \d{4}$"), timeout=SOON_MS)
    expect(admin.locator(".qr")).to_be_visible()
    code = (admin.get_by_test_id("once-digits").text_content() or "").replace(" ", "")

    phone = people.browser.new_page(viewport={"width": 360, "height": 740}, base_url=people.county.base)
    phone.goto(f"/pair#{code}")
    expect(phone.get_by_test_id("pair-code")).to_have_value(f"{code[:4]} {code[4:]}", timeout=SOON_MS)
    assert width_beyond(phone) <= 0
    phone.get_by_test_id("pair-send").click()
    expect(phone.get_by_test_id("pair-got")).to_contain_text("东村卫生室", timeout=SOON_MS)
    with phone.expect_download() as saving:
        phone.get_by_test_id("pair-save").click()
    saving.value.save_as(tmp_path / "token.txt")
    token = (tmp_path / "token.txt").read_text().strip()
    sent = httpx.post(
        f"{people.county.base}/api/v1/ecgs",
        content=ecg_file(seed=3),
        headers={"Authorization": f"Bearer {token}"},
        trust_env=False,
    )
    assert sent.status_code == 201, sent.text
    expect(admin.get_by_test_id("pair-done")).to_be_visible(timeout=SOON_MS)

    phone.goto("about:blank")
    phone.goto(f"/pair#{code}")
    phone.get_by_test_id("pair-send").click(timeout=SOON_MS)
    expect(phone.get_by_test_id("trouble")).to_contain_text("已经用过", timeout=SOON_MS)

    admin.get_by_test_id("device-revoke-ecg-dongcun").click()
    expect(admin.get_by_test_id("device-revoke-ecg-dongcun-sure")).to_be_disabled()
    admin.get_by_test_id("device-revoke-ecg-dongcun-reason").fill("机器送修")
    admin.get_by_test_id("device-revoke-ecg-dongcun-sure").click()
    expect(admin.get_by_test_id("device-ecg-dongcun")).to_contain_text("已吊销", timeout=SOON_MS)
    admin.get_by_test_id("admin-changes").click()
    expect(admin.get_by_test_id("admin-change").first).to_contain_text("机器送修", timeout=SOON_MS)
    expect(admin.get_by_test_id("admin-change").first).to_contain_text("管理员")
    assert people.errors == []


def test_a_list_of_critical_values_is_chosen_for_a_site(people: People) -> None:
    """Said as saved, shown with its version, and written down."""
    admin = people.enter("admin")
    admin.goto("/admin/rules")
    row = admin.get_by_test_id("rules-yinzhao")
    before = row.get_by_role("link").text_content(timeout=SOON_MS) or ""
    admin.get_by_test_id("list-yinzhao").select_option("shanxi")
    expect(row.get_by_role("status")).to_contain_text("已保存", timeout=SOON_MS)
    expect(row.get_by_role("link")).to_have_text(f"{before}+shanxi", timeout=SOON_MS)
    admin.get_by_test_id("admin-changes").click()
    expect(admin.get_by_test_id("admin-change").first).to_contain_text("yinzhao: shanxi", timeout=SOON_MS)
    admin.goto("/admin/rules")
    admin.get_by_test_id("list-yinzhao").select_option("")
    expect(row.get_by_role("link")).to_have_text(before, timeout=SOON_MS)
    assert people.errors == []


def test_a_person_comes_in_by_invitation_and_is_put_out_again(people: People) -> None:
    """The password is the person's own; disabled, the open page is at the login within seconds."""
    admin = people.enter("admin")
    admin.goto("/admin/users")
    admin.get_by_test_id("user-add").click(timeout=SOON_MS)
    admin.get_by_test_id("user-id").fill("zhou")
    admin.get_by_test_id("user-name").fill("周医生")
    admin.get_by_test_id("user-role").select_option("clinic")
    expect(admin.get_by_test_id("user-save")).to_be_disabled()
    admin.get_by_test_id("user-site-jishi").check()
    admin.get_by_test_id("user-save").click()
    expect(admin.get_by_test_id("once-digits")).to_have_text(re.compile(r"^(\d{4} ?){3}$"), timeout=SOON_MS)
    code = (admin.get_by_test_id("once-digits").text_content() or "").replace(" ", "")

    context = people.browser.new_context(
        viewport={"width": 360, "height": 740}, base_url=people.county.base, locale="zh-CN"
    )
    person = context.new_page()
    person.goto("/login")
    person.get_by_test_id("join-link").click(timeout=SOON_MS)
    person.get_by_test_id("join-code").fill(code)
    person.get_by_test_id("join-next").click()
    expect(person.get_by_test_id("join-user")).to_contain_text("zhou", timeout=SOON_MS)
    person.get_by_test_id("join-password").fill("a long password")
    person.get_by_test_id("join-again").fill("another password")
    expect(person.get_by_test_id("join-send")).to_be_disabled()
    person.get_by_test_id("join-again").fill("a long password")
    person.on("pageerror", lambda error: people.errors.append(str(error)))
    person.route(
        "**/api/v1/session", lambda route: route.abort()
    )  # the line breaks after the password was set
    person.get_by_test_id("join-send").click()
    expect(person.get_by_test_id("join-done")).to_contain_text("密码已设置", timeout=SOON_MS)
    expect(person.get_by_test_id("trouble")).to_be_visible()
    person.unroute("**/api/v1/session")
    person.get_by_test_id("join-send").click()
    expect(person.get_by_test_id("clinic-link")).to_be_visible(timeout=SOON_MS)
    expect(person.get_by_test_id("connection")).to_contain_text("●", timeout=SOON_MS)

    admin.get_by_test_id("user-disable-zhou").click()
    admin.get_by_test_id("user-disable-zhou-reason").fill("调离")
    admin.get_by_test_id("user-disable-zhou-sure").click()
    expect(person.get_by_test_id("sign-in")).to_be_visible(timeout=SOON_MS)

    admin.get_by_test_id("user-disable-admin").click()
    admin.get_by_test_id("user-disable-admin-reason").fill("试试")
    admin.get_by_test_id("user-disable-admin-sure").click()
    expect(admin.get_by_test_id("trouble")).to_contain_text("最后一位管理员", timeout=SOON_MS)
    assert people.errors == []


def test_every_page_of_administration_fits_a_phone_in_both_languages(people: People) -> None:
    """And is not offered to others."""
    admin = people.enter("admin", phone=True)
    for part in PARTS:
        admin.goto(f"/admin/{part}")
        expect(admin.locator("main h2").first).to_be_visible(timeout=SOON_MS)
        expect(admin.get_by_test_id(f"admin-{part}")).to_have_attribute("aria-current", "page")
        for _ in range(2):
            assert width_beyond(admin) <= 0, part
            admin.get_by_test_id("lang").click()
    doctor = people.enter("chen")
    expect(doctor.get_by_test_id("admin-link")).to_have_count(0)
    doctor.goto("/admin/users")
    expect(doctor.locator("main").get_by_role("alert")).to_contain_text("管理员", timeout=SOON_MS)
    assert people.errors == []
