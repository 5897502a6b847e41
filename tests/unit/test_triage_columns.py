"""Where a rule speaks, what it lowers and what restores: the columns of the table, written out once more by hand."""

from functools import partial
from typing import Final, get_args

import pytest

from greenchannel.triage.conduction import Conduction
from greenchannel.triage.context import Context, context
from greenchannel.triage.finding import Evidence, Tier
from greenchannel.triage.hit import Hit
from greenchannel.triage.lowering import GUARDS, lower
from greenchannel.triage.reading import REGISTRY, read
from greenchannel.triage.rule_rows import Conducted
from greenchannel.triage.rule_set import RULES
from tests.rule_cases.all_cases import CASES
from tests.rule_cases.kinds import MAN
from tests.triage_measurements import measured

BOTH: Final = ("st_elevation", "equivalent")
SPEAKS: Final[dict[str, str]] = {
    "CV-13": "narrow rbbb",
    "EQV-POST": "narrow wide unknown",
    "EQV-DEWINTER": "narrow rbbb wide unknown",
    "EQV-HATW": "narrow",
    "EQV-AVR": "narrow rbbb wide unknown",
    "EQV-ASLANGER": "narrow unknown",
    "EQV-SAFLAG": "narrow rbbb wide unknown",
    "EQV-SWIRL": "narrow rbbb unknown",
    "EQV-WELLENS": "narrow",
    "EQV-TQRSD": "narrow",
    "EQV-LAD4": "narrow",
    "EQV-LAD3": "narrow",
    "EQV-SIMPLE": "narrow",
    "EQV-LVA": "narrow rbbb",
    "EQV-SGARB": "lbbb paced",
    "EQV-MSC": "lbbb paced",
    "EQV-BARC": "lbbb paced",
    "EQV-RBLA": "rbbb",
    "MIM-LVH": "narrow rbbb",
    "MIM-PERI": "narrow rbbb",
    "STE-RV": "narrow rbbb wide unknown",
    "STE-Q": "narrow rbbb unknown",
}
"""Conduction in which a rule speaks; the others speak everywhere."""

LOWERS: Final[dict[str, tuple[tuple[str, ...], Tier, bool]]] = {
    "MIM-PACE": (("STE-1",), Tier.FLAG, False),
    "MIM-WPW": (("STE-1",), Tier.URG, False),
    "MIM-LBBB": (("STE-1",), Tier.FLAG, False),
    "EQV-LVA": (("STE-1",), Tier.URG, True),
    "MIM-LVH": (("STE-1",), Tier.URG, True),
    "MIM-ER": (("STE-1",), Tier.URG, True),
    "MIM-PERI": (("STE-1",), Tier.URG, True),
    "MIM-BRUG": (("STE-1",), Tier.URG, True),
    "MIM-TACHY": (("STE-1",), Tier.URG, True),
    "STE-CHRONIC": (("STE-1",), Tier.URG, False),
    **dict.fromkeys(
        (
            "atrial_flutter", "st_unreliable", "lead_reversal", "MEAS-1", "qrs_unknown", "wide_qrs",
            "baseline_uncertain", "ventricular_rhythm",
        ),
        (BOTH, Tier.URG, False),
    ),
}  # fmt: skip
"""What a rule lowers, to which tier, and whether a reciprocal depression restores it."""

INFERIOR: Final = {"II": 0.3, "III": 0.3, "aVF": 0.3}


def test_a_rule_speaks_in_its_conductions_alone() -> None:
    """As the specification excludes and gates."""
    assert {row.id: set(row.conduction) for row in RULES.rules.values() if row.conduction} == {
        name: set(words.split()) for name, words in SPEAKS.items()
    }


@pytest.mark.parametrize("case", [case for case in CASES if case.rule in SPEAKS], ids=lambda case: case.rule)
def test_the_conduction_decides_who_speaks(case: "object", monkeypatch: pytest.MonkeyPatch) -> None:
    """The same recording under every conduction: the rule is silent where its row says so."""
    rule, fires = case.rule, case.fires  # type: ignore[attr-defined]
    for name in get_args(Conducted):
        if name in SPEAKS[rule].split():
            continue
        monkeypatch.setattr(Context, "conduction", Conduction(name=name))
        ids = {one.id for one in read(fires.made, fires.patient, earlier=fires.earlier).findings}
        assert rule not in ids, name


def test_what_lowers_and_what_restores() -> None:
    """Every row that lowers, and no other."""
    found = {row.id: (row.lowers, row.tier, row.restorable) for row in RULES.rules.values() if row.lowers}
    assert found == LOWERS


def _says(holds: bool, ctx: Context) -> bool:
    return holds


def elevation(*, reciprocal: bool) -> Hit:
    """A clear inferior STE-1."""
    shown = [
        Evidence(lead=lead, quantity="stj_mv", value=0.3, threshold=0.1, rule="STE-1") for lead in INFERIOR
    ]
    if reciprocal:
        shown.append(
            Evidence(
                lead="aVL", quantity="stj_mv", value=-0.1, threshold=-0.05, rule="STE-RECIP", relation="<="
            )
        )
    return Hit(tier=Tier.ACT, evidence=tuple(shown), territories=("inferior",), id="STE-1", rule="STE-1")


@pytest.mark.parametrize("rule", LOWERS)
@pytest.mark.parametrize("reciprocal", [False, True])
def test_each_lowers_what_it_should_and_is_restored_as_it_should(
    rule: str, reciprocal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """STE-1 to its tier, an equivalent only where the row says so, and a reciprocal depression undoes what may be."""
    targets, tier, restorable = LOWERS[rule]
    monkeypatch.setattr("greenchannel.triage.mimics.explains", lambda *_: True)
    for name in GUARDS:
        monkeypatch.setitem(GUARDS, name, partial(_says, name == rule))
    other = Hit(tier=Tier.ACT, id="EQV-DEWINTER", rule="EQV-DEWINTER")
    hits = {"STE-1": elevation(reciprocal=reciprocal), "EQV-DEWINTER": other}
    if rule not in GUARDS:
        hits[rule] = Hit(tier=Tier.FLAG, id=rule, rule=rule)
    done = lower(context(measured(INFERIOR), MAN), hits, act_when_corrected=False)
    restored = restorable and reciprocal
    assert done["STE-1"].tier is (Tier.ACT if restored else tier)
    assert rule in done["STE-1"].downgraded_by
    assert done["STE-1"].restored_by == (("STE-RECIP",) if restored else ())
    assert done["EQV-DEWINTER"].tier is (tier if targets == BOTH else Tier.ACT)


def test_nothing_lowers_a_critical_value() -> None:
    """They are answered even on a poor trace."""
    assert not any("critical" in row.lowers for row in RULES.rules.values())
    assert set(RULES.rules) >= set(REGISTRY)
