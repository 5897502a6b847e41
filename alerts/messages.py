"""What leaves the house: a title, a text, and for machines of our own a few facts. Never a name."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from greenchannel.alerts import drill
from greenchannel.alerts.delivery import kinds

# What may stand beside the text on a channel that is not public. Anything else of a row stays inside.
_FACTS: Final = (
    "tier",
    "site",
    "alert_id",
    "case_id",
    "channel_id",
    "round",
    "step",
    "role",
    "starts",
    "problem",
    "drill",
)


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message as a channel sends it."""

    kind: str
    title: str
    text: str
    tag: str  # the same for an alert and its end, telling nothing: the second takes the place of the first
    ref: str  # stands for the delivery's key in receipts of a browser
    urgent: bool
    silent: bool
    facts: Mapping[str, Any]  # for machines; empty on a public channel


def reference(key: str) -> str:
    """32 hexadecimal digits that stand for a key where nobody may learn from it."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def compose(
    kind: str, key: str, facts: Mapping[str, Any], *, site_zh: str, site_en: str, public: bool
) -> Message:
    """The message of one delivery.

    Parameters
    ----------
    kind, key, facts
        Of its row. Only the tier reaches the text; facts by name reach machines, and none on a `public` channel.
    site_zh, site_en
        What the site is called.
    """
    spec = kinds()[kind]
    words = {"tier": str(facts.get("tier") or ""), "site_zh": site_zh, "site_en": site_en}
    about = facts.get("alert_id") or facts.get("channel_id") or key
    title, text = " ".join(spec.title.format_map(words).split()), spec.text.format_map(words)
    if facts.get("drill"):
        title, text = f"{drill.WORDS} {title}", f"{drill.WORDS}：{drill.IN_TEXTS}\n{text}"
    return Message(
        kind=kind,
        title=title,
        text=text,
        tag=reference(f"{about}:{facts.get('round', 1)}{':yours' if kind == 'handed_over' else ''}"),
        ref=reference(key),
        urgent=spec.urgent,
        silent=spec.silent,
        facts={} if public else {name: facts[name] for name in _FACTS if facts.get(name) is not None},
    )
