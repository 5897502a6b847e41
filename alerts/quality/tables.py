"""How the tables of this folder are read: TOML beside the code, read once and checked."""

from collections.abc import Mapping
from typing import Any, TypeVar

from greenchannel.alerts import tables

T = TypeVar("T")


def read_table(name: str, key: str, kind: type[T]) -> tuple[T, ...]:
    """Return the array `key` of ``quality/<name>.toml`` as records of `kind`; raise `msgspec.ValidationError` on a
    misfit."""
    return tables.read_table(f"quality/{name}", key, kind)


def read_document(name: str) -> Mapping[str, Any]:
    """Return all of ``quality/<name>.toml``."""
    return tables.read_document(f"quality/{name}")


def read_value(name: str, key: str, kind: type[T]) -> T:
    """Return the value `key` of ``quality/<name>.toml`` as `kind`."""
    return tables.read_value(f"quality/{name}", key, kind)
