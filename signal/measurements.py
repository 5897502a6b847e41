"""What the signal core says of a recording: values only, no judgement. None means unknown, never 0.

Amplitudes are in mV against the baseline of MEAS-2, durations in ms, areas in mV·ms, positions in seconds.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal.arrhythmia import Rhythm
from greenchannel.signal.monitor_mode import MonitorEvidence
from greenchannel.signal.p_train import AtrialTrain
from greenchannel.signal.reversal import Reversal
from greenchannel.signal.silence import Silence


class LeadMeasurement(NamedTuple):
    """Amplitudes of one lead on its median beat."""

    usable: bool  # may a finding rest on this lead?
    stj_mv: float | None = None  # level at J: where the QRS of most leads has passed into ST
    st20_mv: float | None = (
        None  # 20 … 80 ms behind the global QRS offset, which lies up to 12 ms behind that J
    )
    st40_mv: float | None = None
    st60_mv: float | None = None
    st80_mv: float | None = None
    q_mv: float | None = None  # negative, 0.0 where the beat has no Q; a QS complex counts as Q
    r_mv: float | None = None  # positive
    s_mv: float | None = None  # negative
    t_mv: float | None = None  # signed T peak
    p_mv: float | None = None  # signed P peak
    baseline_tp_mv: float | None = None  # level of the TP segment against the baseline of MEAS-2
    st_slope_mv: float | None = None  # ST80 − STJ (MEAS-4)
    st_below_chord_mv: float | None = None  # chord from J to the T peak less ST midway: positive is concave
    st_area_mv_ms: float | None = None  # over the 80 ms behind the QRS offset
    r2_mv: float | None = None  # R′, 0.0 where there is none
    s2_mv: float | None = None  # S′
    q_ms: float | None = None
    r_ms: float | None = None
    s_ms: float | None = None
    r2_ms: float | None = None
    s2_ms: float | None = None
    r_peak_ms: float | None = None  # from the QRS onset to the peak of the last R or R′
    qrs_pp_mv: float | None = None  # highest less lowest within the QRS
    qrs_area_mv_ms: float | None = None  # net
    jp_mv: float | None = (
        None  # peak of a notch, or onset of a slur, at the end of the QRS; None where there is neither
    )
    j_slur: bool = False  # it is a slur
    t_high_mv: float | None = None  # highest and lowest level between ST60 and the end of T
    t_low_mv: float | None = None
    t_low_last: bool = False  # the lowest comes after the highest
    t_area_mv_ms: float | None = None
    p_high_mv: float | None = None  # of P against the level before it
    p_low_mv: float | None = None
    p_low_last: bool = False
    p_area_mv_ms: float | None = None
    p_ms: float | None = None
    qt_ms: float | None = None  # from the global QRS onset to this lead's T end by the tangent


class GlobalBeat(NamedTuple):
    """Borders of one beat over all usable leads, in seconds from the first sample."""

    p_on_s: float | None
    p_off_s: float | None
    qrs_on_s: float | None
    qrs_off_s: float | None
    t_peak_s: float | None
    t_off_s: float | None


class LeadBeat(NamedTuple):
    """Borders and peaks of one beat in one lead, in seconds from the first sample."""

    p_on_s: float | None
    p_peak_s: float | None
    p_off_s: float | None
    qrs_on_s: float | None
    qrs_off_s: float | None
    t_on_s: float | None
    t_peak_s: float | None
    t_off_s: float | None


Row = TypeVar("Row", bound=tuple[Any, ...])


class Rows(Sequence[Row]):
    """A table of numbers that reads like a tuple of records; they are made when somebody looks. NaN reads as None."""

    __slots__ = ("_kind", "_table")

    def __init__(self, kind: type[Row], table: NDArray[np.float64]) -> None:
        self._kind = kind
        self._table = table

    def __len__(self) -> int:
        return len(self._table)

    def _row(self, values: list[float]) -> Row:
        make: Callable[..., Row] = self._kind
        return make(*(None if math.isnan(v) else v for v in values))

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> "Rows[Row]": ...
    def __getitem__(self, index: int | slice) -> "Row | Rows[Row]":
        if isinstance(index, slice):
            return Rows(self._kind, self._table[index])
        return self._row(self._table[index].tolist())

    def __iter__(self) -> Iterator[Row]:
        return map(self._row, self._table.tolist())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Rows):
            return np.array_equal(self._table, other._table, equal_nan=True)
        return tuple(self) == other if isinstance(other, tuple) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # as of any table

    def __repr__(self) -> str:
        return f"Rows({list(self)!r})"


@dataclass(frozen=True, kw_only=True, slots=True)
class QualityMessage:
    """One named reason why a lead or the record may not be trusted."""

    code: str  # e.g. lead_flat, saturation, hf_noise, wander, steps, unstable_beats, einthoven, no_qrs, monitor_mode
    lead: str | None  # None: the whole record
    en: str
    zh: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Quality:
    """May this recording be trusted (SIG-5)? `bad_leads` never carry evidence."""

    acceptable: bool
    bad_leads: tuple[str, ...]
    messages: tuple[QualityMessage, ...]
    reversal: str | None = None  # suspected lead reversal by its rule id, e.g. "LEAD-1"
    st_reliable: bool = True  # False for monitor-mode input (SIG-1)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class MedianBeat:
    """The dominant beat of every lead, for drawing evidence. All positions are in seconds from its first sample."""

    rate_hz: float
    samples_mv: NDArray[np.float32]  # one row for each lead, read-only; baseline of MEAS-2 at 0
    qrs_on_s: float
    qrs_off_s: float

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MedianBeat):
            return NotImplemented
        mine, theirs = ((m.rate_hz, m.qrs_on_s, m.qrs_off_s) for m in (self, other))
        return mine == theirs and np.array_equal(self.samples_mv, other.samples_mv)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurements:
    """Everything measured on one recording. Intervals in ms, positions in s, amplitudes in mV."""

    leads: Mapping[str, LeadMeasurement]
    heart_rate_bpm: float | None
    pr_ms: float | None
    qrs_ms: float | None
    qt_ms: float | None
    qtc_bazett_ms: float | None
    qtc_fridericia_ms: float | None
    qtc_framingham_ms: float | None
    qtc_hodges_ms: float | None
    axis_deg: float | None
    rhythm: str  # a name of `arrhythmia.NAMES`; "unknown" where none is certain
    r_s: tuple[float, ...]
    beats: Sequence[GlobalBeat]
    lead_beats: Mapping[str, Sequence[LeadBeat]]
    quality: Quality
    median: MedianBeat | None
    qtm_ms: float | None = None  # QT less half of a broad QRS (MEAS-6), None where it is narrow
    p_ms: float | None = None
    p_axis_deg: float | None = None
    t_axis_deg: float | None = None
    beat_class: tuple[int, ...] = field(default=())  # of each beat: 0 the dominant shape, -1 none
    class_qrs_ms: tuple[float | None, ...] = field(default=())  # of each class
    pace_spikes_s: tuple[float, ...] = field(default=())
    rhythm_detail: Rhythm | None = None
    monitor: MonitorEvidence | None = None
    reversal_detail: Reversal | None = None
    atrial_train: AtrialTrain | None = None  # looked for where the ventricles may be on their own
    silence: Silence | None = None  # the longest stretch without a beat, where it is long
    t_alternans_mv: float | None = None  # every second T differs by so much; 0.0 where they do not take turns
