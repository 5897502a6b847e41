"""P, QRS and T of every lead of a median beat, by a small network that learned from cardiologists' marks.

Trained on the 100 odd-numbered records of the Lobachevsky University Electrocardiography Database (LUDB 1.0.1: twelve
leads, marked lead by lead; Kalyakulina et al., IEEE Access 2020;8:186181-90) with `tools/train_delineator.py`, which
says how; the figures of its cross-validation by record are in `benchmarks/results/delineator-cv.json`.

It sees each lead in places of 32 and 64 ms and as a whole, and every time also all leads together: leads inform each
other, and neither their number nor their order matters. A second, finer part sees 400 ms around R. For every border
each place gives a weight and an instant; the border is the weighted mean, so borders are finer than the places are.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

PRE: Final = 210
"""Samples of a median beat at 500 Hz before R."""
POST: Final = 330
"""Samples of a median beat from R on."""
COLUMNS: Final = ("p_on", "p_peak", "p_off", "qrs_on", "qrs_off", "t_on", "t_peak", "t_off")

# All [E]: our estimates, chosen on LUDB together with the weights, which fit no others. Samples are sums of two here
# (4 ms), so amplitudes are doubled: 0.06 stands for 0.03 mV.
_HALVES: Final = (PRE + POST) // 2
_N: Final = 272  # 4-ms samples, two more than there are
_LEVEL: Final = slice(80, 93)  # the zero line: 100 to 50 ms before R
_SIZES: Final = (slice(80, 135), slice(20, 88), slice(135, 220))  # where QRS, P and T are sized, by their RMS
_TURN: Final = (95, 20)  # the size about P gives way to the size about T from this sample on, within so many
_SIZE_OF_RMS: Final = np.float32(3.3)  # height of QRS in units of its RMS
_TALLEST: Final = np.float32(20.0)  # in units of the height of QRS; more stands beside no real QRS
_DEAD: Final = np.float32(3e-4)  # a lead whose QRS has no more RMS has no beat
_HUGE_MV: Final = np.float32(1e4)  # samples are held within this
_FLOOR: Final = np.float32(0.06)  # amplitudes are seen against this much
_SHARE: Final = np.float32(0.04)  # and this share of QRS,
_LOCAL_FLOOR: Final = np.float32(0.04)  # or against this much
_LOCAL_SHARE: Final = np.float32(1.2)  # and so many times the RMS about P or about T
_RR_S: Final = (0.3, 2.0, 0.9)  # RR is held within the first two and told as the distance from the third
_LOGIT_MAX: Final = np.float32(60.0)  # keeps exp() within float32 and off its slow smallest numbers

_PLACES, _NEAR_PLACES = 34, 25  # of 32 ms over the beat, of 16 ms about R
_SEES, _NEAR_SEES = 16, 16  # samples that a place sees, of which four are its own: of 8 ms, of 4 ms
_EDGE, _NEAR_EDGE = (_SEES - 4) // 2, (_NEAR_SEES - 4) // 2
_NEAR: Final = 65  # where the places about R begin: R - 160 ms
_WINDOW: Final = slice(_NEAR - _NEAR_EDGE, _NEAR + 4 * _NEAR_PLACES + _NEAR_EDGE)
_TOGETHER: Final = (
    4  # recordings that are worked on at a time: more leave the processor's cache and gain nothing
)


def _windows() -> tuple[Singles, Singles]:
    """Means over `_SIZES`, ``(272, 3)``, and where the sizes about P and T hold, ``(2, 272)``."""
    means = np.zeros((_N, 3), dtype=np.float32)
    for column, window in enumerate(_SIZES):
        means[window, column] = 1 / (window.stop - window.start)
    later = np.clip((np.arange(_N) - _TURN[0]) / _TURN[1], 0, 1)
    return means, np.stack([1 - later, later]).astype(np.float32)


_MEANS, _HOLDS = _windows()


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Fiducials:
    """Borders of P, QRS and T of each lead."""

    samples: Floats
    """Shape ``(..., leads, 8)``, see `COLUMNS`: samples of the median beat; NaN where a wave is not there."""
    p_score: Floats
    """Shape ``(..., leads)``: log-odds that there is a P wave; -inf for a lead without a beat."""
    t_score: Floats
    """Shape ``(..., leads)``: the same for T."""


def _load(path: Path) -> dict[str, Singles]:
    """Weights by name; the instants of the last stages are told from each place's own centre."""
    with np.load(path) as table:
        flat = table["weights"].astype(np.float32)
        names, shapes = table["names"].tolist(), table["shapes"].tolist()
    weights: dict[str, Singles] = {}
    at = 0
    for name, shape in zip(names, shapes, strict=True):
        size = math.prod(shape)
        weights[name] = flat[at : at + size].reshape(shape)
        at += size
    weights["ob"][6:] += np.arange(_PLACES, dtype=np.float32) * 16 + np.float32(7.5)
    weights["fob"][2:] += np.arange(_NEAR_PLACES, dtype=np.float32) * 8 + np.float32(2 * _NEAR + 3.5)
    for name in ("ob", "fob"):
        weights[name] = weights[name][:, None]  # the same for every lead
    return weights


