"""ST at J on simulated strips whose truth is known to the microvolt, at the noise of a clinic."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.accuracy_report import Row, Table, Topic, Value
from benchmarks.accuracy_stats import bias_and_sd, of_records, p95_of_size
from benchmarks.harness import Json
from greenchannel.signal.leads import STANDARD_12, STANDARD_18
from greenchannel.signal.measure import measure
from greenchannel.signal.recording import Recording
from greenchannel.signal.synthesis import SHAPES, TERRITORIES, simulate

STRIPS: Final = 400
SEED: Final = 20260417  # of this report alone: nothing else is tuned or tested on these strips
EMG_MV, WANDER_MV, MAINS_MV = 0.025, 0.5, 0.1
MUST_UV: Final = (10.0, 35.0)  # |bias|, 95th percentile of the size of the error
AIM_UV: Final = (3.0, 20.0)

# How often each is drawn.
RHYTHM_SHARES: Final = {
    "sinus": 0.64,
    "atrial_fibrillation": 0.12,
    "ectopics": 0.12,
    "paced": 0.07,
    "av_block_2_1": 0.05,
}
CONDUCTION_SHARES: Final = {"narrow": 0.6, "rbbb": 0.12, "lbbb": 0.12, "lafb": 0.1, "wpw": 0.06}
INJURED: Final = 0.8  # the others have no injury
J_MV: Final = (-0.3, 0.6)  # in the leading lead of the territory


@dataclass(frozen=True, kw_only=True)
class Strip:
    """One simulated recording, what J is in truth, and how it was made."""

    recording: Recording
    stj_mv: dict[str, float]
    made: dict[str, str]


def strips(count: int, *, clinical: bool) -> Iterator[Strip]:
    """Strips of drawn people, rates, rhythms, conductions, injuries and grids; the same ones in every run."""
    for number in range(count):
        rng = np.random.default_rng([SEED, number])
        rate_bpm = float(rng.uniform(45, 130))
        rhythm, conduction = _one_of(rng, RHYTHM_SHARES), _one_of(rng, CONDUCTION_SHARES)
        injured = rng.random() < INJURED
        territory = str(rng.choice(sorted(TERRITORIES))) if injured else None
        shape = str(rng.choice(sorted(SHAPES)))
        grid_hz = float(rng.choice([50.0, 60.0]) + rng.uniform(-0.2, 0.2))
        behind = territory is not None and ("posterior" in territory or "right" in territory)
        share = 1.0 if clinical else 0.0
        made = simulate(
            leads=STANDARD_18 if behind else STANDARD_12,
            electrode_set="posterior_right" if behind else "standard",
            heart_rate_bpm=rate_bpm,
            seed=SEED + number,
            territory=territory,
            stj_mv=float(rng.uniform(*J_MV)) if injured else 0.0,
            st_shape=shape,
            rhythm=rhythm,
            conduction=conduction,
            age_years=float(rng.uniform(25, 90)),
            sex=str(rng.choice(["female", "male"])),
            variation=1.0,
            emg_mv=share * EMG_MV,
            wander_mv=share * WANDER_MV,
            mains_mv=share * MAINS_MV,
            mains_hz=grid_hz,
        )
        yield Strip(
            recording=made.recording,
            stj_mv={lead: made.truth.stj_mv[lead] for lead in made.recording.leads},
            made={
                "seed": str(SEED + number),
                "rhythm": rhythm,
                "conduction": "paced" if rhythm == "paced" else conduction,
                "territory": territory or "none",
                "shape": shape if injured else "none",
                "rate": _band(rate_bpm),
                "grid": f"{round(grid_hz, -1):.0f} Hz",
            },
        )


def _one_of(rng: np.random.Generator, shares: Mapping[str, float]) -> str:
    return str(rng.choice(list(shares), p=list(shares.values())))


def _band(rate_bpm: float) -> str:
    low = next(low for low in (100, 75, 45) if rate_bpm >= low)
    return {45: "45 to 75 /min", 75: "75 to 100 /min", 100: "100 to 130 /min"}[low]


@dataclass(kw_only=True)
class _Errors:
    """Errors in µV, strip by strip, and the leads that gave no value."""

    strips: list[list[float]]
    of: list[Strip]
    leads: int = 0
    silent: int = 0


def _measured(count: int, *, clinical: bool) -> _Errors:
    found = _Errors(strips=[], of=[])
    for strip in strips(count, clinical=clinical):
        m = measure(strip.recording)
        errors = []
        for lead, truth in strip.stj_mv.items():
            told = m.leads[lead]
            found.leads += 1
            if told.stj_mv is None or not told.usable:
                found.silent += 1
            else:
                errors.append((told.stj_mv - truth) * 1000)
        found.strips.append(errors)
        found.of.append(strip)
    return found


def error_values(
    errors: list[list[float]], must: tuple[float, float] | None, aim: tuple[float, float] | None
) -> tuple[Value, ...]:
    """Bias and 95th percentile of the size of errors in µV, drawn by strip or record."""
    whole, high = bias_and_sd(errors), of_records(errors, p95_of_size)
    if whole is None or high is None:
        return (Value(name="bias", value=None, must=must[0] if must else None, at_most=True),)
    return (
        Value(name="bias", value=whole[1], ci95=whole[2], unit="µV", must=must[0] if must else None,
              aim=aim[0] if aim else None, at_most=True),
        Value(name="95th pct of size", value=high[1], ci95=high[2], unit="µV", must=must[1] if must else None,
              aim=aim[1] if aim else None, at_most=True),
    )  # fmt: skip


def topic(step: int = 1) -> Topic:
    """Errors of STJ at clinical noise, and without noise for comparison."""
    made = Topic(name="synthesis", title="ST at J on simulated strips", intro=_INTRO)
    noisy = _measured(STRIPS // step, clinical=True)
    quiet = _measured(STRIPS // (4 * step), clinical=False)
    for what, found, must, aim in (
        ("STJ at clinical noise, each lead", noisy, MUST_UV, AIM_UV),
        ("STJ without noise, each lead", quiet, None, None),
    ):
        made.rows.append(
            Row(what=what, n=f"{len(found.strips)} strips, {found.leads - found.silent} leads",
                values=error_values(found.strips, must, aim), data=f"simulated, seed {SEED}",
                chosen="LUDB < 100, other seeds", reported="seeds of this report alone")
        )  # fmt: skip
    made.rows.append(
        Row(what="leads without a usable value at clinical noise", n=f"{noisy.leads} leads",
            values=(Value(value=100 * noisy.silent / noisy.leads, unit="%", digits=2),), data=f"simulated, seed {SEED}",
            chosen="LUDB < 100, other seeds", reported="seeds of this report alone")
    )  # fmt: skip
    made.tables = [Table(title="Worst ten strips", rows=_worst(noisy))]
    made.tables += [
        Table(title=f"By {key}", rows=_by(noisy, key)) for key in noisy.of[0].made if key != "seed"
    ]
    return made


def _worst(found: _Errors) -> list[Json]:
    """The strips of the largest errors, with what they are made of."""
    sized = [
        (max(map(abs, errors), default=0.0), strip)
        for errors, strip in zip(found.strips, found.of, strict=True)
    ]
    worst = sorted(sized, key=lambda one: -one[0])[:10]
    return [{**strip.made, "largest error µV": f"{size:.0f}"} for size, strip in worst]


def _by(found: _Errors, key: str) -> list[Json]:
    groups: dict[str, list[list[float]]] = defaultdict(list)
    for errors, strip in zip(found.strips, found.of, strict=True):
        groups[strip.made[key]].append(errors)
    rows = []
    for name, of in sorted(groups.items()):
        values = [value.text() for value in error_values(of, None, None)]
        rows.append({key: name, "strips": len(of), "µV (95 % CI)": "; ".join(values)})
    return rows


_INTRO: Final = """
Ten-second strips of drawn people at 45 to 130 beats a minute: rhythms, conductions, injured walls, J from −0.3 to
0.6 mV, shapes of ST. Noise of a clinic: 25 µV RMS of muscle (20–150 Hz) in each lead, 0.5 mV of wander, 0.1 mV of
mains at 50 or 60 Hz ± 0.2 Hz. The truth is what was put in at J; fibrillatory waves are no part of it, though no
measurement can take them away. Our own simulator, so this tests the measurement against noise, not against the
variety of real hearts. Strips are drawn anew for the intervals.
"""
