"""A train of P waves that the ventricles do not follow: seen in complete block, and in nothing else."""

from pathlib import Path

import numpy as np
import pytest

from greenchannel.ingest.reader import read_path
from greenchannel.signal.arrhythmia import Rhythm
from greenchannel.signal.measure import measure
from greenchannel.signal.measurements import Measurements
from greenchannel.signal.p_train import atrial_train, worth_looking
from greenchannel.signal.synthesis import simulate

INDEPENDENT = 0.4


def measured(rhythm: str, seed: int = 0, bpm: float = 75.0, **more: float) -> Measurements:
    """A simulated strip with some muscle noise and wander."""
    told = {"emg_mv": 0.01, "wander_mv": 0.1, "variation": 1.0} | more
    return measure(simulate(rhythm=rhythm, seed=seed, heart_rate_bpm=bpm, **told).recording)  # type: ignore[arg-type]


@pytest.mark.parametrize("bpm", [60, 70, 90])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_complete_block_shows_the_atrial_rate_and_no_relation_to_the_qrs(seed: int, bpm: float) -> None:
    """The rate of the atria is found to 3 %, and most beats have another PR."""
    train = measured("av_block_3", seed, bpm).atrial_train
    assert train is not None
    assert train.atrial_bpm == pytest.approx(bpm, rel=0.03)
    assert train.dissociation >= INDEPENDENT
    assert len(train.p_s) == pytest.approx(10.0 * bpm / 60.0, abs=1)


@pytest.mark.parametrize(
    "rhythm", ["sinus", "atrial_fibrillation", "atrial_flutter", "ectopics", "bigeminy", "av_block_2_1"]
)
@pytest.mark.parametrize("bpm", [52, 75])
def test_no_other_rhythm_shows_dissociation(rhythm: str, bpm: float) -> None:
    """P is locked to the QRS, or there is none, or the ventricles are not regular."""
    for seed in range(3):
        train = measured(rhythm, seed, bpm).atrial_train
        assert train is None or train.dissociation < INDEPENDENT


def sinus(pr_s: float) -> tuple[np.ndarray, np.ndarray, dict[int, np.ndarray]]:
    """Eight beats at 50/min with P before each, and their median beat; all three leads alike."""
    t = np.arange(5000) / 500.0
    r = np.arange(0.6, 9.5, 1.2)

    def bumps(at: np.ndarray, width: float) -> np.ndarray:
        made: np.ndarray = np.exp(-0.5 * ((t - at[:, None]) / width) ** 2).sum(axis=0)
        return made

    qrst = bumps(r, 0.012) + 0.2 * bumps(r + 0.3, 0.04)
    x = np.stack([(1.0, 0.7, -0.5)[k] * (qrst + 0.12 * bumps(r - pr_s, 0.025)) for k in range(3)])
    places = np.rint(r * 500).astype(np.int64)
    beat = x[:, places[3] - 210 : places[3] + 330]
    return x.astype(np.float32), places, {0: beat.astype(np.float32)}


def test_a_p_at_a_fixed_distance_is_no_dissociation() -> None:
    """The beats that the train meets are all conducted, and the strip stays as it was."""
    x, r, beats = sinus(0.2)
    before = x.copy()
    train = atrial_train(x, r, np.zeros(r.size, dtype=np.int64), beats, np.ones(3, dtype=bool), r_at=210)
    assert train is not None
    assert train.atrial_bpm == pytest.approx(50.0, rel=0.03)
    assert train.dissociation == 0.0
    assert np.array_equal(x, before)


def test_odd_strips_have_no_train() -> None:
    """Nothing, noise, a constant, no usable lead, too short: None and no exception."""
    rng = np.random.default_rng(1)
    r = np.arange(400, 4800, 600)
    label, on = np.zeros(r.size, dtype=np.int64), np.ones(3, dtype=bool)
    noise = rng.normal(0.0, 0.02, (3, 5000)).astype(np.float32)
    for x in (np.zeros((3, 5000)), np.full((3, 5000), np.nan), np.full((3, 5000), 1e30), noise):
        assert atrial_train(x, r, label, {}, on, r_at=210) is None
    assert atrial_train(noise, r, label, {}, ~on, r_at=210) is None
    assert atrial_train(noise[:, :900], r, label, {}, on, r_at=210) is None
    assert atrial_train(noise, r[:2], label[:2], {}, on, r_at=210) is None


def rhythm(**more: float | str) -> Rhythm:
    """A slow regular rhythm without a plain P."""
    told = {"name": "junctional_or_unknown", "rr_mean_s": 1.5, "sdnn_ms": 10.0, "p_coherence": 0.0}
    return Rhythm(**(told | more))  # type: ignore[arg-type]


def test_it_is_looked_for_only_where_the_ventricles_may_be_on_their_own() -> None:
    """Slow or without PR, regular, without a plain P, and of no rhythm that has none."""
    r = np.arange(300, 5000, 750)
    assert worth_looking(r, rhythm=rhythm(), pr_ms=180.0)
    assert worth_looking(r, rhythm=rhythm(rr_mean_s=0.8), pr_ms=None)
    assert not worth_looking(r, rhythm=rhythm(rr_mean_s=0.8), pr_ms=180.0)
    assert not worth_looking(r, rhythm=rhythm(rr_mean_s=0.5), pr_ms=None)
    assert not worth_looking(r, rhythm=rhythm(p_coherence=0.9), pr_ms=None)
    assert not worth_looking(r, rhythm=rhythm(sdnn_ms=300.0), pr_ms=None)
    assert not worth_looking(r, rhythm=rhythm(name="atrial_fibrillation"), pr_ms=None)
    assert not worth_looking(r[:3], rhythm=rhythm(), pr_ms=None)


@pytest.mark.data
def test_of_real_recordings_the_one_with_complete_block_shows_it(data_dir: Path) -> None:
    """LUDB 111 is labelled third-degree block; its neighbours in sinus rhythm and fibrillation are not."""
    folder = data_dir / "ludb" / "data"
    found = {}
    for number in (101, 105, 109, 111, 115, 125, 169, 189):
        train = measure(read_path(folder / f"{number}.hea").recording).atrial_train
        found[number] = train is not None and train.dissociation >= INDEPENDENT
    assert [number for number, independent in found.items() if independent] == [111]
