"""What all events are made of."""

from datetime import datetime
from typing import Annotated

import msgspec


def _snake(name: str) -> str:
    return "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=_snake):
    """Base of all events. The wire and storage name is the class name in snake case."""


# Checked when read, and so when written: the log reads back each event before it takes it.
Aware = Annotated[datetime, msgspec.Meta(tz=True)]


class ClockReading(msgspec.Struct, frozen=True, kw_only=True):
    """An instant together with the clock it was read from."""

    at: Aware  # corrected where an offset is known
    clock: str  # "server", "device:<id>", "person", "paper"
    raw: Aware | None = None  # what the clock itself said, where that differs
    offset_s: float | None = None  # clock minus server, as estimated; None: never compared
    uncertainty_s: float | None = None  # half width; None: unknown
    zone_assumed: bool = False  # what was read has no zone, that of its site was taken
    told: str | None = None  # only a day, or a part of it, was told: "2026-03-02 6-8"; `at` is its middle
