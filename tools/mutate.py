"""Mutation testing of the pure cores: does a test fail for every small change of the code?

    python tools/mutate.py              every mutant of every core (`make soak`)
    python tools/mutate.py --sample 12  as many mutants drawn with a fixed seed (`make test`)

Where nine of ten mutants are noticed, fewer than nine of a sample of twelve are noticed once in forty times; so it
is asked for three quarters, the full run for nine tenths. With the seed fixed a red sample is one that the change made.

The mutants are mutmut's. Its own runner copies the tree and replaces functions by trampolines, which loses the linked
folders; here each mutant is served to one forked process by an import hook, so nothing is copied and no file touched.

Left out, because no test should care: the wording of sentences (a string with a space or beyond ASCII).
"""

import argparse
import importlib.abc
import importlib.machinery
import importlib.util
import os
import random
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
from mutmut.mutation.file_mutation import Mutation, create_mutations, deep_replace

ROOT = Path(__file__).resolve().parents[1]
UNIT, LAWS = "tests/unit/test_", "tests/property/test_"
CORES = {
    "triage/ecg_rules.py": (UNIT + "triage_ste.py", UNIT + "triage_reading.py", LAWS + "triage_laws.py"),
    "triage/downgrades.py": (UNIT + "triage_ste.py", LAWS + "triage_laws.py"),
    "alerts/escalation.py": (
        UNIT + "alerts_escalation.py",
        UNIT + "alerts_commands.py",
        LAWS + "alerts_escalation_machine.py",
    ),
    "alerts/timeline.py": (UNIT + "alerts_timeline.py", UNIT + "alerts_golden.py"),
    "ingest/device_stream.py": (UNIT + "ingest_stream.py", LAWS + "ingest_laws.py"),
}
"""Each core and the tests that must notice, the fastest first."""

SEED = 20260302  # of the sample: the same mutants while the code stays the same
TIMEOUT_S = 120  # a mutant that never ends is noticed
AT_ONCE = 2


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One core with one change."""

    core: str
    function: str
    line: int
    was: str
    now: str
    code: str


class Served(importlib.abc.MetaPathFinder, importlib.abc.SourceLoader):
    """Gives one module its changed source, and leaves all others alone."""

    def __init__(self, core: str, code: str) -> None:
        self.name = "greenchannel." + core.removesuffix(".py").replace("/", ".")
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


def mutants(core: str) -> list[Mutant]:
    """All mutants of one core, in the order of its source."""
    source = (ROOT / core).read_text(encoding="utf-8")
    module, found, _, _ = create_mutations(core, source)
    place = cst.MetadataWrapper(module, unsafe_skip_copy=True).resolve(cst.metadata.PositionProvider)
    result = []
    for one in found:
        outer = one.contained_by_top_level_function
        if not isinstance(outer, cst.FunctionDef) or _is_wording(one):
            continue
        changed = deep_replace(module, one.original_node, one.mutated_node)
        assert isinstance(changed, cst.Module)  # a node was replaced, the module is still there
        result.append(
            Mutant(
                core=core,
                function=outer.name.value,
                line=place[one.original_node].start.line,
                was=_short(one.original_node),
                now=_short(one.mutated_node),
                code=changed.code,
            )
        )
    return result


def _is_wording(one: Mutation) -> bool:
    node = one.original_node
    return isinstance(node, cst.SimpleString) and (" " in node.value or not node.value.isascii())


def _short(node: cst.CSTNode) -> str:
    text = " ".join(cst.Module(body=[]).code_for_node(node).split())
    return text if len(text) <= 60 else text[:57] + "..."


def start(mutant: Mutant | None, tests: Sequence[str]) -> int:
    """Fork a process that runs the tests over a mutant; its exit status is pytest's. None: the code as it is."""
    child = os.fork()
    if child:
        return child
    signal.alarm(TIMEOUT_S)
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    if mutant is not None:
        sys.meta_path.insert(0, Served(mutant.core, mutant.code))
    import pytest

    os._exit(int(pytest.main(["-x", "-q", "--assert=plain", "-p", "no:cacheprovider", *tests])))


def run(chosen: Sequence[Mutant]) -> list[Mutant]:
    """Try each mutant; those that no test noticed are returned."""
    waiting, running, survivors = list(chosen), {}, []
    while waiting or running:
        while waiting and len(running) < AT_ONCE:
            mutant = waiting.pop(0)
            running[start(mutant, CORES[mutant.core])] = mutant
        child, status = os.wait()
        mutant = running.pop(child)
        if status == 0:
            survivors.append(mutant)
    return survivors


def main() -> int:
    """Print the rate for each core and every survivor; 1 where the rate is below what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int, help="try only so many mutants, drawn with a fixed seed")
    parser.add_argument("--core", choices=CORES, action="append", help="only this core")
    parser.add_argument("--at-least", type=float, default=0.9, help="share that must be noticed")
    asked = parser.parse_args()
    os.chdir(ROOT)
    import hypothesis  # noqa: F401  imported once, before the forks
    import msgspec  # noqa: F401
    import numpy  # noqa: F401
    import pytest  # noqa: F401

    began, cores = time.monotonic(), asked.core or list(CORES)
    every = [mutant for core in cores for mutant in mutants(core)]
    chosen = random.Random(SEED).sample(every, min(asked.sample or len(every), len(every)))
    # Beside a sample the whole test run says whether the tests pass without any change.
    for core in [] if asked.sample else cores:
        if os.waitpid(start(None, CORES[core]), 0)[1]:
            print(f"mutate: the tests of {core} fail without any change")
            return 1
    survivors = run(chosen)
    for core in cores:
        tried = sum(mutant.core == core for mutant in chosen)
        left = [mutant for mutant in survivors if mutant.core == core]
        print(f"{core}: {tried - len(left)} of {tried} mutants noticed")
        for mutant in sorted(left, key=lambda one: one.line):
            print(f"  survived, line {mutant.line}, {mutant.function}: {mutant.was}  ->  {mutant.now}")
    rate = 1 - len(survivors) / len(chosen)
    print(
        f"mutate: {rate:.0%} of {len(chosen)} mutants (of {len(every)}) in {time.monotonic() - began:.0f} s,"
        f" expected at least {asked.at_least:.0%}"
    )
    return int(rate < asked.at_least)


if __name__ == "__main__":
    sys.exit(main())
