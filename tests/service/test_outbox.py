"""Deliveries are asked for with the event that wants them, and called off with the answer."""

import asyncio
import functools
from datetime import timedelta
from pathlib import Path

import pytest

from greenchannel.events import (
    AlertDeclined,
    AlertDelivered,
    AlertEscalated,
    AlertExhausted,
    AlertOpened,
    AlertRaised,
    AlertRearmed,
    AlertSent,
    AlertUnreachable,
)
from greenchannel.store import outbox_rows
from tests.delivery_world import Ward, play
from tests.desk_world import dicom, person
from tests.receiver import receiver

NOWHERE = "https://gateway.example/sms"


def states(ward: Ward, **where: str) -> dict[str, str]:
    return {key: row.state for key, row in ward.rows(**where).items()}


def test_a_ring_and_its_delivery_are_one_commit(tmp_path: Path) -> None:
    """A command that fails after ringing leaves neither; one that ends leaves both, under the key of the ring."""

    async def story(ward: Ward) -> None:
        case_id, alert_id = await ward.alert()
        before = ward.desk.log.head()

        def fails(tx: object) -> None:
            case = ward.desk._casework.current(tx, case_id)  # type: ignore[arg-type]
            rung = AlertSent(alert_id=alert_id, person="chen", channel="sms", step=0)
            ward.desk._casework.write(tx, case, case_id, [rung], "service")  # type: ignore[arg-type]
            raise RuntimeError("the command fails after all")

        with pytest.raises(RuntimeError):
            await ward.desk._writer.transact(fails)
        assert (ward.rows(), ward.desk.log.head()) == ({}, before)

        key = await ward.ring(case_id, alert_id, "chen", "sms")
        row = ward.rows()[key]
        assert (row.state, row.attempts, row.case_id, row.alert_id) == ("waiting", 0, case_id, alert_id)

    play(tmp_path, story)


def test_the_board_needs_no_delivery(tmp_path: Path) -> None:
    """What goes over `/live` is not in the outbox."""

    async def story(ward: Ward) -> None:
        case_id, alert_id = await ward.alert()
        await ward.ring(case_id, alert_id, "chen", "live", step=1)
        assert ward.rows() == {}

    play(tmp_path, story)


def test_an_answer_calls_off_what_waits_and_ends_what_was_sent(tmp_path: Path) -> None:
    """Nothing of the alert is sent any more; whoever has it on a channel that can say so hears that it is over, once,
    and not the one who answered."""

    async def story(ward: Ward) -> None:
        with receiver() as gateway:
            for name in ("chen", "lin", "zhao"):
                ward.webhook(name, "sms", gateway.base)
                ward.webhook(name, "email", gateway.base)
            case_id, alert_id = await ward.alert()
            for name in ("chen", "lin"):
                for channel in ("sms", "email"):
                    await ward.ring(case_id, alert_id, name, channel)
            await ward.deliver()
            waits = await ward.ring(case_id, alert_id, "zhao", "sms", step=2)
            await ward.desk.answers.acknowledge(alert_id, person("chen"))
            await ward.desk.answers.acknowledge(alert_id, person("zhao"))
            await ward.deliver()

            assert states(ward)[waits] == "cancelled"
            assert states(ward, kind="alert_stop") == {f"{alert_id}:1:stop:lin:sms": "sent"}
            assert [one.json["type"] for one in gateway.requests] == ["alert"] * 4 + ["alert_stop"]
            alert, stop = gateway.requests[0].json["data"], gateway.requests[-1].json["data"]
            assert alert["tag"] == stop["tag"] and stop["silent"]

    play(tmp_path, story)


