"""Candidates for blood in a head CT without contrast: a reason to read it sooner, and never more.

The skull's inside is searched at some distance from bone, above the posterior fossa. Dense clusters are named that are
compact, and either to one side and denser than the place opposite, or larger than anything dense that belongs there.
Thin subdural and subarachnoid blood, blood as dense as brain (haemoglobin below 80 g/L) and the posterior fossa are
missed (CLINICAL IMG-4).
"""

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from greenchannel.triage.detectors.tables import Number, table
from greenchannel.triage.detectors.volume import NotAnalysed, Volume, coarser, upright, voxels_ml

Mask = NDArray[np.bool_]


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table `head_blood.toml`."""

    work_pixel_mm: Number
    bone_hu: Number
    seam_mm: Number
    inner_table_mm: Number
    partial_bone_mm: Number
    least_area_cm2: Number
    least_overlap: Number
    least_cavity_ml: Number
    most_cavity_ml: Number
    brain_from_hu: Number
    brain_to_hu: Number
    most_noise_hu: Number
    blood_from_hu: Number
    blood_to_hu: Number
    thin_mm: Number
    rim_mm: Number
    rim_from_hu: Number
    midline_mm: Number
    calcified_hu: Number
    most_calcified: Number
    most_dense_ml: Number
    least_difference_hu: Number
    anatomy_up_to_ml: Number
    least_ml: Number


LIMITS: Final = table("head_blood", Limits)


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """One dense place."""

    volume_ml: float
    mean_hu: float
    difference_hu: float  # to the mirrored place
    side: str  # "left" or "right", the patient's
    at_mm: float  # along the normal, from the lowest slice
    row_mm: float  # of its centre, from the first row of the lowest slice
    column_mm: float  # from the first column


def clusters(volume: Volume, limits: Limits = LIMITS) -> tuple[Cluster, ...]:
    """Places that may be blood, the largest first; none is no statement about the patient.

    Raises
    ------
    NotAnalysed
        Where no closed skull with a brain is found, or the noise is too great.
    """
    work = upright(coarser(volume, limits.work_pixel_mm.value))
    cavity = _cavity(work, limits)
    searched = _searched(work, cavity, limits)
    _check_brain(work, searched, limits)
    rows, columns = _window(searched)
    work = msgspec.structs.replace(work, hu=work.hu[:, rows, columns])
    cavity, searched = cavity[:, rows, columns], searched[:, rows, columns]
    smooth = ndimage.median_filter(work.hu, size=_median_size(work))
    dense = searched & (smooth >= limits.blood_from_hu.value) & (smooth <= limits.blood_to_hu.value)
    opened = ndimage.binary_opening(dense, _disk(work, limits.thin_mm.value)[None])
    # What the opening and half-filled voxels took from the rim belongs to the volume.
    grown = ndimage.binary_dilation(
        opened,
        iterations=max(1, round(limits.rim_mm.value / work.pixel_mm[0])),
        mask=searched & (smooth >= limits.rim_from_hu.value) & (smooth <= limits.blood_to_hu.value),
    )
    labels, count = ndimage.label(grown | opened)
    if not count:
        return ()
    mirror = _Mirror(cavity, work.pixel_mm[1])
    opposite = mirror.of(ndimage.uniform_filter(work.hu, (0, 3, 3)))
    found = []
    for label, box in enumerate(ndimage.find_objects(labels), start=1):
        one = _measured(work, smooth, opposite, mirror, labels == label, box, limits)
        if one is not None:
            found.append(
                msgspec.structs.replace(
                    one,
                    row_mm=one.row_mm + rows.start * work.pixel_mm[0],
                    column_mm=one.column_mm + columns.start * work.pixel_mm[1],
                )
            )
    return tuple(sorted(found, key=lambda one: -one.volume_ml))


def _cavity(work: Volume, limits: Limits) -> Mask:
    """What the skull encloses: from the widest section up and down, as long as sections lie over each other."""
    bone = work.hu > limits.bone_hu.value
    inside = np.stack([_enclosed(plane, work, limits) for plane in bone])
    inside &= ndimage.uniform_filter(work.hu, (0, 5, 5)) > -20.0  # sinuses, orbits  [E]
    inside = ndimage.binary_opening(inside, _disk(work, limits.inner_table_mm.value)[None])
    pixel_cm2 = work.pixel_mm[0] * work.pixel_mm[1] / 100.0
    widest = _largest(inside)
    kept = np.zeros_like(inside)
    if widest is None:
        raise NotAnalysed("no_head")
    middle, kept[widest[0]] = widest
    for step in (1, -1):
        k = middle + step
        while 0 <= k < len(inside):
            kept[k] = _under(inside[k], kept[k - step], limits.least_overlap.value)
            if kept[k].sum() * pixel_cm2 < limits.least_area_cm2.value:
                kept[k] = False
                break
            k += step
    volume_ml = float(kept.sum(axis=(1, 2)) @ voxels_ml(work))
    if not limits.least_cavity_ml.value <= volume_ml <= limits.most_cavity_ml.value:
        raise NotAnalysed("no_head", f"{volume_ml:.0f} mL")
    return kept


def _enclosed(bone: Mask, work: Volume, limits: Limits) -> Mask:
    reach = round(limits.seam_mm.value / min(work.pixel_mm)) + 1
    closed = ndimage.binary_closing(np.pad(bone, reach), _disk(work, limits.seam_mm.value))
    filled = ndimage.binary_fill_holes(closed)[reach:-reach, reach:-reach]
    return filled & ~ndimage.binary_dilation(bone)


def _largest(inside: Mask) -> tuple[int, Mask] | None:
    """The slice with the largest section of one piece, and that section."""
    best, where = 0, None
    for k, plane in enumerate(inside):
        labels, count = ndimage.label(plane)
        if count:
            sizes = np.bincount(labels.ravel())
            sizes[0] = 0
            if sizes.max() > best:
                best, where = sizes.max(), (k, labels == sizes.argmax())
    return where


def _under(plane: Mask, neighbour: Mask, least: float) -> Mask:
    """The pieces of a section that lie, for the most part, under or over the neighbour's."""
    labels, count = ndimage.label(plane)
    if not count:
        return np.zeros_like(plane)
    sizes = np.bincount(labels.ravel())
    shared = np.bincount(labels[neighbour], minlength=len(sizes))
    good = shared >= least * np.maximum(sizes, 1)
    good[0] = False
    return good[labels]


