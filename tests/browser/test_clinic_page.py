"""A village doctor's phone: an ECG and four fields, with a network and without one; what comes back of it."""

import re
from collections.abc import Sequence
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, FilePayload, Locator, Page, expect

from greenchannel.ingest.wfdb_write import write_wfdb_zip
from tests.browser.line import Line
from tests.browser.people import PHONE, SOON_MS, People, password, width_beyond
from tests.browser.test_duty_page import COUNT_TONES
from tests.desk_world import dicom
from tests.service.viewer_house import beats, ecg_file

pytestmark = pytest.mark.browser

NAME = "张三丰"
# What of patients is left in the browser's own store.
LEFT_HERE = """() => new Promise((done) => {
    const request = indexedDB.open("greenchannel-outbox");
    request.onsuccess = () => {
        const base = request.result;
        if (!base.objectStoreNames.contains("waiting")) return done(0);
        const count = base.transaction("waiting").objectStore("waiting").count();
        count.onsuccess = () => { base.close(); done(count.result); };
    };
})"""


def file(seed: int = 1, *, name: str = "", content: bytes | None = None) -> FilePayload:
    """An ECG with an infarction, as a file that somebody chooses."""
    return {
        "name": name or f"ecg{seed}.zip",
        "mimeType": "application/octet-stream",
        "buffer": ecg_file(st_mv=0.4, seed=seed) if content is None else content,
    }


def enter_patient(page: Page, files: Sequence[FilePayload], **fields: str) -> None:
    """A file and what is known of the patient; then the one big button."""
    another = page.get_by_test_id("send-another")
    form = page.get_by_test_id("send-form")
    expect(form.or_(another).first).to_be_visible(timeout=SOON_MS)
    if not form.is_visible():
        another.click()
    page.get_by_test_id("send-file").set_input_files(files)
    page.get_by_test_id("send-age").fill(fields.get("age", "61"))
    page.get_by_test_id("send-sex-male").check(force=True)
    page.get_by_test_id("send-chest_pain-yes").check(force=True)
    page.get_by_test_id("send-onset-30").check(force=True)
    if "name" in fields:
        page.locator("summary").filter(has_text=re.compile("姓名")).click()
        page.get_by_test_id("send-name").fill(fields["name"])
    page.get_by_test_id("send").click()


def cases(people: People) -> list[dict[str, Any]]:
    """All that the service has."""
    found: list[dict[str, Any]] = people.ask("chen", "GET", "/cases")["cases"]
    return found


def opens_without_network(page: Page) -> None:
    """Wait until this browser has kept the page."""
    page.wait_for_function("() => navigator.serviceWorker.controller !== null", timeout=SOON_MS)


def nothing_is_left(page: Page) -> None:
    """The case may be on the page before the answer is: then what is confirmed is removed."""
    page.wait_for_function(f"async () => (await ({LEFT_HERE})()) === 0", timeout=SOON_MS)


def sign_in(page: Page, user: str) -> None:
    """On the login page that is shown."""
    page.locator("input[name=user]").fill(user)
    page.locator("input[name=password]").fill(password(user))
    page.get_by_test_id("sign-in").click()
    expect(page.get_by_test_id("connection")).to_contain_text("●", timeout=SOON_MS)


def over(line: Line, people: People) -> tuple[BrowserContext, Page]:
    """The village doctor behind a line that a test may spoil."""
    context = people.browser.new_context(viewport=PHONE, locale="zh-CN", base_url=line.base)  # type: ignore[arg-type]
    page = context.new_page()
    page.on("pageerror", lambda error: people.errors.append(str(error)))
    page.goto("/login")
    sign_in(page, "wang")
    return context, page


def card(page: Page) -> Locator:
    """The case that stands large."""
    return page.locator(".clinic-card").first


