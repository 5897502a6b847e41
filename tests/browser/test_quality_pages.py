"""The quality pages in a real browser: ten questions of a quality officer, links, print, phone, and what is entered."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.people import DESKTOP, SOON_MS, People, width_beyond
from tests.browser.quality_county import QualityCounty, quality_county
from tests.browser.test_every_page import AXE, gathered, in_both_themes_and_languages
from tests.quality_year import BAD_ECG, NEVER_FMC
from tests.require import ROOT

pytestmark = pytest.mark.browser

PICTURES = ROOT / "docs" / "pictures" / "quality"
PARTS = ("", "delays", "charts", "loop", "groups", "cases", "gaps", "report")
MOST_CLICKS = 3


@pytest.fixture
def county(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[QualityCounty]:
    """A year of chest pain behind a running service."""
    with quality_county(tmp_path / "county", monkeypatch) as made:
        yield made


@pytest.fixture
def people(browser: Browser, county: QualityCounty) -> People:
    """The demo's people, each to be had with a browser of their own."""
    return People(browser=browser, county=county.story)  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One question: what is pressed, one press or choice each, and what then stands on the page."""

    name: str
    presses: tuple[str | tuple[str, str], ...]  # a test id, or a choice in one
    place: str  # test id
    says: str  # a pattern


QUESTIONS = (
    Asked(name="targets", presses=("period-1",), place="metric-china.d2w", says=r"达标"),
    Asked(
        name="slower-in-may",
        presses=("quality-delays", ("ask-month", "2026-05"), "against-before"),
        place="why-slower",
        says=r"诊断至派车",
    ),
    Asked(
        name="never-fmc",
        presses=("groups-china.fmc2ecg", ("groups-sort", "missing")),
        place=f"group-{NEVER_FMC}",
        says=r"— 未知",
    ),
    Asked(name="late-cases", presses=("late-china.d2w",), place="cases-total", says=r"共 \d+ 例"),
    Asked(name="most-time-lost", presses=("quality-delays", "period-1"), place="rank-1", says=r"\d"),
    Asked(
        name="off-hours",
        presses=("groups-china.ecg2dx", ("ask-by", "hours")),
        place="groups",
        says=r"非工作时间与节假日",
    ),
    Asked(name="changed-or-chance", presses=("quality-charts",), place="charts-signals", says=r"."),
    Asked(name="alerts-worth", presses=("quality-loop",), place="loop-counts", says=r"\d"),
    Asked(name="what-is-missing", presses=("quality-gaps", "owner-ed"), place="gaps-field", says=r"\d"),
    Asked(
        name="other-edition",
        presses=(("ask-standard", "national_form"),),
        place="metric-national_form.d2b",
        says=r"心电图诊断 → 导丝通过",
    ),
)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda one: one.name)
def test_a_question_is_answered_in_three_presses(people: People, question: Asked) -> None:
    """From where the quality officer lands after signing in; `GREENCHANNEL_SCREENS=write` keeps the picture."""
    page = people.enter("quality")
    expect(page.get_by_test_id("six")).to_be_visible(timeout=SOON_MS)
    assert len(question.presses) <= MOST_CLICKS
    for press in question.presses:
        if isinstance(press, tuple):
            page.get_by_test_id(press[0]).select_option(press[1], timeout=SOON_MS)
        else:
            page.get_by_test_id(press).click(timeout=SOON_MS)
    expect(page.get_by_test_id(question.place)).to_contain_text(re.compile(question.says), timeout=SOON_MS)
    assert people.errors == []
    if os.environ.get("GREENCHANNEL_SCREENS") == "write":
        keep(page, question.name)


def keep(page: Page, name: str) -> None:
    """A small picture for the manual."""
    page.mouse.move(0, 0)
    page.wait_for_timeout(300)  # charts are drawn in their own frame
    PICTURES.mkdir(parents=True, exist_ok=True)
    path = PICTURES / f"{name}.png"
    page.screenshot(path=path)
    with Image.open(path) as seen:
        small = seen.convert("RGB").resize(
            (seen.width * 3 // 4, seen.height * 3 // 4), Image.Resampling.LANCZOS
        )
    small.quantize(48).save(path, optimize=True)


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_no_quality_page_has_a_serious_fault(people: People, *, phone: bool) -> None:
    """axe-core, both languages, both themes, and no wider than a phone; the form of a case among them."""
    case_id = people.infarction()
    page = people.enter("quality", phone=phone)
    axe = AXE.read_text(encoding="utf-8")
    found: list[str] = []
    for part in (*PARTS, f"form/{case_id}"):
        page.goto(f"/quality/{part}")
        expect(page.locator("main h2").first).to_be_visible(timeout=SOON_MS)
        expect(page.get_by_text("加载中")).to_have_count(0, timeout=SOON_MS)
        page.wait_for_timeout(500)
        page.evaluate(axe)
        found += in_both_themes_and_languages(page, f"/quality/{part}", phone=phone)
    assert found == [], "\n" + gathered(found)
    assert people.errors == []


def test_a_link_brings_the_same_view_back(people: People) -> None:
    """On another screen, and after going back; the copied address holds what the service chose."""
    page = people.enter("quality")
    page.goto("/quality/groups?metric=china.d2w&by=mode&from=2026-01&to=2026-03&hours=off")
    expect(page.get_by_test_id("groups")).to_be_visible(timeout=SOON_MS)
    said = page.get_by_test_id("groups").inner_text()
    page.get_by_test_id("copy-link").click()
    link = page.url
    assert "standard=china" in link
    other = people.enter("quality", phone=True)
    other.goto(link)
    expect(other.get_by_test_id("groups")).to_be_visible(timeout=SOON_MS)
    assert other.get_by_test_id("groups").inner_text().split() == said.split()
    expect(other.get_by_test_id("ask-from")).to_have_value("2026-01")
    page.get_by_test_id("quality-cases").click()
    expect(page.get_by_test_id("cases-total")).to_be_visible(timeout=SOON_MS)
    page.go_back()
    expect(page.get_by_test_id("ask-hours")).to_have_value("off", timeout=SOON_MS)
    assert people.errors == []


def test_who_was_signed_out_comes_back_to_the_same_view(browser: Browser, people: People) -> None:
    """What stands behind the question mark outlives the login page."""
    people.enter("quality")
    page = browser.new_page(base_url=people.county.base, locale="zh-CN")
    page.goto("/quality/delays?from=2026-05&to=2026-05")
    page.locator("input[name=user]").fill("quality")
    page.locator("input[name=password]").fill("demo-quality")
    page.get_by_test_id("sign-in").click()
    expect(page.get_by_test_id("ask-from")).to_have_value("2026-05", timeout=SOON_MS)


def test_every_number_leads_to_its_cases_and_each_case_to_its_times(people: People) -> None:
    """The count of the list is the number that was pressed; a real case opens with its sources."""
    case_id = people.infarction()
    page = people.enter("quality")
    card = page.get_by_test_id("metric-china.fmc2ecg")
    expect(card).to_be_visible(timeout=SOON_MS)
    missing = re.search(r"\d+", page.get_by_test_id("missing-china.fmc2ecg").inner_text())
    assert missing is not None
    page.get_by_test_id("missing-china.fmc2ecg").click()
    expect(page.get_by_test_id("cases-total")).to_contain_text(f"共 {missing[0]} 例", timeout=SOON_MS)
    ours = page.get_by_test_id("case-line").filter(has=page.locator(f"a[href='/case/{case_id}']"))
    ours.get_by_test_id("case-open").click()
    expect(page.get_by_test_id(f"case-{case_id}")).to_be_visible(timeout=SOON_MS)
    assert people.errors == []


def test_a_missing_time_is_entered_from_the_gap_and_both_values_stay(people: People) -> None:
    """From the list of gaps to the form, one time, one correction with its reason."""
    case_id = people.infarction()
    page = people.enter("quality")
    page.goto("/quality/gaps?field=fmc_at")
    gap = page.get_by_test_id("gap").filter(has=page.locator(f"a[href*='{case_id}']"))
    gap.get_by_test_id("gap-open").click(timeout=SOON_MS)
    field = page.get_by_test_id("field-fmc_at")
    expect(field).to_contain_text("未知", timeout=SOON_MS)
    page.get_by_test_id("enter-fmc_at").click()
    expect(page.get_by_test_id("milestone-which")).to_have_value("FMC")
    page.get_by_test_id("milestone-save").click()
    expect(field).to_contain_text(re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d"), timeout=SOON_MS)
    page.get_by_test_id("enter-fmc_at").click()
    page.get_by_test_id("milestone-which").select_option("FMC")
    when = page.get_by_test_id("milestone-when").input_value()
    page.get_by_test_id("milestone-when").fill(
        f"{when[:14]}00:00" if when[14:16] != "00" else f"{when[:11]}00:00:00"
    )
    page.get_by_test_id("milestone-note").fill("病历记录")
    page.get_by_test_id("milestone-save").click()
    expect(field).to_contain_text("已更正", timeout=SOON_MS)
    page.get_by_test_id("form-case").click()
    expect(page.get_by_test_id(f"case-{case_id}")).to_contain_text("病历记录", timeout=SOON_MS)
    assert people.errors == []


def test_a_page_prints_light_on_a4_landscape(people: People, tmp_path: Path) -> None:
    """From the dark theme, too; what only a screen needs is not on the paper, the charts are."""
    page = people.enter("quality")
    expect(page.get_by_test_id("six")).to_be_visible(timeout=SOON_MS)
    if page.locator("html").get_attribute("data-theme") != "dark":
        page.get_by_test_id("theme").click()
    page.wait_for_timeout(300)
    page.emulate_media(media="print")
    expect(page.get_by_test_id("quality-gaps")).to_be_hidden()
    expect(page.get_by_test_id("ask-from")).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.emulate_media(media="null")
    data = page.pdf(path=tmp_path / "six.pdf", prefer_css_page_size=True, print_background=True)
    boxes = {
        tuple(round(float(one)) for one in found.split())
        for found in re.findall(rb"/MediaBox\s*\[([^\]]+)\]", data)
    }
    assert boxes == {(0, 0, 842, 595)}, boxes
    folder = os.environ.get("GREENCHANNEL_PRINTS")
    if folder:
        for part in PARTS:
            page.goto(f"/quality/{part}")
            expect(page.locator("main h2").first).to_be_visible(timeout=SOON_MS)
            page.wait_for_timeout(1500)
            page.pdf(
                path=Path(folder) / f"{part or 'overview'}.pdf",
                prefer_css_page_size=True,
                print_background=True,
            )


def test_charts_are_no_part_of_what_a_clinic_loads(people: People) -> None:
    """The clinic's page asks for no file of the quality pages; nor does the board."""
    asked: list[str] = []
    page = people.browser.new_page(viewport=DESKTOP, base_url=people.county.base)  # type: ignore[arg-type]
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/login?lang=zh")
    page.locator("input[name=user]").fill("wang")
    page.locator("input[name=password]").fill("demo-wang")
    page.get_by_test_id("sign-in").click()
    expect(page.get_by_test_id("connection")).to_contain_text("●", timeout=SOON_MS)
    page.wait_for_timeout(500)
    assert not [one for one in asked if re.search(r"quality|uplot", one, re.IGNORECASE)]
    page.goto("/quality")
    expect(page.get_by_test_id("quality-scope")).to_be_visible(timeout=SOON_MS)
    assert [one for one in asked if "/api/v1/quality/overview" in one]


def test_the_clinic_that_records_badly_is_found(people: People) -> None:
    """In the closed loop, by its share of recordings that could not be read."""
    page = people.enter("quality")
    page.goto("/quality/loop")
    expect(page.get_by_test_id("loop-rejects_by_site").get_by_test_id(f"rate-{BAD_ECG}")).to_be_visible(
        timeout=SOON_MS
    )
    assert width_beyond(page) <= 0
