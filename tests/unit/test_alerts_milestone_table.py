"""The table of milestones against the list of the national form, and what people tap."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from greenchannel.alerts import commands
from greenchannel.alerts.milestones import MilestoneSpec, codes, enterable, milestones
from greenchannel.alerts.next_milestones import is_tapped, next_of, not_tapped
from greenchannel.alerts.refusal import Refused
from greenchannel.alerts.timeline import timeline
from greenchannel.alerts.told_day import day_zones, told
from greenchannel.events import AnyEvent, ClockReading, MilestoneRecorded
from tests.alerts_log import T0, Log, reading, seconds

# Typed from the form: id, required (*), modes where it exists (empty: all), who records it.
FORM = """
ONSET * - FAM VD ED
CALL * 1 120 SRV
AMB_DISPATCH . 12 SRV CARD
AMB_DEPART . 12 AMB GPS
AMB_SCENE . 12 AMB GPS
SPOKE_DOOR * 2 VD
FMC * - VD AMB ED
ECG1_ACQ * - DEV
ECG_SENT . - DEV SRV
ECG_RECEIVED * - SRV
ECG_ALGO . - SRV
ALERT_SENT . - SRV
ALERT_ACK . - SRV
ECG_OPENED . - SRV
ECG_DX * - TEC CARD
CONSULT_CALLED * - ED CARD
CONSULT_DONE * - ED CARD
ADVICE_BACK . - SRV
ADVICE_SEEN . - SRV VD
GREEN_OPEN . - CARD
GREEN_CANCEL . - CARD
ASPIRIN * - VD AMB ED
P2Y12 * - VD AMB ED
ANTICOAG * - VD AMB ED
TRANSFER_DECIDE * 2 VD CARD
SPOKE_OUT * 2 VD GPS
SCENE_LEAVE . 1 AMB
HUB_DOOR * 123 GPS ED
ED_ARRIVE . 123 ED
ED_LEAVE . 123 ED
CCU_ARRIVE . - CCU
HUB_DOCTOR * - ED
ECG_HUB_ACQ * - DEV ED
ECG_HUB_DX * - ED
TROP_DRAW * - ED
TROP_RESULT * - ED
DX * - CARD
CT_CALL . - ED RAD
CT_READY . - ED RAD
CT_SCAN . - RAD
CT_REPORT . - RAD
ECHO_CALL . - ED RAD
ECHO_SCAN . - RAD
ECHO_REPORT . - RAD
PCI_DECIDE * - CARD
CATH_CALL * - CARD SRV
CONSENT_START * - CARD
CONSENT_SIGN * - CARD
CATH_READY * - CATH
CATH_ARRIVE . - CATH
PUNCT_START . - CATH
PUNCT_OK . - CATH
CATH_HEPARIN . - CATH
ANGIO_START . - CATH
ANGIO_END . - CATH
CONSENT2 . - CARD
WIRE * - CATH
DEVICE . - CATH
PROC_END * - CATH
LYSIS_SCREEN . - VD ED
LYSIS_CONSENT_START . - VD ED
LYSIS_CONSENT_SIGN . - VD ED
LYSIS_START * - VD ED
LYSIS_END . - VD ED
LYSIS_OK . - VD ED
POSTLYSIS_ANGIO . - CATH
CABG_DECIDE . - CARD
CABG_START . - CARD
OUTCOME * - CCU
FEEDBACK_SENT . - SRV
FEEDBACK_SEEN . - VD
ARCHIVED . - Q
AUDITED . - Q
FU_1M . - VD
FU_3M . - VD
FU_6M . - VD
FU_12M . - VD
"""


@pytest.mark.parametrize("line", FORM.split("\n")[1:-1])
def test_each_milestone_of_the_form_is_in_the_table(line: str) -> None:
    """Required as there, in the modes where it exists, recorded by whom it names, with both names."""
    name, star, modes, *by = line.split()
    spec = milestones()[name]

    assert spec.required == (star == "*")
    assert spec.modes == ((1, 2, 3, 4) if modes == "-" else tuple(int(mode) for mode in modes))
    assert set(by) <= set(spec.by)
    assert spec.zh and spec.en and spec.definition and spec.mark in "SO"


def test_the_table_has_no_other_milestone() -> None:
    """Seventy-seven in all, each once."""
    names = [line.split()[0] for line in FORM.split("\n")[1:-1]]
    print(f"\nmilestones of the form: {len(names)}, in the table: {len(milestones())}")
    assert sorted(names) == sorted(milestones()) and len(set(names)) == len(names) == 77


def test_every_value_says_source_actor_clock_and_offset() -> None:
    """And both the minute and the second, of the interval too."""
    log = Log()
    slow = ClockReading(
        at=seconds(95), clock="device:d", raw=seconds(95 - 420), offset_s=-420.0, uncertainty_s=2.0
    )
    log.add(MilestoneRecorded(milestone="FMC", time=reading(4), source="clinic"), actor="user:wang")
    log.add(MilestoneRecorded(milestone="ECG1_ACQ", time=slow, source="device"), actor="device:d")
    found = timeline(log.case)
    value = next(one for one in found.entries if one.spec.id == "ECG1_ACQ").values[0]

    assert (value.source, value.actor, value.time.clock, value.time.offset_s) == (
        "device",
        "device:d",
        "device:d",
        -420.0,
    )
    assert value.time.raw == seconds(95 - 420)
    interval = found.interval("FMC_TO_ECG")
    assert (interval.minutes, interval.seconds) == (2, 91.0)


def test_a_correction_keeps_the_first() -> None:
    """With its note; the new one stands."""
    log = Log()

    def said(s: float, note: str | None = None) -> list[AnyEvent]:
        return commands.record_milestone(
            log.case, milestone="FMC", time=reading(s), source="clinic", note=note, now=seconds(600)
        )

    log.extend(said(60))
    log.extend(said(120, "read the wrong clock"))
    (entry,) = [one for one in timeline(log.case).entries if one.spec.id == "FMC"]
    assert [value.time.at for value in entry.values] == [seconds(60), seconds(120)]
    assert [value.correction for value in entry.values] == [False, True]
    assert entry.valid is entry.values[1] and entry.valid.note == "read the wrong clock"


# ---------------------------------------------------------------- an onset of which only the day is known

CHINA = ZoneInfo("Asia/Shanghai")
DAY = date(2026, 3, 1)
LATER = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "middle", "half_h"),
    [
        ("0-6", (3, 0), 3.0),
        ("6-8", (7, 0), 1.0),
        ("8-12", (10, 0), 2.0),
        ("12-14", (13, 0), 1.0),
        ("14-17", (15, 30), 1.5),
        ("17-19", (18, 0), 1.0),
        ("19-24", (21, 30), 2.5),
        (None, (12, 0), 12.0),
    ],
)
def test_a_part_of_a_day_is_its_middle_with_its_half_width(
    zone: str | None, middle: tuple[int, int], half_h: float
) -> None:
    """The seven of the form, and the day alone; marked with what was told."""
    found = told(DAY, zone, CHINA, LATER)

    assert found.at == datetime(2026, 3, 1, *middle, tzinfo=CHINA)
    assert found.uncertainty_s == half_h * 3600
    assert found.told == ("2026-03-01" if zone is None else f"2026-03-01 {zone}")
    assert len(day_zones()) == 7


def test_a_part_of_today_ends_now_and_tomorrow_cannot_be_told() -> None:
    """At 07:00 "6-8" means six to seven; a part that has not begun, and one that is none, are refused in words."""
    seven = datetime(2026, 3, 2, 7, 0, tzinfo=CHINA)
    found = told(date(2026, 3, 2), "6-8", CHINA, seven)
    assert (found.at, found.uncertainty_s) == (datetime(2026, 3, 2, 6, 30, tzinfo=CHINA), 1800.0)
    for day, zone, code in (
        (date(2026, 3, 2), "8-12", "future_time"),
        (date(2026, 3, 3), None, "future_time"),
        (DAY, "6-9", "unknown_zone"),
    ):
        with pytest.raises(Refused) as refused:
            told(day, zone, CHINA, seven)
        assert refused.value.code == code and refused.value.zh and "expected" in refused.value.en


def test_a_day_of_a_changed_clock_is_as_long_as_it_was() -> None:
    """Twenty-three hours in Berlin in March: the middle is the middle."""
    berlin = ZoneInfo("Europe/Berlin")
    found = told(date(2026, 3, 29), None, berlin, datetime(2026, 4, 2, tzinfo=UTC))
    assert found.uncertainty_s == 23 * 1800


def test_intervals_carry_the_width_and_no_order_is_broken_by_it() -> None:
    """First contact at 06:30, onset "6-8": not negative, not out of order; at 05:00 it is."""
    log = Log()
    onset = told(DAY, "6-8", CHINA, LATER)
    log.extend(commands.record_milestone(log.case, milestone="ONSET", time=onset, source="clinic", now=LATER))
    again = commands.record_milestone(log.case, milestone="ONSET", time=onset, source="clinic", now=LATER)
    assert again == []
    at = datetime(2026, 3, 1, 6, 30, tzinfo=CHINA)
    log.add(
        MilestoneRecorded(
            milestone="FMC", time=ClockReading(at=at, clock="person", uncertainty_s=30.0), source="quality"
        )
    )
    interval = timeline(log.case).interval("ONSET_TO_FMC")
    assert (interval.minutes, interval.uncertainty_s, interval.negative) == (-30, 3630.0, False)
    assert timeline(log.case).problems == ()
    early = ClockReading(at=datetime(2026, 3, 1, 5, 0, tzinfo=CHINA), clock="person", uncertainty_s=30.0)
    log.add(MilestoneRecorded(milestone="FMC", time=early, source="quality", note="x", correction=True))
    found = timeline(log.case)
    assert found.interval("ONSET_TO_FMC").negative
    (problem,) = found.problems
    assert problem.before == "ONSET" and "2026-03-01 6-8" in problem.zh and "2026-03-01 6-8" in problem.en


def test_only_the_onset_may_be_told_by_the_day() -> None:
    """A day for the wire is refused; no correction is needed where the same is told again."""
    log = Log()
    with pytest.raises(Refused) as refused:
        commands.record_milestone(
            log.case, milestone="WIRE", time=told(DAY, None, CHINA, LATER), source="cathlab", now=LATER
        )
    assert refused.value.code == "time_needed"
    assert [spec.id for spec in milestones().values() if spec.day_told] == ["ONSET"]


def test_a_code_may_be_added_to_a_time_and_no_time_is_lost_by_it() -> None:
    """The tap said when, the list says what: no correction; another code is one."""
    log = Log()

    def said(code: str | None, note: str | None = None) -> list[AnyEvent]:
        return commands.record_milestone(
            log.case,
            milestone="DX",
            time=reading(60),
            source="cardiologist",
            code=code,
            note=note,
            now=seconds(600),
        )

    log.extend(said(None))
    (added,) = said("STEMI")
    assert isinstance(added, MilestoneRecorded) and not added.correction
    log.extend([added])
    with pytest.raises(Refused):
        said("UA")
    assert codes("DX")["STEMI"].zh == "ST段抬高型心肌梗死"


# ---------------------------------------------------------------- what comes next


def come(role: str, known: set[str], mode: int | None = 2) -> set[str]:
    specs = enterable(role, mode)
    return set(next_of(specs, known, role=role, arrival_mode=mode))


def test_the_lab_is_asked_for_one_step_after_the_other() -> None:
    """Ready and arrived, then puncture, and so on to the end; what was passed over is not asked for."""
    assert come("cathlab", set()) == {"CATH_READY", "CATH_ARRIVE"}
    known = {"CATH_READY", "CATH_ARRIVE", "HUB_DOOR"}
    assert "PUNCT_START" in come("cathlab", known)
    assert "ANGIO_START" not in come("cathlab", known)
    passed = come("cathlab", known | {"ANGIO_START"})
    assert {"ANGIO_END", "WIRE"} <= passed and not passed & {"PUNCT_START", "PUNCT_OK"}
    assert "DEVICE" in come("cathlab", known | {"ANGIO_START", "WIRE"})


@pytest.mark.parametrize(
    ("role", "mode", "first"),
    [
        ("dispatch", 1, {"CALL", "ASPIRIN", "P2Y12", "ANTICOAG"}),
        ("dispatch", 2, {"AMB_DISPATCH", "FMC", "ASPIRIN", "P2Y12", "ANTICOAG"}),
        ("clinic", 2, {"SPOKE_DOOR", "ASPIRIN", "P2Y12", "ANTICOAG"}),
        ("ed", 3, {"HUB_DOOR", "TROP_DRAW", "CT_CALL", "CONSENT_SIGN"}),
        ("cardiologist", 2, {"PCI_DECIDE", "TRANSFER_DECIDE", "DX", "CONSENT_START"}),
        ("quality", 2, set()),
    ],
)
def test_what_comes_first_depends_on_role_and_arrival_mode(role: str, mode: int, first: set[str]) -> None:
    """The transfer begins at the clinic's door, the walk-in at the hospital's; quality staff tap nothing."""
    found = come(role, set(), mode)
    assert first <= found or (not first and not found), found
    assert not found & not_tapped()


def test_every_path_of_taps_comes_to_its_end() -> None:
    """Each role tapping what comes next, in whatever mode, never gets stuck, never goes back, and breaks no order."""
    for mode in (1, 2, 3, 4, None):
        log = Log(arrival_mode=mode)
        known: set[str] = {"ECG_DX"}
        log.add(MilestoneRecorded(milestone="ECG_DX", time=reading(0), source="server"))
        minute = 0
        while True:
            tapped = False
            for role in ("dispatch", "clinic", "cardiologist", "ed", "ccu", "cathlab", "radiologist"):
                for name in sorted(come(role, known, mode) - known):
                    if name in ("FMC", "ECG_HUB_ACQ") or name.startswith(("LYSIS", "POSTLYSIS")):
                        continue  # of the way not taken here
                    minute += 1
                    time = ClockReading(at=seconds(60 * minute), clock="server")
                    log.add(MilestoneRecorded(milestone=name, time=time, source=role))
                    known.add(name)
                    tapped = True
                    break
            if not tapped:
                break
        assert {"WIRE", "OUTCOME"} <= known
        assert [p for p in timeline(log.case).problems if p.level == "error"] == []


def test_who_may_tap_may_enter() -> None:
    """And nobody taps what the service records."""
    for spec in milestones().values():
        for role in ("clinic", "ed", "cathlab", "quality"):
            if is_tapped(spec, role):
                assert role in spec.enter and spec.id not in not_tapped()
    assert isinstance(milestones()["WIRE"], MilestoneSpec) and T0 + timedelta(0) == T0
