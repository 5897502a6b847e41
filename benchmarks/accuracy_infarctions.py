"""Simulated infarctions of every territory, just above the thresholds: are they found, and is the right wall named?"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.accuracy_pictures import picture
from benchmarks.accuracy_report import Row, Table, Topic, Value
from benchmarks.accuracy_stats import share
from benchmarks.harness import Json
from greenchannel.signal.leads import STANDARD_12, STANDARD_18
from greenchannel.signal.synthesis import TERRITORIES, Simulated, simulate
from greenchannel.triage.context import context
from greenchannel.triage.contiguity import runs
from greenchannel.triage.finding import Patient, Tier
from greenchannel.triage.interpretation import Interpretation, interpret
from greenchannel.triage.localise import localise
from greenchannel.triage.rule_set import RULES, STE_LEADS, Profile

SEED: Final = 20261101  # of this report alone: no rule and no limit was chosen on these strips
EACH: Final = 24  # strips of a territory and a level
LEVELS: Final = ((1.5, 98.0, 99.5, 90.0, 97.0), (1.1, 85.0, 95.0, None, None))
"""J as a multiple of the threshold; must and aim of ACT or URG; of the right wall."""
SHAPES: Final = ("plateau", "climbing", "concave", "domed", "downsloping")
NO_INFARCTION: Final = ("pericarditis", "early_repolarisation")
BEHIND: Final = ("posterior", "inferoposterior", "right_ventricular")  # seen on 18 leads alone
EMG_MV, WANDER_MV, MAINS_MV = 0.02, 0.3, 0.05


@dataclass(frozen=True, kw_only=True)
class Made:
    """One simulated infarction and what was said of it."""

    territory: str
    seed: int
    level: float
    strip: Simulated
    read: Interpretation
    expected: tuple[str, ...]  # walls that the true J levels name

    @property
    def found(self) -> bool:
        """Proposed, or at least to be read within ten minutes."""
        return any(
            one.tier.rank <= Tier.URG.rank and RULES.rules[one.id].section in ("st_elevation", "equivalent")
            for one in self.read.reading.findings
            if one.id in RULES.rules
        )

    @property
    def located(self) -> bool:
        """Is the injured wall named, or just the walls that the true levels name?"""
        named = {slug for finding in self.read.reading.findings for slug in finding.territories}
        return self.territory in named or (bool(self.expected) and named >= set(self.expected))


def infarctions(level: float, each: int) -> Iterator[Made]:
    """Strips whose weaker lead of the best contiguous pair lies at `level` times its threshold."""
    for name in (name for name in TERRITORIES if name not in NO_INFARCTION):
        for number in range(each):
            made = _infarction(name, level, number)
            if made is not None:
                yield made


def _infarction(territory: str, level: float, number: int) -> Made | None:
    rng = np.random.default_rng([SEED, sorted(TERRITORIES).index(territory), number])
    patient = Patient(
        age_years=float(rng.integers(35, 85)), sex=str(rng.choice(["male", "female"])), chest_pain=True
    )
    rate_bpm, shape, seed = float(rng.uniform(55, 105)), str(rng.choice(SHAPES)), int(rng.integers(2**31))
    profile = next(p for p in RULES.profiles if p.fits(patient.age_years, patient.sex))
    leads = STANDARD_18 if territory in BEHIND else STANDARD_12

    def strip(stj_mv: float, share: float) -> Simulated:
        return simulate(
            leads=leads, seed=seed, territory=territory, stj_mv=stj_mv, st_shape=shape, heart_rate_bpm=rate_bpm,
            variation=1.0, age_years=patient.age_years, sex=patient.sex, emg_mv=EMG_MV * share,
            wander_mv=WANDER_MV * share, mains_mv=MAINS_MV * share,
            electrode_set="posterior_right" if leads is STANDARD_18 else "standard",
        )  # fmt: skip

    unit = strip(1.0, 0.0).truth.stj_mv
    reach = max((min(_multiple(unit, profile, lead) for lead in pair) for pair in _pairs(leads)), default=0.0)
    if reach <= 0.0:
        return None  # no pair of these leads is elevated by this injury
    made = strip(level / reach, 1.0)
    high = {lead: _multiple(made.truth.stj_mv, profile, lead) >= 1.0 for lead in leads if lead in STE_LEADS}
    walls = localise(lead for run in runs(high, at_least=2, bridge=1) for lead in run.leads)
    return Made(
        territory=territory, seed=seed, level=level, strip=made, read=interpret(made.recording, patient), expected=walls
    )  # fmt: skip


def _multiple(stj_mv: Mapping[str, float], profile: Profile, lead: str) -> float:
    return stj_mv[lead] * 1000.0 / profile.threshold_uv[lead]


def _pairs(leads: tuple[str, ...]) -> list[tuple[str, str]]:
    """Neighbours among the leads, by the rules' own notion."""
    known = {lead: True for lead in leads if lead in STE_LEADS}
    return [pair for run in runs(known, at_least=2, bridge=1) for pair in run.pairs]


