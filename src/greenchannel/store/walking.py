"""Walking along all rows of a chain, also of a file that somebody has damaged.

A row that the database itself cannot read (text that is no UTF-8, a page that is no page) must not end the walk with an
error of the driver: it is the place that a person asks for.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from sqlalchemy import Column, Connection, Select
from sqlalchemy.exc import DBAPIError

from greenchannel.store.chain import Link

PAGE: Final = 2_000  # rows held in memory at once


def links(
    connection: Connection, query: Select[Any], seq: Column[Any], link_of: Callable[[Any], Link]
) -> Iterator[Link]:
    """The rows of `query` as links, in the order of `seq`; it ends with the first that cannot be read."""
    last: object = None
    while True:
        page = query if last is None else query.where(seq > last)
        page = page.order_by(seq)
        try:
            rows = connection.execute(page.limit(PAGE)).all()
        except DBAPIError:
            yield from _one_by_one(connection, query, seq, link_of, last)
            return
        for row in rows:
            yield link_of(row)
        if not rows:
            return
        last = rows[-1][0]


def _one_by_one(
    connection: Connection,
    query: Select[Any],
    seq: Column[Any],
    link_of: Callable[[Any], Link],
    last: object,
) -> Iterator[Link]:
    """As `links`, behind `last`, where a whole page could not be read."""
    while True:
        page = query if last is None else query.where(seq > last)
        try:
            row = connection.execute(page.order_by(seq).limit(1)).one_or_none()
        except DBAPIError as error:
            yield Link(seq=None, facts=(), body=None, hash=None, unreadable=type(error.orig).__name__)
            return
        if row is None:
            return
        yield link_of(row)
        last = row[0]
