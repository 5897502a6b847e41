"""The ECG on paper: exact in millimetres, everything named."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.lines import Line2D

from greenchannel.county.devices import simulated
from greenchannel.signal.leads import STANDARD_12, STANDARD_18
from greenchannel.signal.recording import Recording
from greenchannel.triage.finding import Patient
from greenchannel.triage.interpretation import interpret, to_json
from greenchannel.triage.quantities import QUANTITIES
from greenchannel.viewer.ecg_paper import draw, plot
from greenchannel.viewer.paper_layout import GRID_MM, SHEET_MM, columns, strips

INFARCTION = "extensive_anterior_high_lateral_stemi"


def analysed(recording: Recording) -> dict[str, Any]:
    patient = Patient(age_years=61.0, sex="male", chest_pain=True)
    return to_json(interpret(recording, patient), source="a.dcm", sha256=None)


def texts(recording: Recording, interpretation: dict[str, Any]) -> str:
    return "\n".join(text.get_text() for text in draw(recording, interpretation).axes[0].texts)


@pytest.mark.parametrize(
    "leads", [STANDARD_12, STANDARD_18, STANDARD_12[:3], STANDARD_12[:8], ("X", "Y", "Z")]
)
@pytest.mark.parametrize("duration_s", [0.5, 2.0, 10.0, 115.0])
def test_every_lead_stands_on_the_sheet_once_and_within_the_grid(
    leads: tuple[str, ...], duration_s: float
) -> None:
    """Whatever was recorded, however short or long."""
    placed = strips(leads, duration_s)
    left, bottom, width, height = GRID_MM

    assert {strip.lead for strip in placed} == set(leads)
    assert len(placed) == len(leads) + (leads == STANDARD_12)
    for strip in placed:
        assert strip.to_s > strip.from_s
        assert left < strip.left_mm and strip.x_mm(strip.to_s) <= left + width
        assert bottom < strip.zero_mm < bottom + height


def test_twelve_leads_stand_as_three_by_four_and_eighteen_as_six_by_three() -> None:
    """The order that every doctor knows."""
    assert columns(STANDARD_12)[0] == (
        ("I", "II", "III"),
        ("aVR", "aVL", "aVF"),
        ("V1", "V2", "V3"),
        ("V4", "V5", "V6"),
    )
    assert columns(STANDARD_12)[1] == "II"
    assert [len(block) for block in columns(STANDARD_18)[0]] == [6, 6, 6]


def test_a_second_is_25_mm_and_a_millivolt_10_mm() -> None:
    """Measured on the drawn line of a square pulse, in a figure that is A4 and counts in millimetres."""
    samples = np.zeros((1, 5000), dtype=np.float32)
    samples[0, 1000:1500] = 1.0
    recording = Recording(samples_mv=samples, leads=("II",), rate_hz=500.0)
    figure = draw(recording, analysed(simulated(INFARCTION, seed=1)))
    axes = figure.axes[0]
    trace = next(line for line in axes.lines if isinstance(line, Line2D) and len(line.get_xdata()) == 5000)  # type: ignore[arg-type]
    x, y = np.asarray(trace.get_xdata()), np.asarray(trace.get_ydata())

    assert tuple(figure.get_size_inches() * 25.4) == pytest.approx(SHEET_MM)
    assert (axes.get_xlim(), axes.get_ylim()) == ((0.0, SHEET_MM[0]), (0.0, SHEET_MM[1]))
    assert x[1500] - x[1000] == pytest.approx(25.0)
    assert y[1200] - y[0] == pytest.approx(10.0)


def test_the_sheet_says_what_was_found_and_that_nobody_reviewed_it() -> None:
    """Tier, both languages, evidence with its threshold, patient, speed, gain, filter."""
    recording = simulated(INFARCTION, seed=1)
    interpretation = analysed(recording)
    shown = texts(recording, interpretation)

    for word in (
        "ACT",
        "自动分析（未审核）",
        "25 mm/s",
        "10 mm/mV",
        "未滤波",
        "男 61 岁",
        "J点ST段 +",
        "(限 0.20)",
        "a.dcm",
    ):
        assert word in shown, word
    assert "正常" not in shown and "normal" not in shown


def test_a_lead_that_cannot_be_used_is_named_and_bears_no_evidence() -> None:
    """Hatched, with its word in both languages."""
    recording = simulated(INFARCTION, seed=1)
    interpretation = analysed(recording)
    interpretation["quality"]["bad_leads"] = ["V3"]

    assert "不可用 unusable" in texts(recording, interpretation)


def with_evidence(interpretation: dict[str, Any], **item: Any) -> dict[str, Any]:
    """The same reading with one more finding that rests on this alone."""
    said = {
        "lead": "V1",
        "quantity": "stj_mv",
        "value": 0.77,
        "threshold": 0.1,
        "rule": "X",
        "relation": ">=",
    }
    finding = interpretation["findings"][0] | {"evidence": [{**said, "trace": None, **item}]}
    return interpretation | {"findings": [finding]}


def test_evidence_of_another_trace_or_of_no_lead_is_not_drawn_on_this_one() -> None:
    """Neither its words nor its lines; that of this trace is, also where an earlier version did not say which it is."""
    recording = simulated(INFARCTION, seed=1)
    interpretation = analysed(recording)
    bare = texts(recording, interpretation | {"findings": []})

    for elsewhere in (
        {"trace": "corrected"},
        {"trace": "e_2", "lead": "V8"},
        {"lead": None, "quantity": "qrs_ms"},
    ):
        shown = with_evidence(interpretation, **elsewhere)
        figure = draw(recording, shown)
        assert "0.77" not in texts(recording, shown)
        assert len(figure.axes[0].lines) == len(
            draw(recording, interpretation | {"findings": []}).axes[0].lines
        )
    old = with_evidence(interpretation)
    del old["findings"][0]["evidence"][0]["trace"]
    assert "J点ST段 +0.77 mV (限 0.10)" in texts(recording, old)
    assert "0.77" not in bare


@pytest.mark.parametrize(
    "name", ["qrs_pp_mv", "t_qrs_ratio", "irregularity", "axis_deg", "st_slope_mv", "t_skew_ratio"]
)
def test_a_quantity_is_written_by_its_name_and_unit(name: str) -> None:
    """Ratios have no unit, widths no sign, and nothing stands as the key of a table; a hyphen in a name is no minus."""
    recording = simulated(INFARCTION, seed=1)
    row = QUANTITIES[name]
    shown = texts(recording, with_evidence(analysed(recording), quantity=name, value=-2.0, threshold=-1.0))

    assert f"{row.zh} {row.written(-2.0).replace('-', '−')} (限 −1" in shown
    assert name not in shown


def test_evidence_never_runs_into_the_next_strip() -> None:
    """Where many measures of a lead are shown, as many stand there as fit, and how many more there are."""
    recording = simulated(INFARCTION, seed=1)
    interpretation = with_evidence(analysed(recording))
    item = interpretation["findings"][0]["evidence"][0]
    names = ["stj_mv", "st80_mv", "t_mv", "baseline_tp_mv", "r_peak_ms"]
    interpretation["findings"][0]["evidence"] = [{**item, "quantity": name} for name in names]
    figure = draw(recording, interpretation)
    axes = figure.axes[0]
    label = next(text for text in axes.texts if "J点ST段 +0.77" in text.get_text())
    right_mm = axes.transData.inverted().transform(label.get_window_extent().max)[0]
    strip = next(one for one in strips(recording.leads, recording.duration_s) if one.lead == "V1")

    assert right_mm <= strip.x_mm(strip.to_s)
    assert label.get_text().endswith(" +4")


def test_gaps_and_unknown_values_are_drawn_as_such(tmp_path: Path) -> None:
    """A missing stretch stays empty, an unknown interval says 未知, and nothing warns."""
    recording = simulated("baseline_sinus", seed=3)
    samples = recording.samples_mv.copy()
    samples[:, 1000:1400] = np.nan
    samples[5] = np.nan
    broken = Recording(samples_mv=samples, leads=recording.leads, rate_hz=recording.rate_hz)
    interpretation = analysed(recording)
    interpretation["measurements"]["pr_ms"] = None
    interpretation["patient"] = {"age_years": None, "sex": None}

    assert "PR 未知" in texts(broken, interpretation)
    plot(broken, interpretation, tmp_path / "a.png")


def test_the_same_ecg_gives_the_same_bytes_and_another_suffix_is_refused(tmp_path: Path) -> None:
    """No date of today in the file."""
    recording = simulated(INFARCTION, seed=1)
    interpretation = analysed(recording)
    for name in ("a.pdf", "b.pdf"):
        plot(recording, interpretation, tmp_path / name)

    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()
    with pytest.raises(ValueError, match=r"\.png or \.pdf"):
        plot(recording, interpretation, tmp_path / "a.gif")
