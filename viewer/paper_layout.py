"""Where each lead stands on the sheet. Pure geometry, in millimetres from the lower left corner of A4 landscape.

The proportion is fixed by the axes themselves: 25 mm a second and 10 mm a millivolt, whatever is drawn. Reports may be
asked for at another speed or gain, in another arrangement, and upright (`Sheet`, `place`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from greenchannel.signal.leads import LIMB, PRECORDIAL, STANDARD_12, STANDARD_18

SHEET_MM: Final = (297.0, 210.0)
SPEED_MM_PER_S: Final = 25.0
GAIN_MM_PER_MV: Final = 10.0
GRID_MM: Final = (13.5, 11.0, 270.0, 140.0)  # left, bottom, width, height: whole big squares
CALIBRATION_MM: Final = 15.0  # room for the pulse at the left of each row
TRACE_S: Final = 10.0  # 250 mm of trace


@dataclass(frozen=True, kw_only=True, slots=True)
class Strip:
    """One piece of one lead on the sheet."""

    lead: str
    from_s: float  # from the first sample of the recording
    to_s: float
    left_mm: float
    zero_mm: float  # height of 0 mV
    half_height_mm: float
    speed_mm_per_s: float = SPEED_MM_PER_S
    gain_mm_per_mv: float = GAIN_MM_PER_MV
    turned: bool = False  # upside down: −aVR of Cabrera's order

    @property
    def label(self) -> str:
        """What stands at the trace."""
        return f"−{self.lead}" if self.turned else self.lead

    @property
    def width_mm(self) -> float:
        """From its first instant to its last."""
        return (self.to_s - self.from_s) * self.speed_mm_per_s

    def x_mm(self, at_s: float) -> float:
        """Place of an instant, in seconds from the first sample."""
        return self.left_mm + (at_s - self.from_s) * self.speed_mm_per_s

    def y_mm(self, level_mv: float) -> float:
        """Place of a level in millivolt."""
        level = -level_mv if self.turned else level_mv
        return self.zero_mm + level * self.gain_mm_per_mv


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """A page with its grid of whole big squares, in mm."""

    width_mm: float
    height_mm: float
    left_mm: float
    bottom_mm: float
    grid_width_mm: float
    grid_height_mm: float
    trace_mm: float  # length of a strip over the whole width

    @property
    def top_mm(self) -> float:
        """Upper edge of the grid."""
        return self.bottom_mm + self.grid_height_mm


FORMS: Final = ("auto", "3x4+1R", "6x2", "12x1", "18", "cabrera")
PAPERS: Final = ("landscape", "portrait")
SPEEDS: Final = (25, 50)  # mm/s
GAINS: Final = (5, 10, 20)  # mm/mV

_CABRERA: Final = ("aVL", "I", "aVR", "II", "aVF", "III")
_HEIGHTS: Final = {
    "landscape": (140.0, 155.0),
    "portrait": (150.0, 195.0),
}  # of the grid: usual, of twelve rows


def sheet_of(paper: str, rows: int) -> Sheet:
    """The page for so many rows: the grid is taller where there are many."""
    height = _HEIGHTS[paper][1 if rows > 8 else 0]
    if paper == "landscape":
        return Sheet(
            width_mm=297.0,
            height_mm=210.0,
            left_mm=GRID_MM[0],
            bottom_mm=GRID_MM[1],
            grid_width_mm=GRID_MM[2],
            grid_height_mm=height,
            trace_mm=TRACE_S * SPEED_MM_PER_S,
        )
    return Sheet(
        width_mm=210.0,
        height_mm=297.0,
        left_mm=10.0,
        bottom_mm=11.0,
        grid_width_mm=190.0,
        grid_height_mm=height,
        trace_mm=175.0,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Placed:
    """One page of traces."""

    sheet: Sheet
    strips: tuple[Strip, ...]
    absent: tuple[Strip, ...]  # places of leads that were not recorded


def place(
    leads: Sequence[str],
    duration_s: float,
    *,
    form: str = "auto",
    paper: str = "landscape",
    speed: float = SPEED_MM_PER_S,
    gain: float = GAIN_MM_PER_MV,
    from_s: float = 0.0,
) -> tuple[Placed, ...]:
    """Every page of traces of a report; leads that an arrangement has no place for follow on a page of their own.

    Parameters
    ----------
    leads, duration_s : of the recording
    form, paper : of `FORMS` and `PAPERS`
    speed, gain : in mm/s and mm/mV
    from_s : where the strips begin, in seconds from the first sample
    """
    blocks, long_lead = _blocks(form, leads)
    pages = [(blocks, long_lead)]
    shown = {lead for block in blocks for lead in block}
    rest = [lead for lead in leads if lead not in shown]
    if rest:
        pages.append(columns(rest))
    return tuple(
        _page(block, long, set(leads), duration_s, paper, speed, gain, from_s, form == "cabrera")
        for block, long in pages
    )


def _blocks(form: str, leads: Sequence[str]) -> tuple[tuple[tuple[str, ...], ...], str | None]:
    match form:
        case "3x4+1R":
            return tuple(STANDARD_12[i : i + 3] for i in range(0, 12, 3)), "II"
        case "6x2":
            return (LIMB, PRECORDIAL), None
        case "12x1":
            return (STANDARD_12,), None
        case "18":
            return tuple(STANDARD_18[i : i + 6] for i in range(0, 18, 6)), None
        case "cabrera":
            return (_CABRERA, PRECORDIAL), None
        case _:
            return columns(leads)


def _page(
    blocks: tuple[tuple[str, ...], ...],
    long_lead: str | None,
    there: set[str],
    duration_s: float,
    paper: str,
    speed: float,
    gain: float,
    from_s: float,
    cabrera: bool,
) -> Placed:
    rows = max(len(block) for block in blocks) + (long_lead is not None)
    sheet = sheet_of(paper, rows)
    row_mm = sheet.grid_height_mm / rows
    whole_s = sheet.trace_mm / speed
    end_s = min(duration_s, from_s + whole_s)
    column_s = whole_s / len(blocks)

    def strip(lead: str, column: int, row: int, length_s: float) -> Strip:
        first = from_s + column * column_s
        if first >= end_s:  # a short recording: every lead is still shown, from its first sample
            first = from_s
        return Strip(
            lead=lead,
            from_s=first,
            to_s=max(min(first + length_s, end_s), first),
            left_mm=sheet.left_mm + CALIBRATION_MM + column * column_s * speed,
            zero_mm=sheet.top_mm - (row + 0.5) * row_mm,
            half_height_mm=row_mm / 2,
            speed_mm_per_s=speed,
            gain_mm_per_mv=gain,
            turned=cabrera and lead == "aVR",
        )

    made = [
        strip(lead, column, row, column_s)
        for column, block in enumerate(blocks)
        for row, lead in enumerate(block)
    ]
    if long_lead is not None:
        made.append(strip(long_lead, 0, rows - 1, whole_s))
    return Placed(
        sheet=sheet,
        strips=tuple(one for one in made if one.lead in there),
        absent=tuple(one for one in made if one.lead not in there),
    )


def columns(leads: Sequence[str]) -> tuple[tuple[tuple[str, ...], ...], str | None]:
    """The leads column by column, and the lead of the long strip below or None.

    Twelve leads stand as 3 x 4 with a long lead II, eighteen as 6 x 3; any other set in as many rows as it
    needs: each lead over the full width up to six, in two columns up to twelve, in three above.
    """
    present = set(leads)
    if present == set(STANDARD_12):
        return tuple(STANDARD_12[i : i + 3] for i in range(0, 12, 3)), "II"
    ordered = [
        *(name for name in STANDARD_18 if name in present),
        *(n for n in leads if n not in STANDARD_18),
    ]
    count = 1 if len(ordered) <= 6 else 2 if len(ordered) <= 12 else 3
    rows = -(-len(ordered) // count)
    return tuple(tuple(ordered[i : i + rows]) for i in range(0, len(ordered), rows)), None


def strips(leads: Sequence[str], duration_s: float) -> tuple[Strip, ...]:
    """Every strip of the sheet, for the first `TRACE_S` seconds at most.

    The columns follow one another in time, as on a recorder: what stands side by side was not simultaneous.
    """
    blocks, long_lead = columns(leads)
    rows = max(len(block) for block in blocks) + (long_lead is not None)
    left, bottom, _, height = GRID_MM
    row_mm = height / rows
    shown_s = min(duration_s, TRACE_S)
    column_s = TRACE_S / len(blocks)
    placed = []
    for index, block in enumerate(blocks):
        from_s, to_s = index * column_s, min((index + 1) * column_s, shown_s)
        if from_s >= shown_s:  # a short recording: every lead is still shown, from its first sample
            from_s, to_s = 0.0, min(column_s, shown_s)
        for row, lead in enumerate(block):
            placed.append(
                Strip(
                    lead=lead,
                    from_s=from_s,
                    to_s=to_s,
                    left_mm=left + CALIBRATION_MM + index * column_s * SPEED_MM_PER_S,
                    zero_mm=bottom + height - (row + 0.5) * row_mm,
                    half_height_mm=row_mm / 2,
                )
            )
    if long_lead is not None:
        placed.append(
            Strip(
                lead=long_lead,
                from_s=0.0,
                to_s=shown_s,
                left_mm=left + CALIBRATION_MM,
                zero_mm=bottom + row_mm / 2,
                half_height_mm=row_mm / 2,
            )
        )
    return tuple(placed)
