"""Reading a study: its clock rings until a report is signed, critical results until they were said back."""

from typing import Any

import pytest

from greenchannel.alerts.imaging import clock, commands
from greenchannel.alerts.imaging.clock import People
from greenchannel.alerts.imaging.critical import critical_results
from greenchannel.alerts.imaging.templates import offered, templates
from greenchannel.alerts.refusal import Refused
from greenchannel.events import (
    AlertSent,
    ImageCriticalTold,
    ImageDetected,
)
from tests.imaging_log import ImageLog, minutes, wanted


def signed(log: ImageLog, critical: tuple[str, ...] = (), **more: Any) -> None:
    said: dict[str, Any] = {
        "findings": "左侧基底节区高密度影",
        "impression": "脑出血",
        "provisional": False,
        "template": None,
    }
    log.add(commands.sign(log.reading, "rad1", report_id="r_1", critical=critical, **(said | more)))


def told(**more: Any) -> ImageCriticalTold:
    said: dict[str, Any] = {
        "call_id": "k_1",
        "person": "rad1",
        "report_ids": ("r_1",),
        "to_role": "clinic",
        "to_person": "clinic1",
        "way": "phone",
        "told_at": minutes(11),
        "reached": True,
        "read_back": "左侧基底节区脑出血",
        "read_back_right": True,
    }
    return ImageCriticalTold(**(said | more))


def test_an_unread_study_is_escalated_at_50_80_and_100_percent() -> None:
    """IMG-3: half an hour, 48 minutes and the hour of a clock of 60 minutes; then everybody again, and again."""
    said = ImageLog().turn(minutes(72))

    assert [at for at, _ in said] == sorted(at for at, _ in said)
    assert {at for at, _ in said} == {30.0, 48.0, 60.0, 70.0}
    assert [who for at, who in said if at == 30.0] == ["rad1/live", "rad2/live"]
    assert [who for at, who in said if at == 60.0] == [
        "rad1/live",
        "rad2/live",
        "rad2/phone",
        "head/live",
        "clinic",
    ]


def test_a_critical_study_rings_at_once() -> None:
    """It does not wait for half of its time."""
    log = ImageLog(wanted(critical=True))

    assert [e.event.person for e in log.envelopes if isinstance(e.event, AlertSent)] == ["rad1", "rad2"]


def test_who_has_claimed_it_is_reminded_alone_and_the_clock_runs_on() -> None:
    """To claim is no report: at 80 % the others hear of it, too."""
    log = ImageLog()
    log.add(commands.claim(log.reading, "rad2"))
    said = log.turn(minutes(50))

    assert [who for at, who in said if at == 30.0] == ["rad2/live"]
    assert [who for at, who in said if at == 48.0] == ["rad1/live", "rad2/live"]


def test_a_signed_report_lets_everybody_go() -> None:
    """No ring after it, at any time."""
    log = ImageLog()
    log.turn(minutes(31))
    signed(log)

    assert log.turn(minutes(600)) == []
    assert log.reading.state == "final"


def test_with_no_radiologist_at_all_the_clinic_is_told_at_half_the_time() -> None:
    """It need not wait for people who are not there."""
    said = ImageLog(people=People()).turn(minutes(59))

    assert said[0] == (30.0, "clinic")


def test_a_clock_that_becomes_shorter_begins_anew_and_a_longer_one_changes_nothing() -> None:
    """A clinician who says STAT after ten minutes has a study of 30 minutes, of which a third is over."""
    log = ImageLog(wanted(due_min=1440))
    log.now = minutes(10)
    log.want(wanted(due_min=30, critical=True))
    before = len(log.envelopes)
    log.want(wanted(due_min=600))

    assert len(log.envelopes) == before
    assert {at for at, _ in log.turn(minutes(31))} == {15.0, 24.0, 30.0}


