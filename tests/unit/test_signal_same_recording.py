"""The same samples in another form are found again; another strip of the same heart is not."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.signal import resample_poly

from greenchannel.ingest.reader import read_path
from greenchannel.signal.leads import LIMB, POSTERIOR, PRECORDIAL, RIGHT, STANDARD_12, STANDARD_18
from greenchannel.signal.recording import Recording
from greenchannel.signal.same_recording import INDEPENDENT, Print, candidates, print_of, same_samples
from greenchannel.signal.synthesis import simulate


def strip(seed: int = 1, seconds: float = 10.0) -> Recording:
    return simulate(
        seed=seed,
        variation=1.0,
        duration_s=seconds,
        white_mv=0.01,
        emg_mv=0.01,
        wander_mv=0.05,
        lsb_mv=0.0025,
    ).recording


def made(samples: Any, leads: tuple[str, ...], rate_hz: float = 500.0) -> Recording:
    return Recording(samples_mv=np.asarray(samples, dtype=np.float32), leads=leads, rate_hz=rate_hz)


def changed(one: Recording, how: str) -> Recording:
    x, leads = np.array(one.samples_mv, dtype=np.float64), one.leads
    match how:
        case "coarser steps":
            return made(np.rint(x / 0.005) * 0.005, leads)
        case "cut off steps":
            return made(np.floor(x / 0.01) * 0.01, leads)
        case "offsets":
            return made(x + np.linspace(-0.5, 0.5, len(leads))[:, None], leads)
        case "other order":
            return made(x[::-1], leads[::-1])
        case "eight leads":
            rows = [leads.index(name) for name in INDEPENDENT]
            return made(x[rows], INDEPENDENT)
        case "II, III and V2":
            names = ("II", "III", "V2")
            return made(x[[leads.index(name) for name in names]], names)
        case "1000 Hz":
            return made(
                np.rint(resample_poly(x, 2, 1, axis=1, padtype="line") / 0.0025) * 0.0025, leads, 1000.0
            )
        case "250 Hz":
            return made(
                np.rint(resample_poly(x, 1, 2, axis=1, padtype="line") / 0.0025) * 0.0025, leads, 250.0
            )
        case "seven seconds":
            return made(x[:, 800:4300], leads)
        case _:
            gap = x.copy()
            gap[:, 2000:2400] = np.nan
            return made(gap, leads)


@pytest.mark.parametrize(
    "how",
    ["coarser steps", "cut off steps", "offsets", "other order", "eight leads", "II, III and V2", "1000 Hz", "250 Hz",
     "seven seconds", "a gap"],
)  # fmt: skip
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_same_samples_in_another_form_are_found(how: str, seed: int) -> None:
    """By their print among others, and then sample by sample, in both directions."""
    one = strip(seed)
    other = changed(one, how)
    known = [print_of(strip(90)).to_bytes(), print_of(one).to_bytes()]

    assert candidates(print_of(other), known) == [1]
    assert same_samples(one, other) is not None
    assert same_samples(other, one) is not None


def simultaneous(*chest: str) -> Recording:
    """Limb leads and some chest leads of one moment."""
    whole = simulate(leads=STANDARD_18, seed=5, white_mv=0.01).recording
    rows = dict(zip(whole.leads, whole.samples_mv, strict=True))
    leads = (*LIMB, *chest)
    return made(np.stack([rows[name] for name in leads]), leads)


def test_other_chest_leads_of_the_same_moment_are_no_copy() -> None:
    """The limb leads are the same, sample for sample; of the chest nothing is in both."""
    usual, moved = simultaneous(*PRECORDIAL), simultaneous(*POSTERIOR, *RIGHT)

    assert same_samples(usual, moved) is None
    assert same_samples(moved, usual) is None
    assert same_samples(usual, simultaneous()) is not None


def test_leads_that_the_earlier_recording_lacks_are_named() -> None:
    """Fifteen leads after twelve; derived limb leads are none."""
    eight = changed(strip(), "eight leads")
    first = same_samples(simultaneous(*PRECORDIAL), simultaneous(*PRECORDIAL, *POSTERIOR))
    derived = same_samples(eight, strip())

    assert first is not None and first.new_leads == POSTERIOR
    assert derived is not None and derived.new_leads == ()


def test_where_the_piece_lies_is_told() -> None:
    """A cut from 1.6 s on lies 1.6 s behind the start of the whole."""
    found = same_samples(strip(), changed(strip(), "seven seconds"))

    assert found is not None
    assert found.shift_s == pytest.approx(1.6)
    assert found.overlap_s == pytest.approx(7.0, abs=0.1)
    assert found.worst_mv < 1e-5


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_consecutive_strips_of_one_heart_are_not_the_same(seed: int) -> None:
    """Ten seconds, and the ten seconds after."""
    long = strip(seed, 20.0)
    first, second = (made(part, long.leads) for part in np.split(np.array(long.samples_mv), 2, axis=1))

    assert same_samples(first, second) is None


def test_noise_or_another_size_makes_another_recording() -> None:
    """Ten microvolts of noise in one lead, or a tenth more of all, is more than rounding leaves."""
    one = strip()
    noisy = np.array(one.samples_mv)
    noisy[7] += np.random.default_rng(1).normal(0, 0.01, noisy.shape[1:])

    assert same_samples(one, made(noisy, one.leads)) is None
    assert same_samples(one, made(np.array(one.samples_mv) * 1.1, one.leads)) is None


def test_a_print_comes_back_from_its_bytes() -> None:
    """Landmarks exactly, sizes within their step; other lengths are refused."""
    one = print_of(strip())
    back = Print.from_bytes(one.to_bytes())

    assert np.array_equal(back.at, one.at)
    assert np.abs(back.size_mv - one.size_mv).max() <= 0.001
    with pytest.raises(ValueError, match="rows"):
        Print.from_bytes(one.to_bytes()[:-1])


def test_a_flat_recording_and_one_without_usual_leads_have_no_landmarks() -> None:
    """Nothing to find them by, and nothing fails."""
    flat = made(np.zeros((12, 5000)), STANDARD_12)
    frank = made(np.array(strip().samples_mv[:3]), ("X", "Y", "Z"))

    for one in (flat, frank):
        assert print_of(one).at.size == 0
        assert candidates(print_of(one), [print_of(strip()).to_bytes()]) == []
        assert same_samples(one, strip()) is None


PAIRS = (
    ("scp/ecgtoolkit_Example.scp", "dicom/ecgtoolkit_Example.dcm"),
    ("dicom/ecgtoolkit_Example.dcm", "hl7-aecg/hl7_Example_aECG.xml"),
    ("muse-xml/ecg2dcm_guangxi_teaching_sinus_rhythm.xml", "dicom/ecg2dcm_guangxi_teaching_sinus_rhythm.dcm"),
)


@pytest.mark.data
@pytest.mark.parametrize("pair", PAIRS)
def test_device_files_of_one_recording_are_the_same(data_dir: Path, pair: tuple[str, str]) -> None:
    """SCP-ECG, DICOM, aECG and MUSE of one strip, and no other of the files beside them."""
    one, other = (read_path(data_dir / "ecg-formats" / name).recording for name in pair)
    philips = read_path(data_dir / "ecg-formats/philips-xml/sierra_ZZDEMOPTONLY.xml").recording

    assert candidates(print_of(other), [print_of(philips).to_bytes(), print_of(one).to_bytes()]) == [1]
    assert same_samples(one, other) is not None
    assert same_samples(one, philips) is None
