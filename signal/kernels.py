"""The switch between the two ways in which the core computes: with numpy alone, or with compiled kernels as well.

Both give the same answers (docs/decisions/0011-compiled-kernels.md). numpy alone is complete, and what every process
starts with: loading kernels takes more than a second, compiling them a minute, both more than one recording is worth.
Who reads many calls `turn_on`. The environment variable ``GREENCHANNEL_KERNELS`` overrules everybody: ``off`` forbids
kernels, ``on`` turns them on when `measure` is imported.

A function that has a kernel looks at `loaded`, or asks `of`, when it is called.
"""

import hashlib
import importlib
import logging
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

VARIABLE: Final = "GREENCHANNEL_KERNELS"
FOLDER_VARIABLE: Final = "GREENCHANNEL_KERNELS_DIR"
PARTS: Final = ("samples", "strip", "mains", "beats", "waves")
"""Modules of kernels, ``kernels_….py``."""

_COMPLETE: Final = "complete"  # a file that stands where all kernels have been compiled
_log: Final = logging.getLogger(__name__)

loaded: Any = None
"""The modules of `PARTS` by their names while kernels are on; None: numpy alone computes."""


def of(x: NDArray[Any]) -> Any:
    """`loaded` where `x` is what kernels take, an array of singles in C order; otherwise None."""
    return loaded if loaded is not None and x.dtype == np.float32 and x.flags.c_contiguous else None


def turn_on(*, compiling: bool = False) -> bool:
    """Compute with kernels from now on, in all threads; are they on now?

    Where numba is not installed or fails, nothing changes and a line in the log says why.

    Parameters
    ----------
    compiling : compile them where that was not done on this machine; otherwise they stay off then
    """
    global loaded
    if loaded is not None:
        return True
    if os.environ.get(VARIABLE, "").lower() == "off":
        return False
    try:
        kept = folder()
        if not (compiling or (kept / _COMPLETE).is_file()):
            _log.info(
                "kernels are not compiled for this version (greenchannel kernels), numpy computes alone"
            )
            return False
        kept.mkdir(parents=True, exist_ok=True)
        importlib.import_module("numba").config.CACHE_DIR = str(kept)
        parts = {part: importlib.import_module(f"greenchannel.signal.kernels_{part}") for part in PARTS}
        (kept / _COMPLETE).touch()
    except Exception as error:  # noqa: BLE001 - of a compiler anything may come; numpy alone does as well
        _log.warning("no kernels, numpy computes alone: %s: %s", type(error).__name__, error)
        return False
    loaded = SimpleNamespace(**parts)
    return True


def turn_off() -> None:
    """Compute with numpy alone from now on."""
    global loaded
    loaded = None


def as_told() -> None:
    """Turn kernels on where the environment says so; ``auto``, as a service tells its processes, compiles nothing."""
    told = os.environ.get(VARIABLE, "").lower()
    if told in ("on", "auto"):
        turn_on(compiling=told == "on")


def folder() -> Path:
    """Where compiled kernels are kept: one folder for each state of this room, whose numbers are compiled in.

    ``GREENCHANNEL_KERNELS_DIR``, or the user's folder for caches.
    """
    told = os.environ.get(FOLDER_VARIABLE)
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    state = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        state.update(path.read_bytes())
    return (Path(told) if told else Path(caches) / "greenchannel" / "kernels") / state.hexdigest()[:16]
