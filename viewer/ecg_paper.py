"""One ECG on paper: A4 landscape, exact to the millimetre, with the evidence of the findings drawn on the trace.

Nothing is filtered; each strip is only moved so that its median is at 0. Evidence is blue; red and amber stand for
urgency alone. The font is the simplified Chinese face of Noto Sans CJK: the collection's first face is Japanese and
writes 直 and 骨 in another form.
"""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontPath, FontProperties
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from greenchannel.alerts import drill
from greenchannel.signal.recording import Recording
from greenchannel.viewer import words
from greenchannel.viewer.paper_evidence import after_j_s, evidence_of, evidence_text, is_st_level, whole_beat
from greenchannel.viewer.paper_layout import (
    CALIBRATION_MM,
    GAIN_MM_PER_MV,
    GRID_MM,
    SHEET_MM,
    SPEED_MM_PER_S,
    TRACE_S,
    Strip,
    strips,
)

SIMPLIFIED_CHINESE_FACE: Final = 2
FORMATS: Final = (".png", ".pdf")
PNG_DPI: Final = 200

_FONT_FILE: Final = Path(str(files("noto_cjk_sans_otc") / "NotoSansCJK-Regular.ttc"))
_FINE, _COARSE, _TRACE, _EVIDENCE, _GREY = "#f3e3e0", "#e2bdb7", "#141414", "#0b57d0", "#5a5a5a"
_TIER_COLOUR: Final = {"ACT": "#b3261e", "CRIT": "#b3261e", "URG": "#8a5a00"}
_FRAME_MM = 4.0  # of the hatched frame of a drill
_LINE_MM = 4.1  # from one line of the findings to the next
_LABEL_PT = 7.0
_LABEL_MM = 9.0  # from the edge of a strip to its evidence, behind the lead's name
_EM_MM = _LABEL_PT * 25.4 / 72
_COLUMN_EM = 47.0  # width of the findings' column in letters of the Chinese text


def plot(recording: Recording, interpretation: Mapping[str, Any], out: Path) -> None:
    """Draw one ECG with its automatic analysis into a PNG or PDF file.

    Parameters
    ----------
    recording : Recording
        The first ten seconds are drawn.
    interpretation : mapping
        The analyze object: ``source patient tier findings measurements fiducials quality version``.
    out : Path
        Ends in ``.png`` (200 dots an inch) or ``.pdf`` (text stays text).

    Raises
    ------
    ValueError
        The name ends otherwise.
    """
    suffix = out.suffix.lower()
    if suffix not in FORMATS:
        raise ValueError(f"expected a file name ending in .png or .pdf, got {out.name}")
    figure = draw(recording, interpretation)
    # Type 42 leaves Chinese blank in the PDF; no creation date, so that equal input gives equal bytes.
    with mpl.rc_context({"pdf.fonttype": 3}):
        figure.savefig(
            out,
            format=suffix[1:],
            dpi=PNG_DPI,
            metadata={"CreationDate": None} if suffix == ".pdf" else {"Software": "greenchannel"},
        )


def draw(recording: Recording, interpretation: Mapping[str, Any]) -> Figure:
    """The sheet as a figure whose one axes counts in millimetres."""
    figure = Figure(figsize=(SHEET_MM[0] / 25.4, SHEET_MM[1] / 25.4))
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0), xlim=(0.0, SHEET_MM[0]), ylim=(0.0, SHEET_MM[1]))
    axes.set_axis_off()
    _grid(axes)
    for strip in strips(recording.leads, recording.duration_s):
        _strip(axes, strip, recording, interpretation)
    _header(axes, interpretation)
    _footer(axes, recording, interpretation)
    if interpretation.get("drill"):
        _drill(axes)
    return figure


