"""Mutation testing of the pure cores: does a test fail for every small change of the code?

    python tools/mutate.py              every mutant of every core (`make soak`)
    python tools/mutate.py --sample 12  of each group as many mutants drawn with a fixed seed (`make test`)

Where nine of ten mutants are noticed, fewer than nine of a sample of twelve are noticed once in forty times; so it
is asked for three quarters, the full run for nine tenths. With the seed fixed a red sample is one that the change made.
Of the cores that measure, every mutant that changes a threshold or a sign must be noticed, but for those that
`equivalent_mutants.toml` lists with the reason why no test can notice them.

The mutants are mutmut's and some more (`mutants.py`). Its own runner copies the tree and replaces functions by
trampolines, which loses the linked folders; here each mutant is served to one forked process by an import hook, so
nothing is copied and no file touched.
"""

import argparse
import ast
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import random
import resource
import signal
import sys
import time
import tomllib
from collections.abc import Sequence
from typing import NoReturn

import pytest
from mutants import ROOT, Mutant, mutants

UNIT_TESTS = "tests/unit"
UNIT, LAWS = f"{UNIT_TESTS}/test_", "tests/property/test_"
RULES = {
    "triage/st_elevation.py": (
        UNIT + "triage_ste.py",
        UNIT + "triage_scenarios.py",
        UNIT + "triage_reading.py",
        LAWS + "triage_laws.py",
    ),
    "triage/lowering.py": (
        UNIT + "triage_columns.py",
        UNIT + "triage_scenarios.py",
        UNIT + "triage_ste.py",
        UNIT + "triage_comparison.py",
    ),
    "triage/st_changes.py": (UNIT + "triage_rules.py", UNIT + "triage_scenarios.py"),
    "triage/conduction.py": (UNIT + "triage_rules.py", UNIT + "triage_scenarios.py"),
    "triage/mimics.py": (UNIT + "triage_rules.py", UNIT + "triage_scenarios.py"),
    "triage/hypertrophy.py": (UNIT + "triage_rules.py", UNIT + "triage_scenarios.py"),
    "alerts/escalation.py": (
        UNIT + "alerts_rounds.py",
        UNIT + "alerts_table.py",
        UNIT + "alerts_escalation.py",
        UNIT + "alerts_commands.py",
        LAWS + "alerts_escalation_machine.py",
    ),
    "alerts/alert_deadlines.py": (
        UNIT + "alerts_rounds.py",
        UNIT + "alerts_table.py",
        UNIT + "alerts_escalation.py",
        UNIT + "alerts_auditor.py",
    ),
    "alerts/escalation_plan.py": (
        UNIT + "alerts_roster.py",
        UNIT + "alerts_rounds.py",
        UNIT + "settings_escalation.py",
    ),
    "alerts/alert_state.py": (
        UNIT + "alerts_rounds.py",
        UNIT + "alerts_table.py",
        UNIT + "alerts_escalation.py",
        UNIT + "alerts_case.py",
        UNIT + "alerts_auditor.py",
    ),
    "alerts/auditor.py": (UNIT + "alerts_auditor.py",),
    "alerts/timeline.py": (UNIT + "alerts_timeline.py", UNIT + "alerts_golden.py"),
    "ingest/device_stream.py": (UNIT + "ingest_stream.py", LAWS + "ingest_laws.py"),
}
MEASURING = {
    "signal/amplitudes.py": (UNIT + "signal_amplitudes.py",),
    "signal/qrs_waves.py": (UNIT + "signal_waves.py", UNIT + "signal_intervals.py"),
    "signal/intervals.py": (UNIT + "signal_rate_and_axis.py", UNIT + "signal_intervals.py"),
    "signal/delineation.py": (UNIT + "signal_delineation_fast.py", UNIT + "signal_delineation.py"),
    "signal/t_end.py": (UNIT + "signal_t_end.py",),
    "signal/qrs_borders.py": (UNIT + "signal_borders.py", UNIT + "signal_j.py"),
    "signal/baseline.py": (
        UNIT + "signal_baseline.py",
        UNIT + "signal_conditioning.py::test_the_baseline_is_the_spline_of_the_textbook",
    ),
    "signal/mains.py": (UNIT + "signal_mains.py",),
    "signal/median.py": (UNIT + "signal_median.py",),
    "signal/qrs.py": (UNIT + "signal_qrs.py",),
    "signal/beats.py": (UNIT + "signal_beats.py",),
    "signal/quality.py": (UNIT + "signal_verdict_edges.py", UNIT + "signal_verdict.py"),
    "signal/pacing.py": (UNIT + "signal_pacing.py",),
    "signal/assembly.py": (UNIT + "signal_assembly.py",),
    "signal/busy_borders.py": (UNIT + "signal_busy.py",),
    "signal/fast_p.py": (UNIT + "signal_fast_p.py", UNIT + "signal_busy.py"),
    "signal/rhythm_name.py": (UNIT + "signal_rhythm_name.py",),
    "signal/rhythm_measures.py": (UNIT + "signal_rhythm_measures.py", UNIT + "signal_activity.py"),
    "signal/limits.py": (),
}
GROUPS = {"rules": RULES, "measuring": MEASURING}
CORES = RULES | MEASURING
"""Each core and the tests that must notice, the fastest first."""
LIMITS = "signal/limits.py"
"""The table of numbers: the tests of the cores that name a number must notice its change."""
READERS = {
    "signal/grid.py": (
        UNIT + "signal_grid_limits.py",
        UNIT + "signal_conditioning.py",
        UNIT + "signal_sample_quality.py",
    ),
    "signal/measure.py": (UNIT + "signal_quality.py",),
    "signal/pruning.py": (UNIT + "signal_pruning_limits.py", UNIT + "signal_pruning.py"),
    "signal/sample_quality.py": (UNIT + "signal_sample_quality.py",),
}
"""Other modules that name numbers of it, and their tests."""

