"""Numbers of detectors: each with its unit in its name, its source and its mark."""

from importlib.resources import files
from typing import TypeVar

import msgspec

from greenchannel.triage.rule_rows import Mark

T = TypeVar("T")


class Number(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One number of a table."""

    value: float
    source: str
    mark: Mark


def table(name: str, kind: type[T]) -> T:
    """One table of this folder, checked; raises `msgspec.ValidationError` where it is not of its kind."""
    text = (files("greenchannel") / "triage/detectors" / f"{name}.toml").read_text(encoding="utf-8")
    return msgspec.toml.decode(text, type=kind)
