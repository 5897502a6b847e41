"""The report of a month on paper: A4 landscape, numbers that can be read across a table, every one with its counts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from greenchannel.alerts.milestones import milestones
from greenchannel.alerts.quality.answers import Numbers
from greenchannel.alerts.quality.monthly_report import (
    MetricRow,
    MonthlyReport,
    SiteRow,
    value_of,
)
from greenchannel.viewer.export_table import local
from greenchannel.viewer.month_loop import loop, losses
from greenchannel.viewer.month_parts import (
    BLUE,
    FOOT_MM,
    GREY,
    INNER_MM,
    MARGIN_MM,
    PALE,
    feet,
    fitting,
    landscape,
    minutes,
    paragraph,
    percent,
    sheet,
    spark,
    table,
    title_of,
    trend_chart,
)
from greenchannel.viewer.pdf_writer import Page, Pdf
from greenchannel.viewer.words import Word

Names = Mapping[str, Word]  # what sites are called

RULES: Final = Word(
    "缺失从不计为达标；只知日期的时间只给出上下界，不参与均值与中位数；先后颠倒的时间不计入，单独列出。"
    "每项均给出剔除前后两个数值、剔除例数与原因。未知写作“未知”，从不写作 0。",
    "What is missing never counts as met. Times that were told as a day give bounds alone. Intervals the wrong way "
    "round are kept out and counted. Every number stands with and without exclusions. Unknown is written as unknown.",
)


def month_pdf(
    report: MonthlyReport, sites: Names, *, network: Word, made_at: datetime, english: bool = False
) -> bytes:
    """The report as a PDF; equal input gives equal bytes.

    Parameters
    ----------
    sites, network : their names in both languages
    """
    title = title_of(report, english)
    pdf = Pdf(title=f"{network[english]} {title}", lang="en" if english else "zh-CN")
    _front(pdf, report, network, english)
    _trends(pdf, report, network, english)
    _metrics(pdf, report, network, english)
    _sites(pdf, report, sites, network, english)
    losses(pdf, report, network, english)
    loop(pdf, report, network, english)
    made = f"{local(made_at):%Y-%m-%d %H:%M}"
    edition = report.edition_en if english else report.edition_zh
    feet(pdf, f"{edition} · {'made at' if english else '生成时间'} {made} · greenchannel", english)
    return pdf.write()


# ---------------------------------------------------------------- the first page


def _front(pdf: Pdf, report: MonthlyReport, network: Word, english: bool) -> None:
    page, y = landscape(pdf, title_of(report, english), network[english])
    edition = report.edition_en if english else report.edition_zh
    page.text(MARGIN_MM, y - 5.5, f"Edition: {edition}" if english else f"依据：{edition}", 10, ink=GREY)
    y = _counts(page, y - 9.0, report, english)
    rows = [report.metric(name) for name in report.headline]
    gap = 4.0
    wide, tall = (INNER_MM - 2 * gap) / 3, 60.0
    for number, row in enumerate(rows):
        left = MARGIN_MM + (number % 3) * (wide + gap)
        top = y - 4.0 - (number // 3) * (tall + gap)
        _tile(page, left, top, wide, tall, row, english)
    paragraph(page, MARGIN_MM, FOOT_MM + 8.2, INNER_MM, RULES[english], 8)


def _counts(page: Page, y: float, report: MonthlyReport, english: bool) -> float:
    said = (
        (Word("病例", "cases"), report.cases),
        (Word("STEMI", "STEMI"), report.stemi),
        (Word("其中 PCI", "with PCI"), report.pci),
        (Word("其中溶栓", "with lysis"), report.lysis),
        (Word("其中转院", "transferred"), report.transferred),
        (Word("未述诊断", "no diagnosis said"), report.unsaid_diagnosis),
        (Word("未结案", "still open"), report.still_open),
    )
    each = INNER_MM / len(said)
    for number, (name, count) in enumerate(said):
        middle = MARGIN_MM + (number + 0.5) * each
        page.text(middle, y - 7.0, str(count), 20, bold=True, align="middle")
        page.text(middle, y - 12.0, name[english], 9.5, ink=GREY, align="middle")
    return y - 14.0


def _tile(
    page: Page, left: float, top: float, wide: float, tall: float, row: MetricRow, english: bool
) -> None:
    page.frame(left, top - tall, wide, tall, line=0.25, ink=PALE)
    inner, x = wide - 6.0, left + 3.0
    y = top - 5.8
    page.text(x, y, fitting(_name(row, english), 11, inner), 11, bold=True)
    page.text(x, y - 4.6, fitting(_ends(row, english), 8, inner), 8, ink=GREY)
    page.text(x, y - 17.5, _big(row, english), 26 if row.value is not None else 18, bold=True, ink=BLUE)
    page.text(left + wide - 3.0, y - 12.0, _target(row, english), 9.5, align="right")
    page.text(left + wide - 3.0, y - 17.5, _verdict(row, row.kept, english), 12, bold=True, align="right")
    y -= 18.5
    for text in _said(row, english):
        y = paragraph(page, x, y, inner, text, 8.5)
    spark(page, x, top - tall + 2.5, inner - 2.0, max(4.0, y - (top - tall) - 5.5), row)


def _name(row: MetricRow, english: bool) -> str:
    return f"{row.en[:1].upper()}{row.en[1:]}" if english else row.zh


def _ends(row: MetricRow, english: bool) -> str:
    """The two end points in words: the same label under two editions is two intervals."""
    if not row.endpoints:
        return row.source
    names = milestones()
    return " → ".join(names[one].en if english else names[one].zh for one in row.endpoints)


def _big(row: MetricRow, english: bool) -> str:
    """Its value; where nobody has minutes and yet some have met it, since it was done before it was due, the share."""
    if row.value is None and row.kept.early:
        return percent(row.kept.share, english)
    return _value(row, row.value, english)


def _value(row: MetricRow, value: float | None, english: bool) -> str:
    return percent(value, english) if row.is_share else minutes(value, english)


def _target(row: MetricRow, english: bool) -> str:
    said = []
    if row.target_min is not None and not row.is_share:
        sign = "<" if row.below else "≤"
        said.append(f"{sign}{row.target_min:g} {'min' if english else '分'}")
    if row.target_share is not None:
        said.append(f"≥{100 * row.target_share:g}%")
    if not said:
        return "no target" if english else "无目标值"
    return f"{'target' if english else '目标'} {', '.join(said)}"


def _verdict(row: MetricRow, numbers: Numbers, english: bool) -> str:
    if row.target_min is None and row.target_share is None:
        return ""
    if numbers.reached is None:
        return "cannot be told" if english else "无法判断"
    if numbers.reached:
        return "● reached" if english else "● 达标"
    return "○ not reached" if english else "○ 未达标"


def _said(row: MetricRow, english: bool) -> list[str]:
    """Counts, the share with its interval, the same with those excluded and why they are, the month before."""
    lines = [_counted(row.kept, row.is_share, english)]
    if row.kept.share is not None and not row.is_share:
        lines.append(_share(row.kept, english))
    if row.excluded:
        value = value_of(row.all, is_share=row.is_share, statistic=row.statistic)
        why = ", ".join(f"{one.en if english else one.zh} {one.n}" for one in row.reasons if one.n)
        every = _value(row, value, english)
        if row.kept.reached is not row.all.reached:  # with those excluded it is the other way
            every += f" {_verdict(row, row.all, english)}"
        lines.append(
            f"with the {row.excluded} excluded: {every} ({why})"
            if english
            else f"含剔除的 {row.excluded} 例：{every}（{why}）"
        )
    if row.before is not None:
        lines.append(f"{'month before' if english else '上月'} {_value(row, row.before, english)}")
    return lines


def _counted(one: Numbers, is_share: bool, english: bool) -> str:
    known = one.eligible - one.missing - one.negative if is_share else one.n
    said = [f"n={known}", f"missing {one.missing}" if english else f"缺失 {one.missing}"]
    if one.early:
        said.append(f"before its start {one.early}" if english else f"早于起点 {one.early}（计为达标）")
    if one.bounded:
        said.append(f"told as a day {one.bounded}" if english else f"仅知日期 {one.bounded}")
    if one.negative:
        said.append(f"wrong way round {one.negative}" if english else f"先后颠倒 {one.negative}")
    if one.could_turn:
        said.append(
            f"clock could turn {one.could_turn}" if english else f"时钟误差可改变判定 {one.could_turn}"
        )
    return "; ".join(said) if english else "，".join(said)


def _share(one: Numbers, english: bool) -> str:
    said = f"{'met' if english else '达标率'} {percent(one.share, english)}"
    if one.share_interval is None:
        return said
    low, high = (100 * bound for bound in one.share_interval)
    return f"{said} (95 % {low:.0f}–{high:.0f}%)" if english else f"{said}（95%区间 {low:.0f}–{high:.0f}%）"


# ---------------------------------------------------------------- a year of each


def _trends(pdf: Pdf, report: MonthlyReport, network: Word, english: bool) -> None:
    part = Word("近一年趋势", "the year so far")
    columns, gap = 3, 5.0
    wide, tall = (INNER_MM - (columns - 1) * gap) / columns, 50.0
    page, y = sheet(pdf, report, network, part, english)
    for number, row in enumerate(report.metrics):
        place = number % (3 * columns)
        if place == 0 and number:
            page, y = sheet(pdf, report, network, part, english)
        if place == 0:
            text = (
                "solid: without exclusions; broken: all cases; band: the target; n: cases of the solid line"
                if english
                else "实线：剔除后；虚线：全部病例；色带：目标范围；n：实线例数；断开处：当月无病例"
            )
            page.text(MARGIN_MM, y - 4.5, text, 8.5, ink=GREY)
        left = MARGIN_MM + (place % columns) * (wide + gap)
        bottom = y - 8.0 - (place // columns + 1) * (tall + 3.0)
        trend_chart(page, left, bottom, wide, tall, row, english)


# ---------------------------------------------------------------- every metric with and without


def _metrics(pdf: Pdf, report: MonthlyReport, network: Word, english: bool) -> None:
    part = Word("全部指标", "every metric")

    def turn() -> tuple[Page, float]:
        page, y = sheet(pdf, report, network, part, english)
        return page, y - 3.0

    heads = {
        False: (
            "指标",
            "起止",
            "目标",
            "",
            "n",
            "缺失",
            "均值",
            "中位数 [四分位]",
            "达标率（95%区间）",
            "结论",
        ),
        True: (
            "Metric",
            "From → to",
            "Target",
            "",
            "n",
            "Missing",
            "Mean",
            "Median [IQR]",
            "Met (95 %)",
            "Verdict",
        ),
    }
    rows: list[list[str]] = []
    for row in report.metrics:
        lead = [_name(row, english), _ends(row, english), _target(row, english)]
        every, kept = ("all", "kept") if english else ("全部", "剔除后")
        left_out = f"{kept} −{row.excluded}"
        rows.append([*lead, left_out, *_numbers(row.kept, english), _verdict(row, row.kept, english)])
        rows.append(["", "", "", every, *_numbers(row.all, english), _verdict(row, row.all, english)])
    page, y = turn()
    table(turn, page, y, heads[english], rows, (40, 46, 24, 16, 9, 12, 15, 28, 32, 18), size=8, right_from=3)


def _numbers(one: Numbers, english: bool) -> list[str]:
    quartiles = ""
    if one.q1_min is not None and one.q3_min is not None:
        quartiles = f" [{one.q1_min:.0f}–{one.q3_min:.0f}]"
    interval = ""
    if one.share_interval is not None:
        low, high = (100 * bound for bound in one.share_interval)
        interval = f" ({low:.0f}–{high:.0f})"
    known = one.n or one.eligible - one.missing - one.negative
    return [
        str(known),
        str(one.missing),
        "—" if one.mean_min is None else f"{one.mean_min:.1f}",
        "—" if one.median_min is None else f"{one.median_min:.1f}{quartiles}",
        "—" if one.share is None else f"{percent(one.share, english)}{interval}",
    ]


# ---------------------------------------------------------------- sites


def _sites(pdf: Pdf, report: MonthlyReport, sites: Names, network: Word, english: bool) -> None:
    part = Word("各机构", "by site")

    def turn() -> tuple[Page, float]:
        page, y = sheet(pdf, report, network, part, english)
        return page, y - 3.0

    chosen = [report.metric(name) for name in report.of_sites]
    head = ["Site", "Cases", "STEMI", "ECGs", "Not acceptable", "Read within (median)"]
    if not english:
        head = ["机构", "病例", "STEMI", "心电图", "不合格", "接收至签发（中位）"]
    for one in chosen:
        head += [
            _name(one, english),
            "Met" if english else "达标率",
        ]
    rows = [_site(one, report, sites, english) for one in report.sites]
    page, y = turn()
    shares = (44, 13, 13, 14, 20, 28, *(30, 20) * len(chosen))
    page, y = table(turn, page, y, head, rows, shares)
    said = []
    if report.more_sites:
        more = report.more_sites
        said.append(
            f"{more} more sites with fewer cases" if english else f"另有 {more} 家机构病例较少，未列出"
        )
    said.append(
        "a site with few cases has its counts and no rates: one case would move them too far"
        if english
        else "病例过少的机构只列例数，不列比率：一例即可使其大幅变动"
    )
    paragraph(page, MARGIN_MM, y - 1.0, INNER_MM, "；".join(said) if not english else "; ".join(said), 8.5)


def _site(one: SiteRow, report: MonthlyReport, sites: Names, english: bool) -> list[str]:
    name = sites[one.site][english] if one.site in sites else one.site
    rejected = f"{one.rejected}"
    if one.ecgs >= report.least_for_a_rate:
        rejected += f" ({percent(one.rejected / one.ecgs, english)})"
    row = [
        name,
        str(one.cases),
        str(one.stemi),
        str(one.ecgs),
        rejected,
        "—" if one.read_median_min is None else minutes(one.read_median_min, english),
    ]
    for name_of, found in zip(report.of_sites, one.metrics, strict=True):
        spec = report.metric(name_of)
        if found is None:
            row += ["—", "—"]
            continue
        value = value_of(found, is_share=spec.is_share, statistic=spec.statistic)
        shown = "—" if value is None else _value(spec, value, english)
        enough = found.share is not None and found.eligible >= report.least_for_a_rate
        row += [f"{shown} (n={found.n})", percent(found.share, english) if enough else "—"]
    return row
