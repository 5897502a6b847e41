"""Rows of the log to envelopes and back."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Connection, select, type_coerce

from greenchannel.events import AnyEvent, Envelope
from greenchannel.store.errors import UnreadableEvent
from greenchannel.store.schema import log

_encoder = msgspec.json.Encoder(order="sorted")
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)

ENVELOPES = select(log.c.seq, log.c.stream, log.c.version, log.c.at, log.c.clock, log.c.actor, log.c.body)

# `at` as the integer it is stored as: the hash is over what is stored.
LINKS = select(
    log.c.seq,
    log.c.stream,
    log.c.version,
    type_coerce(log.c.at, BigInteger),
    log.c.clock,
    log.c.actor,
    log.c.type,
    log.c.body,
    log.c.hash,
)


def event_type(event: AnyEvent) -> str:
    """The name under which the event is stored."""
    tag = event.__struct_config__.tag
    assert isinstance(tag, str)
    return tag


def to_body(event: AnyEvent) -> tuple[bytes, AnyEvent]:
    """The canonical JSON of an event, and the event as it will be read back.

    Raises
    ------
    UnreadableEvent
        Where it would not come back: one such row would stop every reader of the log.
    """
    try:
        body = _encoder.encode(event)
        return body, _decoder.decode(body)
    except (TypeError, ValueError, msgspec.MsgspecError) as error:
        raise UnreadableEvent(
            f"expected an event that its own JSON gives back, got {event!r}: {error}"
        ) from error


def _path(error: Exception) -> str:
    """Where in the event it went wrong, without what stood there."""
    text = str(error)
    return text[text.rfind("at `$") :] if "at `$" in text else type(error).__name__


def to_envelopes(rows: Iterable[Any]) -> list[Envelope]:
    """Envelopes of rows of `ENVELOPES`."""
    return [_to_envelope(*row) for row in rows]


def _to_envelope(
    seq: int, stream: str, version: int, at: datetime, clock: str, actor: str, body: bytes
) -> Envelope:
    return Envelope(
        seq=seq, stream=stream, version=version, at=at, clock=clock, actor=actor, event=_decoder.decode(body)
    )


def read_stream(connection: Connection, stream: str, after: int = 0) -> list[Envelope]:
    """The events of one stream with a version above `after`, oldest first."""
    query = ENVELOPES.where(log.c.stream == stream, log.c.version > after).order_by(log.c.version)
    return to_envelopes(connection.execute(query))