def test_an_answer_while_a_message_is_on_its_way(tmp_path: Path) -> None:
    """It is not tried again; where it came through after all, the end follows it and does not overtake it."""

    async def story(ward: Ward) -> None:
        with receiver() as gateway:
            ward.webhook("lin", "sms", gateway.base)
            case_id, alert_id = await ward.alert()
            first = await ward.ring(case_id, alert_id, "lin", "sms", step=0)
            second = await ward.ring(case_id, alert_id, "lin", "sms", step=1)
            in_time: list[bool] = []
            send = ward.desk.senders.send

            async def answered_meanwhile(*args: object) -> object:
                await ward.desk.answers.acknowledge(alert_id, person("chen"))
                in_time.append(bool(ward.rows(kind="alert_stop")))
                return await send(*args)  # type: ignore[arg-type]

            setattr(ward.desk.senders, "send", answered_meanwhile)  # noqa: B010
            await ward.desk.delivery.attempt(first)
            await ward.desk.delivery.attempt(second)
            setattr(ward.desk.senders, "send", send)  # noqa: B010
            await ward.deliver()

            assert in_time == [False]
            assert states(ward)[first] == "sent"
            assert ward.rows()[second].attempts == 0, "what waited was never sent"
            assert [one.json["type"] for one in gateway.requests] == ["alert", "alert_stop"]

    play(tmp_path, story)


def test_everybody_rung_once_more_is_another_delivery(tmp_path: Path) -> None:
    """The last step rings again and again, each time under a key of its own; so does each round."""

    async def story(ward: Ward) -> None:
        case_id, alert_id = await ward.alert()
        await ward.ring(case_id, alert_id, "chen", "sms", step=3)
        await ward.write(
            case_id,
            AlertEscalated(alert_id=alert_id, step=3, repeat=1),
            AlertSent(alert_id=alert_id, person="chen", channel="sms", step=3),
        )
        await ward.write(
            case_id,
            AlertRearmed(alert_id=alert_id, round=2),
            AlertSent(alert_id=alert_id, person="chen", channel="sms", step=0),
        )

        assert states(ward) == {
            f"{alert_id}:1:3:chen:sms": "cancelled",
            f"{alert_id}:1:3+1:chen:sms": "cancelled",
            f"{alert_id}:2:0:chen:sms": "waiting",
        }

    play(tmp_path, story)


def test_what_becomes_of_an_earlier_round_changes_nothing(tmp_path: Path) -> None:
    """A ring that was under way when the alert rang anew: the new one is still hoped for."""

    async def story(ward: Ward) -> None:
        case_id, alert_id = await ward.alert()
        key = await ward.ring(case_id, alert_id, "chen", "sms")
        send = ward.desk.senders.send

        async def rearmed_meanwhile(*args: object) -> object:
            await ward.write(
                case_id,
                AlertRearmed(alert_id=alert_id, round=2),
                AlertSent(alert_id=alert_id, person="chen", channel="sms", step=0),
            )
            return await send(*args)  # type: ignore[arg-type]

        setattr(ward.desk.senders, "send", rearmed_meanwhile)  # noqa: B010
        await ward.desk.delivery.attempt(key)

        assert states(ward) == {key: "given_up", f"{alert_id}:2:0:chen:sms": "waiting"}
        assert ward.events(case_id, AlertUnreachable) == []

    play(tmp_path, story)


def test_who_declined_is_not_sent_what_waits(tmp_path: Path) -> None:
    """A retry to somebody who said no helps nobody; others are still tried."""

    async def story(ward: Ward) -> None:
        case_id, alert_id = await ward.alert()
        chen = await ward.ring(case_id, alert_id, "chen", "sms")
        lin = await ward.ring(case_id, alert_id, "lin", "sms")
        await ward.write(case_id, AlertDeclined(alert_id=alert_id, person="chen"))

        assert (states(ward)[chen], states(ward)[lin]) == ("cancelled", "waiting")

    play(tmp_path, story)


def test_a_new_round_drops_what_waits_of_the_old(tmp_path: Path) -> None:
    """Nobody is sent two rings at once, and nobody is told that it is over."""

    async def story(ward: Ward) -> None:
        case_id, alert_id = await ward.alert()
        key = await ward.ring(case_id, alert_id, "chen", "sms")
        await ward.write(case_id, AlertRearmed(alert_id=alert_id, round=2))

        assert states(ward) == {key: "cancelled"}

    play(tmp_path, story)


def test_the_clinic_hears_that_nobody_answered(tmp_path: Path) -> None:
    """Its own people, not those of another clinic."""

    async def story(ward: Ward) -> None:
        for name in ("wang", "sun"):
            ward.webhook(name, "sms", NOWHERE)
        case_id, alert_id = await ward.alert()
        await ward.write(case_id, AlertExhausted(alert_id=alert_id))

        assert list(ward.rows(kind="exhausted")) == [f"{alert_id}:1:exhausted:wang:sms"]

    play(tmp_path, story)


