"""The pixels of one DICOM object: what is there, decoded frame by frame, and what the stored values mean."""

import io
import logging
import multiprocessing
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import get_frame
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import read_dataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_modality_lut
from pydicom.uid import UID

from greenchannel.ingest.dicom_tags import DEFLATED, EXPLICIT, IMPLICIT, inflated
from greenchannel.ingest.errors import IngestError, shown
from greenchannel.ingest.imaging import jpeg_extended
from greenchannel.ingest.imaging.codestream import announced
from greenchannel.ingest.imaging.decode_apart import decoded_apart

MOST_SAMPLES: Final = 60_000_000
"""Rows times columns times samples of one frame: above any detector that is sold.  [E]"""

MOST_FRAMES: Final = 20_000  # [E]

_BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"
_NATIVE: Final = frozenset({IMPLICIT, EXPLICIT, DEFLATED, _BIG_ENDIAN})
_RLE: Final = "1.2.840.10008.1.2.5"
_EXTENDED: Final = "1.2.840.10008.1.2.4.51"
_PLUGINS: Final = {  # not left to pydicom, whose first is GDCM
    _RLE: "pydicom",
    "1.2.840.10008.1.2.4.50": "pillow",
    _EXTENDED: "",
    "1.2.840.10008.1.2.4.57": "",
    "1.2.840.10008.1.2.4.70": "",
    "1.2.840.10008.1.2.4.80": "pyjpegls",
    "1.2.840.10008.1.2.4.81": "pyjpegls",
    "1.2.840.10008.1.2.4.90": "pylibjpeg",
    "1.2.840.10008.1.2.4.91": "pylibjpeg",
}
_VALUE_KINDS: Final = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")

RAISED: Final = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, NotImplementedError, OSError,
    RuntimeError, TypeError, ValueError, struct.error, zlib.error, InvalidDicomError, BytesLengthException,
)  # fmt: skip
"""What pydicom and the decoders let out when their input is broken; they look when they are asked, so anywhere."""

_turn = threading.RLock()


