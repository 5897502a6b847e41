"""The pages of a report: traces with head and conclusion, then what they rest on, then the median beats."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from greenchannel.alerts import drill
from greenchannel.signal.recording import Recording
from greenchannel.triage.quantities import quantity
from greenchannel.viewer import report_content
from greenchannel.viewer.paper_layout import Placed, Sheet, place, sheet_of
from greenchannel.viewer.pdf_font import width_mm, wrap
from greenchannel.viewer.pdf_writer import BLACK, MM_PER_PT, Page, Pdf, colour
from greenchannel.viewer.report_content import Report
from greenchannel.viewer.report_trace import (
    EVIDENCE,
    GREY,
    TRACE,
    TRACE_WIDTH,
    draw_grid,
    draw_traces,
)
from greenchannel.viewer.words import AUTOMATIC

_LINE_EM: Final = 1.35  # from one line to the next, in letters
_RULE: Final = colour("#9aa0a6")
_TOP_MM: Final = 8.0  # margin above
_SMALL: Final = 7.0
_BODY: Final = 9.0
_MEDIAN_SPEED: Final = 50.0  # mm/s
_MEDIAN_GAIN: Final = 20.0  # mm/mV
_DRILL_FRAME_MM: Final = 2.2  # below the foot of the page
_DRILL_WORDS_MM: Final = 4.0
_WHITE: Final = (1.0, 1.0, 1.0)


def pages(
    report: Report,
    recording: Recording,
    analysis: Mapping[str, Any] | None,
    *,
    form: str = "auto",
    paper: str = "landscape",
    speed: float = 25.0,
    gain: float = 10.0,
    from_s: float = 0.0,
) -> bytes:
    """The report as a PDF.

    Parameters
    ----------
    form, paper, speed, gain, from_s : see `paper_layout.place`
    """
    pdf = Pdf(title=f"{report.title} {report.who[0][1]}", lang="en" if report.english else "zh-CN")
    placed = place(
        recording.leads, recording.duration_s, form=form, paper=paper, speed=speed, gain=gain, from_s=from_s
    )
    for index, one in enumerate(placed):
        page = pdf.page(one.sheet.width_mm, one.sheet.height_mm)
        draw_traces(page, one, recording, analysis, english=report.english)
        _front(page, one.sheet, report, whole=index == 0)
        _scale(page, one, report, recording, speed, gain)
    _details(pdf, sheet_of(paper, 1), report)
    _medians(pdf, sheet_of(paper, 1), report, analysis)
    for number, page in enumerate(pdf.pages, 1):
        _foot(page, report, number, len(pdf.pages))
        if report.drill:
            _drill(page)
    return pdf.write()


def _drill(page: Page) -> None:
    """A hatched frame around the page, and the word in it, above and below."""
    width, height, band = page.width_mm, page.height_mm, _DRILL_FRAME_MM
    for x, y, w, h in (
        (0.0, 0.0, width, band),
        (0.0, height - band, width, band),
        (0.0, 0.0, band, height),
        (width - band, 0.0, band, height),
    ):
        page.area(x, y, w, h, ink=_WHITE)
        with page.clipped(x, y, w, h):
            strokes = [((s, y), (s + h, y + h)) for s in np.arange(x - h, x + w, 3.0)]
            page.lines(strokes, width=1.2, ink=BLACK)
    for y in (0.0, height - _DRILL_WORDS_MM):
        page.area(width / 2 - 45.0, y, 90.0, _DRILL_WORDS_MM, ink=_WHITE)
        page.text(width / 2, y + 1.0, drill.ON_PAPER, 8, bold=True, align="middle")


# ---------------------------------------------------------------- the first page


def _front(page: Page, sheet: Sheet, report: Report, *, whole: bool) -> None:
    """Head and, on the first page, the conclusion as far as there is room above the traces."""
    y = _head(page, sheet.left_mm, sheet.grid_width_mm, report)
    if not whole:
        return
    room = y - sheet.top_mm - 2.0
    if room < 8.0:
        return
    half = sheet.grid_width_mm / 2 - 3.0
    columns = (sheet.left_mm, sheet.left_mm + sheet.grid_width_mm / 2 + 3.0)
    upright = page.height_mm > page.width_mm
    if upright:  # one below the other
        half, columns = sheet.grid_width_mm, (sheet.left_mm, sheet.left_mm)
    signed, machine = _signed_lines(report), _machine_lines(report)
    for column, lines in zip(columns, (signed, machine), strict=True):
        part = room / 2 if upright else room
        used = _block(page, column, y, half, part, lines, report.english)
        if upright:
            y, room = y - used - 1.0, room - used - 1.0
            part = room


Line = tuple[str, float, bool]  # text, size in points, bold


def _signed_lines(report: Report) -> list[Line]:
    title = "Doctor's reading" if report.english else "医师诊断"
    if not report.readings:
        return [(title, 8.0, True), (report.state, _BODY, False)]
    one = report.readings[0]
    lines: list[Line] = [(f"{title}  {one.head}", 8.0, True), (one.text, _BODY, False)]
    return [*lines, *((f"{name}：{text}", 8.0, False) for name, text in one.more)]


def _machine_lines(report: Report) -> list[Line]:
    lines: list[Line] = [
        (AUTOMATIC[report.english], 8.0, True),
        (report.machine, 8.0, False),
    ]
    lines += [(one.text, 8.0, False) for one in report.findings]
    return [*lines, *((text, _SMALL, False) for text in report.quality)]


def _block(
    page: Page, x: float, y: float, width: float, room: float, lines: Sequence[Line], english: bool
) -> float:
    """Lines from `y` downwards, as many as fit; the rest is on a later page, and it says so. Returns their height."""
    broken = [
        (row, size, bold) for text, size, bold in lines for row in wrap(text, size * MM_PER_PT, width - 2)
    ]
    heights = [size * MM_PER_PT * _LINE_EM for _, size, _ in broken]
    start = y
    for index, (row, size, bold) in enumerate(broken):
        left = sum(heights[index:])
        last = left > start - y + room - 2 * (start - y) and heights[index] * 2 > room - (start - y)
        if last and index + 1 < len(broken):
            page.text(x, y - size * MM_PER_PT, _later(english), _SMALL, ink=GREY)
            return start - y + heights[index]
        page.text(x, y - size * MM_PER_PT, row, size, bold=bold)
        y -= heights[index]
    return start - y


def _later(english: bool) -> str:
    return "… more on the next pages" if english else "……全文见后页"


def _head(page: Page, left: float, width: float, report: Report) -> float:
    """Title, who, when and the measurements; returns the height below."""
    right, y = left + width, page.height_mm - _TOP_MM
    y -= 4.5
    title = page.text(left, y, report.title, 13, bold=True)
    page.text(left + title + 4, y, report.institution, 10)
    page.text(right, y, report.state, 9, bold=True, align="right")
    y -= 1.8
    page.line([(left, y), (right, y)], width=0.25, ink=_RULE)
    for pairs in (report.who, report.when):
        y = _pairs(page, left, y, width, pairs, 8.5)
    return _table_line(page, left, y - 0.8, width, report.measures)


def _pairs(
    page: Page, left: float, y: float, width: float, pairs: Sequence[tuple[str, str]], size: float
) -> float:
    """Names and values one behind the other, in as many lines as they need."""
    step, x = size * MM_PER_PT * 1.4, left
    y -= step
    for name, value in pairs:
        wide = width_mm(f"{name} {value}", size * MM_PER_PT) + 5.0
        if x > left and x + wide - 5.0 > left + width:
            x, y = left, y - step
        shown = page.text(x, y, name, size, ink=GREY)
        rows = wrap(value, size * MM_PER_PT, left + width - x - shown - 1.5)
        for index, row in enumerate(rows):
            y -= step if index else 0.0
            page.text(x + shown + 1.2, y, row, size)
        x += wide
    return y


def _table_line(page: Page, left: float, y: float, width: float, cells: Sequence[tuple[str, str]]) -> float:
    """One row of measurements: the name above the value."""
    if not cells:
        return y - 1.5
    each = width / len(cells)
    top, bottom = y - 0.6, y - 8.6
    page.frame(left, bottom, width, top - bottom, line=0.15, ink=_RULE)
    for index, (name, value) in enumerate(cells):
        x = left + index * each
        if index:
            page.line([(x, bottom), (x, top)], width=0.15, ink=_RULE)
        size = _SMALL
        while width_mm(name, size * MM_PER_PT) > each - 1 and size > 4.5:
            size -= 0.5
        page.text(x + each / 2, top - 3.0, name, size, ink=GREY, align="middle")
        page.text(x + each / 2, bottom + 1.3, value, 9, bold=True, align="middle")
    return bottom - 1.5


def _scale(
    page: Page, placed: Placed, report: Report, recording: Recording, speed: float, gain: float
) -> None:
    """What a centimetre means, and which seconds are shown."""
    english, sheet = report.english, placed.sheet
    first = min((one.from_s for one in placed.strips), default=0.0)
    last = max((one.to_s for one in placed.strips), default=0.0)
    whole = recording.duration_s
    part = f"{first:g}–{last:g} s"
    if last - first < whole - 0.05:
        part += f" of {whole:.1f} s" if english else f"（全长 {whole:.1f} 秒）"
    text = f"{speed:g} mm/s   {gain:g} mm/mV   {report.device_filter}   {recording.rate_hz:g} Hz   {part}"
    page.text(sheet.left_mm, 6.6, text, _SMALL)


def _foot(page: Page, report: Report, number: int, count: int) -> None:
    left, right = 13.5 if page.width_mm > 250 else 10.0, page.width_mm - 13.5
    who = report.who[0]
    name = f"{who[1]} · {report.who[-1][1]} · {report.version}"
    page.text(left, 3.2, name, 6.5, ink=GREY)
    text = f"page {number} of {count}" if report.english else f"第 {number} 页，共 {count} 页"
    page.text(right, 3.2, text, _SMALL, align="right")


# ---------------------------------------------------------------- what it rests on


class _Flow:
    """Text from the top of pages downwards; a new page where the last one is full."""

    def __init__(self, pdf: Pdf, sheet: Sheet, report: Report) -> None:
        self._pdf, self._sheet, self._report = pdf, sheet, report
        self.left, self.width = sheet.left_mm, sheet.grid_width_mm
        self._turn()

    def _turn(self) -> None:
        self.page = self._pdf.page(self._sheet.width_mm, self._sheet.height_mm)
        self.y = self._sheet.height_mm - _TOP_MM - 4.5
        self.page.text(self.left, self.y, self._report.title, 11, bold=True)
        self.page.text(self.left + self.width, self.y, self._report.state, 8.5, bold=True, align="right")
        self.y -= 2.0
        self.page.line([(self.left, self.y), (self.left + self.width, self.y)], width=0.25, ink=_RULE)
        self.y -= 2.0

    def need(self, height: float) -> None:
        if self.y - height < self._sheet.bottom_mm:
            self._turn()

    def title(self, text: str) -> None:
        self.need(14.0)
        self.y -= 6.0
        self.page.text(self.left, self.y, text, 10, bold=True)
        self.y -= 1.5

    def text(self, text: str, size: float = _BODY, *, bold: bool = False, indent: float = 0.0) -> None:
        step = size * MM_PER_PT * _LINE_EM
        for row in wrap(text, size * MM_PER_PT, self.width - indent):
            self.need(step)
            self.y -= step
            self.page.text(self.left + indent, self.y, row, size, bold=bold)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], shares: Sequence[float]) -> None:
        """Columns by their shares of the width; the head again on each page."""
        size, total = 8.0, sum(shares)
        widths = [self.width * share / total for share in shares]
        step = size * MM_PER_PT * _LINE_EM
        self._row(head, widths, size, step, bold=True)
        for row in rows:
            broken = [wrap(cell, size * MM_PER_PT, wide - 2) for cell, wide in zip(row, widths, strict=True)]
            height = step * max(len(cell) for cell in broken) + 0.8
            if self.y - height < self._sheet.bottom_mm:
                self._turn()
                self._row(head, widths, size, step, bold=True)
            top = self.y
            for index, cell in enumerate(broken):
                x = self.left + sum(widths[:index])
                for line, text in enumerate(cell):
                    self.page.text(x, top - step * (line + 1), text, size)
            self.y = top - height
            self.page.line(
                [(self.left, self.y - 0.2), (self.left + self.width, self.y - 0.2)], width=0.08, ink=_RULE
            )

    def _row(
        self, cells: Sequence[str], widths: Sequence[float], size: float, step: float, *, bold: bool
    ) -> None:
        self.need(2 * step)
        self.y -= step
        for index, cell in enumerate(cells):
            x = self.left + sum(widths[:index])
            self.page.text(x, self.y, cell, size, bold=bold, ink=GREY)
        self.y -= 0.8
        self.page.line([(self.left, self.y), (self.left + self.width, self.y)], width=0.2, ink=_RULE)


def _details(pdf: Pdf, sheet: Sheet, report: Report) -> None:
    """Every reading in full, the machine's findings, the values they rest on, where the samples came from."""
    flow, english = _Flow(pdf, sheet, report), report.english
    flow.title("Signed readings, the newest first" if english else "医师诊断（最新在前）")
    if not report.readings:
        flow.text(report.state)
    for one in report.readings:
        flow.text(one.head, 8.5, bold=True)
        flow.text(one.text, indent=4.0)
        for name, text in one.more:
            flow.text(f"{name}{': ' if english else '：'}{text}", indent=4.0)
        flow.y -= 1.5
    flow.title(AUTOMATIC[english])
    flow.text(report.machine)
    for found in report.findings:
        flow.text(f"{found.tier} · {found.text}", indent=4.0, bold=True)
        if found.why:
            flow.text(found.why, 8.0, indent=8.0)
    for text in report.quality:
        flow.text(text, 8.0, indent=4.0)
    if report.evidence:
        flow.title("Evidence" if english else "依据")
        head = (
            ("Lead", "Quantity", "Value", "Limit", "Rule", "Finding")
            if english
            else ("导联", "测量", "测值", "阈值", "规则", "结论")
        )
        flow.table(head, report.evidence, (1.8, 4.0, 2.0, 1.8, 2.6, 4.0))
    if report.leads:
        flow.title("Each lead, mV (* not usable)" if english else "各导联测量，mV（* 不可用）")
        names = [quantity(key) for key in report_content.LEAD_COLUMNS]
        columns = [row.en if english else row.zh for row in names]
        flow.table(("Lead" if english else "导联", *columns), report.leads, (1.2, *(2.0 for _ in columns)))
    flow.title("Source" if english else "来源")
    for name, value in report.sources:
        flow.text(f"{name}  {value}", 8.0)


