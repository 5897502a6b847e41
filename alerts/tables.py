"""How the rules of this room are kept: tables of data in TOML beside the code, read once and checked."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


@cache
def read_document(name: str) -> dict[str, Any]:
    """Return all of ``<name>.toml``."""
    return tomllib.loads((files("greenchannel") / "alerts" / f"{name}.toml").read_text(encoding="utf-8"))


def read_table(name: str, key: str, kind: type[T]) -> tuple[T, ...]:
    """Return the array `key` of ``<name>.toml`` as records of `kind`; raise `msgspec.ValidationError` on a misfit."""
    return tuple(msgspec.convert(row, kind) for row in read_document(name)[key])


def read_value(name: str, key: str, kind: type[T]) -> T:
    """Return the value `key` of ``<name>.toml`` as `kind`."""
    return msgspec.convert(read_document(name)[key], kind)
