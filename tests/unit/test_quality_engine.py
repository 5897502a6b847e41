"""Numbers that can be trusted: the edition and its end points, what is missing, what was told as a day."""

from datetime import UTC, date, datetime, timedelta

import pytest

from greenchannel.alerts.facts import fact_codes, facts
from greenchannel.alerts.golden import published_case
from greenchannel.alerts.milestones import codes, milestones
from greenchannel.alerts.order import NATIONAL_ZONE
from greenchannel.alerts.quality.answers import Cell, Question
from greenchannel.alerts.quality.columns import Columns, pack
from greenchannel.alerts.quality.counter import Counter
from greenchannel.alerts.quality.engine import answer, answer_of, wilson
from greenchannel.alerts.quality.metrics import editions, exclusions, metrics
from greenchannel.alerts.quality.record import CaseRecord, RecordTime
from greenchannel.alerts.quality.record_of import record_of
from greenchannel.alerts.refusal import Refused
from tests.alerts_log import Log
from tests.quality_records import records

T0 = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # a Monday, nine o'clock there


def at(minute: float, clock_s: float | None = 0.0, half_min: float = 0.0) -> RecordTime:
    """A time, told as a part of a day where it has a half width."""
    instant, half = T0 + timedelta(minutes=minute), timedelta(minutes=half_min)
    return RecordTime(
        at=instant,
        earliest=instant - half,
        latest=instant + half,
        uncertainty_s=clock_s,
        source="clinic",
        told="2026-03-02" if half_min else None,
    )


def case(number: int, mode: int = 1, facts: dict[str, str] | None = None, **times: RecordTime) -> CaseRecord:
    """An infarction with these times."""
    return CaseRecord(
        case_id=f"c_{number}",
        site=f"s_{number % 2}",
        opened_at=T0,
        state="closed",
        arrival_mode=mode,
        chest_pain=True,
        diagnosis="STEMI",
        times=times,
        facts=facts or {},
    )


def door(*minutes: float, **more: dict[str, str]) -> list[CaseRecord]:
    """Cases whose wire crossed so many minutes after the door."""
    return [case(n, HUB_DOOR=at(0), WIRE=at(m), **more) for n, m in enumerate(minutes)]  # type: ignore[arg-type]


def whole(found: list[CaseRecord], metric: str) -> Cell:
    """One metric over all of them."""
    (one,) = answer(found, Question(metrics=(metric,))).metrics
    return one.whole


def lab(*minutes: float) -> list[CaseRecord]:
    """Cases whose cath lab was ready so many minutes after the call."""
    return [case(n, CATH_CALL=at(0), CATH_READY=at(m), WIRE=at(m + 9)) for n, m in enumerate(minutes)]


@pytest.mark.parametrize("metric", ["china.activation", "china_recert.activation"])
def test_thirty_minutes_are_not_less_than_thirty(metric: str) -> None:
    """Entered to the minute, 30 comes often; the standard says < 30 of each case and of the mean."""
    cell = whole(lab(29, 30, 31), metric).all
    assert (cell.met, cell.met_most, cell.mean_min, cell.reached) == (1, 1, 30.0, False)
    assert whole(lab(29, 30), metric).all.reached
    told = case(9, CATH_CALL=at(0), CATH_READY=at(60, half_min=30), WIRE=at(99))
    assert whole([told], metric).all.met_most == 0, "at the earliest after 30 minutes"
    assert whole(door(90), "china.d2w").all.met == 1, "where it says at most, 90 are in time"