def _drill(axes: Axes) -> None:
    """A drill cannot be mistaken for a patient: a hatched frame around the sheet, and the word across it and above."""
    width, height = SHEET_MM
    for x, y, w, h in (
        (0.0, 0.0, width, _FRAME_MM),
        (0.0, height - _FRAME_MM, width, _FRAME_MM),
        (0.0, 0.0, _FRAME_MM, height),
        (width - _FRAME_MM, 0.0, _FRAME_MM, height),
    ):
        axes.add_patch(
            Rectangle(
                (x, y), w, h, facecolor="white", edgecolor=_TRACE, hatch="////", linewidth=0.0, zorder=3.0
            )
        )
    plate = {"facecolor": "white", "edgecolor": _TRACE, "pad": 2.0}
    _text(axes, width / 2, height - 8.5, drill.ON_PAPER, 11, weight="bold", ha="center", bbox=plate)
    _text(
        axes, width / 2, height / 2 - 10.0, drill.WORDS, 90, weight="bold", ha="center", va="center",
        color=_TRACE, alpha=0.10, rotation=20,
    )  # fmt: skip


def _font(size_pt: float) -> FontProperties:
    return FontProperties(fname=FontPath(str(_FONT_FILE), SIMPLIFIED_CHINESE_FACE), size=size_pt)


def _text(axes: Axes, x_mm: float, y_mm: float, text: str, size_pt: float, **more: Any) -> None:
    # A name with a dollar sign is a name, not mathematics. Between grid and trace: no word may hide a wave.
    axes.text(x_mm, y_mm, text, fontproperties=_font(size_pt), parse_math=False, zorder=1.8, **more)


def _grid(axes: Axes) -> None:
    left, bottom, width, height = GRID_MM
    for step, colour, line_pt in ((1.0, _FINE, 0.35), (5.0, _COARSE, 0.55)):
        xs = np.arange(left, left + width + step / 2, step)
        ys = np.arange(bottom, bottom + height + step / 2, step)
        lines = [((x, bottom), (x, bottom + height)) for x in xs]
        lines += [((left, y), (left + width, y)) for y in ys]
        axes.add_collection(LineCollection(lines, colors=colour, linewidths=line_pt, zorder=0.5))


def _strip(axes: Axes, strip: Strip, recording: Recording, interpretation: Mapping[str, Any]) -> None:
    first, last = round(strip.from_s * recording.rate_hz), round(strip.to_s * recording.rate_hz)
    samples_mv = recording.lead(strip.lead)[first:last].astype(np.float64)
    known = samples_mv[np.isfinite(samples_mv)]
    samples_mv = samples_mv - (np.median(known) if known.size else 0.0)
    at_s = (first + np.arange(samples_mv.size)) / recording.rate_hz
    left, bottom, width, height = GRID_MM
    frame = Rectangle((left, bottom - 2.0), width, height + 3.0, transform=axes.transData)
    line = axes.plot(
        strip.left_mm + (at_s - strip.from_s) * SPEED_MM_PER_S,
        strip.zero_mm + samples_mv * GAIN_MM_PER_MV,
        color=_TRACE,
        linewidth=0.75,
        solid_joinstyle="round",
    )[0]
    line.set_clip_path(frame)
    if strip.left_mm == left + CALIBRATION_MM:
        _calibration(axes, strip)
    else:
        axes.plot(
            [strip.left_mm] * 2, [strip.zero_mm - 2.5, strip.zero_mm + 2.5], color=_TRACE, linewidth=0.6
        )
    name_mm = strip.zero_mm + strip.half_height_mm - 3.2
    bad = strip.lead in interpretation["quality"]["bad_leads"]
    _text(axes, strip.left_mm + 1.2, name_mm, strip.lead, 8.5, weight="bold", color=_TRACE)
    if bad:
        _hatch(axes, strip, name_mm)
        return
    evidence = evidence_of(strip.lead, interpretation)
    if evidence:
        _evidence(axes, strip, evidence, at_s, samples_mv, interpretation, name_mm)


def _calibration(axes: Axes, strip: Strip) -> None:
    """A pulse of 1 mV and 0.2 s: 10 mm high, 5 mm wide."""
    x, y = strip.left_mm - CALIBRATION_MM + 4.0, strip.zero_mm
    top = y + GAIN_MM_PER_MV
    axes.plot(
        [x - 2.0, x, x, x + 5.0, x + 5.0, x + 7.0], [y, y, top, top, y, y], color=_TRACE, linewidth=0.75
    )


