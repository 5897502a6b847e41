"""The reader's paper in a real browser: what the main thread does to draw it, to pan it and to zoom it.

``python -m benchmarks.bench_reader`` builds nothing: run ``python viewer/web/build_page.py`` before. The page stands in
a Chromium without a graphics card and is told what it shows by the browser itself, so that no service takes a core.
A frame is all that the main thread does from one animation frame to the next, told by the browser's own trace: script,
layout and painting; by the thread's own clock, since others may share its core, and by the clock on the wall. Must: one
18-lead 10-s ECG 50 ms (aim 16), a frame while panning p95 20 ms (aim 8).
"""

import argparse
import itertools
import json
import statistics
import time
from dataclasses import dataclass
from typing import Any, Final

from playwright.sync_api import CDPSession, Page

from benchmarks.bare_page import Told, analysis, chromium, heart, open_ecg
from benchmarks.harness import Json, load_1min, quantiles, save, show

VIEW: Final = {"width": 1280, "height": 800}
CATEGORIES: Final = (
    "devtools.timeline",
    "disabled-by-default-devtools.timeline",
    "disabled-by-default-devtools.timeline.frame",
    "toplevel",
    "blink.user_timing",
)
GOALS: Final = {"draw": (50.0, 16.0), "pan": (20.0, 8.0)}
PAN_PX: Final = 47  # a frame: 60 s pass in about three seconds
SETTLE_MS: Final = 700


class Trace:
    """What the main thread did between `begin` and `end`."""

    def __init__(self, session: CDPSession) -> None:
        self._session = session
        self._events: list[dict[str, Any]] = []
        session.on("Tracing.dataCollected", lambda told: self._events.extend(told["value"]))

    def begin(self) -> None:
        """Start to record."""
        self._events.clear()
        self._session.send(
            "Tracing.start",
            {"transferMode": "ReportEvents", "traceConfig": {"includedCategories": list(CATEGORIES)}},
        )

    def end(self, page: Page) -> list[dict[str, Any]]:
        """Stop, and give the events of the page's main thread, in order."""
        done: list[bool] = []
        self._session.once("Tracing.tracingComplete", lambda _: done.append(True))
        self._session.send("Tracing.end")
        while not done:
            page.wait_for_timeout(20)
        main = {
            (event["pid"], event["tid"])
            for event in self._events
            if event["name"] == "TimeStamp" and event["args"].get("data", {}).get("message") == "bench"
        } | {
            (event["pid"], event["tid"])
            for event in self._events
            if event["name"] == "thread_name" and event["args"].get("name") == "CrRendererMain"
        }
        mine = [event for event in self._events if (event["pid"], event["tid"]) in main and "ts" in event]
        return sorted(mine, key=lambda event: float(event["ts"]))


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """One task of the main thread, in milliseconds."""

    at: float
    wall: float
    cpu: float
    """By the thread's own clock: what others take from the core meanwhile is no part of it."""


def tasks(events: list[dict[str, Any]]) -> list[Task]:
    """All tasks in order."""
    return [
        Task(at=event["ts"] / 1000.0, wall=event["dur"] / 1000.0, cpu=event.get("tdur", 0) / 1000.0)
        for event in events
        if event["ph"] == "X" and event["name"] == "RunTask"
    ]


def frames(events: list[dict[str, Any]]) -> list[Task]:
    """What the main thread worked in each frame: its tasks from one animation frame to the next, added."""
    starts = [event["ts"] / 1000.0 for event in events if event["name"] == "FireAnimationFrame"]
    done = tasks(events)
    # The task that holds an animation frame begins a little before it.
    begun = [max((one.at for one in done if one.at <= start), default=start) for start in starts]
    found = []
    for begin, end in itertools.pairwise(begun):
        inside = [one for one in done if begin <= one.at < end]
        found.append(Task(at=begin, wall=sum(one.wall for one in inside), cpu=sum(one.cpu for one in inside)))
    return found


def both(found: list[Task]) -> Json:
    """Quantiles by the thread's clock and by the clock on the wall."""
    return {"cpu": quantiles([one.cpu for one in found]), "wall": quantiles([one.wall for one in found])}


_PAN: Final = """
([step, most]) => new Promise((done) => {
  const frame = document.querySelector('[data-testid="paper-frame"]');
  frame.scrollLeft = 0;
  let n = 0;
  const next = () => {
    frame.scrollLeft += step;
    n += 1;
    if (n >= most || frame.scrollLeft + frame.clientWidth >= frame.scrollWidth - 1) done(n);
    else requestAnimationFrame(next);
  };
  requestAnimationFrame(next);
})
"""

# Shown anew, as when another ECG is opened: what is timed ends when the picture has been handed to the compositor.
_DRAW: Final = """
(layout) => new Promise((done) => {
  requestAnimationFrame(() => {
    document.querySelector(`[data-testid="layout-${layout}"]`).click();
    requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done)));
  });
})
"""


def draw(page: Page, trace: Trace, rounds: int) -> list[Task]:
    """The main thread's milliseconds for one 18-lead 10-s ECG: all it did from the press to the picture."""
    found: list[Task] = []
    for _ in range(rounds):
        page.evaluate(_DRAW, "median")
        page.wait_for_timeout(SETTLE_MS)
        trace.begin()
        page.evaluate(_DRAW, "eighteen")
        events = trace.end(page)
        all_of = frames(events)
        found.append(Task(at=0.0, wall=sum(one.wall for one in all_of), cpu=sum(one.cpu for one in all_of)))
    return found


