"""The simulation finds bugs: each kind is planted once, and the promise that it breaks is seen to break."""

import pytest

from tests.simulation.day import simulate
from tests.simulation.planted import BUGS
from tests.simulation.promises import PROMISES

_MOST_DAYS = 60


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Within some days, by one of the promises that it breaks; where a step or a question is lost, the auditor says so,
    and no outage explains it."""
    bug = BUGS[name]
    found, said = "", bug.auditor_says is None
    for seed in range(1, 1 + _MOST_DAYS):
        with bug.plant():
            report = simulate(seed)
        by = [one for one in report.broken if one in bug.breaks]
        found = found or (f"day {seed}: {', '.join(by)}" if by else "")
        said = said or report.spoke[bug.auditor_says or ""] > 0
        if found and said:
            break
    with capsys.disabled():
        print(f"\n{name}: {found}", end="")

    assert found, f"expected one of {bug.breaks} to break within {_MOST_DAYS} days"
    assert said, f"expected the auditor to say {bug.auditor_says}"


def test_a_day_after_a_planted_bug_is_as_before() -> None:
    """What is planted is taken out again."""
    before = simulate(3).digest
    with BUGS["no repeat is set"].plant():
        simulate(3)

    assert simulate(3).digest == before


def test_each_promise_is_broken_by_some_bug() -> None:
    """A promise that nothing can break is none."""
    broken = {name for bug in BUGS.values() for name in bug.breaks}

    assert PROMISES.keys() == broken
