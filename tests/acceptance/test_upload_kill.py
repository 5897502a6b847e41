"""kill -9 at random moments while clinics upload over lines that are cut: each file arrives once, bit for bit."""

import asyncio
import hashlib
import os
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from greenchannel.county import devices
from greenchannel.events import EcgReceived
from greenchannel.store import upload_rows
from greenchannel.store.engine import open_engine
from greenchannel.store.log import Log
from tests.county_actors import STEMI
from tests.served import Served, served
from tests.tus_client import Sender

KILLS_IN_CI: Final = 8
KILLS_IN_SOAK: Final = 60
LONGEST_LIFE_S: Final = 2.0
SENDERS: Final = ("ecg-yinzhao", "ecg-jishi", "ecg-liuzhuang")
PIECE: Final = 12_000


@dataclass(kw_only=True)
class Sent:
    """What the senders were told."""

    answers: dict[str, dict[str, Any]] = field(default_factory=dict)  # by SHA-256 of what was sent
    contents: dict[str, tuple[str, bytes]] = field(default_factory=dict)  # ECG → device and bytes
    cuts: int = 0
    refused: Counter[int] = field(default_factory=Counter)
    over: bool = False


async def work(service: Served, name: str, number: int, sent: Sent) -> None:
    """One clinic sends one ECG after the other until the story is over."""
    dice = random.Random(number)
    async with httpx.AsyncClient(base_url=service.base, timeout=10.0, trust_env=False) as http:
        sender = Sender(http=http, token=service.tokens[name])
        seed = 1000 * number
        while not sent.over:
            seed += 1
            data = devices.as_dicom(devices.simulated(STEMI, seed=seed), age_years=61.0, sex="male")
            answer = await sender.send(data, dice, PIECE, patient_ref=f"p{seed}")
            assert answer["sha256"] == hashlib.sha256(data).hexdigest() and not answer["duplicate"]
            sent.answers[answer["sha256"]] = answer
            sent.contents[answer["ecg_id"]] = (name, data)
        sent.cuts += sender.cuts
        sent.refused.update(sender.refusals)


async def story(service: Served, kills: int, seed: int) -> Sent:
    """Kill and start again, while everybody sends; then read everything back."""
    sent, dice = Sent(), random.Random(seed)
    workers = [
        asyncio.create_task(work(service, name, number, sent)) for number, name in enumerate(SENDERS, start=1)
    ]
    for _ in range(kills):
        await asyncio.sleep(dice.uniform(0.0, LONGEST_LIFE_S))
        await asyncio.to_thread(service.kill)
        await asyncio.to_thread(service.begin)
        if dice.random() < 0.8:  # the others are killed while they start
            await asyncio.to_thread(service.wait_ready)
    await asyncio.to_thread(service.wait_ready)
    sent.over = True
    await asyncio.gather(*workers)
    async with httpx.AsyncClient(base_url=service.base, timeout=10.0, trust_env=False) as http:
        for ecg_id, (name, data) in sent.contents.items():
            headers = {"Authorization": f"Bearer {service.tokens[name]}"}
            assert (await http.get(f"/api/v1/ecgs/{ecg_id}/file", headers=headers)).content == data
    return sent


def run(tmp_path: Path, kills: int, seed: int) -> None:
    """The story, and what the log says of it."""
    begun = time.monotonic()
    with served(tmp_path / "county") as service:
        sent = asyncio.run(story(service, kills, seed))
        service.stop()
        engine = open_engine(f"sqlite:///{service.folder / 'greenchannel.sqlite'}")
        log = Log(engine)
        assert log.verify().ok
        received = Counter(one.event.sha256 for one in log.read() if isinstance(one.event, EcgReceived))
        open_rows = [row for row in upload_rows.every(engine) if row.state != "taken"]
        engine.dispose()
        files = list((service.folder / "uploads").glob("*.part"))
        log_text = service.log.read_text(encoding="utf-8")
        assert service.faults() == [] and "confirmed bytes" not in log_text, service.log_end()
    assert received == Counter(dict.fromkeys(sent.answers, 1)), "expected each file once"
    # A creation whose answer was lost leaves an empty upload, which expires.
    assert all(row.durable_bytes == 0 for row in open_rows) and len(files) == len(open_rows)
    assert sent.answers and sent.cuts
    print(
        f"seed {seed}: {kills} kills, {sent.cuts} cuts, {len(sent.answers)} files, refusals {dict(sent.refused)}, "
        f"{len(open_rows)} lost creations, {time.monotonic() - begun:.0f} s"
    )


def test_uploads_survive_kills(tmp_path: Path) -> None:
    """A few kills, at the same moments in each run."""
    run(tmp_path, KILLS_IN_CI, seed=1)


@pytest.mark.soak
def test_uploads_survive_many_kills(tmp_path: Path) -> None:
    """Other moments in every run; a failure names its seed."""
    run(tmp_path, KILLS_IN_SOAK, seed=int.from_bytes(os.urandom(4)))
