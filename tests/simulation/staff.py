"""The people: they answer, decline, claim, hand over, sleep, answer and then do nothing, press twice, press at once."""

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from greenchannel.alerts import commands
from greenchannel.alerts.case import Case
from greenchannel.alerts.channels import PHONE
from greenchannel.events import AnyEvent, ClockReading
from tests.simulation.agenda import HOUR, MINUTE, SECOND, instant, ms_of
from tests.simulation.house import DOCTORS
from tests.simulation.memory_store import MemoryTx

if TYPE_CHECKING:
    from tests.simulation.world import World

Decide = Callable[[Case], Sequence[AnyEvent]]

_HEARING: Final = {
    "answer": 0.34,
    "claim": 0.05,
    "sign": 0.04,
    "channel": 0.03,
    "decline": 0.12,
    "nothing": 0.42,
}
_AFTER: Final = {"sign": 0.5, "channel": 0.2, "hand over": 0.1, "claimed": 0.05, "nothing": 0.15}
_HOLDING: Final = {"sign": 0.7, "nothing": 0.3}


class Staff:
    """What each person does, and when."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.deaf_until_ms: dict[str, int] = {}  # asleep, or the phone is dead
        self.meant: set[tuple[str, str]] = set()  # (case, person) of each act that answers
        self._deciding: set[tuple[str, str]] = set()  # (person, alert)
        self._channels: set[str] = set()  # cases whose green channel is in somebody's hands

    # ------------------------------------------------------------ hearing

    def hears(self, person: str, case_id: str, alert_id: str, channel: str, key: str | None = None) -> None:
        """An alert is before a person's eyes or ears. `key`: a call, which may be answered by a key."""
        world = self._world
        if world.agenda.now_ms < self.deaf_until_ms.get(person, 0):
            if channel != PHONE or not world.dice.chance(0.3):
                return
            self.deaf_until_ms[person] = 0  # the call has woken them
        if (person, alert_id) in self._deciding or person in world.house.disabled or person not in DOCTORS:
            return
        self._deciding.add((person, alert_id))
        choice = world.dice.weighed(_HEARING)
        wait_ms = world.dice.spread(2 * SECOND, 70 * SECOND)
        world.agenda.after(wait_ms, self._decides, person, case_id, alert_id, choice, key)
        if world.dice.chance(0.04):  # somebody beside them presses at the very moment
            other = world.dice.pick(DOCTORS)
            if other not in world.house.disabled:
                world.agenda.after(wait_ms, self._decides, other, case_id, alert_id, "answer", None)

    def _decides(self, person: str, case_id: str, alert_id: str, choice: str, key: str | None) -> None:
        world = self._world
        self._deciding.discard((person, alert_id))
        if choice == "nothing":
            return
        if choice == "decline":
            decline = functools.partial(commands.decline, alert_id=alert_id, person=person)
            self._act(person, case_id, decline)
            return
        self.meant.add((case_id, person))
        if key is not None and choice == "answer":
            world.network.report(key, f"{key}/answered", "answered")
            world.agenda.after(MINUTE, self._goes_on, person, case_id, alert_id)
            return
        if choice in ("sign", "channel"):
            self._goes_on(person, case_id, alert_id, choice)
            return
        command = commands.claim if choice == "claim" else commands.acknowledge
        answer = functools.partial(command, alert_id=alert_id, person=person)
        for _ in range(2 if world.dice.chance(0.05) else 1):  # a second press
            self._act(person, case_id, answer)
        world.agenda.after(
            world.dice.spread(10 * SECOND, 4 * MINUTE), self._goes_on, person, case_id, alert_id
        )

    def clinic_told(self, case_id: str, alert_id: str) -> None:
        """Nobody has answered: the clinic calls the fallback number, sooner or later."""
        wait_ms = self._world.dice.spread(MINUTE, 20 * MINUTE)
        self._world.agenda.after(wait_ms, self._fallback, case_id, alert_id)

    def _fallback(self, case_id: str, alert_id: str) -> None:
        alert = self._world.promises.alerts[alert_id]
        if alert.answered:
            return
        on_duty = self._world.house.on_duty(instant(self._world.agenda.now_ms)) or list(DOCTORS)
        person = self._world.dice.pick(on_duty)
        if person not in self._world.house.disabled and self._world.dice.chance(0.7):
            self._decides(person, case_id, alert_id, "answer", None)
        self._world.agenda.after(
            self._world.dice.spread(2 * MINUTE, 20 * MINUTE), self._fallback, case_id, alert_id
        )

    # ------------------------------------------------------------ what follows an answer

    def _goes_on(self, person: str, case_id: str, alert_id: str, choice: str | None = None) -> None:
        dice = self._world.dice
        match choice or dice.weighed(_AFTER):
            case "sign":
                self._sign(person, case_id)
            case "channel":
                self._open_channel(person, case_id)
            case "claimed":
                other = dice.pick(DOCTORS)
                self.meant.add((case_id, other))
                claim = functools.partial(commands.claim, alert_id=alert_id, person=other)
                self._act(other, case_id, claim)
            case "hand over":
                other = dice.pick(DOCTORS)
                give = functools.partial(
                    commands.hand_over, alert_id=alert_id, person=person, to_person=other
                )
                self._act(person, case_id, give)
                if dice.weighed(_HOLDING) == "sign":
                    wait_ms = dice.spread(20 * SECOND, 10 * MINUTE)
                    self._world.agenda.after(wait_ms, self._sign, other, case_id)
            case _:
                pass  # answered, and nothing follows

    def _sign(self, person: str, case_id: str) -> None:
        dice = self._world.dice
        self.meant.add((case_id, person))
        agrees = dice.chance(0.75)

        def sign(case: Case) -> list[AnyEvent]:
            ecg = case.worst_ecg
            if ecg is None:
                return []
            tier = ecg.tier if agrees and ecg.tier is not None else "FLAG"
            return commands.sign_reading(case, ecg.ecg_id, person, text="read", tier=tier)

        self._act(person, case_id, sign)
        if dice.chance(0.6):
            self._world.agenda.after(dice.spread(3 * MINUTE, HOUR), self._close, person, case_id)
        elif dice.chance(0.3):
            self._open_channel(person, case_id)

    def _close(self, person: str, case_id: str) -> None:
        self._act(person, case_id, functools.partial(commands.close_case, reason="seen to"))

    def _open_channel(self, person: str, case_id: str) -> None:
        world = self._world
        self.meant.add((case_id, person))
        channel_id = world.new_id("g")
        open_it = functools.partial(commands.open_green_channel, person=person, channel_id=channel_id)
        for _ in range(2 if world.dice.chance(0.1) else 1):
            self._act(person, case_id, open_it)
        if case_id in self._channels:
            return
        self._channels.add(case_id)
        for _ in range(3):
            world.agenda.after(world.dice.spread(20 * SECOND, 20 * MINUTE), self._task, case_id)
        over = self._stand_down if world.dice.chance(0.4) else self._wire
        world.agenda.after(world.dice.spread(3 * MINUTE, 90 * MINUTE), over, person, case_id)

    def _task(self, case_id: str) -> None:
        """Somebody of a role takes a task, or has done it."""
        case = self._world.promises.book.cases[case_id]
        waiting = [task for task in case.tasks if task.done_at is None]
        if not waiting:
            return
        task = self._world.dice.pick(waiting)
        people = [one for one, role in self._world.house.role_of.items() if role == task.role]
        person = self._world.dice.pick(people)
        command = commands.done_task if self._world.dice.chance(0.5) else commands.accept_task
        self._act(
            person, case_id, functools.partial(command, task_id=task.task_id, person=person, role=task.role)
        )

    def _stand_down(self, person: str, case_id: str) -> None:
        self._channels.discard(case_id)
        self._act(person, case_id, functools.partial(commands.stand_down, reason="no occlusion"))

    def _wire(self, person: str, case_id: str) -> None:
        self._channels.discard(case_id)
        now = instant(self._world.agenda.now_ms)

        def record(case: Case) -> list[AnyEvent]:
            time = ClockReading(at=now, clock="person")
            if commands.said_by(case, "WIRE", "cathlab") is not None:
                return []
            return commands.record_milestone(case, milestone="WIRE", time=time, source="cathlab", now=now)

        self._act(person, case_id, record)
        self._world.agenda.after(self._world.dice.spread(MINUTE, HOUR), self._close, person, case_id)

    # ------------------------------------------------------------ acts

    def _act(self, person: str, case_id: str, decide: Decide) -> None:
        """Press, and press again where no answer comes; what is refused is given up."""
        world = self._world
        if person in world.house.disabled:
            return
        service = world.service

        def command(tx: MemoryTx) -> None:
            service.change(tx, case_id, decide, f"user:{person}")

        pause = functools.partial(world.dice.spread, 2 * SECOND, 15 * SECOND)
        world.insist(command, lambda result, error: None, times=4, pause=pause)

    def see_to_all(self) -> None:
        """The evening: whatever still waits for somebody is answered and signed, until nothing does."""
        world = self._world
        now_ms = world.agenda.now_ms
        for case in list(world.promises.book.cases.values()):
            alert = case.alert
            if alert is None or case.state != "open":
                continue
            # Late in the round, so that its steps and the question are seen to come.
            if alert.open or (
                alert.follow_up_at is not None and ms_of(alert.follow_up_at) - now_ms < 2 * MINUTE
            ):
                self._sign(DOCTORS[0], case.case_id)