_W: Final = _load(Path(__file__).with_suffix(".npz"))


def delineate(beats_mv: NDArray[np.floating[Any]], rr_s: ArrayLike) -> Fiducials:
    """Borders and peaks of P, QRS and T in every lead of one or many median beats.

    Parameters
    ----------
    beats_mv : array ``(..., leads, 540)``, mV at 500 Hz
        Without wander and mains, at any level; R, the peak of the magnitude over the leads, at sample `PRE`. The
        leading axes are recordings; each is answered as if it were alone, to the bit.
    rr_s : array ``(...,)`` or one number
        Median RR interval of each recording; NaN where unknown.

    Returns
    -------
    Fiducials
        A lead without a beat has only NaN and plays no part for the others. Never an exception on odd samples.
    """
    beats = np.asarray(beats_mv, dtype=np.float32)
    shape = beats.shape[:-1]
    count, leads = math.prod(shape[:-1]), shape[-1]
    x = beats.reshape(count, leads, PRE + POST)
    rate = _rate(rr_s, shape[:-1])
    samples, scores = np.empty((count, leads, 8)), np.empty((count, leads, 2))
    for at in range(0, count, _TOGETHER):
        part = slice(at, at + _TOGETHER)
        _delineate(x[part], rate[part], samples[part], scores[part])
    return Fiducials(
        samples=samples.reshape(*shape, 8),
        p_score=scores[..., 0].reshape(shape),
        t_score=scores[..., 1].reshape(shape),
    )


def _delineate(x: Singles, rate: Singles, samples: Floats, scores: Floats) -> None:
    """Fill in the `samples` and `scores` of a few recordings."""
    wide, fine, mean, alive = _channels(x)
    gist, waves = _far_and_wide(wide, mean, rate)
    waves = np.concatenate((waves[:, :3], _about_r(fine, gist), waves[:, 3:]), axis=1)
    # The QRS is sure: P is kept before it and T behind it, and neither moves it.
    np.maximum.accumulate(waves[:, 3:], axis=1, out=waves[:, 3:])
    np.minimum.accumulate(waves[:, 3::-1], axis=1, out=waves[:, 3::-1])
    samples[:] = np.minimum(np.maximum(waves, 0), PRE + POST - 1).transpose(0, 2, 1)
    np.add(_mul(gist, "h"), _W["hb"], out=scores)
    if not alive.all():
        scores[~alive] = -np.inf
        samples[~alive] = np.nan
    gone = np.where(scores > 0, 0.0, np.nan)
    samples[..., :3] += gone[..., :1]
    samples[..., 5:] += gone[..., 1:]