def _hatch(axes: Axes, strip: Strip, name_mm: float) -> None:
    width = (strip.to_s - strip.from_s) * SPEED_MM_PER_S
    axes.add_patch(
        Rectangle(
            (strip.left_mm, strip.zero_mm - strip.half_height_mm + 1.0),
            width,
            2 * strip.half_height_mm - 2.0,
            facecolor="none",
            edgecolor="#9a9a9a",
            hatch="////",
            linewidth=0.0,
            zorder=0.8,
        )
    )
    _text(axes, strip.left_mm + 9.0, name_mm, "不可用 unusable", 7.5, color=_TRACE, bbox=_PLATE)


_PLATE: Final = {"facecolor": "white", "edgecolor": "none", "pad": 1.2, "alpha": 0.85}


def _evidence(
    axes: Axes,
    strip: Strip,
    evidence: Mapping[str, Mapping[str, Any]],
    at_s: NDArray[np.float64],
    samples_mv: NDArray[np.float64],
    interpretation: Mapping[str, Any],
    name_mm: float,
) -> None:
    # The level that readers look for first; what else the rules rest on follows where there is room.
    shown = sorted(evidence.values(), key=lambda item: not is_st_level(item["quantity"]))
    room_em = ((strip.to_s - strip.from_s) * SPEED_MM_PER_S - _LABEL_MM) / _EM_MM
    label = _as_fits([evidence_text(item) for item in shown], room_em)
    _text(axes, strip.left_mm + _LABEL_MM, name_mm, label, _LABEL_PT, color=_EVIDENCE, bbox=_PLATE)
    beat = whole_beat(strip, interpretation)
    if beat is None:
        return
    on_s, off_s = beat
    before = samples_mv[(at_s >= on_s - 0.016) & (at_s <= on_s)]
    if before.size == 0 or not np.isfinite(before).all():
        return
    base_mm = strip.y_mm(float(before.mean()))
    left_mm, right_mm = strip.x_mm(on_s) - 2.0, strip.x_mm(off_s) + 5.0
    axes.plot([left_mm, right_mm], [base_mm, base_mm], color=_EVIDENCE, linewidth=0.6)
    for name, item in evidence.items():
        if not is_st_level(name) or item["value"] is None or item["threshold"] is None:
            continue
        x_mm = strip.x_mm(off_s) + after_j_s(name) * SPEED_MM_PER_S
        threshold_mm = base_mm + item["threshold"] * GAIN_MM_PER_MV
        level_mm = base_mm + item["value"] * GAIN_MM_PER_MV
        axes.plot(
            [x_mm - 2.5, right_mm],
            [threshold_mm] * 2,
            color=_EVIDENCE,
            linewidth=0.6,
            linestyle=(0, (2, 1.5)),
        )
        axes.plot([x_mm, x_mm], [base_mm, level_mm], color=_EVIDENCE, linewidth=0.6)
        axes.plot([x_mm - 1.0, x_mm + 3.0], [level_mm] * 2, color=_EVIDENCE, linewidth=1.1)
        axes.plot([x_mm], [level_mm], marker="o", markersize=2.6, color=_EVIDENCE)


def _as_fits(labels: list[str], room_em: float) -> str:
    """The first label and those behind it for which there is room, so that none runs into the next strip."""
    for count in range(len(labels), 0, -1):
        more = f" +{len(labels) - count}" if count < len(labels) else ""
        text = " · ".join(labels[:count]) + more
        if _em(text) <= room_em:
            return text
    return _shorten(labels[0], room_em)


def _header(axes: Axes, interpretation: Mapping[str, Any]) -> None:
    left, right = GRID_MM[0], GRID_MM[0] + GRID_MM[2]
    source = Path(str(interpretation["source"] or "")).name
    _text(axes, left, 201.5, _shorten(f"心电图 ECG   {source}", 62), 11, weight="bold")
    _text(axes, right, 201.5, f"{words.AUTOMATIC.zh} · {words.AUTOMATIC.en}", 8.5, ha="right", color=_GREY)
    _text(axes, left, 195.5, _patient_and_intervals(interpretation), 8.5)
    tier = interpretation["tier"]
    meaning = words.TIERS[tier]
    colour = _TIER_COLOUR.get(tier, "#444444")
    plate = {"facecolor": colour, "edgecolor": "none", "boxstyle": "round,pad=0.25"}
    _text(axes, left + 1.2, 188.6, tier, 10, weight="bold", color="white", bbox=plate)
    _text(axes, left + 16.0, 188.6, f"{meaning.zh}   {meaning.en}", 9.5, color=colour)
    _findings(axes, interpretation)


