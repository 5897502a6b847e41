"""Compare what numpy alone computes with what the compiled kernels do."""

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from typing import Any, Final

import numpy as np

from greenchannel.signal import kernels
from greenchannel.signal.measurements import Rows
from tests.require import ROOT

MOST_MV: Final = 1e-6
MOST_MS: Final = 1e-3
MOST_TIMES: Final = 1e-5
"""Of numbers without a unit, and of large ones as a share of their size: the rounding of singles."""

os.environ.setdefault(kernels.FOLDER_VARIABLE, str(ROOT / ".pytest_cache" / "kernels"))


@contextmanager
def compiled() -> Iterator[None]:
    """Kernels on; fails where they cannot be had."""
    assert kernels.turn_on(compiling=True), "expected kernels, got none: is numba installed?"
    try:
        yield
    finally:
        kernels.turn_off()


def both(work: Callable[[], Any]) -> tuple[Any, Any]:
    """What `work` gives with numpy alone, and with kernels."""
    assert kernels.loaded is None
    alone = work()
    with compiled():
        return alone, work()


def assert_alike(
    alone: Any, fast: Any, *, most: float = MOST_MV, most_mv: float = MOST_MV, at: str = ""
) -> None:
    """Two results are the same: discrete ones exactly, numbers within their unit's tolerance."""

    def within(name: str) -> dict[str, float]:
        return {"most": _most(name, most, most_mv), "most_mv": most_mv}

    if isinstance(alone, Rows):
        alone, fast = alone._table, fast._table
    if is_dataclass(alone) and not isinstance(alone, type):
        assert type(alone) is type(fast), at
        for field in fields(alone):
            name = field.name
            assert_alike(getattr(alone, name), getattr(fast, name), **within(name), at=f"{at}.{name}")
    elif isinstance(alone, np.ndarray):
        assert alone.shape == fast.shape, (at, alone.shape, fast.shape)
        if alone.dtype.kind in "biu":
            assert np.array_equal(alone, fast), (at, alone, fast)
        else:
            np.testing.assert_allclose(fast, alone, rtol=MOST_TIMES, atol=most, equal_nan=True, err_msg=at)
    elif isinstance(alone, dict):
        assert list(alone) == list(fast), at
        for key in alone:
            assert_alike(alone[key], fast[key], **within(str(key)), at=f"{at}[{key}]")
    elif hasattr(alone, "_fields"):
        for name in alone._fields:
            assert_alike(getattr(alone, name), getattr(fast, name), **within(name), at=f"{at}.{name}")
    elif isinstance(alone, list | tuple):
        assert len(alone) == len(fast), at
        for k, (one, other) in enumerate(zip(alone, fast, strict=True)):
            assert_alike(one, other, most=most, most_mv=most_mv, at=f"{at}[{k}]")
    elif isinstance(alone, float) and isinstance(fast, float):
        near = math.isclose(alone, fast, rel_tol=MOST_TIMES, abs_tol=most)
        assert near or (math.isnan(alone) and math.isnan(fast)), (at, alone, fast)
    else:
        assert alone == fast, (at, alone, fast)


def _most(name: str, above: float, most_mv: float) -> float:
    """The tolerance that a name asks for by its unit."""
    if name.endswith("_mv"):
        return most_mv
    if name.endswith(("_ms", "_deg", "_bpm")):
        return MOST_MS
    if name.endswith("_s") or name in ("beats", "lead_beats"):
        return MOST_MS / 1000
    return (
        MOST_TIMES
        if name.endswith(("_ratio", "_share", "_match", "margin", "_fit", "_per_s", "_hz"))
        else above
    )
