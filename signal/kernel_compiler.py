"""How kernels are compiled: ahead of the first call, for one kind of arguments each, kept on the disk.

Sums of a kernel may run in another order than numpy's, but always in the same: vectors are summed in lanes.
"""

from collections.abc import Callable
from typing import Any, Final, Protocol, TypeVar, cast

from numba import njit, types

Function = TypeVar("Function", bound=Callable[..., Any])


class Decorator(Protocol):
    """What makes a kernel of a function."""

    def __call__(self, function: Function, /) -> Function: ...


def _array(kind: Any, dimensions: int) -> Any:
    return types.Array(kind, dimensions, "C", readonly=True)


# Arguments that are read; what is written is made within the kernel.
F1, F2, F3 = (_array(types.float32, n) for n in (1, 2, 3))
D1, D2, D3 = (_array(types.float64, n) for n in (1, 2, 3))
I1: Final = _array(types.int64, 1)
B1, B2 = (_array(types.boolean, n) for n in (1, 2))
INT: Final = types.int64
FLOAT: Final = types.float64


_FAST: Final = {"reassoc", "contract", "nsz"}  # NaN stays NaN
_HOW: Final[dict[str, Any]] = {"cache": True, "nogil": True, "error_model": "numpy"}


def kernel(*arguments: Any) -> Decorator:
    """Compile a function for arguments of these types."""
    return cast(Decorator, njit(arguments, fastmath=_FAST, **_HOW))


def within(function: Function) -> Function:
    """A function that kernels call and that becomes a part of them."""
    return cast(Function, njit(fastmath=_FAST, **_HOW)(function))


def exact(*arguments: Any) -> Decorator:
    """As `kernel`, each operation by itself and in the order in which it is written: numpy's bits."""
    return cast(Decorator, njit(arguments, **_HOW))


def exactly(function: Function) -> Function:
    """As `within`, with the same bits as numpy."""
    return cast(Function, njit(**_HOW)(function))
