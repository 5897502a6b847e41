"""Which list of critical values a site follows: named lists that move numbers of CV rules (`critical_lists.toml`)."""

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Annotated, Final

import msgspec

from greenchannel.triage.rule_rows import Amount, Mark, Number, Text
from greenchannel.triage.rule_set import RULES, Numbers, RuleSet, RuleSetError, rule_set

DEFAULT: Final = "consensus-2017"
"""The list whose numbers stand in the rule set."""


class Move(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One number of one rule, as a list wants it."""

    rule: Text
    number: Text
    value: Amount
    source: Text
    mark: Mark


class CriticalList(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One list and what it moves."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]+$")]
    en: Text
    zh: Text
    moves: tuple[Move, ...]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    list: tuple[CriticalList, ...]


def load(text: str) -> dict[str, CriticalList]:
    """Read a table of lists by name; `RuleSetError` where it is broken or names one twice."""
    try:
        rows = msgspec.toml.decode(text, type=_File).list
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise RuleSetError(f"expected a table of lists of critical values, got: {error}") from error
    named = {row.name: row for row in rows}
    if len(named) != len(rows) or DEFAULT not in named:
        raise RuleSetError(f"expected each list once, {DEFAULT} among them, got {[row.name for row in rows]}")
    return named


def with_list(rules: RuleSet, name: str, lists: dict[str, CriticalList] | None = None) -> RuleSet:
    """A rule set whose critical values are those of a list; its version says which.

    Parameters
    ----------
    rules : stays as it is
    name : a list of `LISTS`, or of `lists`

    Raises
    ------
    RuleSetError
        Where no list has this name (the error tells the names), or a list moves what the rule set does not have, or
        what is no critical value.
    """
    known = LISTS if lists is None else lists
    if name not in known:
        raise RuleSetError(f"expected a list of critical values of {', '.join(known)}, got {name}")
    rows, values = dict(rules.rules), dict(rules.numbers)
    for move in known[name].moves:
        row = rows.get(move.rule)
        if row is None or row.section != "critical" or move.number not in row.numbers:
            raise RuleSetError(
                f"{name}: expected a number of a critical value, got {move.rule} {move.number}"
            )
        number = Number(value=move.value, source=move.source, mark=move.mark)
        moved = msgspec.structs.replace(row, numbers=row.numbers | {move.number: number})
        rows[move.rule] = moved
        values[move.rule] = Numbers(move.rule, {key: one.value for key, one in moved.numbers.items()})
    version = rules.version if name == DEFAULT else f"{rules.version}+{name}"
    return msgspec.structs.replace(rules, version=version, rules=rows, numbers=values)


@cache
def rules_named(name: str) -> RuleSet:
    """The rules of a version, with a list of critical values behind a plus sign: ``2``, ``2+shanxi``.

    Raises
    ------
    RuleSetError
        Names the versions, or the lists, that there are.
    """
    version, _, chosen = name.partition("+")
    return with_list(rule_set(version), chosen) if chosen else rule_set(version)


def rules_by_site(chosen: str) -> Callable[[str], RuleSet]:
    """The newest rules with the list that each site follows.

    Parameters
    ----------
    chosen
        The list of the network, and behind it those of single sites: ``consensus-2017, yinzhao=shanxi``.

    Raises
    ------
    RuleSetError
        Where a list is not known, or the text has another form.
    """
    first, *others = (part.strip() for part in chosen.split(","))
    network, of_site = rules_named(_suffixed(first)), {}
    for part in others:
        site, sign, name = (piece.strip() for piece in part.partition("="))
        if not (site and sign and name):
            raise RuleSetError(f"expected site=list, got {part!r}")
        of_site[site] = rules_named(_suffixed(name))
    return lambda site: of_site.get(site, network)


def _suffixed(name: str) -> str:
    return f"{RULES.version}+{name}"


LISTS: Final = load((files("greenchannel") / "triage/critical_lists.toml").read_text(encoding="utf-8"))
"""The product's lists by name."""

for _name in LISTS:
    with_list(RULES, _name)  # a list that moves what there is not is loud