@pytest.mark.parametrize(
    ("stat_at", "rung_at"), [(300, {315.0, 324.0, 330.0}), (20, {25.0, 28.0, 30.0}), (10, {15.0, 24.0, 30.0})]
)
def test_stat_on_an_old_study_leaves_time_between_its_steps(stat_at: float, rung_at: set[float]) -> None:
    """Where its shorter clock has run out already, shares are counted from the word; never later than its end else."""
    log = ImageLog(wanted(due_min=1440))
    log.now = minutes(stat_at)
    log.want(wanted(due_min=30, critical=True))

    assert {at for at, _ in log.turn(minutes(max(rung_at) + 1))} == rung_at


def test_a_study_that_another_reads_is_taken_over_only_knowingly() -> None:
    """And then it is the other's no longer."""
    log = ImageLog()
    log.add(commands.claim(log.reading, "rad1"))

    with pytest.raises(Refused, match="rad1 has it"):
        commands.claim(log.reading, "rad2")
    log.add(commands.claim(log.reading, "rad2", take_over=True))
    assert log.reading.claimed_by == "rad2"
    assert commands.claim(log.reading, "rad2") == []
    assert commands.release(log.reading, "rad1") == []


def test_drafts_of_two_people_stand_beside_each_other() -> None:
    """What one has written is not lost where another takes over and writes."""
    log = ImageLog()
    text: dict[str, Any] = {"impression": "", "template": None}
    log.add(commands.draft(log.reading, "rad1", findings="一", **text))
    log.add(commands.draft(log.reading, "rad2", findings="二", **text))
    log.add(commands.draft(log.reading, "rad2", findings="三", **text))

    assert [(one.person, one.findings) for one in log.reading.drafts] == [("rad1", "一"), ("rad2", "三")]


def test_who_does_not_have_a_claimed_study_neither_drafts_nor_signs() -> None:
    """It must be taken over first; then the one who had it cannot sign any more."""
    log = ImageLog()
    log.add(commands.claim(log.reading, "rad2"))
    for act in (
        lambda: commands.draft(log.reading, "rad1", findings="x", impression="", template=None),
        lambda: signed(log),
    ):
        with pytest.raises(Refused) as refused:
            act()
        assert (refused.value.code, refused.value.status) == ("claimed", 409)
    log.add(commands.claim(log.reading, "rad1", take_over=True))
    signed(log)

    assert log.reading.state == "final"


def test_a_draft_is_no_result() -> None:
    """It stops no clock and has no report."""
    log = ImageLog()
    log.add(commands.draft(log.reading, "rad1", findings="___", impression="", template="free"))

    assert log.reading.report is None and log.reading.draft_of("rad1") is not None
    ticked: dict[str, Any] = {
        "findings": "___",
        "impression": "",
        "template": "free",
        "critical": ("free_air",),
    }
    log.add(commands.draft(log.reading, "rad1", **ticked))
    kept = log.reading.draft_of("rad1")
    assert kept is not None and kept.critical == ("free_air",)
    assert commands.draft(log.reading, "rad1", **ticked) == []
    assert log.turn(minutes(31)) != []


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"impression": " "}, "text_needed"),
        ({"findings": "脑实质___"}, "blank_left"),
        ({"findings": "血肿约__mL"}, "blank_left"),
        ({"impression": "中线移位＿＿＿mm"}, "blank_left"),
        ({"impression": "中线移位＿mm"}, "blank_left"),
        ({"template": "of_nowhere"}, "no_such_template"),
        ({"critical": ("headache",)}, "no_such_critical_result"),
    ],
)
def test_a_report_with_a_blank_or_an_unknown_critical_result_is_not_signed(
    more: dict[str, Any], code: str
) -> None:
    """The refusal says what was expected; nothing is written."""
    log = ImageLog()
    with pytest.raises(Refused) as refused:
        signed(log, **more)

    assert refused.value.code == code
    assert log.reading.report is None


