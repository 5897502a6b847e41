"""What goes wrong on one day, and when: most of it while something is going on."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from greenchannel.alerts.refusal import Refused
from tests.simulation.agenda import DAY, HOUR, MINUTE, SECOND, instant
from tests.simulation.house import DOCTORS
from tests.simulation.process import STAGES, Process
from tests.simulation.reckoning import auditor_looks

if TYPE_CHECKING:
    from tests.simulation.world import World

KINDS: Final = (
    "store away",
    "store fails now and then",
    "store slow",
    "clock jumps",
    "process stands still",
    "process killed",
    "board dropped",
    "phone dead",
    "gateway ails",
    "address gone",
    "gap in the roster",
    "shift swapped",
    "person disabled",
)
_AT_ALERT: Final = {"process killed": 0.12, "process stands still": 0.08}  # at which share of ACT alerts
_LATEST_KILL_MS: Final = MINUTE  # a process that comes by no such stage is killed then, wherever it is


class Faults:
    """Draws them and lets them happen."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._over = False

    def plan(self, busy_ms: Sequence[int]) -> None:
        """Put the faults of the day into the agenda; `busy_ms`: when patients come."""
        dice = self._world.dice
        for _ in range(dice.between(7, 12)):
            near = dice.chance(0.8)
            at_ms = (
                dice.pick(busy_ms) + dice.between(-10 * SECOND, 4 * MINUTE)
                if near
                else dice.between(0, DAY - HOUR)
            )
            self._world.agenda.at(at_ms, self._happen, dice.pick(KINDS))

    def act_alert_opened(self) -> None:
        """An alert that must be acted on: a good moment to die, or to fall asleep."""
        for kind, share in _AT_ALERT.items():
            if not self._over and self._world.dice.chance(share):
                self._world.agenda.after(self._world.dice.spread(10, 200 * SECOND), self._happen, kind)

    def heal(self) -> None:
        """The day is over: all works from now on."""
        world = self._world
        self._over = True
        weather = world.weather
        weather.away_until_ms = weather.flaky_until_ms = weather.slow_until_ms = 0
        world.network.ailing_until_ms.clear()
        world.staff.deaf_until_ms.clear()
        for process in world.processes:
            process.dies = process.stalls = None
        world.able.update()

    def _happen(self, kind: str) -> None:
        if self._over:
            return
        world, dice, now_ms = self._world, self._world.dice, self._world.agenda.now_ms
        process = dice.pick(world.processes)
        match kind:
            case "store away":
                until_ms = now_ms + dice.spread(5 * SECOND, 2 * MINUTE)
                # One that begins within another does not end it: who waits has its end already.
                world.weather.away_until_ms = max(world.weather.away_until_ms, until_ms)
                world.able.update()
                world.agenda.at(world.weather.away_until_ms, world.able.update)
                self._audited()
            case "store fails now and then":
                until_ms = now_ms + dice.spread(10 * SECOND, 5 * MINUTE)
                world.weather.flaky_until_ms = max(world.weather.flaky_until_ms, until_ms)
                world.able.update()
                world.agenda.at(world.weather.flaky_until_ms, world.able.update)
            case "store slow":
                world.weather.slow_until_ms = now_ms + dice.spread(10 * SECOND, 5 * MINUTE)
            case "clock jumps":
                process.offset_ms = dice.between(-800, 800)
                process.arm()
            case "process stands still" if process.up:
                # Half of the time about as long as a lease lasts: whose attempt is it then?
                about = dice.chance(0.5)
                ms = dice.between(5_500, 8_500) if about else dice.spread(2 * SECOND, 25 * SECOND)
                if dice.chance(0.3):
                    process.freeze(ms)
                else:
                    process.stalls = dice.pick(STAGES[3:]), ms
            case "process killed" if process.up:
                self._condemn(kind)
                return
            case "board dropped":
                world.boards.drop(dice.pick(DOCTORS))
            case "phone dead":
                self._somebody_deaf()
            case "gateway ails":
                channel = dice.pick(("webpush", "wecom", "sms", "phone"))
                world.network.ailing_until_ms[channel] = now_ms + dice.spread(30 * SECOND, 20 * MINUTE)
            case "address gone":
                world.network.dead.add(dice.pick(sorted(world.store.contacts)))
            case _:
                self._to_the_roster(kind)
                return
        world.fault(kind)

    def _condemn(self, kind: str) -> None:
        """Let a process die at a stage of its work."""
        world, dice = self._world, self._world.dice
        process = dice.pick(world.processes)
        if process.up and process.dies is None:
            process.dies = dice.pick(STAGES), int(dice.random() ** 2 * 6)
            self._audited()
            world.agenda.after(_LATEST_KILL_MS, self._execute, process, process.life)
            world.fault(kind)

    def _audited(self) -> None:
        """The auditor looks while it lasts, or soon after."""
        self._world.agenda.after(
            self._world.dice.between(16 * SECOND, 90 * SECOND), auditor_looks, self._world
        )

    def _execute(self, process: Process, life: int) -> None:
        if process.life == life and process.dies is not None and not self._over:
            process.kill("idle")

    def _somebody_deaf(self) -> None:
        """Of those on duty, if there are any: a fault that nobody notices is none."""
        world = self._world
        people = world.house.on_duty(instant(world.agenda.now_ms)) or list(DOCTORS)
        until_ms = world.agenda.now_ms + world.dice.spread(10 * MINUTE, 3 * HOUR)
        world.staff.deaf_until_ms[world.dice.pick(people)] = until_ms

    def _to_the_roster(self, kind: str) -> None:
        world, dice = self._world, self._world.dice
        now = instant(world.agenda.now_ms)
        shifts = world.house.in_force(now)
        if kind == "person disabled":
            if len(world.house.disabled) < 2:
                person = dice.pick(DOCTORS[1:])  # one stays for the evening
                world.house.disabled.add(person)
                world.boards.drop(person)
                world.fault(kind)
        elif shifts and kind == "gap in the roster":
            world.house.drop(dice.pick(shifts))
            world.fault(kind)
        elif shifts and kind == "shift swapped":
            try:
                world.house.swap(dice.pick(shifts), dice.pick(DOCTORS), now)
            except Refused:
                return
            world.fault(kind)
