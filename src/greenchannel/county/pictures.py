"""Images of the demo, drawn by code: a chest X-ray and a head CT of nobody, plain enough to be known as drawings."""

import io
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    CTImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    generate_uid,
)

Pixels = NDArray[np.float64]

SAID: Final = "模拟图像 simulated"
HEAD_SLICES: Final = 20
HEAD_SIDE: Final = 256
CHEST_SIDE: Final = 640
SLICE_MM: Final = 6.0
HEAD_MM: Final = 240.0  # width of the picture
CHEST_MM: Final = 430.0
AIR, SCALP, BONE, BRAIN, WATER = -1000.0, 30.0, 1100.0, 34.0, 6.0  # HU


def chest_x_ray(patient_ref: str, at: datetime) -> list[bytes]:
    """One view; `at` becomes its date and time, as the machine's own clock says them."""
    one = _about(patient_ref, at, "DX", "CHEST", "胸部正位 Chest PA", generate_uid())
    one.ViewPosition, one.PatientOrientation = "PA", ["L", "F"]
    pixels = np.clip(_chest() * 4095.0, 0, 4095)
    _put(one, pixels, CHEST_MM / CHEST_SIDE, bits=12)
    one.PixelIntensityRelationship, one.PixelIntensityRelationshipSign = "LIN", -1
    one.PresentationLUTShape = "IDENTITY"
    one.WindowCenter, one.WindowWidth = 2048, 4096
    return [_written(one, DigitalXRayImageStorageForPresentation, 1)]


def head_ct(patient_ref: str, at: datetime) -> list[bytes]:
    """Slices from the base upwards."""
    study, series = generate_uid(), generate_uid()
    slices = []
    for number in range(1, HEAD_SLICES + 1):
        one = _about(patient_ref, at, "CT", "HEAD", "头颅平扫 Head CT", study)
        one.SeriesInstanceUID = series
        _put(one, np.round(_head(number)) + 1024.0, HEAD_MM / HEAD_SIDE, bits=12)
        one.RescaleSlope, one.RescaleIntercept, one.RescaleType = 1, -1024, "HU"
        one.WindowCenter, one.WindowWidth = 40, 80
        one.SliceThickness = SLICE_MM
        one.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        one.ImagePositionPatient = [-HEAD_MM / 2, -HEAD_MM / 2, SLICE_MM * number]
        one.FrameOfReferenceUID = series
        slices.append(_written(one, CTImageStorage, number))
    return slices


# ---------------------------------------------------------------- what is drawn


def _grid(side: int) -> tuple[Pixels, Pixels]:
    """From -1 to 1, to the right and downwards."""
    across = np.linspace(-1.0, 1.0, side)
    return np.meshgrid(across, across)


def _oval(x: Pixels, y: Pixels, at: tuple[float, float], half: tuple[float, float]) -> Pixels:
    """Below 1 within an ellipse."""
    found: Pixels = np.hypot((x - at[0]) / half[0], (y - at[1]) / half[1])
    return found


def _soft(distance: Pixels, width: float) -> Pixels:
    """1 within, 0 without, with an edge of some width."""
    found: Pixels = 1.0 / (1.0 + np.exp(np.clip((distance - 1.0) / width, -50.0, 50.0)))
    return found


def _head(number: int) -> Pixels:
    """One slice, HU: the head narrows towards its top, the ventricles lie in its middle."""
    x, y = _grid(HEAD_SIDE)
    height = (number - 1) / (HEAD_SLICES - 1)
    size = 0.62 + 0.3 * float(np.sin(np.pi * (0.18 + 0.62 * height)))
    half = (0.72 * size, 0.9 * size)
    noise = np.random.default_rng(1000 + number).normal(0.0, 3.0, x.shape)
    hu = np.full_like(x, AIR)
    hu[_oval(x, y, (0.0, 0.0), half) < 1.0] = SCALP
    hu[_oval(x, y, (0.0, 0.0), (0.94 * half[0], 0.95 * half[1])) < 1.0] = BONE
    inside = _oval(x, y, (0.0, 0.0), (0.86 * half[0], 0.885 * half[1])) < 1.0
    folds = np.sin(19.0 * np.arctan2(y, x) + number) * (_oval(x, y, (0.0, 0.0), half) > 0.74)
    hu[inside] = (BRAIN - 6.0 * (folds > 0.72))[inside]
    hu[inside & (np.abs(x) < 0.006)] = 42.0  # the fold between the halves
    if 0.35 < height < 0.75:
        for side in (-1.0, 1.0):
            turned = (x - side * 0.35 * y, y)
            hu[(_oval(*turned, (side * 0.1, -0.12), (0.05, 0.2)) < 1.0) & inside] = WATER
    found: Pixels = np.clip(hu + noise, -1024.0, 3000.0)
    return found


