"""How marks are compared with readings: who is matched with whom, what is missed, what is extra. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

TOLERANCE_S: Final = 0.150  # as AAMI EC57 has it for beats, and as LUDB's authors use for every border
PARTS: Final = ("on", "peak", "off")

Wave = tuple[float | None, float | None, float | None]
"""Onset, peak and offset in seconds; None where one is not given."""


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Waves or beats found, missed and extra."""

    hits: int = 0
    missed: int = 0
    extra: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            hits=self.hits + other.hits, missed=self.missed + other.missed, extra=self.extra + other.extra
        )

    @property
    def marked(self) -> int:
        """How many the reference has."""
        return self.hits + self.missed

    @property
    def told(self) -> int:
        """How many were told, as far as they count."""
        return self.hits + self.extra


@dataclass(frozen=True, kw_only=True)
class WaveScore:
    """Waves of one kind in one lead: counts, and what matched borders differ by in ms, ours minus the mark."""

    counts: Counts
    errors_ms: dict[str, list[float]] = field(default_factory=dict)
    far: int = 0  # borders of matched waves beyond the tolerance: in no mean, but told
    not_given: int = 0  # borders of matched waves that we leave unknown


def match(
    marks: Sequence[float], ours: Sequence[float], within_s: float = TOLERANCE_S
) -> list[tuple[int, int]]:
    """Pairs of indices ``(mark, ours)``, the nearest first, nobody twice, none further apart than `within_s`."""
    apart = sorted(
        (abs(a - b), i, j) for i, a in enumerate(marks) for j, b in enumerate(ours) if abs(a - b) <= within_s
    )
    pairs: list[tuple[int, int]] = []
    taken_marks: set[int] = set()
    taken_ours: set[int] = set()
    for _, i, j in apart:
        if i not in taken_marks and j not in taken_ours:
            pairs.append((i, j))
            taken_marks.add(i)
            taken_ours.add(j)
    return sorted(pairs)


def count_beats(
    marks: Sequence[float],
    ours: Sequence[float],
    *,
    first_s: float,
    last_s: float,
    unsure: Sequence[float] = (),
    within_s: float = TOLERANCE_S,
) -> tuple[Counts, list[float]]:
    """Beats against marks, and the instants of those missed or extra.

    Parameters
    ----------
    marks, ours : instants in s
    first_s, last_s : what lies outside of them and matches nothing is not extra: nobody marked there
    unsure : marks that need not be found, but may be
    """
    pairs = match(marks, ours, within_s)
    found, used = {i for i, _ in pairs}, {j for _, j in pairs}
    free = [ours[j] for j in range(len(ours)) if j not in used]
    allowed = {j for _, j in match(unsure, free, within_s)}
    extra = [at for j, at in enumerate(free) if j not in allowed and first_s <= at <= last_s]
    missed = [at for i, at in enumerate(marks) if i not in found]
    return Counts(hits=len(pairs), missed=len(missed), extra=len(extra)), missed + extra


def centre(wave: Wave) -> float | None:
    """Where a wave is: its peak, or the middle of the borders that are known; None for no wave."""
    if wave[1] is not None:
        return wave[1]
    known = [at for at in (wave[0], wave[2]) if at is not None]
    return sum(known) / len(known) if known else None


def score_waves(
    marks: Sequence[Wave],
    ours: Sequence[Wave],
    *,
    first_s: float,
    last_s: float,
    within_s: float = TOLERANCE_S,
) -> WaveScore:
    """Waves of one kind in one lead against their marks.

    Waves are matched by their peaks (`centre`). A border of a matched pair counts where it lies within the
    tolerance; how many lie beyond is told apart, so that no mean is flattered in silence.

    Parameters
    ----------
    marks, ours : waves of one lead; those without any known instant are no waves
    first_s, last_s : the marked stretch; what matches nothing outside of it is not extra
    """
    there = [wave for wave in ours if centre(wave) is not None]
    at_marks = [at for wave in marks if (at := centre(wave)) is not None]
    at_ours = [at for wave in there if (at := centre(wave)) is not None]
    pairs = match(at_marks, at_ours, within_s)
    used = {j for _, j in pairs}
    extra = sum(1 for j, at in enumerate(at_ours) if j not in used and first_s <= at <= last_s)
    errors: dict[str, list[float]] = {part: [] for part in PARTS}
    far = not_given = 0
    for i, j in pairs:
        for part, mark, told in zip(PARTS, marks[i], there[j], strict=True):
            if mark is None:
                continue
            if told is None:
                not_given += 1
            elif abs(told - mark) > within_s:
                far += 1
            else:
                errors[part].append((told - mark) * 1000)
    counts = Counts(hits=len(pairs), missed=len(at_marks) - len(pairs), extra=extra)
    return WaveScore(counts=counts, errors_ms=errors, far=far, not_given=not_given)
