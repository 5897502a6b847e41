"""Threads of the images' own: however much there is to read, to draw or to send, an ECG never waits for one of them."""

import asyncio
import contextvars
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

Given = ParamSpec("Given")
Answer = TypeVar("Answer")

_IMAGES: Final = ThreadPoolExecutor(max_workers=8, thread_name_prefix="images")  # [E]
_SEARCHES: Final = ThreadPoolExecutor(max_workers=2, thread_name_prefix="searches")  # [E]
_DETECTORS: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="detectors")  # one series at a time


async def in_images(make: Callable[Given, Answer], /, *given: Given.args, **named: Given.kwargs) -> Answer:
    """As `asyncio.to_thread`, in a thread of the images."""
    return await _in(_IMAGES, functools.partial(make, *given, **named))


async def in_searches(make: Callable[Given, Answer], /, *given: Given.args, **named: Given.kwargs) -> Answer:
    """As `in_images`, for searches: many of them wait for each other, and for nothing else."""
    return await _in(_SEARCHES, functools.partial(make, *given, **named))


async def in_detectors(make: Callable[Given, Answer], /, *given: Given.args, **named: Given.kwargs) -> Answer:
    """As `in_images`, for what may hold its thread for minutes."""
    return await _in(_DETECTORS, functools.partial(make, *given, **named))


async def _in(pool: ThreadPoolExecutor, make: Callable[[], Answer]) -> Answer:
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(pool, context.run, make)