def _searched(work: Volume, cavity: Mask, limits: Limits) -> Mask:
    """The cavity without its rim, its base, and what bone above and below reaches into, as far as slices are thick."""
    rim = _disk(work, limits.inner_table_mm.value)[None]
    searched = ndimage.binary_erosion(cavity, rim)
    bone = ndimage.binary_dilation(
        work.hu > limits.bone_hu.value, _disk(work, limits.partial_bone_mm.value)[None]
    )
    reach_mm = np.maximum(work.thick_mm, limits.inner_table_mm.value)
    for k, at_mm in enumerate(work.at_mm):
        near = np.abs(work.at_mm - at_mm) <= reach_mm[k] + 0.01
        near[max(0, k - 1) : k + 2] = True
        near[k] = False
        searched[k] &= ~bone[near].any(axis=0)
    for k, plane in enumerate(searched):
        values = work.hu[k][plane]
        if not values.size or float(np.median(values)) > limits.brain_to_hu.value:
            searched[k] = False
    return searched


def _check_brain(work: Volume, searched: Mask, limits: Limits) -> None:
    values = work.hu[searched]
    if not values.size:
        raise NotAnalysed("no_head")
    median = float(np.median(values))
    if not limits.brain_from_hu.value <= median <= limits.brain_to_hu.value:
        raise NotAnalysed("no_brain", f"{median:.0f} HU")
    dense_ml = float((searched & (work.hu > limits.calcified_hu.value)).sum(axis=(1, 2)) @ voxels_ml(work))
    if dense_ml > limits.most_dense_ml.value:
        raise NotAnalysed("contrast_seen", f"{dense_ml:.0f} mL above {limits.calcified_hu.value:g} HU")
    rough = (work.hu - ndimage.uniform_filter(work.hu, (0, 3, 3)))[searched]
    noise = (
        float(np.median(np.abs(rough))) * 1.4826 * (9 / 8) ** 0.5
    )  # of the single block, from what a mean of 9 leaves
    if noise > limits.most_noise_hu.value:
        raise NotAnalysed("too_noisy", f"{noise:.1f} HU")


