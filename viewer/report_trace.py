"""Traces on a page of a report, exact to the millimetre: grid, strips, gaps, calibration, evidence.

Nothing is filtered; each strip is only moved so that its median is at 0. Gaps stay gaps. Evidence is blue.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal.recording import Recording
from greenchannel.viewer.paper_evidence import (
    after_j_s,
    evidence_of,
    evidence_text,
    is_st_level,
    whole_beat,
)
from greenchannel.viewer.paper_layout import CALIBRATION_MM, Placed, Sheet, Strip
from greenchannel.viewer.pdf_font import width_mm
from greenchannel.viewer.pdf_writer import MM_PER_PT, Page, colour
from greenchannel.viewer.words import Word

Floats = NDArray[np.float64]

FINE: Final = colour("#f3e3e0")
COARSE: Final = colour("#e2bdb7")
TRACE: Final = colour("#141414")
EVIDENCE: Final = colour("#0b57d0")
GREY: Final = colour("#5a5a5a")
WHITE: Final = colour("#ffffff")
_HATCH: Final = colour("#b5b5b5")

TRACE_WIDTH: Final = 0.26  # mm
_COLUMN_MM: Final = (
    0.025  # of more samples than one in it, the outermost are drawn: finer than a printer's dot
)
_SHOWN_GAP_S: Final = 0.2  # a shorter one is seen as a break of the line alone
_HATCH_MM: Final = 3.0
_NAME_PT: Final = 8.5
_LABEL_PT: Final = 6.5
_LABEL_MM: Final = 9.0  # from the edge of a strip to its evidence, behind the lead's name
_GAP: Final = Word("无信号", "no signal")
_BAD: Final = Word("不可用", "unusable")
_ABSENT: Final = Word("未记录", "not recorded")


def draw_grid(page: Page, left: float, bottom: float, width: float, height: float) -> None:
    """Millimetres thin, every fifth one stronger; the corner is on a strong one."""
    for step, ink, line in ((1.0, FINE, 0.1), (5.0, COARSE, 0.18)):
        xs = np.arange(left, left + width + step / 2, step)
        ys = np.arange(bottom, bottom + height + step / 2, step)
        rows: list[list[tuple[float, float]]] = [[(x, bottom), (x, bottom + height)] for x in xs]
        rows += [[(left, y), (left + width, y)] for y in ys]
        page.lines(rows, width=line, ink=ink)


def draw_traces(
    page: Page,
    placed: Placed,
    recording: Recording,
    analysis: Mapping[str, Any] | None,
    *,
    english: bool,
) -> None:
    """One page of traces with its grid.

    Parameters
    ----------
    analysis : the analyze object; None where the ECG was not read, then no evidence is drawn
    """
    sheet = placed.sheet
    draw_grid(page, sheet.left_mm, sheet.bottom_mm, sheet.grid_width_mm, sheet.grid_height_mm)
    for strip in placed.absent:
        _name(page, strip, f"{_ABSENT[english]}")
    bad = set(analysis["quality"]["bad_leads"]) if analysis else set()
    names: list[tuple[Strip, str, Mapping[str, Any] | None]] = []
    with page.clipped(sheet.left_mm, sheet.bottom_mm - 2.0, sheet.grid_width_mm, sheet.grid_height_mm + 3.0):
        for strip in placed.strips:
            at_s, level_mv = samples_of(strip, recording)
            _gaps(page, strip, at_s, level_mv, english)
            if strip.lead in bad:
                hatch(page, strip.left_mm, strip.zero_mm - strip.half_height_mm + 1, strip.width_mm,
                      2 * strip.half_height_mm - 2)  # fmt: skip
                names.append((strip, _BAD[english], None))
            else:
                names.append((strip, "", analysis))
        for strip, note, shown in names:  # no word may hide a wave: they stand under the traces
            _name(page, strip, note)
            if shown is not None:
                _evidence(page, strip, recording, shown, english)
        for strip in placed.strips:
            at_s, level_mv = samples_of(strip, recording)
            with page.marked("Trace", f"{strip.lead} {strip.from_s:.3f} {strip.to_s:.3f}"):
                for points in polylines(strip, at_s, level_mv):
                    page.line(points, width=TRACE_WIDTH, ink=TRACE)
            _border(page, strip, sheet)


def samples_of(strip: Strip, recording: Recording) -> tuple[Floats, Floats]:
    """Instants (s) and levels (mV) of a strip, its median at 0; NaN where nothing was recorded."""
    first, last = round(strip.from_s * recording.rate_hz), round(strip.to_s * recording.rate_hz)
    level_mv = recording.lead(strip.lead)[first:last].astype(np.float64)
    known = level_mv[np.isfinite(level_mv)]
    at_s = (first + np.arange(level_mv.size)) / recording.rate_hz
    return at_s, level_mv - (float(np.median(known)) if known.size else 0.0)


def polylines(strip: Strip, at_s: Floats, level_mv: Floats) -> Iterator[Floats]:
    """The lines of a strip in mm, shape ``(points, 2)`` each, broken at gaps.

    Where several samples fall into one column of `_COLUMN_MM`, its first, lowest, highest and last are kept.
    """
    known = np.isfinite(level_mv)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]).astype(np.int8)))
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        xy = np.column_stack(
            [strip.x_mm(0.0) + at_s[first:last] * strip.speed_mm_per_s, _heights(strip, level_mv[first:last])]
        )
        if len(xy) == 1:
            xy = np.vstack([xy, xy + np.array([TRACE_WIDTH / 2, 0.0])])
        yield _thinned(xy)


def _heights(strip: Strip, level_mv: Floats) -> Floats:
    scale = -strip.gain_mm_per_mv if strip.turned else strip.gain_mm_per_mv
    heights: Floats = strip.zero_mm + level_mv * scale
    return heights


def _thinned(xy: Floats) -> Floats:
    column = np.floor(xy[:, 0] / _COLUMN_MM).astype(np.int64)
    starts = np.flatnonzero(np.diff(column, prepend=column[0] - 1))
    if starts.size * 4 >= len(xy):
        return xy
    ends = np.append(starts[1:], len(xy)) - 1
    lowest = starts + [int(np.argmin(xy[a : b + 1, 1])) for a, b in zip(starts, ends, strict=True)]
    highest = starts + [int(np.argmax(xy[a : b + 1, 1])) for a, b in zip(starts, ends, strict=True)]
    kept = np.unique(np.concatenate([starts, lowest, highest, ends]))
    thin: Floats = xy[kept]
    return thin


def _gaps(page: Page, strip: Strip, at_s: Floats, level_mv: Floats, english: bool) -> None:
    """A grey hatching where nothing was recorded, named where there is room."""
    missing = ~np.isfinite(level_mv)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], missing, [False]]).astype(np.int8)))
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        from_s, to_s = at_s[first], at_s[last - 1]
        if to_s - from_s < _SHOWN_GAP_S:
            continue
        left, right = strip.x_mm(float(from_s)), strip.x_mm(float(to_s))
        height = min(2 * strip.half_height_mm - 2, 12.0)
        hatch(page, left, strip.zero_mm - height / 2, right - left, height)
        word = _GAP[english]
        if width_mm(word, 7 * MM_PER_PT) + 2 < right - left:
            _plate(page, (left + right) / 2 - width_mm(word, 7 * MM_PER_PT) / 2, strip.zero_mm, word, 7)


def hatch(page: Page, left: float, bottom: float, width: float, height: float) -> None:
    """Diagonal grey lines."""
    if width <= 0:
        return
    with page.clipped(left, bottom, width, height):
        starts = np.arange(left - height, left + width, _HATCH_MM)
        page.lines([[(x, bottom), (x + height, bottom + height)] for x in starts], width=0.12, ink=_HATCH)


def _plate(page: Page, x: float, y: float, text: str, size_pt: float, ink: Any = TRACE) -> None:
    size = size_pt * MM_PER_PT
    page.area(x - 0.5, y - 0.9, width_mm(text, size) + 1.0, size + 0.7, ink=WHITE)
    page.text(x, y, text, size_pt, ink=ink)


def _name_mm(strip: Strip) -> float:
    return strip.zero_mm + strip.half_height_mm - 3.4


def _name(page: Page, strip: Strip, note: str) -> None:
    y = _name_mm(strip)
    wide = page.text(strip.left_mm + 1.2, y, strip.label, _NAME_PT, bold=True, ink=TRACE)
    if note:
        page.text(strip.left_mm + 2.4 + wide, y, note, 7.0, ink=GREY)


def _border(page: Page, strip: Strip, sheet: Sheet) -> None:
    """The calibration at the left of a row; between the leads of a row a short stroke."""
    x, y = strip.left_mm, strip.zero_mm
    if strip.left_mm > sheet.left_mm + CALIBRATION_MM:
        page.line([(x, y - 2.5), (x, y + 2.5)], width=0.2, ink=TRACE)
        return
    x, top = x - CALIBRATION_MM + 3.0, y + strip.gain_mm_per_mv
    wide = 0.2 * strip.speed_mm_per_s
    pulse = [(x - 1.5, y), (x, y), (x, top), (x + wide, top), (x + wide, y), (x + wide + 1.5, y)]
    with page.marked("Calibration", strip.lead):
        page.line(pulse, width=TRACE_WIDTH, ink=TRACE)


def _evidence(
    page: Page, strip: Strip, recording: Recording, analysis: Mapping[str, Any], english: bool
) -> None:
    evidence = evidence_of(strip.lead, analysis)
    if not evidence:
        return
    # The level that readers look for first; what else the rules rest on follows where there is room.
    shown = sorted(evidence.values(), key=lambda item: not is_st_level(item["quantity"]))
    label = _as_fits([evidence_text(item, english=english) for item in shown], strip.width_mm - _LABEL_MM)
    if label:
        _plate(page, strip.left_mm + _LABEL_MM + 1.0, _name_mm(strip), label, _LABEL_PT, EVIDENCE)
    beat = whole_beat(strip, analysis)
    base_mv = None if beat is None else _level_before(strip, recording, *beat)
    if beat is None or base_mv is None:
        return
    for name, item in evidence.items():
        if is_st_level(name) and item["value"] is not None and item["threshold"] is not None:
            _level(page, strip, base_mv, beat, item)


def _level(
    page: Page, strip: Strip, base_mv: float, beat: tuple[float, float], item: Mapping[str, Any]
) -> None:
    """Baseline, threshold (dashed) and level of one value on a beat."""
    left, right = strip.x_mm(beat[0]) - 2.0, strip.x_mm(beat[1]) + 5.0
    x = strip.x_mm(beat[1] + after_j_s(item["quantity"]))
    base, limit = strip.y_mm(base_mv), strip.y_mm(base_mv + item["threshold"])
    level = strip.y_mm(base_mv + item["value"])
    page.line([(left, base), (right, base)], width=0.15, ink=EVIDENCE)
    page.line([(x - 2.5, limit), (right, limit)], width=0.15, ink=EVIDENCE, dash="0.6 0.5")
    page.line([(x, base), (x, level)], width=0.15, ink=EVIDENCE)
    page.line([(x - 1.0, level), (x + 3.0, level)], width=0.35, ink=EVIDENCE)
    page.dot(x, level, 0.5, ink=EVIDENCE)


def _level_before(strip: Strip, recording: Recording, on_s: float, off_s: float) -> float | None:
    """Mean level of the 16 ms before a QRS; None where a sample is missing from there to behind its ST segment."""
    at_s, level_mv = samples_of(strip, recording)
    beat = level_mv[(at_s >= on_s - 0.016) & (at_s <= off_s + 0.2)]
    before = level_mv[(at_s >= on_s - 0.016) & (at_s <= on_s)]
    return float(before.mean()) if before.size and np.isfinite(beat).all() else None


def _as_fits(labels: list[str], room_mm: float) -> str:
    """The first label and those behind it for which there is room, so that none runs into the next strip."""
    size = _LABEL_PT * MM_PER_PT
    for count in range(len(labels), 0, -1):
        more = f" +{len(labels) - count}" if count < len(labels) else ""
        text = " · ".join(labels[:count]) + more
        if width_mm(text, size) + 2 <= room_mm:
            return text
    return ""
