"""What each stage of reading an ECG costs: the functions of the core timed in this process, without code in the core.

Each function and method of the rooms named below that a reading loads is replaced by a proxy that keeps the time.
Inclusive is a function's time with all it calls, exclusive without what other proxies keep. Names are looked up when
the benchmark runs, so it needs no change when the core does. The proxies cost time of their own, most where a function
is called often: the time with and without them stands above the table.
"""

import argparse
import functools
import sys
import time
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks.harness import Json, save, show
from benchmarks.records import RATE_HZ, stack
from greenchannel.signal import measure as measuring
from greenchannel.signal.leads import STANDARD_12
from greenchannel.signal.recording import Recording
from greenchannel.triage.finding import Patient
from greenchannel.triage.interpretation import interpret

ROOMS: Final = ("greenchannel.signal", "greenchannel.triage")
PATIENT: Final = Patient(age_years=61.0, sex="male", chest_pain=True)
MOST_ROWS: Final = 40


@dataclass(slots=True)
class Cost:
    """What one function has cost in a pass over all ECGs."""

    calls: int = 0
    inclusive_s: float = 0.0
    exclusive_s: float = 0.0


@dataclass(slots=True)
class Profile:
    """Proxies and what they have kept. `install` and `remove` belong together."""

    clock: Callable[[], float] = time.perf_counter
    costs: dict[str, Cost] = field(default_factory=dict)
    _inner_s: list[float] = field(default_factory=lambda: [0.0])
    """For each open call the time spent in proxied calls within it."""
    _restore: list[tuple[Any, str, object]] = field(default_factory=list)

    def install(self, rooms: Sequence[str] = ROOMS) -> int:
        """Put a proxy wherever a loaded module of ours names a function of `rooms`; how many functions were found."""
        ours = [
            module
            for name, module in list(sys.modules.items())
            if name.startswith("greenchannel.") and module
        ]
        proxies: dict[int, Callable[..., object]] = {}
        for module in ours:
            if module.__name__.startswith(tuple(f"{room}." for room in rooms)):
                for holder in (module, *self._classes(module)):
                    for name, value in list(vars(holder).items()):
                        if isinstance(value, types.FunctionType) and value.__module__ == module.__name__:
                            stage = f"{module.__name__.removeprefix('greenchannel.')}.{value.__qualname__}"
                            proxies[id(value)] = self._proxy(stage, value)
                            if holder is not module:
                                self._put(holder, name, proxies[id(value)])
        for module in ours:  # a function has the name in its own module and wherever it was imported to
            for name, value in list(vars(module).items()):
                if isinstance(value, types.FunctionType) and id(value) in proxies:
                    self._put(module, name, proxies[id(value)])
        return len(proxies)

    @staticmethod
    def _classes(module: types.ModuleType) -> list[type]:
        return [
            one
            for one in vars(module).values()
            if isinstance(one, type) and one.__module__ == module.__name__
        ]

    def _put(self, holder: Any, name: str, proxy: object) -> None:
        if name.startswith("__") and name != "__post_init__":
            return
        before = vars(holder)[name]
        try:
            setattr(holder, name, proxy)
        except (AttributeError, TypeError):  # a class that lets nothing be changed
            return
        self._restore.append((holder, name, before))

    def _proxy(self, stage: str, function: Callable[..., object]) -> Callable[..., object]:
        now, inner = self.clock, self._inner_s

        @functools.wraps(function)
        def proxy(*args: object, **kwargs: object) -> object:
            inner.append(0.0)
            start = now()
            try:
                return function(*args, **kwargs)
            finally:
                took = now() - start
                cost = self.costs.get(stage) or self.costs.setdefault(stage, Cost())
                cost.calls += 1
                cost.inclusive_s += took
                cost.exclusive_s += took - inner.pop()
                inner[-1] += took

        return proxy

    def remove(self) -> None:
        """Everything as it was."""
        for holder, name, before in reversed(self._restore):
            setattr(holder, name, before)
        self._restore.clear()


