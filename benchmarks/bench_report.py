"""The report of one ECG as a PDF: how long it takes, how large it is, and how far its traces are from the samples."""

import argparse
import time
from typing import Final

import numpy as np

from benchmarks.harness import Json, save, show
from greenchannel.signal.leads import STANDARD_18
from greenchannel.signal.recording import Recording
from greenchannel.signal.synthesis import simulate
from greenchannel.triage.finding import Patient
from greenchannel.triage.interpretation import interpret, to_json
from greenchannel.viewer import report_pages
from tests.pdf_paths import pages_of
from tests.report_world import report_of

MUST_MM: Final = 0.1
CASES: Final = (
    ("12 leads, 3x4+1R", 12, 500.0, "3x4+1R"),
    ("12 leads, 12x1", 12, 500.0, "12x1"),
    ("18 leads, 1000 Hz", 18, 1000.0, "18"),
)


def run(repeats: int) -> None:
    """Time each kind of report, and read its paths back."""
    rows = [_measured(*case, repeats) for case in CASES]
    result: Json = {"must_mm": MUST_MM, "repeats": repeats, "reports": rows}
    show("Reports", rows)
    save("report", result)


def _measured(name: str, leads: int, rate_hz: float, form: str, repeats: int) -> Json:
    given: Json = {"leads": STANDARD_18} if leads == 18 else {}
    recording = simulate(seed=4, territory="inferior", stj_mv=0.3, rate_hz=rate_hz, **given).recording
    analysis = to_json(interpret(recording, Patient(age_years=61.0, sex="male")), source=None, sha256=None)
    took, data = [], b""
    for _ in range(repeats + 1):
        since = time.perf_counter()
        data = report_pages.pages(report_of(recording, analysis), recording, analysis, form=form)
        took.append(1000 * (time.perf_counter() - since))
    return {
        "report": name,
        "pages": len(pages_of(data)),
        "kb": round(len(data) / 1000),
        "first_ms": round(took[0]),
        "best_ms": round(min(took[1:])),
        "median_ms": round(float(np.median(took[1:]))),
        "farthest_mm": round(_farthest_mm(data, recording), 4),
    }


def _farthest_mm(data: bytes, recording: Recording) -> float:
    """The largest distance of any point of any trace from the place of its sample."""
    worst = 0.0
    for line in pages_of(data)[0].marked("Trace"):
        lead, from_s, _ = line.name.split()
        first = round(float(from_s) * recording.rate_hz)
        samples = recording.lead(lead)[first : first + len(line.points_mm)].astype(np.float64)
        moved = line.points_mm - line.points_mm[0]
        x = np.arange(samples.size) / recording.rate_hz * 25.0
        y = (samples - samples[0]) * 10.0
        worst = max(worst, float(np.hypot(moved[:, 0] - x, moved[:, 1] - y).max()))
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=9)
    run(parser.parse_args().repeats)


if __name__ == "__main__":
    main()