def test_the_clinic_hears_that_somebody_answered_after_all(tmp_path: Path) -> None:
    """What still waits is not sent; where it may have come through, another message takes it back, once."""

    async def story(ward: Ward) -> None:
        with receiver() as gateway:
            ward.webhook("wang", "sms", gateway.base)
            ward.webhook("wang", "email", NOWHERE)
            case_id, alert_id = await ward.alert()
            await ward.write(case_id, AlertExhausted(alert_id=alert_id))
            await ward.deliver(passes=1)
            await ward.desk.answers.acknowledge(alert_id, person("chen"))
            await ward.desk.answers.acknowledge(alert_id, person("lin"))
            assert "waiting" not in states(ward, kind="exhausted").values()
            assert f"{alert_id}:1:exhausted:wang:sms:over" in ward.rows(kind="exhausted_over")
            assert len([key for key in ward.rows(kind="exhausted_over") if ":sms" in key]) == 1

    play(tmp_path, story)


def test_of_open_and_stood_down_the_last_word_alone_waits(tmp_path: Path) -> None:
    """What was not sent of the channel's earlier states would say what is no longer so."""

    async def story(ward: Ward) -> None:
        ward.webhook("cath", "sms", NOWHERE)
        case_id, _ = await ward.alert()

        def waiting() -> list[str]:
            return sorted(row.kind for row in ward.rows(person="cath").values() if row.state == "waiting")

        await ward.desk.answers.open_green_channel(case_id, person("chen"))
        assert waiting() == ["green_channel"]
        await ward.desk.answers.stand_down(case_id, person("chen"), "非心梗")
        assert waiting() == ["stood_down"]
        await ward.desk.answers.open_green_channel(case_id, person("chen"))
        assert waiting() == ["green_channel"]

    play(tmp_path, story)


def test_a_doctor_on_the_roster_speaks_for_nobody_else_of_the_department(tmp_path: Path) -> None:
    """The roster says who answers alerts; the emergency department's own account hears of the channel all the same."""

    async def story(ward: Ward) -> None:
        ward.desk.accounts.add_user("ed2", "急诊医师", "ed", "a long password")
        now = ward.world.clock.now()
        ward.desk.accounts.add_shift(
            "s-ed2", "second", "ed2", now - timedelta(hours=1), now + timedelta(hours=8)
        )
        for name in ("ed", "ed2"):
            ward.webhook(name, "sms", NOWHERE)
        case_id, _ = await ward.alert()
        await ward.desk.answers.open_green_channel(case_id, person("chen"))
        assert {row.person for row in ward.rows(kind="green_channel").values()} == {"ed", "ed2"}

    play(tmp_path, story)


def test_the_green_channel_reaches_each_role_and_so_does_its_end(tmp_path: Path) -> None:
    """On duty first: of cardiologists only those with a shift; of other roles everybody who sees the site."""

    async def story(ward: Ward) -> None:
        for name in ("chen", "zhao", "wang", "sun", "dispatch", "ed", "cath", "ccu", "quality"):
            ward.webhook(name, "sms", NOWHERE)
        now = ward.world.clock.now()
        for shift in ward.desk.accounts.shifts_between(now, now.replace(year=2027)):
            if shift.person == "zhao":
                ward.desk.accounts.remove_shift(shift.id)
        case_id, _ = await ward.alert()
        await ward.desk.answers.open_green_channel(case_id, person("chen"))
        await ward.desk.answers.open_green_channel(case_id, person("chen"))
        called = {row.person for row in ward.rows(kind="green_channel").values()}
        assert called == {"chen", "wang", "dispatch", "ed", "cath", "ccu"}

        await ward.desk.answers.stand_down(case_id, person("chen"), "not an infarction")
        assert {row.person for row in ward.rows(kind="stood_down").values()} == called
        assert not any(b"infarction" in row.facts for row in ward.rows().values())

    play(tmp_path, story)