def test_the_published_case_is_counted_with_its_two_intervals_and_its_unknowns() -> None:
    """49 minutes, 29 minutes, and what the report does not give is missing, by name."""
    log = Log()
    log.envelopes.clear()
    log.extend(published_case(date(2025, 11, 3), NATIONAL_ZONE, case_id="c_1", site="s_1", patient="p_1"))
    found = record_of(log.case)
    assert found is not None
    cells = {one.metric.id: one.whole.all for one in answer([found], Question()).metrics}
    assert (cells["china.fmc2w"].mean_min, cells["china.fmc2w"].met) == (49.0, 1)
    assert (cells["china.d2w"].median_min, cells["china.d2w"].half_width_min) == (29.0, 1.0)
    assert cells["china.tele"].met == 1
    unknown = {
        "china.s2fmc": (1, 0, 0),
        "china.ecg2dx": (0, 0, 1),
        "china.dido": (0, 0, 1),
        "china.activation": (0, 0, 1),
        "esc_2017.dx2w": (1, 0, 0),
        "national_form.d2b": (1, 0, 0),
        "acc_2013.fmc2d_transfer": (0, 1, 0),
    }
    for name, (start, end, both) in unknown.items():
        cell = cells[name]
        assert (cell.missing_start, cell.missing_end, cell.missing_both) == (start, end, both), name
        assert (cell.n, cell.mean_min, cell.median_min, cell.met or 0) == (0, None, None, 0), name
    known = {name for name, cell in cells.items() if cell.n}
    assert known == {
        "china.tele", "china.d2w", "china.fmc2w", "china_primary.tele", "china_recert.tele", "china_recert.d2w",
        "national_form.d2w",
    }  # fmt: skip


def test_one_label_under_two_editions_names_two_intervals() -> None:
    """The form's D2B begins with the diagnosis, the registry's with the door."""
    found = [case(1, HUB_DOOR=at(0), ECG_DX=at(-30), WIRE=at(40), DEVICE=at(42))]
    answered = [one for one in answer(found, Question()).metrics if one.metric.label == "D2B"]
    ends = {one.metric.id: (one.metric.endpoints, one.whole.all.median_min) for one in answered}
    assert ends == {
        "acc_2013.d2b": (("HUB_DOOR", "DEVICE"), 42.0),
        "ncdr.d2d": (("HUB_DOOR", "DEVICE"), 42.0),
        "national_form.d2b": (("ECG_DX", "WIRE"), 70.0),
    }


def test_what_is_missing_never_counts_as_met() -> None:
    """Two of three are known and met: the share is two of three, and two of two where it is known."""
    cell = whole([*door(60, 80), case(9, HUB_DOOR=at(0), facts={"REPERFUSION": "ppci"})], "china.d2w").all
    assert (cell.eligible, cell.n, cell.missing, cell.met) == (3, 2, 1, 2)
    assert cell.share == pytest.approx(2 / 3) and cell.share_known == 1.0
    assert cell.reached is False


def test_a_target_is_met_to_the_second() -> None:
    """Ninety minutes are in time, and a second more is not, whatever the minutes round to."""
    assert whole(door(90), "china.d2w").all.met == 1
    assert whole(door(90 + 1 / 60), "china.d2w").all.met == 0


def test_an_end_before_its_start_is_kept_out_and_named() -> None:
    """It is no case of zero minutes, and lowers no mean."""
    cell = whole(door(60, -5), "china.d2w")
    assert (cell.all.n, cell.all.negative, cell.all.mean_min, cell.all.met) == (1, 1, 60.0, 1)
    assert cell.cases is not None and cell.cases.negative == ("c_1",)


def test_a_told_day_gives_bounds_and_no_minutes() -> None:
    """Onset between two hours before and two hours after: surely within a day, and no minutes of its own."""
    one = case(1, ONSET=at(-120, half_min=120), WIRE=at(60))
    cell = whole([one], "national_form.reperfusion").all
    assert (cell.n, cell.bounded, cell.met, cell.met_most, cell.mean_min) == (0, 1, 1, 1, None)
    assert cell.mean_bounds_min == (60.0, 300.0)
    late = case(2, ONSET=at(-1400, half_min=120), WIRE=at(0))
    cell = whole([late], "national_form.reperfusion").all
    assert (cell.met, cell.met_most, cell.share, cell.share_most) == (0, 1, 0.0, 1.0)


def test_clocks_say_of_which_cases_the_verdict_could_turn() -> None:
    """Two minutes off a target of 90: 89 and 91 could turn, 80 could not; a clock never compared says nothing."""
    found = [
        case(n, HUB_DOOR=at(0, 60), WIRE=at(m, clock))
        for n, (m, clock) in enumerate(((80, 60), (89, 60), (91, 60), (95, None)))
    ]
    cell = whole(found, "china.d2w")
    assert (cell.all.could_turn, cell.all.no_clock, cell.all.half_width_min) == (2, 1, 2.0)
    assert cell.cases is not None and cell.cases.could_turn == ("c_1", "c_2")