def test_what_is_entered_without_a_network_arrives_once_also_after_the_page_was_closed(
    people: People,
) -> None:
    """Two patients are kept and counted; the page opens without a network; with one both arrive, nothing stays here."""
    clinic = people.enter("wang", phone=True)
    opens_without_network(clinic)
    context = clinic.context
    context.set_offline(True)
    enter_patient(clinic, [file(1)], name=NAME)
    waiting = clinic.get_by_test_id("waiting")
    expect(waiting).to_contain_text("已保存,联网后自动发送 (1)", timeout=SOON_MS)
    expect(clinic.get_by_test_id("send-state")).to_contain_text("还没有送达")
    enter_patient(clinic, [file(2)], age="74")
    expect(waiting).to_contain_text("(2)", timeout=SOON_MS)
    assert width_beyond(clinic) <= 0
    clinic.close()

    again = context.new_page()
    again.on("pageerror", lambda error: people.errors.append(str(error)))
    again.goto("/clinic")
    expect(again.get_by_test_id("waiting")).to_contain_text("(2)", timeout=SOON_MS)
    expect(again.get_by_test_id("offline-cases")).to_contain_text("没有网络")
    expect(again.get_by_test_id("call-doctor").first).to_have_attribute("href", "tel:0000-120")
    assert cases(people) == []

    context.set_offline(False)
    expect(again.get_by_test_id("waiting")).to_have_count(0, timeout=SOON_MS)
    expect(card(again)).to_be_visible(timeout=SOON_MS)
    assert sorted(case["patient"]["age_years"] for case in cases(people)) == [61, 74]
    nothing_is_left(again)
    assert people.errors == []


@pytest.mark.parametrize("large", [False, True], ids=["at once", "in pieces"])
def test_an_answer_that_is_lost_after_the_service_had_it_makes_no_second_case(
    people: People, large: bool
) -> None:
    """The connection dies between the commit and the answer: it is not called sent, and sent again it is the same."""
    content = ecg_file(st_mv=0.4, seed=3)
    if not large:  # at 200 samples a second it is below the size from which a file goes in pieces
        thin = beats(st_mv=0.4, seed=3, rate_hz=200.0)
        content = write_wfdb_zip(thin, lsb_mv=0.0025, age_years=61.0, sex="male", acquired=None)
    with Line(people.county.port) as line:
        _, clinic = over(line, people)
        line.lose_answer_to("PATCH /api/v1/uploads/" if large else "POST /api/v1/ecgs ")
        enter_patient(clinic, [file(3, content=content)])
        expect(card(clinic).get_by_test_id("state-received")).to_contain_text("✓", timeout=SOON_MS)
        expect(clinic.get_by_test_id("waiting")).to_have_count(0, timeout=SOON_MS)
        assert line.lost == 1
        nothing_is_left(clinic)
    (case,) = cases(people)
    assert len(case["ecgs"]) == 1
    assert people.errors == []


def test_a_file_that_was_sent_before_is_never_shown_as_another_patient_s_success(people: People) -> None:
    """The page says when and as whom it was sent, and that the new patient's ECG was not; with the right file it is."""
    clinic = people.enter("wang", phone=True)
    enter_patient(clinic, [file(11)], age="44")
    # The case may be there before its sending is over.
    expect(clinic.get_by_test_id("send-another")).to_be_visible(timeout=SOON_MS)
    enter_patient(clinic, [file(11)], age="80", name=NAME)
    said = clinic.get_by_test_id("trouble")
    expect(said).to_contain_text("没有发送", timeout=SOON_MS)
    expect(said).to_contain_text(re.compile(r"\d\d:\d\d:\d\d,病人是 男\s44.*男\s80", re.DOTALL))
    expect(clinic.get_by_test_id("send-age")).to_have_value("80")
    clinic.reload()
    refused = clinic.get_by_test_id("refused-one")
    expect(refused).to_contain_text("没有发送", timeout=SOON_MS)
    assert width_beyond(clinic) <= 0
    refused.get_by_test_id("refused-fix").click()
    expect(clinic.get_by_test_id("send-name")).to_have_value(NAME)
    clinic.get_by_test_id("send-file").set_input_files([file(12)])
    clinic.get_by_test_id("send").click()
    expect(clinic.get_by_test_id("refused")).to_have_count(0, timeout=SOON_MS)
    nothing_is_left(clinic)
    assert sorted(case["patient"]["age_years"] for case in cases(people)) == [44, 80]
    assert people.errors == []


