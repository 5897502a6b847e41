"""May this lead, may this recording be trusted (SIG-5)? Every reason is named, in words for the clinic.

A bad lead is excluded and named; the record is to be repeated where more than two are bad, where a
whole territory cannot be read, or where the limb leads contradict each other.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal import limits
from greenchannel.signal.filters import Bools, Floats, dilate
from greenchannel.signal.leads import LIMB
from greenchannel.signal.measurements import Quality, QualityMessage
from greenchannel.signal.qrs import Ints

_RATE = limits.ANALYSIS_RATE_HZ

# Code: English, Chinese. {lead} is filled in.
WORDS: Final[dict[str, tuple[str, str]]] = {
    "lead_missing": (
        "{lead}: no signal was received; reconnect the electrode and record again",
        "{lead} 无信号,请检查电极连接后再做一份",
    ),
    "lead_flat": (
        "{lead}: the electrode is off; reconnect it and record again",
        "{lead} 电极脱落,请重新连接后再做一份",
    ),
    "saturation": (
        "{lead}: the signal hits the limit of the device; prepare the skin, press the electrode on and record again",
        "{lead} 信号饱和,请清洁皮肤、压紧电极后再做一份",
    ),
    "hf_noise": (
        "{lead}: muscle tremor or interference; let the patient relax, keep warm and record again",
        "{lead} 肌电或高频干扰过大,请让患者放松、注意保暖后再做一份",
    ),
    "wander": (
        "{lead}: the baseline wanders; ask the patient to breathe quietly",
        "{lead} 基线漂移,请让患者平静呼吸",
    ),
    "wander_large": (
        "{lead}: the baseline wanders too far to measure; fix the electrode and record again",
        "{lead} 基线漂移过大,无法测量,请固定电极后再做一份",
    ),
    "steps": (
        "{lead}: the trace jumps; check cable and electrode and record again",
        "{lead} 信号跳变,请检查导联线和电极后再做一份",
    ),
    "unstable_beats": (
        "{lead}: the beats differ from each other; keep the patient still and record again",
        "{lead} 波形不稳定,请让患者保持静止后再做一份",
    ),
    "einthoven": (
        "The limb leads contradict each other (I + III is not II); check the limb electrodes and record again",
        "肢体导联互相矛盾(I+III≠II),请检查肢体电极后再做一份",
    ),
    "einthoven_lead": (
        "{lead}: does not agree with the other limb leads; check the limb electrodes and record again",
        "{lead} 与其他肢体导联不一致,请检查肢体电极后再做一份",
    ),
    "territory_unreadable": (
        "Too few readable leads of the {en} wall; signal quality is poor, record again",
        "{zh}导联无法判读,信号质量差,请重新采集",
    ),
    "too_many_bad_leads": ("Signal quality is poor, record again", "信号质量差,请重新采集"),
    "too_short": (
        "The recording is too short to be measured; record at least 10 seconds",
        "记录时间过短,无法测量,请重新采集至少10秒",
    ),
    "low_rate": (
        "The sampling rate is too low to be measured; use a diagnostic ECG device",
        "采样率过低,无法测量,请使用诊断级心电图机",
    ),
    "no_qrs": (
        "No heartbeat was found; look at the patient, check the electrodes and record again",
        "未检测到QRS波,请立即查看患者、检查电极并重新采集",
    ),
    "no_borders": (
        "Heartbeats were found, but not where they begin and end; intervals and ST are not measured, record again",
        "已检测到心搏,但无法确定QRS起止点,未测量间期及ST段,请重新采集",
    ),
    "few_beats": (
        "Fewer than three beats of one shape; measured on what there is, record again",
        "同形心搏少于3个,测量仅供参考,请重新采集",
    ),
    "monitor_mode": (
        "Recorded in monitor quality; ST levels are not reliable, use the diagnostic mode",
        "监护模式记录,ST段不可靠,请改用诊断模式重新采集",
    ),
    "baseline_disagree": (
        "{lead}: the PR and TP levels differ by more than 50 µV; read ST with care",
        "{lead} PR段与TP段基线相差超过50µV,请谨慎判读ST段",
    ),
}

_NO_AMPLITUDE: Final = frozenset({"lead_missing", "lead_flat", "saturation"})
_ONLY_NAMED: Final = frozenset({"wander", "baseline_disagree"})


def message(code: str, lead: str | None = None, **words: str) -> QualityMessage:
    """The message of one code; `lead` is filled into its words."""
    en, zh = WORDS[code]
    words_en, words_zh = {"lead": lead or "", **words}, {"lead": lead or "", **words}
    return QualityMessage(code=code, lead=lead, en=en.format(**words_en), zh=zh.format(**words_zh))


@dataclass(kw_only=True, slots=True)
class LeadReasons:
    """What was found wrong, collected lead by lead while the chain runs."""

    leads: tuple[str, ...]
    codes: dict[str, list[str]]

    @classmethod
    def empty(cls, leads: tuple[str, ...]) -> "LeadReasons":
        """Nothing is wrong yet."""
        return cls(leads=leads, codes={name: [] for name in leads})

    def add(self, code: str, where: Bools) -> None:
        """Note `code` for every lead of the mask, once, and not for a lead that gave no signal anyway."""
        for name, wrong in zip(self.leads, where, strict=True):
            if wrong and code not in self.codes[name] and not _NO_AMPLITUDE.intersection(self.codes[name]):
                self.codes[name].append(code)

    def _free_of(self, spared: frozenset[str], only: frozenset[str] | None = None) -> Bools:
        return np.array(
            [
                not any(c not in spared and (only is None or c in only) for c in self.codes[n])
                for n in self.leads
            ]
        )

    @property
    def usable(self) -> Bools:
        """Leads that evidence may rest on, shape ``(leads,)``."""
        return self._free_of(_ONLY_NAMED)

    @property
    def measurable(self) -> Bools:
        """Leads that have amplitudes at all, shape ``(leads,)``."""
        return self._free_of(frozenset(), _NO_AMPLITUDE)


def look_at_samples(samples_mv: NDArray[np.float32], rate_hz: float, reasons: LeadReasons) -> None:
    """What the samples alone tell, before any beat is known: nothing recorded, or the device's rail."""
    known = np.isfinite(samples_mv) & (np.abs(samples_mv) <= limits.MAX_BODY_MV)
    reasons.add("lead_missing", known.mean(axis=1) < 1 - limits.MISSING_FRACTION)
    x = np.where(known, samples_mv, np.float32(0))
    long = max(round(limits.RAIL_S * rate_hz), 2)
    centre = np.partition(x, x.shape[1] // 2, axis=1)[:, x.shape[1] // 2]
    top, bottom = x.max(axis=1), x.min(axis=1)
    suspect = np.flatnonzero(np.maximum(top - centre, centre - bottom) >= limits.RAIL_MIN_MV)
    railed = np.zeros(x.shape[0], dtype=np.bool_)
    for i in suspect:
        shelf = (x[i] == top[i]) & (top[i] - centre[i] >= limits.RAIL_MIN_MV)
        shelf |= (x[i] == bottom[i]) & (centre[i] - bottom[i] >= limits.RAIL_MIN_MV)
        shelf |= np.abs(x[i]) > limits.RAIL_ABS_MV
        counts = np.cumsum(np.concatenate([[0], shelf & known[i]]))
        railed[i] = bool((counts[long:] - counts[:-long] == long).any()) if counts.size > long else False
    reasons.add("saturation", railed)


def look_at_flatness(x: Floats, valid: Bools, r: Ints, reasons: LeadReasons) -> None:
    """A lead is off where it stays flat for a second in which the other leads show a beat.

    Without any beat, flat for more than half of the strip counts.
    """
    block = int(limits.FLAT_S * _RATE / 4)
    count = x.shape[1] // block
    if count < 4:
        return
    cut = x[:, : count * block].reshape(x.shape[0], count, block)
    flat = (cut.max(axis=2) - cut.min(axis=2) < limits.FLAT_PP_MV) & valid[:, : count * block].reshape(
        cut.shape
    ).all(axis=2)
    run = np.lib.stride_tricks.sliding_window_view(flat, 4, axis=1).all(axis=2)
    level = np.lib.stride_tricks.sliding_window_view(cut, (4, block), axis=(1, 2))[:, :, 0]
    run &= level.max(axis=(2, 3)) - level.min(axis=(2, 3)) < limits.FLAT_PP_MV
    covered = np.zeros_like(flat)
    for offset in range(4):
        covered[:, offset : offset + run.shape[1]] |= run
    inside = r[r < count * block] // block
    if inside.size:
        reasons.add("lead_flat", covered[:, inside].any(axis=1))
    else:
        reasons.add("lead_flat", covered.mean(axis=1) > 0.5)


def look_at_noise(x: Floats, fast: Floats, quiet: Bools, reasons: LeadReasons) -> None:
    """Noise between the beats, and jumps of the level there."""
    if quiet.sum() > 0.2 * _RATE:
        rms = np.sqrt((fast[:, quiet] ** 2).mean(axis=1))
        reasons.add("hf_noise", rms > limits.HF_NOISE_MV)
    # Pacing spikes, cut-off beats at the ends and broad ventricular beats have steep slopes too.
    calm = ~dilate(~quiet, int(0.12 * _RATE))
    calm[: int(0.1 * _RATE)] = calm[-int(0.1 * _RATE) :] = False
    jumps = (np.abs(np.diff(x, axis=1)) > limits.STEP_MV) & calm[1:]
    stepped = np.zeros(x.shape[0], dtype=np.bool_)
    for lead in np.flatnonzero(jumps.any(axis=1)):
        for at in np.flatnonzero(jumps[lead])[:50]:
            # A spike goes back where it came from; a step stays.
            left, right = x[lead, max(at - 35, 0) : max(at - 5, 1)], x[lead, at + 6 : at + 36]
            if left.size and right.size and abs(right.mean() - left.mean()) > limits.STEP_MV:
                stepped[lead] = True
                break
    reasons.add("steps", stepped)


def look_at_wander(baseline: Floats, reasons: LeadReasons) -> None:
    """Size of the wander that was taken off, within ten seconds."""
    block = int(5 * _RATE)
    starts = np.arange(0, max(baseline.shape[1] - block // 2, 1), block)
    high, low = (ufunc.reduceat(baseline, starts, axis=1) for ufunc in (np.maximum, np.minimum))
    if starts.size > 1:
        high, low = np.maximum(high[:, 1:], high[:, :-1]), np.minimum(low[:, 1:], low[:, :-1])
    size = (high - low).max(axis=1)
    reasons.add("wander_large", size > limits.WANDER_BAD_PP_MV)
    reasons.add("wander", (size > limits.WANDER_PP_MV) & (size <= limits.WANDER_BAD_PP_MV))


def look_at_beats(stack: Floats, median: Floats, window: slice, reasons: LeadReasons) -> None:
    """Do the beats of a lead look like their median?

    Parameters
    ----------
    stack : array ``(beats, leads, samples)``
    median : array ``(leads, samples)``
    window : QRS to T
    """
    if stack.shape[0] < limits.MIN_MEDIAN_BEATS:
        return
    a = stack[:, :, window] - stack[:, :, window].mean(axis=2, keepdims=True)
    b = median[:, window] - median[:, window].mean(axis=1, keepdims=True)
    size = np.sqrt(np.einsum("bls,bls->bl", a, a) * np.einsum("ls,ls->l", b, b)) + 1e-12
    fit = np.median(np.einsum("bls,ls->bl", a, b) / size, axis=0)
    rest = np.median(np.sqrt(((a - b) ** 2).mean(axis=2)), axis=0)
    reasons.add("unstable_beats", (fit < limits.BEAT_CORRELATION) & (rest > limits.BEAT_RESIDUAL_MV))


def limb_contradiction(x: Floats, valid: Bools, reasons: LeadReasons) -> str | None:
    """Einthoven and Goldberger over the limb leads: None where they hold or cannot be checked.

    Otherwise the lead that alone explains the contradiction, or "" where no single one does.
    """
    index = {name: i for i, name in enumerate(reasons.leads) if name in LIMB}
    usable = reasons.usable
    if not {"I", "II", "III"} <= index.keys() or not all(usable[index[n]] for n in ("I", "II", "III")):
        return None
    both = valid[[index[n] for n in index]].all(axis=0)
    if both.sum() < _RATE:
        return None

    def off(**parts: float) -> bool:
        rest = sum(factor * x[index[name]][both] for name, factor in parts.items())
        rest = rest - np.mean(rest)
        return bool(np.sqrt(np.mean(np.square(rest))) > limits.EINTHOVEN_RMS_MV)

    augmented = all(n in index and usable[index[n]] for n in ("aVR", "aVL", "aVF"))
    if not augmented:
        return "" if off(I=1, III=1, II=-1) else None
    wrong = {
        "aVR": off(aVR=1, I=0.5, II=0.5),
        "aVL": off(aVL=1, I=-0.5, III=0.5),
        "aVF": off(aVF=1, II=-0.5, III=-0.5),
    }
    if not off(I=1, III=1, II=-1):
        named = [name for name, bad in wrong.items() if bad]
        return None if not named else named[0] if len(named) == 1 else ""
    # The relation that still holds is the one without the lead at fault.
    holds = [name for name, bad in wrong.items() if not bad]
    return {"aVR": "III", "aVL": "II", "aVF": "I"}[holds[0]] if len(holds) == 1 else ""


def judge(reasons: LeadReasons, record_codes: list[str], st_reliable: bool) -> Quality:
    """The verdict on the record: codes that forbid it, bad leads, territories."""
    usable = dict(zip(reasons.leads, reasons.usable, strict=True))
    bad = tuple(name for name in reasons.leads if not usable[name])
    messages = [message(code, name) for name in reasons.leads for code in reasons.codes[name]]
    blind = []
    for en, zh, names in limits.TERRITORIES:
        recorded = [name for name in names if name in usable]
        if len(recorded) >= 2 and sum(usable[name] for name in recorded) < 2:
            blind.append(message("territory_unreadable", None, en=en, zh=zh))
    messages += blind
    messages += [message(code) for code in record_codes]
    if len(bad) > limits.MAX_BAD_LEADS:
        messages.append(message("too_many_bad_leads"))
    nothing_left = len(bad) == len(reasons.leads)
    fatal = any(
        code in ("too_short", "low_rate", "no_qrs", "no_borders", "few_beats", "einthoven")
        for code in record_codes
    )
    acceptable = not (fatal or blind or nothing_left or len(bad) > limits.MAX_BAD_LEADS)
    return Quality(acceptable=acceptable, bad_leads=bad, messages=tuple(messages), st_reliable=st_reliable)
