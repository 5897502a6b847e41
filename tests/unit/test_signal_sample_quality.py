"""Faults that the samples alone tell are named lead by lead, and nothing healthy is called a fault."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from greenchannel.ingest.reader import read_path
from greenchannel.signal.leads import STANDARD_12
from greenchannel.signal.sample_levels import _median
from greenchannel.signal.sample_quality import SampleFaults, look
from greenchannel.signal.synthesis import simulate, synthesize

RATE_HZ = 500.0
V5 = 10
Samples = NDArray[np.float32]


def strip(noise_mv: float = 0.005, **options: float) -> Samples:
    """Ten seconds of twelve healthy leads that may be written to."""
    return np.array(synthesize(noise_mv=noise_mv, wander_mv=0.1, seed=4, **options).samples_mv)  # type: ignore[arg-type]


def with_lead(samples: NDArray[np.floating] | float, begin_s: float = 0.0, end_s: float = 10.0) -> Samples:
    """The healthy strip with other samples in V5."""
    x = strip()
    x[V5, round(begin_s * RATE_HZ) : round(end_s * RATE_HZ)] = samples
    return x


def noise(size_mv: float, count: int, seed: int = 0) -> NDArray[np.float64]:
    """White noise."""
    return np.random.default_rng(seed).normal(0, size_mv, count)


def named(found: NDArray[np.bool_]) -> list[int]:
    """Rows of the leads with a fault."""
    return [int(row) for row in np.flatnonzero(found)]


def nothing(found: SampleFaults) -> bool:
    """No fault in any lead."""
    return not (found.missing.any() or found.flat.any() or found.saturated.any() or found.steps.any())


@pytest.mark.parametrize("noise_mv", [0.0, 0.005, 0.025])
@pytest.mark.parametrize("rate_hz", [250.0, 500.0, 1000.0])
def test_a_healthy_strip_has_no_fault(noise_mv: float, rate_hz: float) -> None:
    """Twelve good leads are left alone at any rate, as they are and in steps of 5 µV."""
    x = strip(noise_mv, rate_hz=rate_hz)
    assert nothing(look(x, rate_hz))
    assert nothing(look((np.round(x / 0.005) * 0.005).astype(np.float32), rate_hz))


T = np.arange(5000) / RATE_HZ


@pytest.mark.parametrize(
    "carried",
    [
        np.zeros(5000),
        np.full(5000, 0.7),
        noise(0.003, 5000),
        noise(0.08, 5000),
        0.8 * np.sin(2 * np.pi * 50.2 * T) + noise(0.004, 5000),
        0.8 * np.sin(2 * np.pi * 60 * T) + noise(0.004, 5000),
        1.5 * np.sin(2 * np.pi * 0.17 * T) + noise(0.002, 5000),
    ],
    ids=["zero", "constant", "hiss", "noise", "50 Hz", "60 Hz", "drift"],
)
@pytest.mark.parametrize(("begin_s", "end_s"), [(0.0, 10.0), (3.3, 5.2)])
def test_a_lead_without_a_heart_in_it_is_off(
    carried: NDArray[np.float64], begin_s: float, end_s: float
) -> None:
    """A lead that shows no beat where the others do is off, whatever else it shows, all the time or for two seconds."""
    part = carried[: round(end_s * RATE_HZ) - round(begin_s * RATE_HZ)]
    assert named(look(with_lead(part, begin_s, end_s), RATE_HZ).flat) == [V5]


def test_an_electrode_off_names_every_lead_it_feeds() -> None:
    """Without the right arm I, II and aVR show noise, and these three are named."""
    x = strip()
    lost = noise(0.1, 5000)
    x[0], x[1], x[3] = lost, lost, -lost
    assert named(look(x, RATE_HZ).flat) == [0, 1, 3]


def test_a_small_lead_is_not_off() -> None:
    """A QRS of a tenth of a millivolt is a QRS, in steps of 5 µV as well."""
    x = strip()
    x[6] *= 0.1 / np.ptp(x[6])
    assert not look(x, RATE_HZ).flat.any()
    assert not look((np.round(x / 0.005) * 0.005).astype(np.float32), RATE_HZ).flat.any()


def test_a_pause_is_no_lead_off() -> None:
    """Four seconds without a beat in any lead name none of them, even where the recorder's steps hide the noise."""
    x = strip()
    x[:, 2000:4000] = x[:, 1999:2000] + noise(0.004, 24000).reshape(12, 2000)
    assert not look(x, RATE_HZ).flat.any()
    x[:, 2100:3100] = x[:, 2100:2101]
    assert not look(x, RATE_HZ).flat.any()


def test_an_asystole_is_no_lead_off_and_a_dead_line_is() -> None:
    """Ten seconds of noise and breathing on every lead are asystole; ten seconds of one value are no electrode."""
    asystole = noise(0.005, 60000).reshape(12, 5000) + 0.05 * np.sin(2 * np.pi * 0.2 * T)
    assert nothing(look(asystole.astype(np.float32), RATE_HZ))
    assert look(np.full((12, 5000), 0.4, dtype=np.float32), RATE_HZ).flat.all()