# ---------------------------------------------------------------- the median beats


def _medians(pdf: Pdf, sheet: Sheet, report: Report, analysis: Mapping[str, Any] | None) -> None:
    """One cell a lead: the median beat with baseline, J and the level there; nothing where there is no beat."""
    median = None if analysis is None else analysis.get("median")
    if median is None or analysis is None:
        return
    english = report.english
    page = pdf.page(sheet.width_mm, sheet.height_mm)
    top = sheet.height_mm - _TOP_MM - 4.5
    page.text(sheet.left_mm, top, "Median beats" if english else "中位心搏", 11, bold=True)
    page.text(sheet.left_mm + sheet.grid_width_mm, top, AUTOMATIC[english], 8.5, ink=GREY, align="right")
    leads = list(median["samples_mv"])
    columns = (5 if len(leads) > 12 else 4) if sheet.width_mm > sheet.height_mm else 3
    rows = -(-len(leads) // columns)
    wide = np.floor(sheet.grid_width_mm / columns / 5) * 5
    tall = min(np.floor((top - 3.0 - sheet.bottom_mm) / rows / 5) * 5, 60.0)
    left, upper = sheet.left_mm, np.floor(top - 3.0)
    draw_grid(page, left, upper - rows * tall, columns * wide, rows * tall)
    for index, lead in enumerate(leads):
        column, row = divmod(index, rows)
        cell = left + column * wide, upper - (row + 1) * tall
        page.frame(*cell, wide, tall, line=0.25, ink=_RULE)
        with page.clipped(*cell, wide, tall):
            _median(page, cell, (wide, tall), lead, median, analysis, english)
    note = f"{_MEDIAN_SPEED:g} mm/s   {_MEDIAN_GAIN:g} mm/mV   " + (
        "blue: baseline, QRS onset, J; mV at J" if english else "蓝色：基线、QRS 起点、J 点；数值为 J 点 mV"
    )
    page.text(sheet.left_mm, 6.6, note, _SMALL)


def _median(
    page: Page,
    cell: tuple[float, float],
    size: tuple[float, float],
    lead: str,
    median: Mapping[str, Any],
    analysis: Mapping[str, Any],
    english: bool,
) -> None:
    left, bottom = cell
    values = np.array(median["samples_mv"][lead], dtype=np.float64)
    known = values[np.isfinite(values)]
    spread = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
    # In the middle of its cell, on a line of the grid.
    zero = round(bottom + size[1] / 2 - _MEDIAN_GAIN * (spread[0] + spread[1]) / 2)
    start = left + max(0.0, (size[0] - values.size / median["rate_hz"] * _MEDIAN_SPEED) / 2)
    for at_s in (median["qrs_on_s"], median["qrs_off_s"]):
        x = start + at_s * _MEDIAN_SPEED
        page.line([(x, zero - 6), (x, zero + 6)], width=0.12, ink=EVIDENCE, dash="0.8 0.6")
    page.line([(left, zero), (left + size[0], zero)], width=0.12, ink=EVIDENCE)
    xs = start + np.arange(values.size) / median["rate_hz"] * _MEDIAN_SPEED
    points = np.column_stack([xs, zero + values * _MEDIAN_GAIN])[np.isfinite(values)]
    with page.marked("Median", lead):
        page.line(points, width=TRACE_WIDTH, ink=TRACE)
    measured = analysis["measurements"]["leads"].get(lead) or {}
    level = measured.get("stj_mv")
    wide = page.text(left + 1.5, bottom + size[1] - 4.0, lead, 9, bold=True, ink=BLACK)
    shown = "" if level is None else f"J {report_content.level_text(level)}"
    if measured and not measured.get("usable", True):
        shown = "unusable" if english else "不可用"
    page.text(left + 3.0 + wide, bottom + size[1] - 4.0, shown, 8, ink=EVIDENCE)
