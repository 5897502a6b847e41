"""The channels on which people are reached: what each can do, and what may leave on it."""

from functools import cache

import msgspec

from greenchannel.alerts.tables import read_table, read_value

LIVE = "live"
PHONE = "phone"
WEBPUSH = "webpush"


class ChannelSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of ``channels.toml``; see there."""

    name: str
    zh: str
    en: str
    public: bool
    several: bool = False
    schemes: tuple[str, ...]
    timeout_s: float = 10.0
    at_once: int = 4
    queue: int = 256
    stop: bool = False
    arrived: bool = False
    fresh_h: float
    alone: bool


@cache
def channels() -> dict[str, ChannelSpec]:
    """All channels by name, in the order in which they are rung."""
    return {row.name: row for row in read_table("channels", "channel", ChannelSpec)}


@cache
def outgoing() -> tuple[str, ...]:
    """The channels that need an address: all but the board."""
    return tuple(name for name in channels() if name != LIVE)


@cache
def reasons() -> dict[str, dict[str, str]]:
    """Codes of what went wrong, in words: ``{"zh", "en"}``."""
    return read_value("delivery", "reason", dict[str, dict[str, str]])


def reason_words(code: str | None) -> dict[str, str | None]:
    """``{"code", "zh", "en"}`` of one code; a code that the table does not know is its own word."""
    if code is None:
        return {"code": None, "zh": None, "en": None}
    words = reasons().get(code, {"zh": code, "en": code})
    return {"code": code, "zh": words["zh"], "en": words["en"]}
