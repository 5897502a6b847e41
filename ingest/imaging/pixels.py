"""Pixels of DICOM images: stored frames, values in the unit of the modality, and pictures for a page.

What a picture shows is the grey scale of PS3.4 N.2: the modality's rescaling, then a window or a table of the image,
then the inversion that MONOCHROME1 asks for. Colour is shown as it is.
"""

import io
from collections.abc import Iterator
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.pixels.processing import apply_color_lut, apply_voi

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.imaging.pixel_source import PixelSource, faults
from greenchannel.ingest.imaging.windows import Window, between, is_window, to_grey, usual_window, windowed

Kind = Literal["jpeg", "png"]

QUALITY: Final = 90  # of a JPEG, 100 the best  [E]
MOST_TABLE_BITS: Final = 16
MEDIA_TYPES: Final = {"jpeg": "image/jpeg", "png": "image/png"}


def frames(data: bytes) -> Iterator[NDArray[Any]]:
    """All frames of an image as they are stored, decoded one at a time: ``(rows, columns)`` or ``(rows, columns, 3)``
    as RGB.

    Raises
    ------
    IngestError
        As `PixelSource`.
    """
    return PixelSource(data).frames()


def values_hu(data: bytes | PixelSource, frame: int = 0) -> NDArray[np.float32]:
    """One frame in the unit of the modality, ``(rows, columns)``: HU for CT, else what the rescaling gives.

    Raises
    ------
    IngestError
        As `PixelSource`; ``unsupported`` for colour; ``bad_field`` for a frame that is not there.
    """
    source = data if isinstance(data, PixelSource) else PixelSource(data)
    if source.is_colour:
        raise IngestError(
            "unsupported", "a colour image has no values", "one sample a pixel", source.photometric
        )
    return source.in_unit(source.frame(frame), frame).astype(np.float32)


def render(
    data: bytes | PixelSource,
    frame: int = 0,
    *,
    window: Window | tuple[float, float] | None = None,
    invert: bool = False,
    size: tuple[int, int] | None = None,
    kind: Kind = "jpeg",
    quality: int = QUALITY,
) -> bytes:
    """A picture of one frame.

    Parameters
    ----------
    window
        Centre and width in the unit of the modality; None: the image's own, else its table, else the usual one of its
        modality, else from the darkest to the brightest value. Colour takes no notice.
    size
        Width and height that the picture may have at most; pixels that are not square are made so. It is never
        enlarged. None: pixel by pixel.
    quality
        1 to 100, of a JPEG.

    Raises
    ------
    IngestError
        As `PixelSource`; ``bad_field`` for a window, frame or size that cannot be.
    """
    source = data if isinstance(data, PixelSource) else PixelSource(data)
    picture = Image.fromarray(shown_values(source, frame, window=window, invert=invert))
    if size is not None:
        picture = _within(picture, source, size)
    written = io.BytesIO()
    if kind == "png":
        picture.save(written, "PNG", compress_level=3)
    else:
        picture.save(written, "JPEG", quality=quality, subsampling=0 if quality >= QUALITY else 2)
    return written.getvalue()


def shown_values(
    data: bytes | PixelSource,
    frame: int = 0,
    *,
    window: Window | tuple[float, float] | None = None,
    invert: bool = False,
) -> NDArray[np.uint8]:
    """As `render`, the array alone: ``(rows, columns)`` grey or ``(rows, columns, 3)`` RGB, 0 to 255."""
    source = data if isinstance(data, PixelSource) else PixelSource(data)
    chosen = _window(window)
    stored = source.frame(frame)
    with faults("how the picture is shown cannot be read"):
        if source.is_colour:
            colour = _colour(source, stored)
            return 255 - colour if invert else colour
        return _grey(source, frame, stored, chosen, invert != _is_inverse(source))


def _window(window: Window | tuple[float, float] | None) -> Window | None:
    if window is None:
        return None
    found = window if isinstance(window, Window) else Window(center=window[0], width=window[1])
    if not is_window(found.center, found.width, found.function):
        raise IngestError(
            "bad_field", "this is no window", "a centre and a width of at least 1",
            f"{found.center}, {found.width}, {found.function}",
        )  # fmt: skip
    return found


def _is_inverse(source: PixelSource) -> bool:
    return source.photometric == "MONOCHROME1" or source.dataset.get("PresentationLUTShape") == "INVERSE"


# ---------------------------------------------------------------- colour