def test_a_wrong_file_is_refused_in_words_and_kept_to_be_put_right(people: People) -> None:
    """What was entered survives the refusal and a reload; with the right file it goes out, and the refusal is gone."""
    clinic = people.enter("wang", phone=True)
    enter_patient(clinic, [file(name="报告.txt", content=b"no ECG at all, but a letter " * 40)], name=NAME)
    said = clinic.get_by_test_id("send-state")
    expect(said).to_contain_text("没有送达", timeout=SOON_MS)
    expect(clinic.get_by_test_id("trouble")).to_contain_text("读不出心电图")
    expect(clinic.get_by_test_id("send-chosen")).to_contain_text("报告.txt")
    clinic.reload()
    refused = clinic.get_by_test_id("refused-one")
    expect(refused).to_contain_text("报告.txt", timeout=SOON_MS)
    expect(refused).to_contain_text("读不出心电图")
    assert width_beyond(clinic) <= 0
    refused.get_by_test_id("refused-fix").click()
    expect(clinic.get_by_test_id("send-age")).to_have_value("61")
    expect(clinic.get_by_test_id("send-name")).to_have_value(NAME)
    clinic.get_by_test_id("send-file").set_input_files([file(4)])
    clinic.get_by_test_id("send").click()
    expect(card(clinic)).to_be_visible(timeout=SOON_MS)
    expect(clinic.get_by_test_id("refused")).to_have_count(0)
    nothing_is_left(clinic)
    assert len(cases(people)) == 1
    assert people.errors == []


def test_a_field_beside_an_ecg_costs_nothing_and_is_marked_where_it_cannot_be(people: People) -> None:
    """A telephone with words goes out; an age that is none is named, marked and has the focus, before anything goes."""
    clinic = people.enter("wang", phone=True)
    enter_patient(clinic, [file(21)], age="200")
    expect(clinic.get_by_test_id("send-state")).to_contain_text("年龄", timeout=SOON_MS)
    expect(clinic.get_by_test_id("send-age")).to_be_focused()
    expect(clinic.get_by_test_id("send-age")).to_have_attribute("aria-invalid", "true")
    clinic.get_by_test_id("send-age").fill("70")
    expect(clinic.get_by_test_id("fault-age")).to_have_count(0)
    clinic.locator("summary").filter(has_text=re.compile("姓名")).click()
    clinic.get_by_test_id("send-callback").fill("无")
    expect(clinic.get_by_test_id("fault-callback_phone")).to_be_visible()
    clinic.get_by_test_id("send-callback").fill("13800000000(儿子)")
    expect(clinic.get_by_test_id("fault-callback_phone")).to_have_count(0)
    assert width_beyond(clinic) <= 0
    clinic.get_by_test_id("send").click()
    expect(card(clinic)).to_be_visible(timeout=SOON_MS)
    (case,) = cases(people)
    page = people.ask("chen", "GET", f"/cases/{case['case_id']}")
    assert page["identity"]["callback_phone"] == "13800000000(儿子)"
    assert people.errors == []


def test_a_refused_ecg_is_taken_off_its_case_and_sent_as_a_new_patient_s(people: People) -> None:
    """Its case was closed meanwhile: the refusal is in sight, in the form or in the list, and nothing is lost."""
    case_id = people.infarction(seed=22)
    clinic = people.enter("wang", phone=True)
    card(clinic).get_by_test_id("again").first.click(timeout=SOON_MS)
    clinic.get_by_test_id("send-file").set_input_files([file(23)])
    alert = people.ask("chen", "GET", f"/cases/{case_id}")["alert"]["alert_id"]
    people.ask("chen", "POST", f"/alerts/{alert}/ack")
    people.ask("chen", "POST", f"/cases/{case_id}/close", {"reason": "x"})
    clinic.get_by_test_id("send").click()
    as_new = clinic.locator("[data-testid=send-as-new], [data-testid=refused-as-new]").first
    expect(as_new).to_be_in_viewport(timeout=SOON_MS)
    as_new.click()
    clinic.get_by_test_id("send-age").fill("58")
    clinic.get_by_test_id("send").click()
    expect(clinic.get_by_test_id("send-another")).to_be_visible(timeout=SOON_MS)
    nothing_is_left(clinic)
    (case,) = [case for case in cases(people) if case["case_id"] != case_id]
    assert case["patient"]["age_years"] == 58
    assert people.errors == []


