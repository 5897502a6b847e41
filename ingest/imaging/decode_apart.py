"""Decoding in a process of its own: GDCM ends its process over some broken frames, and that must not be the service's.

Only for what nothing else here reads: JPEG Lossless, and JPEG Extended of 12 bits. The process is made when it is
needed first, and made anew when it has died.
"""

import multiprocessing
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Final

from numpy.typing import NDArray

from greenchannel.ingest.errors import IngestError

PATIENCE_S: Final = 60.0  # the first frame waits for the process to start  [E]

_lock = threading.Lock()
_pool: ProcessPoolExecutor | None = None


def decoded_apart(data: bytes, frame: int) -> NDArray[Any]:
    """One frame of a file, as its decoder gives it.

    Raises
    ------
    IngestError
        ``malformed``: the decoder refuses it, ends over it, or takes too long.
    """
    global _pool
    with _lock:
        if _pool is None:
            # A fork would take locks of other threads along.
            _pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
        try:
            done: NDArray[Any] | tuple[str, str] = _pool.submit(_decode, data, frame).result(PATIENCE_S)
        except (BrokenProcessPool, TookTooLong) as error:
            _pool.shutdown(wait=False, cancel_futures=True)
            _pool = None
            raise _refused(type(error).__name__) from error
    if isinstance(done, tuple):
        raise _refused(done[1])
    return done


def _refused(got: str) -> IngestError:
    return IngestError("malformed", "the picture cannot be decoded", "a DICOM image", f"a {got}")


def _decode(data: bytes, frame: int) -> "NDArray[Any] | tuple[str, str]":
    """In the process: the frame, or what was raised by name; exceptions of C++ do not all travel."""
    from greenchannel.ingest.imaging.pixel_source import PixelSource

    try:
        return PixelSource(data).decoded_here(frame)
    except Exception as error:  # noqa: BLE001 - whatever a decoder lets out; the name is enough
        return "error", type(error).__name__