def test_fibrillation_of_the_ventricles_is_no_lead_off() -> None:
    """Without beats a lead that quivers is on, and one that does not is off."""
    wave = np.sin(2 * np.pi * 5 * T + 2 * np.sin(2 * np.pi * 0.7 * T))
    x = (np.linspace(0.2, 1.0, 12)[:, None] * wave + noise(0.005, 60000).reshape(12, 5000)).astype(np.float32)
    assert nothing(look(x, RATE_HZ))
    x[V5] = noise(0.002, 5000)
    assert named(look(x, RATE_HZ).flat) == [V5]


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("rail_mv", [1.5, 3.3, 5.0])
def test_a_stay_at_the_rail_is_saturation(sign: int, rail_mv: float) -> None:
    """Two tenths of a second at one extreme value are named, and so is a baseline that wanders into the rail."""
    assert named(look(with_lead(sign * rail_mv, 4.0, 4.2), RATE_HZ).saturated) == [V5]
    wandering = np.clip(strip()[V5] + sign * (rail_mv + 0.3) * np.sin(2 * np.pi * 0.2 * T), -rail_mv, rail_mv)
    assert named(look(with_lead(wandering), RATE_HZ).saturated) == [V5]


def test_beyond_ten_millivolts_is_saturation() -> None:
    """A tenth of a second beyond 10 mV is no heart, even where the value moves; a lone spike is none of it."""
    assert named(look(with_lead(11 + noise(0.1, 100), 4.0, 4.2), RATE_HZ).saturated) == [V5]
    assert not look(with_lead(12.0, 4.0, 4.004), RATE_HZ).saturated.any()


def test_a_step_is_a_step_and_a_spike_is_none() -> None:
    """A level that jumps and stays is named; pacing spikes go back where they came from."""
    x = strip()
    x[V5, 2571:] += 1.2
    assert named(look(x, RATE_HZ).steps) == [V5]
    spiked = strip()
    spiked[:, 150::400] += 2.0
    assert not look(spiked, RATE_HZ).steps.any()


def test_a_lead_without_samples_is_missing_and_nothing_else() -> None:
    """More than half not recorded is missing; a gap of two seconds is neither missing nor a lead off."""
    x = strip()
    x[V5] = np.nan
    found = look(x, RATE_HZ)
    assert named(found.missing) == [V5] and not found.flat.any()
    x = strip()
    x[:, 2000:3000] = np.nan
    assert nothing(look(x, RATE_HZ))
    assert nothing(look(np.nan_to_num(x), RATE_HZ, np.isfinite(x)))


@pytest.mark.parametrize("shape", [(12, 1), (1, 30), (3, 110), (1, 5000), (12, 700)])
@pytest.mark.parametrize("value", [0.0, np.nan, np.inf, 1e30, 5.0])
def test_any_input_has_an_answer(shape: tuple[int, int], value: float) -> None:
    """Short, empty, constant and absurd strips are answered without an error, and are not written to."""
    x = np.full(shape, value, dtype=np.float32)
    x.flags.writeable = False
    found = look(x, RATE_HZ)
    assert found.flat.shape == (shape[0],)
    assert bool(found.missing.all()) == (not np.isfinite(value) or value > 1000)
    assert not found.broken.any()


def tachycardia(seed: int, rate_bpm: float) -> Samples:
    """Ten seconds of a ventricular tachycardia, which leaves no quiet between its beats."""
    options = {
        "rhythm": "ventricular_tachycardia",
        "heart_rate_bpm": rate_bpm,
        "variation": 1.0,
        "seed": seed,
    }
    noise = {"emg_mv": 0.025, "wander_mv": 0.5, "mains_mv": 0.1}
    return np.array(simulate(**options, **noise).recording.samples_mv)  # type: ignore[arg-type]


@pytest.mark.parametrize("rate_bpm", [115.0, 130.0, 150.0, 170.0])
def test_a_broad_rhythm_is_no_lead_off(rate_bpm: float) -> None:
    """What a lead shows of a ventricular tachycardia the others foretell, with names and without."""
    for seed in range(1, 9):
        x = tachycardia(seed, rate_bpm)
        assert not look(x, RATE_HZ, names=STANDARD_12).flat.any()
        assert not look(x, RATE_HZ).flat.any()


@pytest.mark.parametrize(
    "carried", [np.zeros(5000), noise(0.003, 5000), noise(0.08, 5000)], ids=["zero", "hiss", "noise"]
)
def test_a_lead_off_in_a_broad_rhythm_is_named(carried: NDArray[np.float64]) -> None:
    """Nobody foretells noise."""
    for seed in (1, 3, 4, 5):
        x = tachycardia(seed, 130.0)
        x[V5] = carried
        assert named(look(x, RATE_HZ, names=STANDARD_12).flat) == [V5]


def test_an_offset_is_no_rail() -> None:
    """Electrodes make tens of millivolts of their own; a shelf above them is a rail still."""
    x = strip() + np.linspace(-30, 300, 12, dtype=np.float32)[:, None]
    assert nothing(look(x, RATE_HZ))
    x[V5, 2000:2100] = x[V5].max() + 5.0
    assert named(look(x, RATE_HZ).saturated) == [V5]


