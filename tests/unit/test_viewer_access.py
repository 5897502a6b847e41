"""Rights, origins and the limit on failed attempts."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenchannel.service.callers import Caller
from greenchannel.service.errors import Forbidden
from greenchannel.store.accounts import ROLES
from greenchannel.viewer.access import RIGHTS, AttemptLimit, may, own_origin, require
from greenchannel.viewer.problems import Problem
from greenchannel.viewer.uploads import check_announced

START = datetime(2026, 5, 1, 16, 5, tzinfo=UTC)


def who(role: str) -> Caller:
    return Caller(kind="user", id="x", name="x", role=role, sites=None)


def test_the_table_names_only_roles_that_exist() -> None:
    """A misspelt role would silently have no right."""
    assert set().union(*RIGHTS.values()) <= {*ROLES, "device"}


def test_only_a_doctor_signs_and_only_the_clinic_confirms_advice() -> None:
    """And whoever has no right is told so."""
    assert {role for role in ROLES if may(who(role), "read")} == {"reader", "cardiologist"}
    assert {role for role in ROLES if may(who(role), "advice_seen")} == {"clinic"}
    assert not may(who("quality"), "identity")
    with pytest.raises(Forbidden):
        require(who("cathlab"), "read")


@pytest.mark.parametrize(
    ("origin", "host", "own"),
    [
        ("http://a.example", "a.example", True),
        ("https://A.example:8443", "a.example:8443", True),
        ("http://a.example.evil.example", "a.example", False),
        ("http://evil.example", "a.example", False),
        ("http://a.example@evil.example", "a.example", False),
        ("null", "a.example", False),
        ("", "a.example", False),
        (None, "a.example", False),
        ("http://a.example", None, False),
        ("file://a.example", "a.example", False),
        ("http://[a.example", "a.example", False),
    ],
)
def test_only_the_pages_own_origin_is_own(origin: str | None, host: str | None, own: bool) -> None:
    """Compared whole: neither a prefix nor user information makes another page ours."""
    assert own_origin(origin, host) is own


def test_failures_are_forgotten_after_their_window() -> None:
    """Three are allowed; the fourth waits until the first has left the window."""
    limit = AttemptLimit(most=3, window=timedelta(minutes=1))
    for second in range(3):
        limit.check("a", START)
        limit.failed("a", START + timedelta(seconds=second))
    with pytest.raises(Problem) as refused:
        limit.check("a", START + timedelta(seconds=10))
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (429, "50")
    limit.check("b", START)
    limit.check("a", START + timedelta(seconds=61))


@given(st.lists(st.text(min_size=1, max_size=3), max_size=60))
def test_the_limit_remembers_no_more_names_than_it_may(names: list[str]) -> None:
    """An attacker with many names fills no memory."""
    limit = AttemptLimit(most=2, window=timedelta(minutes=1), remembered=5)
    for name in names:
        limit.failed(name, START)

    assert len(limit._failures) <= 5


@given(st.text(max_size=30))
def test_an_announced_length_is_taken_refused_or_no_number(length: str) -> None:
    """Nothing but a `Problem` leaves, whatever the header holds."""
    try:
        check_announced(length, 1000)
    except Problem as problem:
        assert problem.status in {400, 413}
    else:
        assert int(length) <= 1000