def test_what_is_half_filled_in_is_put_away_only_after_a_question(people: People) -> None:
    """And what would be typed while an ECG goes out cannot be typed: it would be lost."""
    people.infarction(seed=24)
    clinic = people.enter("wang", phone=True)
    clinic.get_by_test_id("send-another").click(timeout=SOON_MS)
    clinic.get_by_test_id("send-age").fill("58")
    expect(clinic.get_by_test_id("send-age")).to_have_value("58")
    card(clinic).get_by_test_id("again").first.click()
    expect(clinic.get_by_test_id("half-filled")).to_be_in_viewport()
    clinic.get_by_test_id("half-keep").click()
    expect(clinic.get_by_test_id("send-age")).to_have_value("58")
    card(clinic).get_by_test_id("again").first.click()
    clinic.get_by_test_id("half-drop").click()
    expect(clinic.get_by_test_id("send-form")).not_to_have_attribute("data-case", "")
    clinic.get_by_test_id("send-new").click()
    clinic.get_by_test_id("send-another").click()
    clinic.route("**/api/v1/**", lambda _: None)  # never answered
    clinic.get_by_test_id("send-age").fill("59")
    clinic.get_by_test_id("send-file").set_input_files([file(25)])
    clinic.get_by_test_id("send").click()
    expect(clinic.get_by_test_id("send-age")).to_be_disabled()
    expect(clinic.get_by_test_id("waiting")).to_be_in_viewport(timeout=SOON_MS)
    assert people.errors == []


def test_on_a_shared_phone_nobody_sees_or_sends_another_s_patients(people: People) -> None:
    """One signs out without a network; the next is told whose and how many wait; only their own session sends them."""
    clinic = people.enter("wang", phone=True)
    opens_without_network(clinic)
    clinic.context.set_offline(True)
    enter_patient(clinic, [file(5)], name=NAME)
    expect(clinic.get_by_test_id("waiting")).to_contain_text("(1)", timeout=SOON_MS)
    clinic.get_by_test_id("sign-out").click()
    expect(clinic.get_by_test_id("others-wait")).to_contain_text("王村医", timeout=SOON_MS)
    clinic.context.clear_cookies()  # until the service hears of the sign-out, the worker may send by that session
    clinic.context.set_offline(False)
    sign_in(clinic, "sun")
    told = clinic.get_by_test_id("others-wait")
    expect(told).to_contain_text("(1)", timeout=SOON_MS)
    assert NAME not in clinic.content() and "61" not in (told.text_content() or "")
    told.get_by_test_id("others-take").click()
    expect(told).to_contain_text("其他机构")
    assert cases(people) == []
    clinic.get_by_test_id("sign-out").click()
    sign_in(clinic, "wang")
    expect(card(clinic)).to_be_visible(timeout=SOON_MS)
    (case,) = cases(people)
    assert case["site"]["id"] == "yinzhao"
    nothing_is_left(clinic)
    assert people.errors == []


def test_a_session_that_ended_meanwhile_keeps_what_waits(people: People) -> None:
    """Back on the line the page asks for signing in, says what waits, and sends it then, once."""
    clinic = people.enter("wang", phone=True)
    opens_without_network(clinic)
    clinic.context.set_offline(True)
    enter_patient(clinic, [file(6)])
    expect(clinic.get_by_test_id("waiting")).to_contain_text("(1)", timeout=SOON_MS)
    clinic.context.clear_cookies()
    clinic.context.set_offline(False)
    expect(clinic.get_by_test_id("sign-in")).to_be_visible(timeout=SOON_MS)
    expect(clinic.get_by_test_id("others-wait")).to_contain_text("(1)", timeout=SOON_MS)
    assert cases(people) == []
    sign_in(clinic, "wang")
    expect(card(clinic)).to_be_visible(timeout=SOON_MS)
    assert len(cases(people)) == 1
    assert people.errors == []


def test_what_is_half_filled_in_stays_whatever_arrives(people: People) -> None:
    """A machine's ECG opens a case while somebody types: the case is shown, and nothing of the form is lost."""
    clinic = people.enter("wang", phone=True)
    clinic.get_by_test_id("send-file").set_input_files([file(9)], timeout=SOON_MS)
    clinic.get_by_test_id("send-age").fill("58")
    people.infarction(seed=10)
    expect(card(clinic)).to_be_visible(timeout=SOON_MS)
    expect(clinic.get_by_test_id("send-age")).to_have_value("58")
    expect(clinic.get_by_test_id("send-chosen")).to_contain_text("ecg9.zip")
    assert people.errors == []