def test_what_gives_up_is_told_to_the_case_and_what_arrives_too(tmp_path: Path) -> None:
    """A refusal for good at once; an address that is not there; a chat whose yes means that it is there."""

    async def story(ward: Ward) -> None:
        with receiver() as gateway:
            gateway.statuses = [410]
            ward.webhook("chen", "sms", gateway.base)
            ward.webhook("lin", "dingtalk", gateway.base)
            case_id, alert_id = await ward.alert()
            await ward.ring(case_id, alert_id, "chen", "sms")
            await ward.deliver()
            await ward.ring(case_id, alert_id, "chen", "phone")
            await ward.ring(case_id, alert_id, "lin", "dingtalk")
            await ward.deliver()

        gone = {(one.person, one.channel): one.reason for one in ward.events(case_id, AlertUnreachable)}
        assert gone == {("chen", "sms"): "gone", ("chen", "phone"): "no_contact"}
        told = [(one.person, one.channel) for one in ward.events(case_id, AlertDelivered)]
        assert ("lin", "dingtalk") in told and ("chen", "sms") not in told

    play(tmp_path, story)


def test_a_channel_that_fails_is_tried_as_the_table_says_and_given_up(tmp_path: Path) -> None:
    """Six attempts under one key, each after its pause; then the case hears of it."""

    async def story(ward: Ward) -> None:
        with receiver() as gateway:
            gateway.statuses = [500] * 20
            ward.webhook("chen", "sms", gateway.base)
            case_id, alert_id = await ward.alert()
            key = await ward.ring(case_id, alert_id, "chen", "sms")
            await ward.deliver()
            for pause_s in (2.0, 5.0, 10.0, 20.0, 40.0):
                ward.world.pass_time(pause_s - 0.1)
                assert await ward.desk.delivery.deliver_due() == 0
                ward.world.pass_time(0.1)
                assert await ward.desk.delivery.deliver_due() == 1
            ward.world.pass_time(3600)
            assert await ward.desk.delivery.deliver_due() == 0

            assert gateway.ids == [key] * 6
            assert states(ward)[key] == "given_up"
            (gone,) = (e for e in ward.events(case_id, AlertUnreachable) if e.channel == "sms")
            assert (gone.person, gone.channel, gone.reason) == ("chen", "sms", "server_error")

    play(tmp_path, story, duty_poll_s=1e6)  # the hour would bring rings of its own


def test_an_attempt_that_was_taken_over_has_no_say(tmp_path: Path) -> None:
    """A process that hung and comes back late finds another's fence, and changes nothing."""

    async def story(ward: Ward) -> None:
        with receiver() as gateway:
            ward.webhook("chen", "sms", gateway.base)
            case_id, alert_id = await ward.alert()
            key = await ward.ring(case_id, alert_id, "chen", "sms")
            send, late = ward.desk.senders.send, asyncio.Event()

            async def hangs(*args: object) -> object:
                await late.wait()
                return await send(*args)  # type: ignore[arg-type]

            setattr(ward.desk.senders, "send", hangs)  # noqa: B010
            slow = asyncio.create_task(ward.desk.delivery.attempt(key))
            while ward.rows()[key].state != "sending":
                await asyncio.sleep(0.01)
            await ward.desk._writer.transact(
                lambda tx: tx.conn.exec_driver_sql("UPDATE outbox SET lease_until_us = 0") and None
            )
            setattr(ward.desk.senders, "send", send)  # noqa: B010
            again = await ward.desk.delivery.attempt(key)
            late.set()

            assert again is not None and (again.state, again.fence) == ("sent", 2)
            assert await slow is None
            assert gateway.ids == [key, key], "at least once, under one key"
            assert states(ward)[key] == "sent"

    play(tmp_path, story)


def test_notices_of_others_are_checked_and_asked_for_once(tmp_path: Path) -> None:
    """The roster and the auditor use the same door."""

    async def story(ward: Ward) -> None:
        ward.webhook("zhao", "sms", NOWHERE)
        outbox, facts = ward.desk.outbox, {"role": "first"}

        def ask(tx: object, kind: str = "shift_in_doubt") -> int:
            return outbox.notice_all(tx, key="shift:1", people=["zhao", "lin"], kind=kind, facts=facts)  # type: ignore[arg-type]

        assert await ward.desk._writer.transact(ask) == 1
        assert await ward.desk._writer.transact(ask) == 0
        with pytest.raises(ValueError, match="expected a kind among"):
            await ward.desk._writer.transact(lambda tx: ask(tx, "gossip"))
        assert list(ward.rows()) == ["shift:1:zhao:sms"]

    play(tmp_path, story)


