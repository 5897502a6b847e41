"""The agent from a wheel in an empty environment, killed in the middle of an upload to a server made by the README."""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from greenchannel.county import devices
from tests.acceptance.test_agent_kill import count_received
from tests.agent_process import AgentProcess, until
from tests.cut_relay import SlowRelay
from tests.require import ROOT
from tests.served import _free_port

PASSWORD = "a long enough password"
EXTRAS = ("fastapi", "sqlalchemy", "httpx", "pynetdicom", "cryptography", "pytest")


class ReadmeServer:
    """The service as the README starts it: command after command, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self._environment = os.environ | {"GREENCHANNEL_DATA_DIR": str(folder)}
        self._log = folder.with_suffix(".log").open("ab")
        self._run("user", "add", "boss", "--role", "admin", typed=f"{PASSWORD}\n{PASSWORD}\n")
        place = ("--zh", "东村卫生室", "--en", "East Village", "--distance-km", "38", "--phone", "0000-1001")
        self._run("site", "add", "east", *place)
        said = self._run("device", "add", "ecg-east", "--site", "east")
        self.token = max(re.findall(r"\S+", said), key=len)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "greenchannel", "serve", "--host", "127.0.0.1", "--port", str(self.port)],
            env=self._environment, stdout=self._log, stderr=self._log,
        )  # fmt: skip
        until(self._ready, "the service", 90)

    def _run(self, *words: str, typed: str = "") -> str:
        command = [sys.executable, "-m", "greenchannel", *words]
        done = subprocess.run(
            command, env=self._environment, input=typed, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _ready(self) -> bool:
        try:
            return httpx.get(f"{self.base}/readyz", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(timeout=30)
        self._log.close()


@pytest.fixture
def readme_server(tmp_path: Path) -> Iterator[ReadmeServer]:
    """One."""
    server = ReadmeServer(tmp_path / "data")
    yield server
    server.close()


def from_wheel(folder: Path) -> Path:
    """Build the wheel, install it and nothing but its base dependencies into an empty environment; its Python."""
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    (wheel,) = folder.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "empty")], check=True)
    python = folder / "empty" / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", str(wheel)], check=True, stdout=subprocess.DEVNULL
    )
    code = f"import importlib.util as u; print([name for name in {EXTRAS} if u.find_spec(name)])"
    found = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True, cwd=folder)
    assert found.stdout.strip() == "[]", "expected the base dependencies alone"
    return python


def killed_in_the_middle(server: ReadmeServer, folder: Path, python: Path | None) -> str:
    """One ECG over 80 kbit/s; the agent is killed once half of it is there, and started again. What was seen."""
    data = devices.as_dicom(devices.simulated("baseline_sinus", seed=7), age_years=61.0, sex="male")
    with SlowRelay(server.port, bytes_per_s=10_000) as relay:
        agent = AgentProcess(folder / "clinic", relay.base, server.token, python=python)
        (agent.watch / "7.dcm").write_bytes(data)
        try:
            agent.start()
            until(lambda: any(item.offset > 0 for item in agent.items()), "the first pieces")
            agent.kill()
            (before,) = agent.items()
            assert 0 < before.offset < before.wire_bytes, "expected the kill in the middle"
            time.sleep(1.0)
            agent.start()
            until(lambda: agent.all_taken(1), "the ECG at the server")
            status = agent.stop()
        finally:
            agent.close()
    (item,) = agent.items()
    headers = {"Authorization": f"Bearer {server.token}"}
    got = httpx.get(f"{server.base}/api/v1/ecgs/{item.ecg_id}/file", headers=headers, trust_env=False).content
    assert got == data and item.sha256 == hashlib.sha256(data).hexdigest()
    assert not item.duplicate and item.upload_url == before.upload_url, (
        "expected the same upload, gone on with"
    )
    assert count_received(server) == 1
    assert status == 0 and "Traceback" not in agent.log_text(), agent.log_text()
    return f"killed at {before.offset} of {before.wire_bytes} bytes, came back, arrived once, {len(got)} bytes equal"


def test_an_agent_killed_in_the_middle_of_an_upload_comes_back(
    readme_server: ReadmeServer, tmp_path: Path
) -> None:
    """From this checkout."""
    print(killed_in_the_middle(readme_server, tmp_path, None))


@pytest.mark.soak
def test_an_agent_from_a_wheel_killed_in_the_middle_of_an_upload_comes_back(
    readme_server: ReadmeServer, tmp_path: Path
) -> None:
    """From a wheel, in an environment that has nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        print(killed_in_the_middle(readme_server, tmp_path, from_wheel(Path(folder))))
