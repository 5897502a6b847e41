"""The report of a month: what it counts, and its pages."""

from datetime import UTC, datetime, timedelta

import pytest

from greenchannel.alerts.quality.monthly_report import (
    monthly_report,
    months_back,
    span_of,
)
from greenchannel.alerts.quality.record import CaseRecord, RecordAlert
from greenchannel.alerts.refusal import Refused
from greenchannel.viewer.month_pages import month_pdf
from greenchannel.viewer.words import Word
from tests.form_records import DAY, time, transfer
from tests.pdf_paths import texts_of

NETWORK = Word("阴赵县胸痛救治网络", "Yinzhao network")
MADE = datetime(2026, 6, 1, tzinfo=UTC)


def slower(case_id: str, day: int, wire_min: float, month: int = 5) -> CaseRecord:
    """A transfer of that day whose wire came so many minutes after the first contact."""
    fmc = DAY.replace(month=month, day=day)
    record = transfer(case_id, fmc=fmc)
    record.times["WIRE"] = time(fmc + timedelta(minutes=wire_min), "cathlab", entered=True)
    return record


def test_a_month_counts_what_began_in_it() -> None:
    """Midnight of the network's calendar is the border; the year before is in the trend."""
    records = [slower("a", 4, 92), slower("b", 20, 112), slower("c", 20, 100, month=4)]
    report = monthly_report(records, "2026-05")
    door = report.metric("china.d2w")

    assert (report.cases, report.stemi, report.pci, report.transferred) == (2, 2, 2, 2)
    assert (door.value, door.before, door.all.n) == (36.0, 34.0, 2)
    assert [(one.month, one.value) for one in door.trend][-2:] == [("2026-04", 34.0), ("2026-05", 36.0)]
    assert len(door.trend) == 12


def test_a_month_without_cases_is_a_gap_and_not_a_zero() -> None:
    """Nothing was counted, so nothing is known."""
    report = monthly_report([slower("a", 4, 92)], "2026-05")
    march = next(one for one in report.metric("china.d2w").trend if one.month == "2026-03")

    assert (march.n, march.value, march.share) == (0, None, None)
    assert monthly_report([], "2026-05").metric("china.d2w").value is None


def test_every_number_stands_with_and_without_exclusions() -> None:
    """A slow case with difficult crossing is left out of the second, counted, and its reason told."""
    slow = slower("b", 5, 166)
    slow.facts["CROSSING"] = "yes"
    row = monthly_report([slower("a", 4, 92), slow], "2026-05").metric("china.d2w")

    assert (row.all.mean_min, row.kept.mean_min, row.excluded) == (63.0, 26.0, 1)
    assert (row.value, row.trend[-1].value, row.trend[-1].with_all) == (26.0, 26.0, 63.0)  # as the pages lead
    assert {one.id: one.n for one in row.reasons}["crossing"] == 1


def test_the_other_edition_has_the_other_end_points() -> None:
    """D2B of the national form begins at the diagnosis."""
    records = [slower("a", 4, 92)]

    assert monthly_report(records, "2026-05", "national_form").metric("national_form.d2b").value == 83.0
    with pytest.raises(Refused):
        monthly_report(records, "2026-05", "of_another_country")


def test_alerts_are_those_of_the_closed_loop_the_most_frequent_rules_first() -> None:
    """The report and the pages count by one definition."""

    def alert(number: int, end: str, *rules: str) -> RecordAlert:
        return RecordAlert(alert_id=f"al-{number}", tier="ACT", rules=rules, opened_at=DAY, end=end)

    given = (alert(1, "confirmed", "STE-1"), alert(2, "cancelled", "STE-1"), alert(3, "open", "EQV-LAD4"))
    report = monthly_report([transfer(alerts=given)], "2026-05")

    assert (report.loop.alerts.sent, report.loop.alerts.not_asked) == (3, 1)
    assert [(one.group, one.sent) for one in report.alerts_by_rule] == [("STE-1", 2), ("EQV-LAD4", 1)]
    shown = texts_of(month_pdf(report, {}, network=NETWORK, made_at=MADE)).split("\n")
    assert shown[shown.index("STE-1") : shown.index("STE-1") + 3] == ["STE-1", "2", "1"]


