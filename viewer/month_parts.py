"""The parts of a printed month: heads, tables, charts, as vectors. No colour means anything without a word."""

import math
from collections.abc import Callable, Sequence
from typing import Final

from greenchannel.alerts.quality.monthly_report import MetricRow, MonthlyReport, MonthPoint
from greenchannel.viewer.pdf_font import width_mm, wrap
from greenchannel.viewer.pdf_writer import MM_PER_PT, Page, Pdf, colour
from greenchannel.viewer.words import Word

WIDTH_MM: Final = 297.0
HEIGHT_MM: Final = 210.0
MARGIN_MM: Final = 12.0
INNER_MM: Final = WIDTH_MM - 2 * MARGIN_MM
FOOT_MM: Final = 13.0  # nothing but the foot below this height

GREY: Final = colour("#5f6368")
PALE: Final = colour("#dadce0")
BAND: Final = colour("#e8f0fe")
BLUE: Final = colour("#0b57d0")
STRIPE: Final = colour("#f5f7fa")
_LINE_EM: Final = 1.35
_STEPS: Final = (1, 2, 5, 10, 15, 20, 30, 60, 120, 240, 480, 960)


def landscape(pdf: Pdf, title: str, right: str) -> tuple[Page, float]:
    """A new A4 sheet with its head; the answer is the height below it."""
    page = pdf.page(WIDTH_MM, HEIGHT_MM)
    y = HEIGHT_MM - MARGIN_MM - 5.0
    page.text(MARGIN_MM, y, title, 15, bold=True)
    page.text(WIDTH_MM - MARGIN_MM, y, right, 10, ink=GREY, align="right")
    y -= 2.5
    page.line([(MARGIN_MM, y), (WIDTH_MM - MARGIN_MM, y)], width=0.3, ink=GREY)
    return page, y


def title_of(report: MonthlyReport, english: bool) -> str:
    """What the report is called."""
    year, _, number = report.month.partition("-")
    if english:
        return f"Chest-pain quality report, {report.month}"
    return f"胸痛中心质量月报 {year}年{int(number)}月"


def sheet(pdf: Pdf, report: MonthlyReport, network: Word, part: Word, english: bool) -> tuple[Page, float]:
    """A new sheet for one part of the report; the answer is the height below its head."""
    return landscape(pdf, f"{title_of(report, english)} · {part[english]}", network[english])


def feet(pdf: Pdf, text: str, english: bool) -> None:
    """The foot of every page, once their number is known."""
    for number, page in enumerate(pdf.pages, 1):
        page.text(MARGIN_MM, 6.0, text, 7.5, ink=GREY)
        count = f"page {number} of {len(pdf.pages)}" if english else f"第 {number} 页，共 {len(pdf.pages)} 页"
        page.text(WIDTH_MM - MARGIN_MM, 6.0, count, 8, ink=GREY, align="right")


def paragraph(page: Page, x: float, y: float, width: float, text: str, size: float) -> float:
    """Lines from `y` downwards; returns the height below."""
    step = size * MM_PER_PT * _LINE_EM
    for row in wrap(text, size * MM_PER_PT, width):
        y -= step
        page.text(x, y, row, size, ink=GREY)
    return y


def fitting(text: str, size: float, room: float) -> str:
    """As much of a line as there is room for."""
    if width_mm(text, size * MM_PER_PT) <= room:
        return text
    return wrap(text, size * MM_PER_PT, room - 3.0)[0] + "…"


# ---------------------------------------------------------------- tables


def table(
    turn: Callable[[], tuple[Page, float]],
    page: Page,
    y: float,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    shares: Sequence[float],
    *,
    left: float = MARGIN_MM,
    width: float = INNER_MM,
    size: float = 8.5,
    right_from: int = 1,
) -> tuple[Page, float]:
    """Rows under a head, on as many pages as they need.

    Parameters
    ----------
    turn : gives a new page and its height below the head
    shares : of the width, by column
    right_from : columns from here on stand at the right edge of theirs: numbers
    """
    widths = [width * one / sum(shares) for one in shares]
    step = size * MM_PER_PT * _LINE_EM

    def written(cells: Sequence[str], *, bold: bool) -> None:
        nonlocal y
        broken = [wrap(cell, size * MM_PER_PT, wide - 2.5) for cell, wide in zip(cells, widths, strict=True)]
        height = step * max(len(lines) for lines in broken) + 1.6
        if bold or shaded:
            page.area(left, y - height, width, height, ink=BAND if bold else STRIPE)
        for column, lines in enumerate(broken):
            x = left + sum(widths[:column])
            for number, text in enumerate(lines, 1):
                at = y - 0.4 - step * number + 0.6
                if column >= right_from:
                    page.text(x + widths[column] - 1.2, at, text, size, bold=bold, align="right")
                else:
                    page.text(x + 1.2, at, text, size, bold=bold)
        y -= height

    shaded = False
    written(head, bold=True)
    for number, row in enumerate(rows):
        tallest = max(len(wrap(c, size * MM_PER_PT, w - 2.5)) for c, w in zip(row, widths, strict=True))
        if y - tallest * step - 2.0 < FOOT_MM:
            page, y = turn()
            written(head, bold=True)
        shaded = number % 2 == 1
        written(row, bold=False)
    page.line([(left, y), (left + width, y)], width=0.2, ink=PALE)
    return page, y


# ---------------------------------------------------------------- charts


