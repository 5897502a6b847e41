"""May this lead, may this recording be trusted (SIG-5)? Every reason is named, in words for the clinic.

A bad lead is excluded and named; the record is to be repeated where more than two are bad, where a
whole territory cannot be read, or where the limb leads contradict each other.
"""

from typing import Final

import numpy as np

from greenchannel.signal import kernels, limbs, limits, sample_quality
from greenchannel.signal.grid import Bools, Floats
from greenchannel.signal.leads import PRECORDIAL
from greenchannel.signal.measurements import Quality, QualityMessage
from greenchannel.signal.qrs import Ints
from greenchannel.signal.quality_words import message as message  # noqa: PLC0414  (asked for here too)
from greenchannel.signal.reversal import Reversal

_RATE = limits.ANALYSIS_RATE_HZ

_FATAL: Final = frozenset({"too_short", "low_rate", "no_qrs", "no_borders", "few_beats", "einthoven"})
_UNKNOWN: Final = ("lead_missing", "lead_broken", "lead_copied")
SECOND: Final = round(_RATE / 4)  # samples at 125 Hz
SECONDS: Final = round(limits.WANDER_WINDOW_S)
_NO_AMPLITUDE: Final = frozenset({"lead_missing", "lead_broken", "lead_flat", "saturation"})
_ONLY_NAMED: Final = frozenset({"wander", "baseline_disagree"})


class LeadReasons:
    """What was found wrong, collected lead by lead while the chain runs."""

    def __init__(self, leads: tuple[str, ...]) -> None:
        self.leads = leads
        self._found: dict[str, Bools] = {}
        self.measurable: Bools = np.ones(len(leads), dtype=np.bool_)
        """Leads that have amplitudes at all, shape ``(leads,)``."""
        self.usable: Bools = np.ones(len(leads), dtype=np.bool_)
        """Leads that evidence may rest on, shape ``(leads,)``."""
        self.wander_mv: Floats = np.zeros(len(leads), dtype=np.float32)
        """Size of the wander, shape ``(leads,)``."""
        self.levelled = False
        """A spline through the levels before the beats was taken off."""

    def found(self, *codes: str) -> Bools:
        """Leads of which one of the codes was noted, shape ``(leads,)``."""
        some = np.zeros(len(self.leads), dtype=np.bool_)
        for code in codes:
            some |= self._found.get(code, False)
        return some

    def add(self, code: str, where: Bools) -> None:
        """Note `code` for every lead of the mask, but not for a lead that gave no signal anyway."""
        new = where & self.measurable
        if not np.count_nonzero(new):  # cheaper than any()
            return
        self._found[code] = new | self._found.get(code, False)
        if code in _NO_AMPLITUDE:
            self.measurable = self.measurable & ~new
        if code not in _ONLY_NAMED:
            self.usable = self.usable & ~new

    def messages(self) -> list[QualityMessage]:
        """All that was noted, lead by lead, in the order it was noted; of two sizes of wander the larger."""
        worse = self.found("wander_large")
        return [
            message(code, name)
            for i, name in enumerate(self.leads)
            for code, where in self._found.items()
            if where[i] and not (code == "wander" and worse[i])
        ]


def look_at_samples(samples_mv: Floats, rate_hz: float, reasons: LeadReasons) -> None:
    """What the samples alone tell, before any beat is known: nothing recorded, no electrode, the device's rail."""
    faults = sample_quality.look(samples_mv, rate_hz, names=reasons.leads)
    reasons.add("lead_missing", faults.missing)
    reasons.add("lead_broken", faults.broken)
    reasons.add("lead_flat", faults.flat)
    reasons.add("saturation", faults.saturated)
    reasons.add("steps", faults.steps)
    reasons.add("lead_copied", faults.copied)
    reasons.wander_mv = faults.swing_mv


def look_at_noise(x: Floats, quiet: Bools, reasons: LeadReasons) -> None:
    """Size of what is left above some 40 Hz outside the QRS, mains taken off.

    The trace less its mean over 10 ms: of white noise above 40 Hz the size is kept within a tenth.
    """
    count = int(np.count_nonzero(quiet[2:-2]))
    if count <= 0.2 * _RATE:
        return
    reasons.add("hf_noise", _noise_mv(x, quiet, count) > limits.HF_NOISE_MV)


def _noise_mv(x: Floats, quiet: Bools, count: int) -> Floats:
    """RMS of what is fast in the `count` quiet samples, ``(leads,)``."""
    if (compiled := kernels.of(x)) is not None:
        noise_mv: Floats = compiled.strip.noise(x, quiet)
        return noise_mv
    fast = x[:, 2:-2] * np.float32(0.8)
    sides = x[:, 1:-3] + x[:, 3:-1]
    sides += x[:, :-4]
    sides += x[:, 4:]
    sides *= np.float32(0.2)
    fast -= sides
    fast *= fast
    return np.sqrt(fast @ quiet[2:-2].astype(np.float32) / count)


