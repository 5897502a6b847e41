"""The live board in real browsers: what a row says, what stays in its place, what is heard, and a line that breaks."""

import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.line_relay import LineRelay
from tests.browser.people import SOON_MS, People, password, width_beyond
from tests.pictures import jpeg

pytestmark = pytest.mark.browser

WALL = {"width": 1920, "height": 1080}
# Counts the tones that a page plays, and lets a test say that the page is behind another one.
EARS = """
window.tones = 0;
const made = AudioContext.prototype.createOscillator;
AudioContext.prototype.createOscillator = function () { window.tones += 1; return made.call(this); };
let behind = false;
Object.defineProperty(document, "visibilityState", { get: () => (behind ? "hidden" : "visible") });
const frame = window.requestAnimationFrame.bind(window);
window.requestAnimationFrame = (draw) => (behind ? 0 : frame(draw));  // a page behind another draws nothing
window.putBehind = (now) => { behind = now; document.dispatchEvent(new Event("visibilitychange")); };
"""


def row_of(page: Page, case_id: str) -> Locator:
    """A case's row on a board."""
    return page.get_by_test_id(f"row-{case_id}")


def heard(people: People, case_id: str, person: str) -> bool:
    """Does the service know that an alert has come to a person's board?"""
    alert = people.ask(person, "GET", f"/cases/{case_id}")["alert"]
    return any(one["person"] == person and one["delivered_at"] is not None for one in alert["people"])


def paper(people: People, site: str = "jishi") -> str:
    """A clinic photographs a paper ECG: urgent until a person has read it; gives the case."""
    with httpx.Client(base_url=people.county.base, timeout=20.0, trust_env=False) as http:
        sent = http.post(
            "/api/v1/ecgs",
            content=jpeg(),
            headers={"Authorization": f"Bearer {people.county.tokens[f'ecg-{site}']}"},
        )
        assert sent.status_code == 201, sent.text
        return str(sent.json()["case_id"])


def test_a_row_says_where_who_what_and_what_comes_next(people: People) -> None:
    """Distance, the clinic's number as a link, who is called and how far, the ambulance, the clock of what is amber."""
    case_id, amber = people.infarction(), paper(people)
    board = people.enter("chen")
    row = row_of(board, case_id)
    expect(row).to_contain_text("阴赵卫生院 38\u00a0km", timeout=SOON_MS)
    expect(row).to_contain_text("男\u00a061")
    expect(row.get_by_test_id("call-site")).to_have_attribute("href", "tel:0000-1001")
    expect(row.get_by_test_id("row-reach")).to_contain_text(
        re.compile("陈医生.*(已送达|已看到)"), timeout=SOON_MS
    )
    expect(row).to_contain_text(re.compile(r"V\d [+−]0\.\d\d"))
    expect(row.locator("canvas")).to_be_visible()
    left = row_of(board, amber).get_by_test_id("rings-in")
    expect(left).to_have_text(re.compile(r"余 0[89]:\d\d"))

    row.get_by_test_id("ack").click()
    expect(row).to_contain_text("陈医生", timeout=SOON_MS)
    people.ask("chen", "POST", f"/cases/{case_id}/green-channel")
    expect(row).to_contain_text("到院时间未知", timeout=SOON_MS)
    due = (datetime.now(UTC) + timedelta(minutes=17)).isoformat()
    people.ask("dispatch", "POST", f"/cases/{case_id}/ambulance/eta", {"place": "hub", "at": due})
    expect(row.get_by_test_id("row-eta")).to_have_text(
        re.compile(r"救护车到院 \d\d:\d\d · 余 16 分"), timeout=SOON_MS
    )
    assert people.errors == []


def test_a_filter_by_site_is_kept_and_never_hides_a_red_case_in_silence(people: People) -> None:
    """The key / opens it; what it leaves out is said with the site's name; the alert rings all the same."""
    near, far = people.infarction(site="jishi"), people.infarction(seed=2)
    board = people.enter("chen")
    expect(row_of(board, far)).to_be_visible(timeout=SOON_MS)
    board.keyboard.press("/")
    box = board.get_by_test_id("site-jishi")
    expect(board.get_by_test_id("site-filter").locator("input").first).to_be_focused()
    box.check()
    expect(row_of(board, far)).to_have_count(0)
    expect(row_of(board, near)).to_be_visible()
    expect(board.get_by_test_id("hidden-red")).to_have_text(
        re.compile("筛选之外还有 1 个立即处理的病例:阴赵卫生院")
    )
    expect(board.get_by_test_id("alert-banner")).to_contain_text("另有 1 个")
    board.keyboard.press("Escape")
    expect(board.get_by_test_id("site-filter").locator("summary")).to_be_focused()

    board.reload()
    expect(board.get_by_test_id("hidden-red")).to_be_visible(timeout=SOON_MS)
    expect(row_of(board, far)).to_have_count(0)
    board.get_by_test_id("unfilter").click()
    expect(row_of(board, far)).to_be_visible()
    assert people.errors == []