def trend_chart(
    page: Page, left: float, bottom: float, width: float, height: float, row: MetricRow, english: bool
) -> None:
    """A year of one metric: its value by month, of all cases as a broken line, the target as a band.

    A month without a case is a gap in the line. The numbers under it are the cases.
    """
    points = row.trend
    target = row.target_share if row.is_share else row.target_min
    top = _top([one.value for one in points] + [one.with_all for one in points] + [target], row.is_share)
    axis, foot = 9.0, 8.5
    x0, y0, wide, tall = left + axis, bottom + foot, width - axis - 1.0, height - foot - 6.0

    def at(value: float) -> float:
        return y0 + tall * min(value, top) / top

    page.text(left, bottom + height - 3.6, _title(row, english), 9, bold=True)
    if target is not None:
        low, high = (target, top) if row.is_share else (0.0, target)
        page.area(x0, at(low), wide, at(high) - at(low), ink=BAND)
        page.line([(x0, at(target)), (x0 + wide, at(target))], width=0.25, ink=BLUE, dash="1.2 0.8")
    for tick in _ticks(top, row.is_share):
        page.line([(x0, at(tick)), (x0 + wide, at(tick))], width=0.08, ink=PALE)
        page.text(x0 - 1.2, at(tick) - 0.9, _tick(tick, row.is_share), 7, ink=GREY, align="right")
    each = wide / len(points)
    for values, thick, dash in (
        ([one.with_all for one in points], 0.3, "1 0.8"),
        ([one.value for one in points], 0.7, ""),
    ):
        for part in _runs(values):
            page.line(
                [(x0 + (month + 0.5) * each, at(value)) for month, value in part],
                width=thick,
                ink=BLUE,
                dash=dash,
            )
    for number, point in enumerate(points):
        x = x0 + (number + 0.5) * each
        if point.value is not None:
            page.dot(x, at(point.value), 1.1, ink=BLUE)
        page.text(x, y0 - 3.2, point.month[5:].lstrip("0"), 7, ink=GREY, align="middle")
        page.text(x, y0 - 6.4, str(point.n), 6.5, ink=GREY, align="middle")
    page.text(left + axis - 1.2, y0 - 6.4, "n", 6.5, ink=GREY, align="right")
    page.line([(x0, y0), (x0 + wide, y0)], width=0.2, ink=GREY)


def spark(page: Page, left: float, bottom: float, width: float, height: float, row: MetricRow) -> None:
    """The year of one metric without words: a line, the last month as a dot, the target as a broken line."""
    target = row.target_share if row.is_share else row.target_min
    top = _top([one.value for one in row.trend] + [target], row.is_share)
    each = width / max(1, len(row.trend) - 1)
    if target is not None:
        y = bottom + height * min(target, top) / top
        page.line([(left, y), (left + width, y)], width=0.15, ink=GREY, dash="0.8 0.8")
    for part in _runs([one.value for one in row.trend]):
        page.line(
            [(left + m * each, bottom + height * min(v, top) / top) for m, v in part], width=0.5, ink=BLUE
        )
    last: MonthPoint = row.trend[-1]
    if last.value is not None:
        page.dot(left + width, bottom + height * min(last.value, top) / top, 1.0, ink=BLUE)


def bars(
    page: Page, left: float, y: float, width: float, rows: Sequence[tuple[str, int]], *, size: float = 9.0
) -> float:
    """Counts as bars, one below the other, each with its number; returns the height below."""
    most = max((count for _, count in rows), default=0)
    name = max((width_mm(text, size * MM_PER_PT) for text, _ in rows), default=0.0) + 3.0
    name = min(name, width * 0.55)
    room = width - name - 12.0
    for text, count in rows:
        y -= 6.2
        page.text(left + name - 2.0, y + 1.1, fitting(text, size, name - 2.0), size, align="right")
        if count:
            page.area(left + name, y, room * count / most, 4.2, ink=BLUE)
        page.text(left + name + (room * count / most if most else 0.0) + 1.5, y + 1.0, str(count), size)
    return y


def _title(row: MetricRow, english: bool) -> str:
    unit = "" if row.is_share else (", min" if english else "（分）")
    return (f"{row.en[:1].upper()}{row.en[1:]}" if english else row.zh) + unit


def _runs(values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """Months that follow each other with a value; what is between them is a gap."""
    found: list[list[tuple[int, float]]] = [[]]
    for month, value in enumerate(values):
        if value is None:
            found.append([])
        else:
            found[-1].append((month, value))
    return [part for part in found if part]


def _top(values: Sequence[float | None], is_share: bool) -> float:
    if is_share:
        return 1.0
    most = max((value for value in values if value is not None), default=1.0) * 1.1
    step = _step(most)
    return max(step, math.ceil(most / step) * step)


def _step(most: float) -> float:
    return next((step for step in _STEPS if most / step <= 5), math.ceil(most / 5))


def _ticks(top: float, is_share: bool) -> list[float]:
    if is_share:
        return [0.0, 0.25, 0.5, 0.75, 1.0]
    step = _step(top)
    return [step * number for number in range(int(top / step + 1e-9) + 1)]


def _tick(value: float, is_share: bool) -> str:
    return f"{value:.0%}" if is_share else f"{value:g}"


UNKNOWN: Final = Word("— 未知", "— unknown")


def minutes(value: float | None, english: bool) -> str:
    """Minutes for people; unknown in words."""
    if value is None:
        return UNKNOWN[english]
    shown = f"{value:.1f}" if value < 100 else f"{value:.0f}"
    return f"{shown} min" if english else f"{shown} 分"


def percent(value: float | None, english: bool) -> str:
    """A share for people; unknown in words."""
    return UNKNOWN[english] if value is None else f"{100 * value:.1f}%"
