"""The cardiothoracic ratio of an erect PA chest radiograph: said to whoever reads, and no reason to read it sooner.

Both lungs are found as the two large dark fields; the chest is as wide as their outer borders are apart at the widest
place, the heart as their inner borders reach from the midline above the diaphragm.
"""

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from greenchannel.triage.detectors.tables import Number, table
from greenchannel.triage.detectors.volume import NotAnalysed

Mask = NDArray[np.bool_]


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table `cardiothoracic.toml`."""

    ratio_above: Number
    work_width_px: Number
    smooth_of_width: Number
    least_lung_of_image: Number
    most_lung_of_image: Number
    most_lung_ratio: Number
    heart_from_of_height: Number
    dome_margin_of_height: Number
    levels: Number
    border_of_width: Number
    widest_percentile: Number
    least_ratio: Number
    most_ratio: Number


LIMITS: Final = table("cardiothoracic", Limits)


def ratio(values: NDArray[np.float32], *, inverted: bool, limits: Limits = LIMITS) -> float:
    """Width of the heart over width of the chest.

    Parameters
    ----------
    values : ``(rows, columns)``, as stored
    inverted : low values are bright (MONOCHROME1)

    Raises
    ------
    NotAnalysed
        With ``no_chest`` or ``no_heart``.
    """
    picture = _small(-values if inverted else values, limits)
    one, other = _lungs(picture, limits)  # from the picture's left
    mirrored = picture[:, ::-1], other[:, ::-1]
    columns = picture.shape[1]
    top = max(int(np.flatnonzero(lung.any(axis=1))[0]) for lung in (one, other))
    domes = [_dome(one), _dome(mirrored[1])]
    rows = np.flatnonzero(one.any(axis=1) & other.any(axis=1))
    outer_one, outer_other = _outer(picture, one, rows, limits), _outer(*mirrored, rows, limits)
    widths = columns - 1 - outer_one - outer_other
    width = float(np.percentile(widths, limits.widest_percentile.value))
    middle = float(
        np.median((outer_one - outer_other)[rows < min(domes)])
    )  # twice the way off the picture's own
    reach = 0.0
    for (side, lung), dome, off in (((picture, one), domes[0], middle), (mirrored, domes[1], -middle)):
        height = dome - top
        heart = np.arange(
            top + round(limits.heart_from_of_height.value * height),
            dome - round(limits.dome_margin_of_height.value * height),
        )
        heart = heart[lung[heart].any(axis=1)] if len(heart) else heart
        if not len(heart):
            raise NotAnalysed("no_heart")
        away = (columns - 1 + off) / 2 - _inner(side, lung, heart, limits)
        reach += max(0.0, float(np.percentile(away, limits.widest_percentile.value)))
    found = reach / width
    if not limits.least_ratio.value <= found <= limits.most_ratio.value:
        raise NotAnalysed("no_heart", f"{found:.2f}")
    return round(found, 3)


def _small(values: NDArray[np.float32], limits: Limits) -> NDArray[np.float32]:
    by = max(1, round(values.shape[1] / limits.work_width_px.value))
    rows, columns = values.shape[0] // by, values.shape[1] // by
    if min(rows, columns) < limits.work_width_px.value / 4:
        raise NotAnalysed("no_chest", f"{values.shape[0]} x {values.shape[1]}")
    small = values[: rows * by, : columns * by].reshape(rows, by, columns, by).mean(axis=(1, 3))
    smooth: NDArray[np.float32] = ndimage.gaussian_filter(small, limits.smooth_of_width.value * columns)
    return smooth


def _lungs(picture: NDArray[np.float32], limits: Limits) -> tuple[Mask, Mask]:
    """The two dark fields, at the brightest level at which they part from each other and from the picture's edge."""
    rows, columns = picture.shape
    centre = picture[rows // 8 : rows * 7 // 8, columns // 10 : columns * 9 // 10]
    level, darkest = _otsu(centre), float(np.percentile(centre, 2))
    for step in range(int(limits.levels.value)):
        fields = _fields(picture < level - step * (level - darkest) / limits.levels.value, limits)
        if len(fields) == 2:
            break
    else:
        raise NotAnalysed("no_chest")
    one, other = sorted(fields, key=lambda lung: float(np.nonzero(lung)[1].mean()))
    if not np.nonzero(one)[1].mean() < columns / 2 < np.nonzero(other)[1].mean():
        raise NotAnalysed("no_chest", "both fields on one side")
    if max(one.sum(), other.sum()) > limits.most_lung_ratio.value * min(one.sum(), other.sum()):
        raise NotAnalysed("no_chest", "one field much smaller than the other")
    return one, other


def _fields(dark: Mask, limits: Limits) -> list[Mask]:
    labels, _ = ndimage.label(dark)
    sizes = np.bincount(labels.ravel()) / dark.size
    sizes[np.unique(np.concatenate([labels[:, 0], labels[:, -1], labels[0]]))] = 0
    sizes[0] = 0
    good = (sizes >= limits.least_lung_of_image.value) & (sizes <= limits.most_lung_of_image.value)
    return [ndimage.binary_fill_holes(labels == one) for one in np.flatnonzero(good)]


def _otsu(values: NDArray[np.float32]) -> float:
    """The level that parts dark from bright with the least spread within both (Otsu 1979)."""
    if float(np.ptp(values)) == 0:
        raise NotAnalysed("no_chest", "one level of grey")
    counts, edges = np.histogram(values, bins=128)
    middles = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    sums = np.cumsum(counts * middles)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    return float(edges[int(np.nanargmax(between[:-1])) + 1])


def _dome(lung: Mask) -> int:
    """The highest row at which the diaphragm ends the lung, looked for in its outer half; the lung is on the left."""
    columns = np.flatnonzero(lung.any(axis=0))
    outer = columns[int(0.2 * len(columns)) : int(0.5 * len(columns)) + 1]
    bottoms = lung.shape[0] - 1 - np.argmax(lung[::-1, outer], axis=0)
    return int(bottoms.min())


def _outer(
    picture: NDArray[np.float32], lung: Mask, rows: NDArray[np.int64], limits: Limits
) -> NDArray[np.int64]:
    """Where each row darkens most, from some way outside a field on the left into it: the chest wall's inside."""
    start = np.argmax(lung[rows], axis=1)
    return _steepest(-picture, rows, start - _reach(picture, limits), start + 1)


def _inner(
    picture: NDArray[np.float32], lung: Mask, rows: NDArray[np.int64], limits: Limits
) -> NDArray[np.int64]:
    """Where each row brightens most, from a field on the left towards the middle: the border of the heart."""
    end = lung.shape[1] - 1 - np.argmax(lung[rows, ::-1], axis=1)
    return _steepest(picture, rows, end - 1, end + _reach(picture, limits))


def _reach(picture: NDArray[np.float32], limits: Limits) -> int:
    far: int = round(limits.border_of_width.value * picture.shape[1])
    return far


def _steepest(
    picture: NDArray[np.float32], rows: NDArray[np.int64], first: NDArray[np.int64], last: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The column of each row, between two, at which the picture rises most."""
    slope = np.gradient(picture[rows], axis=1)
    columns = np.arange(picture.shape[1])
    within = (columns >= first[:, None]) & (columns <= last[:, None])
    found: NDArray[np.int64] = np.argmax(np.where(within, slope, -np.inf), axis=1)
    return found