#: A hand that is faster than the first paint: the key falls in the moment in which the line of sites is there.
FAST_HAND = """
new MutationObserver((_, self) => {
  if (!document.getElementById("site-filter")) return;
  self.disconnect();
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "/", bubbles: true }));
}).observe(document, { childList: true, subtree: true });
"""


def test_a_board_that_can_be_seen_hears_its_keys(people: People) -> None:
    """No key is lost between the row on the screen and whoever listens."""
    people.infarction(site="jishi")
    board = people.enter("chen", ears=FAST_HAND)
    expect(board.get_by_test_id("site-filter")).to_have_attribute("open", "", timeout=SOON_MS)
    assert people.errors == []


def test_the_keyboard_does_everything(people: People) -> None:
    """J and K walk, Enter opens the ECG beside the list, A answers, G opens the channel, ? lists the keys."""
    first, second = people.infarction(), people.infarction(seed=2, site="jishi")
    board = people.enter("chen")
    expect(row_of(board, second)).to_be_visible(timeout=SOON_MS)
    board.keyboard.press("j")
    expect(row_of(board, first).get_by_test_id("open-row")).to_be_focused()
    board.keyboard.press("j")
    board.keyboard.press("k")
    board.keyboard.press("Enter")
    expect(board.get_by_role("complementary")).to_be_visible()
    expect(row_of(board, second)).to_be_visible()
    expect(board).to_have_url(re.compile(r"/$"))
    board.keyboard.press("a")
    expect(row_of(board, first)).to_contain_text("陈医生 Dr Chen 已收", timeout=SOON_MS)
    board.keyboard.press("g")
    expect(row_of(board, first)).to_contain_text("绿色通道已开", timeout=SOON_MS)
    board.keyboard.press("Escape")
    expect(board.get_by_role("complementary")).to_be_hidden()

    board.keyboard.press("?")
    help_dialog = board.get_by_test_id("help")
    for key in ("J / K", "Enter", "A", "G", "/", "Esc", "?"):
        expect(help_dialog.locator("kbd", has_text=re.compile(f"^{re.escape(key)}$"))).to_be_visible()
    board.keyboard.press("Escape")
    expect(help_dialog).to_be_hidden()
    assert people.errors == []


def test_nothing_moves_under_the_pointer_and_what_is_new_is_named(people: People) -> None:
    """A new red case does not push down the amber row under the mouse; once the mouse has left, it stands on top."""
    amber = paper(people)
    board = people.enter("lin")
    row = row_of(board, amber)
    expect(row).to_be_visible(timeout=SOON_MS)
    row.hover()
    before = row.bounding_box()
    new = people.infarction()
    expect(board.get_by_test_id("arrivals")).to_contain_text("阴赵卫生院", timeout=SOON_MS)
    assert row.bounding_box() == before
    board.mouse.move(5, 5)
    expect(board.get_by_test_id("section-now").get_by_test_id(f"row-{new}")).to_be_visible(timeout=SOON_MS)
    expect(board.get_by_test_id("arrivals")).to_have_count(0)
    assert people.errors == []


def test_a_new_red_case_is_heard_and_counted_behind_another_page(people: People) -> None:
    """Who is called hears it until it is answered; who is not called hears it once and finds the count in the title."""
    called, other = (people.enter(user, ears=EARS, bypass_csp=True) for user in ("chen", "lin"))
    for page in (called, other):
        page.locator("h1").click()
        expect(page.get_by_test_id("sound")).to_contain_text("声音 开", timeout=SOON_MS)
        page.evaluate("window.putBehind(true)")
    case_id = people.infarction()
    for page in (called, other):
        page.wait_for_function("window.tones > 0", timeout=SOON_MS, polling=200)
        page.wait_for_function("document.title.startsWith('(1) ')", timeout=SOON_MS, polling=200)
    assert other.evaluate("document.title").endswith(("阴赵卫生院", "实时分诊"))
    until = datetime.now(UTC) + timedelta(milliseconds=SOON_MS)
    while not heard(people, case_id, "chen") and datetime.now(UTC) < until:
        called.wait_for_timeout(200)
    assert heard(people, case_id, "chen")
    other.evaluate("window.putBehind(false)")
    other.wait_for_function("!document.title.startsWith('(')", timeout=SOON_MS, polling=200)
    assert people.errors == []