def test_a_signed_report_is_never_changed_only_added_to() -> None:
    """A second signature is refused; an addendum stands behind the report, with its reason."""
    log = ImageLog()
    signed(log, provisional=True)
    assert log.reading.state == "provisional"

    with pytest.raises(Refused, match="an addendum can be added"):
        signed(log)
    log.add(
        commands.addendum(
            log.reading, "rad2", report_id="r_2", text="同意初步报告", reason="confirmation", critical=()
        )
    )
    assert [one.report_id for one in log.reading.signed] == ["r_1", "r_2"]
    assert log.reading.state == "final"


def test_nobody_confirms_their_own_provisional_report() -> None:
    """Its writer may add to it and correct it; it stays provisional until another confirms."""
    log = ImageLog()
    signed(log, provisional=True)

    with pytest.raises(Refused) as refused:
        commands.addendum(
            log.reading, "rad1", report_id="r_2", text="确认", reason="confirmation", critical=()
        )
    assert (refused.value.code, refused.value.status) == ("own_report", 409)
    log.add(
        commands.addendum(log.reading, "rad1", report_id="r_2", text="更正", reason="correction", critical=())
    )
    assert log.reading.state == "provisional"


def test_a_provisional_report_that_nobody_confirms_is_said_each_day() -> None:
    """Until an addendum confirms it; a final one is never asked for."""
    log, final = ImageLog(), ImageLog()
    signed(log, provisional=True)
    signed(final)
    day = 24 * 60

    assert log.turn(minutes(2 * day)) == [(day, "unconfirmed"), (2 * day, "unconfirmed")]
    log.add(
        commands.addendum(
            log.reading, "rad2", report_id="r_2", text="同意", reason="confirmation", critical=()
        )
    )
    assert log.turn(minutes(9 * day)) == final.turn(minutes(9 * day)) == []


def test_a_critical_result_stays_open_until_it_was_said_back_right() -> None:
    """Nobody reached, and a wrong read-back, close nothing: after 15 minutes it is said that it is untold, and on."""
    log = ImageLog()
    signed(log, ("intracranial_haemorrhage",))
    log.now = minutes(12)
    log.add(
        commands.tell_critical(
            log.reading, told(reached=False, read_back=None, read_back_right=False), log.now
        )
    )
    log.add(commands.tell_critical(log.reading, told(call_id="k_2", read_back_right=False), log.now))
    said = log.turn(minutes(26))
    log.add(commands.tell_critical(log.reading, told(call_id="k_3", told_at=minutes(26)), log.now))

    assert said == [(15.0, "untold"), (25.0, "untold")]
    assert log.turn(minutes(600)) == []
    assert log.reading.untold == ()


@pytest.mark.parametrize("words", [None, " ", ".", "。。。", "是"])
def test_a_read_back_cannot_be_right_without_its_words(words: str | None) -> None:
    """A tick alone is no read-back, nor is a full stop."""
    log = ImageLog()
    signed(log, ("intracranial_haemorrhage",))
    log.now = minutes(12)

    with pytest.raises(Refused) as refused:
        commands.tell_critical(log.reading, told(read_back=words), log.now)
    assert refused.value.code == "read_back_needed"


def test_nobody_tells_a_critical_result_to_themselves() -> None:
    """The duty ends with somebody who can act, and stays open else."""
    log = ImageLog()
    signed(log, ("intracranial_haemorrhage",))
    log.now = minutes(12)

    with pytest.raises(Refused) as refused:
        commands.tell_critical(log.reading, told(to_person="rad1"), log.now)
    assert refused.value.code == "told_oneself"
    assert log.reading.untold != ()


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"report_ids": ("r_9",)}, "no_such_report"),
        ({"report_ids": ()}, "no_such_report"),
        ({"way": "pigeon"}, "no_such_way"),
        ({"to_role": "king"}, "no_such_role"),
        ({"told_at": minutes(-1)}, "told_at"),
        ({"told_at": minutes(90)}, "told_at"),
    ],
)
def test_a_call_that_cannot_have_been_is_refused(more: dict[str, Any], code: str) -> None:
    """About another report, in an unknown way, before the signature or in the future."""
    log = ImageLog()
    signed(log, ("intracranial_haemorrhage",))
    log.now = minutes(12)

    with pytest.raises(Refused) as refused:
        commands.tell_critical(log.reading, told(**more), log.now)
    assert refused.value.code == code


