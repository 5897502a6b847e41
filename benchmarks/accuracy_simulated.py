"""Bad electrodes and exchanged cables on simulated strips, where it is known that every other lead is good."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from benchmarks.accuracy_faults import LIMITS
from benchmarks.accuracy_report import Row, Topic, Value
from benchmarks.accuracy_reversal import FALSE, LIMBS, NEIGHBOURS, RA_LA, SIX, common
from benchmarks.accuracy_stats import share
from benchmarks.accuracy_synthesis import EMG_MV, MAINS_MV, WANDER_MV
from greenchannel.signal.leads import PRECORDIAL, STANDARD_12
from greenchannel.signal.measure import measure
from greenchannel.signal.measurements import Quality
from greenchannel.signal.synthesis import TERRITORIES, simulate

STRIPS: Final = 120  # of each kind
SEED: Final = 20260618  # of this section alone
# Which leads nothing can be said of when an electrode is off; the other limb leads may suffer with them.
_NEED: Final = {"RA": ("I", "II", "aVR"), "LA": ("I", "III", "aVL"), "LL": ("II", "III", "aVF")}
_WHAT: Final = {"chosen": "LUDB < 100, other seeds", "reported": "seeds of this section alone"}


def _quality(number: int, **fault: Any) -> Quality:
    """Quality of a drawn person's strip at the noise of a clinic, with a fault."""
    rng = np.random.default_rng([SEED, number])
    injured = rng.random() < 0.5
    made = simulate(
        seed=SEED + number,
        heart_rate_bpm=float(rng.uniform(50, 110)),
        territory=str(rng.choice(sorted(TERRITORIES))) if injured else None,
        stj_mv=float(rng.uniform(0.1, 0.4)) if injured else 0.0,
        variation=1.0,
        emg_mv=EMG_MV,
        wander_mv=WANDER_MV,
        mains_mv=MAINS_MV,
        **fault,
    )
    return measure(made.recording).quality


def _named(quality: Quality, leads: Sequence[str]) -> bool:
    return set(leads) <= set(quality.bad_leads)


def _share_row(
    what: str, answers: Sequence[bool], limits: tuple[float, float] | None, *, at_most: bool = False
) -> Row:
    value, ci = share([int(answer) for answer in answers], [1] * len(answers))
    must, aim = limits or (None, None)
    shown = Value(name="falsely named" if at_most else "named", value=value, ci95=ci, unit="%", must=must, aim=aim,
                  at_most=at_most)  # fmt: skip
    return Row(
        what=what, n=f"{len(answers)} strips", values=(shown,), data=f"simulated, seed {SEED}", **_WHAT
    )


def topic(step: int = 1) -> Topic:
    """Faults by electrode and cable, and what is named in strips without any."""
    numbers = range(STRIPS // step)
    made = Topic(name="simulated", title="Bad electrodes and exchanged cables, simulated", intro=_INTRO)
    lead_of = [STANDARD_12[number % 12] for number in numbers]
    chest_of = [PRECORDIAL[number % 6] for number in numbers]
    limb_of = [("RA", "LA", "LL")[number % 3] for number in numbers]
    dead = [
        _named(_quality(k, dead_leads=(lead,)), (lead,)) for k, lead in zip(numbers, lead_of, strict=True)
    ]
    railed = [
        _named(_quality(k, saturated_leads=(lead,)), (lead,))
        for k, lead in zip(numbers, lead_of, strict=True)
    ]
    chest = [
        _named(_quality(k, lead_off=(lead,)), (lead,)) for k, lead in zip(numbers, chest_of, strict=True)
    ]
    limb = [_quality(k, lead_off=(one,)) for k, one in zip(numbers, limb_of, strict=True)]
    at_all = [not quality.acceptable or bool(quality.bad_leads) for quality in limb]
    each = [_named(quality, _NEED[one]) for quality, one in zip(limb, limb_of, strict=True)]
    clean = [_quality(k) for k in numbers]
    made.rows = [
        _share_row("dead lead named", dead, LIMITS),
        _share_row("saturated lead named", railed, LIMITS),
        _share_row("chest electrode off (hum and drift) named", chest, LIMITS),
        _share_row("limb electrode off: the recording is questioned", at_all, LIMITS),
        _share_row("limb electrode off: each lead that needs it most is named", each, None),
        _false_leads(clean),
        *_reversals(numbers, clean),
    ]
    return made


def _false_leads(clean: Sequence[Quality]) -> Row:
    bad = [len(quality.bad_leads) for quality in clean]
    value, ci = share(bad, [12] * len(clean))
    shown = Value(name="called bad", value=value, ci95=ci, unit="%", at_most=True, digits=2)
    return Row(what="good leads at clinical noise", n=f"{len(clean)} strips, {12 * len(clean)} leads", values=(shown,),
               data=f"simulated, seed {SEED}", **_WHAT)  # fmt: skip


def _reversals(numbers: Sequence[int], clean: Sequence[Quality]) -> list[Row]:
    found: Mapping[str, list[bool]] = {
        name: [_quality(number, reversal=name).reversal is not None for number in numbers[::2]]
        for name in LIMBS | NEIGHBOURS
    }
    six = [found[name][i] for i in range(len(numbers[::2])) for name in common(i)]
    return [
        _share_row("RA/LA found", found["RA/LA"], RA_LA),
        _share_row("six common exchanges found", six, SIX),
        *(_share_row(f"… {name}", of, None) for name, of in found.items()),
        _share_row(
            "exchange named where none is", [q.reversal is not None for q in clean], FALSE, at_most=True
        ),
    ]


_INTRO: Final = """
Strips of drawn people in sinus rhythm, half of them with an injured wall, at the noise of a clinic (25 µV RMS of
muscle, 0.5 mV of wander, 0.1 mV of mains), with one fault each. *Off* is an electrode without skin: hum of 0.6 mV
and drift of some mV in all leads that need it. A lead is *named* where it is among the bad ones.
"""
