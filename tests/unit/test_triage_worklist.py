"""The order of the worklist and its words."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from greenchannel.clock import NaiveDatetimeError
from greenchannel.triage.finding import Patient, Tier
from greenchannel.triage.worklist import Place, explain, place
from greenchannel.triage.worklist_weights import points

OPENED = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def at(
    tier: Tier,
    *,
    answered: bool = False,
    chest_pain: bool | None = True,
    minute: float = 0,
    now: float = 0,
    case_id: str = "c",
) -> Place:
    """A case opened at `minute`, seen at minute `now`."""
    return place(
        tier=tier,
        answered=answered,
        patient=Patient(chest_pain=chest_pain),
        opened_at=OPENED + timedelta(minutes=minute),
        case_id=case_id,
        now=OPENED + timedelta(minutes=now),
    )


def test_the_order_of_waiting_cases() -> None:
    """Tier, then no answer before answered, then the wait with its head start, then the id."""
    wanted = [
        at(Tier.ACT, minute=3),
        at(Tier.ACT, minute=4),
        at(Tier.ACT, chest_pain=None, minute=1),
        at(Tier.ACT, chest_pain=False, minute=1),
        at(Tier.ACT, answered=True, minute=0),
        at(Tier.CRIT, minute=0),
        at(Tier.URG, minute=0, case_id="a"),
        at(Tier.URG, minute=0, case_id="b"),
        at(Tier.FLAG),
        at(Tier.REC),
        at(Tier.NONE),
    ]
    shuffled = wanted[::-1]
    assert sorted(shuffled) == wanted


def test_chest_pain_is_eight_minutes_of_waiting() -> None:
    """A later case with pain passes one without that came up to eight minutes before, and no other."""
    late = at(Tier.ACT, minute=9)
    assert at(Tier.ACT, chest_pain=False, minute=0.9) < late < at(Tier.ACT, chest_pain=False, minute=1.1)


def test_an_urgent_case_moves_up_after_its_ten_minutes() -> None:
    """Behind the critical cases that wait already, before those that come later and those that are answered."""
    late = at(Tier.URG, chest_pain=False, minute=0, now=10)
    assert at(Tier.ACT, chest_pain=False, minute=9, now=10) < late
    assert at(Tier.CRIT, chest_pain=False, minute=9, now=10) < late
    assert late < at(Tier.CRIT, chest_pain=False, minute=11, now=12)
    assert late < at(Tier.CRIT, answered=True, now=10)
    assert at(Tier.URG, minute=0, now=9.99) > at(Tier.CRIT, now=10)


def test_an_answered_case_does_not_move_up() -> None:
    """The clock is for those that nobody has looked at."""
    assert not at(Tier.URG, answered=True, now=600).moved_up


def test_moved_up_cases_queue_by_their_wait() -> None:
    """A later one passes by its head start and no further, and the wait counts, not the age of the case."""
    assert at(Tier.URG, chest_pain=False, minute=0, now=60) < at(Tier.URG, chest_pain=True, minute=9, now=60)
    long = place(
        tier=Tier.URG, answered=False, patient=Patient(), opened_at=OPENED + timedelta(minutes=5), case_id="a",
        now=OPENED + timedelta(minutes=90), waits_since=OPENED + timedelta(minutes=20),
    )  # fmt: skip
    short = place(
        tier=Tier.URG, answered=False, patient=Patient(), opened_at=OPENED, case_id="b",
        now=OPENED + timedelta(minutes=90), waits_since=OPENED + timedelta(minutes=70),
    )  # fmt: skip
    assert long < short


def test_a_place_is_explained_in_words() -> None:
    """Both languages name tier, answer, pain and time, and why a case moved up."""
    en, zh = explain(at(Tier.ACT, chest_pain=None), Patient())
    assert en == (
        "ACT, not answered, chest pain unknown (counts as 4 min), waiting since 2026-03-01T08:00:00+00:00"
    )
    assert zh.startswith("建议启动胸痛绿色通道(待医师确认),未应答,胸痛情况未知")
    en, zh = explain(at(Tier.URG, now=11), Patient(chest_pain=True))
    assert "unanswered for 10 min or more, moved up to CRIT" in en
    assert "超过10分钟未应答,前移至CRIT" in zh


def test_a_time_without_zone_is_refused() -> None:
    """Naive datetimes never enter the order."""
    with pytest.raises(NaiveDatetimeError):
        place(
            tier=Tier.URG,
            answered=False,
            patient=Patient(),
            opened_at=datetime(2026, 3, 1),  # noqa: DTZ001
            case_id="c",
            now=OPENED,
        )


@pytest.mark.parametrize(
    "known",
    [
        {"shock": True}, {"systolic_mmhg": 89.0}, {"onset_h": 12.0}, {"troponin_raised": True},
        {"earlier_infarction": True}, {"sex": "male", "age_years": 45.0}, {"sex": "female", "age_years": 55.0},
    ],
)  # fmt: skip
def test_what_is_known_moves_a_case_within_its_tier_alone(known: dict[str, Any]) -> None:
    """Before a case of the same tier that came earlier, behind any of a higher tier; and the words say why."""
    told = Patient(chest_pain=None, **known)

    def placed(tier: Tier, patient: Patient, minute: float, case_id: str) -> Place:
        opened_at = OPENED + timedelta(minutes=minute)
        return place(
            tier=tier, answered=False, patient=patient, opened_at=opened_at, case_id=case_id, now=OPENED
        )

    mine = placed(Tier.URG, told, 1.5, "a")
    assert placed(Tier.CRIT, Patient(chest_pain=False), 9, "c") < mine < placed(Tier.URG, Patient(), 1, "b")
    assert len(explain(mine, told)[1]) > len(explain(placed(Tier.URG, Patient(), 1.5, "a"), Patient())[1])


@pytest.mark.parametrize(
    "known",
    [
        {"shock": False}, {"systolic_mmhg": 90.0}, {"onset_h": 12.1}, {"troponin_raised": False},
        {"sex": "male", "age_years": 44.9}, {"sex": "female", "age_years": 54.9}, {"age_years": 80.0},
    ],
)  # fmt: skip
def test_what_does_not_hold_moves_nothing(known: dict[str, Any]) -> None:
    """At the limits of the table."""
    assert points(Patient(**known)) == points(Patient())
