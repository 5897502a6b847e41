"""Candidates for pneumothorax in a chest CT: a reason to read it sooner, and never more.

Air without lung tissue, compact, on the chest wall, beside lung, and in front as air lies in who lies on the back. It
was tried on drawn chests alone: there was no real one (CLINICAL IMG-4).
"""

from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from greenchannel.triage.detectors.tables import Number, table
from greenchannel.triage.detectors.volume import NotAnalysed, Volume, coarser, upright, voxels_ml

Mask = NDArray[np.bool_]


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table `pneumothorax.toml`."""

    work_pixel_mm: Number
    most_slices_read: Number
    body_hu: Number
    air_hu: Number
    lung_from_hu: Number
    lung_to_hu: Number
    least_lungs_ml: Number
    most_lungs_ml: Number
    thin_mm: Number
    least_ml: Number
    least_wall: Number
    wall_mm: Number
    least_lung_border: Number
    most_behind_mm: Number


LIMITS: Final = table("pneumothorax", Limits)


class Pocket(msgspec.Struct, frozen=True, kw_only=True):
    """One pocket of air."""

    volume_ml: float
    side: str  # "left" or "right", the patient's
    wall: float  # share of its border on the chest wall
    at_mm: float  # along the normal, from the lowest slice


def pockets(volume: Volume, limits: Limits = LIMITS) -> tuple[Pocket, ...]:
    """Pockets of air beside a lung, the largest first; none is no statement about the patient.

    Raises
    ------
    NotAnalysed
        Where no chest with two lungs is found.
    """
    work = upright(coarser(_thicker(volume, limits), limits.work_pixel_mm.value))
    inside = _inside(work, limits)
    smooth = ndimage.median_filter(work.hu, size=(1, 3, 3))
    lung = inside & (smooth >= limits.lung_from_hu.value) & (smooth <= limits.lung_to_hu.value)
    middle = _middle(work, lung, limits)
    opened = ndimage.binary_opening(
        inside & (smooth < limits.air_hu.value), _disk(work, limits.thin_mm.value)[None]
    )
    labels, _ = ndimage.label(opened)
    found = []
    for label, box in enumerate(ndimage.find_objects(labels), start=1):
        one = _measured(work, inside, lung, labels, label, box, middle, limits)
        if one is not None:
            found.append(one)
    return tuple(sorted(found, key=lambda one: -one.volume_ml))


def _thicker(volume: Volume, limits: Limits) -> Volume:
    """Means over neighbouring slices where there are very many."""
    by = -(-len(volume.hu) // int(limits.most_slices_read.value))
    if by == 1:
        return volume
    count = len(volume.hu) // by
    kept = slice(0, count * by)
    return msgspec.structs.replace(
        volume,
        hu=volume.hu[kept].reshape(count, by, *volume.hu.shape[1:]).mean(axis=1, dtype=np.float32),
        at_mm=volume.at_mm[kept].reshape(count, by).mean(axis=1),
        depth_mm=volume.depth_mm[kept].reshape(count, by).sum(axis=1),
        thick_mm=volume.thick_mm[kept].reshape(count, by).max(axis=1),
        aside_mm=volume.aside_mm[kept].reshape(count, by, 2).mean(axis=1),
    )


def _inside(work: Volume, limits: Limits) -> Mask:
    """What the body encloses in each slice: the largest piece of tissue with its holes."""
    inside = np.zeros(work.hu.shape, bool)
    for k, plane in enumerate(work.hu):
        tissue = ndimage.binary_opening(plane > limits.body_hu.value, iterations=2)
        labels, count = ndimage.label(tissue)
        if count:
            sizes = np.bincount(labels.ravel())
            sizes[0] = 0
            inside[k] = ndimage.binary_fill_holes(labels == sizes.argmax())
    return inside


def _middle(work: Volume, lung: Mask, limits: Limits) -> tuple[float, float]:
    """Centre of both lungs, row and column; there must be lung on both sides of it."""
    lungs_ml = float(lung.sum(axis=(1, 2)) @ voxels_ml(work))
    if not limits.least_lungs_ml.value <= lungs_ml <= limits.most_lungs_ml.value:
        raise NotAnalysed("no_chest", f"{lungs_ml:.0f} mL of lung")
    columns = np.flatnonzero(work_columns := lung.sum(axis=(0, 1)))
    middle = float(columns[0] + columns[-1]) / 2
    left = float(work_columns[int(middle) :].sum()) / float(work_columns.sum())
    if not 0.1 <= left <= 0.9:  # a chest with one lung alone is another question  [E]
        raise NotAnalysed("no_chest", f"{left:.0%} of the lung on one side")
    return float(np.nonzero(lung)[1].mean()), middle


def _measured(
    work: Volume,
    inside: Mask,
    lung: Mask,
    labels: NDArray[Any],
    label: int,
    box: tuple[slice, ...],
    middle: tuple[float, float],
    limits: Limits,
) -> Pocket | None:
    """One pocket; None where it is too small, or is the trachea, gas of the bowel or air behind."""
    pad = round(limits.wall_mm.value / min(work.pixel_mm)) + 2
    near = (box[0], *(slice(max(0, one.start - pad), one.stop + pad) for one in box[1:]))
    mask = labels[near] == label
    volume_ml = float(mask.sum(axis=(1, 2)) @ voxels_ml(work)[box[0]])
    if volume_ml < limits.least_ml.value:
        return None
    rim = ndimage.binary_dilation(mask, _disk(work, limits.wall_mm.value)[None]) & ~mask
    size = max(1, int(rim.sum()))
    on_lung = float((rim & lung[near]).sum()) / size
    tissue = rim & inside[near] & (work.hu[near] > limits.body_hu.value)
    on_wall = float((tissue | (rim & ~inside[near])).sum()) / size
    slices, rows, columns = np.nonzero(mask)
    behind_mm = (float(rows.mean()) + near[1].start - middle[0]) * work.pixel_mm[0]
    if (
        on_lung < limits.least_lung_border.value
        or on_wall < limits.least_wall.value
        or behind_mm > limits.most_behind_mm.value
    ):
        return None
    return Pocket(
        volume_ml=round(volume_ml, 1),
        side="left" if float(columns.mean()) + near[2].start > middle[1] else "right",
        wall=round(on_wall, 2),
        at_mm=round(float(work.at_mm[slices + near[0].start].mean()), 1),
    )


def _disk(work: Volume, radius_mm: float) -> Mask:
    reach = int(radius_mm / min(work.pixel_mm)) + 1
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disk: Mask = np.hypot(rows * work.pixel_mm[0], columns * work.pixel_mm[1]) <= radius_mm + 1e-6
    return disk