def _rate(rr_s: ArrayLike, shape: tuple[int, ...]) -> Singles:
    """RR as the network takes it, with a mark where it is unknown: ``(count, 1, 2)``."""
    low, high, middle = _RR_S
    rr_all = np.asarray(rr_s, dtype=np.float64)
    if rr_all.shape != shape:
        rr_all = np.broadcast_to(rr_all, shape)
    told = [
        (min(max(rr, low), high) - middle, 0.0) if math.isfinite(rr) else (0.0, 1.0)
        for rr in rr_all.ravel().tolist()
    ]
    return np.array(told, dtype=np.float32).reshape(-1, 1, 2)


def _channels(x: Singles) -> tuple[Singles, Singles, Singles, NDArray[np.bool_]]:
    """What the network sees of each lead and, in a last row, of all together.

    Returns
    -------
    wide : array ``(count, leads + 1, samples, 2)``, every 8 ms over the beat
    fine : array ``(count, leads + 1, samples, 3)``, every 4 ms about R
    mean : array ``(count, 1, leads)``, the weights of the leads in a mean
    alive : array ``(count, leads)``
    """
    count, leads, _ = x.shape
    if not np.vdot(x, x) < _HUGE_MV * _HUGE_MV:
        x = np.clip(np.nan_to_num(x, posinf=0.0, neginf=0.0), -_HUGE_MV, _HUGE_MV)
    y = np.empty((count, leads + 1, _N), dtype=np.float32)
    own = y[:, :leads]
    np.add(x[..., ::2], x[..., 1::2], out=own[..., :_HALVES])
    own[..., _HALVES:] = own[..., _HALVES - 1, None]
    own -= np.add.reduce(own[..., _LEVEL], axis=-1, keepdims=True) * np.float32(1 / 13)
    slope = np.empty((count, leads + 1, _WINDOW.stop - _WINDOW.start), dtype=np.float32)
    before, behind = (
        own[..., _WINDOW.start - 2 : _WINDOW.stop - 2],
        own[..., _WINDOW.start + 2 : _WINDOW.stop + 2],
    )
    np.subtract(behind, before, out=slope[:, :leads])
    square = own * own
    rms = np.empty((count, leads + 1, 3), dtype=np.float32)
    alive = np.matmul(square, _MEANS, out=rms[:, :leads])[..., 0] > _DEAD * _DEAD
    mean = alive[:, None].astype(np.float32)
    mean /= np.maximum(np.add.reduce(mean, axis=-1, keepdims=True), np.float32(1))
    np.matmul(mean, rms[:, :leads], out=rms[:, leads:])
    np.sqrt(rms, out=rms)
    np.sqrt(np.matmul(mean, square), out=y[:, leads:])
    steep = slope[:, :leads]
    np.sqrt(np.matmul(mean, steep * steep), out=slope[:, leads:])
    return *_bent(y, slope, rms), mean, alive


