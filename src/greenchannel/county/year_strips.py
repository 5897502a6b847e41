"""The strips of a simulated year: each is made, stored and read once, and borne by many patients.

A strip brings its age and its sex with it, so what was read in it holds for whoever bears it.
"""

import random
from dataclasses import dataclass, field
from typing import Final

from greenchannel.county.plan import CONDUCTIONS, INFARCTIONS, MIMICS, RHYTHMS
from greenchannel.ingest.dicom_ecg_write import write_dicom_ecg
from greenchannel.ingest.parsed import Sex
from greenchannel.service.intake import Intake
from greenchannel.service.readings import KnownEcg
from greenchannel.signal.synthesis import simulate
from greenchannel.triage.finding import Patient

VARIANTS: Final = {"infarction": 24, "depression": 10, "mimic": 8, "rhythm": 10, "conduction": 8, "quiet": 40}
"""How many strips there are of each kind.  [E]"""
SLOW_RHYTHMS: Final = frozenset({"ventricular_tachycardia", "av_block_3"})
"""Rhythms that would ring: left to other simulations, as there nobody writes what they were in truth."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Strip:
    """One of them."""

    age_years: float
    sex: Sex
    known: KnownEcg


@dataclass(kw_only=True)
class Strips:
    """The pool; a strip is made when it is first asked for.

    Parameters
    ----------
    variants
        Of all kinds, how many there are at most; fewer make a small county quick.
    """

    seed: int
    intake: Intake
    site: str
    variants: int | None = None
    _made: dict[tuple[str, int, str | None], Strip] = field(default_factory=dict)

    def strip(self, kind: str, number: int, lead: str | None = None) -> Strip:
        """The strip of a kind and a number, with one lead that fails where it is named. Slow at first, then at once."""
        many = VARIANTS[kind] if self.variants is None else min(VARIANTS[kind], self.variants)
        key = (kind, number % many, lead)
        if key not in self._made:
            self._made[key] = self._make(*key)
        return self._made[key]

    @property
    def distinct(self) -> int:
        """How many were made, and read."""
        return len(self._made)

    def _make(self, kind: str, number: int, lead: str | None) -> Strip:
        dice = random.Random(f"{self.seed}/strip/{kind}/{number}")
        age_years = float(dice.randint(42, 84))
        sex: Sex = dice.choice(("male", "female"))
        wander_mv = dice.uniform(0.02, 0.12)
        territory, stj_mv, rhythm, conduction = None, 0.0, "sinus", "narrow"
        match kind:
            case "infarction":
                territory, stj_mv = dice.choice(INFARCTIONS), dice.uniform(0.22, 0.5)
            case "depression":
                territory, stj_mv = "diffuse_subendocardial", dice.uniform(0.08, 0.16)
            case "mimic":
                territory, stj_mv = dice.choice(MIMICS), dice.uniform(0.1, 0.2)
            case "rhythm":
                rhythm = dice.choice([one for one in RHYTHMS if one not in SLOW_RHYTHMS])
            case "conduction":
                conduction = dice.choice(CONDUCTIONS)
            case _:
                pass
        made = simulate(
            seed=dice.randrange(1 << 31),
            heart_rate_bpm=round(dice.gauss(78.0, 10.0), 1),
            territory=territory,
            stj_mv=stj_mv,
            rhythm=rhythm,
            conduction=conduction,
            age_years=age_years,
            sex=sex,
            variation=1.0,
            white_mv=0.004,
            wander_mv=wander_mv,
            dead_leads=() if lead is None else (lead,),
            lsb_mv=0.005,
        )
        data = write_dicom_ecg(made.recording, acquired=None, age_years=age_years, sex=sex)
        patient = Patient(age_years=age_years, sex=sex, chest_pain=True)
        return Strip(age_years=age_years, sex=sex, known=self.intake.know(data, patient, self.site))