class PixelSource:
    """One object, read once; its frames are decoded when they are asked for.

    Parameters
    ----------
    data
        A DICOM file, or a bare data set.

    Raises
    ------
    IngestError
        ``malformed``, ``truncated``, ``too_large``; ``unsupported`` for an object without pixels, or in a transfer
        syntax that no decoder here reads.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.dataset, self.transfer_syntax = read_dataset_of(data)
        self._kind = next((kind for kind in _VALUE_KINDS if kind in self.dataset), "")
        if not self._kind:
            with faults("the DICOM file cannot be read"):
                name = shown(UID(str(self.dataset.get("SOPClassUID", "") or "")).name)
            raise IngestError("unsupported", "this DICOM object holds no picture", "pixel data", name)
        with faults("the description of the picture cannot be read"):
            self.rows = _whole(self.dataset, "Rows")
            self.columns = _whole(self.dataset, "Columns")
            self.samples = _whole(self.dataset, "SamplesPerPixel", 1)
            self.frame_count = _whole(self.dataset, "NumberOfFrames", 1)
            self.bits_allocated = _whole(self.dataset, "BitsAllocated")
            self.bits_stored = int(self.dataset.get("BitsStored") or self.bits_allocated)
            self.high_bit = int(self.dataset.get("HighBit", self.bits_stored - 1))
            self.is_signed = int(self.dataset.get("PixelRepresentation", 0) or 0) == 1
            self.photometric = str(self.dataset.get("PhotometricInterpretation", "") or "").strip()
            self.modality = str(self.dataset.get("Modality", "") or "")
        self._check()

    @property
    def is_float(self) -> bool:
        """Are the values floating-point numbers?"""
        return self._kind != "PixelData"

    @property
    def is_colour(self) -> bool:
        """Is it red, green and blue in the end?"""
        return self.samples == 3 or self.photometric == "PALETTE COLOR"

    @property
    def is_encapsulated(self) -> bool:
        """Are the frames encoded one by one?"""
        return self.transfer_syntax not in _NATIVE

    def _check(self) -> None:
        if self.samples not in (1, 3):
            raise IngestError(
                "unsupported",
                "the picture has an odd number of samples",
                "1 or 3 samples a pixel",
                f"{self.samples}",
            )
        count = self.rows * self.columns * self.samples
        if count > MOST_SAMPLES or self.frame_count > MOST_FRAMES:
            raise IngestError(
                "too_large",
                "the picture is too large",
                f"at most {MOST_SAMPLES} values in each of {MOST_FRAMES} frames",
                f"{count} values in {self.frame_count} frames",
            )
        if not 1 <= self.bits_stored <= self.bits_allocated <= 64 or self.high_bit >= self.bits_allocated:
            raise IngestError(
                "malformed", "the bits of the picture do not fit each other", "stored bits within the allocated ones",
                f"{self.bits_stored} of {self.bits_allocated}, the highest {self.high_bit}",
            )  # fmt: skip
        if self.is_encapsulated and not _has_decoder(self.transfer_syntax):
            name = shown(UID(self.transfer_syntax).name)
            raise IngestError(
                "unsupported", "no decoder here reads this transfer syntax", "one that is read", name
            )

    # ------------------------------------------------------------ frames

    def _known(self, frame: int) -> None:
        if not 0 <= frame < self.frame_count:
            raise IngestError(
                "bad_field", "there is no such frame", f"0 to {self.frame_count - 1}", shown(frame)
            )

    def frame(self, frame: int) -> NDArray[Any]:
        """One frame as it is stored, counted from 0: ``(rows, columns)``, or ``(rows, columns, 3)`` as RGB.

        Bits above the stored ones are gone, and the sign is right; of a palette it is the index.
        """
        self._known(frame)
        if self.is_encapsulated and self.transfer_syntax != _RLE:
            self._compare(self.encoded_frame(frame))
        with faults("the picture cannot be decoded"):
            array = self._decoded(frame)
        if array.shape[:2] != (self.rows, self.columns):
            raise IngestError(
                "malformed", "the decoded picture has another size", f"{self.rows} × {self.columns}",
                f"{array.shape[:2]}",
            )  # fmt: skip
        return self._stored_bits(array)

    def _decoded(self, frame: int) -> NDArray[Any]:
        # What runs as a daemon may die over a frame, and may have no process below it.
        if self._plugin() == "" and not multiprocessing.current_process().daemon:
            return decoded_apart(self._data, frame)
        return self.decoded_here(frame)

    def _plugin(self) -> str | None:
        """Which decoder behind pydicom; "" for GDCM, which must not run in this process; None: only one reads it."""
        if self.transfer_syntax == _EXTENDED and self.bits_stored == 8:
            return "pillow"
        return _PLUGINS.get(self.transfer_syntax)

    def decoded_here(self, frame: int) -> NDArray[Any]:
        """One frame as the decoder gives it, in this process, whatever may become of that."""
        said: Any = {"number_of_frames": self.frame_count}
        if plugin := self._plugin():
            said["decoding_plugin"] = plugin
        array, _ = get_decoder(UID(self.transfer_syntax)).as_array(self.dataset, index=frame, **said)
        return array

    def frames(self) -> Iterator[NDArray[Any]]:
        """All frames in order, one at a time."""
        for frame in range(self.frame_count):
            yield self.frame(frame)

    def _stored_bits(self, array: NDArray[Any]) -> NDArray[Any]:
        """Without what others kept in the bits beside the value, such as an overlay."""
        native: NDArray[Any] = array.astype(array.dtype.newbyteorder("="), copy=False)
        if self.is_float or self.is_colour or self.bits_stored >= native.dtype.itemsize * 8:
            return native
        shift = self.high_bit + 1 - self.bits_stored if not self.is_encapsulated else 0
        if shift <= 0 and _fits(native, self.bits_stored, self.is_signed):
            return native
        kind = np.dtype(f"u{native.dtype.itemsize}")
        bits: NDArray[Any] = (native.view(kind) >> max(0, shift)) & kind.type((1 << self.bits_stored) - 1)
        if not self.is_signed:
            return bits
        sign = kind.type(1 << (self.bits_stored - 1))
        signed: NDArray[Any] = ((bits ^ sign) - sign).view(np.dtype(f"i{native.dtype.itemsize}"))
        return signed

    def _compare(self, encoded: bytes) -> None:
        """What the codestream announces is what Rows and Columns say, or it is not decoded."""
        said = announced(encoded)
        if said is None:
            raise IngestError(
                "malformed", "the encoded picture has no header that can be read", "a frame header", "none"
            )
        if (said.rows, said.columns, said.components) != (self.rows, self.columns, self.samples):
            raise IngestError(
                "malformed", "the encoded picture has another size than the object says",
                f"{self.rows} × {self.columns} × {self.samples}",
                f"{said.rows} × {said.columns} × {said.components}",
            )  # fmt: skip

    def encoded_frame(self, frame: int) -> bytes:
        """The bytes of one encoded frame, as they came; of an object that is not encapsulated: `native_frame`."""
        self._known(frame)
        if not self.is_encapsulated:
            return self.native_frame(frame)
        with faults("the encoded picture cannot be cut into frames"):
            return get_frame(self.dataset.PixelData, frame, number_of_frames=self.frame_count)

    def native_frame(self, frame: int) -> bytes:
        """One frame without encoding, little endian.

        What came so is as it came, whatever its colours and planes. What was encoded is decoded: colour as RGB,
        pixel by pixel. Single bits are packed as PS3.5 8.1.1 has them.
        """
        self._known(frame)
        samples = 2 if self.photometric == "YBR_FULL_422" else self.samples
        bits = self.rows * self.columns * samples * self.bits_allocated
        if self.is_encapsulated or bits % 8 or self.bits_allocated == 1:
            return self._decoded_bytes(frame)
        with faults("the picture cannot be read"):
            data: bytes = self.dataset[self._kind].value
            piece = data[frame * bits // 8 : (frame + 1) * bits // 8]
        if len(piece) < bits // 8:
            raise IngestError(
                "truncated", "the picture ends too early", f"{bits // 8} bytes", f"{len(piece)}"
            )
        if self.transfer_syntax == _BIG_ENDIAN and self.bits_allocated > 8:
            width = self.bits_allocated // 8
            return np.frombuffer(piece, f">u{width}").astype(f"<u{width}").tobytes()
        return piece

    def _decoded_bytes(self, frame: int) -> bytes:
        array = self.frame(frame)
        if self.bits_allocated == 1:
            return np.packbits(array.astype(bool), bitorder="little").tobytes()
        return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()

    # ------------------------------------------------------------ meaning

    def group(self, frame: int, sequence: str) -> Dataset:
        """What holds a macro of one frame: its own group, the shared one, or the object (PS3.3 C.7.6.16)."""
        for groups, index in (
            ("PerFrameFunctionalGroupsSequence", frame),
            ("SharedFunctionalGroupsSequence", 0),
        ):
            items = self.dataset.get(groups) or []
            if index < len(items) and items[index].get(sequence):
                found: Dataset = items[index].get(sequence)[0]
                return found
        return self.dataset

    def in_unit(self, stored: NDArray[Any], frame: int) -> NDArray[np.float64]:
        """Stored values of one sample in the unit of the modality (HU for CT), by its rescaling or its table."""
        with faults("the rescaling of the values cannot be read"):
            if self.dataset.get("ModalityLUTSequence"):
                return np.asarray(apply_modality_lut(stored, self.dataset), np.float64)
            place = self.group(frame, "PixelValueTransformationSequence")
            slope, intercept = place.get("RescaleSlope"), place.get("RescaleIntercept")
            values = np.asarray(stored, np.float64)
            if slope is None or intercept is None:
                return values
            if not (np.isfinite(float(slope)) and np.isfinite(float(intercept))):
                raise ValueError("no number")
            return values * float(slope) + float(intercept)


def _fits(array: NDArray[Any], bits: int, is_signed: bool) -> bool:
    lowest, highest = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if is_signed else (0, (1 << bits) - 1)
    return bool(array.min(initial=0) >= lowest and array.max(initial=0) <= highest)


def _has_decoder(syntax: str) -> bool:
    try:
        return bool(get_decoder(UID(syntax)).is_available)
    except NotImplementedError:
        return False


def _whole(dataset: Dataset, keyword: str, unsaid: int | None = None) -> int:
    """A number above 0 that the picture needs."""
    value = dataset.get(keyword)
    if value in (None, "") and unsaid is not None:
        return unsaid
    number = int(value)
    if number < 1:
        raise ValueError(keyword)
    return number


class faults:
    """Within it, what pydicom or a decoder raises becomes ``malformed``, and their warnings and logs are silent.

    Their words may quote values, so a patient's name: they must not reach a log. One thread at a time, since warning
    filters belong to the whole process.
    """

    def __init__(self, message: str) -> None:
        self._message = message

    def __enter__(self) -> None:
        _turn.acquire()
        logging.getLogger("pydicom").setLevel(logging.ERROR)
        self._caught = warnings.catch_warnings()
        self._caught.__enter__()
        warnings.simplefilter("ignore")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        self._caught.__exit__(None, None, None)
        _turn.release()
        if isinstance(error, IngestError) or not isinstance(error, RAISED):
            return
        code = "truncated" if "less than expected" in str(error) else "malformed"
        raise IngestError(code, self._message, "a DICOM image", f"a {type(error).__name__}") from error


def read_dataset_of(data: bytes) -> tuple[Dataset, str]:
    """The data set of a file, and its transfer syntax: where the file does not say it, that by which it could be read.

    The group of the file's head is there, too, as `file_meta`. Raises `IngestError` as `PixelSource`.
    """
    jpeg_extended.install()
    with faults("the DICOM file cannot be read"):
        if data[128:132] == b"DICM":
            stream = io.BytesIO(data)
            stream.seek(132)
            meta = read_dataset(stream, False, True, stop_when=lambda tag, _vr, _length: tag.group != 2)
            syntax = str(meta.get("TransferSyntaxUID", ""))
            if syntax == DEFLATED:
                # Not left to pydicom, which unpacks without a bound.
                dataset = read_dataset(io.BytesIO(inflated(data, stream.tell())), False, True)
                dataset.file_meta = FileMetaDataset(meta)
                return dataset, syntax
        dataset = dcmread(io.BytesIO(data), force=True)
        if not hasattr(dataset, "file_meta"):
            dataset.file_meta = FileMetaDataset()
        said = str(dataset.file_meta.get("TransferSyntaxUID", "") or "")
        implicit, little = dataset.original_encoding
        if not said:
            said = IMPLICIT if implicit else EXPLICIT if little else _BIG_ENDIAN
            dataset.file_meta.TransferSyntaxUID = UID(said)
        return dataset, said
