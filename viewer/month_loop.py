"""The last pages of a printed month: where time is lost, what became of the alerts, what is missing and who owes it."""

from collections.abc import Iterable

from greenchannel.alerts.quality.bottlenecks import Bottleneck
from greenchannel.alerts.quality.monthly_report import MonthlyReport, Named
from greenchannel.alerts.quality.national_form import owners
from greenchannel.viewer.month_parts import (
    FOOT_MM,
    GREY,
    INNER_MM,
    MARGIN_MM,
    WIDTH_MM,
    bars,
    minutes,
    paragraph,
    percent,
    sheet,
    table,
)
from greenchannel.viewer.pdf_writer import Page, Pdf
from greenchannel.viewer.words import Word


def losses(pdf: Pdf, report: MonthlyReport, network: Word, english: bool) -> None:
    """The segments of the way, the one that is to be believed to lose most first."""
    part = Word("时间损失在哪里", "where time is lost")

    def turn() -> tuple[Page, float]:
        page, y = sheet(pdf, report, network, part, english)
        return page, y - 3.0

    ranking = report.ranking
    head = (
        "Segment",
        "Who",
        "n",
        "Missing",
        "Median",
        "Usual",
        "More than usual (interval)",
        "Slower",
        "First",
    )
    if not english:
        head = (
            "环节",
            "责任",
            "n",
            "缺失",
            "本月中位",
            "往常中位",
            "多于往常（区间）",
            "确有变慢",
            "损失居首",
        )
    names = owners()
    rows = [
        [
            f"{f'{one.rank}. ' if one.rank is not None else ''}{one.en if english else one.zh}",
            (names[one.who].en if english else names[one.who].zh) if one.who in names else one.who,
            str(one.cases),
            str(one.missing),
            _minutes(one.median_min, english),
            _minutes(one.usual_min, english),
            _excess(one),
            "—" if one.probability_slow is None else f"{one.probability_slow:.0%}",
            "—" if one.probability_first is None else f"{one.probability_first:.0%}",
        ]
        for one in ranking.rows
    ]
    page, y = turn()
    page, y = table(turn, page, y, head, rows, (62, 38, 11, 15, 22, 22, 46, 20, 20), size=9, right_from=2)
    none = percent(ranking.probability_none, english)
    text = (
        f"{ranking.cases} STEMI with PCI against {ranking.cases_before} of the months before, each compared with what "
        f"is usual for such a case. That no segment is slower than usual: {none}. Numbers are believed only as far as "
        "the cases carry them; consent and door-in-door-out are always shown."
        if english
        else f"本月 {ranking.cases} 例行PCI的STEMI，与此前各月 {ranking.cases_before} 例比较，逐例对照往常水平。"
        f"没有任何环节变慢的概率：{none}。知情同意与转出医院停留时间始终列出。"
    )
    paragraph(page, MARGIN_MM, y - 1.5, INNER_MM, text, 9)


def _minutes(value: float | None, english: bool) -> str:
    return "—" if value is None else minutes(value, english)


def _excess(one: Bottleneck) -> str:
    if one.excess_min is None:
        return "—"
    shown = _signed(one.excess_min)
    if one.low_min is None or one.high_min is None:
        return shown
    return f"{shown} [{_signed(one.low_min)}, {_signed(one.high_min)}]"


def _signed(value_min: float) -> str:
    shown = f"{value_min:+.1f}"
    return "0.0" if shown in ("+0.0", "-0.0") else shown.replace("-", "−")


def loop(pdf: Pdf, report: MonthlyReport, network: Word, english: bool) -> None:
    """Alerts by rule; reasons for delay, gaps by owner and by field."""
    part = Word("预警、延误原因与缺项", "alerts, reasons for delay, gaps")

    def turn() -> tuple[Page, float]:
        page, y = sheet(pdf, report, network, part, english)
        return page, y - 3.0

    head = (
        "Alerts",
        "Sent",
        "Confirmed",
        "Cancelled",
        "Open",
        "Occlusion later",
        "Not asked",
        "PPV",
        "Answered (median)",
    )
    if not english:
        head = (
            "预警",
            "发出",
            "证实",
            "取消",
            "未定",
            "取消后证实闭塞",
            "取消后未随访",
            "阳性预测值",
            "应答（中位）",
        )
    rows = [
        [
            one.group or ("all" if english else "全部"),
            *(str(n) for n in (one.sent, one.confirmed, one.cancelled, one.open, one.missed, one.not_asked)),
            "—" if one.ppv.share is None else percent(one.ppv.share, english),
            _minutes(one.answered.median_min, english),
        ]
        for one in (report.loop.alerts, *report.alerts_by_rule)
    ]
    page, y = turn()
    if report.loop.alerts.sent:
        page, y = table(turn, page, y, head, rows, (30, 16, 16, 16, 16, 28, 26, 24, 30), size=8.5)
    else:
        y = paragraph(page, MARGIN_MM, y, INNER_MM, "no alert in this month" if english else "本月无预警", 10)
    gap = 8.0
    wide = (INNER_MM - 2 * gap) / 3
    columns = (
        (Word("延误原因（例）", "Reasons for delay, cases"), _named(report.delays[:14], english)),
        (
            Word("国家表单缺项，按责任科室", "Gaps of the national form by owner"),
            _named(report.owners, english),
        ),
        (Word("最常缺失的项目", "Missing most often"), _named(report.fields, english)),
    )
    for number, (name, found) in enumerate(columns):
        left = MARGIN_MM + number * (wide + gap)
        page.text(left, y - 9.0, name[english], 11, bold=True)
        if found:
            bars(page, left, y - 11.0, wide, found)
        else:
            page.text(left, y - 16.0, "none was said" if english else "无记录", 9, ink=GREY)
    paragraph(page, MARGIN_MM, FOOT_MM + 8.0, WIDTH_MM - 2 * MARGIN_MM, _filled(report, english), 9)


def _named(found: Iterable[Named], english: bool) -> list[tuple[str, int]]:
    return [(one.en if english else one.zh, one.n) for one in found if one.n]


def _filled(report: MonthlyReport, english: bool) -> str:
    form = report.form
    share = form.without_typing / form.required if form.required else None
    if english:
        return (
            f"National form of {form.cases} STEMI: {form.required} required times, {form.filled} known, "
            f"{form.without_typing} ({percent(share, True)}) of them without typing."
        )
    return (
        f"国家表单（{form.cases} 例 STEMI）：必填时间 {form.required} 项，已知 {form.filled} 项，"
        f"其中 {form.without_typing} 项（{percent(share, False)}）无需人工填写。"
    )
