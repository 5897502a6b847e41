"""What the quantities of evidence are called and how they are written (`quantities.toml`)."""

from importlib.resources import files
from typing import Final

import msgspec


class Quantity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One measured quantity."""

    key: str  # wire name: stj_mv
    en: str
    zh: str
    unit: str  # as printed behind the value; empty for ratios and counts
    digits: int
    signed: bool = False

    def written(self, value: float) -> str:
        """A value with its unit."""
        sign = "+" if self.signed else ""
        return f"{value:{sign}.{self.digits}f} {self.unit}".rstrip()


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    quantity: tuple[Quantity, ...]


_ROWS: Final = msgspec.toml.decode(
    (files("greenchannel") / "triage/quantities.toml").read_text(encoding="utf-8"), type=_File
).quantity

QUANTITIES: Final[dict[str, Quantity]] = {row.key: row for row in _ROWS}
"""By wire name."""


def quantity(key: str) -> Quantity:
    """The names of a quantity; one that has no row is called by its wire name."""
    return QUANTITIES.get(key) or Quantity(key=key, en=key, zh=key, unit="", digits=2)