def test_an_addendum_with_a_critical_result_must_be_told_itself() -> None:
    """What was told of the report does not cover what was found later."""
    log = ImageLog()
    signed(log, ("intracranial_haemorrhage",))
    log.now = minutes(12)
    log.add(commands.tell_critical(log.reading, told(), log.now))
    log.add(
        commands.addendum(
            log.reading,
            "rad1",
            report_id="r_2",
            text="另见气胸",
            reason="addition",
            critical=("tension_pneumothorax",),
        )
    )

    assert [one.report_id for one in log.reading.untold] == ["r_2"]
    assert log.turn(minutes(28)) == [(27.0, "untold")]


def test_a_call_before_the_addendum_does_not_tell_of_it() -> None:
    """The telephone rang between report and addendum: it can have told of the first alone."""
    log = ImageLog()
    signed(log, ("intracranial_haemorrhage",))
    log.now = minutes(20)
    more = commands.addendum(
        log.reading, "rad1", report_id="r_2", text="另见气胸", reason="addition", critical=("free_air",)
    )
    log.add(more)
    log.now = minutes(21)

    with pytest.raises(Refused) as refused:
        commands.tell_critical(log.reading, told(report_ids=("r_1", "r_2")), log.now)
    assert refused.value.code == "told_at"
    log.add(commands.tell_critical(log.reading, told(), log.now))
    assert [one.report_id for one in log.reading.untold] == ["r_2"]


def test_the_clinics_first_look_at_each_result_is_kept() -> None:
    """Looking again writes nothing; a new addendum is looked at anew."""
    log = ImageLog()
    with pytest.raises(Refused):
        commands.seen(log.reading, "clinic1")
    signed(log)
    log.add(commands.seen(log.reading, "clinic1"))
    assert commands.seen(log.reading, "clinic1") == []
    log.add(
        commands.addendum(log.reading, "rad1", report_id="r_2", text="补充", reason="addition", critical=())
    )

    assert commands.seen(log.reading, "clinic1") != []


def test_a_clock_runs_on_as_it_was_frozen_where_the_table_has_got_other_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A new table must not end the rings of studies that wait already; with shares that do not fit nothing starts."""
    log = ImageLog(wanted(critical=True))
    fewer = clock._steps()[:-1]
    monkeypatch.setattr(clock, "_steps", lambda: fewer)

    assert {at for at, _ in log.turn(minutes(61))} == {30.0, 48.0, 60.0}
    with pytest.raises(ValueError, match="2 shares"):
        clock.check_shares((0.5, 0.8, 1.0))


def test_templates_that_fit_the_study_come_first_and_none_is_lost() -> None:
    """A head CT is offered head templates; all others stay to be taken."""
    rows = offered("CT", "HEAD", None)

    assert rows[0].id.startswith("head_ct")
    assert {row.id for row in rows} == {row.id for row in templates()}
    assert offered("DX", None, "胸部正位")[0].id.startswith("chest")
    assert all(set(row.critical) <= critical_results().keys() for row in rows)


def test_a_later_look_never_lowers_what_a_detector_raised() -> None:
    """Looked at again with more slices, by another version or in silence: it stays raised. Silence raises nothing."""
    log = ImageLog()

    def said(version: str, status: str, *, raised: bool | None) -> ImageDetected:
        return ImageDetected(plugin="head_blood", version=version, status=status, raised=raised)

    log.add([said("1", "silent", raised=True)])
    log.add([said("1", "enabled", raised=False)])
    assert [one.raised for one in log.reading.standing] == [False]
    first = said("1", "enabled", raised=True)
    log.add([first])
    for later in (
        said("1", "enabled", raised=False),
        said("2", "silent", raised=True),
        said("2", "enabled", raised=None),
    ):
        log.add([later])
        assert log.reading.standing == (first,)
        assert log.reading.detected == (later,)
