"""STE-1 with MEAS-5 over the whole grid: every pair of neighbours, age, sex and level around its threshold.

What is expected is written out here once more, by hand and in another way than the rules are.
"""

from itertools import product

import pytest

from greenchannel.triage.finding import Patient, Tier
from greenchannel.triage.reading import read
from greenchannel.triage.rule_set import STE_LEADS
from tests.triage_measurements import measured

CHAINS = ("aVL I II aVF III", "V5R V4R V3R V1 V2 V3 V4 V5 V6 V7 V8 V9")
PAIRS = [tuple(pair) for chain in CHAINS for pair in zip(chain.split(), chain.split()[1:], strict=False)]
AGES = (None, 18.0, 29.9, 30.0, 39.9, 40.0, 61.0)
SEXES = (None, "male", "female")
OFFSETS_UV = (-1.0, 0.0, 1.0, 24.0, 25.0, 26.0, 300.0)


def threshold_uv(lead: str, sex: str, age_years: float) -> float:
    """The table of the specification."""
    if lead in ("V2", "V3"):
        return 150 if sex == "female" else 250 if age_years < 40 else 200
    if lead in ("V7", "V8", "V9"):
        return 100 if sex == "male" and age_years < 40 else 50
    if lead.endswith("R"):
        return 100 if sex == "male" and age_years < 30 else 50
    return 100


def tier_of(levels_uv: dict[str, float], sex: str, age_years: float) -> Tier:
    """Two neighbours at 0 but for themselves: nothing, borderline or clear."""
    above = min(uv - threshold_uv(lead, sex, age_years) for lead, uv in levels_uv.items())
    return Tier.NONE if above < 0 else Tier.URG if above < 25 else Tier.ACT


def expected(levels_uv: dict[str, float], sex: str | None, age_years: float | None) -> Tier:
    """ACT where it is ACT for everybody the patient may be, URG where it is anything for somebody."""
    sexes = ("male", "female") if sex is None else (sex,)
    ages = (20.0, 35.0, 61.0) if age_years is None else (age_years,)
    tiers = {tier_of(levels_uv, s, a) for s, a in product(sexes, ages)}
    return tiers.pop() if len(tiers) == 1 else Tier.URG


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_the_tier_of_every_cell(pair: tuple[str, str]) -> None:
    """The weaker lead at and around its threshold for this age and sex; the stronger far above."""
    for age_years, sex, weaker, offset_uv in product(AGES, SEXES, (0, 1), OFFSETS_UV):
        anchors = {
            threshold_uv(pair[weaker], s, a)
            for s in (SEXES[1:] if sex is None else (sex,))
            for a in ((20.0, 35.0, 61.0) if age_years is None else (age_years,))
        }
        for anchor_uv in anchors:
            levels_uv = {pair[weaker]: anchor_uv + offset_uv, pair[1 - weaker]: 900.0}
            made = measured({lead: uv / 1000 for lead, uv in levels_uv.items()}, leads=STE_LEADS)
            findings = read(made, Patient(age_years=age_years, sex=sex)).findings
            tier = next((one.tier for one in findings if one.id == "STE-1"), Tier.NONE)
            assert tier is expected(levels_uv, sex, age_years), (levels_uv, age_years, sex)


@pytest.mark.parametrize("lead", [lead for chain in CHAINS for lead in chain.split()])
def test_one_lead_alone_is_nothing(lead: str) -> None:
    """However high it is."""
    found = read(measured({lead: 0.9}, leads=STE_LEADS), Patient(age_years=61, sex="female")).findings
    assert not any(one.id == "STE-1" for one in found)


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_a_third_lead_or_a_reciprocal_depression_makes_up_for_the_borderline(pair: tuple[str, str]) -> None:
    """The same pair 10 µV above its thresholds: URG alone, ACT with a third qualifying neighbour."""
    levels = {lead: (threshold_uv(lead, "male", 61) + 10) / 1000 for lead in pair}
    chain = next(chain.split() for chain in CHAINS if pair[0] in chain.split() and pair[1] in chain.split())
    at = chain.index(pair[1])
    third = chain[at + 1] if at + 1 < len(chain) else chain[at - 2]
    alone = read(measured(levels, leads=STE_LEADS), Patient(age_years=61, sex="male"))
    three = read(
        measured(levels | {third: threshold_uv(third, "male", 61) / 1000}, leads=STE_LEADS),
        Patient(age_years=61, sex="male"),
    )
    assert next(one for one in alone.findings if one.id == "STE-1").tier is Tier.URG
    assert next(one for one in three.findings if one.id == "STE-1").tier is Tier.ACT
