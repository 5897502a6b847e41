"""Every metric in every grouping equals a reference that was written from the definitions alone."""

import math
from functools import cache
from typing import Any

import msgspec
import pytest

from greenchannel.alerts.quality.answers import Cell, Question
from greenchannel.alerts.quality.columns import Columns
from greenchannel.alerts.quality.counter import Counter
from greenchannel.alerts.quality.engine import answer_of
from greenchannel.alerts.quality.groups import GROUPINGS
from greenchannel.alerts.quality.record import CaseRecord
from tests import quality_reference as reference
from tests.quality_records import records

SEED = 20260302


@cache
def drawn(n: int) -> tuple[CaseRecord, ...]:
    """The records of one run."""
    return tuple(records(SEED, n))


@cache
def counter(n: int) -> Counter:
    """The engine over them."""
    return Counter(Columns.of(drawn(n)))


def differences(found: Any, expected: Any, where: str) -> list[str]:
    """Where two trees of numbers differ; minutes and shares may differ in the last digits of a float."""
    if isinstance(expected, dict):
        return [line for key in expected for line in differences(found[key], expected[key], f"{where}.{key}")]
    if isinstance(expected, tuple):
        return [
            line
            for number, (one, other) in enumerate(zip(found, expected, strict=True))
            for line in differences(one, other, f"{where}[{number}]")
        ]
    same = found == expected
    if isinstance(found, float) and isinstance(expected, float):
        same = math.isclose(found, expected, rel_tol=1e-12, abs_tol=1e-9)
    return [] if same else [f"{where}: expected {expected}, got {found}"]


def plain(cell: Cell) -> dict[str, Any]:
    """A cell as the reference writes it."""
    return {
        "all": msgspec.structs.asdict(cell.all),
        "kept": msgspec.structs.asdict(cell.kept),
        "excluded": cell.excluded,
        "reasons": cell.reasons,
    }


def check(n: int, by: str) -> int:
    """Compare one grouping over all metrics; return how many cells there were."""
    cases = drawn(n)
    found = answer_of(counter(n), Question(by=(by,), cases=False, trend=False)).metrics
    specs = reference.TABLE["metric"]
    assert [one.metric.id for one in found] == [spec["id"] for spec in specs]
    cells = 0
    for answered, spec in zip(found, specs, strict=True):
        inside = [case for case in cases if reference.belongs(case, spec["population"])]
        groups: dict[str | None, list[CaseRecord]] = {}
        for case in inside:
            groups.setdefault(reference.group(case, by), []).append(case)
        assert {cell.key for cell in answered.groups} == set(groups), (spec["id"], by)
        names = reference.exclusions_of(spec)
        pairs = [(cell, groups[cell.key]) for cell in answered.groups] + [(answered.whole, inside)]
        for cell, members in pairs:
            wrong = differences(
                plain(cell), reference.cell(spec, members, names), f"{spec['id']} by {by} {cell.key}"
            )
            assert wrong == []
            cells += 1
    return cells


@pytest.mark.parametrize("by", sorted(GROUPINGS))
def test_all_metrics_equal_the_reference(by: str) -> None:
    """Two thousand cases with missing, corrected and told times, slips, and clocks that were never compared."""
    assert check(2_000, by) > 57


@pytest.mark.soak
@pytest.mark.parametrize("by", sorted(GROUPINGS))
def test_all_metrics_equal_the_reference_over_ten_thousand_cases(by: str) -> None:
    """The same with all of them."""
    assert check(10_000, by) > 57