def _colour(source: PixelSource, stored: NDArray[Any]) -> NDArray[np.uint8]:
    bits = source.bits_stored
    if source.photometric == "PALETTE COLOR":
        stored = apply_color_lut(stored, source.dataset)
        bits = stored.dtype.itemsize * 8
    if bits > 8:
        stored = stored >> (bits - 8)
    elif bits < 8:
        return to_grey(stored.astype(np.float64) * (255.0 / ((1 << bits) - 1)))
    return np.ascontiguousarray(stored.astype(np.uint8, copy=False))


# ---------------------------------------------------------------- grey


def _grey(
    source: PixelSource, frame: int, stored: NDArray[Any], window: Window | None, inverted: bool
) -> NDArray[np.uint8]:
    if source.is_float or source.bits_stored > MOST_TABLE_BITS:
        grey = _by_values(source, frame, stored, stored, window)
        return 255 - grey if inverted else grey
    bits = source.bits_stored
    domain = np.arange(1 << bits, dtype=np.int32)
    if source.is_signed:
        domain[1 << (bits - 1) :] -= 1 << bits  # as an index, a number below 0 lies behind the others
    table = _by_values(source, frame, domain, stored, window)
    if inverted:
        table = 255 - table
    index = stored.view(np.dtype(f"u{stored.dtype.itemsize}")) & ((1 << bits) - 1)
    return np.take(table, index)


def _by_values(
    source: PixelSource, frame: int, values: NDArray[Any], stored: NDArray[Any], window: Window | None
) -> NDArray[np.uint8]:
    """Grey for `values`, which are `stored` ones, or all that could be."""
    in_unit = source.in_unit(values, frame)
    window = window or own_window(source, frame)
    if window is not None:
        return windowed(in_unit, window)
    place = source.group(frame, "FrameVOILUTSequence")
    if place.get("VOILUTSequence"):
        whole = np.clip(np.rint(in_unit), -(2**31), 2**31 - 1).astype(np.int32)
        bits = int(place.VOILUTSequence[0].LUTDescriptor[2])
        return to_grey(np.asarray(apply_voi(whole, place), np.float64) * (255.0 / ((1 << bits) - 1)))
    window = usual_window(source.modality)
    if window is not None:
        return windowed(in_unit, window)
    seen = _without_padding(source, stored)
    ends = source.in_unit(np.array([seen.min(), seen.max()]), frame)
    return between(in_unit, float(ends.min()), float(ends.max()))


def own_window(source: PixelSource, frame: int = 0) -> Window | None:
    """The first window that the image brings for a frame; None where it brings none, or none that can be."""
    place = source.group(frame, "FrameVOILUTSequence")
    center, width = _first(place.get("WindowCenter")), _first(place.get("WindowWidth"))
    if center is None or width is None:
        return None
    function = str(place.get("VOILUTFunction") or "LINEAR").strip()
    if not is_window(center, width, function):
        return None
    return Window(center=center, width=width, function=function)  # type: ignore[arg-type]


def _first(value: Any) -> float | None:
    if value is None or value == "":
        return None
    try:
        return float(value if isinstance(value, (int, float, str)) else value[0])
    except (ValueError, TypeError, IndexError):
        return None


def _without_padding(source: PixelSource, stored: NDArray[Any]) -> NDArray[Any]:
    """The values of the picture without those that only fill its frame; all where nothing else is there."""
    padding = source.dataset.get("PixelPaddingValue")
    if source.is_float:
        seen = stored[np.isfinite(stored)]
        return seen if seen.size else np.zeros(1)
    if not isinstance(padding, int):
        return stored
    seen = stored[stored != padding]
    return seen if seen.size else stored


# ---------------------------------------------------------------- size


def _within(picture: Image.Image, source: PixelSource, size: tuple[int, int]) -> Image.Image:
    if min(size) < 1:
        raise IngestError("bad_field", "this is no size", "a width and height of at least 1", f"{size}")
    width, height = picture.width * _width_of_a_pixel(source), float(picture.height)
    factor = min(1.0, size[0] / width, size[1] / height)
    wanted = max(1, round(width * factor)), max(1, round(height * factor))
    if wanted == picture.size:
        return picture
    return picture.resize(wanted, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _width_of_a_pixel(source: PixelSource) -> float:
    """Its width by its height; 1 where that is unknown or cannot be."""
    for keyword in ("PixelSpacing", "ImagerPixelSpacing", "PixelAspectRatio"):
        pair = source.dataset.get(keyword)
        try:
            vertical, horizontal = (float(value) for value in pair)
            ratio = horizontal / vertical
        except (TypeError, ValueError, ArithmeticError):
            continue
        if 0.1 <= ratio <= 10.0:
            return ratio
    return 1.0
