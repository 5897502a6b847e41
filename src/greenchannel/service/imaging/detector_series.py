"""The files of one series, as detectors look at them: facts of the header, slices in Hounsfield units or a plane."""

import contextlib
import math
from collections.abc import Iterable
from datetime import date
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.imaging.pixel_source import PixelSource
from greenchannel.ingest.imaging.pixels import values_hu
from greenchannel.triage.detectors.plugin import Plane, Series
from greenchannel.triage.detectors.volume import Facts, NotAnalysed, Slice

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
        source = _opened(data)
        image = source.dataset
        facts.append(_facts(image))
        values = _values(source)
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


def _opened(data: bytes) -> PixelSource:
    try:
        source = PixelSource(data)
    except IngestError as error:
        raise NotAnalysed("undecodable", error.code) from error
    if source.frame_count != 1 or source.is_colour:
        raise NotAnalysed("undecodable", "several frames or colours")
    return source


def _values(source: PixelSource) -> NDArray[np.float32]:
    """As the viewer has them: HU of a CT, without what lies in the bits beside the value."""
    if source.modality == "CT" and not _is_hounsfield(source.dataset):
        raise NotAnalysed("not_hounsfield")
    try:
        return values_hu(source)
    except IngestError as error:
        raise NotAnalysed("undecodable", error.code) from error


def _is_hounsfield(image: Dataset) -> bool:
    if tables := image.get("ModalityLUTSequence"):
        return bool(tables[0].get("ModalityLUTType") == "HU")
    rescaled = _number(image, "RescaleSlope") is not None and _number(image, "RescaleIntercept") is not None
    return rescaled and image.get("RescaleType", "HU") in ("HU", "")


def _slice(image: Dataset, values: NDArray[np.float32]) -> Slice | None:
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


def _facts(image: Dataset) -> Facts:
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


def _age_years(image: Dataset) -> float | None:
    """The stated age, else the years between birth and study; None where neither can be read."""
    stated = _text(image, "PatientAge")
    if stated and stated[:-1].isdigit() and stated[-1] in _AGE_UNITS:
        return int(stated[:-1]) * _AGE_UNITS[stated[-1]]
    born, seen = _date(image, "PatientBirthDate"), _date(image, "StudyDate")
    return None if born is None or seen is None or seen < born else (seen - born).days / 365.25


def _date(image: Dataset, name: str) -> date | None:
    text = (_text(image, name) or "").replace(".", "")
    with contextlib.suppress(ValueError):
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    return None


def _inverted(image: Dataset) -> bool:
    return bool(image.get("PhotometricInterpretation") == "MONOCHROME1")


def _spacing(image: Dataset) -> tuple[float, float] | None:
    for name in ("PixelSpacing", "ImagerPixelSpacing"):
        found = _numbers(image, name, 2)
        if found is not None:
            return found[0], found[1]
    return None


def _several(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(str(one) for one in value)


def _text(image: Dataset, name: str) -> str | None:
    value: Any = image.get(name)
    text = "" if value is None else str(value).strip()
    return text or None


def _number(image: Dataset, name: str) -> float | None:
    found = _numbers(image, name, 1)
    return None if found is None else found[0]


def _numbers(image: Dataset, name: str, count: int) -> list[float] | None:
    value: Any = image.get(name)
    if value is None:
        return None
    try:
        numbers = [float(value)] if count == 1 else [float(one) for one in value]
    except (TypeError, ValueError):
        return None
    return numbers if len(numbers) == count and all(map(math.isfinite, numbers)) else None
