"""One simulated duty day from its seed to its report."""

from collections import Counter
from dataclasses import dataclass, field

from tests.simulation.agenda import DAY, HOUR, MINUTE
from tests.simulation.in_memory import in_memory
from tests.simulation.reckoning import auditor_looks, names, reckon
from tests.simulation.world import World

_AUDIT_EVERY_MS = 20 * MINUTE


@dataclass(frozen=True, kw_only=True)
class Report:
    """What became of one day."""

    seed: int
    digest: str  # of its whole history
    alerts: int
    faults: Counter[str]
    kills: int  # of processes
    kills_judged: int  # with an ACT alert open
    kills_kept: int  # after which each of these was answered or escalated in time
    events: int
    deliveries: int
    violations: tuple[tuple[str, str], ...] = ()
    spoke: Counter[str] = field(default_factory=Counter)  # the auditor, where no outage explains it
    lines: tuple[str, ...] = ()

    @property
    def broken(self) -> list[str]:
        """Which promises were broken, the first first."""
        return names(self.violations)


def simulate(seed: int, *, keep_history: bool = False) -> Report:
    """Play one day: 24 hours with all that goes wrong, an evening in which all is seen to, and the night after."""
    world = World(seed, keep_history=keep_history)
    with in_memory(world.new_id):
        for process in world.processes:
            process.start()
        world.misfortune.plan(world.clinics.plan())
        for at_ms in range(_AUDIT_EVERY_MS, DAY, _AUDIT_EVERY_MS):
            world.agenda.at(at_ms + world.dice.between(0, _AUDIT_EVERY_MS), auditor_looks, world)
        world.agenda.run(DAY)
        world.misfortune.heal()
        while world.agenda.now_ms < DAY + 3 * HOUR:
            world.staff.see_to_all()
            world.agenda.run(world.agenda.now_ms + MINUTE)
        world.agenda.run(2 * DAY + 2 * HOUR)
        reckon(world)
    promises = world.promises
    return Report(
        seed=seed,
        digest=world.history.digest,
        alerts=len(promises.alerts),
        faults=world.faults,
        kills=promises.all_kills,
        kills_judged=len(promises.kills),
        kills_kept=sum(kill.kept and not kill.waits for kill in promises.kills),
        events=len(world.store.log),
        deliveries=len(world.store.outbox),
        violations=tuple(promises.violations),
        spoke=promises.spoke,
        lines=tuple(world.history.lines),
    )
