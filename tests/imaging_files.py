"""DICOM objects for tests: small ones that are made here, and the samples where they are."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

ROOT_UID = "1.2.826.0.1.3680043.10.54321"


def ct(
    number: int = 1,
    *,
    study: int = 1,
    series: int = 1,
    size: int = 16,
    seed: int = 0,
    patient_id: str | None = "P1",
    name: str | None = "Wang^Xiao Ming",
    **more: Any,
) -> bytes:
    """A slice of an invented CT, `size` pixels wide; noise, so that no two are equal."""
    one = Dataset()
    one.SpecificCharacterSet = "ISO_IR 192"
    one.SOPClassUID = CTImageStorage
    one.StudyInstanceUID = f"{ROOT_UID}.{study}"
    one.SeriesInstanceUID = f"{ROOT_UID}.{study}.{series}"
    one.SOPInstanceUID = f"{ROOT_UID}.{study}.{series}.{number}"
    one.Modality = "CT"
    one.BodyPartExamined = "HEAD"
    one.StudyDescription = "头颅平扫"
    one.SeriesDescription = "5 mm"
    one.SeriesNumber, one.InstanceNumber = series, number
    one.PatientID, one.PatientName, one.PatientSex = patient_id, name, "M"
    one.StudyDate, one.StudyTime = "20260302", "075500"
    one.AccessionNumber = f"A{study}"
    one.Rows = one.Columns = size
    one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
    one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 16, 12, 11, 0
    one.PixelSpacing, one.SliceThickness = [0.5, 0.5], 5.0
    one.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    one.ImagePositionPatient = [0, 0, 5.0 * number]
    one.RescaleSlope, one.RescaleIntercept = 1, -1024
    pixels = np.random.default_rng([seed, study, series, number]).integers(0, 4096, (size, size))
    one.PixelData = pixels.astype("<u2").tobytes()
    for keyword, value in more.items():
        if value is None and keyword in one:
            del one[keyword]
        elif value is not None:
            setattr(one, keyword, value)
    return written(one)


def written(one: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """A data set as a file."""
    one.file_meta = FileMetaDataset()
    one.file_meta.MediaStorageSOPClassUID = one.get("SOPClassUID", CTImageStorage)
    one.file_meta.MediaStorageSOPInstanceUID = one.get("SOPInstanceUID", ROOT_UID)
    one.file_meta.TransferSyntaxUID = UID(syntax)
    out = io.BytesIO()
    one.save_as(out, enforce_file_format=True)
    return out.getvalue()


def related(parts: list[bytes], boundary: str = "b0") -> tuple[bytes, str]:
    """The body of a STOW-RS request, and its content type."""
    head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    body = b"".join(head + part + b"\r\n" for part in parts) + f"--{boundary}--\r\n".encode()
    return body, f'multipart/related; type="application/dicom"; boundary={boundary}'


def real_slices(data_dir: Path, count: int) -> dict[str, bytes]:
    """A CT of so many slices, made of the 28 of the sample: other identifiers, another pixel in one corner."""
    samples = sorted((data_dir / "dicom-images" / "head-ct-ge").glob("*.dcm"))
    slices = {}
    for number in range(1, count + 1):
        one = dcmread(samples[number % len(samples)])
        one.SOPInstanceUID = f"{one.SeriesInstanceUID[:50]}.{number}"
        one.InstanceNumber = number
        one.PixelData = number.to_bytes(2, "little") + one.PixelData[2:]
        one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
        out = io.BytesIO()
        one.save_as(out)
        slices[str(number)] = out.getvalue()
    return slices