def test_every_number_comes_with_and_without_exclusions() -> None:
    """With how many of each reason; a case of two reasons is left out once."""
    found = [
        *door(60, 70),
        case(7, HUB_DOOR=at(0), WIRE=at(200), facts={"ARREST": "yes", "ACCESS": "yes"}),
        case(8, HUB_DOOR=at(0), WIRE=at(100), facts={"ARREST": "no", "CROSSING": "yes"}),
    ]
    cell = whole(found, "china.d2w")
    assert (cell.all.mean_min, cell.kept.mean_min) == (107.5, 65.0)
    assert cell.excluded == 2
    assert cell.reasons == {"arrest": 1, "access": 1, "crossing": 1, "consent": 0}
    assert cell.cases is not None and cell.cases.excluded["arrest"] == ("c_7",)
    (none,) = answer(found, Question(metrics=("china.d2w",), exclusions=())).metrics
    assert none.whole.kept == none.whole.all and none.whole.excluded == 0


def test_a_drug_given_before_arrival_was_given_in_time() -> None:
    """It is met, and is no time of minus ten minutes."""
    cell = whole([case(1, HUB_DOOR=at(0), ASPIRIN=at(-10))], "national_form.aspirin").all
    assert (cell.early, cell.negative, cell.met, cell.mean_min) == (1, 0, 1, None)


def test_an_edition_judges_by_its_own_statistic() -> None:
    """Mean 95 and median 60 minutes: China's mean is late, the registry's median is not."""
    found = [case(n, HUB_DOOR=at(0), WIRE=at(m), DEVICE=at(m)) for n, m in enumerate((50, 60, 175))]
    assert whole(found, "china.d2w").all.reached is False
    assert whole(found, "ncdr.d2d").all.reached is True


def test_numbers_open_their_cases() -> None:
    """Each case stands in one of the sets."""
    found = [*door(60, 100, -5), case(9, HUB_DOOR=at(0), facts={"REPERFUSION": "ppci"})]
    cases = whole(found, "china.d2w").cases
    assert cases is not None
    assert (cases.met, cases.not_met, cases.negative, cases.missing) == (
        ("c_0",),
        ("c_1",),
        ("c_2",),
        ("c_9",),
    )


def test_a_selection_is_by_site_and_by_when_a_case_began() -> None:
    """From the first instant on, and before the second."""
    found = door(60, 70, 80, 90)
    counter = Counter(Columns.of(found))
    question = Question(metrics=("china.d2w",), start=T0, end=T0 + timedelta(minutes=1))
    assert answer_of(counter, question).cases == 4
    assert answer_of(counter, question, frozenset({"s_1"})).metrics[0].whole.all.eligible == 2
    assert answer_of(counter, question, frozenset()).metrics[0].whole.all.eligible == 0
    later = Question(metrics=("china.d2w",), start=T0 + timedelta(microseconds=1))
    assert answer_of(counter, later).cases == 0
    assert answer([], Question()).cases == 0


def test_two_groupings_cross() -> None:
    """By clinic and month, a group each."""
    question = Question(metrics=("china.d2w",), by=("clinic", "month"), cases=False)
    (found,) = answer(door(60, 70, 80), question).metrics
    assert [(cell.key, cell.all.n) for cell in found.groups] == [("s_0|2026-03", 2), ("s_1|2026-03", 1)]
    assert [(cell.key, cell.all.n) for cell in found.trend] == [("2026-03", 3)]


