"""What is known of a case beside its times: bypassed departments, the way of reperfusion, why care was late.

As with times, everything that was said is kept with who said it; what was said last stands, and what changes it needs a
note. What nobody has said is unknown.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import cache

import msgspec

from greenchannel.alerts.refusal import Refused, no_such
from greenchannel.alerts.tables import read_table
from greenchannel.events import AnyEvent, Envelope, FactRecorded


class FactCode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that may be said of a fact."""

    fact: str = ""  # the table leaves it out of the pair that is common to many
    id: str
    zh: str
    en: str


class FactSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of ``facts.toml``; the fields are explained there."""

    id: str
    zh: str
    en: str
    enter: tuple[str, ...]
    yes_no: bool = False
    group: str | None = None
    mark: str


class FactValue(msgspec.Struct, frozen=True, kw_only=True):
    """What was said once."""

    fact: str
    code: str
    source: str
    actor: str
    recorded_at: datetime
    note: str | None = None
    correction: bool = False


@cache
def facts() -> dict[str, FactSpec]:
    """All facts by id, in the order they are shown."""
    return {row.id: row for row in read_table("facts", "fact", FactSpec)}


@cache
def fact_codes(fact: str) -> dict[str, FactCode]:
    """What may be said of a fact, by id."""
    spec = facts().get(fact)
    if spec is not None and spec.yes_no:
        pair = read_table("facts", "yes_no", FactCode)
        return {row.id: msgspec.structs.replace(row, fact=fact) for row in pair}
    return {row.id: row for row in read_table("facts", "code", FactCode) if row.fact == fact}


@cache
def facts_of(group: str) -> tuple[FactSpec, ...]:
    """The facts that are asked for together."""
    return tuple(spec for spec in facts().values() if spec.group == group)


def fold_facts(values: tuple[FactValue, ...], envelope: Envelope) -> tuple[FactValue, ...]:
    """What was said of a case after one more event."""
    event = envelope.event
    if not isinstance(event, FactRecorded):
        return values
    value = FactValue(
        fact=event.fact,
        code=event.code,
        source=event.source,
        actor=event.said_by or envelope.actor,
        recorded_at=event.said_at or envelope.at,
        note=event.note,
        correction=event.correction,
    )
    return (*values, value)


def standing(values: Iterable[FactValue]) -> dict[str, FactValue]:
    """What stands of each fact: what was said last. A fact of which nobody spoke is not in it."""
    found: dict[str, FactValue] = {}
    for value in values:
        before = found.get(value.fact)
        if before is None or value.recorded_at >= before.recorded_at:
            found[value.fact] = value
    return found


def record_fact(
    values: Iterable[FactValue], *, fact: str, code: str, source: str, note: str | None = None
) -> list[AnyEvent]:
    """Say one fact. What stands already writes nothing; anything else than what stands needs a note, and keeps it."""
    spec = facts().get(fact)
    if spec is None:
        raise no_such("fact", "病例信息", fact)
    known = fact_codes(fact)
    if code not in known:
        names = ", ".join(known)
        raise Refused(
            "unknown_code",
            f"“{spec.zh}”应为 {names} 之一，收到 {code}",
            f"expected one of {names} for {fact}, got {code}",
            422,
        )
    held = standing(values).get(fact)
    if held is not None and held.code == code:
        return []
    note = (note or "").strip() or None
    if held is not None and note is None:
        raise Refused(
            "note_required",
            f"更正“{spec.zh}”须说明原因",
            f"expected a note with the correction of {fact} from {held.code} to {code}, got none",
            422,
        )
    return [FactRecorded(fact=fact, code=code, source=source, note=note, correction=held is not None)]


def carried(values: Iterable[FactValue], there: Iterable[FactValue], note: str) -> list[AnyEvent]:
    """What stands in a case, for another that knows nothing of it: with who said it when."""
    known = standing(there)
    return [
        FactRecorded(
            fact=value.fact,
            code=value.code,
            source=value.source,
            note=note if value.note is None else f"{value.note} ({note})",
            correction=value.correction,
            said_at=value.recorded_at,
            said_by=value.actor,
        )
        for name, value in standing(values).items()
        if name not in known
    ]
