"""The machine proposes the green channel with an ACT alert, once; its tasks are prepared and not sent."""

import pytest

from greenchannel.alerts import commands
from greenchannel.alerts.case import Case
from greenchannel.alerts.green_channel import templates
from greenchannel.alerts.proposal import follows, prepared
from greenchannel.events import AlertOpened, AlertRaised, AnyEvent, GreenChannelProposed
from tests.alerts_log import PLAN, Log, read

ROLES = {"cardiologist", "cathlab", "ed", "ccu", "dispatch", "clinic"}


def written(log: Log, events: list[AnyEvent]) -> list[AnyEvent]:
    """Write events with what follows from them; return what followed."""
    case = log.extend(events)
    more = follows(case, events)
    log.extend(more)
    return more


def analysed(log: Log, ecg_id: str, tier: str, alert_id: str = "a_1") -> list[AnyEvent]:
    log.ecg(ecg_id)
    return written(log, commands.analysed(log.case, read(ecg_id, tier), alert_id=alert_id, plan=PLAN))


def test_an_infarction_proposes_and_opens_nothing() -> None:
    """With the alert; the tasks are named, none is given out, and the channel is closed."""
    log = Log()
    (proposed,) = analysed(log, "e_1", "ACT")

    assert isinstance(proposed, GreenChannelProposed)
    assert (proposed.ecg_id, proposed.rules) == ("e_1", ("STE-1",))
    assert log.case.channel.state == "closed" and log.case.tasks == ()
    ready = prepared(log.case)
    assert ready is not None and ready.stands
    assert {row.role for row in ready.tasks} == ROLES


@pytest.mark.parametrize("tier", ["CRIT", "URG", "FLAG", "REC", "NONE"])
def test_no_other_tier_proposes(tier: str) -> None:
    """A critical value pages a person, and is no reason for the cath lab."""
    assert analysed(Log(), "e_1", tier) == []


def test_it_is_proposed_once_for_an_episode() -> None:
    """A second infarct ECG of the case adds nothing; one that raises a critical value to ACT proposes."""
    log = Log()
    assert analysed(log, "e_1", "CRIT") == []
    assert [type(one) for one in analysed(log, "e_2", "ACT")] == [GreenChannelProposed]
    assert isinstance(log.envelopes[-2].event, AlertRaised)
    assert analysed(log, "e_3", "ACT") == []


def test_a_channel_that_a_person_has_opened_is_not_proposed() -> None:
    """Nor is one that was stood down."""
    log = Log()
    log.extend(commands.open_green_channel(log.case, "chen", channel_id="g_1"))
    assert analysed(log, "e_1", "ACT") == []
    log.extend(commands.stand_down(log.case, "no infarction"))
    log.ecg("e_2")
    assert follows(log.case, [AlertOpened(alert_id="a", tier="ACT", ecg_id="e_2", rules=(), plan=())]) == []


def test_a_proposal_stands_until_a_person_has_decided() -> None:
    """Opened, closed, or read as something else: it stands no longer, and stays written down."""

    def stands(case: Case) -> bool:
        ready = prepared(case)
        assert ready is not None
        return ready.stands

    opened, read_otherwise, agreed = Log(), Log(), Log()
    for log in (opened, read_otherwise, agreed):
        analysed(log, "e_1", "ACT")
        assert stands(log.case)
    opened.extend(commands.open_green_channel(opened.case, "chen", channel_id="g_1"))
    read_otherwise.extend(
        commands.sign_reading(read_otherwise.case, "e_1", "chen", text="pericarditis", tier="FLAG")
    )
    agreed.extend(commands.sign_reading(agreed.case, "e_1", "chen", text="STEMI", tier="ACT"))

    assert [stands(log.case) for log in (opened, read_otherwise, agreed)] == [False, False, True]
    assert prepared(Log().case) is None


@pytest.mark.parametrize(
    ("mode", "missing"),
    [
        (None, set()),
        (1, {"clinic"}),
        (2, set()),
        (3, {"clinic", "dispatch"}),
        (4, {"clinic", "dispatch", "ed"}),
    ],
)
def test_the_tasks_are_those_of_the_arrival_mode(mode: int | None, missing: set[str]) -> None:
    """A transfer moves all six roles; what is proposed is what opening gives out."""
    log = Log(arrival_mode=mode)
    (proposed,) = analysed(log, "e_1", "ACT")
    assert isinstance(proposed, GreenChannelProposed)
    case = log.extend(commands.open_green_channel(log.case, "chen", channel_id="g_1"))

    assert {task.role for task in case.tasks} == ROLES - missing
    assert tuple(task.kind for task in case.tasks) == proposed.tasks


def test_a_stand_down_cancels_every_task_that_is_not_done() -> None:
    """What was done stays done; nobody can take or finish the rest."""
    log = Log()
    case = log.extend(commands.open_green_channel(log.case, "chen", channel_id="g_1"))
    ids = {task.kind: task.task_id for task in case.tasks}
    log.extend(commands.done_task(log.case, ids["call_cathlab"], "chen", role="cardiologist"))
    log.extend(commands.accept_task(log.case, ids["ready_cathlab"], "cath", role="cathlab"))
    case = log.extend(commands.stand_down(log.case, "not an infarction"), at_s=60)

    states = {task.kind: task.state for task in case.tasks}
    assert states.pop("call_cathlab") == "done"
    assert set(states.values()) == {"cancelled"} and len(states) == len(templates()) - 1
    for kind, role in (("ready_cathlab", "cathlab"), ("receive_patient", "ed")):
        with pytest.raises(commands.Refused) as refused:
            commands.done_task(case, ids[kind], "x", role=role)
        assert refused.value.code == "channel_not_open"


def test_the_lab_and_the_consent_may_come_before_the_door() -> None:
    """Their tasks hang on nothing: done while the patient is on the road, and the times are in order."""
    from greenchannel.alerts.timeline import timeline

    log = Log()
    log.add(*commands.open_green_channel(log.case, "chen", channel_id="g_1"), at_s=60)
    ids = {task.kind: task.task_id for task in log.case.tasks}
    for minute, kind, role in (
        (2, "call_cathlab", "cardiologist"),
        (5, "sign_consent", "cardiologist"),
        (9, "ready_cathlab", "cathlab"),
        (20, "receive_patient", "ed"),
        (25, "patient_in_cathlab", "cathlab"),
    ):
        log.extend(commands.done_task(log.case, ids[kind], "p", role=role), at_s=60 * minute)
    found = timeline(log.case)
    at = {entry.spec.id: entry.valid.time.at for entry in found.entries if entry.valid is not None}

    assert max(at["CATH_CALL"], at["CONSENT_SIGN"], at["CATH_READY"]) < at["HUB_DOOR"]
    assert found.problems == ()
