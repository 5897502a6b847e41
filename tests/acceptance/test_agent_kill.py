"""kill -9 of agent and server at random moments, over a line that is cut: each ECG arrives once, bit for bit."""

import hashlib
import os
import random
import time
from collections import Counter
from pathlib import Path
from typing import Protocol

import httpx
import pytest

from greenchannel.county import devices
from greenchannel.events import EcgReceived
from greenchannel.store.engine import open_engine
from greenchannel.store.log import Log
from tests.agent_process import AgentProcess, until
from tests.county_actors import STEMI
from tests.cut_relay import CutRelay
from tests.served import Served, served

FILES_IN_CI, KILLS_IN_CI = 6, 4
FILES_IN_SOAK, KILLS_IN_SOAK = 60, 50
MOST_BETWEEN_KILLS = 60_000  # bytes in both directions; an ECG takes about 45,000


def arrived(service: Served) -> Counter[str]:
    """How often each content was received, by the log of a service that is down."""
    engine = open_engine(f"sqlite:///{service.folder / 'greenchannel.sqlite'}")
    try:
        log = Log(engine)
        assert log.verify().ok
        return Counter(one.event.sha256 for one in log.read() if isinstance(one.event, EcgReceived))
    finally:
        engine.dispose()


class HasFolder(Protocol):
    """A service with a data folder."""

    folder: Path


def count_received(service: HasFolder) -> int:
    """How many ECGs one that runs has received."""
    engine = open_engine(f"sqlite:///{service.folder / 'greenchannel.sqlite'}")
    try:
        return sum(isinstance(one.event, EcgReceived) for one in Log(engine).read())
    finally:
        engine.dispose()


def run(tmp_path: Path, files: int, kills: int, seed: int) -> None:
    """The clinic records, the line is bad, both ends are killed, and in the end the line is good."""
    begun_s, dice = time.monotonic(), random.Random(seed)
    contents: dict[str, bytes] = {}
    with (
        served(tmp_path / "county") as service,
        CutRelay(service.port, cut=0.7, refuse=0.15, seed=seed) as relay,
    ):
        agent = AgentProcess(tmp_path / "clinic", relay.base, service.tokens["ecg-yinzhao"], "--no-judge")
        try:
            agent.start()
            for number in range(files):
                data = devices.as_dicom(devices.simulated(STEMI, seed=number), age_years=61.0, sex="male")
                contents[hashlib.sha256(data).hexdigest()] = data
                (agent.watch / f"{number}.dcm").write_bytes(data)
                if dice.random() < 0.3:  # the machine exports it a second time
                    (agent.watch / f"{number} again.dcm").write_bytes(data)
            for _ in range(kills):
                # Some way into what is under way: into a file, an answer, or a start.
                carried = relay.carried_bytes + dice.randint(1, MOST_BETWEEN_KILLS)
                until(lambda: relay.carried_bytes >= carried, "bytes on the line")  # noqa: B023 - asked at once
                time.sleep(dice.uniform(0.0, 0.2))
                if dice.random() < 0.6:
                    agent.kill()
                    agent.start()
                else:
                    service.kill()
                    service.begin()
                    service.wait_ready()
            until(lambda: relay.cuts > 0, "a cut")
            relay.good = True
            until(lambda: count_received(service) >= files, f"all {files} ECGs at the server")
            until(lambda: agent.all_taken(files), "all taken in the agent's book")
        finally:
            agent.close()
        items = agent.items()
        headers = {"Authorization": f"Bearer {service.tokens['ecg-yinzhao']}"}
        with httpx.Client(base_url=service.base, headers=headers, trust_env=False, timeout=30) as http:
            for item in items:
                got = http.get(f"/api/v1/ecgs/{item.ecg_id}/file").content
                assert got == contents[item.sha256]
        service.stop()
        received = arrived(service)
        assert service.faults() == []
    assert "Traceback" not in agent.log_text(), agent.log_text()[-3000:]
    assert received == Counter(dict.fromkeys(contents, 1)), "expected each ECG once"
    assert sorted(item.sha256 for item in items) == sorted(contents), "expected each ECG once in the spool"
    assert relay.cuts
    print(
        f"seed {seed}: {files} ECGs, {agent.lives} lives of the agent, {service.lives} of the server, "
        f"{relay.cuts} cuts of {relay.connections} connections; 0 lost, 0 doubled; {time.monotonic() - begun_s:.0f} s"
    )


def test_an_agent_that_is_killed_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """A few ECGs and kills, from the same dice in each run."""
    run(tmp_path, FILES_IN_CI, KILLS_IN_CI, seed=1)


@pytest.mark.soak
def test_an_agent_that_is_killed_often_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Other moments in every run; a failure names its seed."""
    run(tmp_path, FILES_IN_SOAK, KILLS_IN_SOAK, seed=int.from_bytes(os.urandom(4)))
