"""What must hold on every page: nothing serious for axe-core, no overflow on a phone, both languages, both themes."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import DESKTOP, PHONE, SOON_MS, People, width_beyond
from tests.require import ROOT

pytestmark = pytest.mark.browser

WEB = ROOT / "viewer" / "web"
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
# Rules of WCAG 2.2 A and AA; what axe merely recommends is no failure.
RUN_AXE = """async () => {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  const found = await axe.run(document, { runOnly: { type: "tag", values: tags } });
  const of = (one) => one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160));
  return found.violations.map((one) => [one.impact, one.id, of(one)]);
}"""
CHOOSE = """([theme, lang]) => {
  const { dataset, lang: spoken } = document.documentElement;
  if (dataset.theme !== theme) document.querySelector("[data-testid=theme]").click();
  if (!spoken.startsWith(lang)) document.querySelector("[data-testid=lang]").click();
}"""
# Words of one language on a page in the other. Names of people and sites come in both and are left out.
CHINESE = re.compile(r"[\u4e00-\u9fff]+")

# Who looks at a page where the cardiologist is not the one to do so.
USERS = {"clinic": "wang", "clocks": "quality", "detectors": "quality", "tasks": "cath"}
SIZES = {"desktop": DESKTOP, "phone": PHONE}


def pages() -> list[str]:
    """The addresses of one word that the pages know, from the page's own table."""
    source = (WEB / "src" / "state" / "route.ts").read_text(encoding="utf-8")
    listed = re.search(r"const PLAIN = \[(.*?)\]", source, re.DOTALL)
    assert listed is not None
    return re.findall(r'"(\w+)"', listed[1])


def addresses(case_id: str, ecg_id: str) -> Iterator[tuple[str, str]]:
    """User and address of every page; the login page needs no user."""
    yield "chen", "/"
    yield "chen", f"/case/{case_id}"
    yield "chen", f"/ecg/{ecg_id}"
    yield "chen", "/rules"
    yield "chen", "/no-such-page"
    for name in pages():
        if name != "login":
            yield USERS.get(name, "chen"), f"/{name}"


def problems(page: Page, *, phone: bool) -> list[str]:
    """What is wrong with what is on the screen, in words."""
    found = [
        f"{impact}: {rule}: {html}"
        for impact, rule, html in page.evaluate(RUN_AXE)
        if impact in {"serious", "critical"}
    ]
    beyond = width_beyond(page)
    if phone and beyond > 0:
        found.append(f"{beyond} px wider than the phone")
    return found


def in_both_themes_and_languages(page: Page, where: str, *, phone: bool) -> list[str]:
    """Looks four times at one page, without loading it anew."""
    found: list[str] = []
    for theme in ("light", "dark"):
        for lang in ("zh", "en"):
            page.evaluate(CHOOSE, [theme, lang])
            expect(page.locator("html")).to_have_attribute("data-theme", theme)
            found += [f"{where} {lang} {theme}: {one}" for one in problems(page, phone=phone)]
    return found


def busy_county(people: People) -> tuple[str, str]:
    """Cases in every state that a page shows; gives one with a channel, and its ECG."""
    case_id = people.infarction()
    people.ask("chen", "POST", f"/cases/{case_id}/green-channel")
    row = people.ask("chen", "GET", f"/cases/{case_id}")
    reading = {"text": "急性广泛前壁心肌梗死", "tier": "ACT", "advice": "平卧,嚼服阿司匹林"}
    people.ask("chen", "POST", f"/ecgs/{row['ecg_id']}/reading", reading)
    stood_down = people.infarction(seed=2)
    people.ask("chen", "POST", f"/cases/{stood_down}/green-channel")
    people.ask("chen", "POST", f"/cases/{stood_down}/stand-down", {"reason": "早期复极"})
    closed = people.infarction(seed=3)
    alert = people.ask("chen", "GET", f"/cases/{closed}")["alert"]
    people.ask("chen", "POST", f"/alerts/{alert['alert_id']}/ack")
    people.ask("chen", "POST", f"/cases/{closed}/close", {"reason": "转诊他院"})
    people.infarction(seed=4, site="jishi")
    return case_id, str(row["ecg_id"])


