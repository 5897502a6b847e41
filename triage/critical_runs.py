"""Runs of ventricular beats, as the rules of tachycardia look at them."""

from collections.abc import Callable
from itertools import pairwise

import msgspec

from greenchannel.signal.measurements import Measurements
from greenchannel.triage.rule_set import Numbers

TACHYCARDIA = "ventricular_tachycardia"
_UNCERTAIN = ("unknown", "irregular", "junctional_or_unknown")
_S_A_MIN = 60.0  # seconds a minute


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """The longest run of beats that are taken for ventricular."""

    beats: int
    bpm: float
    share: float  # of all beats of the strip
    shapes: int  # different shapes among them; what resembles none counts as one more
    same: float  # share of its beats that have the most common shape
    alternates: bool = False  # two shapes take strict turns


def ventricular_run(m: Measurements, n: Numbers) -> Run | None:
    """The longest run of wide beats that the conduction of this heart does not explain; None where there is none.

    Wide beats of another shape than the dominant one are ventricular where they are wider still. Those of the dominant
    shape are where the core says so, or where it is in doubt and narrow beats stand beside them: else a block widens
    them. Beats of no shape between wide ones belong to the run.
    """
    detail = m.rhythm_detail
    if detail is None or detail.name in ("asystole", "ventricular_fibrillation", "paced"):
        return None
    if len(m.beat_class) != len(m.r_s) or not m.r_s:
        return _unmeasured(m)
    if m.rhythm != TACHYCARDIA and not any(ms is not None and ms >= n.wide_ms for ms in m.class_qrs_ms):
        return None
    widths = [width_of(m, kind) for kind in range(max(m.beat_class) + 1)]
    foreign = _foreign(m, n, widths)
    unknown = [kind < 0 or widths[kind] is None for kind in m.beat_class]
    best: tuple[int, int] = (0, 0)
    for first, last in _stretches(
        [a or foreign(kind) for a, kind in zip(unknown, m.beat_class, strict=True)]
    ):
        # A run begins and ends with a beat that is known to be wide, unless the core calls all of it ventricular.
        ends = [i for i in range(first, last) if m.rhythm == TACHYCARDIA or not unknown[i]]
        if ends and ends[-1] + 1 - ends[0] > best[1] - best[0]:
            best = (ends[0], ends[-1] + 1)
    first, last = best
    if last - first < 2:
        return None
    kinds = m.beat_class[first:last]
    return Run(
        beats=last - first,
        bpm=_S_A_MIN * (last - first - 1) / (m.r_s[last - 1] - m.r_s[first]),
        share=(last - first) / len(m.beat_class),
        shapes=len({*kinds}),
        same=max(kinds.count(kind) for kind in kinds) / len(kinds),
        alternates=len({*kinds}) == 2 and -1 not in kinds and all(a != b for a, b in pairwise(kinds)),
    )


def width_of(m: Measurements, kind: int) -> float | None:
    """QRS of a class in ms, None where it was not measured."""
    return m.class_qrs_ms[kind] if kind < len(m.class_qrs_ms) else None


def _foreign(m: Measurements, n: Numbers, known: list[float | None]) -> Callable[[int], bool]:
    """Which classes are ventricular?"""
    widths = [0.0 if ms is None else ms for ms in known] or [0.0]
    # Narrow beats must be plainly narrower, and of one shape: single ones may be errors of measurement.
    plain_ms = min(n.wide_ms, widths[0] - n.wider_ms)
    narrow = max(
        (m.beat_class.count(kind) for kind, ms in enumerate(widths) if 0.0 < ms <= plain_ms), default=0
    )
    ventricular = m.rhythm == TACHYCARDIA or (m.rhythm in _UNCERTAIN and narrow >= n.narrow_beats)
    blocked = widths[0] >= n.wide_ms and not ventricular
    least_ms = widths[0] + n.wider_ms if blocked else n.wide_ms

    def foreign(kind: int) -> bool:
        return (ventricular if kind == 0 else True) and widths[kind] >= least_ms

    return foreign


def _stretches(flags: list[bool]) -> list[tuple[int, int]]:
    """First and last plus one of every stretch of True."""
    edges = [i for i, (a, b) in enumerate(pairwise([False, *flags, False])) if a != b]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _unmeasured(m: Measurements) -> Run | None:
    """A tachycardia that the core names without being able to measure a beat."""
    detail = m.rhythm_detail
    if detail is None or detail.name != TACHYCARDIA:
        return None
    bpm = detail.rate_bpm or (None if detail.dominant_hz is None else detail.dominant_hz * _S_A_MIN)
    return (
        None
        if bpm is None
        else Run(beats=max(detail.beats, len(m.r_s)), bpm=bpm, share=1.0, shapes=1, same=1.0)
    )
