"""Simulated duty days: the real decisions over a store, a network and people that fail in every way."""

import os
import secrets
import subprocess
import sys
import time

import pytest

from tests.require import ROOT
from tests.simulation.day import simulate
from tests.simulation.faults import KINDS
from tests.simulation.many_days import Tally, play, play_many

_SAMPLE = 30
_SOAK = 10_000


def _number(name: str, usual: int) -> int:
    given = os.environ.get(name)
    return usual if given is None else int(given)


def _check(tally: Tally, text: str) -> None:
    assert tally.failed == 0, text
    assert tally.quiet == [], (
        f"expected 20 alerts and 5 faults on each day, got fewer with seeds {tally.quiet}"
    )
    assert tally.kills_kept == tally.kills_judged, text
    assert all(tally.faults[kind] for kind in KINDS), text


def test_no_promise_is_broken_on_some_days() -> None:
    """A sample of days, the same in each run; each has at least 20 alerts and 5 faults, all kinds of them together."""
    started_s = time.monotonic()
    tally = play(range(1, 1 + _SAMPLE))
    text = tally.text(1, time.monotonic() - started_s)

    _check(tally, text)
    assert tally.kills_judged >= _SAMPLE // 2, text


def test_one_seed_is_one_history() -> None:
    """The same in another process, whatever the order of its sets; another seed is another history."""
    command = [sys.executable, "-m", "tests.simulation", "--seed", "7"]
    said = []
    for hash_seed in ("1", "2"):
        paths = os.pathsep.join([str(ROOT), str(ROOT / "src")])
        env = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": paths}
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        said.append(done.stdout)
    here = simulate(7)

    assert said[0] == said[1]
    assert f"seed 7: {here.digest}," in said[0]
    assert simulate(8).digest != here.digest


@pytest.mark.soak
def test_ten_thousand_duty_days(capsys: pytest.CaptureFixture[str]) -> None:
    """New days in each run, as many as ``GREENCHANNEL_SIM_DAYS`` says, from ``GREENCHANNEL_SIM_SEED`` on. All of them
    take a quarter of an hour on two processors that do nothing else, and see far more than 480 kills."""
    days = _number("GREENCHANNEL_SIM_DAYS", _SOAK)
    first_seed = _number("GREENCHANNEL_SIM_SEED", 1 + secrets.randbelow(2**40))
    started_s = time.monotonic()
    tally = play_many(first_seed, days)
    text = tally.text(first_seed, time.monotonic() - started_s)
    with capsys.disabled():
        print("\n" + text)

    _check(tally, text)
    if days >= _SOAK:
        assert tally.kills_judged >= 480, text


@pytest.mark.soak
def test_a_process_killed_at_480_points(capsys: pytest.CaptureFixture[str]) -> None:
    """At random points of random histories, each with an open ACT alert: afterwards each such alert is answered or
    escalated within its time and 5 s of the restart; nothing is done twice, nothing is lost."""
    tally, first_seed, days = Tally(), _number("GREENCHANNEL_SIM_SEED", 1 + secrets.randbelow(2**40)), 0
    started_s = time.monotonic()
    while tally.kills_judged < 480:
        tally.add(play_many(first_seed + days, 200))
        days += 200
    text = tally.text(first_seed, time.monotonic() - started_s)
    with capsys.disabled():
        print(f"\n{tally.kills_kept} of {tally.kills_judged} kills")

    assert tally.failed == 0, text
    assert tally.kills_kept == tally.kills_judged >= 480, text
