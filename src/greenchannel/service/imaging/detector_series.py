"""The files of one series, as detectors look at them: facts of the header, slices in Hounsfield units or a plane."""

import contextlib
import io
import math
from collections.abc import Iterable
from datetime import date
from typing import Any, Final

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import FileDataset

from greenchannel.triage.detectors.plugin import Plane, Series
from greenchannel.triage.detectors.volume import Facts, NotAnalysed, Slice

MOST_PIXELS: Final = 64_000_000  # of one image; a radiograph has some 20 million  [E]
_TEXTS: Final = ("StudyDescription", "SeriesDescription", "ProtocolName")
_AGE_UNITS: Final = {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0}


def series_of(files: Iterable[bytes]) -> Series:
    """Read all files of one series.

    Raises
    ------
    NotAnalysed
        Where one of them cannot be decoded, or its pixels are not what its header says.
    """
    slices: list[Slice] = []
    planes: list[Plane] = []
    facts: list[Facts] = []
    for data in files:
        image = _opened(data)
        facts.append(_facts(image))
        values = _values(image)
        placed = _slice(image, values)
        if placed is None:
            planes.append(Plane(values=values, pixel_mm=_spacing(image), inverted=_inverted(image)))
        else:
            slices.append(placed)
    if not facts:
        raise NotAnalysed("too_few_slices", "0")
    if slices and planes:
        raise NotAnalysed("no_geometry", f"{len(planes)} of {len(facts)}")
    return Series(facts=_joined(facts), slices=tuple(slices), planes=tuple(planes))


def _opened(data: bytes) -> FileDataset:
    try:
        return pydicom.dcmread(io.BytesIO(data), force=False)
    except Exception as error:  # whatever a broken file raises
        raise NotAnalysed("undecodable", type(error).__name__) from error


def _values(image: FileDataset) -> NDArray[np.float32]:
    try:
        if image.get("NumberOfFrames", 1) not in (1, None) or image.get("SamplesPerPixel", 1) != 1:
            raise NotAnalysed("undecodable", "several frames or colours")
        if int(image.Rows) * int(image.Columns) > MOST_PIXELS:
            raise NotAnalysed("undecodable", f"{image.Rows} x {image.Columns}")
        stored = image.pixel_array
        slope, intercept = _number(image, "RescaleSlope"), _number(image, "RescaleIntercept")
    except NotAnalysed:
        raise
    except Exception as error:
        raise NotAnalysed("undecodable", type(error).__name__) from error
    if image.get("Modality") == "CT" and (
        slope is None or intercept is None or image.get("RescaleType", "HU") not in ("HU", "")
    ):
        raise NotAnalysed("not_hounsfield")
    values = stored.astype(np.float32)
    values *= np.float32(1.0 if slope is None else slope)
    values += np.float32(intercept or 0.0)
    return values


def _slice(image: FileDataset, values: NDArray[np.float32]) -> Slice | None:
    position = _numbers(image, "ImagePositionPatient", 3)
    cosines = _numbers(image, "ImageOrientationPatient", 6)
    spacing = _spacing(image)
    if position is None or cosines is None or spacing is None:
        return None
    return Slice(
        values_hu=values,
        position_mm=(position[0], position[1], position[2]),
        along_row=(cosines[0], cosines[1], cosines[2]),
        along_column=(cosines[3], cosines[4], cosines[5]),
        pixel_mm=spacing,
        thickness_mm=_number(image, "SliceThickness"),
    )


def _facts(image: FileDataset) -> Facts:
    return Facts(
        modality=_text(image, "Modality"),
        body_part=_text(image, "BodyPartExamined"),
        texts=tuple(text for name in _TEXTS if (text := _text(image, name)) is not None),
        image_type=_several(image.get("ImageType")),
        age_years=_age_years(image),
        contrast=_text(image, "ContrastBolusAgent")
        or ("given" if image.get("ContrastBolusAgentSequence") else None),
        view=_text(image, "ViewPosition"),
        patient_position=_text(image, "PatientPosition") or _text(image, "PatientOrientation"),
    )


def _joined(facts: list[Facts]) -> Facts:
    """Of all files; where they differ, what keeps a detector from looking wins."""
    first = facts[0]
    ages = [one.age_years for one in facts if one.age_years is not None]
    return Facts(
        modality=first.modality if len({one.modality for one in facts}) == 1 else None,
        body_part=first.body_part if len({one.body_part for one in facts}) == 1 else None,
        texts=tuple(dict.fromkeys(text for one in facts for text in one.texts)),
        image_type=tuple(dict.fromkeys(text for one in facts for text in one.image_type)),
        age_years=min(ages, default=None),
        contrast=next((one.contrast for one in facts if one.contrast), None),
        view=first.view if len({one.view for one in facts}) == 1 else None,
        patient_position=first.patient_position,
    )


def _age_years(image: FileDataset) -> float | None:
    """The stated age, else the years between birth and study; None where neither can be read."""
    stated = _text(image, "PatientAge")
    if stated and stated[:-1].isdigit() and stated[-1] in _AGE_UNITS:
        return int(stated[:-1]) * _AGE_UNITS[stated[-1]]
    born, seen = _date(image, "PatientBirthDate"), _date(image, "StudyDate")
    return None if born is None or seen is None or seen < born else (seen - born).days / 365.25


def _date(image: FileDataset, name: str) -> date | None:
    text = (_text(image, name) or "").replace(".", "")
    with contextlib.suppress(ValueError):
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    return None


def _inverted(image: FileDataset) -> bool:
    return bool(image.get("PhotometricInterpretation") == "MONOCHROME1")


def _spacing(image: FileDataset) -> tuple[float, float] | None:
    for name in ("PixelSpacing", "ImagerPixelSpacing"):
        found = _numbers(image, name, 2)
        if found is not None:
            return found[0], found[1]
    return None


def _several(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(str(one) for one in value)


def _text(image: FileDataset, name: str) -> str | None:
    value: Any = image.get(name)
    text = "" if value is None else str(value).strip()
    return text or None


def _number(image: FileDataset, name: str) -> float | None:
    found = _numbers(image, name, 1)
    return None if found is None else found[0]


def _numbers(image: FileDataset, name: str, count: int) -> list[float] | None:
    value: Any = image.get(name)
    if value is None:
        return None
    try:
        numbers = [float(value)] if count == 1 else [float(one) for one in value]
    except (TypeError, ValueError):
        return None
    return numbers if len(numbers) == count and all(map(math.isfinite, numbers)) else None
