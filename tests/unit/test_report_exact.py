"""The traces of a report are exact: its vector paths, read back from the file, against the samples."""

import numpy as np
import pytest

from greenchannel.signal.leads import STANDARD_18
from greenchannel.signal.recording import Recording
from greenchannel.signal.synthesis import simulate
from greenchannel.triage.finding import Patient
from greenchannel.triage.interpretation import interpret, to_json
from greenchannel.viewer import report_pages
from greenchannel.viewer.paper_layout import FORMS
from tests.pdf_paths import Line, PdfPage, pages_of
from tests.report_world import report_of

WITHIN_MM = 0.1

TWELVE = simulate(seed=4, territory="inferior", stj_mv=0.3).recording
EIGHTEEN = simulate(seed=5, leads=STANDARD_18, rate_hz=1000.0).recording


def drawn(recording: Recording, **asked: object) -> list[PdfPage]:
    report = report_of(recording)
    return pages_of(report_pages.pages(report, recording, None, **asked))  # type: ignore[arg-type]


def deviation_mm(line: Line, recording: Recording, speed: float, gain: float, *, first: int = 0) -> float:
    """The largest distance of any point from where its sample belongs, seen from the first point of the line."""
    lead, from_s, _ = line.name.split()
    samples = recording.lead(lead)[round(float(from_s) * recording.rate_hz) + first :].astype(np.float64)
    count = len(line.points_mm)
    x = np.arange(count) / recording.rate_hz * speed
    y = (samples[:count] - samples[0]) * gain
    moved = line.points_mm - line.points_mm[0]
    return float(np.hypot(moved[:, 0] - x, moved[:, 1] - y).max())


@pytest.mark.parametrize(
    ("form", "paper", "speed", "gain"),
    [
        *((form, "landscape", 25, 10) for form in FORMS),
        *((form, "portrait", 25, 10) for form in ("auto", "12x1", "18")),
        ("12x1", "landscape", 50, 20),
        ("3x4+1R", "portrait", 50, 5),
    ],
)
def test_every_sample_stands_where_it_belongs(form: str, paper: str, speed: int, gain: int) -> None:
    """Within 0.1 mm, in every arrangement, at every speed and gain; each lead that was recorded is there."""
    recording = EIGHTEEN if form == "18" else TWELVE
    pages = drawn(recording, form=form, paper=paper, speed=speed, gain=gain)
    size = (297.0, 210.0) if paper == "landscape" else (210.0, 297.0)
    assert [(p.width_mm, p.height_mm) for p in pages] == [pytest.approx(size, abs=0.01)] * len(pages)
    lines = pages[0].marked("Trace")
    assert {line.name.split()[0] for line in lines} == set(recording.leads)
    for line in lines:
        lead, from_s, to_s = line.name.split()
        if form == "cabrera" and lead == "aVR":
            line.points_mm[:, 1] *= -1  # −aVR
        first, last = (round(float(at_s) * recording.rate_hz) for at_s in (from_s, to_s))
        assert len(line.points_mm) == last - first
        assert deviation_mm(line, recording, speed, gain) <= WITHIN_MM


def test_the_calibration_is_a_millivolt_and_a_fifth_of_a_second() -> None:
    """10 mm high and 5 mm wide at the usual speed and gain, at the left of each row."""
    for gain, speed in ((10, 25), (5, 50), (20, 25)):
        pulses = drawn(TWELVE, form="3x4+1R", gain=gain, speed=speed)[0].marked("Calibration")
        assert len(pulses) == 4
        for pulse in pulses:
            width = pulse.points_mm[3, 0] - pulse.points_mm[1, 0]
            height = np.ptp(pulse.points_mm[:, 1])
            assert (width, height) == pytest.approx((0.2 * speed, gain), abs=0.01)


