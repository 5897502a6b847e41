"""A small county with a real desk: a database and files in a folder, a clock turned by hand, no network."""

import asyncio
import atexit
import contextlib
import functools
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from greenchannel.alerts.escalation_plan import EscalationSettings
from greenchannel.clock import Clock, ManualClock
from greenchannel.county import cast
from greenchannel.ingest.dicom_ecg_write import write_dicom_ecg
from greenchannel.ingest.fields import UploadFields, parse_fields
from greenchannel.ingest.packing import pack, unpack
from greenchannel.service.callers import Caller
from greenchannel.service.desk import Desk
from greenchannel.settings import Settings
from greenchannel.signal.measure import measure
from greenchannel.signal.recording import Recording
from greenchannel.signal.synthesis import synthesize
from greenchannel.store.access import AccessLog
from greenchannel.store.accounts import Accounts
from greenchannel.store.blobs import Blobs, Packing
from greenchannel.store.engine import migrate, open_engine
from greenchannel.store.log import Log
from greenchannel.store.quarantine import Quarantine
from greenchannel.store.vault import Vault, load_or_make_master_key
from greenchannel.store.writer import Writer

START = datetime(2026, 3, 2, 8, 5, tzinfo=UTC)
STEMI = "extensive_anterior_high_lateral_stemi"


def device(site: str = "yinzhao") -> Caller:
    """The ECG machine of a clinic."""
    return Caller(kind="device", id=f"ecg-{site}", name=site, role="device", sites=frozenset({site}))


def person(user: str) -> Caller:
    """A person of the cast."""
    known = next(one for one in cast.USERS if one.user == user)
    sites = None if known.sites is None else frozenset(known.sites)
    return Caller(kind="user", id=user, name=known.name, role=known.role, sites=sites)


def dicom(scenario: str = STEMI, *, seed: int = 1, dead_leads: tuple[str, ...] = (), **facts: Any) -> bytes:
    """A simulated 12-lead ECG as a DICOM file."""
    recording = synthesize(scenario=scenario, seed=seed, dead_leads=dead_leads, noise_mv=0.005)
    given: dict[str, Any] = {"acquired": None, "age_years": 61.0, "sex": "male"}
    return write_dicom_ecg(recording, **given | facts)


def with_st(recording: Recording, levels_mv: dict[str, float]) -> Recording:
    """The same beats with ST moved between each QRS and its T, flat from J on."""
    samples = np.array(recording.samples_mv)
    for beat in measure(recording).beats:
        if beat.qrs_on_s is None or beat.qrs_off_s is None or beat.t_off_s is None:
            continue
        on, off, end = (round(at * recording.rate_hz) for at in (beat.qrs_on_s, beat.qrs_off_s, beat.t_off_s))
        shape = np.concatenate([np.linspace(0, 1, off - on), np.ones((end - off) // 2)])
        shape = np.concatenate([shape, np.linspace(1, 0, end - on - shape.size)])
        for lead, level in levels_mv.items():
            row = recording.leads.index(lead)
            samples[row, on:end] += level * shape[: samples.shape[1] - on]
    return Recording(samples_mv=samples, leads=recording.leads, rate_hz=recording.rate_hz)


def fields(**given: Any) -> UploadFields:
    """Upload fields by their wire names."""
    return parse_fields(given)


@functools.cache
def _county() -> tuple[Path, dict[str, str]]:
    """A settled county to copy from, and its devices' tokens: hashing ten passwords takes a second."""
    folder = Path(tempfile.mkdtemp(prefix="greenchannel-county-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    engine = open_engine(f"sqlite:///{folder / 'greenchannel.sqlite'}")
    migrate(engine)
    tokens = cast.settle(Accounts(engine), START)
    engine.dispose()
    return folder, tokens


@dataclass(kw_only=True)
class World:
    """What outlives a restart of the desk."""

    folder: Path
    clock: Clock = field(default_factory=lambda: ManualClock(START))
    settings: Settings = field(default=Settings(data_dir=Path("unset"), reading_process=False))
    escalation: EscalationSettings | None = None
    tokens: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.settings = replace(self.settings, data_dir=self.folder)

    def make(self) -> Desk:
        """A desk over the folder; the county's people are entered the first time."""
        if not self.tokens:
            county, self.tokens = _county()
            shutil.copytree(county, self.folder, dirs_exist_ok=True)
        engine = open_engine(self.settings.url())
        migrate(engine)
        accounts = Accounts(engine)
        vault = Vault(engine, load_or_make_master_key(self.folder / "master.key"))
        return Desk(
            settings=self.settings,
            clock=self.clock,
            engine=engine,
            writer=Writer(engine, self.clock),
            log=Log(engine),
            vault=vault,
            blobs=Blobs(self.folder / "blobs", engine, vault, Packing(pack, unpack)),
            access=AccessLog(engine),
            accounts=accounts,
            quarantine=Quarantine(self.folder / "quarantine"),
            escalation=self.escalation,
        )

    @contextlib.asynccontextmanager
    async def desk(self) -> AsyncIterator[Desk]:
        """A started desk, stopped at the end."""
        desk = self.make()
        await desk.start()
        try:
            yield desk
        finally:
            await desk.stop()

    def pass_time(self, seconds: float) -> None:
        """Turn the clock on."""
        assert isinstance(self.clock, ManualClock)
        self.clock.move_to(self.clock.now() + timedelta(seconds=seconds))

    async def send(self, desk: Desk, data: bytes, caller: Caller | None = None, **given: Any) -> Any:
        """Upload one file."""
        return await desk.receive(
            [("ecg", data)], fields(**given), caller or device(), upload_started_at=self.clock.now()
        )


def run(tmp_path: Path, story: Callable[[World, Desk], Coroutine[Any, Any, None]]) -> World:
    """Play `story` on a fresh desk."""
    world = World(folder=tmp_path)

    async def play() -> None:
        async with world.desk() as desk:
            await story(world, desk)

    asyncio.run(play())
    return world
