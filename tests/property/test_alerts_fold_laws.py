"""The laws of the fold: deterministic, prefix by prefix, and blind to other cases."""

from hypothesis import given
from hypothesis import strategies as st

from greenchannel.alerts.case import Case, fold, fold_all
from greenchannel.alerts.ecg_state import tier_rank
from greenchannel.alerts.green_channel import tasks_of
from greenchannel.alerts.timeline import timeline
from greenchannel.events import (
    AdviceSeen,
    AlertAcknowledged,
    AlertDeclined,
    AlertDelivered,
    AlertEscalated,
    AlertExhausted,
    AlertOpened,
    AlertRaised,
    AlertSent,
    AnyEvent,
    CaseClosed,
    CaseOpened,
    CaseSplit,
    ContextEntered,
    EcgOpened,
    Envelope,
    GreenChannelOpened,
    GreenChannelStoodDown,
    MilestoneRecorded,
    ProvisionalReading,
    ReadingSigned,
    StreamStarted,
    TaskDone,
)
from tests.alerts_log import PLAN, read, reading, received, seconds

IDS = st.sampled_from(["e_1", "e_2", "e_3"])
TIERS = st.sampled_from(["ACT", "CRIT", "URG", "FLAG", "REC", "NONE"])
PEOPLE = st.sampled_from(["anna", "bo", "chen", "eve"])
ALERTS = st.sampled_from(["a_1", "a_2"])
TIMES = st.integers(-9000, 9000).map(lambda s: reading(s))

EVENTS: st.SearchStrategy[AnyEvent] = st.one_of(
    st.builds(received, IDS, acquired=st.none() | TIMES, sent=st.none() | TIMES),
    st.builds(read, IDS, TIERS),
    st.builds(EcgOpened, ecg_id=IDS),
    st.builds(ReadingSigned, ecg_id=IDS, text=st.just("x"), tier=TIERS, advice=st.none() | st.just("y")),
    st.builds(AdviceSeen, ecg_id=IDS),
    st.builds(
        StreamStarted,
        ecg_id=IDS,
        stream_id=st.just("s"),
        device=st.just("d"),
        leads=st.just(("I",)),
        rate_hz=st.just(500.0),
    ),
    st.builds(
        ProvisionalReading, ecg_id=IDS, tier=TIERS, findings=st.just([]), until_sample=st.integers(0, 9)
    ),
    st.builds(ContextEntered, sex=st.none() | st.just("male"), onset=st.none() | TIMES),
    st.builds(AlertOpened, alert_id=ALERTS, tier=TIERS, ecg_id=IDS, rules=st.just(()), plan=st.just(PLAN)),
    st.builds(AlertRaised, alert_id=ALERTS, tier=TIERS, ecg_id=IDS, rules=st.just(())),
    st.builds(AlertSent, alert_id=ALERTS, person=PEOPLE, channel=st.just("live"), step=st.integers(0, 3)),
    st.builds(AlertDelivered, alert_id=ALERTS, person=PEOPLE, channel=st.just("live")),
    st.builds(AlertAcknowledged, alert_id=ALERTS, person=PEOPLE),
    st.builds(AlertDeclined, alert_id=ALERTS, person=PEOPLE),
    st.builds(AlertEscalated, alert_id=ALERTS, step=st.integers(1, 3)),
    st.builds(AlertExhausted, alert_id=ALERTS),
    st.just(GreenChannelOpened(channel_id="g", tasks=tasks_of("g", 2))),
    st.just(GreenChannelStoodDown(channel_id="g", reason="x")),
    st.builds(TaskDone, task_id=st.sampled_from([t.task_id for t in tasks_of("g", 2)]), person=PEOPLE),
    st.builds(
        MilestoneRecorded,
        milestone=st.sampled_from(["FMC", "HUB_DOOR", "WIRE", "ECG_RECEIVED", "NEW_ONE"]),
        time=TIMES,
        source=st.sampled_from(["clinic", "ed", "server"]),
    ),
    st.builds(CaseSplit, ecg_ids=st.tuples(IDS), new_case_id=st.just("c_9")),
    st.just(CaseClosed(reason="x")),
)


@st.composite
def logs(draw: st.DrawFn) -> list[Envelope]:
    """A log of two interleaved cases and a device, in which the first event opens the case c_1."""
    entries = draw(
        st.lists(st.tuples(st.sampled_from(["case:c_1", "case:c_2", "device:d"]), EVENTS), max_size=40)
    )
    opened = [
        (f"case:{c}", CaseOpened(case_id=c, site="s", patient="p", arrival_mode=2)) for c in ("c_1", "c_2")
    ]
    return [
        Envelope(
            seq=n, stream=stream, version=n, at=seconds(n), clock="server", actor="user:anna", event=event
        )
        for n, (stream, event) in enumerate([*opened, *entries], start=1)
    ]


@given(logs(), st.data())
def test_folding_goes_prefix_by_prefix(log: list[Envelope], data: st.DataObject) -> None:
    """A case folded so far and taken up again is the case folded in one go; folding again gives the same."""
    cut = data.draw(st.integers(1, len(log)))
    case = fold_all(log[:cut])
    for envelope in log[cut:]:
        case = fold(case, envelope)
    assert case == fold_all(log) == fold_all(log)
    assert timeline(case) == timeline(fold_all(log))


@given(logs())
def test_other_cases_change_nothing(log: list[Envelope]) -> None:
    """The log without them gives the same case, and so does a log that is delivered twice."""
    case = fold_all(log)
    assert case == fold_all([e for e in log if e.case_id == "c_1"]) == fold_all([*log, *log])


@given(logs())
def test_the_tier_of_a_case_is_no_lower_than_any_of_its_ecgs(log: list[Envelope]) -> None:
    """Whatever was signed, opened or closed."""
    case: Case = fold_all(log)
    assert all(tier_rank(case.tier) <= tier_rank(ecg.tier) for ecg in case.current_ecgs)


@given(logs())
def test_the_timeline_never_invents_a_time(log: list[Envelope]) -> None:
    """A valid value is one that was given; an interval is known just where both its ends are."""
    found = timeline(fold_all(log))
    known = {entry.spec.id for entry in found.entries if entry.valid is not None}
    assert all(entry.valid is None or entry.valid in entry.values for entry in found.entries)
    for interval in found.intervals:
        ends = {interval.spec.start, interval.spec.end}
        assert (interval.minutes is None) == (interval.seconds is None) == bool(ends - known)
        assert set(interval.missing) == ends - known
