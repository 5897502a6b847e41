"""Slices become one volume in Hounsfield units, or a reason why no detector may look at them.

A tilted gantry and steps of two widths (thin below, thick above) are what head scans are like, and are put right;
missing slices, two acquisitions in one, children and contrast agent are not.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from greenchannel.triage.detectors.tables import Number, table
from greenchannel.triage.rule_rows import Mark


class NotAnalysed(Exception):
    """A detector has nothing to say about a study, which is never a finding.

    Parameters
    ----------
    code : of `reasons.toml`
    got : what was met, for the record; None where the code says it all
    """

    def __init__(self, code: str, got: str | None = None) -> None:
        if code not in REASONS:
            raise ValueError(f"expected a code of reasons.toml, got {code!r}")
        self.code = code
        self.got = got
        super().__init__(code, got)

    @property
    def en(self) -> str:
        """The reason in English."""
        return REASONS[self.code].en

    @property
    def zh(self) -> str:
        """The reason in Chinese."""
        return REASONS[self.code].zh


class Words(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sentence in both languages."""

    zh: str
    en: str


REASONS: Final = table("reasons", dict[str, Words])


class Said(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words of descriptions that say one thing about a study."""

    zh: tuple[str, ...]
    en: tuple[str, ...]  # whole words, in any case
    signs: tuple[str, ...] = ()  # their letters belong to no longer word
    negation_zh: tuple[str, ...] = ()
    negation_en: tuple[str, ...] = ()
    source: str
    mark: Mark


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table `volume.toml`."""

    least_slices: Number
    most_slices: Number
    most_tilt_deg: Number
    most_orientation_difference: Number
    most_drift_mm: Number
    most_gap_of_thickness: Number
    most_gap_of_median: Number
    least_step_mm: Number
    most_step_mm: Number
    least_pixel_mm: Number
    most_pixel_mm: Number
    adult_from_years: Number
    contrast_said: Said
    child_said: Said


LIMITS: Final = table("volume", Limits)


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a header says about a series. None or empty: unknown, which is not the same as no."""

    modality: str | None = None
    body_part: str | None = None
    texts: tuple[str, ...] = ()  # descriptions and protocol
    image_type: tuple[str, ...] = ()
    age_years: float | None = None
    contrast: str | None = None  # the agent's name
    view: str | None = None  # PA, AP, LL …
    patient_position: str | None = None  # HFS, ERECT …


class Slice(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One slice as its header places it; millimetres in the patient's system (x left, y back, z up)."""

    values_hu: NDArray[np.float32]  # ``(rows, columns)``
    position_mm: tuple[float, float, float]  # of the first pixel's centre
    along_row: tuple[float, float, float]  # direction in which columns count up
    along_column: tuple[float, float, float]  # direction in which rows count up
    pixel_mm: tuple[float, float]  # between rows, between columns
    thickness_mm: float | None = None


class Volume(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A stack of parallel slices, feet first, the patient's right on the left."""

    hu: NDArray[np.float32]  # ``(slices, rows, columns)``
    pixel_mm: tuple[float, float]
    at_mm: NDArray[np.float64]  # ``(slices,)``: along the normal
    depth_mm: NDArray[np.float64]  # ``(slices,)``: the tissue that a slice stands for; sums up to the height
    thick_mm: NDArray[
        np.float64
    ]  # ``(slices,)``: as stated, else as deep; where slices overlap, more than deep
    aside_mm: NDArray[
        np.float64
    ]  # ``(slices, 2)``: first pixel against the normal through slice 0, rows and columns
    tilt_deg: float


def require_adult_plain(facts: Facts, limits: Limits = LIMITS) -> None:
    """Refuse children and contrast agent, by the fields of the header and by what descriptions say.

    An unknown age is taken for an adult's [E], unless a description speaks of a child: many scanners of clinics leave
    it out, and a detector may only raise.

    Raises
    ------
    NotAnalysed
        With ``child`` or ``contrast``.
    """
    if facts.age_years is not None and facts.age_years < limits.adult_from_years.value:
        raise NotAnalysed("child", f"{facts.age_years:g} years")
    if facts.age_years is None and (word := first_said(facts.texts, limits.child_said)):
        raise NotAnalysed("child", word)
    if facts.contrast:
        raise NotAnalysed("contrast")
    if word := first_said(facts.texts, limits.contrast_said):
        raise NotAnalysed("contrast", word)


def first_said(texts: Iterable[str], said: Said) -> str | None:
    """The first of these words in these texts, as it is there; None: none, or each stands behind a negation."""
    negated, words = _patterns(said)
    for text in texts:
        found = words.search(negated.sub(" ", unicodedata.normalize("NFKC", text)))
        if found is not None:
            return found.group()
    return None


@cache
def _patterns(said: Said) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What finds a word behind a negation, and what finds a word."""
    zh, en = _any_of(said.zh), _any_of(said.en)
    signs = "".join(f"|{_alone(sign)}" for sign in said.signs)
    word = rf"{zh}|(?<![A-Za-z]){en}(?![A-Za-z]){signs}"
    negated = (
        rf"{_any_of(said.negation_zh)}{zh}"
        rf"|(?<![A-Za-z]){_any_of(said.negation_en)}[\s_-]*{en}(?![A-Za-z])"
    )
    return re.compile(negated, re.IGNORECASE), re.compile(word, re.IGNORECASE)


def _alone(sign: str) -> str:
    """A sign whose letters belong to no longer word."""
    before = "(?<![A-Za-z0-9])" if sign[0].isalnum() else ""
    behind = "(?![A-Za-z0-9])" if sign[-1].isalnum() else ""
    return before + re.escape(sign) + behind


def _any_of(words: Iterable[str]) -> str:
    """The longest first; of no words a pattern that never matches."""
    found = "|".join(re.escape(one) for one in sorted(words, key=len, reverse=True))
    return f"(?:{found})" if found else "(?!)"


def stacked(slices: Sequence[Slice], pixel_mm: float | None = None, limits: Limits = LIMITS) -> Volume:
    """One volume of all slices of a series, in whatever order they come.

    Parameters
    ----------
    slices : at least eight
    pixel_mm : as `coarser` takes it, done slice by slice, which spares the memory of the whole; None: as they are
    limits : the table

    Raises
    ------
    NotAnalysed
        Where they are no complete stack of parallel, nearly axial slices.
    """
    if len(slices) < limits.least_slices.value:
        raise NotAnalysed("too_few_slices", f"{len(slices)}")
    if len(slices) > limits.most_slices.value:
        raise NotAnalysed("too_many_slices", f"{len(slices)}")
    first = slices[0]
    if any(one.values_hu.shape != first.values_hu.shape or one.pixel_mm != first.pixel_mm for one in slices):
        raise NotAnalysed("sizes_differ")
    if not all(limits.least_pixel_mm.value <= mm <= limits.most_pixel_mm.value for mm in first.pixel_mm):
        raise NotAnalysed("odd_pixels", f"{first.pixel_mm} mm")
    axes, normal = _axes(slices, limits)
    positions = np.array([one.position_mm for one in slices], float)
    along = positions @ normal
    order = np.argsort(along, kind="stable")
    at = along[order]
    thickness = [slices[k].thickness_mm for k in order]
    _check_steps(at, thickness, limits)
    aside = (positions[order] - positions[order[0]]) @ axes.T
    _check_line(at, aside, limits)
    by = _blocks(first.pixel_mm, pixel_mm)
    depth = _depths(at)
    return Volume(
        hu=np.stack([_means(slices[k].values_hu, by) for k in order]),
        pixel_mm=(first.pixel_mm[0] * by[0], first.pixel_mm[1] * by[1]),
        at_mm=at - at[0],
        depth_mm=depth,
        thick_mm=np.maximum([mm or 0.0 for mm in thickness], depth),
        aside_mm=aside,
        tilt_deg=float(np.degrees(np.arccos(min(1.0, abs(float(normal[2])))))),
    )


def upright(volume: Volume) -> Volume:
    """The same with the slices moved over each other as they lie in the patient, to the next whole pixel.

    Behind a tilted gantry the table moves across the normal, so that one pixel of two slices is not one place.
    """
    pixel = np.array(volume.pixel_mm)
    steps = np.rint(volume.aside_mm / pixel).astype(int)
    steps -= np.rint(np.median(steps, axis=0)).astype(int)
    hu = np.stack(
        [_moved(one, int(step[0]), int(step[1])) for one, step in zip(volume.hu, steps, strict=True)]
    )
    return msgspec.structs.replace(volume, hu=hu, aside_mm=volume.aside_mm - steps * pixel)


def coarser(volume: Volume, pixel_mm: float) -> Volume:
    """The same with means over square blocks of pixels, as near to `pixel_mm` as whole pixels come; never finer."""
    by = _blocks(volume.pixel_mm, pixel_mm)
    return msgspec.structs.replace(
        volume,
        hu=np.stack([_means(one, by) for one in volume.hu]),
        pixel_mm=(volume.pixel_mm[0] * by[0], volume.pixel_mm[1] * by[1]),
    )


def voxels_ml(volume: Volume) -> NDArray[np.float64]:
    """``(slices,)``: what one voxel of each slice holds."""
    return volume.depth_mm * (volume.pixel_mm[0] * volume.pixel_mm[1] / 1000.0)


def _blocks(pixels_mm: tuple[float, float], wanted_mm: float | None) -> tuple[int, int]:
    if wanted_mm is None:
        return 1, 1
    return max(1, round(wanted_mm / pixels_mm[0])), max(1, round(wanted_mm / pixels_mm[1]))


def _means(plane: NDArray[np.float32], by: tuple[int, int]) -> NDArray[np.float32]:
    if by == (1, 1):
        return plane
    rows, columns = plane.shape[0] // by[0], plane.shape[1] // by[1]
    blocks = plane[: rows * by[0], : columns * by[1]].reshape(rows, by[0], columns, by[1])
    means: NDArray[np.float32] = blocks.mean(axis=(1, 3), dtype=np.float32)
    return means


def _axes(slices: Sequence[Slice], limits: Limits) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The directions of rows and columns, ``(2, 3)``, and the normal, upwards."""
    cosines = np.array([[*one.along_column, *one.along_row] for one in slices], float)
    if np.abs(cosines - cosines[0]).max() > limits.most_orientation_difference.value:
        raise NotAnalysed("orientations_differ")
    axes = cosines[0].reshape(2, 3)
    normal = np.cross(axes[1], axes[0])
    length = float(np.linalg.norm(normal))
    least = np.cos(np.radians(limits.most_tilt_deg.value))
    # Rows run to the patient's left and columns to the back, or left and right would be exchanged.
    if length == 0 or normal[2] / length < least or axes[1][0] < least or axes[0][1] < least:
        raise NotAnalysed("not_axial")
    return axes, normal / length


def _check_steps(at: NDArray[np.float64], thickness: Sequence[float | None], limits: Limits) -> None:
    steps = np.diff(at)
    if steps.min() < limits.least_step_mm.value:
        raise NotAnalysed("same_place", f"{steps.min():.2f} mm apart")
    median = float(np.median(steps))
    for step, one, other in zip(steps, thickness, thickness[1:], strict=False):
        known = [mm for mm in (one, other) if mm is not None and mm > 0]
        most = (
            max(known) * limits.most_gap_of_thickness.value
            if len(known) == 2
            else median * limits.most_gap_of_median.value
        )
        if step > max(most, median * limits.most_gap_of_median.value):
            raise NotAnalysed("gap", f"{step:.1f} mm")
    if steps.max() > limits.most_step_mm.value:
        raise NotAnalysed("steps_too_wide", f"{steps.max():.1f} mm")


def _check_line(at: NDArray[np.float64], aside: NDArray[np.float64], limits: Limits) -> None:
    span = at - at.mean()
    slope = (span @ aside) / (span @ span)
    off = aside - aside.mean(axis=0) - span[:, None] * slope
    if np.abs(off).max() > limits.most_drift_mm.value:
        raise NotAnalysed("not_a_stack", f"{np.abs(off).max():.1f} mm aside")


def _depths(at: NDArray[np.float64]) -> NDArray[np.float64]:
    steps = np.diff(at)
    return np.concatenate([[steps[0]], steps]) / 2 + np.concatenate([steps, [steps[-1]]]) / 2


def _moved(plane: NDArray[np.float32], rows: int, columns: int) -> NDArray[np.float32]:
    """A plane moved by whole pixels; what comes in from outside is air."""
    if rows == columns == 0:
        return plane
    moved = np.full_like(plane, -1000.0)
    height, width = plane.shape
    if abs(rows) < height and abs(columns) < width:
        moved[max(0, rows) : height + min(0, rows), max(0, columns) : width + min(0, columns)] = plane[
            max(0, -rows) : height - max(0, rows), max(0, -columns) : width - max(0, columns)
        ]
    return moved
