"""When a person is asked whose an ECG is."""

import time

import numpy as np
import pytest

from greenchannel.signal.heart_shape import SHAPE_BYTES, distances, shape_of
from greenchannel.signal.measure import measure
from greenchannel.signal.synthesis import simulate
from greenchannel.triage.patient_doubt import LIMITS, doubt


def shape(seed: int, bpm: float = 75.0, **more: object) -> bytes:
    recording = simulate(seed=seed, variation=1.0, heart_rate_bpm=bpm, white_mv=0.01, **more).recording  # type: ignore[arg-type]
    found = shape_of(measure(recording), recording.leads)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def hearts() -> list[bytes]:
    return [shape(seed) for seed in range(11, 19)]


def test_one_heart_fits_itself_at_another_rate_and_with_another_st(hearts: list[bytes]) -> None:
    """Rate and an infarction change ST and T; the QRS stays near."""
    later = shape(11, 95.0, territory="inferior", stj_mv=0.2)

    assert distances(later, hearts)[0] < 0.03
    assert distances(later, hearts).argmin() == 0


def test_who_fits_no_own_ecg_but_anothers_is_asked_about(hearts: list[bytes]) -> None:
    """The other is named, and the nearest own one."""
    later = shape(11, 90.0)
    far = int(distances(later, hearts).argmax())
    others = [one for k, one in enumerate(hearts) if k != far]
    found = doubt(later, [hearts[far]], others)

    assert found is not None
    assert others[found.other] == hearts[0]
    assert found.own_distance >= LIMITS.differs.value > LIMITS.fits.value >= found.other_distance


def test_nobody_is_asked_without_own_ecgs_or_where_one_of_them_fits(hearts: list[bytes]) -> None:
    """Nothing to differ from; and a new block beside an old ECG that fits is no exchange."""
    later = shape(11, 90.0)

    assert doubt(later, [], hearts) is None
    assert doubt(later, hearts[:4], hearts) is None
    assert doubt(later, [hearts[3]], []) is None


def test_a_recording_of_few_usable_leads_has_no_shape() -> None:
    """What cannot be measured is not compared."""
    dead = simulate(seed=3, dead_leads=("V1", "V2", "V3", "V4")).recording

    assert shape_of(measure(dead), dead.leads) is None


def test_too_few_common_leads_are_no_comparison(hearts: list[bytes]) -> None:
    """NaN, which is neither near nor far; bytes of another length are refused."""
    table = np.frombuffer(hearts[0], "<f2").reshape(8, -1).copy()
    table[:4] = np.nan
    few = table.tobytes()

    assert np.isnan(distances(few, hearts)).all()
    assert doubt(few, hearts, hearts) is None
    with pytest.raises(ValueError, match=str(SHAPE_BYTES)):
        distances(few, [b"short"])


def test_two_hundred_patients_are_looked_through_in_milliseconds(hearts: list[bytes]) -> None:
    """The bound is generous here; the benchmark has the number."""
    others = (hearts * 26)[: int(LIMITS.others.value)]
    doubt(hearts[0], hearts[1:2], others)
    began = time.thread_time()
    for _ in range(5):
        doubt(hearts[0], hearts[1:2], others)

    assert (time.thread_time() - began) / 5 < 0.1
