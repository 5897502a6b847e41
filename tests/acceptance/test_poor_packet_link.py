"""Agents and the service in two network namespaces: 20 kbit/s, half a second and lost packets between them."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from greenchannel.county.fast_clock import FastClock
from greenchannel.county.links import PROFILES
from greenchannel.county.plan import Plan, PlanOptions, make_plan
from greenchannel.county.player import Player, into_folder
from greenchannel.county.settling import settle
from greenchannel.county.truth import TruthBook, read_truth
from greenchannel.events import EcgReceived
from greenchannel.store.accounts import Accounts
from greenchannel.store.engine import migrate, open_engine
from greenchannel.store.log import Log
from tests.packet_link import FAR, PacketLink, need_namespaces
from tests.require import ROOT

SEED = 5
PORT = 8765
WITHIN_S = 900.0
KILL_AFTER_BYTES = 60_000  # of packets: in the middle of an ECG
PLAN = PlanOptions(clinics=2, ecgs=6, span_s=1.0, ways=("dicom", "scp"))


@pytest.mark.soak
def test_agents_behind_a_thin_lossy_link_lose_and_double_nothing(tmp_path: Path) -> None:
    """Two agents, six ECGs, each agent killed in the middle: every ECG is received once, with the right bytes."""
    need_namespaces()
    plan, data = make_plan(SEED, PLAN), tmp_path / "data"
    tokens = _settle(data, plan)
    folders = {clinic.site: tmp_path / clinic.site for clinic in plan.clinics}
    for site, folder in folders.items():
        folder.mkdir()
        (folder / "token").write_text(tokens[site], encoding="utf-8")
    clock = FastClock(datetime.now(UTC), 1e6)
    with TruthBook(tmp_path / "truth.jsonl") as book:
        player = Player(plan, clock, lambda site: into_folder(folders[site] / "watch"), book)
        assert asyncio.run(player.play()).left == PLAN.ecgs
    link = PacketLink(PROFILES["thin"], SEED)

    begun_s = time.monotonic()
    asyncio.run(_play(link, data, folders))

    truth = list(read_truth(tmp_path / "truth.jsonl"))
    assert _received(data) == Counter(line["sha256"] for line in truth)
    assert link.counts["lost"] > 0
    size_bytes, taken_s = sum(line["size_bytes"] for line in truth), time.monotonic() - begun_s
    counts = ", ".join(f"{name} {count}" for name, count in sorted(link.counts.items()))
    print(f"\n{len(truth)} ECGs of {size_bytes} bytes in {taken_s:.0f} s; on the link: {counts}")


async def _play(link: PacketLink, data: Path, folders: dict[str, Path]) -> None:
    async with asyncio.timeout(WITHIN_S), link.open():
        serve = ("serve", "--data", str(data), "--host", FAR, "--port", str(PORT))
        async with _process(link.far, data.parent / "service.log", *serve):
            commands = {
                site: ("agent", "--server", f"http://{FAR}:{PORT}", "--token-file", str(folder / "token"),
                       "--watch", str(folder / "watch"), "--spool", str(folder / "spool"), "--no-page")
                for site, folder in folders.items()
            }  # fmt: skip
            async with contextlib.AsyncExitStack() as first:
                lives = [
                    await first.enter_async_context(
                        _process(link.near, folders[site] / "agent.log", *command)
                    )
                    for site, command in commands.items()
                ]
                while link.counts["bytes"] < KILL_AFTER_BYTES:
                    await asyncio.sleep(0.05)
                for life in lives:
                    life.kill()
                    await life.wait()
            async with contextlib.AsyncExitStack() as second:
                for site, command in commands.items():
                    await second.enter_async_context(
                        _process(link.near, folders[site] / "agent.log", *command)
                    )
                while (await asyncio.to_thread(_received, data)).total() < PLAN.ecgs:
                    await asyncio.sleep(0.5)


@contextlib.asynccontextmanager
async def _process(space: str, log: Path, *command: str) -> AsyncIterator[Process]:
    """The program in a namespace; at the end of the block it is asked to stop, and must, if it is still there."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "src")))}
    words = ("ip", "netns", "exec", space, sys.executable, "-m", "greenchannel", *command)
    with log.open("ab") as out:
        process = await asyncio.create_subprocess_exec(*words, env=environment, stdout=out, stderr=out)
    try:
        yield process
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0, log.read_text(encoding="utf-8")
        assert "Traceback" not in log.read_text(encoding="utf-8"), log.read_text(encoding="utf-8")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _settle(data: Path, plan: Plan) -> dict[str, str]:
    """The county in a new data folder; tokens by site."""
    data.mkdir()
    engine = open_engine(f"sqlite:///{data / 'greenchannel.sqlite'}")
    migrate(engine)
    accounts = Accounts(engine)
    keys = settle(accounts, plan, datetime.now(UTC))
    accounts.add_user("boss", "boss", "admin", "a long enough password")
    engine.dispose()
    return {clinic.site: keys.tokens[clinic.device] for clinic in plan.clinics}


def _received(data: Path) -> Counter[str]:
    engine = open_engine(f"sqlite:///{data / 'greenchannel.sqlite'}")
    try:
        return Counter(one.event.sha256 for one in Log(engine).read() if isinstance(one.event, EcgReceived))
    finally:
        engine.dispose()
