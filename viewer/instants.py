"""Instants as requests carry them: written out, with their offset, and such as can be."""

import re
from datetime import date, datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, AwareDatetime, BeforeValidator
from pydantic_core import PydanticCustomError

from greenchannel.clock import EARLIEST, LATEST, can_be, nearest

BEYOND: Final = "instant_beyond"  # the kind of error that an instant beyond all that can be is
BEYOND_ZH: Final = f"时间应在 {EARLIEST:%Y} 年至 {LATEST:%Y} 年之间"

_WRITTEN_OUT: Final = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}")


def written_out(value: Any) -> Any:
    """A bare number would be taken for seconds since 1970: a wrong time that looks like a right one."""
    if not isinstance(value, str) or _WRITTEN_OUT.match(value) is None:
        raise ValueError("expected an instant such as 2026-03-02T16:05:00+08:00")
    return value


def _within(instant: datetime) -> datetime:
    if not can_be(instant):
        raise PydanticCustomError(BEYOND, f"expected an instant from {EARLIEST:%Y} to {LATEST:%Y}")
    return instant


Instant = Annotated[AwareDatetime, BeforeValidator(written_out), AfterValidator(_within)]
"""What a person or a program says: beyond all that can be it is refused."""

MachineInstant = Annotated[AwareDatetime, BeforeValidator(written_out), AfterValidator(nearest)]
"""What the clock of a machine says: beyond all that can be it is the nearest of it, and told for nonsense later."""


def is_day(day: date) -> bool:
    """Whether a day can be: all of it, in every zone."""
    return EARLIEST.year < day.year < LATEST.year