def test_a_long_stay_at_the_rail_is_saturation_and_a_dead_level_nearby_is_off() -> None:
    """Both do not move: what tells them apart is how far from the lead's own level it is."""
    found = look(with_lead(5.0, 4.0, 7.0), RATE_HZ)
    assert named(found.saturated) == [V5] and not found.flat.any()
    found = look(with_lead(1.5, 4.0, 7.0), RATE_HZ)
    assert named(found.flat) == [V5] and not found.saturated.any()


def test_samples_missing_all_along_are_a_broken_line() -> None:
    """Every second one: not measured, and not told to be an electrode; every third is bridged."""
    x = strip()
    x[:, ::2] = np.nan
    found = look(x, RATE_HZ)
    assert found.broken.all() and not found.missing.any() and not found.flat.any()
    x = strip()
    x[:, ::3] = np.nan
    assert nothing(look(x, RATE_HZ)) and not look(x, RATE_HZ).broken.any()
    x = strip()
    x[V5, 500:] = np.nan
    assert look(x, RATE_HZ).missing[V5]
    x[V5, 500:600] = 0.0
    assert look(x, RATE_HZ).broken[V5]


@pytest.mark.parametrize("mains_mv", [0.3, 1.0, 2.0])
def test_strong_mains_is_neither_a_step_nor_a_lead_off(mains_mv: float) -> None:
    """Of 60 Hz as well, whose means over 20 ms are not nothing."""
    for seed in range(1, 9):
        x = simulate(
            variation=1.0, seed=seed, emg_mv=0.025, mains_mv=mains_mv, mains_hz=60.0
        ).recording.samples_mv
        assert nothing(look(x, RATE_HZ, names=STANDARD_12))


@pytest.mark.parametrize("rate_hz", [100.0, 125.0])
def test_a_qrs_of_few_samples_is_no_step(rate_hz: float) -> None:
    """Nor does it hide that a lead is off; a level that stays is a step."""
    for seed in range(1, 9):
        options = {
            "variation": 1.0,
            "seed": seed,
            "rate_hz": rate_hz,
            "emg_mv": 0.025,
            "wander_mv": 0.5,
            "mains_mv": 0.1,
        }
        x = np.array(simulate(**options).recording.samples_mv)  # type: ignore[arg-type]
        assert nothing(look(x, rate_hz, names=STANDARD_12))
    seen = []
    for at_s in (4.8, 5.0, 5.2, 5.4, 5.6):
        stepped = x.copy()
        stepped[V5, round(at_s * rate_hz) :] += 1.5
        seen.append(named(look(stepped, rate_hz, names=STANDARD_12).steps))
    assert seen.count([V5]) >= 3 and seen.count([]) == 5 - seen.count([V5])


@pytest.mark.data
def test_leads_of_real_recordings_are_left_alone(data_dir: Path) -> None:
    """On LUDB numbers above 100, of 600 leads no more than three are named, and a lead put to zero always is."""
    false, missed = 0, 0
    for number in range(101, 200, 2):
        recording = read_path(data_dir / f"ludb/data/{number}.hea").recording
        found = look(recording.samples_mv, recording.rate_hz)
        false += int((found.flat | found.saturated | found.missing).sum())
        x = np.array(recording.samples_mv)
        x[number % 12, 1000:2000] = 0.02
        missed += not look(x, recording.rate_hz).flat[number % 12]
    assert false <= 3
    assert missed == 0


@pytest.mark.parametrize("count", [1, 2, 7, 30])
def test_the_median_of_rows_is_that_of_numpy(count: int) -> None:
    """To the bit, for odd and for even numbers."""
    rows = np.random.default_rng(count).normal(size=(5, count)).astype(np.float32)
    assert np.array_equal(_median(rows), np.median(rows, axis=1))


@pytest.mark.parametrize(("gain", "copied"), [(1.00435, True), (1.0046, False), (1.01, False), (1.001, True)])
def test_a_copy_differs_by_less_than_a_hundred_thousandth_of_the_power(gain: float, copied: bool) -> None:
    """Half the square of what its gain is off."""
    x = noise(1.0, 12 * 5000).reshape(12, 5000).astype(np.float32)
    x[7] = gain * x[6]
    assert named(look(x, RATE_HZ, names=STANDARD_12).copied) == ([6, 7] if copied else [])


@pytest.mark.parametrize(("size_mv", "copied"), [(0.0009, False), (0.0011, True)])
def test_a_lead_that_hardly_moves_is_no_copy(size_mv: float, copied: bool) -> None:
    """Its means over 20 ms move by a microvolt at least."""
    x = noise(1.0, 12 * 5000).reshape(12, 5000).astype(np.float32)
    x[6] = x[7] = size_mv * (np.arange(5000) // 10 % 2)
    assert named(look(x, RATE_HZ, names=STANDARD_12).copied) == ([6, 7] if copied else [])
