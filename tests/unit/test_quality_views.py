"""What the quality pages say of records: the view, the sets behind each number, groups, delays, gaps and the form."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

import msgspec
import pytest

from greenchannel.alerts.quality.columns import Columns
from greenchannel.alerts.quality.groups import group_rows
from greenchannel.alerts.quality.record import CaseRecord
from greenchannel.viewer import quality_charts, quality_delays, quality_gaps, quality_loop, quality_numbers
from greenchannel.viewer.directory import Directory
from greenchannel.viewer.problems import Problem
from greenchannel.viewer.quality_json import Frame
from greenchannel.viewer.quality_scope import (
    GROUPINGS,
    UNKNOWN,
    Asked,
    Scope,
    frame_of,
    group_of,
    month_of,
    months_before,
    scope_of,
)
from tests.quality_year import BAD_ECG, NEVER_FMC, year

EDITIONS = tuple(one.id for one in quality_numbers.standards())
NOW = datetime(2026, 7, 1, tzinfo=UTC)
DAYS = (
    "02-14",
    "02-28",
    "03-01",
    "03-02",
    "10-01",
    "12-31",
)  # worked Saturday, weekend, Monday, holiday, new year


class Names(Directory):
    """A directory of nobody: everything goes by its id."""

    def __init__(self) -> None:
        self._people = {}
        self._sites = {}


NAMES = Names()


@cache
def records() -> Sequence[CaseRecord]:
    """The year, made once."""
    return year()


def look(**asked: str) -> tuple[Scope, Frame]:
    """A view of the year and its frame."""
    scope = scope_of(Asked(**asked), records(), EDITIONS, NOW)
    return scope, frame_of(scope, quality_numbers.standards(), NAMES, NOW)


def test_a_view_of_nothing_asked_is_the_last_twelve_months_of_the_network() -> None:
    """And says what it chose, so that its address can hold it."""
    scope, frame = look()
    newest = max(month_of(one) for one in records())
    assert (scope.view.to_month, scope.view.from_month) == (newest, months_before(newest, 11))
    assert (scope.view.standard, scope.view.by, scope.view.group, scope.view.hours) == (
        "china",
        "clinic",
        "",
        "all",
    )
    assert frame.cases == len(scope.records) == sum(one.n for one in frame.groups)


def test_a_month_begins_at_midnight_of_the_place() -> None:
    """The last minute of April in UTC+8 is April, whatever it is in UTC."""
    at = datetime(2026, 4, 30, 15, 59, 59, tzinfo=UTC)
    record = CaseRecord(case_id="c", site="s", opened_at=at, state="open")
    assert month_of(record) == "2026-04"
    assert month_of(msgspec.structs.replace(record, opened_at=at + timedelta(seconds=1))) == "2026-05"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"standard": "none"}, "one of china"),
        ({"by": "weather"}, "one of clinic"),
        ({"hours": "night"}, "one of all"),
        ({"from_month": "2026-13"}, "a month such as"),
        ({"from_month": "2026-06", "to_month": "2026-05"}, "a month not after 2026-05"),
    ],
)
def test_a_view_that_cannot_be_is_refused_with_what_was_expected(
    asked: dict[str, str], expected: str
) -> None:
    """As a problem that names both."""
    with pytest.raises(Problem) as refused:
        look(**asked)
    assert expected in str(refused.value.expected)


@pytest.mark.parametrize("standard", ["china", "ncdr", "national_form"])
def test_every_edition_fills_the_first_page_and_no_number_stands_without_its_cases(standard: str) -> None:
    """Six where the edition has as many; each set has as many cases as its number says."""
    scope, frame = look(standard=standard)
    told = quality_numbers.overview_of(scope, frame)
    first = [one for one in told.metrics if one.first]
    assert len(first) == min(6, len(told.metrics))
    for metric in first:
        counts = {
            name: quality_numbers.cases_of(scope, frame, NAMES, metric.id, name).total
            for name in quality_numbers.SETS
        }
        assert counts["counted"] == metric.without.n
        assert counts["missing"] == metric.missing
        assert counts["excluded"] == metric.excluded
        assert counts["uncertain"] == metric.uncertain
        if metric.without.met is not None:
            assert (counts["met"], counts["late"]) == (metric.without.met, metric.without.late)
            assert counts["met"] + counts["late"] + counts["possibly"] == metric.without.n


def test_the_same_label_names_other_ends_in_another_edition() -> None:
    """D2B of the national form begins with the diagnosis, that of NCDR at the door."""
    ends = {}
    for standard in ("national_form", "ncdr"):
        scope, frame = look(standard=standard)
        metrics = quality_numbers.overview_of(scope, frame).metrics
        ends[standard] = {
            (one.from_.id, one.to.id) for one in metrics if one.label == "D2B" and one.from_ and one.to
        }
    assert ends == {"national_form": {("ECG_DX", "WIRE")}, "ncdr": {("HUB_DOOR", "DEVICE")}}


def test_a_metric_goes_along_to_another_edition() -> None:
    """By its ends; where the other edition has none such, its first one is shown instead of an error."""
    scope, frame = look(standard="national_form")
    told = quality_numbers.groups_of(scope, frame, NAMES, "china.d2w")
    assert told.metric.id == "national_form.d2w"
    assert quality_numbers.cases_of(scope, frame, NAMES, "china.dido", "counted").metric is not None


@pytest.mark.parametrize(
    ("asked", "edition", "shown"),
    [
        ("china.bypass_ccu", "china_recert", "china_recert.bypass_ccu"),
        ("china.bypass", "china_recert", "china_recert.bypass"),
        ("ncdr.fmc2d_transfer", "acc_2025", "acc_2025.fmc2d_transfer"),
        ("acc_2025.fmc2d_direct", "acc_2025", "acc_2025.fmc2d_direct"),
        ("china.fmc2ecg@share", "china_primary", "china_primary.fmc2ecg"),
        ("national_form.d2b", "esc_2017", "esc_2017.dx2w"),
    ],
)
def test_a_metric_of_facts_or_of_some_patients_goes_along_as_itself(
    asked: str, edition: str, shown: str
) -> None:
    """A bypassed CCU is no bypassed ED, and the transferred are not those who came directly."""
    scope, frame = look(standard=edition)
    assert quality_numbers.groups_of(scope, frame, NAMES, asked).metric.id == shown


def test_groups_add_up_to_the_network_and_name_who_says_nothing() -> None:
    """The clinic that never says when it first saw a patient is the one whose first contact is always missing."""
    scope, frame = look()
    told = quality_numbers.groups_of(scope, frame, NAMES, "china.fmc2ecg")
    assert sum(row.number.n for row in told.rows) == told.metric.without.n
    assert sum(row.missing for row in told.rows) == told.metric.missing
    silent = next(row for row in told.rows if row.id == NEVER_FMC)
    assert silent.number.n == 0 and silent.missing > 20


def test_beside_a_chosen_group_stands_the_network() -> None:
    """Not the group once more under the network's name; the hours of the view are those of both."""
    whole = quality_numbers.groups_of(*look(hours="off"), NAMES, "china.fmc2ecg")
    scope, frame = look(hours="off", group="hub")
    told = quality_numbers.groups_of(scope, frame, NAMES, "china.fmc2ecg")
    assert [row.id for row in told.rows] == ["hub"]
    assert told.metric == whole.metric
    assert told.rows[0] == next(row for row in whole.rows if row.id == "hub")
    assert told.metric.without.n > told.rows[0].number.n > 0