def test_a_full_phone_says_that_nothing_was_saved(people: People) -> None:
    """No room and no network: the form keeps all, and says that this page alone has it."""
    clinic = people.enter("wang", phone=True)
    opens_without_network(clinic)
    line = clinic.context.new_cdp_session(clinic)
    line.send("Storage.overrideQuotaForOrigin", {"origin": people.county.base, "quotaSize": 1})
    clinic.context.set_offline(True)
    enter_patient(clinic, [file(content=dicom("baseline_sinus"))])
    said = clinic.get_by_test_id("send-state")
    expect(said).to_contain_text("存储已满", timeout=SOON_MS)
    expect(clinic.get_by_test_id("send-chosen")).to_contain_text("ecg1.zip")
    expect(clinic.get_by_test_id("waiting")).to_have_count(0)
    clinic.context.set_offline(False)
    clinic.get_by_test_id("send").click()
    expect(card(clinic)).to_be_visible(timeout=SOON_MS)
    assert len(cases(people)) == 1
    assert people.errors == []


def test_the_clinic_is_told_which_electrode_and_what_to_do(people: People) -> None:
    """A loose V2 stands large with its button; the new recording goes into the same case."""
    clinic = people.enter("wang", phone=True)
    enter_patient(clinic, [file(content=dicom("baseline_sinus", dead_leads=("V2",)))])
    again = clinic.get_by_test_id("record-again")
    expect(again).to_contain_text("V2", timeout=SOON_MS)
    again.get_by_test_id("again").click()
    expect(clinic.get_by_test_id("send-form")).not_to_have_attribute("data-case", "")
    clinic.get_by_test_id("send-file").set_input_files([file(7)])
    clinic.get_by_test_id("send").click()
    expect(card(clinic).get_by_test_id("state-received")).to_contain_text("✓", timeout=SOON_MS)
    (case,) = cases(people)
    assert len(case["ecgs"]) == 2
    assert people.errors == []


def test_states_advice_and_tasks_reach_the_clinic(people: People) -> None:
    """All states with their times; the advice sounds until it is said to be seen; a task is ticked."""
    clinic = people.enter("wang", phone=True)
    clinic.evaluate(COUNT_TONES)
    enter_patient(clinic, [file(8)])
    shown = card(clinic)
    for state in ("sent", "received"):
        expect(shown.get_by_test_id(f"state-{state}")).to_contain_text(
            re.compile(r"✓.*\d\d:\d\d:\d\d", re.DOTALL), timeout=SOON_MS
        )
    expect(shown.get_by_test_id("state-opened")).to_contain_text("等待中")
    (case,) = cases(people)
    ecg_id = case["ecgs"][0]["ecg_id"]
    people.ask("chen", "POST", f"/ecgs/{ecg_id}/opened")
    expect(shown.get_by_test_id("state-opened")).to_contain_text("✓", timeout=SOON_MS)
    before = clinic.evaluate("window.tones")
    reading = {"text": "急性广泛前壁心肌梗死", "tier": "ACT", "advice": "平卧,阿司匹林 300 mg 嚼服"}
    people.ask("chen", "POST", f"/ecgs/{ecg_id}/reading", reading)
    expect(shown.get_by_test_id("advice")).to_contain_text("阿司匹林 300 mg", timeout=SOON_MS)
    expect(shown.get_by_test_id("state-advised")).to_contain_text("✓", timeout=SOON_MS)
    assert clinic.evaluate("window.tones") > before
    expect(clinic).to_have_title(re.compile("建议"))
    shown.get_by_test_id("advice-seen").click()
    expect(shown.get_by_test_id("advice-was-seen")).to_be_visible(timeout=SOON_MS)
    expect(clinic).not_to_have_title(re.compile("建议"))
    people.ask("chen", "POST", f"/cases/{case['case_id']}/green-channel")
    task = shown.locator('[data-testid^="task-done-"]').first
    expect(task).to_be_visible(timeout=SOON_MS)
    kind = (task.get_attribute("data-testid") or "").removeprefix("task-done-")
    task.click()
    expect(shown.get_by_test_id(f"task-ticked-{kind}")).to_contain_text("✓", timeout=SOON_MS)
    for _ in range(2):
        assert width_beyond(clinic) <= 0
        clinic.get_by_test_id("lang").click()
    assert people.errors == []
