"""What a report says: who signed, whose clock, what is not known, and that the machine's words are not reviewed."""

from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest

from greenchannel.alerts.case import Context
from greenchannel.alerts.drill import ON_PAPER
from greenchannel.events import ClockReading
from greenchannel.signal.recording import Recording
from greenchannel.signal.synthesis import simulate
from greenchannel.triage.finding import Patient
from greenchannel.triage.interpretation import interpret, to_json
from greenchannel.viewer import report_pages
from greenchannel.viewer.pdf_font import width_mm, wrap
from greenchannel.viewer.pdf_writer import Page
from greenchannel.viewer.report_content import recorded_text
from tests.pdf_paths import pages_of, text_of
from tests.report_world import AT, report_of, signed

SICK = simulate(seed=4, territory="inferior", stj_mv=0.3).recording
ANALYSIS = to_json(interpret(SICK, Patient(age_years=61.0, sex="male")), source=None, sha256=None)


def test_an_unsigned_report_says_so() -> None:
    """Nobody's name, and that it is no diagnosis; the machine is called what it is."""
    report = report_of(SICK, ANALYSIS)
    assert not report.signed and "未签发" in report.state
    letters = text_of(report_pages.pages(report, SICK, ANALYSIS))
    assert set("未签发自动分析（未审核）") <= set(letters)
    assert "NOT SIGNED" in report_of(SICK, ANALYSIS, english=True).state


def _noting(draw: Callable[[Page], None], framed: list[Page]) -> Callable[[Page], None]:
    def noted(page: Page) -> None:
        framed.append(page)
        draw(page)

    return noted


def test_each_page_of_a_drill_says_that_it_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its title, and by words in a frame; a report of a patient has neither."""
    framed: list[Page] = []
    monkeypatch.setattr(report_pages, "_drill", _noting(report_pages._drill, framed))
    for english, title in ((False, "【演练】心电图报告"), (True, "[DRILL] ECG report")):
        report = report_of(SICK, ANALYSIS, english=english, drill_until=AT)
        assert report.title == title
        data = report_pages.pages(report, SICK, ANALYSIS)
        assert set(ON_PAPER) - {" "} <= set(text_of(data))
        assert len(framed) == len(pages_of(data)) == len(set(map(id, framed)))
        framed.clear()
    report_pages.pages(report_of(SICK, ANALYSIS), SICK, ANALYSIS)
    assert framed == []


def test_the_newest_reading_stands_first_and_the_first_is_kept() -> None:
    """Both with who and when; the amendment with its reason, the advice with whether the clinic has read it."""
    first = signed(1, "chen", "急性下壁心肌梗死")
    second = signed(5, "lin", "早期复极", "FLAG", agrees=False, reason="与既往相同", advice="请复查")
    report = report_of(SICK, ANALYSIS, readings=(first, second))
    assert [one.text for one in report.readings] == ["早期复极", "急性下壁心肌梗死"]
    assert "林医生" in report.readings[0].head and "[更正]" in report.readings[0].head
    assert "陈医生" in report.readings[1].head and "[首次签发]" in report.readings[1].head
    assert report.readings[0].more[0] == ("不同意自动分析", "与既往相同")
    assert report.readings[0].more[1] == ("建议（基层尚未阅读）", "请复查")
    assert report.state.startswith("林医生 已签发  2026-03-02 16:10:00")


def test_the_time_of_recording_says_whose_clock_and_how_far_off() -> None:
    """A device's clock with its offset and uncertainty; an unknown time is said to be unknown."""
    clock = ClockReading(at=AT, clock="device:ecg-1", raw=AT, offset_s=432.0, uncertainty_s=3.2)
    assert (
        recorded_text(clock, False)
        == "2026-03-02 16:05:00（设备钟 ecg-1，钟差 +7 分 12 秒，已校正，±3.2 秒）"
    )
    never = ClockReading(at=AT - timedelta(hours=1), clock="device:ecg-1", zone_assumed=True)
    assert recorded_text(never, True) == "2026-03-02 15:05:00 (clock of ecg-1, never compared, zone assumed)"
    assert "未知" in recorded_text(None, False)


def test_a_name_is_printed_only_where_it_is_given() -> None:
    """Else the pseudonym stands in its place; the language changes the words and not the facts."""
    assert report_of(SICK, ANALYSIS).who[0] == ("匿名编号", "p_7f3a")
    assert report_of(SICK, ANALYSIS, person_name="张三").who[0] == ("姓名", "张三")
    english = report_of(SICK, ANALYSIS, english=True)
    assert english.who[1:3] == (("Sex", "male"), ("Age", "61 y"))
    assert [value for _, value in english.measures] == [
        value for _, value in report_of(SICK, ANALYSIS).measures
    ]


def test_what_is_not_known_is_called_unknown() -> None:
    """Age, sex, pain, intervals of a trace without beats: never 0, never empty; and no analysis at all."""
    flat = Recording(samples_mv=np.zeros((12, 5000), np.float32), leads=SICK.leads, rate_hz=500.0)
    nothing = to_json(interpret(flat, Patient()), source=None, sha256=None)
    report = report_of(flat, nothing, context=Context())
    assert [value for _, value in report.who[1:4]] == ["性别未知", "年龄未知", "未知"]
    assert {value for _, value in report.measures} == {"未知"}
    assert "不可用导联" in report.quality[0]
    waiting = report_of(flat, None)
    assert waiting.machine == "等待自动分析" and pages_of(report_pages.pages(waiting, flat, None))


def test_a_long_text_goes_on_on_further_pages() -> None:
    """Four thousand letters are all there; the first page says that more follows."""
    text = "".join(chr(0x4E00 + i) for i in range(2000))
    report = report_of(SICK, ANALYSIS, readings=(signed(1, "chen", text),))
    data = report_pages.pages(report, SICK, ANALYSIS)
    short = report_pages.pages(report_of(SICK, ANALYSIS), SICK, ANALYSIS)
    assert set(text) <= set(text_of(data))
    assert len(pages_of(data)) >= len(pages_of(short))
    assert set("……全文见后页") <= set(text_of(data))


@pytest.mark.parametrize(
    "text", ["急性下壁、正后壁心肌梗死，右室待排；" * 20, "a long English sentence " * 30, "x" * 400]
)
def test_lines_are_broken_within_their_width(text: str) -> None:
    """No line is wider than its column but for a mark that may not begin a line, and no letter is lost."""
    lines = wrap(text, 3.0, 60.0)
    assert all(width_mm(line.rstrip("，。；、"), 3.0) <= 60.0 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert not any(line.startswith(("，", "；", "。", "、")) for line in lines)


@pytest.mark.parametrize(
    ("leads", "samples", "level"),
    [(("II",), 1, 0.0), (("II", "V1"), 5000, np.nan), (("X", "Y", "Z"), 700, 1e6), (SICK.leads, 900, 0.5)],
    ids=["one sample", "nothing recorded", "beyond the paper", "shorter than a column"],
)
def test_an_odd_recording_has_a_report_too(leads: tuple[str, ...], samples: int, level: float) -> None:
    """Whatever came is shown as far as it goes, with letters of any kind in its texts; nothing fails."""
    recording = Recording(
        samples_mv=np.full((len(leads), samples), level, np.float32), leads=leads, rate_hz=500.0
    )
    report = report_of(recording, readings=(signed(1, "chen", "𠮷\n\tb"),), person_name="𠮷野家 (x) 😀")
    pages = pages_of(report_pages.pages(report, recording, None))
    assert len(pages) >= 2 and "𠮷" in text_of(report_pages.pages(report, recording, None))