def look_at_wander(at: Ints, knots_mv: Floats, slow: Floats, reasons: LeadReasons) -> None:
    """Size of the wander within ten seconds: from the knots of its spline, and from means over a second.

    One knot a beat may meet each breath at the same point and see nothing of it.
    """
    if at.size < 2:
        return
    size = knots_mv.max(axis=1) - knots_mv.min(axis=1)
    reach = limits.WANDER_WINDOW_S * _RATE
    if at[-1] - at[0] > reach and (size > limits.WANDER_PP_MV).any():
        last = np.searchsorted(at, at + reach, side="right")
        parts = [knots_mv[:, first:end] for first, end in enumerate(last.tolist())]
        size = np.max([part.max(axis=1) - part.min(axis=1) for part in parts], axis=0)
    size = np.maximum(size, _swings(slow))
    reasons.wander_mv, reasons.levelled = size, True
    reasons.add("wander_large", size > limits.WANDER_BAD_PP_MV)
    reasons.add("wander", size > limits.WANDER_PP_MV)


def _swings(slow: Floats) -> Floats:
    """Largest change of means over a second within ten seconds, ``(leads,)``; 0 without a whole second."""
    if (fast := kernels.of(slow)) is not None:
        largest: Floats = fast.strip.swings(slow)
        return largest
    seconds = slow[:, : slow.shape[1] // SECOND * SECOND].reshape(slow.shape[0], -1, SECOND).sum(axis=2)
    seconds *= np.float32(1 / SECOND)
    windows = [seconds[:, k : k + SECONDS] for k in range(0, seconds.shape[1], SECONDS)]
    swing = np.array([part.max(axis=1) - part.min(axis=1) for part in windows])
    return swing.max(axis=0) if swing.size else np.zeros(slow.shape[0], dtype=np.float32)


def look_at_beats(stack: Floats, median: Floats, window: slice, reasons: LeadReasons) -> None:
    """Do the beats of a lead look like their median, and is it known well enough where the baseline wandered?

    What the spline leaves of a wander differs from beat to beat; the spread of the ST levels over the beats, by the
    root of their number, is the error of the median beat.

    Parameters
    ----------
    stack : array ``(beats, leads, samples)``
    median : array ``(leads, samples)``
    window : QRS to T
    """
    doubtful = reasons.wander_mv > (limits.WANDER_DOUBT_PP_MV if reasons.levelled else limits.WANDER_PP_MV)
    if stack.shape[0] < limits.MIN_MEDIAN_BEATS:
        return
    # Every second sample tells all.
    window = slice(window.start, min(window.stop, median.shape[1]), 2)
    fit, rest = (_middle(one) for one in _alike(stack, median, window))
    reasons.add("unstable_beats", (fit < limits.BEAT_CORRELATION) & (rest > limits.BEAT_RESIDUAL_MV))
    # Where hardly a lead repeats itself, it is the heart that is unsteady.
    if not doubtful.any() or np.median(fit) < limits.BEAT_CORRELATION:
        return
    if reasons.levelled:
        a = stack[:, :, window]
        width = a.shape[2]
        st = slice(*(round(width * share) for share in limits.ST_OF_BEAT))
        apart = (a[:, doubtful, st].sum(axis=2) / (st.stop - st.start)).std(axis=0)
        doubtful[doubtful] = apart > limits.WANDER_ERROR_MV * np.sqrt(stack.shape[0])
    # Else no level was found before any beat, and all of the wander is still there.
    reasons.add("wander_large", doubtful)


def _alike(stack: Floats, median: Floats, window: slice) -> tuple[Floats, Floats]:
    """Correlation of each beat with the median beat, and RMS of what is left: ``(beats, leads)``."""
    if (fast := kernels.of(stack)) is not None and median.flags.c_contiguous and window.start < window.stop:
        fit, rest = fast.beats.alike(stack, median, window.start, window.stop)
        return fit, rest
    a, b = stack[:, :, window], median[:, window]
    width = b.shape[1]
    # Products of what has its own mean taken off, without making a copy that has.
    mean_a, mean_b = a.sum(axis=2) / width, b.sum(axis=1) / width
    ab = np.einsum("bls,ls->bl", a, b) - width * mean_a * mean_b
    aa = np.einsum("bls,bls->bl", a, a) - width * mean_a**2
    bb = np.einsum("ls,ls->l", b, b) - width * mean_b**2
    fit = ab / (np.sqrt(np.maximum(aa * bb, 0.0)) + 1e-12)
    return fit, np.sqrt(np.maximum(aa + bb - 2 * ab, 0.0) / width)


def _middle(values: Floats) -> Floats:
    """Median over the first axis."""
    ordered = np.sort(values, axis=0)
    count = len(ordered)
    return np.asarray(0.5 * (ordered[(count - 1) // 2] + ordered[count // 2]))


def limb_contradiction(x: Floats, valid: Bools | None, reasons: LeadReasons) -> str | None:
    """Einthoven and Goldberger over the limb leads: None where they hold or cannot be checked.

    Otherwise the lead that alone explains the contradiction, or "" where no single one does.
    """
    there = [name for name in limbs.NAMES if name in reasons.leads]
    rows = [reasons.leads.index(name) for name in there]
    good = {name for name, row in zip(there, rows, strict=True) if reasons.usable[row]}
    if not {"I", "II", "III"} <= good:
        return None
    count = 6 if good.issuperset(limbs.NAMES) else 3
    # Every fourth sample tells all.
    relations = limbs.RELATIONS if count == 6 else limbs.RELATIONS[:1, :3].copy()
    if valid is None and (fast := kernels.of(x)) is not None:
        power = fast.beats.contradictions(x, np.array(rows[:count]), relations)
    else:
        limb = x[rows[:count], ::4]
        if valid is not None:
            limb = limb[:, valid[rows[:count], ::4].all(axis=0)]
            if limb.shape[1] < _RATE / 4:
                return None
        rest = relations @ limb
        mean = rest.sum(axis=1) / rest.shape[1]
        power = np.einsum("rs,rs->r", rest, rest) / rest.shape[1] - mean**2
    off = (power > limits.EINTHOVEN_RMS_MV**2).tolist()
    if not any(off):
        return None
    if count == 3:
        return ""
    wrong = dict(zip(("aVR", "aVL", "aVF"), off[1:], strict=True))
    if not off[0]:
        named = [name for name, bad in wrong.items() if bad]
        return named[0] if len(named) == 1 else ""
    # The relation that still holds is the one without the lead at fault.
    holds = [name for name, bad in wrong.items() if not bad]
    return {"aVR": "III", "aVL": "II", "aVF": "I"}[holds[0]] if len(holds) == 1 else ""


def _without_neighbour(usable: dict[str, bool]) -> tuple[str, ...]:
    """Chest leads in a row of which no two neighbours can be compared: two dead ones, or one alive between dead ones.

    An elevation needs two contiguous leads, so what lies there could never show.
    """
    chain = [name for name in PRECORDIAL if name in usable]
    for here in range(len(chain) - 1):
        pair = tuple(chain[here : here + 2])
        if not any(usable[name] for name in pair):
            return pair
        three = tuple(chain[here : here + 3])
        if [usable[name] for name in three] == [False, True, False]:
            return three
    return ()


def judge(
    reasons: LeadReasons, record_codes: list[str], st_reliable: bool, reversal: Reversal | None = None
) -> Quality:
    """The verdict on the record: codes that forbid it, bad leads, territories, swapped leads."""
    usable = dict(zip(reasons.leads, reasons.usable.tolist(), strict=True))
    bad = tuple(name for name in reasons.leads if not usable[name])
    messages = reasons.messages()
    if reversal is not None:
        messages.append(message("lead_reversal", None, en=reversal.en, zh=reversal.zh))
    blind = []
    for en, zh, names in limits.TERRITORIES:
        recorded = [name for name in names if name in usable]
        if len(recorded) >= 2 and sum(usable[name] for name in recorded) < 2:
            blind.append(message("territory_unreadable", None, en=en, zh=zh))
    gap = _without_neighbour(usable)
    if gap and not blind:
        told = "–".join((gap[0], gap[-1]))
        blind.append(message("territory_unreadable", None, en=told, zh=told))
    messages += blind
    # Where no lead is a lead, nothing is known of a heartbeat.
    silent = bool(reasons.found(*_UNKNOWN).all())
    record_codes = [code for code in record_codes if not (silent and code == "no_qrs")]
    messages += [message(code) for code in record_codes]
    if len(bad) > limits.MAX_BAD_LEADS:
        messages.append(message("too_many_bad_leads"))
    nothing_left = len(bad) == len(reasons.leads)
    fatal = not _FATAL.isdisjoint(record_codes) or reasons.found("lead_copied").any()
    acceptable = not (fatal or blind or nothing_left or len(bad) > limits.MAX_BAD_LEADS)
    return Quality(
        acceptable=acceptable,
        bad_leads=bad,
        messages=tuple(messages),
        reversal=reversal.rule if reversal is not None else None,
        st_reliable=st_reliable,
    )
