"""`greenchannel convert`: any format that is read into any that is written."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from greenchannel.cli.main import app
from greenchannel.ingest.parsed import ParsedEcg
from greenchannel.ingest.reader import read_ecg, read_path
from greenchannel.ingest.wfdb_write import write_wfdb_zip
from greenchannel.ingest.writers import WRITERS, fitting_step, step_of
from greenchannel.signal.leads import STANDARD_12
from greenchannel.signal.recording import Recording


def _recording(step_mv: float, samples: int = 100) -> Recording:
    steps = np.random.default_rng(9).integers(-800, 800, (12, samples))
    return Recording(samples_mv=(steps * step_mv).astype(np.float32), leads=STANDARD_12, rate_hz=500.0)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """An ECG in steps of 2.5 uV."""
    path = tmp_path / "in.zip"
    path.write_bytes(
        write_wfdb_zip(_recording(0.0025), lsb_mv=0.0025, age_years=61.0, sex="male", acquired=None)
    )
    return path


@pytest.mark.parametrize("name", list(WRITERS))
def test_each_format_gives_the_ecg_back(source: Path, name: str) -> None:
    """By the ending of the name; samples exact, leads, rate, age and sex the same."""
    target = source.with_name(f"out{WRITERS[name].suffix}")
    done = CliRunner().invoke(app, ["convert", str(source), str(target)])
    assert done.exit_code == 0, done.output
    before, after = read_path(source), read_path(target)
    np.testing.assert_array_equal(after.recording.samples_mv, before.recording.samples_mv)
    assert (after.recording.leads, after.recording.rate_hz) == (STANDARD_12, 500.0)
    assert (after.age_years, after.sex) == (61.0, "male")


def test_nothing_is_written_over_or_half(source: Path) -> None:
    """An existing file stays unless --force; what cannot be read or named leaves no file."""
    taken = source.with_name("taken.csv")
    taken.write_text("mine")
    assert CliRunner().invoke(app, ["convert", str(source), str(taken)]).exit_code == 2
    assert taken.read_text() == "mine"
    assert CliRunner().invoke(app, ["convert", str(source), str(taken), "--force"]).exit_code == 0
    assert CliRunner().invoke(app, ["convert", str(source), str(source.with_name("x.txt"))]).exit_code == 2
    done = CliRunner().invoke(
        app, ["convert", str(source.with_name("none.dcm")), str(source.with_name("y.csv"))]
    )
    assert done.exit_code == 1
    assert "No such file" in done.output
    assert sorted(path.name for path in source.parent.iterdir()) == ["in.zip", "taken.csv"]


def test_what_a_format_cannot_hold_is_said(source: Path) -> None:
    """DICOM has no ECG of 50 Hz."""
    slow = source.with_name("slow.csv")
    slow.write_text("# rate=50\nII (mV)\n0.5\n0.25\n")
    done = CliRunner().invoke(app, ["convert", str(slow), str(source.with_name("slow.dcm"))])
    assert done.exit_code == 1
    assert "expected a rate of 200 to 1000 Hz" in done.output


@pytest.mark.parametrize("step_mv", [0.005, 0.00488, 0.0025, 0.001, 1 / 2000, 1 / 4880, 1 / 205, 0.00317])
def test_the_step_of_the_device_is_found(step_mv: float) -> None:
    """From the samples alone, so that 16 bits hold them exactly."""
    found = step_of(_recording(step_mv))
    assert found == pytest.approx(step_mv, rel=1e-6)


def test_samples_of_no_step_are_rounded_finely() -> None:
    """At most half of the finest step that fits 16 bits."""
    samples_mv = np.random.default_rng(2).normal(scale=2.0, size=(1, 300)).astype(np.float32)
    recording = Recording(samples_mv=samples_mv, leads=("II",), rate_hz=500.0)
    assert step_of(recording) is None
    step_mv = fitting_step(recording)
    assert 0.0001 <= step_mv <= 0.0005
    for name, writer in WRITERS.items():
        ecg = read_ecg([(None, writer.write(ParsedEcg(recording=recording, format=name), step_mv))])
        assert np.abs(ecg.recording.samples_mv - samples_mv).max() <= 0.51 * step_mv, name
