"""A whole running service on a free port, with people, a device and an ECG to send."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from greenchannel.assembly import build, listen, running
from greenchannel.ingest.wfdb_write import write_wfdb_zip
from greenchannel.service.desk import Desk
from greenchannel.settings import Settings
from greenchannel.signal.leads import STANDARD_12
from greenchannel.signal.recording import Recording

PASSWORD = "a long enough password"
SITES = ("yinzhao", "jishi")


@dataclass(kw_only=True)
class House:
    """The running service and its addresses."""

    desk: Desk
    http: httpx.AsyncClient
    origin: str  # of the page
    tokens: dict[str, str]  # device id → token
    seq: int  # of the log when the house opened: the start has looked at the roster

    def device(self, name: str = "ecg-1") -> dict[str, str]:
        """Headers of a device."""
        return {"Authorization": f"Bearer {self.tokens[name]}"}

    async def person(self, user: str) -> dict[str, str]:
        """Headers of a person who signed in on the page."""
        answer = await self.http.post("/api/v1/session", json={"user": user, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        self.http.cookies.clear()
        return {"Cookie": answer.headers["set-cookie"].partition(";")[0], "Origin": self.origin}

    def ws(self, path: str) -> str:
        """Address of a socket."""
        return f"{self.origin.replace('http', 'ws', 1)}/api/v1/{path}"


@contextlib.asynccontextmanager
async def house(folder: Path, **settings: Any) -> AsyncIterator[House]:
    """The service for the length of a block."""
    chosen: dict[str, Any] = {"mark_every_s": 0.2, "segment_sync_s": 0.02} | settings
    desk = build(Settings(data_dir=folder, port=0, **chosen))
    tokens = _people(desk)
    sock = listen(desk.settings)
    origin = f"http://127.0.0.1:{sock.getsockname()[1]}"
    async with running(desk, sock), httpx.AsyncClient(base_url=origin, timeout=20.0) as http:
        yield House(desk=desk, http=http, origin=origin, tokens=tokens, seq=desk.hub.seq)


def _people(desk: Desk) -> dict[str, str]:
    accounts = desk.accounts
    accounts.add_site("yinzhao", "阴赵卫生院", "Yinzhao Clinic", "clinic", distance_km=38.0)
    accounts.add_site("jishi", "姬石卫生院", "Jishi Clinic", "clinic")
    accounts.add_user("cardiologist", "王医生", "cardiologist", PASSWORD)
    accounts.add_user("village", "李医生", "clinic", PASSWORD, frozenset({"yinzhao"}))
    accounts.add_user("other", "赵医生", "clinic", PASSWORD, frozenset({"jishi"}))
    accounts.add_user("quality", "质控", "quality", PASSWORD)
    accounts.add_user("boss", "管理员", "admin", PASSWORD)
    now = datetime.now(UTC)
    day = timedelta(days=1)
    accounts.add_shift("s1", "first", "cardiologist", now - day, now + day)
    return {
        name: accounts.add_device(name, site, name)[1]
        for name, site in (("ecg-1", SITES[0]), ("ecg-2", SITES[1]))
    }


def beats(*, st_mv: float = 0.0, seconds: float = 10.0, seed: int = 1, rate_hz: float = 500.0) -> Recording:
    """Twelve leads of narrow beats at 75 a minute; `st_mv` lifts the ST segment of V2 to V4."""
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    rows = np.zeros((12, time_s.size))
    for start_s in np.arange(0.5, seconds - 0.6, 0.8):

        def wave(centre_s: float, width_s: float, at_s: float = start_s) -> Any:
            return np.exp(-0.5 * ((time_s - at_s - centre_s) / width_s) ** 2)

        rows += (
            0.12 * wave(-0.16, 0.02)
            + 0.9 * wave(0.0, 0.012)
            - 0.15 * wave(0.03, 0.01)
            + 0.25 * wave(0.28, 0.05)
        )
        since_s = time_s - start_s
        plateau = np.clip((since_s - 0.03) / 0.02, 0, 1) * np.clip((0.36 - since_s) / 0.1, 0, 1)
        rows[7:10] += st_mv * plateau
    # The limb leads obey Einthoven and Goldberger.
    one, two = 0.6 * rows[0], rows[1]
    rows[:6] = [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2]
    rows += np.random.default_rng(seed).normal(0, 0.004, rows.shape)
    return Recording(samples_mv=rows.astype(np.float32), leads=STANDARD_12, rate_hz=rate_hz)


def ecg_file(*, st_mv: float = 0.0, seed: int = 1) -> bytes:
    """One ECG as a zip of a WFDB record."""
    return write_wfdb_zip(
        beats(st_mv=st_mv, seed=seed), lsb_mv=0.0025, age_years=61.0, sex="male", acquired=None
    )