def test_nobody_is_telephoned_for_what_is_not_urgent(tmp_path: Path) -> None:
    """A shift in doubt comes as a message; the auditor's alarm rings."""

    async def story(ward: Ward) -> None:
        for channel in ("sms", "phone"):
            ward.webhook("zhao", channel, "http://127.0.0.1:9/")
        for kind in ("shift_in_doubt", "auditor"):
            ask = functools.partial(
                ward.desk.outbox.notice_all, key=kind, people=["zhao"], kind=kind, facts={}
            )
            await ward.desk._writer.transact(ask)
        assert set(ward.rows(person="zhao")) == {
            "shift_in_doubt:zhao:sms",
            "auditor:zhao:sms",
            "auditor:zhao:phone",
        }

    play(tmp_path, story)


def test_who_is_handed_an_alert_hears_of_it(tmp_path: Path) -> None:
    """On each channel, once for each time; who takes it over by themselves knows."""

    async def story(ward: Ward) -> None:
        for who in ("lin", "zhao"):
            ward.webhook(who, "sms", "http://127.0.0.1:9/")
        _, alert_id = await ward.alert()
        await ward.desk.answers.acknowledge(alert_id, person("chen"))
        await ward.desk.answers.hand_over(alert_id, person("chen"), "lin")
        await ward.desk.answers.claim(alert_id, person("zhao"))
        told = [row for row in ward.rows().values() if row.kind == "handed_over"]
        assert [(row.person, row.channel) for row in told] == [("lin", "sms")]

    play(tmp_path, story)


def test_a_stand_down_reaches_who_was_called(tmp_path: Path) -> None:
    """The shift of one has ended since; the task that was taken is still driven to."""

    async def story(ward: Ward) -> None:
        for who in ("dispatch", "cath", "ed"):
            ward.webhook(who, "sms", "http://127.0.0.1:9/")
        case_id, _ = await ward.alert()
        await ward.desk.answers.open_green_channel(case_id, person("chen"))
        called = {row.person for row in ward.rows().values() if row.kind == "green_channel"}
        ward.desk.accounts.add_shift(
            "later", "first", "ed", ward.world.clock.now(), ward.world.clock.now() + timedelta(hours=8)
        )
        await ward.desk.answers.stand_down(case_id, person("chen"), "非心梗")
        told = {row.person for row in ward.rows().values() if row.kind == "stood_down"}
        assert called >= {"dispatch", "cath", "ed"} and told >= called

    play(tmp_path, story)


def test_a_key_pressed_for_what_could_wait_answers_no_infarction(tmp_path: Path) -> None:
    """The call was about an urgent ECG; by the time of the key the alert is an infarction's, in a round of its own."""

    async def story(ward: Ward) -> None:
        ward.webhook("chen", "phone", "http://127.0.0.1:9/")
        world = ward.world
        sent = await world.send(ward.desk, dicom("baseline_sinus"))
        plan = ward.desk.watch.plan("ACT", world.clock.now(), "yinzhao")
        opened = AlertOpened(alert_id="a_1", tier="URG", ecg_id=sent.ecg_id, rules=(), plan=plan)
        await ward.write(sent.case_id, opened)
        key = await ward.ring(sent.case_id, "a_1", "chen", "phone")
        await ward.write(
            sent.case_id,
            AlertRaised(alert_id="a_1", tier="ACT", ecg_id=sent.ecg_id, rules=()),
            AlertRearmed(alert_id="a_1", round=2, plan=plan, reason="louder"),
        )
        await ward.desk._writer.transact(
            lambda tx: ward.desk.receipts._apply(tx, outbox_rows.get(tx, key), "answered")  # type: ignore[arg-type]
        )
        alert = ward.desk.book.cases[sent.case_id].alert
        assert alert is not None and alert.open and alert.round == 2

    play(tmp_path, story)