def _chest() -> Pixels:
    """One view, 0 black to 1 white: lungs dark, bone and heart light."""
    x, y = _grid(CHEST_SIDE)
    picture = 0.08 + 0.5 * _soft(_oval(x, y, (0.0, 0.3), (0.93, 1.35)), 0.03)
    lungs = np.maximum(
        _soft(_oval(x, y, (-0.42, -0.02), (0.34, 0.68)), 0.05),
        _soft(_oval(x, y, (0.42, -0.02), (0.34, 0.68)), 0.05),
    )
    lungs = lungs * (1.0 - _soft(_oval(x, y, (-0.42, 0.86), (0.5, 0.4)), 0.05))
    lungs = lungs * (1.0 - _soft(_oval(x, y, (0.42, 0.92), (0.5, 0.4)), 0.05))
    picture = picture - 0.42 * lungs
    for rib in range(9):  # behind, from the spine downwards and outwards
        middle = -0.72 + 0.155 * rib + 0.35 * np.abs(x) - 0.12 * np.abs(x) ** 2
        picture = picture + 0.075 * np.exp(-(((y - middle) / 0.022) ** 2)) * (np.abs(x) > 0.1) * lungs
    picture = picture + 0.2 * _soft(_oval(x, y, (0.13, 0.24), (0.3, 0.32)), 0.06)  # the heart
    picture = picture + 0.1 * _soft(np.abs(x) / 0.085, 0.1)  # the spine
    for side in (-1.0, 1.0):  # the collar bones
        along = (side * x > 0.06) & (side * x < 0.62)
        picture = picture + 0.13 * np.exp(-(((y + 0.74 + 0.12 * side * x) / 0.028) ** 2)) * along
    found: Pixels = picture + np.random.default_rng(7).normal(0.0, 0.008, x.shape)
    return found


# ---------------------------------------------------------------- how it is written


def _about(patient_ref: str, at: datetime, modality: str, part: str, words: str, study: UID) -> Dataset:
    one = Dataset()
    one.SpecificCharacterSet = "ISO_IR 192"
    one.ImageType = ["ORIGINAL", "PRIMARY"]
    one.StudyInstanceUID, one.SeriesInstanceUID = study, generate_uid()
    one.Modality, one.BodyPartExamined = modality, part
    one.StudyDescription, one.SeriesDescription = words, SAID
    one.Manufacturer, one.BurnedInAnnotation = "greenchannel demo", "NO"
    one.PatientID, one.PatientName, one.PatientSex = patient_ref, "模拟^病人", "F"
    one.PatientBirthDate = ""
    one.StudyDate = one.ContentDate = at.strftime("%Y%m%d")
    one.StudyTime = one.ContentTime = at.strftime("%H%M%S")
    one.TimezoneOffsetFromUTC = at.strftime("%z")
    one.AccessionNumber, one.StudyID, one.ReferringPhysicianName = "", "1", ""
    one.SeriesNumber = 1
    return one


def _put(one: Dataset, pixels: Pixels, spacing_mm: float, *, bits: int) -> None:
    one.Rows, one.Columns = pixels.shape
    one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
    one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 16, bits, bits - 1, 0
    one.PixelSpacing = [round(spacing_mm, 4)] * 2
    one.PixelData = np.clip(pixels, 0, 2**bits - 1).astype("<u2").tobytes()


def _written(one: Dataset, sop_class: UID, number: int) -> bytes:
    one.SOPClassUID, one.SOPInstanceUID, one.InstanceNumber = sop_class, generate_uid(), number
    one.file_meta = FileMetaDataset()
    one.file_meta.MediaStorageSOPClassUID = sop_class
    one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
    one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    out = io.BytesIO()
    one.save_as(out, enforce_file_format=True)
    return out.getvalue()