def _window(mask: Mask) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(mask.any(axis=(0, 2))), np.flatnonzero(mask.any(axis=(0, 1)))
    pad = 4
    return (
        slice(max(0, int(rows[0]) - pad), int(rows[-1]) + pad + 1),
        slice(max(0, int(columns[0]) - pad), int(columns[-1]) + pad + 1),
    )


def _median_size(work: Volume) -> tuple[int, int, int]:
    """IMG-4 wants a median of 3 x 3 x 3; across slices only where they are thin."""
    return (3 if float(np.median(work.depth_mm)) <= 2.0 * work.pixel_mm[0] else 1, 3, 3)


class _Mirror:
    """The plane between the halves of the head: in each slice a line, from all slices together.

    Heads lie askew: the line is that of the cavity's centres and its long axis.
    """

    def __init__(self, cavity: Mask, column_mm: float) -> None:
        _, rows, columns = np.nonzero(cavity)
        self._centre = np.array([rows.mean(), columns.mean()])
        spread = np.cov(np.stack([rows, columns]))
        long = np.linalg.eigh(spread)[1][:, -1]
        self._axis = long if long[0] >= 0 else -long  # to the back
        self._across = np.array([-self._axis[1], self._axis[0]])
        self._column_mm = column_mm

    def of(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """`values` of the place opposite, for each place."""
        flip = np.eye(2) - 2 * np.outer(self._across, self._across)
        offset = self._centre - flip @ self._centre
        return np.stack(
            [ndimage.affine_transform(one, flip, offset, order=1, mode="nearest") for one in values]
        )

    def to_the_left_mm(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.float64]:
        """How far to the patient's left of the midline."""
        along: NDArray[np.float64] = (rows - self._centre[0]) * self._across[0]
        left: NDArray[np.float64] = (along + (columns - self._centre[1]) * self._across[1]) * self._column_mm
        return left


def _measured(
    work: Volume,
    smooth: NDArray[np.float32],
    opposite: NDArray[np.float32],
    mirror: _Mirror,
    mask: Mask,
    box: tuple[slice, ...],
    limits: Limits,
) -> Cluster | None:
    """One cluster; None where it is too small, calcified, of the midline or as dense on the other side."""
    ml = voxels_ml(work)
    volume_ml = float(mask.sum(axis=(1, 2)) @ ml)
    if volume_ml < limits.least_ml.value:
        return None
    around = tuple(slice(max(0, one.start - 3), one.stop + 3) for one in box[1:])
    rim = ndimage.binary_dilation(mask[box[0], *around], _disk(work, limits.thin_mm.value)[None])
    if (
        float((work.hu[box[0], *around][rim] > limits.calcified_hu.value).mean())
        > limits.most_calcified.value
    ):
        return None
    slices, rows, columns = np.nonzero(mask)
    left_mm = mirror.to_the_left_mm(rows, columns)
    mean, difference = float(smooth[mask].mean()), float((smooth[mask] - opposite[mask]).mean())
    if volume_ml < limits.anatomy_up_to_ml.value and (
        float((np.abs(left_mm) < limits.midline_mm.value).mean()) > 0.5
        or difference < limits.least_difference_hu.value
    ):
        return None
    return Cluster(
        volume_ml=round(volume_ml, 1),
        mean_hu=round(mean, 1),
        difference_hu=round(difference, 1),
        side="left" if float(left_mm.mean()) > 0 else "right",
        at_mm=round(float(work.at_mm[slices].mean()), 1),
        row_mm=round(float(rows.mean()) * work.pixel_mm[0], 1),
        column_mm=round(float(columns.mean()) * work.pixel_mm[1], 1),
    )


def _disk(work: Volume, radius_mm: float) -> Mask:
    reach = int(radius_mm / min(work.pixel_mm)) + 1
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disk: Mask = np.hypot(rows * work.pixel_mm[0], columns * work.pixel_mm[1]) <= radius_mm + 1e-6
    return disk