SEED = 20260302  # of the sample: the same mutants while the code stays the same
TIMEOUT_S = 60  # of the processor, not of the clock of a busy machine: a mutant that never ends is noticed
MEMORY_BYTES = 4 << 30  # and so is one that takes more than this
AT_ONCE = 2


class Served(importlib.abc.MetaPathFinder, importlib.abc.SourceLoader):
    """Gives one module its changed source, and leaves all others alone."""

    def __init__(self, core: str, code: str) -> None:
        self.name = _module(core)
        self.path, self.code = str(ROOT / "src/greenchannel" / core), code

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The module's specification where it is the one."""
        if fullname != self.name:
            return None
        return importlib.util.spec_from_file_location(fullname, self.path, loader=self)

    def get_filename(self, fullname: str) -> str:
        """Where the unchanged source is."""
        return self.path

    def get_data(self, path: str) -> bytes:
        """The changed source; no compiled file is looked for or left behind."""
        if path != self.path:
            raise OSError(f"expected {self.path}, got {path}")
        return self.code.encode()


def _module(core: str) -> str:
    return "greenchannel." + core.removesuffix(".py").replace("/", ".")


def tests_of(core: str, constant: str) -> tuple[str, ...]:
    """The tests that must notice a change of a core; of the table of numbers those of all who name the number."""
    if core != LIMITS:
        return CORES[core]
    readers = {**MEASURING, **READERS}
    named = (f"limits.{constant}", f"{constant} ")
    who = [
        name
        for name in readers
        if name != LIMITS and any(word in (ROOT / name).read_text(encoding="utf-8") + " " for word in named)
    ]
    return tuple(dict.fromkeys(test for name in who for test in readers[name]))


class Forked:
    """Lets pytest begin once and go on in one process for each mutant: its beginning takes longer than most tests.

    As a plugin it takes the place of the collection of tests: in each fork that goes on, here the survivors are told.
    """

    def __init__(self, core: str, chosen: Sequence[Mutant], pipe: int, *, check: bool) -> None:
        self.core, self.chosen, self.pipe, self.check = core, chosen, pipe, check

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """Begin every mutant's process and wait for all of them."""
        _load_imports(self.core)
        waiting, running, survivors = list(range(len(self.chosen))), {}, []
        if self.check and self.core != LIMITS:
            child = _start(session, None, CORES[self.core])
            if not child:
                return
            if os.waitpid(child, 0)[1]:
                self._tell(None)
        while waiting or running:
            while waiting and len(running) < AT_ONCE:
                number = waiting.pop(0)
                mutant = self.chosen[number]
                tests = tests_of(mutant.core, mutant.function)
                if not tests:
                    survivors.append(number)  # nobody asks for this number
                    continue
                child = _start(session, mutant, tests)
                if not child:
                    return
                running[child] = number
            if running:
                child, status = os.wait()
                number = running.pop(child)
                if status == 0:
                    survivors.append(number)
        self._tell(sorted(survivors))

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """A fork ends here."""
        os._exit(int(exitstatus))

    def _tell(self, left: list[int] | None) -> NoReturn:
        with os.fdopen(self.pipe, "w") as pipe:
            json.dump(left, pipe)
        os._exit(0)


