"""The published case: 49 minutes from first contact to the wire."""

import json
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from greenchannel.alerts.golden import published_case
from greenchannel.alerts.timeline import Timeline, timeline
from greenchannel.alerts.timeline_json import to_json
from greenchannel.events import CaseOpened
from tests.alerts_log import Log

DAY = date(2026, 1, 15)
MINUTES = {
    "ECG_RECEIVED_TO_GREEN": 3,
    "ECG_RECEIVED_TO_DISPATCH": 3,
    "DISPATCH_TO_DOOR": 17,
    "DOOR_TO_CATHLAB": 5,
    "CATHLAB_TO_ANGIO": 11,
    "ANGIO_TO_WIRE": 13,
    "FMC_TO_WIRE": 49,
    "DOOR_TO_WIRE": 29,
    "CATHLAB_TO_WIRE": 24,
}
NOT_REPORTED = {
    "ONSET",
    "ECG1_ACQ",
    "ECG_DX",
    "AMB_SCENE",
    "SPOKE_DOOR",
    "SPOKE_OUT",
    "CATH_CALL",
    "CATH_READY",
    "CONSENT_START",
    "CONSENT_SIGN",
    "PUNCT_START",
    "PUNCT_OK",
    "ASPIRIN",
    "P2Y12",
}


def golden() -> Timeline:
    log = Log()
    opened, *rest = published_case(
        DAY, ZoneInfo("Asia/Shanghai"), case_id=log.case_id, site="s_1", patient="p_1"
    )
    assert isinstance(opened, CaseOpened) and opened.note is not None and "日期未报道" in opened.note
    case = log.extend(rest)
    assert case.state == "closed" and opened.arrival_mode == 2
    return timeline(case)


@pytest.mark.parametrize(("interval", "minutes"), MINUTES.items())
def test_each_reported_interval_comes_out(interval: str, minutes: int) -> None:
    """3, 17, 5, 11 and 13 minutes, 49 in all, 29 from the door."""
    found = golden().interval(interval)
    assert (found.minutes, found.uncertainty_s, found.late_by_min) == (minutes, 60.0, None)


def test_what_the_report_does_not_say_is_unknown() -> None:
    """No zero and no interpolation: the interval has no minutes and names what is missing."""
    found = golden()
    assert set(found.unknown) >= NOT_REPORTED
    for name, missing in {
        "FMC_TO_ECG": ("ECG1_ACQ",),
        "ECG_TO_DIAGNOSIS": ("ECG1_ACQ", "ECG_DX"),
        "DIDO": ("SPOKE_DOOR", "SPOKE_OUT"),
        "ONSET_TO_FMC": ("ONSET",),
        "CATH_ACTIVATION": ("CATH_CALL", "CATH_READY"),
    }.items():
        interval = found.interval(name)
        assert (interval.minutes, interval.seconds, interval.missing) == (None, None, missing)


def test_the_published_case_is_in_order() -> None:
    """Neither an error nor a warning."""
    assert golden().problems == ()


def test_the_track_adds_up() -> None:
    """Its five segments lie end to end and make the whole."""
    segments = [interval for interval in golden().intervals if interval.segment]
    assert [interval.minutes for interval in segments] == [3, 17, 5, 11, 13]
    ends = [(interval.spec.start, interval.spec.end) for interval in segments]
    assert [a for a, _ in ends[1:]] == [b for _, b in ends[:-1]]


def test_the_wire_shape_keeps_the_unknown_as_null() -> None:
    """An unset milestone is there with null, and the names of actors come from the caller."""
    found = json.loads(json.dumps(to_json(golden(), lambda actor: f"<{actor}>")))
    rows = {row["id"]: row for row in found["milestones"]}
    assert rows["ONSET"]["at"] is None and rows["ONSET"]["known"] is False
    assert rows["WIRE"]["at"] == "2026-01-15T08:54:00.000Z"
    assert rows["WIRE"]["values"][0]["actor_name"] == "<service>" and rows["WIRE"]["values"][0]["valid"]
    dido = next(row for row in found["intervals"] if row["id"] == "DIDO")
    assert (dido["state"], dido["minutes"]) == ("unknown", None)
    wire = next(row for row in found["intervals"] if row["id"] == "FMC_TO_WIRE")
    assert (wire["minutes"], wire["target_min"], wire["seconds"]) == (49, 120, 2940.0)