def test_a_slower_segment_is_ranked_first_against_the_months_before() -> None:
    """Ten more minutes from the laboratory to the wire in May, and none before."""
    before = [slower(f"b-{m}-{n}", 1 + n, 92 + n % 3, month=m) for m in (3, 4) for n in range(25)]
    now = [slower(f"n-{n}", 1 + n, 107 + n % 3) for n in range(25)]
    first = monthly_report(before + now, "2026-05").ranking.rows[0]

    assert first.rank == 1
    assert first.excess_min == pytest.approx(15, abs=2)
    assert (first.probability_first or 0) > 0.9


def test_gaps_are_told_by_owner_and_by_field() -> None:
    """Who owes how much, and what is missing most."""
    report = monthly_report([slower("a", 4, 92), slower("b", 5, 92)], "2026-05")

    assert {one.id: one.n for one in report.owners}["ed"] == 6
    assert {one.id: one.n for one in report.fields}["outcome"] == 2
    assert (report.form.required, report.form.without_typing) == (52, 36)


def test_a_site_with_few_cases_has_its_counts_and_no_rates() -> None:
    """One case of four would move them by a quarter; so of each metric by those who should have had it."""
    sites = {"clinic-yinzhao": Word("阴赵卫生院", "Yinzhao clinic")}
    shown = []
    for count in (4, 5):
        report = monthly_report([slower(f"a-{n}", 4 + n, 92) for n in range(count)], "2026-05")
        (site,) = report.sites
        assert (site.cases, site.read_median_min) == (count, 3.5)
        texts = texts_of(month_pdf(report, sites, network=NETWORK, made_at=MADE)).split("\n")
        row = texts[texts.index("阴赵卫生院") :]
        shown.append(row[6:8])

    assert shown == [["4.0 分 (n=4)", "—"], ["4.0 分 (n=5)", "100.0%"]]


def test_months_go_back_over_the_year() -> None:
    """Twelve of them, the given one the last."""
    assert months_back("2026-02", 4) == ["2025-11", "2025-12", "2026-01", "2026-02"]
    start, end = span_of("2026-05")
    assert (start.isoformat(), end.isoformat()) == ("2025-06-01T00:00:00+08:00", "2026-06-01T00:00:00+08:00")


# ---------------------------------------------------------------- the pages


def pages(english: bool, records: list[CaseRecord]) -> bytes:
    sites = {"clinic-yinzhao": Word("阴赵卫生院", "Yinzhao clinic")}
    report = monthly_report(records, "2026-05")
    return month_pdf(report, sites, network=NETWORK, made_at=MADE, english=english)


@pytest.mark.parametrize(("english", "words"), [(False, "未达标"), (True, "not reached")])
def test_the_pages_say_the_numbers_with_their_counts(english: bool, words: str) -> None:
    """The network, the month, the mean, n, what is missing; a target that was missed is said in words."""
    slow = [slower(f"a-{n}", 4 + n, 200) for n in range(5)]
    shown = texts_of(pages(english, slow))

    assert NETWORK[english] in shown
    assert ("134.0 min" if english else "134 分") in shown or "134 min" in shown
    assert "n=5" in shown
    assert words in shown
    assert ("Yinzhao clinic" if english else "阴赵卫生院") in shown


def test_an_empty_month_has_its_pages_and_says_unknown() -> None:
    """No zero stands where nothing was counted."""
    shown = texts_of(pages(False, []))

    assert "— 未知" in shown
    assert "本月无预警" in shown


@pytest.mark.parametrize(
    ("english", "words"),
    [(False, "含剔除的 1 例：{} 分 ● 达标"), (True, "with the 1 excluded: {} min ● reached")],
)
def test_where_exclusions_turn_the_verdict_both_are_said(english: bool, words: str) -> None:
    """Reached by all, missed by those that the edition counts: no committee reads the one without the other."""
    quick = slower("b", 5, 80)
    quick.facts["CROSSING"] = "yes"
    records = [slower("a", 4, 150), quick]
    row = monthly_report(records, "2026-05").metric("china.fmc2w")

    assert (row.all.reached, row.kept.reached) == (True, False)
    assert row.all.mean_min is not None
    assert words.format(f"{row.all.mean_min:.0f}") in pages_text(english, records)


def pages_text(english: bool, records: list[CaseRecord]) -> str:
    """What the pages say, a break of a line as a blank."""
    return " ".join(texts_of(pages(english, records)).split())


def test_equal_input_gives_equal_pages() -> None:
    """Nothing of today gets in but what is given."""
    assert pages(False, [slower("a", 4, 92)]) == pages(False, [slower("a", 4, 92)])