@pytest.mark.parametrize("size", list(SIZES))
def test_no_page_has_a_serious_fault_in_either_language_or_theme(people: People, size: str) -> None:
    """axe-core with the rules of WCAG 2.2 AA, and the width; the login page, the split board and dialogs among them."""
    phone = size == "phone"
    case_id, ecg_id = busy_county(people)
    axe = AXE.read_text(encoding="utf-8")
    signed_in: dict[str, Page] = {}
    found: list[str] = []
    for user, address in addresses(case_id, ecg_id):
        if user not in signed_in:
            signed_in[user] = people.enter(user, phone=phone)
        page = signed_in[user]
        page.goto(address)
        expect(page.get_by_test_id("connection")).to_contain_text("●", timeout=SOON_MS)
        page.wait_for_timeout(600)  # what the page asks for comes in its own time
        page.evaluate(axe)
        found += in_both_themes_and_languages(page, f"{address} as {user}, {size}", phone=phone)
    found += special_views(people, signed_in["chen"], axe, phone=phone)
    assert found == [], "\n" + gathered(found)
    assert people.errors == []


def gathered(found: list[str]) -> str:
    """Each fault once, with the first place where it was seen and in how many."""
    places: dict[str, list[str]] = {}
    for one in found:
        where, _, fault = one.partition(": ")
        places.setdefault(fault, []).append(where)
    return "\n".join(f"{fault}\n    {len(seen)} times, first: {seen[0]}" for fault, seen in places.items())


def special_views(people: People, board: Page, axe: str, *, phone: bool) -> list[str]:
    """What is not an address of its own: the ECG beside the list, the keys, the filter, the login page."""
    found: list[str] = []
    board.goto("/")
    expect(board.locator("li[data-case]").first).to_be_visible(timeout=SOON_MS)
    board.evaluate(axe)
    board.keyboard.press("/")
    found += in_both_themes_and_languages(board, "board with its filter", phone=phone)
    board.keyboard.press("Escape")
    if not phone:
        board.keyboard.press("j")
        board.keyboard.press("Enter")
        found += in_both_themes_and_languages(board, "board with an ECG beside", phone=phone)
    board.keyboard.press("?")
    expect(board.get_by_test_id("help")).to_be_visible()
    found += [f"keys: {one}" for one in problems(board, phone=phone)]
    login = people.browser.new_page(viewport=PHONE if phone else DESKTOP, locale="zh-CN")  # type: ignore[arg-type]
    login.goto(f"{people.county.base}/login")
    expect(login.get_by_test_id("sign-in")).to_be_visible(timeout=SOON_MS)
    login.evaluate(axe)
    return found + in_both_themes_and_languages(login, "login", phone=phone)


def test_no_page_in_english_speaks_chinese_of_its_own(people: People) -> None:
    """What the catalogue says is in the reader's language; names, and what people wrote, stay as they are."""
    case_id, ecg_id = busy_county(people)
    signed_in: dict[str, Page] = {}
    for user, address in addresses(case_id, ecg_id):
        if user not in signed_in:
            signed_in[user] = people.enter(user, lang="en")
        page = signed_in[user]
        page.goto(f"{address}?lang=en")
        expect(page.get_by_test_id("connection")).to_contain_text("●", timeout=SOON_MS)
        page.wait_for_timeout(600)
        labels = page.evaluate(
            "[...document.querySelectorAll('h1, h2:not(.headline), h3, summary, legend, label, button, th, dt')]"
            ".map((one) => [...one.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data).join(' '))"
        )
        spoken = [one for one in labels if CHINESE.search(one) and one.strip() not in {"中/EN"}]
        assert spoken == [], f"{address}: {spoken}"
