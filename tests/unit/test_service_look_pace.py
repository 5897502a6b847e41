"""How often streams are looked at together: soon where looks are quick, gathered where the machine is busy."""

from hypothesis import given
from hypothesis import strategies as st

from greenchannel.service.look_pace import LEAST_APART_S, MOST_APART_S, TIMES_TAKEN, LookPace

BEGAN_S = 1000.0


def after(taken_s: float) -> LookPace:
    pace = LookPace()
    pace.begin(BEGAN_S)
    pace.end(BEGAN_S + taken_s)
    return pace


def test_the_first_look_may_begin_at_once() -> None:
    assert LookPace().may_begin(0.0) and LookPace().rest_s(0.0) == 0.0


def test_none_begins_while_one_is_under_way_and_nobody_waits_by_a_timer() -> None:
    pace = LookPace()
    pace.begin(BEGAN_S)

    assert not pace.may_begin(BEGAN_S + 60.0)
    assert pace.rest_s(BEGAN_S) == 0.0


def test_quick_looks_follow_each_other_soon_and_slow_ones_gather() -> None:
    middle_s = 0.006

    assert not after(0.0).may_begin(BEGAN_S + LEAST_APART_S - 1e-6)
    assert after(0.0).may_begin(BEGAN_S + LEAST_APART_S + 1e-6)
    assert not after(middle_s).may_begin(BEGAN_S + TIMES_TAKEN * middle_s - 1e-6)
    assert after(middle_s).may_begin(BEGAN_S + TIMES_TAKEN * middle_s + 1e-6)
    assert not after(0.03).may_begin(BEGAN_S + MOST_APART_S - 1e-6)
    assert after(0.03).may_begin(BEGAN_S + MOST_APART_S + 1e-6)


@given(taken_s=st.floats(0.0, 2.0), later_s=st.floats(0.0, 2.0))
def test_when_to_ask_again_is_when_one_may_begin(taken_s: float, later_s: float) -> None:
    pace, now_s = after(taken_s), BEGAN_S + taken_s + later_s
    rest_s = pace.rest_s(now_s)

    assert 0.0 <= rest_s <= MOST_APART_S
    assert pace.may_begin(now_s) == (rest_s == 0.0)
    assert pace.may_begin(now_s + rest_s + 1e-9)
