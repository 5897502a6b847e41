"""Verdicts of one metric with their values in order, and what one changed case does to them."""

from typing import Final

import msgspec
import numpy as np

from greenchannel.alerts.quality.columns import Ints
from greenchannel.alerts.quality.verdicts import Mask, Status, Verdicts

SPREADS: Final = ("exact", "low", "high")
FIELDS: Final = ("rows", "status", "bits", "us", "low", "high", "half")


class One(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on one case; microseconds."""

    status: int
    bits: int
    us: int
    low: int
    high: int
    half: int


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one case in one metric; None: it does not belong to it."""

    old: One | None
    new: One | None


class Ordered(msgspec.Struct, kw_only=True):
    """Values in their order, each with its row."""

    values: Ints
    rows: Ints

    def but(self, left: Mask) -> "Ordered":
        """Without the rows that are left out."""
        inside = np.flatnonzero(~left.take(self.rows))
        return Ordered(values=self.values.take(inside), rows=self.rows.take(inside))

    def remove(self, value: int, row: int) -> None:
        """Take one value out."""
        first = int(np.searchsorted(self.values, value))
        place = first + int(np.flatnonzero(self.rows[first:] == row)[0])
        self.values = np.delete(self.values, place)
        self.rows = np.delete(self.rows, place)

    def add(self, value: int, row: int) -> None:
        """Put one value in."""
        place = int(np.searchsorted(self.values, value))
        self.values = np.insert(self.values, place, value)
        self.rows = np.insert(self.rows, place, row)


class Kept(msgspec.Struct, kw_only=True):
    """Verdicts of one metric, and their values in order."""

    verdicts: Verdicts
    ordered: dict[str, Ordered]  # by `SPREADS`; the bounds only where a day was told

    @classmethod
    def of(cls, verdicts: Verdicts) -> "Kept":
        """Put the values in order."""
        kept = cls(verdicts=verdicts, ordered={})
        if verdicts.metric.kind == "interval":
            kept._order(SPREADS if (verdicts.status == Status.BOUNDED).any() else ("exact",))
        return kept

    def replace(self, row: int, judged: Verdicts) -> Change:
        """Put the new verdict on a row in place of the old one; either may be none."""
        place = int(np.searchsorted(self.verdicts.rows, row))
        there = place < len(self.verdicts.rows) and int(self.verdicts.rows[place]) == row
        change = Change(
            old=one_of(self.verdicts, place) if there else None,
            new=one_of(judged, 0) if len(judged.rows) else None,
        )
        if (change.old is None and change.new is None) or change.old == change.new:
            return change
        for name in FIELDS:
            column, new = getattr(self.verdicts, name), getattr(judged, name)
            if change.old is not None and change.new is not None:
                column[place] = new[0]
            elif change.new is None:
                setattr(self.verdicts, name, np.delete(column, place))
            else:
                setattr(self.verdicts, name, np.insert(column, place, new[0]))
        self._reorder(row, change)
        return change

    def _reorder(self, row: int, change: Change) -> None:
        if not self.ordered:
            return
        if change.new is not None and change.new.status == Status.BOUNDED and len(self.ordered) == 1:
            self._order(SPREADS)  # a first told day
            return
        for name, ordered in self.ordered.items():
            for one, act in ((change.old, ordered.remove), (change.new, ordered.add)):
                if one is not None and one.status in _counted(name):
                    act(_value(one, name), row)

    def _order(self, names: tuple[str, ...]) -> None:
        for name in names:
            inside = np.flatnonzero(np.isin(self.verdicts.status, _counted(name)))
            values = getattr(self.verdicts, "us" if name == "exact" else name)[inside]
            order = np.argsort(values, kind="stable")
            self.ordered[name] = Ordered(values=values[order], rows=self.verdicts.rows[inside][order])


def _counted(name: str) -> tuple[int, ...]:
    return (Status.EXACT,) if name == "exact" else (Status.EXACT, Status.BOUNDED)


def _value(one: One, name: str) -> int:
    value: int = getattr(one, "us" if name == "exact" else name)
    return value


def one_of(verdicts: Verdicts, place: int) -> One:
    """The verdict at one place."""
    return One(
        status=int(verdicts.status[place]),
        bits=int(verdicts.bits[place]),
        us=int(verdicts.us[place]),
        low=int(verdicts.low[place]),
        high=int(verdicts.high[place]),
        half=int(verdicts.half[place]),
    )