def test_one_group_and_its_hours_are_parts_of_the_whole() -> None:
    """What is asked for a group is of its cases alone."""
    whole, _ = look()
    off, on = look(hours="off")[0], look(hours="on")[0]
    hub, _ = look(group="hub")
    assert {one.site for one in hub.records} == {"hub"}
    assert len(off.records) + len(on.records) <= len(whole.records)
    assert len(off.records) > len(on.records) > 0


def test_the_segment_that_was_made_slow_is_found_in_its_month() -> None:
    """Ordering the ambulance, planted in May; the way adds up, consent and door in, door out are always there."""
    scope, frame = look(from_month="2026-05", to_month="2026-05")
    told = quality_delays.delays_of(scope, frame, NAMES, mode=None, against=("2026-04", "2026-04"))
    assert told.ranking[0].id == "ordering"
    assert (told.ranking[0].excess_min or 0) > 5
    assert told.mode == 2 and {one.id for one in told.modes} <= {"1", "2", "3", "4"}
    shown = {one.id: one for one in told.segments}
    assert {"consent", "dido"} <= shown.keys()
    assert not shown["consent"].on_the_way and shown["ordering"].on_the_way
    assert told.change is not None
    slower = [one for one in told.change.parts if one.kind == "segment"]
    assert max(slower, key=lambda one: one.change_min or 0).id == "ordering"


def test_the_charts_of_a_period_are_judged_by_what_was_before_it() -> None:
    """May's slow ordering signals in the network; every signal stands in words of both languages."""
    scope, frame = look(from_month="2026-04", to_month="2026-06")
    told = quality_charts.charts_json(scope, frame, NAMES)
    loud = [one for one in told.charts if one.signals]
    assert told.watch_month == "2026-04"
    assert told.watched >= len(told.charts) > 0
    assert 0 < told.vain < told.points / 370
    assert told.charts[: len(loud)] == tuple(loud)
    assert all(signal.zh and signal.en for one in loud for signal in one.signals)
    assert all(one.points for one in told.charts)


