"""The waterfall of many cases, and the same cases at their best."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from greenchannel.alerts.quality.record import CaseRecord, RecordTime
from greenchannel.alerts.quality.waterfall import (
    _rank_of,
    against_best_months,
    against_best_quarter,
    best_months,
    best_quarter,
    compare,
    default_settings,
    waterfall,
)
from tests.quality_months import Planted, months

T0 = datetime(2025, 11, 3, 8, 5, tzinfo=UTC)
SETTINGS = msgspec.structs.replace(default_settings(), draws=200)


def walked_in(number: int, **minutes: float) -> CaseRecord:
    """A case of mode 3 with these milestones, in minutes after T0."""
    times = {}
    for name, minute in minutes.items():
        at = T0 + timedelta(minutes=minute)
        times[name] = RecordTime(at=at, earliest=at, latest=at, uncertainty_s=30.0, source="ed")
    return CaseRecord(
        case_id=f"case_{number}", site="hub", opened_at=T0, state="closed", arrival_mode=3, times=times
    )


def test_what_is_missing_is_counted_beside_what_is_known() -> None:
    """Three cases, one without the lab: two are measured, one is missing, none is nought."""
    full = {"FMC": 0.0, "ECG1_ACQ": 5.0, "ECG_DX": 10.0, "PCI_DECIDE": 20.0}
    cases = [
        walked_in(1, **full, CATH_ARRIVE=50, ANGIO_START=60, WIRE=80),
        walked_in(2, **full, CATH_ARRIVE=60, ANGIO_START=70, WIRE=80),
        walked_in(3, **full, WIRE=80),
    ]
    rows = {row.segment: row for row in waterfall(cases, settings=SETTINGS).rows}

    assert (rows["to_lab"].spread.cases, rows["to_lab"].spread.missing) == (2, 1)
    assert rows["to_lab"].spread.median_min == 35.0
    assert rows["to_lab"].share == pytest.approx(70 / 160)
    assert rows["to_lab"].longest == ("case_2", "case_1")
    assert "transport" not in rows


def test_the_shares_of_a_complete_case_are_one() -> None:
    """Its segments are its way."""
    found = waterfall(
        [walked_in(1, FMC=0, ECG1_ACQ=5, ECG_DX=10, PCI_DECIDE=20, CATH_ARRIVE=50, ANGIO_START=60, WIRE=80)],
        settings=SETTINGS,
    )

    assert sum(row.share for row in found.rows if row.share is not None) == pytest.approx(1.0)
    assert found.total.median_min == 80.0


def test_a_median_of_two_cases_has_no_interval() -> None:
    """Nothing is said to be sure to within minutes on two cases."""
    found = waterfall([walked_in(1, FMC=0, WIRE=60), walked_in(2, FMC=0, WIRE=90)], settings=SETTINGS)

    assert (found.total.median_min, found.total.low_min, found.total.high_min) == (75.0, None, None)


def test_the_interval_of_a_median_holds_the_median_of_the_source() -> None:
    """Intervals of 95 % from forty months hold the value of all of them together in nearly all."""
    _, cases = months(21, before=40)
    truth = waterfall(cases, settings=SETTINGS).total.median_min
    assert truth is not None
    held = 0
    for n in range(40):
        total = waterfall(cases[30 * n : 30 * n + 30], settings=SETTINGS).total
        held += (
            total.low_min is not None
            and total.high_min is not None
            and total.low_min <= truth <= total.high_min
        )

    assert 36 <= held <= 40


def test_the_best_quarter_keeps_every_mode_its_share() -> None:
    """Else it would be the quarter who live near."""
    _, cases = months(22, before=8)
    best = best_quarter(cases)
    shares = [sum(one.arrival_mode == 2 for one in group) / len(group) for group in (cases, best)]

    assert len(best) == pytest.approx(len(cases) * 0.25 * 0.91, rel=0.1)  # of those with a known way
    assert abs(shares[0] - shares[1]) < 0.05


def test_all_are_slower_than_their_best_quarter() -> None:
    """By a difference that its interval keeps above nought."""
    found = against_best_quarter(months(22, before=8)[1], settings=SETTINGS)

    assert found.total.difference_min is not None and found.total.difference_min > 0
    assert found.total.low_min is not None and found.total.low_min > 0


def test_the_best_three_months_are_found_and_named() -> None:
    """After nine slow months come three without the delay."""
    slow = months(23, before=0, cases=270, planted=Planted("leaving", 40.0))[0]
    quick = months(24, before=0, cases=90)[0]
    spread = [
        _moved(one, n * 3) for n, one in enumerate(slow)
    ]  # over nine months of thirty days, and three more
    spread += [_moved(one, 810 + n * 3) for n, one in enumerate(quick)]
    best = best_months(spread)
    assert best is not None
    begins, ends, cases = best

    assert (begins, ends) in {("2027-03", "2027-05"), ("2027-04", "2027-06"), ("2027-05", "2027-07")}
    assert len(cases) >= 30


def test_without_a_stretch_of_enough_cases_nothing_is_best() -> None:
    """A single lucky case is no benchmark."""
    assert against_best_months((), (walked_in(1, FMC=0, WIRE=20),)) is None


def test_a_clinic_is_compared_with_the_network() -> None:
    """Each segment here and there, the total apart."""
    now, before = months(25, planted=Planted("leaving", 20.0))
    found = compare(now, before, against="network", settings=SETTINGS)
    rows = {row.segment: row for row in found.rows}

    assert found.against == "network"
    assert rows["leaving"].difference_min is not None and rows["leaving"].difference_min > 10
    assert "fmc_to_wire" not in rows


def _moved(record: CaseRecord, days: int) -> CaseRecord:
    """The same case as if it had begun so many days after the first day."""
    start = datetime(2025, 1, 2, 6, tzinfo=UTC) + timedelta(days=days)
    by = start - record.opened_at
    times = {
        name: msgspec.structs.replace(
            time, at=time.at + by, earliest=time.earliest + by, latest=time.latest + by
        )
        for name, time in record.times.items()
    }
    return msgspec.structs.replace(record, opened_at=start, times=times)


def test_the_ranks_of_an_interval_are_those_of_the_binomial_distribution() -> None:
    """For every number of cases up to a thousand, against SciPy's own."""
    import scipy.stats

    for share in (0.5, 0.9, 0.95, 0.99):
        below = (1.0 - share) / 2.0
        expected = scipy.stats.binom.ppf(below, range(1, 1001), 0.5).astype(int).tolist()
        assert [_rank_of(n, below) for n in range(1, 1001)] == expected
