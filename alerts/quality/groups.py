"""By what cases are counted: where, by whom, how the patient came, when.

Unknown is a group of its own. Months and hours are those of the place: a case belongs to the month of its first
contact, and to the working hours if that lies within them on a working day of the national calendar. Where the
calendar of a year is not announced yet, a day that could be a holiday is unknown.
"""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from greenchannel.alerts.duty_calendar import chinese_calendar
from greenchannel.alerts.order import NATIONAL_ZONE
from greenchannel.alerts.quality.columns import Codes, Columns, Ints
from greenchannel.alerts.quality.hours import work_from, work_until

ON, OFF = "on", "off"
_DAY_US: Final = 24 * 3_600_000_000


class Grouping(msgspec.Struct, kw_only=True):
    """The group of every row, ``(n_cases,)``, and what the groups are called; None: unknown."""

    code: Codes  # small, because it is looked up many times
    keys: list[str | None]

    def place(self, key: str | None) -> int:
        """The number of a group by its name; a new one where it is new."""
        if key not in self.keys:
            self.keys.append(key)
        return self.keys.index(key)

    @property
    def filled(self) -> int:
        """How many groups there are."""
        return len(self.keys)


def group_rows(columns: Columns, by: tuple[str, ...]) -> Grouping:
    """The groups of all rows by one or more of `GROUPINGS`; keys of several are joined by a bar.

    Raises `KeyError` for a name that is none of them.
    """
    if not by:
        return Grouping(code=np.zeros(len(columns), np.int32), keys=["network"])
    first, *rest = (GROUPINGS[name](columns) for name in by)
    for other in rest:
        joined = first.code.astype(np.int64) * other.filled + other.code
        found, code = np.unique(joined, return_inverse=True)
        keys = [
            f"{first.keys[one // other.filled] or ''}|{other.keys[one % other.filled] or ''}" for one in found
        ]
        first = Grouping(code=code.astype(np.int32), keys=list(keys))
    return first


def _by_label(name: str) -> Callable[[Columns], Grouping]:
    def grouped(columns: Columns) -> Grouping:
        return Grouping(code=columns.label(name).copy(), keys=list(columns.words[name].words))

    return grouped


def _by_town(columns: Columns) -> Grouping:
    return _renamed(columns, columns.town)


def _by_referring(columns: Columns) -> Grouping:
    found = _renamed(columns, columns.referring)
    unknown = found.keys.index(None)
    return Grouping(code=np.where(columns.transferred, found.code, np.int32(unknown)), keys=found.keys)


def _renamed(columns: Columns, name: Callable[[str | None], str | None]) -> Grouping:
    named = [name(site) for site in columns.words["site"].words]
    keys = list(dict.fromkeys([None, *named]))
    place = {key: number for number, key in enumerate(keys)}
    new = np.array([place[one] for one in named], np.int32)
    return Grouping(code=new[columns.label("site")], keys=list(keys))


def _by_mode(columns: Columns) -> Grouping:
    return Grouping(code=columns.number("mode").astype(np.int32), keys=[None, "1", "2", "3", "4"])


def _by_month(columns: Columns) -> Grouping:
    return _by_months(columns, 1, lambda year, part: f"{year}-{part + 1:02d}")


def _by_quarter(columns: Columns) -> Grouping:
    return _by_months(columns, 3, lambda year, part: f"{year}-Q{part + 1}")


def _by_half(columns: Columns) -> Grouping:
    return _by_months(columns, 6, lambda year, part: f"{year}-H{part + 1}")


def _by_year(columns: Columns) -> Grouping:
    return _by_months(columns, 12, lambda year, _: f"{year}")


def _by_months(columns: Columns, length: int, name: Callable[[int, int], str]) -> Grouping:
    if not len(columns):
        return Grouping(code=np.zeros(0, np.int32), keys=[])
    days = _local_us(columns) // _DAY_US
    month = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) // length  # since 1970
    first = int(month.min())
    per_year = 12 // length
    keys: list[str | None] = [
        name(1970 + one // per_year, one % per_year) for one in range(first, int(month.max()) + 1)
    ]
    return Grouping(code=(month - first).astype(np.int32), keys=keys)


def _by_hours(columns: Columns) -> Grouping:
    local = _local_us(columns)
    day, within = np.divmod(local, _DAY_US)
    inside = (within >= _us_of(work_from())) & (within < _us_of(work_until()))
    days, place = np.unique(day, return_inverse=True)
    working = np.array([_working(one) for one in days.tolist()], np.int32)[place]
    return Grouping(code=np.where(inside, working, np.int32(_CODES[OFF])), keys=[None, ON, OFF])


def _us_of(wall: time) -> int:
    """Microseconds since midnight."""
    return ((wall.hour * 60 + wall.minute) * 60 + wall.second) * 1_000_000


_CODES: Final = {None: 0, ON: 1, OFF: 2}


@cache
def _working(day: int) -> int:
    kinds = chinese_calendar().kinds(date(1970, 1, 1) + timedelta(days=day))
    if kinds == {"working"}:
        return _CODES[ON]
    return _CODES[None] if "working" in kinds else _CODES[OFF]


@cache
def _offset_us() -> int:
    """The national zone has had one offset since 1991."""
    offset = datetime(2000, 1, 1, tzinfo=NATIONAL_ZONE).utcoffset()
    assert offset is not None
    return offset // timedelta(microseconds=1)


def _local_us(columns: Columns) -> Ints:
    found: npt.NDArray[np.int64] = columns.number("began").astype(np.int64) + _offset_us()
    return found


GROUPINGS: Final[dict[str, Callable[[Columns], Grouping]]] = {
    "clinic": _by_label("site"),
    "town": _by_town,
    "referring": _by_referring,
    "ambulance": _by_label("ambulance"),
    "mode": _by_mode,
    "doctor": _by_label("doctor"),
    "reader": _by_label("reader"),
    "month": _by_month,
    "quarter": _by_quarter,
    "half": _by_half,
    "year": _by_year,
    "hours": _by_hours,
}
"""By name, as a question asks for it."""
