"""Which channels of a person work, from tests and alerts."""

from datetime import UTC, datetime, timedelta

from greenchannel.alerts.channel_health import HealthBook
from greenchannel.alerts.channels import channels, reasons
from greenchannel.events import (
    AlertDelivered,
    AlertUnreachable,
    AnyEvent,
    ChannelTested,
    DutyStarted,
    Envelope,
)

T0 = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def book(*told: tuple[float, AnyEvent]) -> HealthBook:
    """A book of events at seconds after `T0`."""
    made = HealthBook()
    for seq, (at_s, event) in enumerate(told, start=1):
        at = T0 + timedelta(seconds=at_s)
        made.apply(
            Envelope(
                seq=seq, stream="duty:chen", version=seq, at=at, clock="manual", actor="service", event=event
            )
        )
    return made


def outcome(channel: str, ok: bool = True, reason: str | None = None) -> ChannelTested:
    return ChannelTested(person="chen", channel=channel, ok=ok, reason=reason)


def started(sound: bool = True) -> DutyStarted:
    return DutyStarted(person="chen", role="first", sound=sound, channels=("live",))


def test_a_person_whose_only_working_channel_is_push_is_not_reachable() -> None:
    """An alert never depends on Web Push alone; the reason says so."""
    reach = book((0, outcome("webpush"))).reach("chen", T0, ("live", "webpush"))

    assert (reach.reachable, reach.working, reach.reason) == (False, ("webpush",), "push_alone")


def test_push_and_a_chat_are_enough() -> None:
    """One channel that is enough alone makes a person reachable."""
    reach = book((0, outcome("webpush")), (0, outcome("dingtalk"))).reach("chen", T0, ("webpush", "dingtalk"))

    assert (reach.reachable, reach.working) == (True, ("webpush", "dingtalk"))


def test_a_channel_that_failed_since_does_not_count() -> None:
    """The newest thing known decides, whether a test or an alert said it."""
    gone = AlertUnreachable(alert_id="a", person="chen", channel="sms", reason="gone")
    made = book((0, outcome("sms")), (5, gone))

    assert made.reach("chen", T0, ("sms",)).reason == "nothing_works"
    assert made.of("chen", "sms").last_reason == "gone"
    again = book(
        (0, outcome("sms")), (5, gone), (9, AlertDelivered(alert_id="b", person="chen", channel="sms"))
    )
    assert again.reach("chen", T0, ("sms",)).reachable


def test_a_good_test_vouches_for_its_time_alone() -> None:
    """Within the hours of the table, and not a second longer."""
    made = book((0, outcome("sms")))
    fresh = timedelta(hours=channels()["sms"].fresh_h)

    assert made.reach("chen", T0 + fresh, ("sms",)).reachable
    late = made.reach("chen", T0 + fresh + timedelta(seconds=1), ("sms",))
    assert (late.reachable, late.reason) == (False, "too_old")


def test_an_address_that_was_taken_away_vouches_for_nothing() -> None:
    """Only channels that the person still has count."""
    assert not book((0, outcome("sms"))).reach("chen", T0, ("live",)).reachable


def test_a_board_without_sound_does_not_count() -> None:
    """A silent board wakes nobody."""
    loud = book((0, started()), (0, outcome("live")))
    mute = book((0, started(sound=False)), (0, outcome("live", ok=False, reason="no_sound")))

    assert loud.reach("chen", T0, ("live",)).reachable
    assert mute.reach("chen", T0, ("live",)).reason == "nothing_works"


def test_who_was_never_tested_is_not_reachable() -> None:
    """Unknown is no yes."""
    assert book().reach("chen", T0, ("live", "sms")).reason == "never_tested"
    assert book().of("chen", "sms").works is None


def test_one_closed_board_is_no_loss_while_another_channel_may_work() -> None:
    """Nothing works only where every channel that would be enough has failed lately; of an old failure nothing is
    known any more."""
    closed = AlertUnreachable(alert_id="a", person="chen", channel="live", reason="no_receipt")
    refused = AlertUnreachable(alert_id="a", person="chen", channel="sms", reason="refused")
    later = T0 + timedelta(hours=channels()["sms"].fresh_h + 1)

    assert book((0, closed)).reach("chen", T0, ("live", "sms")).reason == "never_tested"
    assert book((0, closed)).reach("chen", T0, ("live", "webpush")).reason == "nothing_works"
    assert book((0, closed), (1, refused)).reach("chen", T0, ("live", "sms")).reason == "nothing_works"
    assert book((0, refused)).reach("chen", T0, ("live", "sms")).reason == "nothing_works", (
        "an unopened board"
    )
    assert book((0, closed), (1, refused)).reach("chen", later, ("live", "sms")).reason == "too_old"


def test_what_was_learned_of_an_address_says_nothing_of_the_next_one() -> None:
    """Neither that it worked nor that it failed."""
    made = book((0, outcome("sms")), (0, outcome("phone", ok=False, reason="refused")))
    changed = dict.fromkeys(("sms", "phone"), T0 + timedelta(seconds=1))

    assert made.reach("chen", T0, ("live", "sms", "phone")).reachable
    assert made.reach("chen", T0, ("live", "sms", "phone"), changed).reason == "never_tested"
    assert made.of("chen", "phone", changed["phone"]).last_reason is None
    assert made.reach("chen", T0, ("live", "sms"), {"sms": T0}).reachable, "entered before it was tried"


def test_every_reason_is_said_in_both_languages() -> None:
    """The codes that this room gives stand in the table."""
    given = {"push_alone", "too_old", "nothing_works", "never_tested", "no_sound"}

    assert given <= set(reasons())
    assert all(words["zh"] and words["en"] for words in reasons().values())
