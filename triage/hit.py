"""What a rule returns: a hit, before anything lowers it and before it is put into words."""

from collections.abc import Callable

import msgspec

from greenchannel.triage.context import Context
from greenchannel.triage.finding import Evidence, Tier
from greenchannel.triage.rule_set import Numbers

Words = tuple[str, str]
"""English, Chinese."""


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that fired."""

    tier: Tier
    evidence: tuple[Evidence, ...] = ()
    territories: tuple[str, ...] = ()
    downgraded_by: tuple[str, ...] = ()  # everything that lowered it, restored or not
    restored_by: tuple[str, ...] = ()
    held_by: tuple[str, ...] = ()  # of `downgraded_by` what nothing restored
    words: Words | None = None  # in place of the term of the rule
    more: Words | None = None  # said behind it
    id: str = ""  # on the wire; the rule's own where the rule says nothing
    rule: str = ""  # the row it belongs to; the engine enters it


Hits = dict[str, Hit]
"""What fired so far, by the rule's id."""

Rule = Callable[[Context, Numbers, Hits], Hit | None]
"""A rule: pure, from the context, its own numbers and what fired before it."""