def _start(session: pytest.Session, mutant: Mutant | None, tests: Sequence[str]) -> int:
    """Fork a process whose session runs the tests over a mutant; None: the code as it is."""
    child = os.fork()
    if not child:
        signal.setitimer(signal.ITIMER_PROF, TIMEOUT_S)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        if mutant is not None:
            sys.meta_path.insert(0, Served(mutant.core, mutant.code))
        session.config.args = list(tests)
    return child


def run(core: str, chosen: Sequence[Mutant], *, check: bool) -> list[Mutant] | None:
    """Those mutants of one core that no test noticed; None where its tests fail without any change.

    A process in between has loaded all that the core imports, and forks one for each mutant.
    """
    inward, outward = os.pipe()
    child = os.fork()
    if not child:
        os.close(inward)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        forked = Forked(core, chosen, outward, check=check)
        # The tests that are named here only lead to their configuration.
        pytest.main(["-x", "-q", "--assert=plain", "-p", "no:cacheprovider", UNIT_TESTS], plugins=[forked])
        os._exit(1)  # it never came so far as to collect tests
    os.close(outward)
    with os.fdopen(inward) as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    if not told:
        raise RuntimeError(f"expected the survivors of {core}, got nothing: does pytest begin at all?")
    numbers = json.loads(told)
    return None if numbers is None else [chosen[k] for k in numbers]


def _load_imports(core: str) -> None:
    for node in ast.parse((ROOT / core).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("greenchannel."):
            importlib.import_module(node.module)
    if _module(core) in sys.modules:
        raise RuntimeError(f"expected {core} not to be imported by what it imports")


def equivalents() -> dict[str, dict[str, str]]:
    """Of each core the changes that no test can notice, and why."""
    table = tomllib.loads((ROOT / "tools/equivalent_mutants.toml").read_text(encoding="utf-8"))
    return {
        core: {change: group["why"] for group in groups for change in group["changes"]}
        for core, groups in table.items()
    }


def main() -> int:
    """Print the rate of each core and every survivor; 1 where too few are noticed, or a decisive one is not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--sample", type=int, help="of each group try only so many mutants, drawn with a fixed seed"
    )
    parser.add_argument("--core", choices=CORES, action="append", help="only this core")
    parser.add_argument("--decisive", action="store_true", help="only changes of a threshold or a sign")
    parser.add_argument("--at-least", type=float, default=0.9, help="share that must be noticed")
    asked = parser.parse_args()
    os.chdir(ROOT)
    import hypothesis  # noqa: F401  imported once, before the forks
    import msgspec  # noqa: F401
    import numpy  # noqa: F401

    began, red, known = time.monotonic(), False, equivalents()
    for group, members in GROUPS.items():
        cores = [core for core in members if not asked.core or core in asked.core]
        measuring = group == "measuring"
        every = [
            m
            for core in cores
            for m in mutants(core, measuring=measuring)
            if m.decisive or not asked.decisive
        ]
        if not every:
            continue
        chosen = random.Random(SEED).sample(every, min(asked.sample or len(every), len(every)))
        noticed = tried = 0
        for core in cores:
            mine = sorted((m for m in chosen if m.core == core), key=lambda one: one.line)
            # Beside a sample the whole test run says whether the tests pass without any change.
            survivors = run(core, mine, check=not asked.sample)
            if survivors is None:
                print(f"mutate: the tests of {core} fail without any change")
                return 1
            listed = known.get(core, {})
            left = [m for m in survivors if m.change not in listed]
            same = len(survivors) - len(left)
            tried, noticed = tried + len(mine) - same, noticed + len(mine) - len(survivors)
            decisive = [m for m in left if m.decisive]
            red |= measuring and bool(decisive) and not asked.sample
            print(
                f"{core}: {len(mine) - len(survivors)} of {len(mine)} mutants noticed; of the others {same} listed as"
                f" equivalent, {len(decisive)} decisive, {len(left) - len(decisive)} not",
                flush=True,
            )
            for m in left:
                kind = "decisive" if m.decisive else "survived"
                print(f"  {kind}, line {m.line}, {m.function}: {m.was}  ->  {m.now}")
                if measuring and m.decisive:
                    print(f"      {m.change}")
            unneeded = set(listed) - {m.change for m in survivors}
            if unneeded and not asked.sample:
                print(f"  listed as equivalent, but noticed or gone: {sorted(unneeded)}")
        rate = noticed / max(tried, 1)
        red |= rate < asked.at_least
        print(
            f"mutate: {group}, {rate:.0%} of {tried} mutants (of {len(every)}) noticed after"
            f" {time.monotonic() - began:.0f} s, expected at least {asked.at_least:.0%}"
        )
    return int(red)


if __name__ == "__main__":
    sys.exit(main())