def _bent(y: Singles, slope: Singles, rms: Singles) -> tuple[Singles, Singles]:
    """Amplitudes and slopes against several sizes, bent so that a small P and a tall R are both seen."""
    count, rows, n = y.shape
    wide = np.zeros((count, rows, n // 2 + 2 * _EDGE, 2), dtype=np.float32)
    fine = np.empty((*slope.shape, 3), dtype=np.float32)
    size = rms[..., :1] * _SIZE_OF_RMS + np.float32(1e-3)
    unit = size * _SHARE + _FLOOR
    np.divide(y[..., _WINDOW], size, out=fine[..., 0])
    np.minimum(np.maximum(fine[..., 0], -_TALLEST), _TALLEST, out=fine[..., 0])
    np.divide(slope, np.abs(slope) + unit, out=fine[..., 1])
    large = np.abs(y)
    bent = large + (unit + unit)
    np.divide(y, bent, out=bent)
    fine[..., 2] = bent[..., _WINDOW]
    np.add(bent[..., ::2], bent[..., 1::2], out=wide[..., _EDGE:-_EDGE, 0])
    large += np.matmul(rms[..., 1:] * _LOCAL_SHARE + _LOCAL_FLOOR, _HOLDS)
    np.divide(y, large, out=large)
    np.add(large[..., ::2], large[..., 1::2], out=wide[..., _EDGE:-_EDGE, 1])
    return wide, fine


def _far_and_wide(wide: Singles, mean: Singles, rate: Singles) -> tuple[Singles, Singles]:
    """The gist of each lead, ``(count, leads, g)``, and the instants of P and T, ``(count, 6, leads)``."""
    first = _first("e", wide, _PLACES, _SEES)
    count, leads, places, _ = first.shape
    second = _mul(first.reshape(count, leads, places // 2, -1), "s3")
    everyone = np.matmul(mean, first.reshape(count, leads, -1)).reshape(count, 1, places // 2, -1)
    second += _mul(everyone, "s3p") + _W["s3b"]
    _rectify(second)
    whole = second.reshape(count, leads, -1)
    gist = _mul(whole, "g")
    gist += _mul(np.matmul(mean, whole), "gp") + (_mul(rate, "gr") + _W["gb"])
    _rectify(gist)
    up = _mul(first, "d2s")
    up += _mul(second, "d2").reshape(up.shape)
    up += _mul(gist, "d2g").reshape(up.shape)
    up += _W["d2b"]
    return gist, _told(_rectify(up), "o")


def _about_r(fine: Singles, gist: Singles) -> Singles:
    """The instants of QRS, ``(count, 2, leads)``."""
    first = _first("f", fine, _NEAR_PLACES, _NEAR_SEES)
    view = _mul(first.reshape(*first.shape[:2], -1), "fg")
    view += _mul(gist, "fgg")
    view += _W["fgb"]
    up = _mul(first, "fd")
    up += _mul(_rectify(view), "fdg").reshape(up.shape)
    up += _W["fdb"]
    return _told(_rectify(up), "fo")


def _mul(x: Singles, name: str) -> Singles:
    """Multiply the last axis by weights, recording by recording, so that company changes no bit."""
    weights = _W[name]
    flat = np.matmul(x.reshape(x.shape[0], -1, weights.shape[0]), weights)
    told: Singles = flat.reshape(*x.shape[:-1], weights.shape[1])
    return told


def _rectify(x: Singles) -> Singles:
    """Twice the positive part, in place; the weights behind are halved for it. Quicker than a maximum."""
    x += np.abs(x)
    return x


def _first(name: str, x: Singles, places: int, sees: int) -> Singles:
    """First stage: what `sees` samples tell, at every fourth one, of each lead and of all together."""
    count, rows, n, channels = x.shape
    step = channels * x.itemsize
    view: Singles = np.ndarray(
        (count, rows, places, sees * channels), np.float32, x, 0,
        (rows * n * step, n * step, 4 * step, x.itemsize),
    )  # fmt: skip
    seen = np.ascontiguousarray(view)
    out = _mul(seen[:, :-1], name)
    out += _mul(seen[:, -1:], name + "p") + _W[name + "b"]
    return _rectify(out)


def _told(x: Singles, name: str) -> Singles:
    """Mean of the instants that the places tell: ``(count, leads, n, c)`` to ``(count, k, leads)``."""
    count, leads, n, c = x.shape
    both = np.matmul(_W[name], x.reshape(count, leads * n, c).transpose(0, 2, 1)).reshape(count, -1, leads, n)
    both += _W[name + "b"]
    k = both.shape[1] // 2
    chance = np.minimum(both[:, :k], _LOGIT_MAX)
    np.exp(np.maximum(chance, -_LOGIT_MAX, out=chance), out=chance)
    place = both[:, k:]
    place *= chance
    mean: Singles = np.add.reduce(place, axis=-1)
    mean /= np.add.reduce(chance, axis=-1)
    return mean
