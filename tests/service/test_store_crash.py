"""A killed process: what was acknowledged is there, and what is there is whole."""

import subprocess
import sys
from pathlib import Path

import pytest

from greenchannel.events import EcgReceived
from greenchannel.store.blobs import Blobs
from tests.store_world import open_store, opened

# Four threads upload as fast as they can; each line is an acknowledgement, given after the commit.
VICTIM = """
import os, sys, threading
from pathlib import Path
from greenchannel.clock import SystemClock
from greenchannel.events import EcgReceived
from greenchannel.store.blobs import Blobs
from greenchannel.store.engine import migrate, open_engine
from greenchannel.store.vault import Vault
from greenchannel.store.writer import Writer

folder = Path(sys.argv[1])
engine = open_engine(f"sqlite:///{folder / 'store.sqlite'}")
migrate(engine)
vault = Vault(engine, bytes(range(32)))
blobs = Blobs(folder / "blobs", engine, vault)
writer = Writer(engine, SystemClock())
writer.start()

def upload(name):
    number = 0
    while True:
        number += 1
        staged = blobs.stage(f"{name}-{number}".encode())
        def command(tx):
            patient = vault.patient_for(tx, "s1", str(name))
            blobs.link(tx, staged, patient)
            event = EcgReceived(
                ecg_id=f"{name}-{number}", sha256=staged.sha256, size_bytes=staged.size_bytes, way="upload",
                format="dicom", device=None, leads=(), rate_hz=500.0, duration_s=10.0,
            )
            tx.append(f"case:{name}", [event], actor="service")
            tx.append("system", [event], actor="service")
            return patient
        patient = writer.transact_sync(command)
        os.write(1, f"{name}-{number} {staged.sha256} {patient}\\n".encode())

for name in range(4):
    threading.Thread(target=upload, args=(name,)).start()
"""


@pytest.mark.parametrize("acknowledged", [1, 40, 150])
def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path, acknowledged: int) -> None:
    """Events and original bytes are there, each command whole or not at all, and the log goes on from its end."""
    victim = subprocess.Popen(
        [sys.executable, "-c", VICTIM, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert victim.stdout is not None
    lines = [victim.stdout.readline() for _ in range(acknowledged)]
    victim.kill()
    lines += victim.stdout.readlines()  # acknowledged before the kill, read after it
    victim.wait(10)
    victim.stdout.close()
    told = [line.split() for line in lines if line.endswith("\n")]

    with open_store(tmp_path) as store:
        assert store.log.verify().ok
        received = [e for e in store.log.read() if isinstance(e.event, EcgReceived)]
        by_case = {
            e.event.ecg_id for e in received if isinstance(e.event, EcgReceived) and e.case_id is not None
        }
        system = {e.event.ecg_id for e in received if isinstance(e.event, EcgReceived) and e.case_id is None}
        assert by_case == system, "a command is there as a whole"
        assert len(told) >= acknowledged
        assert {ecg_id for ecg_id, _, _ in told} <= by_case
        blobs = Blobs(tmp_path / "blobs", store.engine, store.vault())
        for ecg_id, sha256, patient in told:
            assert blobs.get(sha256, patient) == ecg_id.encode()

        (next_one,) = store.writer.transact_sync(lambda tx: tx.append("case:9", [opened(1)], actor="service"))
        assert next_one.seq == len(received) + 1
        assert store.log.verify().ok
