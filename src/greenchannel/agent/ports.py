"""What the agent listens on beside the folder: addresses, and what was taken there."""

import sqlite3
from typing import Final, NamedTuple

from greenchannel.agent.item import Item
from greenchannel.agent.spool import Spool

NOT_DURABLE: Final = (OSError, sqlite3.Error)
"""What keeps the spool from taking something now: the sender must keep it and come again."""


class Address(NamedTuple):
    """Where to listen."""

    host: str
    port: int


def address_of(word: str) -> Address:
    """``PORT`` on this computer alone, or ``HOST:PORT``; raises `ValueError`."""
    host, _, port = word.rpartition(":")
    if not (port.isdigit() and int(port) < 65536):
        raise ValueError(f"expected PORT or HOST:PORT, got {word}")
    return Address(host.strip("[]") or "127.0.0.1", int(port))


def take(spool: Spool, data: bytes, *, name: str, way: str) -> Item:
    """Into the spool, durably; raises one of `NOT_DURABLE`."""
    item, _ = spool.add(data, name=name, way=way)
    return item
