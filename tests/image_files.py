"""DICOM images made for tests: small, with nobody's name, each one element away from an ordinary CT slice."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

STUDY = "1.2.826.0.1.3680043.8.498.1"


def image(stored: NDArray[Any], *, syntax: str = ExplicitVRLittleEndian, **elements: Any) -> bytes:
    """A CT slice of `stored` values, ``(rows, columns)``, ``(frames, rows, columns)`` or with 3 samples at the end."""
    colour = stored.shape[-1] == 3 and stored.ndim > 2
    frames = stored.shape[0] if stored.ndim - colour > 2 else 1
    rows, columns = stored.shape[-3:-1] if colour else stored.shape[-2:]
    bits = stored.dtype.itemsize * 8
    dataset = Dataset()
    given = {
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": f"{STUDY}.1.1",
        "StudyInstanceUID": STUDY,
        "SeriesInstanceUID": f"{STUDY}.1",
        "Modality": "OT",
        "PatientID": "T-1",
        "PatientName": "Test^Image",
        "SamplesPerPixel": 3 if colour else 1,
        "PhotometricInterpretation": "RGB" if colour else "MONOCHROME2",
        "Rows": rows,
        "Columns": columns,
        "BitsAllocated": bits,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": int(stored.dtype.kind == "i"),
        "PixelData": stored.tobytes() + b"\0" * (stored.nbytes % 2),
    }
    if colour:
        given["PlanarConfiguration"] = 0
    if frames > 1:
        given["NumberOfFrames"] = frames
    for keyword, value in (given | elements).items():
        if value is not None:
            setattr(dataset, keyword, value)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(syntax)
    meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID", CTImageStorage)
    meta.MediaStorageSOPInstanceUID = dataset.get("SOPInstanceUID", f"{STUDY}.1.1")
    dataset.file_meta = meta
    if "PixelData" in dataset:
        dataset["PixelData"].is_undefined_length = meta.TransferSyntaxUID.is_encapsulated
    written = io.BytesIO()
    dcmwrite(written, dataset, enforce_file_format=True, little_endian=True, implicit_vr=False)
    return written.getvalue()


def ramp(kind: str = "uint16", rows: int = 16, columns: int = 16, step: int = 1) -> NDArray[Any]:
    """Values that all differ, from 0 on."""
    return (np.arange(rows * columns).reshape(rows, columns) * step).astype(kind)


def encoded(frames: list[bytes], stored: NDArray[Any], syntax: str, **elements: Any) -> bytes:
    """As `image`, with `frames` of an encoder in place of the pixels."""
    return image(stored, syntax=syntax, PixelData=encapsulate(frames), **elements)
