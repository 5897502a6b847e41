"""Objects without encoding, for programs that ask for no other form: Explicit VR Little Endian."""

import io
from typing import Final

from pydicom.filewriter import dcmwrite
from pydicom.uid import ExplicitVRLittleEndian

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.imaging.pixel_source import PixelSource, faults, read_dataset_of

MOST_BYTES: Final = 1024**3  # of the pixels of one object, decoded  [E]
_BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"


def to_explicit(data: bytes) -> bytes:
    """The object in Explicit VR Little Endian; pixels that were encoded are decoded, colour as RGB.

    Raises
    ------
    IngestError
        ``unsupported`` where no decoder reads it, or for big endian; ``too_large``; else as `PixelSource`.
    """
    dataset, syntax = read_dataset_of(data)
    if syntax == ExplicitVRLittleEndian and data[128:132] == b"DICM":
        return data
    if syntax == _BIG_ENDIAN:
        raise IngestError(
            "unsupported", "big endian objects are given as they came", "transfer-syntax=*", "another one"
        )
    if "PixelData" in dataset and dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        source = PixelSource(data)
        size = source.rows * source.columns * source.samples * source.bits_allocated // 8 * source.frame_count
        if size > MOST_BYTES:
            raise IngestError(
                "too_large", "the decoded object is too large", f"{MOST_BYTES} bytes", f"{size} bytes"
            )
        pixels = b"".join(source.native_frame(frame) for frame in range(source.frame_count))
        dataset = source.dataset
        with faults("the DICOM file cannot be written anew"):
            dataset.PixelData = pixels + b"\0" * (len(pixels) % 2)
            dataset["PixelData"].VR = "OB" if source.bits_allocated <= 8 else "OW"
            dataset["PixelData"].is_undefined_length = False
            if source.samples == 3:
                dataset.PhotometricInterpretation, dataset.PlanarConfiguration = "RGB", 0
    with faults("the DICOM file cannot be written anew"):
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        written = io.BytesIO()
        dcmwrite(written, dataset, enforce_file_format=True, little_endian=True, implicit_vr=False)
    return written.getvalue()
