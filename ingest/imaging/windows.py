"""Values of an image become grey: windows, lookup tables, inversion (PS3.3 C.11.1, C.11.2, C.11.6; PS3.4 N.2).

Everything here is done on a table of all values that the stored bits can hold, so a frame costs one look-up a pixel.
"""

from importlib.resources import files
from typing import Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

Function = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]

_WHITE: Final = 255.0


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """A grey scale in the unit of the modality. `width` is above 0 (at least 1 for ``LINEAR``)."""

    center: float
    width: float
    function: Function = "LINEAR"


class Usual(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row of the table."""

    modality: str
    name: str
    zh: str
    en: str
    center: float
    width: float
    source: str
    mark: Literal["S", "K", "E", "O"]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    window: list[Usual]


_USUAL: Final = msgspec.toml.decode(
    (files("greenchannel") / "ingest/imaging/windows.toml").read_text(encoding="utf-8"), type=_Table
).window


def usual_window(modality: str) -> Window | None:
    """What an image without a window is shown with; None: from its darkest to its brightest value."""
    for row in _USUAL:
        if row.modality == modality:
            return Window(center=row.center, width=row.width)
    return None


def is_window(center: float, width: float, function: str) -> bool:
    """May these three be a window?"""
    if not (np.isfinite(center) and np.isfinite(width)):
        return False
    return width >= 1 if function == "LINEAR" else function in ("LINEAR_EXACT", "SIGMOID") and width > 0


def windowed(values: NDArray[np.float64], window: Window) -> NDArray[np.uint8]:
    """Grey of 0 to 255 for values in the unit of the modality (PS3.3 C.11.2.1.2 and C.11.2.1.3)."""
    center, width = window.center, window.width
    with np.errstate(over="ignore", invalid="ignore"):
        if window.function == "SIGMOID":
            grey = _WHITE / (1.0 + np.exp(-4.0 * (values - center) / width))
        elif window.function == "LINEAR_EXACT":
            grey = ((values - center) / width + 0.5) * _WHITE
        elif width <= 1:  # a threshold
            grey = np.where(values > center - 0.5, _WHITE, 0.0)
        else:
            grey = ((values - (center - 0.5)) / (width - 1) + 0.5) * _WHITE
    return to_grey(grey)


def between(values: NDArray[np.float64], lowest: float, highest: float) -> NDArray[np.uint8]:
    """Grey from the lowest to the highest value; black where all are one."""
    span = highest - lowest
    if not span > 0:
        return np.zeros(values.shape, np.uint8)
    return to_grey((values - lowest) / span * _WHITE)


def to_grey(grey: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Whole numbers of 0 to 255; what is no number is black."""
    return np.clip(np.rint(np.nan_to_num(grey, nan=0.0)), 0.0, _WHITE).astype(np.uint8)
