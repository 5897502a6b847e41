"""Many days in several processes, and what they come to."""

import gc
import multiprocessing
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tests.simulation.day import Report, simulate

ALERTS_AT_LEAST = 20
FAULTS_AT_LEAST = 5
_CHUNK = 100
_KEPT = 20  # failures that are told in full


@dataclass
class Tally:
    """What days come to."""

    days: int = 0
    alerts: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    kills_judged: int = 0
    kills_kept: int = 0
    events: int = 0
    deliveries: int = 0
    cpu_s: float = 0.0
    quiet: list[int] = field(default_factory=list)  # seeds of days with too few alerts or faults
    failed: int = 0
    failures: list[tuple[int, tuple[tuple[str, str], ...]]] = field(default_factory=list)

    def take(self, report: Report) -> None:
        """Add one day."""
        self.days += 1
        self.alerts += report.alerts
        self.faults += report.faults
        self.kills += report.kills
        self.kills_judged += report.kills_judged
        self.kills_kept += report.kills_kept
        self.events += report.events
        self.deliveries += report.deliveries
        if report.alerts < ALERTS_AT_LEAST or report.faults.total() < FAULTS_AT_LEAST:
            self.quiet.append(report.seed)
        if report.violations:
            self.failed += 1
            if len(self.failures) < _KEPT:
                self.failures.append((report.seed, report.violations[:5]))

    def add(self, other: "Tally") -> None:
        """Add the days of another."""
        self.days += other.days
        self.alerts += other.alerts
        self.faults += other.faults
        self.kills += other.kills
        self.kills_judged += other.kills_judged
        self.kills_kept += other.kills_kept
        self.events += other.events
        self.deliveries += other.deliveries
        self.cpu_s += other.cpu_s
        self.quiet += other.quiet
        self.failed += other.failed
        self.failures = (self.failures + other.failures)[:_KEPT]

    def text(self, first_seed: int, took_s: float) -> str:
        """The figures, and how to see a day again on which a promise was broken."""
        faults = ", ".join(f"{kind} {count}" for kind, count in sorted(self.faults.items()))
        played = f"{self.days} days from seed {first_seed}: {self.alerts} alerts, {self.events} events, "
        played += f"{self.deliveries} deliveries, {self.faults.total()} faults, {self.kills} kills"
        judged = (
            f"after {self.kills_kept} of {self.kills_judged} kills with an open ACT alert all of these were "
        )
        took = (
            f"{took_s:.0f} s, {self.cpu_s:.0f} s of a processor, {self.cpu_s / max(self.days, 1):.3f} s a day"
        )
        lines = [played, judged + "answered or escalated in time", f"faults: {faults}", took]
        lines.append(
            f"{self.failed} days with a broken promise, {len(self.quiet)} days with too little going on"
        )
        for seed, violations in self.failures:
            lines += [f"  seed {seed}: {name}: {what}" for name, what in violations]
            lines.append(f"  again: python -m tests.simulation --seed {seed} --history")
        return "\n".join(lines)


def play(seeds: Iterable[int]) -> Tally:
    """The days of some seeds in this process, which grows by a megabyte or two a day: days leave rings of objects, and
    to look for these takes longer than to begin a process."""
    tally, before_s = Tally(), time.process_time()
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        for seed in seeds:
            tally.take(simulate(seed))
    finally:
        if was_enabled:
            gc.enable()
    tally.cpu_s = time.process_time() - before_s
    return tally


def play_many(first_seed: int, days: int, workers: int = 2) -> Tally:
    """The days `first_seed`, `first_seed` + 1, … in processes forked from one that has imported all."""
    tally = Tally()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with context.Pool(workers, maxtasksperchild=1) as pool:
        for part in pool.imap(play, _chunks(first_seed, days)):
            tally.add(part)
    return tally


def _chunks(first_seed: int, days: int) -> Iterator[range]:
    for begin in range(first_seed, first_seed + days, _CHUNK):
        yield range(begin, min(begin + _CHUNK, first_seed + days))
