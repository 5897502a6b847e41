"""Lists of critical values: the consensus of 2017 by default, others by name."""

import pytest

from greenchannel.triage.critical_lists import (
    DEFAULT,
    LISTS,
    load,
    rules_by_site,
    rules_named,
    with_list,
)
from greenchannel.triage.finding import Patient
from greenchannel.triage.reading import read
from greenchannel.triage.rule_set import RULES, RuleSet, RuleSetError
from tests.triage_measurements import measured

ADULT = Patient(age_years=61, sex="male", symptoms=False)


def fired(rules: RuleSet, bpm: float = 75.0, name: str = "sinus", pause_s: float = 1.0) -> set[str]:
    """The critical values of a rate, a rhythm and a pause."""
    made = measured(heart_rate_bpm=bpm, rhythm={"name": name, "beats": 8, "longest_pause_s": pause_s})
    return {one.id for one in read(made, ADULT, rules).findings if one.id.startswith("CV-")}


def test_the_default_list_is_the_rule_set_itself() -> None:
    """It moves nothing."""
    assert with_list(RULES, DEFAULT).rules == RULES.rules


@pytest.mark.parametrize(
    ("name", "svt_bpm", "atrial_bpm"),
    [(DEFAULT, 200, 200), ("zhejiang-draft", 230, 180), ("zhejiang", 200, 200), ("shanxi", 180, 180)],
)
def test_a_list_moves_the_rate_at_which_a_tachycardia_is_critical(
    name: str, svt_bpm: float, atrial_bpm: float
) -> None:
    """At the number, not below it."""
    rules = with_list(RULES, name)
    for rhythm, limit in (("supraventricular_tachycardia", svt_bpm), ("atrial_fibrillation", atrial_bpm)):
        assert fired(rules, limit, rhythm) == {"CV-5"}
        assert fired(rules, limit - 1, rhythm) == set()


def test_the_regional_values_ring_earlier() -> None:
    """40/min, and 3 s also without symptoms, but 5 s in atrial fibrillation."""
    rules = with_list(RULES, "regional")
    assert fired(RULES, bpm=40.0) == set()
    assert fired(rules, bpm=40.0) == {"CV-7"}
    assert fired(RULES, pause_s=3.2) == set()
    assert fired(rules, pause_s=3.2) == {"CV-8"}
    assert fired(rules, name="atrial_fibrillation", pause_s=4.5) == set()
    assert fired(rules, name="atrial_fibrillation", pause_s=5.0) == {"CV-8"}


def test_what_is_printed_is_the_number_of_the_list() -> None:
    """With its source and mark; the rule set it came from stays as it is."""
    row = with_list(RULES, "shanxi").rules["CV-5"]
    assert "≥ 180/min" in row.filled(row.formula)
    assert "Shanxi" in (row.numbers["svt_bpm"].source or "")
    assert row.numbers["svt_bpm"].mark == "S"
    assert RULES.numbers["CV-5"].svt_bpm == 200


def test_every_list_has_a_name_in_both_languages_and_sources() -> None:
    """As a site is shown it."""
    for one in LISTS.values():
        assert one.en
        assert one.zh
        assert all(move.source for move in one.moves)


def test_an_unknown_list_names_those_there_are() -> None:
    """The error helps."""
    with pytest.raises(RuleSetError, match=r"consensus-2017, .*shanxi.*, got henan"):
        with_list(RULES, "henan")


def table(moves: str, name: str = "a-site") -> str:
    """A table of the default list and one more."""
    head = f'[[list]]\nname = "{DEFAULT}"\nen = "a"\nzh = "a"\nmoves = []\n'
    return f'{head}[[list]]\nname = "{name}"\nen = "a"\nzh = "a"\nmoves = [{moves}]\n'


def test_a_list_may_move_numbers_of_critical_values_alone() -> None:
    """Neither another rule, nor a number that there is not, nor one rule's twice-named list."""
    for rule, number in (("STE-Q", "r_ms"), ("CV-99", "a"), ("CV-5", "rate_bpm")):
        move = f'{{ rule = "{rule}", number = "{number}", value = 1, mark = "E", source = "a" }}'
        with pytest.raises(RuleSetError, match="expected a number of a critical value"):
            with_list(RULES, "a-site", load(table(move)))
    with pytest.raises(RuleSetError, match="each list once"):
        load(table("", DEFAULT))
    with pytest.raises(RuleSetError, match="table of lists"):
        load("[[list]]\nname = 3\n")


def test_a_list_is_part_of_the_name_of_the_rules() -> None:
    """``2+shanxi`` is the newest with that list; the default list has no name of its own."""
    assert rules_named("2+shanxi").version == "2+shanxi"
    assert rules_named("2+consensus-2017").version == "2"
    with pytest.raises(RuleSetError, match="shanxi"):
        rules_named("2+atlantis")
    with pytest.raises(RuleSetError, match="1 2"):
        rules_named("9+shanxi")


def test_each_site_has_its_list() -> None:
    """The network's stands first; a site without one follows it."""
    rules_of = rules_by_site("consensus-2017, a=shanxi")
    assert (rules_of("a").version, rules_of("b").version) == ("2+shanxi", "2")
    for wrong in ("consensus-2017, a", "consensus-2017, =shanxi", "nowhere"):
        with pytest.raises(RuleSetError):
            rules_by_site(wrong)