def test_the_closed_loop_puts_the_clinic_that_records_badly_first() -> None:
    """By its share of recordings that could not be read; alerts add up to those that were sent."""
    scope, frame = look()
    told = quality_loop.loop_of(scope, frame, NAMES)
    counts = {one.id: one.n for one in told.counts}
    assert counts["sent"] == counts["confirmed"] + counts["cancelled"] + counts["open"] > 0
    for one in told.counts:  # each opens its cases
        assert len(one.case_ids) + one.more <= one.n and bool(one.case_ids) == (one.n > 0), one.id
    tables = {one.id: one.rows for one in told.tables}
    assert any(row.more for row in tables["readers"])
    assert tables["rejects_by_site"][0].id == BAD_ECG
    assert {"consent", "dido"} <= {one.id for one in tables["whole"]}
    assert [one.id for one in tables["clocks"]] == ["ecg-c08"]
    assert sum(one.of for one in tables["rejects_by_site"]) == sum(
        one.acceptable is not None for r in scope.records for one in r.ecgs
    )


def test_charts_of_all_that_is_known_leave_themselves_a_baseline() -> None:
    """A view of the only year there is: its first eight months say what is usual."""
    scope, frame = look()
    told = quality_charts.charts_json(scope, frame, NAMES)
    assert told.watch_month == "2026-03"
    assert told.charts


def test_gaps_are_listed_by_who_can_say_them() -> None:
    """Counted over all owners, listed for one; no gap is of a case outside the view."""
    scope, frame = look(from_month="2026-05", to_month="2026-05")
    told = quality_gaps.gaps_of(scope.records, frame, NAMES)
    ed = quality_gaps.gaps_of(scope.records, frame, NAMES, owner="ed")
    assert told.total == sum(one.n for one in told.owners)
    assert ed.total == next(one.n for one in told.owners if one.id == "ed")
    assert {one.owner for one in ed.gaps} == {"ed"}
    assert {one.case_id for one in told.gaps} <= {one.case_id for one in scope.records}
    assert 0 < told.untyped <= told.filled < told.required


def test_the_form_of_a_case_says_what_is_missing_and_invents_nothing() -> None:
    """A required time that nobody has said has no value and an owner."""
    record = next(one for one in records() if one.site == NEVER_FMC and one.diagnosis == "STEMI")
    form = quality_gaps.form_json(record, NAMES)
    fields = {one.id: one for section in form.sections for one in section.fields}
    assert fields["fmc_at"].value is None and fields["fmc_at"].required
    assert fields["fmc_at"].milestone == "FMC"
    assert fields["arrival_mode"].value_zh
    assert form.filled < form.required


def test_what_goes_over_the_wire_holds_no_words_but_ids_for_people() -> None:
    """A record knows no name; the page's JSON of a case holds its id, its site and its times."""
    scope, frame = look()
    lines = quality_numbers.cases_of(scope, frame, NAMES, "", "counted").cases
    assert set(msgspec.to_builtins(lines[0])) == {
        *("case_id", "opened_at", "site", "arrival_mode", "minutes"),
        *("uncertainty_min", "set", "lacks", "reasons", "corrected"),
    }


def test_pages_and_metrics_divide_cases_alike() -> None:
    """By every grouping, at the borders of the working day too."""
    begins = [f"2026-{day}T{at}Z" for day in DAYS for at in ("00:00:00", "08:59:59", "09:00:00", "16:00:00")]
    instants = [datetime.fromisoformat(one) for one in begins]
    found = [
        msgspec.structs.replace(one, opened_at=at, times={}, case_id=str(n))
        for n, (one, at) in enumerate(zip(records(), instants, strict=False))
    ]
    found += records()
    columns = Columns.of(found)
    for by in GROUPINGS:
        grouping = group_rows(columns, (by,))
        assert [grouping.keys[code] or UNKNOWN for code in grouping.code] == [
            group_of(one, by) for one in found
        ], by


def test_all_cases_of_a_view_come_newest_first_and_are_counted_all() -> None:
    """So many as a page lists."""
    scope, frame = look()
    told = quality_numbers.cases_of(scope, frame, NAMES, "", "counted")
    newest = [one.case_id for one in reversed(scope.records)]
    assert [one.case_id for one in told.cases] == newest[: quality_numbers.MOST_CASES]
    assert told.total == len(scope.records)
