"""A clock that was never set stands at a day that everybody knows: minutes from it would tell the real day."""

from greenchannel.alerts.quality.record_of import record_of
from greenchannel.alerts.quality.research import for_research
from greenchannel.events import MilestoneRecorded
from tests.alerts_log import Log, reading

KEY = b"a key of sixteen bytes or more"
TWENTY_YEARS_S = 20 * 365 * 86400.0


def minutes(uncertainty_s: float | None, at_s: float) -> list[dict[str, float]]:
    """Of five cases of one kind, with an ECG recorded so long before."""
    records = []
    for number in range(5):
        log = Log(case_id=f"c_{number}")
        log.ecg(acquired=reading(at_s, "device:d_1", uncertainty_s=uncertainty_s))
        log.add(MilestoneRecorded(milestone="HUB_DOOR", time=reading(600, "person"), source="ed"))
        record = record_of(log.case)
        assert record is not None
        records.append(record)
    found = for_research(records, KEY)
    assert len(found.rows) == 5
    return [row.minutes for row in found.rows]


def test_a_clock_that_was_never_set_gives_no_minutes() -> None:
    """The case is there, from its next time on."""
    for row in minutes(None, -TWENTY_YEARS_S):
        assert "ECG1_ACQ" not in row and row["HUB_DOOR"] == 0.0
        assert all(abs(one) < 60 for one in row.values())


def test_a_clock_that_is_known_or_near_does() -> None:
    """One that was compared was put right; one that is a little off stands at no day that anybody knows."""
    for uncertainty_s, at_s in ((2.0, 300.0), (None, -3 * 86400.0)):
        assert all("ECG1_ACQ" in row for row in minutes(uncertainty_s, at_s))
