"""The pages of a study's report, A4 upright."""

from typing import Final

from greenchannel.viewer.image_report_content import ImageReport, Pair
from greenchannel.viewer.month_parts import fitting
from greenchannel.viewer.pdf_font import wrap
from greenchannel.viewer.pdf_writer import MM_PER_PT, Page, Pdf, colour

_WIDTH: Final = 210.0
_HEIGHT: Final = 297.0
_MARGIN: Final = 16.0
_INNER: Final = _WIDTH - 2 * _MARGIN
_BOTTOM: Final = 20.0  # nothing but the foot below
_BODY: Final = 10.5
_LINE_EM: Final = 1.5
_GREY: Final = colour("#5f6368")
_RULE: Final = colour("#9aa0a6")
_RED: Final = colour("#b3261e")


def pages(report: ImageReport) -> bytes:
    """The report as a PDF."""
    flow = _Flow(
        Pdf(title=f"{report.title} {report.report_id}", lang="en" if report.english else "zh-CN"), report
    )
    flow.pairs(report.who)
    flow.pairs(report.study)
    if report.critical:
        flow.boxed(("Critical: " if report.english else "危急值：") + "；".join(report.critical))
    for section in report.sections:
        flow.title(section.title)
        flow.text(section.text)
    if report.calls:
        flow.title("Communication of the critical result" if report.english else "危急值通知记录")
        for line in report.calls:
            flow.text(line, 9.0)
    flow.signature(report.signed)
    return flow.finished()


class _Flow:
    """Text from the top downwards, with a new page where the last one is full."""

    def __init__(self, pdf: Pdf, report: ImageReport) -> None:
        self._pdf, self._report = pdf, report
        self._turn()

    def _turn(self) -> None:
        report = self._report
        self._page: Page = self._pdf.page(_WIDTH, _HEIGHT)
        self._y = _HEIGHT - _MARGIN - 4.0
        self._page.text(_WIDTH / 2, self._y, report.network, 11, align="middle")
        self._y -= 8.5
        self._page.text(_WIDTH / 2, self._y, report.title, 16, bold=True, align="middle")
        self._y -= 6.0
        self._page.text(_WIDTH - _MARGIN, self._y, report.state, 9.5, bold=True, align="right")
        self._y -= 2.0
        self._page.line([(_MARGIN, self._y), (_WIDTH - _MARGIN, self._y)], width=0.4, ink=_RULE)
        self._y -= 2.0

    def _need(self, height: float) -> None:
        if self._y - height < _BOTTOM:
            self._turn()

    def pairs(self, pairs: tuple[Pair, ...]) -> None:
        """Two columns of names and values; a long value takes the whole width."""
        size, step = 9.5, 9.5 * MM_PER_PT * _LINE_EM
        half, column = _INNER / 2, 0
        for name, value in pairs:
            text = f"{name}：{value}" if not self._report.english else f"{name}: {value}"
            rows = wrap(text, size * MM_PER_PT, half - 3.0)
            if len(rows) > 1:
                column = 0
                for row in wrap(text, size * MM_PER_PT, _INNER):
                    self._need(step)
                    self._y -= step
                    self._page.text(_MARGIN, self._y, row, size)
                continue
            if column == 0:
                self._need(step)
                self._y -= step
            self._page.text(_MARGIN + column * half, self._y, rows[0], size)
            column = 1 - column
        self._y -= 2.5
        self._page.line([(_MARGIN, self._y), (_WIDTH - _MARGIN, self._y)], width=0.15, ink=_RULE)

    def boxed(self, text: str) -> None:
        """What must not be overlooked: framed, and bold, so that it needs no colour."""
        size, step = 11.0, 11.0 * MM_PER_PT * _LINE_EM
        rows = wrap(text, size * MM_PER_PT, _INNER - 8.0)
        height = len(rows) * step + 3.0
        self._need(height + 4.0)
        self._y -= 4.0
        self._page.frame(_MARGIN, self._y - height, _INNER, height, line=0.6, ink=_RED)
        for index, row in enumerate(rows, 1):
            self._page.text(_MARGIN + 4.0, self._y - index * step, row, size, bold=True, ink=_RED)
        self._y -= height

    def title(self, text: str) -> None:
        """The head of a part."""
        self._need(16.0)
        self._y -= 9.0
        self._page.text(_MARGIN, self._y, text, 11.5, bold=True)
        self._y -= 1.0

    def text(self, text: str, size: float = _BODY) -> None:
        """Paragraphs, as their writer parted them."""
        step = size * MM_PER_PT * _LINE_EM
        for part in text.splitlines() or [""]:
            for row in wrap(part, size * MM_PER_PT, _INNER) or [""]:
                self._need(step)
                self._y -= step
                self._page.text(_MARGIN, self._y, row, size)

    def signature(self, text: str) -> None:
        """Who answers for it."""
        self._need(14.0)
        self._y -= 12.0
        self._page.text(_WIDTH - _MARGIN, self._y, text, 10.5, bold=True, align="right")

    def finished(self) -> bytes:
        """The bytes, with the foot of every page."""
        report = self._report
        for number, page in enumerate(self._pdf.pages, 1):
            page.line([(_MARGIN, 14.0), (_WIDTH - _MARGIN, 14.0)], width=0.15, ink=_RULE)
            page.text(
                _MARGIN,
                9.5,
                fitting(f"{report.printed} · {report.report_id}", 8, _INNER - 40.0),
                8,
                ink=_GREY,
            )
            count = (
                f"page {number} of {len(self._pdf.pages)}"
                if report.english
                else f"第 {number} 页，共 {len(self._pdf.pages)} 页"
            )
            page.text(_WIDTH - _MARGIN, 9.5, count, 8, ink=_GREY, align="right")
        return self._pdf.write()
