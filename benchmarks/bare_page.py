"""The built page in a real browser without a service: what it would be told is told by the browser's own routes.

So that what is measured is the page alone, on a machine whose cores are few.
"""

import base64
import json
import mimetypes
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, Route, WebSocketRoute, sync_playwright

from benchmarks.harness import ROOT
from greenchannel.signal.leads import STANDARD_18

ADDRESS: Final = "http://page.test"
STATIC: Final = ROOT / "viewer" / "static"
LSB_MV: Final = 0.0025
MISSING: Final = -32768
ECG: Final = "e_1"
AT: Final = "2026-03-02T08:05:00.000Z"

# What Chromium must leave out on a machine without a network or a graphics card, or as root.
ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)

Samples = NDArray[np.float64]


@dataclass(kw_only=True)
class Told:
    """One ECG as the page is told of it."""

    samples_mv: Samples
    """Shape ``(leads, samples)``; NaN is a missing sample."""
    leads: tuple[str, ...] = STANDARD_18
    rate_hz: float = 500.0
    analysis: Mapping[str, Any] | None = None
    more: dict[str, Any] = field(default_factory=dict)
    """Further answers: path under ``/api/v1`` to JSON."""
    rows: Sequence[Mapping[str, Any]] = ()
    """The cases of the board."""
    waves: Sequence[Mapping[str, Any]] = ()
    """What comes of a running stream once the page watches it."""

    def answer(self, path: str) -> Any:
        """The JSON of a call; None where there is nothing."""
        if path in self.more:
            return self.more[path]
        if path == "/me":
            user = {"id": "chen", "name": "陈医生", "role": "cardiologist", "sites": None}
            told = {"shift": None, "next_shift": None, "fallback": None, "server_time": AT, "version": "0"}
            return {"user": user, "on_duty": True, "demo": False, **told}
        if path == "/demo":
            return {"demo": False, "users": []}
        if path == "/quantities":
            return {"quantities": []}
        if path == f"/ecgs/{ECG}":
            states = dict.fromkeys(
                ("received", "analysed", "alerted", "opened", "diagnosed", "advised", "acted")
            )
            told = {"paper": None, "device_offset_s": None, "acquired": None, "site": None}
            return {"ecg_id": ECG, "case_id": "c_1", "states": states, "analysis": self.analysis, **told}
        if path == f"/ecgs/{ECG}/waveform":
            return waveform(self.samples_mv, self.leads, self.rate_hz)
        return None


def waveform(samples_mv: Samples, leads: tuple[str, ...], rate_hz: float) -> dict[str, Any]:
    """The samples as the service answers them with ``encoding=int16``."""
    steps = np.clip(np.round(samples_mv / LSB_MV), -32767, 32767)
    whole = np.where(np.isfinite(samples_mv), steps, MISSING).astype("<i2")
    return {
        "leads": leads,
        "rate_hz": rate_hz,
        "duration_s": samples_mv.shape[1] / rate_hz,
        "started_at": None,
        "low_cut_hz": 0.05,
        "high_cut_hz": 150.0,
        "unit": "mV",
        "lsb_mv": LSB_MV,
        "missing": MISSING,
        "samples": base64.b64encode(whole.tobytes()).decode("ascii"),
    }


def analysis(**told: Any) -> dict[str, Any]:
    """An analyze object that says little; `told` stands in its place."""
    measured = dict.fromkeys(
        ("heart_rate_bpm", "pr_ms", "qrs_ms", "qt_ms", "qtc_fridericia_ms", "axis_deg", "rhythm")
    )
    return {
        "leads": [],
        "rate_hz": 500.0,
        "duration_s": 10.0,
        "patient": {"age_years": None, "sex": None},
        "tier": "NONE",
        "findings": [],
        "measurements": {**measured, "leads": {}},
        "fiducials": {"r_s": [], "beats": []},
        "quality": {"acceptable": True, "bad_leads": [], "reversal": None, "messages": []},
        "version": {"software": "0", "rules": "1"},
        "corrected": None,
        **told,
    }


def serve(page: Page, told: Told) -> None:
    """Answer all that the page asks for: its own files, the calls, and the line to the board."""

    def route(one: Route) -> None:
        path = one.request.url.removeprefix(ADDRESS).partition("?")[0]
        if path.startswith("/api/v1/"):
            if one.request.method != "GET":
                one.fulfill(status=204)
                return
            answer = told.answer(path.removeprefix("/api/v1"))
            one.fulfill(
                status=404 if answer is None else 200, json={"code": "gone"} if answer is None else answer
            )
            return
        name = path.removeprefix("/static/").removeprefix("/")
        file = STATIC / name if path.startswith("/static/") else STATIC / "index.html"
        if not file.is_file():
            one.fulfill(status=404)
            return
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        one.fulfill(body=file.read_bytes(), content_type=kind)

    def line(socket: WebSocketRoute) -> None:
        def heard(message: str | bytes) -> None:
            if json.loads(message)["type"] == "watch":
                for wave in told.waves:
                    socket.send(json.dumps(wave))

        socket.on_message(heard)
        socket.send(json.dumps({"type": "snapshot", "seq": 1, "server_time": AT, "cases": list(told.rows)}))

    page.route("**/*", route)
    page.route_web_socket("**/api/v1/live*", line)


def open_ecg(page: Page, told: Told, *, layout: str | None = None, query: str = "?lang=zh") -> None:
    """Show the ECG on its own page and wait until it is drawn."""
    serve(page, told)
    page.goto(f"{ADDRESS}/ecg/{ECG}{query}")
    page.locator('[data-testid="paper"] canvas:not([hidden])').first.wait_for()
    if layout is not None:
        page.get_by_test_id(f"layout-{layout}").click()


@contextmanager
def chromium(path: Path | None = None, *arguments: str) -> Iterator[Browser]:
    """The system's Chromium without a window."""
    found = path or shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise FileNotFoundError("expected chromium on the PATH, found none")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(found), args=[*ARGUMENTS, *arguments])
        yield browser
        browser.close()


def heart(leads: int, seconds: float, rate_hz: float, *, seed: int = 1) -> tuple[Samples, list[float]]:
    """A trace that looks like an ECG, each lead of another size, shape ``(leads, samples)``; and its R waves."""
    random = np.random.default_rng(seed)
    at = np.arange(round(seconds * rate_hz)) / rate_hz
    beats = list(np.arange(0.5, seconds - 0.4, 0.8))
    one = np.zeros_like(at)
    for r in beats:
        for late_s, high_mv, wide_s in (
            (-0.16, 0.1, 0.03),
            (0.0, 1.0, 0.012),
            (0.03, -0.25, 0.012),
            (0.28, 0.3, 0.06),
        ):
            one += high_mv * np.exp(-(((at - r - late_s) / wide_s) ** 2))
    sizes = random.uniform(-1.0, 1.4, (leads, 1))
    return sizes * one + random.normal(0.0, 0.012, (leads, at.size)), [float(r) for r in beats]
