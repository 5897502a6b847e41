"""Threads for what blocks and may hang: names that are looked up, libraries that wait. They are nobody else's."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Busy(Exception):
    """All threads are taken, by calls that have not come back."""


class OwnThreads:
    """At most `most` calls at once, each in a daemon thread: one that hangs keeps neither the service's own pool nor
    its end from going on. A caller that stops waiting leaves its thread behind, which counts until it ends."""

    def __init__(self, most: int, name: str) -> None:
        self._free = threading.Semaphore(most)
        self._name = name

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """What `function` returns or raises; raises `Busy` where no thread is free."""
        if not self._free.acquire(blocking=False):
            raise Busy
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def work() -> None:
            try:
                result = function(*args)
            except Exception as error:  # noqa: BLE001 - it is the caller's, and is raised there
                _tell(loop, future, None, error)
            else:
                _tell(loop, future, result, None)
            finally:
                self._free.release()

        threading.Thread(target=work, name=self._name, daemon=True).start()
        return await future


def _tell(
    loop: asyncio.AbstractEventLoop, future: "asyncio.Future[T]", result: T | None, error: Exception | None
) -> None:
    def done() -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    try:
        loop.call_soon_threadsafe(done)
    except RuntimeError:  # the loop has ended; nobody waits
        return
