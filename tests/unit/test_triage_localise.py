"""Walls of the heart by their leads."""

import pytest

from greenchannel.signal.leads import CABRERA_CHAIN, CHEST_CHAIN
from greenchannel.triage.localise import load, localise, names_en, names_zh
from greenchannel.triage.rule_set import RuleSetError

INFERIOR = "II III aVF"


@pytest.mark.parametrize(
    ("leads", "slugs"),
    [
        ("V1 V2", ["septal"]),
        ("V1 V2 V3", ["anteroseptal"]),
        ("V1 V2 V3 V4", ["anteroseptal"]),
        ("V3 V4 V5", ["anterior"]),
        ("V1 V2 V3 V4 V5", ["extensive_anterior"]),
        ("V1 V2 V3 V4 V5 V6", ["extensive_anterior"]),
        ("V3 V4 V5 V6", ["anterolateral"]),
        ("V4 V5 V6", ["anterolateral"]),
        ("V4 V5 V6 I aVL", ["anterolateral"]),
        ("V3 V4 V5 V6 I aVL", ["anterolateral"]),
        ("I aVL", ["high_lateral"]),
        ("V1 V2 V3 V4 V5 I aVL", ["extensive_anterior", "high_lateral"]),
        ("V1 V2 V3 V4 V5 V6 I aVL", ["extensive_anterior", "high_lateral"]),
        ("I aVL V5 V6", ["lateral"]),
        (INFERIOR, ["inferior"]),
        (f"{INFERIOR} V5 V6", ["inferolateral"]),
        (f"{INFERIOR} V7 V8 V9", ["inferoposterior"]),
        (f"{INFERIOR} V5 V6 V7 V8 V9", ["lateral", "inferoposterior"]),
        ("V7 V8 V9", ["posterior"]),
        ("V3R V4R V5R", ["right_ventricular"]),
        (f"{INFERIOR} V3R V4R V5R", ["inferior", "right_ventricular"]),
        (f"V1 V2 V3 V4 {INFERIOR}", ["anteroseptal", "inferior"]),
    ],
)
def test_the_walls_of_the_specification(leads: str, slugs: list[str]) -> None:
    """The longest set wins, what is left is named as well, in the order of the table."""
    assert list(localise(leads.split())) == slugs


@pytest.mark.parametrize(
    ("leads", "slugs"),
    [
        ("V2 V3", ["anteroseptal"]),
        ("V2 V3 V4", ["anteroseptal"]),
        ("V3 V4", ["anterior"]),
        ("V4 V5", ["anterior"]),
        ("V2 V3 V4 V5", ["anterior"]),
        ("V2 V3 V4 V5 V6", ["anterolateral"]),
        ("V5 V6", ["lateral"]),
        ("V6 V7", ["posterior"]),
        ("V7 V8", ["posterior"]),
        ("II aVF", ["inferior"]),
        ("III aVF", ["inferior"]),
        ("II aVF V5 V6", ["inferolateral"]),
        ("III aVF V8 V9", ["inferoposterior"]),
        ("I II", ["inferolateral"]),
        ("aVL I II", ["high_lateral"]),
        ("V3R V4R", ["right_ventricular"]),
        ("V3R V1", ["right_ventricular"]),
    ],
)
def test_sets_that_the_specification_does_not_list(leads: str, slugs: list[str]) -> None:
    """Partial sets take the wall they belong to."""
    assert list(localise(leads.split())) == slugs


def test_every_set_of_neighbours_has_a_name() -> None:
    """Two or more leads in a row, anywhere on the limb and chest chains."""
    for chain in ([lead for lead in CABRERA_CHAIN if lead != "-aVR"], list(CHEST_CHAIN)):
        for start in range(len(chain)):
            for end in range(start + 2, len(chain) + 1):
                assert localise(chain[start:end]), chain[start:end]


def test_names_are_joined_in_both_languages() -> None:
    """The walls of the golden case."""
    slugs = localise(["V1", "V2", "V3", "V4", "V5", "I", "aVL"])
    assert names_en(slugs) == "extensive anterior and high lateral"
    assert names_zh(slugs) == "广泛前壁、高侧壁"


@pytest.mark.parametrize(
    ("full", "said"),
    [('["V1 V99"]', "V99"), ('["V1 V2", "V2 V1"]', "one name"), ('"V1"', "array"), ('[""]', "got ''")],
)
def test_a_broken_table_of_territories_is_loud(full: str, said: str) -> None:
    """An unknown lead, a set with two names and an empty set are refused."""
    text = '[[territory]]\nslug = "a"\nen = "a"\nzh = "a"\nculprit_en = "a"\nculprit_zh = "a"\npartial = []\nfull = '
    with pytest.raises(RuleSetError, match=said):
        load(text + full)