def topic(step: int = 1) -> Topic:
    """Both levels, all territories."""
    made = Topic(name="infarctions", title="Simulated infarctions near the thresholds", intro=_INTRO)
    missed: list[Json] = []
    for level, must, aim, wall_must, wall_aim in LEVELS:
        strips = list(infarctions(level, max(EACH // step, 1)))
        found, found_ci = share([one.found for one in strips], [1] * len(strips))
        right, right_ci = share([one.located for one in strips], [1] * len(strips))
        made.rows.append(
            Row(
                what=f"J at {level:g} × the threshold in the weaker lead of the best pair",
                n=f"{len(strips)} strips, {len({one.territory for one in strips})} territories",
                values=(
                    Value(name="ACT or URG", value=found, ci95=found_ci, unit="%", must=must, aim=aim),
                    Value(
                        name="right wall", value=right, ci95=right_ci, unit="%", must=wall_must, aim=wall_aim
                    ),
                ),
                data=f"simulated, seed {SEED}",
                chosen="other seeds",
                reported="these strips",
            )
        )
        made.tables.append(Table(title=f"By territory, {level:g} ×", rows=_by_territory(strips)))
        missed += [_told(one) for one in strips if not (one.found and one.located)]
    made.tables.append(Table(title="Each one missed or wrongly named", rows=missed))
    return made


def _by_territory(strips: list[Made]) -> list[Json]:
    groups: dict[str, list[Made]] = defaultdict(list)
    for one in strips:
        groups[one.territory].append(one)
    return [
        {
            "territory": name,
            "n": len(some),
            "ACT": sum(one.read.reading.tier is Tier.ACT for one in some),
            "ACT or URG": sum(one.found for one in some),
            "right wall": sum(one.located for one in some),
        }
        for name, some in groups.items()
    ]


def _told(one: Made) -> Json:
    reading = one.read.reading
    levels = context(one.read.measurements, one.read.patient).stj_uv
    worst = max(
        levels, key=lambda lead: abs(levels[lead] / 1000 - one.strip.truth.stj_mv[lead]), default=None
    )
    return {
        "territory": one.territory,
        "level": one.level,
        "seed": one.seed,
        "tier": reading.tier.value,
        "named": " ".join(sorted({slug for f in reading.findings for slug in f.territories})),
        "true levels name": " ".join(one.expected),
        "lowered by": " ".join(sorted({why for f in reading.findings for why in f.downgraded_by})),
        "picture": picture(one.read, f"{one.territory}-{one.level:g}-{one.seed}"),
        "largest error of STJ, µV": ""
        if worst is None
        else f"{worst} {levels[worst] - one.strip.truth.stj_mv[worst] * 1000:+.0f}",
    }


_INTRO: Final = """
An injury of each territory is drawn in many people, and scaled so that the weaker lead of the best pair of neighbours
lies at a multiple of its threshold for this person's age and sex. Posterior and right ventricular ones have 18 leads.
Noise: 20 µV of muscle, 0.3 mV of wander, 50 µV of mains. These are simulated hearts: a share here is no sensitivity for
patients.
"""
