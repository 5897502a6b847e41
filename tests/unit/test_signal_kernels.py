"""The two ways of computing: which is on, what happens without a compiler, and whole readings on both."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from greenchannel.ingest.reader import read_path
from greenchannel.signal import kernels, limits
from greenchannel.signal.measure import measure, measure_batch
from greenchannel.signal.recording import Recording
from greenchannel.signal.synthesis import simulate
from greenchannel.triage.finding import Patient
from greenchannel.triage.reading import read
from tests.require import ROOT
from tests.two_paths import assert_alike, both, compiled

PATIENT = Patient(age_years=61.0, sex="male", chest_pain=True)


@pytest.fixture(autouse=True)
def numpy_alone() -> Iterator[None]:
    """Each test begins and ends without kernels."""
    kernels.turn_off()
    yield
    kernels.turn_off()


def test_a_process_starts_with_numpy_alone() -> None:
    """Nobody who reads one ECG pays for loading a compiler."""
    code = "import sys, greenchannel.triage.interpretation as i; print('numba' in sys.modules)"
    untold = {name: value for name, value in os.environ.items() if name != kernels.VARIABLE}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=untold, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "False"


def test_the_environment_forbids_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """`GREENCHANNEL_KERNELS=off` is the last word."""
    monkeypatch.setenv(kernels.VARIABLE, "off")

    assert not kernels.turn_on(compiling=True)
    assert kernels.loaded is None


def test_kernels_that_were_not_compiled_stay_off(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Only who asks for it waits for a compiler."""
    monkeypatch.setenv(kernels.FOLDER_VARIABLE, str(tmp_path))

    assert not kernels.turn_on()
    assert kernels.loaded is None


def test_without_a_compiler_numpy_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """numba is an extra: where it is missing a line in the log says so, and nothing else changes."""
    monkeypatch.setitem(sys.modules, "numba", None)

    assert not kernels.turn_on(compiling=True)
    assert "numpy computes alone" in caplog.text


def test_where_nothing_can_be_kept_numpy_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """A folder that cannot be made is a reason, not a fault."""
    (tmp_path / "file").touch()
    monkeypatch.setenv(kernels.FOLDER_VARIABLE, str(tmp_path / "file"))

    assert not kernels.turn_on(compiling=True)
    assert "numpy computes alone" in caplog.text


def test_other_numbers_have_kernels_of_their_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A limit is compiled in: kernels compiled before it changed are not found again."""
    before = kernels.folder()
    (tmp_path / "kernels.py").write_text("x")
    monkeypatch.setattr(kernels, "__file__", str(tmp_path / "kernels.py"))

    assert kernels.folder() != before


def assert_same_reading(recordings: list[Recording], *, knife_edges: int = 0) -> None:
    """Measurements, findings and tiers of all are the same on both paths.

    R is a place between samples, rounded to one: where it lies in the middle within the rounding of singles, the paths
    may choose neighbours. At most `knife_edges` beats of all recordings may; no finding may hang on it.
    """
    alone, fast = both(lambda: measure_batch(recordings))
    moved = 0
    for k, (one, other) in enumerate(zip(alone, fast, strict=True)):
        apart_s = np.abs(np.subtract(one.r_s, other.r_s))
        if apart_s.any():
            assert apart_s.max() < 1.001 / limits.ANALYSIS_RATE_HZ, k
            moved += int(np.count_nonzero(apart_s))
        else:
            assert_alike(one, other, at=str(k))
        mine, theirs = read(one, PATIENT), read(other, PATIENT)
        assert mine.tier == theirs.tier
        assert [f.id for f in mine.findings] == [f.id for f in theirs.findings]
    assert moved <= knife_edges


SHAPES: list[dict[str, Any]] = [
    {},
    {"territory": "anterior", "stj_mv": 0.3},
    {"territory": "inferior", "stj_mv": 0.2, "emg_mv": 0.025, "wander_mv": 0.5, "mains_mv": 0.1},
    {"conduction": "lbbb"},
    {"conduction": "rbbb", "heart_rate_bpm": 140},
    {"rhythm": "atrial_fibrillation"},
    {"rhythm": "atrial_flutter"},
    {"rhythm": "ectopics", "wander_mv": 1.5},
    {"heart_rate_bpm": 190},
    {"heart_rate_bpm": 35, "mains_mv": 0.3},
]


@pytest.mark.parametrize("shape", range(len(SHAPES)))
def test_simulated_strips_are_read_the_same_on_both_paths(shape: int) -> None:
    """200 strips in all: infarctions, blocks, rhythms, noise. Which R is on the knife's edge hangs on the processor."""
    strips = [simulate(seed=seed, variation=1.0, **SHAPES[shape]).recording for seed in range(20)]

    assert_same_reading(strips, knife_edges=1)


@pytest.mark.data
def test_real_recordings_are_read_the_same_on_both_paths(data_dir: Path) -> None:
    """Every record of the data folder that is an ECG."""
    recordings = []
    for header in sorted(data_dir.rglob("*.hea")):
        try:
            recordings.append(read_path(header).recording)
        except (OSError, ValueError):
            continue
    assert len(recordings) > 150
    short = [one for one in recordings if one.duration_s <= 120]

    beats = sum(len(one.r_s) for one in measure_batch(short))
    assert_same_reading(short, knife_edges=beats // 1000)


def test_batch_and_single_have_the_same_bits_with_kernels() -> None:
    """As without: company changes nothing."""
    strips = [simulate(seed=seed, variation=1.0, wander_mv=0.3).recording for seed in range(6)]
    with compiled():
        assert measure_batch(strips) == [measure(one) for one in strips]


def test_gaps_rates_and_few_leads_are_read_the_same() -> None:
    """What no kernel takes goes through numpy, within the same reading."""
    recording = simulate(seed=3).recording
    samples = recording.samples_mv.copy()
    samples[2, 900:1400] = np.nan
    one_lead = Recording(samples_mv=recording.samples_mv[1:2], leads=("II",), rate_hz=recording.rate_hz)
    thin = Recording(
        samples_mv=recording.samples_mv[:, ::2], leads=recording.leads, rate_hz=recording.rate_hz / 2
    )

    assert_same_reading(
        [Recording(samples_mv=samples, leads=recording.leads, rate_hz=recording.rate_hz), one_lead, thin]
    )
