"""A strip put together: beats on the time axis, electrodes, leads, and the truth about all of it."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from greenchannel.signal.leads import ALL
from greenchannel.signal.recording import Recording
from greenchannel.signal.synthesis_heart import Heart
from greenchannel.signal.synthesis_noise import Disturbances, disturb
from greenchannel.signal.synthesis_rhythm import (
    Schedule,
    chaos_vector,
    fibrillation,
    flutter_vector,
    schedule,
)
from greenchannel.signal.synthesis_tables import LEADS, ROW, ROWS, Floats
from greenchannel.signal.synthesis_waves import Form, Marks, form_of, lay, p_bumps

SPIKE_S: Final = 0.002
SPIKE_LEAD_S: Final = 0.004  # a pacing spike ends this long before the QRS begins… [E]
SPIKE_VECTOR: Final = (0.55, 1.20, 0.40)  # mV, bipolar stimulation from the apex [E]
RAIL_MV: Final = 5.0
SATURATION_MV: Final = 9.0  # drift that drives a saturated lead to its rail [E]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Strip:
    """What was laid, before anything disturbs it."""

    leads: tuple[str, ...]
    rate_hz: float
    t: Floats
    clean_mv: Floats  # (leads, samples)
    mixing: Floats  # (leads of ALL, rows): leads from electrodes, cables exchanged where asked
    seen: Floats  # (leads of ALL, 4): leads from the channels X, Y, Z, ST
    plan: Schedule
    forms: dict[str, Form]
    p_length_s: float | None
    spikes_s: tuple[float, ...]

    @property
    def chosen(self) -> list[int]:
        """Rows of `ALL` that the strip has."""
        return [ALL.index(name) for name in self.leads]


def cables(reversal: str | None) -> Floats:
    """`LEADS` with the two named electrodes exchanged; raises `KeyError` for a pair that is not two electrodes."""
    if reversal is None:
        return LEADS
    pair = [ROW.get(name.strip(), -1) for name in reversal.split("/")]
    if len(pair) != 2 or -1 in pair or max(pair) >= ROW["X"]:
        raise KeyError(f"expected two electrodes such as RA/LA, got {reversal!r}")
    swapped = LEADS.copy()
    swapped[:, pair] = LEADS[:, pair[::-1]]
    return swapped


def assemble(
    *,
    heart: Heart,
    leads: tuple[str, ...],
    rate_hz: float,
    duration_s: float,
    rate_bpm: float,
    seed: int,
    pattern: Floats,
    st: tuple[str, float] | None,
    rhythm: str,
    conduction: str = "narrow",
    variation: float = 0.0,
    missing_p: bool = False,
    reversal: str | None = None,
) -> Strip:
    """Lay the beats of a rhythm; `pattern` is ST of `ROWS` in mV, `st` its shape and sign."""
    t = np.arange(max(round(duration_s * rate_hz), 1)) / rate_hz
    plan = schedule(rhythm, rate_bpm, duration_s, seed, variation, heart.pr_s)
    forms = _forms(heart, plan, conduction, st, missing_p)
    channels = np.zeros((4, t.size))
    for kind, form in forms.items():
        onsets = np.array([at for at, name in plan.beats if name == kind])
        lay(form, onsets, t, channels)
    lone = () if missing_p else plan.lone_p_s
    if lone:
        lay(_lone_p(heart), np.array(lone), t, channels)
    spikes = tuple(at - SPIKE_LEAD_S - SPIKE_S for at, kind in plan.beats if kind == "paced")
    _spikes(spikes, t, rate_hz, channels)
    if rhythm == "ventricular_fibrillation":
        channels[:3] += chaos_vector(t, seed)
    if plan.flutter_hz is not None and not missing_p:
        channels[:3] += flutter_vector(t, plan.flutter_hz, plan.beats[0][0])
    mixing = cables(reversal)
    seen = mixing @ np.column_stack((heart.views, pattern))
    chosen = [ALL.index(name) for name in leads]
    clean = seen[chosen] @ channels
    if rhythm == "atrial_fibrillation":
        clean += mixing[chosen] @ fibrillation(t, seed)
    return Strip(
        leads=leads,
        rate_hz=rate_hz,
        t=t,
        clean_mv=clean,
        mixing=mixing,
        seen=seen,
        plan=plan,
        forms=forms,
        p_length_s=heart.p_s
        if lone or any(form.marks.p_on_s is not None for form in forms.values())
        else None,
        spikes_s=tuple(at for at in spikes if 0 <= at <= t[-1]),
    )


def _forms(
    heart: Heart, plan: Schedule, conduction: str, st: tuple[str, float] | None, missing_p: bool
) -> dict[str, Form]:
    forms = {}
    for kind in sorted({kind for _, kind in plan.beats}):
        own = {"ectopic": heart.ectopic, "paced": "paced", "ventricular": "ventricular"}.get(kind, conduction)
        injured = st if kind not in ("ectopic", "ventricular") else None
        p = plan.with_p and not missing_p and kind in ("normal", "paced")
        forms[kind] = form_of(heart, kind, own, plan.rr_s, p=p, st=injured)
    return forms


def _lone_p(heart: Heart) -> Form:
    """A P wave without a beat; its onset stands for that of the QRS."""
    found = p_bumps(heart, 0.0, heart.p_s)
    return Form(
        starts_s=np.array([wave[0] for wave in found]),
        lengths_s=np.array([wave[1] - wave[0] for wave in found]),
        skews=np.ones(len(found)),
        vectors=np.array([wave[3] for wave in found]),
        first_s=0.0,
        last_s=heart.p_s,
        marks=Marks(qrs_off_s=0.0, r_s=0.0),
    )


def _spikes(at_s: tuple[float, ...], t: Floats, rate_hz: float, channels: Floats) -> None:
    """Rectangles of 2 ms, each sample holding what falls into its own interval, so no rate can miss one."""
    for at in at_s:
        low, high = (int(i) for i in np.searchsorted(t, (at - 1 / rate_hz, at + SPIKE_S + 1 / rate_hz)))
        begin = np.maximum(t[low:high] - 0.5 / rate_hz, at)
        end = np.minimum(t[low:high] + 0.5 / rate_hz, at + SPIKE_S)
        channels[:3, low:high] += np.outer(SPIKE_VECTOR, np.clip(end - begin, 0.0, None) * rate_hz)


def disturbed(strip: Strip, asked: Disturbances, seed: int) -> Floats:
    """The samples ``(leads, samples)`` with what the electrodes pick up besides the heart."""
    mixing = strip.mixing[strip.chosen]
    used = np.flatnonzero(np.any(mixing != 0, axis=0))
    noise = disturb(strip.t, strip.rate_hz, tuple(ROWS[i] for i in used), seed, asked)
    noisy: Floats = strip.clean_mv + mixing[:, used] @ noise
    return noisy


def recording_of(
    strip: Strip,
    samples_mv: Floats,
    *,
    seed: int,
    electrode_set: str,
    dead_leads: tuple[str, ...],
    saturated_leads: tuple[str, ...] = (),
) -> Recording:
    """What the device writes: rows at their rail, rows that are dead."""
    for i, name in enumerate(strip.leads):
        if name in saturated_leads:
            hz, phase = np.random.default_rng([seed, 7, ALL.index(name)]).uniform(
                (0.1, 0.0), (0.2, 2 * math.pi)
            )
            drift = SATURATION_MV * np.sin(2 * math.pi * hz * strip.t + phase)
            samples_mv[i] = np.clip(samples_mv[i] + drift, -RAIL_MV, RAIL_MV)
        if name in dead_leads:
            samples_mv[i] = 0.0
    return Recording(
        samples_mv=samples_mv.astype(np.float32),
        leads=strip.leads,
        rate_hz=strip.rate_hz,
        electrode_set=electrode_set,
    )