def test_two_doctors_answer_at_once_and_the_second_is_told_of_the_first(people: People) -> None:
    """One has it; the other is told by name. Both presses are on their way before either is answered."""
    case_id = people.infarction()
    doctors = [people.enter("chen"), people.enter("zhao")]
    on_the_way: list[Route] = []
    for page in doctors:
        page.route("**/ack", lambda one: on_the_way.append(one))
        row_of(page, case_id).get_by_test_id("ack").click(timeout=SOON_MS)
    for page in doctors:
        expect(row_of(page, case_id).get_by_test_id("ack")).to_be_disabled()
    assert len(on_the_way) == 2
    for one in on_the_way:
        one.continue_()
    for page in doctors:
        expect(row_of(page, case_id).get_by_test_id("ack")).to_have_count(0, timeout=SOON_MS)
    holder = people.ask("quality", "GET", f"/cases/{case_id}")["alert"]["held_by"]["person"]
    winner, loser = doctors if holder == "chen" else reversed(doctors)
    name = {"chen": "陈医生 Dr Chen", "zhao": "赵主任 Prof Zhao"}[holder]
    for page in doctors:
        expect(row_of(page, case_id)).to_contain_text(f"{name} 已收")
        expect(page.get_by_test_id("alert-banner")).to_be_hidden(timeout=SOON_MS)
    expect(winner.get_by_test_id("quicker")).to_have_count(0)
    expect(loser.get_by_test_id("quicker")).to_contain_text(name, timeout=SOON_MS)
    assert people.errors == []


def test_a_second_press_does_not_do_the_next_act(people: People) -> None:
    """Two presses at one place, a third of a second apart: one patient is answered, and no channel opens."""
    first, second = people.infarction(), people.infarction(seed=2)
    page = people.enter("chen")
    banner = page.get_by_test_id("banner-ack")
    banner.wait_for(timeout=SOON_MS)
    for _ in range(2):
        box = banner.bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.wait_for_timeout(350)
    answered = [
        case
        for case in (first, second)
        if people.ask("chen", "GET", f"/cases/{case}")["alert"]["acknowledged_at"]
    ]
    assert len(answered) == 1

    row = page.get_by_test_id(f"row-{second if answered == [first] else first}")
    act = row.get_by_test_id("ack").bounding_box()
    assert act is not None
    for _ in range(2):
        page.mouse.click(act["x"] + act["width"] / 2, act["y"] + act["height"] / 2)
        page.wait_for_timeout(350)
    for case in (first, second):
        assert people.ask("chen", "GET", f"/cases/{case}")["green_channel"]["state"] != "open"
    expect(row.get_by_test_id("open-green")).to_be_enabled(timeout=SOON_MS)
    assert people.errors == []


def test_who_declines_says_why(people: People) -> None:
    """One press on what it mostly is, or words; without either the next person is not called."""
    case_id = people.infarction()
    doctor = people.enter("chen")
    doctor.get_by_test_id("banner-decline").click(timeout=SOON_MS)
    send = doctor.get_by_test_id("banner-decline-send")
    expect(send).to_be_disabled()
    doctor.get_by_test_id("banner-declineOperating").click()
    expect(doctor.get_by_test_id("banner-decline-reason")).to_have_value("手术中")
    send.click()
    expect(send).to_have_count(0, timeout=SOON_MS)
    history = people.ask("chen", "GET", f"/cases/{case_id}")["history"]
    assert any("手术中" in line["zh"] for line in history)
    assert people.errors == []


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_laptop_shows_five_patients_whatever_stands_over_them(people: People, lang: str) -> None:
    """A drill, a board without sound, a shift to begin, the choice of sites and an alert leave five rows in sight."""
    people.ask("zhao", "POST", "/drills", {"site": "yinzhao"})
    for seed in range(1, 7):
        people.infarction(seed=seed)
    doctor = people.enter("chen", lang=lang)
    doctor.get_by_test_id("sound").click()
    for bar in ("sound-bar", "drill-bar", "duty-panel", "site-filter", "alert-banner"):
        expect(doctor.get_by_test_id(bar)).to_be_visible(timeout=SOON_MS)
    expect(doctor.locator("li[data-case]").nth(6)).to_be_attached(timeout=SOON_MS)
    doctor.mouse.move(1, 1)
    floor = doctor.locator(".floor").bounding_box()
    assert floor is not None
    boxes = [row.bounding_box() for row in doctor.locator("li[data-case]").all()]
    assert sum(box is not None and box["y"] + box["height"] <= floor["y"] for box in boxes) >= 5
    assert width_beyond(doctor) <= 0
    assert people.errors == []