def _patient_and_intervals(interpretation: Mapping[str, Any]) -> str:
    patient, measured = interpretation["patient"], interpretation["measurements"]
    sex, age = words.SEXES[patient["sex"]], words.age(patient["age_years"])

    def number(key: str) -> str:
        return "未知" if measured[key] is None else f"{measured[key]:.0f}".replace("-", "−")

    return (
        f"{sex.zh} {age.zh} ({sex.en}, {age.en})   心率 HR {number('heart_rate_bpm')} /min   PR {number('pr_ms')}   "
        f"QRS {number('qrs_ms')}   QT {number('qt_ms')}   QTcF {number('qtc_fridericia_ms')} ms   "
        f"电轴 axis {number('axis_deg')}°"
    )


def _findings(axes: Axes, interpretation: Mapping[str, Any]) -> None:
    """Chinese at the left, English at the right, one finding beside its translation."""
    left, middle = GRID_MM[0], GRID_MM[0] + GRID_MM[2] / 2 + 2.0
    y_mm, lowest_mm = 182.2, GRID_MM[1] + GRID_MM[3] + 2.0
    rows: list[tuple[str, str]] = [
        (f"{f['tier']} {f['id']}  {f['zh']}", f"{f['tier']} {f['id']}  {f['en']}")
        for f in interpretation["findings"]
    ]
    rows += [(f"质量  {m['zh']}", f"quality  {m['en']}") for m in interpretation["quality"]["messages"]]
    for index, (zh, en) in enumerate(rows):
        zh_lines, en_lines = _wrap(zh, _COLUMN_EM), _wrap(en, _COLUMN_EM)
        needed = max(len(zh_lines), len(en_lines)) * _LINE_MM
        remaining = len(rows) - index
        if y_mm - needed + _LINE_MM < lowest_mm + (_LINE_MM if remaining > 1 else 0.0):
            _text(axes, left, y_mm, f"另有 {remaining} 条", 7.5, color=_GREY)
            _text(axes, middle, y_mm, f"{remaining} more", 7.5, color=_GREY)
            return
        for column_mm, lines in ((left, zh_lines), (middle, en_lines)):
            for i, line in enumerate(lines):
                _text(axes, column_mm, y_mm - i * _LINE_MM, line, 7.5)
        y_mm -= needed


def _footer(axes: Axes, recording: Recording, interpretation: Mapping[str, Any]) -> None:
    shown_s = min(recording.duration_s, TRACE_S)
    part = "" if recording.duration_s <= TRACE_S else f" (共 of {recording.duration_s:.1f} s)"
    version = interpretation["version"]
    started = "" if recording.started_at is None else f"   记录于 {recording.started_at:%Y-%m-%d %H:%M:%S %z}"
    left, right = GRID_MM[0], GRID_MM[0] + GRID_MM[2]
    _text(
        axes,
        left,
        5.8,
        f"25 mm/s   10 mm/mV   未滤波 no filter, as recorded   {recording.rate_hz:g} Hz   "
        f"0–{shown_s:g} s{part}{started}",
        7.5,
    )
    _text(
        axes,
        right,
        5.8,
        f"greenchannel {version['software']} · 规则 rules {version['rules']}",
        7.5,
        ha="right",
        color=_GREY,
    )


def _em(text: str) -> float:
    """Rough width of a text in letters of the Chinese script; Latin letters take a little more than half."""
    return sum(1.0 if ord(c) > 0x2E7F else 0.56 for c in text)


def _shorten(text: str, width_em: float) -> str:
    if _em(text) <= width_em:
        return text
    while _em(text) > width_em - 1.0:
        text = text[:-1]
    return text + "…"


def _wrap(text: str, width_em: float) -> list[str]:
    """Break at a space, or anywhere between Chinese letters."""
    lines, line = [], ""
    for char in text:
        if _em(line + char) > width_em:
            head, space, tail = line.rpartition(" ")
            if space and char != " " and ord(char) <= 0x2E7F and head:
                lines.append(head)
                line = tail
            else:
                lines.append(line)
                line = ""
        line += char
    return [part.strip() for part in [*lines, line] if part.strip()]