def _ways(recordings: Sequence[Recording]) -> dict[str, Callable[[], object]]:
    """How all ECGs are read once: one by one, and by the batch form of the measurements where there is one."""
    ways: dict[str, Callable[[], object]] = {
        "one by one": lambda: [interpret(one, PATIENT) for one in recordings]
    }
    if hasattr(measuring, "measure_batch"):
        # looked up at each call, so that it is the proxy while there is one
        ways["measure_batch"] = lambda: vars(measuring)["measure_batch"](recordings)
    return ways


def _seconds(work: Callable[[], object], clock: Callable[[], float]) -> float:
    start = clock()
    work()
    return clock() - start


def profiled(
    work: Callable[[], object], passes: int, clock: Callable[[], float]
) -> tuple[float, float, Mapping[str, Cost]]:
    """Least seconds of a pass without and with proxies, and the costs in that least disturbed pass with them."""
    work()  # warm
    plain_s, best_s, best = float("inf"), float("inf"), {}
    for _ in range(passes):
        plain_s = min(plain_s, _seconds(work, clock))
        profile = Profile(clock=clock)
        try:
            profile.install()
            took = _seconds(work, clock)
        finally:
            profile.remove()
        if took < best_s:
            best_s, best = took, profile.costs
    return plain_s, best_s, best


def _modules(costs: Mapping[str, Cost], ecgs: int, whole_s: float) -> list[Json]:
    """The exclusive times of each module's functions together."""
    summed: dict[str, float] = {}
    for name, cost in costs.items():
        module = ".".join(name.split(".")[:2])
        summed[module] = summed.get(module, 0.0) + cost.exclusive_s
    return [
        {"module": name, "µs an ECG": round(took_s / ecgs * 1e6, 1), "%": round(100 * took_s / whole_s, 1)}
        for name, took_s in sorted(summed.items(), key=lambda item: -item[1])
    ]


def run(passes: int = 5, ecgs: int = 64, *, cpu: bool = False) -> Json:
    """Measure, print, save.

    Parameters
    ----------
    passes, ecgs : how often all ECGs are read, and how many they are
    cpu : the processor's time in place of the wall's: for a machine that others use; its clock costs more itself
    """
    clock = time.thread_time if cpu else time.perf_counter
    samples, sources = stack(ecgs)
    recordings = [Recording(samples_mv=one, leads=STANDARD_12, rate_hz=float(RATE_HZ)) for one in samples]
    told: Json = {"clock": clock.__name__, "ecgs": ecgs, "sources": sources, "ways": {}}
    for way, work in _ways(recordings).items():
        plain_s, with_s, costs = profiled(work, passes, clock)
        rows = [
            {
                "function": name,
                "calls an ECG": round(cost.calls / ecgs, 2),
                "inclusive µs an ECG": round(cost.inclusive_s / ecgs * 1e6, 1),
                "exclusive µs an ECG": round(cost.exclusive_s / ecgs * 1e6, 1),
                "exclusive %": round(100 * cost.exclusive_s / with_s, 1),
            }
            for name, cost in sorted(costs.items(), key=lambda item: -item[1].exclusive_s)
        ]
        plain, proxied = plain_s / ecgs * 1e6, with_s / ecgs * 1e6
        title = f"Stages, {way}, {clock.__name__}: {plain:.0f} µs an ECG ({proxied:.0f} with the proxies), {ecgs} ECGs"
        modules = _modules(costs, ecgs, with_s)
        show(title, modules)
        show(f"The costliest of {len(rows)} functions, {way}", rows[:MOST_ROWS])
        told["ways"][way] = {
            "us_an_ecg": round(plain, 1),
            "us_an_ecg_with_proxies": round(proxied, 1),
            "modules": modules,
            "rows": rows,
        }
    save("stages", told)
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passes", type=int, default=5)
    parser.add_argument("--ecgs", type=int, default=64)
    parser.add_argument(
        "--cpu", action="store_true", help="the processor's time, where others use the machine"
    )
    given = parser.parse_args()
    run(given.passes, given.ecgs, cpu=given.cpu)


if __name__ == "__main__":
    main()