@pytest.mark.parametrize(
    ("began", "expected"),
    [
        ("2026-03-02T01:00:00", "on"),  # Monday, 09:00
        ("2026-03-02T09:00:00", "off"),  # 17:00
        ("2026-03-01T01:00:00", "off"),  # Sunday
        ("2026-10-01T01:00:00", "off"),  # National Day, a Thursday
        ("2026-02-14T01:00:00", "on"),  # a Saturday that is worked
        ("2150-03-02T01:00:00", None),  # no notice for that year
        ("2150-03-02T20:00:00", "off"),  # at night whatever the day turns out to be
    ],
)
def test_working_hours_follow_the_national_calendar(began: str, expected: str | None) -> None:
    """Holidays are off, a worked Saturday is on, and a year that is not announced is unknown by day."""
    instant = datetime.fromisoformat(began).replace(tzinfo=UTC)
    time = RecordTime(at=instant, earliest=instant, latest=instant, uncertainty_s=0.0, source="ed")
    (found,) = answer(
        [case(1, HUB_DOOR=time, WIRE=time)], Question(metrics=("china.d2w",), by=("hours",))
    ).metrics
    assert [cell.key for cell in found.groups] == [expected]


@pytest.mark.parametrize(
    ("question", "code"),
    [
        (Question(edition="esc_1999"), "unknown_edition"),
        (Question(metrics=("d2x",)), "unknown_metric"),
        (Question(by=("weather",)), "unknown_grouping"),
        (Question(exclusions=("rain",)), "unknown_exclusion"),
        (Question(by=("clinic", "month", "mode")), "too_many_groupings"),
    ],
)
def test_a_question_that_names_what_there_is_not_is_refused(question: Question, code: str) -> None:
    """With what there is."""
    with pytest.raises(Refused) as refused:
        answer([], question)
    assert refused.value.code == code


@pytest.mark.parametrize(("n", "counted_from"), [(300, 440), (40, 3)])
def test_a_record_that_changed_takes_the_place_of_the_old_one(n: int, counted_from: int) -> None:
    """Put one by one, in any order and twice, the answers are as of all at once."""
    found = list(records(7, n))
    stale = list(records(8, n))
    counter = Counter(Columns(Columns.of(found).sites))
    for number, one in enumerate((*stale[: n * 2 // 3], *reversed(found))):
        counter.put(pack(one))
        if number == counted_from:
            counter.count_all()
    for by in ("month", "clinic", "referring", "hours"):
        question = Question(by=(by,), cases=False)
        assert answer_of(counter, question).metrics == answer(found, question).metrics, by


def test_a_record_that_counts_nowhere_any_more_is_gone() -> None:
    """What is left is counted as if it had never been."""
    found = list(records(7, 50))
    counter = Counter(Columns.of(found))
    counter.count_all()
    for case_id in ("c00010", "c00049", "c00010", "unknown"):
        counter.drop(case_id)
    left = [one for one in found if one.case_id not in ("c00010", "c00049")]
    question = Question(by=("clinic",), cases=False)
    assert answer_of(counter, question).metrics == answer(left, question).metrics
    assert answer_of(counter, question).cases == 48


def test_wilson_of_nobody_of_none_and_of_all() -> None:
    """As published: 0 of 10 reaches up to 0.2775."""
    assert wilson(0, 0) is None
    for n in range(1, 200):  # no rounding leaves the share outside
        assert (wilson(0, n) or (1.0, 0.0))[0] == 0.0
        assert (wilson(n, n) or (1.0, 0.0))[1] == 1.0
    low, high = wilson(0, 10) or (1.0, 0.0)
    assert (low, round(high, 4)) == (0.0, 0.2775)
    low, high = wilson(10, 10) or (1.0, 0.0)
    assert (round(low, 4), round(high, 9)) == (0.7225, 1.0)


def test_the_table_names_only_what_there_is() -> None:
    """Editions, milestones, facts, diagnoses and ways of reperfusion; every edition has metrics."""
    known = {row.edition for row in metrics().values()}
    assert known == set(editions())
    for row in metrics().values():
        assert set(row.endpoints) | set(row.population.has) <= set(milestones()), row.id
        assert set(row.yes) <= set(facts()), row.id
        assert set(row.population.diagnosis) <= set(codes("DX")), row.id
        assert set(row.population.reperfusion) <= set(fact_codes("REPERFUSION")), row.id
        assert (len(row.endpoints) == 2) is (row.kind != "fact"), row.id
        assert row.zh and row.en and row.source and row.mark in "SODE", row.id
        assert row.id.startswith(f"{row.edition}."), row.id
    for edition in editions().values():
        assert set(edition.exclusions) <= set(exclusions()), edition.id
    assert {row.fact for row in exclusions().values()} <= set(facts())