def test_columns_of_a_row_follow_one_another_without_a_gap() -> None:
    """What stands side by side goes on where the column before ended, on paper and in time."""
    lines = {line.name.split()[0]: line for line in drawn(TWELVE, form="6x2")[0].marked("Trace")}
    for left, right in (("I", "V1"), ("aVF", "V6")):
        ends, begins = lines[left].points_mm[-1, 0], lines[right].points_mm[0, 0]
        assert begins - ends == pytest.approx(25 / TWELVE.rate_hz, abs=0.01)
        assert float(lines[right].name.split()[1]) == float(lines[left].name.split()[2])


def test_a_gap_stays_a_gap() -> None:
    """The line ends before it and goes on behind it; no stroke crosses it, and both pieces are exact."""
    samples = np.array(TWELVE.samples_mv)
    samples[:, 1400:1900] = np.nan
    recording = Recording(samples_mv=samples, leads=TWELVE.leads, rate_hz=TWELVE.rate_hz)
    rows = [line for line in drawn(recording, form="12x1")[0].marked("Trace") if line.name.startswith("V3 ")]
    assert [len(row.points_mm) for row in rows] == [1400, 3100]
    assert rows[1].points_mm[0, 0] - rows[0].points_mm[-1, 0] == pytest.approx(501 / 500 * 25, abs=0.01)
    assert deviation_mm(rows[0], recording, 25, 10) <= WITHIN_MM
    assert deviation_mm(rows[1], recording, 25, 10, first=1900) <= WITHIN_MM


def test_a_fast_recording_loses_no_spike() -> None:
    """At 20 kHz one point in many is drawn, and the highest and the lowest of each spike are among them."""
    samples = np.zeros((2, 200_000), dtype=np.float32)
    samples[0, 77_777], samples[1, 33_333] = 2.0, -1.5
    recording = Recording(samples_mv=samples, leads=("V1", "V2"), rate_hz=20_000.0)
    lines = {line.name.split()[0]: line.points_mm for line in drawn(recording)[0].marked("Trace")}
    assert max(len(points) for points in lines.values()) < 60_000
    for lead, at, level in (("V1", 77_777, 2.0), ("V2", 33_333, -1.5)):
        points = lines[lead] - lines[lead][0]
        spike = points[np.argmax(np.abs(points[:, 1]))]
        assert spike == pytest.approx((at / 20_000 * 25, level * 10), abs=WITHIN_MM)


def test_the_median_beats_are_exact_too() -> None:
    """Each lead's beat at 50 mm/s and 20 mm/mV on a page of its own."""
    analysis = to_json(interpret(TWELVE, Patient(age_years=61.0, sex="male")), source=None, sha256=None)
    page = pages_of(report_pages.pages(report_of(TWELVE, analysis), TWELVE, analysis))[-1]
    lines = page.marked("Median")
    assert [line.name for line in lines] == list(TWELVE.leads)
    for line in lines:
        beat = np.array(analysis["median"]["samples_mv"][line.name], dtype=float)
        known = np.isfinite(beat)
        x, y = (np.flatnonzero(known) / 500.0) * 50.0, beat[known] * 20.0
        moved = line.points_mm - line.points_mm[0]
        assert np.hypot(moved[:, 0] - (x - x[0]), moved[:, 1] - (y - y[0])).max() <= WITHIN_MM


def test_leads_without_a_place_follow_on_a_page_of_their_own() -> None:
    """Eighteen leads in an arrangement of twelve: none is lost."""
    pages = drawn(EIGHTEEN, form="3x4+1R")
    first, second = ({line.name.split()[0] for line in page.marked("Trace")} for page in pages[:2])
    assert first | second == set(STANDARD_18) and second == {"V7", "V8", "V9", "V3R", "V4R", "V5R"}


def test_equal_input_gives_equal_bytes() -> None:
    """No date and no random name gets into the file."""
    made = [report_pages.pages(report_of(TWELVE), TWELVE, None) for _ in range(2)]
    assert made[0] == made[1]
