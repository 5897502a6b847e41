"""Where each lead stands on the sheet. Pure geometry, in millimetres from the lower left corner of A4 landscape.

The proportion is fixed by the axes themselves: 25 mm a second and 10 mm a millivolt, whatever is drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from greenchannel.signal.leads import STANDARD_12, STANDARD_18

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

    def x_mm(self, at_s: float) -> float:
        """Place of an instant, in seconds from the first sample."""
        return self.left_mm + (at_s - self.from_s) * SPEED_MM_PER_S

    def y_mm(self, level_mv: float) -> float:
        """Place of a level in millivolt."""
        return self.zero_mm + level_mv * GAIN_MM_PER_MV


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