def test_a_session_that_ends_is_said_aloud(people: People) -> None:
    """Not a calm page for signing in: whose session is over, that no alert sounds, and the title says so."""
    page = people.enter("chen")
    people.infarction()
    page.get_by_test_id("banner-ack").wait_for(timeout=SOON_MS)
    cookies = page.context.cookies()
    with httpx.Client(base_url=people.county.base, trust_env=False) as http:
        for cookie in cookies:
            http.cookies.set(cookie["name"], cookie["value"])
        ended = http.delete("/api/v1/session", headers={"Origin": people.county.base})
        assert ended.status_code == 204
    expect(page.get_by_test_id("session-ended")).to_contain_text("不再响起预警", timeout=SOON_MS)
    expect(page).to_have_title(re.compile("已退出登录"))
    page.locator("input[name=user]").fill("chen")
    page.locator("input[name=password]").fill(password("chen"))
    page.get_by_test_id("sign-in").click()
    expect(page.get_by_test_id("connection")).to_contain_text("●", timeout=SOON_MS)
    expect(page).not_to_have_title(re.compile("已退出登录"))
    assert people.errors == []


def test_a_line_that_is_cut_for_a_minute_costs_no_reload_and_no_word(people: People) -> None:
    """The page fades and says since when; what happened meanwhile is there afterwards, and what was half typed, too."""
    held = people.infarction()
    with LineRelay(people.county.port) as line:
        doctor = people.enter("chen", base=line.base)
        doctor.clock.install()
        doctor.goto(f"/case/{held}")
        board = people.enter("lin", base=line.base)
        board.clock.install()
        board.goto("/")
        for page in (doctor, board):
            expect(page.get_by_test_id("connection")).to_contain_text("已连接", timeout=SOON_MS)
            page.evaluate("window.untouched = true")
        note = doctor.get_by_test_id("milestone-note")
        note.fill("家属说胸痛从中")

        line.cut()
        for page in (doctor, board):
            expect(page.get_by_test_id("connection")).to_contain_text("断线", timeout=SOON_MS)
            page.clock.fast_forward(60_000)
            expect(page.get_by_test_id("connection")).to_have_text(
                re.compile("断线 01:[0-3]"), timeout=SOON_MS
            )
            expect(page.locator(".app.stale")).to_be_visible()
        new = people.infarction(seed=2, site="jishi")
        people.ask("chen", "POST", f"/cases/{held}/green-channel")
        assert row_of(board, new).count() == 0

        line.mend()
        for page in (doctor, board):
            page.clock.fast_forward(11_000)
            expect(page.get_by_test_id("connection")).to_contain_text("已连接", timeout=SOON_MS)
            assert page.evaluate("window.untouched") is True
        expect(row_of(board, new)).to_be_visible(timeout=SOON_MS)
        expect(row_of(board, held)).to_contain_text("绿色通道已开", timeout=SOON_MS)
        expect(doctor.locator("main")).to_contain_text("绿色通道已开", timeout=SOON_MS)
        expect(note).to_have_value("家属说胸痛从中")
        note.press_sequentially("午开始")
        expect(note).to_have_value("家属说胸痛从中午开始")


def test_twenty_rows_stand_on_a_wall(people: People) -> None:
    """At 1920 by 1080 the last of twenty cases ends above the edge, and no row is wider than the screen."""
    for seed in range(20):
        people.infarction(seed=seed + 1, site=("yinzhao", "jishi", "liuzhuang")[seed % 3])
    wall = people.enter("quality")
    wall.get_by_test_id("board-link").click()
    wall.set_viewport_size(WALL)  # type: ignore[arg-type]
    rows = wall.locator("li[data-case]")
    expect(rows).to_have_count(20, timeout=SOON_MS)
    end = rows.last.bounding_box()
    assert end is not None
    assert end["y"] + end["height"] <= WALL["height"], f"the twentieth row ends at {end['y'] + end['height']}"
    assert width_beyond(wall) <= 0
    assert people.errors == []