def pan(page: Page, trace: Trace, rounds: int) -> tuple[list[Task], list[int]]:
    """Frames while the whole strip is pushed by, and how many there were in each round."""
    found: list[Task] = []
    counts: list[int] = []
    for _ in range(rounds):
        page.evaluate("document.querySelector('[data-testid=paper-frame]').scrollLeft = 0")
        page.wait_for_timeout(SETTLE_MS)
        trace.begin()
        counts.append(page.evaluate(_PAN, [PAN_PX, 1000]))
        found += frames(trace.end(page))
    return found, counts


def zoom(page: Page, trace: Trace, rounds: int) -> list[Task]:
    """The longest frame of each step nearer and back."""
    found: list[Task] = []
    page.get_by_test_id("paper-frame").focus()
    page.evaluate("(function tick() { window.ticking = requestAnimationFrame(tick); })()")
    for n in range(rounds):
        trace.begin()
        page.keyboard.press("+" if n % 4 < 2 else "-")
        page.wait_for_timeout(250)
        found.append(max(frames(trace.end(page)), key=lambda one: one.cpu))
    page.evaluate("cancelAnimationFrame(window.ticking)")
    return found


def drag(page: Page, trace: Trace) -> list[Task]:
    """Frames while a mouse drags the strip, as a hand does: with events of pointers instead of our own script."""
    box = page.get_by_test_id("paper-frame").bounding_box()
    assert box is not None
    page.evaluate("document.querySelector('[data-testid=paper-frame]').scrollLeft = 0")
    page.wait_for_timeout(SETTLE_MS)
    y = box["y"] + 200
    page.evaluate("(function tick() { window.ticking = requestAnimationFrame(tick); })()")
    trace.begin()
    for _ in range(3):
        page.mouse.move(box["x"] + box["width"] - 40, y)
        page.mouse.down()
        page.mouse.move(box["x"] + 40, y, steps=40)
        page.mouse.up()
    found = frames(trace.end(page))
    page.evaluate("cancelAnimationFrame(window.ticking)")
    return found


def run(rounds: int = 5, scale: float = 1.0) -> Json:
    """Measure, print, and keep the result."""
    results: Json = {"view": VIEW, "device_scale": scale, "rounds": rounds, "goals_ms": GOALS}
    page_told = {
        "draw": Told(samples_mv=heart(18, 10.0, 500.0)[0], rate_hz=500.0, analysis=_beats(10.0)),
        "pan": Told(samples_mv=heart(18, 60.0, 1000.0)[0], rate_hz=1000.0, analysis=_beats(60.0)),
    }
    before = load_1min()
    with chromium() as browser:
        for name, told in page_told.items():
            page = browser.new_page(viewport=VIEW, device_scale_factor=scale)  # type: ignore[arg-type]
            trace = Trace(page.context.new_cdp_session(page))
            started = time.perf_counter()
            open_ecg(page, told, layout="strip" if name == "pan" else "eighteen")
            page.wait_for_timeout(SETTLE_MS)
            if name == "draw":
                results["draw_ms"] = both(draw(page, trace, rounds * 4))
            else:
                found, counts = pan(page, trace, rounds)
                results["pan_ms"] = both(found) | {"frames_a_round": statistics.median(counts)}
                results["drag_ms"] = both(drag(page, trace))
                results["zoom_ms"] = both(zoom(page, trace, rounds * 4))
            results[f"{name}_took_s"] = round(time.perf_counter() - started, 1)
            page.close()
    results["load"] = [before, load_1min()]
    rows = [
        {
            "what": what,
            "n": results[name]["cpu"]["n"],
            **{key: results[name]["cpu"][key] for key in ("p50", "p95", "max")},
            "must": must,
            "aim": aim,
            "by the wall, p50": results[name]["wall"]["p50"],
        }
        for what, name, (must, aim) in (
            ("one 18-lead 10-s ECG", "draw_ms", GOALS["draw"]),
            ("a frame, panning 60 s of 18 leads at 1 kHz", "pan_ms", GOALS["pan"]),
            ("the same, dragged by a mouse", "drag_ms", GOALS["pan"]),
            ("a step of the zoom", "zoom_ms", ("", "")),
        )
    ]
    show(f"The reader's paper: milliseconds of the main thread's own clock (load {results['load']})", rows)
    save("reader", results)
    print(json.dumps({name: results[name] for name in ("draw_ms", "pan_ms", "drag_ms", "zoom_ms")}))
    return results


def _beats(seconds: float) -> Json:
    _, r_s = heart(1, seconds, 500.0)
    beats = [
        {
            "p_on_s": None,
            "p_off_s": None,
            "qrs_on_s": r - 0.04,
            "qrs_off_s": r + 0.06,
            "t_peak_s": None,
            "t_off_s": None,
        }
        for r in r_s
    ]
    return analysis(fiducials={"r_s": r_s, "beats": beats})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="pixels of the screen for one of the page")
    chosen = parser.parse_args()
    run(chosen.rounds, chosen.scale)


if __name__ == "__main__":
    main()
