"""Synthetic blood put into a real head CT: does the detector's code find what it is meant to find?

    python -m benchmarks.head_blood FOLDER [--split held] [--count 300]

FOLDER holds the slices of one head without blood. Each trial puts one irregular clot of a known volume at a random
place and asks the detector. The numbers of `head_blood.toml` were chosen on the places and seeds of the
split ``chosen``; ``held`` are others. One head, blood drawn by a formula: what comes out says that the code works and
is no rate that holds for patients.
"""

import argparse
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from greenchannel.service.imaging.detector_series import series_of
from greenchannel.triage.detectors.head_blood import LIMITS, Cluster, clusters
from greenchannel.triage.detectors.volume import Volume, coarser, stacked, upright

VOLUMES_ML: Final = (1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0)
BLOOD_HU: Final = (55.0, 80.0)  # acute clot, CLINICAL IMG-4 searches from 50 to 90
SPLITS: Final = {"chosen": 1, "held": 3}
_LUMPS: Final = 7  # an irregular clot is a level of the sum of so many bells
_FINE_MM: Final = 0.5
_BLUR_MM: Final = 0.6  # of the scanner in the plane


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One clot, and whether a cluster was found there."""

    volume_ml: float
    hu: float
    to_bone_mm: float
    slice_index: int
    found: bool
    elsewhere: int  # clusters that lie somewhere else
    found_ml: float | None


class Clot:
    """An irregular body of an exact volume around the origin."""

    def __init__(self, volume_ml: float, rng: np.random.Generator) -> None:
        radius = (volume_ml * 1000 * 3 / (4 * math.pi)) ** (1 / 3)
        stretch = rng.uniform(0.75, 1.3, 3)
        self._centres = rng.normal(0, 0.42 * radius, (_LUMPS, 3)) * (stretch / stretch.prod() ** (1 / 3))
        self._centres -= self._centres.mean(axis=0)
        self._width = rng.uniform(0.5, 0.8, _LUMPS) * radius
        self.reach_mm = 2.5 * radius
        axis = np.arange(-self.reach_mm, self.reach_mm, _FINE_MM)
        heights = self._height(np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)).ravel()
        wanted = round(volume_ml * 1000 / _FINE_MM**3)
        self._level = float(np.partition(heights, -wanted)[-wanted])

    def holds(self, points_mm: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which of ``(..., 3)`` points lie within."""
        inside: NDArray[np.bool_] = self._height(points_mm) >= self._level
        return inside

    def _height(self, points_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        total = np.zeros(points_mm.shape[:-1])
        for centre, width in zip(self._centres, self._width, strict=True):
            total += np.exp(-((points_mm - centre) ** 2).sum(axis=-1) / (2 * width**2))
        return total


def within_skull(volume: Volume) -> NDArray[np.bool_]:
    """Where brain is, found apart from the detector's own way: soft tissue in the largest hole of the bone."""
    inside = np.zeros(volume.hu.shape, bool)
    for k, plane in enumerate(volume.hu):
        bone = ndimage.binary_closing(np.pad(plane > 250, 12), iterations=4)[12:-12, 12:-12]
        hole = ndimage.binary_fill_holes(bone) & ~bone & (ndimage.gaussian_filter(plane, 1) > 0)
        labels, count = ndimage.label(hole)
        if count:
            sizes = np.bincount(labels.ravel())
            sizes[0] = 0
            inside[k] = labels == sizes.argmax()
    return inside


def with_blood(
    volume: Volume,
    inside: NDArray[np.bool_],
    centre: tuple[int, int, int],
    volume_ml: float,
    blood_hu: float,
    rng: np.random.Generator,
) -> Volume | None:
    """The volume with one clot; None where less than nine tenths of it would lie within the skull.

    Slices see it as thick as they are; the noise of the scan stays.
    """
    clot = Clot(volume_ml, rng)
    share = _share(volume, clot, centre)
    ml = volume.depth_mm[:, None, None] * (volume.pixel_mm[0] * volume.pixel_mm[1] / 1000)
    if float((share * inside * ml).sum()) < 0.9 * volume_ml:
        return None
    share *= inside
    noise = volume.hu - ndimage.gaussian_filter(volume.hu, (0, 1, 1))
    uneven = ndimage.gaussian_filter(rng.normal(0, 1, volume.hu.shape).astype(np.float32), (0, 2, 2)) * 20
    return msgspec.structs.replace(
        volume, hu=np.asarray((1 - share) * volume.hu + share * (blood_hu + uneven + noise), np.float32)
    )


def _share(volume: Volume, clot: Clot, centre: tuple[int, int, int]) -> NDArray[np.float32]:
    """How much of each voxel is clot."""
    slices, rows, columns = volume.hu.shape
    share = np.zeros(volume.hu.shape, np.float32)
    middle = [
        volume.at_mm[centre[0]],
        centre[1] * volume.pixel_mm[0] + volume.aside_mm[centre[0], 0],
        centre[2] * volume.pixel_mm[1] + volume.aside_mm[centre[0], 1],
    ]
    reach = int(clot.reach_mm / min(volume.pixel_mm)) + 2
    box = (
        slice(max(0, centre[1] - reach), min(rows, centre[1] + reach)),
        slice(max(0, centre[2] - reach), min(columns, centre[2] + reach)),
    )
    y, x = np.mgrid[box]
    for k in range(slices):
        layers = volume.at_mm[k] + volume.depth_mm[k] * (np.arange(6) - 2.5) / 6
        for layer in layers[np.abs(layers - middle[0]) <= clot.reach_mm]:
            points = np.stack(
                [
                    np.full(y.shape, layer - middle[0]),
                    y * volume.pixel_mm[0] + volume.aside_mm[k, 0] - middle[1],
                    x * volume.pixel_mm[1] + volume.aside_mm[k, 1] - middle[2],
                ],
                axis=-1,
            )
            share[k, *box] += clot.holds(points) / np.float32(6)
        if share[k].any():
            share[k] = ndimage.gaussian_filter(share[k], _BLUR_MM / volume.pixel_mm[0])
    return share


def trials(
    volume: Volume, split: str, count: int, slices: range, volumes_ml: tuple[float, ...] = VOLUMES_ML
) -> Iterator[Trial]:
    """`count` clots of these volumes in turn, with centres in `slices`."""
    rng = np.random.default_rng(SPLITS[split])
    inside = within_skull(volume)
    away = [ndimage.distance_transform_edt(plane) * volume.pixel_mm[0] for plane in inside]
    allowed = np.zeros_like(inside)
    allowed[slices.start : slices.stop] = inside[slices.start : slices.stop]
    places = np.argwhere(allowed)
    made = 0
    while made < count:
        k, row, column = (int(one) for one in places[rng.integers(len(places))])
        volume_ml, blood_hu = volumes_ml[made % len(volumes_ml)], float(rng.uniform(*BLOOD_HU))
        bled = with_blood(volume, inside, (k, row, column), volume_ml, blood_hu, rng)
        if bled is None:
            continue
        made += 1
        reach_mm = 1.5 * (volume_ml * 1000 * 3 / (4 * math.pi)) ** (1 / 3) + float(volume.depth_mm[k]) / 2
        answer = clusters(bled)
        here = [one for one in answer if _apart(volume, (k, row, column), one) < reach_mm]
        yield Trial(
            volume_ml=volume_ml,
            hu=round(blood_hu, 1),
            to_bone_mm=round(float(away[k][row, column]), 1),
            slice_index=k,
            found=bool(here),
            elsewhere=len(answer) - len(here),
            found_ml=here[0].volume_ml if here else None,
        )


def _apart(volume: Volume, centre: tuple[int, int, int], one: Cluster) -> float:
    put = (volume.at_mm[centre[0]], centre[1] * volume.pixel_mm[0], centre[2] * volume.pixel_mm[1])
    return math.dist(put, (one.at_mm, one.row_mm, one.column_mm))


def main() -> None:
    """Print one line a volume, or every trial as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--split", choices=sorted(SPLITS), default="held")
    parser.add_argument("--count", type=int, default=270)
    parser.add_argument("--slices", default="10:25", help="of the centres: from:to, from the lowest")
    parser.add_argument("--volumes", default=",".join(f"{one:g}" for one in VOLUMES_ML), help="in mL")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    volumes_ml = tuple(float(one) for one in given.volumes.split(","))
    first, last = (int(one) for one in given.slices.split(":"))
    series = series_of(path.read_bytes() for path in sorted(given.folder.iterdir()))
    volume = upright(
        coarser(stacked(series.slices), LIMITS.work_pixel_mm.value)
    )  # as the detector does first
    print("untouched:", clusters(volume) or "nothing raised")
    done = []
    for one in trials(volume, given.split, given.count, range(first, last), volumes_ml):
        done.append(one)
        if given.json:
            print(json.dumps(msgspec.to_builtins(one)), flush=True)
    for volume_ml in volumes_ml:
        some = [one for one in done if one.volume_ml == volume_ml]
        if some:
            print(f"{volume_ml:5.0f} mL  found {sum(one.found for one in some)} of {len(some)}")
    for least in (2.0, 5.0):
        some = [one for one in done if one.volume_ml >= least]
        share = sum(one.found for one in some) / max(1, len(some))
        print(f"from {least:.0f} mL  found {share:.1%} of {len(some)}")
    print("clusters elsewhere:", sum(one.elsewhere for one in done))


if __name__ == "__main__":
    main()
