"""Borders of P, QRS and T in every lead of a median beat, on beats whose truth is drawn by hand."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from greenchannel.signal import delineator
from greenchannel.signal.delineator import COLUMNS, POST, PRE, delineate

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

MS = 0.5  # samples in a millisecond
T_MS = (np.arange(PRE + POST) - PRE) / MS


def bump(middle_ms: float, width_ms: float) -> Floats:
    """A raised cosine, 0 outside `width_ms`."""
    part = np.clip((T_MS - middle_ms) / width_ms, -0.5, 0.5)
    wave: Floats = 0.5 + 0.5 * np.cos(2 * np.pi * part)
    return wave


def beat(
    *,
    p: float = 0.12,
    t: float = 0.3,
    leads: int = 12,
    qrs_ms: float = 90.0,
    st: float = 0.0,
    noise: float = 0.004,
) -> Singles:
    """A beat ``(leads, 540)`` of 75 a minute: P from -180 to -80 ms, QRS about R, T from 150 to 350 ms."""
    rng = np.random.default_rng(7)
    turn = np.linspace(0.2, 2.4, leads)[:, None]
    q, r, s = (bump(at * qrs_ms / 90, 0.5 * qrs_ms) for at in (-22, 0, 24))
    shape = np.cos(turn) * r + 0.25 * np.sin(turn) * (s - q) * 1.5
    shape = 1.2 * shape + p * np.cos(turn - 0.4) * bump(-130, 100) + t * np.cos(turn - 0.6) * bump(260, 190)
    lifted = np.clip((T_MS - 25) / 20, 0, 1) * (0.5 + 0.5 * np.cos(np.pi * np.clip((T_MS - 180) / 170, 0, 1)))
    shape += st * lifted
    made: Singles = (shape + noise * rng.standard_normal(shape.shape)).astype(np.float32)
    return made


def middle_ms(samples: Floats, name: str) -> float:
    """Median over the leads of one border, in ms from R."""
    return float(np.nanmedian(samples[:, COLUMNS.index(name)] - PRE) / MS)


def test_borders_of_a_plain_beat_lie_where_the_waves_begin_and_end() -> None:
    """Within 20 ms for P and QRS and 30 ms for T: a raised cosine fades, so its ends are a matter of taste."""
    found = delineate(beat(), 0.8)

    assert (found.p_score > 0).all() and (found.t_score > 0).all()
    for name, truth, within in (
        ("p_on", -180, 20), ("p_peak", -130, 15), ("p_off", -80, 20), ("qrs_on", -42, 20), ("qrs_off", 45, 20),
        ("t_peak", 260, 15), ("t_off", 350, 30),
    ):  # fmt: skip
        assert middle_ms(found.samples, name) == pytest.approx(truth, abs=within), name


def test_borders_of_a_lead_come_in_the_order_of_the_heart() -> None:
    """P before QRS before T, each from its onset over its peak to its end, whatever the samples are."""
    noise = np.random.default_rng(3).normal(0, 0.2, (20, 4, PRE + POST)).astype(np.float32)

    for samples in (delineate(beat(), 0.8).samples, delineate(noise, np.full(20, 0.8)).samples):
        for row in samples.reshape(-1, 8):
            assert (np.diff(row[np.isfinite(row)]) >= 0).all()


def test_a_beat_without_p_has_no_p() -> None:
    """Where nothing stands before QRS no lead has a P, and QRS and T are found all the same."""
    found = delineate(beat(p=0.0), 0.8)

    assert (found.p_score < 0).all()
    assert np.isnan(found.samples[:, :3]).all()
    assert np.isfinite(found.samples[:, 3:]).all()


def test_a_recording_is_answered_alike_alone_and_in_company() -> None:
    """To the bit, however many others are stacked with it."""
    many = np.stack([beat(p=0.02 * k, t=0.1 + 0.03 * k, qrs_ms=80 + 5 * k) for k in range(11)])
    rr_s = np.linspace(0.5, 1.2, 11)
    together = delineate(many, rr_s)

    for k in range(11):
        alone = delineate(many[k], rr_s[k])
        assert np.array_equal(alone.samples, together.samples[k], equal_nan=True)
        assert np.array_equal(alone.p_score, together.p_score[k])
        assert np.array_equal(alone.t_score, together.t_score[k])


def test_any_leading_axes_are_recordings() -> None:
    """Shape ``(2, 3, leads, 540)`` is answered with ``(2, 3, leads, 8)``."""
    many = np.stack([beat(t=0.1 + 0.05 * k, leads=3) for k in range(6)])
    flat, folded = delineate(many, 0.8), delineate(many.reshape(2, 3, 3, -1), np.full((2, 3), 0.8))

    assert folded.samples.shape == (2, 3, 3, 8) and folded.p_score.shape == (2, 3, 3)
    assert np.array_equal(flat.samples, folded.samples.reshape(6, 3, 8), equal_nan=True)


def test_the_order_of_the_leads_does_not_matter() -> None:
    """Turned about, every lead keeps its borders."""
    x = beat()
    order = np.random.default_rng(5).permutation(12)

    turned = delineate(x[order], 0.8).samples
    assert np.allclose(turned, delineate(x, 0.8).samples[order], atol=0.02, equal_nan=True)


@pytest.mark.parametrize("leads", [1, 2, 8, 12, 15, 21])
def test_any_number_of_leads_will_do(leads: int) -> None:
    """From one to twenty-one; QRS is found in each."""
    samples = delineate(beat(leads=leads), 0.8).samples

    assert samples.shape == (leads, 8)
    assert middle_ms(samples, "qrs_on") == pytest.approx(-42, abs=25)


def test_a_dead_lead_has_nothing_and_changes_nothing() -> None:
    """Rows of zeros are answered with NaN, and the other leads as if they were not there."""
    x = beat(leads=6)
    more = np.concatenate([x[:3], np.zeros((2, PRE + POST), dtype=np.float32), x[3:]])
    found, without = delineate(more, 0.8), delineate(x, 0.8)

    assert np.isnan(found.samples[3:5]).all()
    assert np.isneginf(found.p_score[3:5]).all() and np.isneginf(found.t_score[3:5]).all()
    assert np.allclose(found.samples[[0, 1, 2, 5, 6, 7]], without.samples, atol=0.02, equal_nan=True)


def test_the_level_does_not_matter() -> None:
    """An offset of each lead moves no border by a sample."""
    offset = np.linspace(-2, 2, 12, dtype=np.float32)[:, None]

    assert np.allclose(
        delineate(beat() + offset, 0.8).samples, delineate(beat(), 0.8).samples, atol=0.1, equal_nan=True
    )


@pytest.mark.parametrize("factor", [-1.0, 0.3, 3.0])
def test_polarity_and_size_matter_little(factor: float) -> None:
    """Turned upside down, at a third or three times the size, QRS stays within 15 ms and T within 25 ms."""
    plain, changed = delineate(beat(), 0.8).samples, delineate(beat() * np.float32(factor), 0.8).samples

    for name, within in (("qrs_on", 15), ("qrs_off", 15), ("t_peak", 25), ("t_off", 25)):
        assert middle_ms(changed, name) == pytest.approx(middle_ms(plain, name), abs=within), name


@pytest.mark.parametrize("st", [0.2, 0.5])
def test_j_stays_where_st_is_raised(st: float) -> None:
    """An ST segment that begins high and runs into T does not draw the end of QRS along."""
    raised, plain = (middle_ms(delineate(beat(st=height), 0.8).samples, "qrs_off") for height in (st, 0.0))

    assert raised == pytest.approx(plain, abs=20)


def test_a_wide_complex_is_seen_wide() -> None:
    """QRS of 90 and of 170 ms differ by at least 50 ms."""
    narrow, wide = (delineate(beat(qrs_ms=width, p=0.0), 0.8).samples for width in (90.0, 170.0))

    def width_ms(samples: Floats) -> float:
        return middle_ms(samples, "qrs_off") - middle_ms(samples, "qrs_on")

    assert width_ms(wide) - width_ms(narrow) >= 50


def test_unknown_rr_is_no_obstacle() -> None:
    """RR that is NaN or absurd still gives borders."""
    for rr_s in (float("nan"), 0.0, 1e9, float("-inf")):
        assert np.isfinite(delineate(beat(), rr_s).samples[:, 3:5]).all()


def test_odd_samples_raise_nothing_and_stay_as_they_are() -> None:
    """NaN, infinite, huge, tiny, constant: an answer of the right shape, no warning, the caller's array untouched."""
    odd = np.stack([beat(leads=8)] * 2)
    odd[0, 0] = np.nan
    odd[0, 1, 100:200] = np.nan
    odd[0, 2], odd[0, 3] = np.inf, -np.inf
    odd[0, 4] *= np.float32(1e30)
    odd[0, 5] *= np.float32(1e-30)
    odd[0, 6] = 5
    before = odd.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = delineate(odd, np.array([0.8, 0.8]))

    assert np.array_equal(odd, before, equal_nan=True)
    assert found.samples.shape == (2, 8, 8)
    assert np.isnan(found.samples[0, [0, 2, 3, 5, 6]]).all()
    assert np.array_equal(found.samples[1], delineate(beat(leads=8), 0.8).samples, equal_nan=True)


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3, 1e6])
def test_borders_stay_within_the_beat(size: float) -> None:
    """Also where a spike, a step or noise a thousand times as large as QRS stands beside it."""
    rng = np.random.default_rng(11)
    odd = np.stack([beat(leads=4)] * 40)
    for x in odd:
        at, end = np.sort(rng.integers(0, PRE + POST, 2))
        x[rng.integers(0, 4), at : end + 1] += np.float32(size) * rng.choice([-1, 1])
    odd[::4] += (size * rng.standard_normal(odd[::4].shape)).astype(np.float32)
    odd[1::4, :, 160:270] *= np.float32(1e-2 / size)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        samples = delineate(odd, 0.8).samples

    assert np.nanmin(samples) >= 0 and np.nanmax(samples) <= PRE + POST - 1


def test_no_recordings_give_no_answers() -> None:
    """An empty stack is answered by an empty stack."""
    found = delineate(np.zeros((0, 12, PRE + POST), dtype=np.float32), np.zeros(0))

    assert found.samples.shape == (0, 12, 8) and found.p_score.shape == (0, 12)


def test_the_weights_are_small() -> None:
    """They travel with the package: under 150 KB."""
    assert Path(delineator.__file__).with_suffix(".npz").stat().st_size < 150_000
