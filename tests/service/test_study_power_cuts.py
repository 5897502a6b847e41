"""A large study over a line that is cut, from a van whose power fails, to a service that is killed: once and whole."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from greenchannel.county import cast
from tests.cut_relay import CutRelay
from tests.image_table import kept_images
from tests.imaging_files import real_slices
from tests.require import ROOT
from tests.served import Served, served

SLICES, CUTS = 300, 10
VAN_FAILS_AFTER, SERVICE_FAILS_AFTER = 4, 7  # cuts
WITHIN_S = 400.0
DEVICE, READER = "ecg-yinzhao", "chen"


@pytest.mark.soak
@pytest.mark.data
def test_300_slices_ten_cuts_and_both_ends_killed(tmp_path: Path, data_dir: Path) -> None:
    """The van's program is killed, and started as its driver would; the service is killed; every byte arrives, once."""
    slices = real_slices(data_dir, SLICES)
    source = tmp_path / "van" / "DICOM"
    source.mkdir(parents=True)
    for number, data in slices.items():
        (source / f"I{number}").write_bytes(data)
    with (
        served(tmp_path / "county") as service,
        CutRelay(service.port, cut=1.0, refuse=0.0, seed=11, most_bytes=8_000_000) as relay,
    ):
        token = tmp_path / "token"
        token.write_text(service.tokens[DEVICE])
        van = _van(source, relay.base, token, tmp_path)
        try:
            _until(lambda: relay.cuts >= VAN_FAILS_AFTER, van)
            van.kill()
            van.wait()
            assert relay.cuts < SERVICE_FAILS_AFTER and kept_images(service.folder) == {}
            van = _van(source, relay.base, token, tmp_path)
            _until(lambda: relay.cuts >= SERVICE_FAILS_AFTER, van)
            service.kill()
            service.start()
            _until(lambda: relay.cuts >= CUTS, van)
            relay.good = True
            assert van.wait(WITHIN_S) == 0, (tmp_path / "van.log").read_text()
        finally:
            van.kill()
            van.wait()
        assert relay.cuts >= CUTS
        wanted = sorted(hashlib.sha256(data).hexdigest() for data in slices.values())
        kept = kept_images(service.folder)
        assert sorted(kept.values()) == wanted
        assert _given_back(service, list(kept)) == wanted
        assert service.faults() == []


def _van(source: Path, server: str, token: Path, folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "greenchannel", "agent", "send-study", str(source), "--server", server]
    command += ["--token-file", str(token), "--spool", str(folder / "spool")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "src")))}
    with (folder / "van.log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, env=environment)


def _until(happened: Callable[[], bool], van: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + WITHIN_S
    while not happened():
        assert van.poll() is None, "the van's program ended too soon"
        assert time.monotonic() < end, "nothing happens any more"
        time.sleep(0.02)


def _given_back(service: Served, sop_uids: list[str]) -> list[str]:
    """Checksums of what a reader gets by WADO-RS, one object after the other."""
    person = next(one for one in cast.USERS if one.user == READER)
    found = []
    with httpx.Client(base_url=service.base, timeout=60.0, trust_env=False) as http:
        who = {"user": READER, "password": person.password}
        assert http.post("/api/v1/session", json=who, headers={"Origin": service.base}).status_code == 200
        rows = http.get("/dicom-web/instances?limit=500").json()
        at = {
            row["00080018"]["Value"][0]: (row["0020000D"]["Value"][0], row["0020000E"]["Value"][0])
            for row in rows
        }
        for uid in sop_uids:
            study, series = at[uid]
            path = f"/dicom-web/studies/{study}/series/{series}/instances/{uid}"
            answer = http.get(
                path, headers={"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'}
            )
            assert answer.status_code == 200, answer.text
            boundary = answer.headers["content-type"].rpartition("boundary=")[2].strip('"').encode()
            _, _, part = answer.content.partition(b"\r\n\r\n")
            found.append(hashlib.sha256(part[: part.rindex(b"\r\n--" + boundary)]).hexdigest())
    return sorted(found)
