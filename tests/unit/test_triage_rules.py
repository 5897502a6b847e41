"""Every rule of the newest set: it fires on its case, not on a near miss, and each of its numbers decides."""

import copy
from collections.abc import Iterator

import msgspec
import pytest

from greenchannel.triage.finding import Finding
from greenchannel.triage.lowering import GUARDS
from greenchannel.triage.reading import CONCLUDING, REGISTRY, read
from greenchannel.triage.rule_set import RULES, Numbers, RuleSet
from tests.rule_cases.all_cases import CASES
from tests.rule_cases.kinds import Given, Probe, RuleCase

ALL = {case.rule: case for case in CASES}


def found(case: RuleCase, given: Given, rules: RuleSet = RULES) -> Finding | None:
    """The finding of the case's rule."""
    reading = read(given.made, given.patient, rules, earlier=given.earlier)
    return next((one for one in reading.findings if one.id == (case.finding or case.rule)), None)


def lowers(case: RuleCase, given: Given, rules: RuleSet = RULES) -> bool:
    """Is STE-1 lowered by the case's rule?"""
    reading = read(given.made, given.patient, rules, earlier=given.earlier)
    return any(one.id == "STE-1" and case.rule in one.downgraded_by for one in reading.findings)


def fires(case: RuleCase, probe: Probe, given: Given, rules: RuleSet = RULES) -> bool:
    """What a probe means by firing."""
    if probe.lowers_ste_1:
        return lowers(case, given, rules)
    one = found(case, given, rules)
    if one is None or (probe.said is not None and probe.said not in one.en):
        return False
    return probe.tier is None or one.tier is probe.tier


def test_every_rule_has_a_function_and_every_function_a_rule() -> None:
    """The tables and the code name the same rules."""
    assert set(RULES.rules) - set(GUARDS) == set(REGISTRY) | set(CONCLUDING)


def test_every_rule_has_a_case() -> None:
    """No rule without a record that fires it; guards are tested beside STE-1."""
    assert set(ALL) == set(REGISTRY) | set(CONCLUDING)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_a_rule_fires_on_its_case_and_not_on_a_near_miss(case: RuleCase) -> None:
    """With its tier, words in both languages, and known rules in its evidence."""
    one = found(case, case.fires)
    assert one is not None
    assert one.tier is case.tier
    assert one.en and one.zh
    assert {shown.rule for shown in one.evidence} <= {*RULES.rules, "STE-RECIP"}
    assert case.misses
    for what, given in case.misses.items():
        assert found(case, given) is None, what


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_a_rule_taken_out_of_the_set_is_silent(case: RuleCase) -> None:
    """The table decides which rules there are."""
    fewer = msgspec.structs.replace(
        RULES, rules={name: row for name, row in RULES.rules.items() if name != case.rule}
    )
    assert found(case, case.fires, fewer) is None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_every_number_has_a_probe(case: RuleCase) -> None:
    """No number in a table that decides nothing."""
    probed = {probe.number for probe in case.probes}
    assert probed | set(case.unprobed) == set(RULES.rules[case.rule].numbers)
    assert not probed & set(case.unprobed)


def probes() -> Iterator[tuple[RuleCase, Probe]]:
    """Each number of each rule."""
    for case in CASES:
        for probe in case.probes:
            yield case, probe


@pytest.mark.parametrize(
    ("case", "probe"), list(probes()), ids=[f"{case.rule}-{probe.number}" for case, probe in probes()]
)
def test_the_number_itself_decides(case: RuleCase, probe: Probe) -> None:
    """At the number, one step beside it; and with the number moved in the table, the answer moves along."""
    value = RULES.rules[case.rule].numbers[probe.number].value
    side = 1 if probe.fires_from else -1
    assert fires(case, probe, probe.at(value)) is probe.fires_at
    assert fires(case, probe, probe.at(value + side * probe.step))
    assert not fires(case, probe, probe.at(value - side * probe.step))
    moved = _with_number(case.rule, probe.number, value + side * 2 * probe.step)
    assert not fires(case, probe, probe.at(value + side * probe.step), moved)


def _with_number(rule: str, name: str, value: float) -> RuleSet:
    row = RULES.rules[rule]
    numbers = dict(row.numbers) | {name: msgspec.structs.replace(row.numbers[name], value=value)}
    rules = dict(RULES.rules) | {rule: msgspec.structs.replace(row, numbers=numbers)}
    values = dict(copy.copy(RULES.numbers))
    values[rule] = Numbers(rule, {key: number.value for key, number in numbers.items()})
    return msgspec.structs.replace(RULES, rules=rules, numbers=values)
