"""What the signal core says of a recording: values only, no judgement. None means unknown, never 0."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class LeadMeasurement:
    """Amplitudes of one lead on its median beat, in mV against the baseline of MEAS-2."""

    usable: bool  # may a finding rest on this lead?
    stj_mv: float | None = None  # level at J, the global QRS offset
    st20_mv: float | None = None
    st40_mv: float | None = None
    st60_mv: float | None = None
    st80_mv: float | None = None
    q_mv: float | None = None  # negative, 0.0 where the beat has no Q
    r_mv: float | None = None  # positive
    s_mv: float | None = None  # negative
    t_mv: float | None = None  # signed T peak
    p_mv: float | None = None  # signed P peak
    baseline_tp_mv: float | None = None  # level of the TP segment against the baseline of MEAS-2


@dataclass(frozen=True, kw_only=True, slots=True)
class GlobalBeat:
    """Borders of one beat over all usable leads, in seconds from the first sample."""

    p_on_s: float | None
    p_off_s: float | None
    qrs_on_s: float | None
    qrs_off_s: float | None
    t_peak_s: float | None
    t_off_s: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class LeadBeat:
    """Borders and peaks of one beat in one lead, in seconds from the first sample."""

    p_on_s: float | None
    p_peak_s: float | None
    p_off_s: float | None
    qrs_on_s: float | None
    qrs_off_s: float | None
    t_on_s: float | None
    t_peak_s: float | None
    t_off_s: float | None


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


@dataclass(frozen=True, kw_only=True, slots=True)
class MedianBeat:
    """The dominant beat of every lead, for drawing evidence. All positions are in seconds from its first sample."""

    rate_hz: float
    samples_mv: tuple[tuple[float, ...], ...]  # one row for each lead; baseline of MEAS-2 at 0
    qrs_on_s: float
    qrs_off_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurements:
    """Everything measured on one recording. Intervals in ms, positions in s, amplitudes in mV."""

    leads: dict[str, LeadMeasurement]
    heart_rate_bpm: float | None
    pr_ms: float | None
    qrs_ms: float | None
    qt_ms: float | None
    qtc_bazett_ms: float | None
    qtc_fridericia_ms: float | None
    qtc_framingham_ms: float | None
    qtc_hodges_ms: float | None
    axis_deg: float | None
    rhythm: str  # "sinus", "irregular", "unknown"; more with the next steps of the core
    r_s: tuple[float, ...]
    beats: tuple[GlobalBeat, ...]
    lead_beats: dict[str, tuple[LeadBeat, ...]]
    quality: Quality
    median: MedianBeat | None
