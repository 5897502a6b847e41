"""The national forms, filled from a record: what is asked of this case, what is known, what is missing and whose gap.

Nothing is invented: a question without an answer is a gap, and where it hangs on something that nobody has said yet,
the form says that it cannot be told whether it is asked at all.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Final

import msgspec

from greenchannel.alerts.facts import fact_codes
from greenchannel.alerts.milestones import codes
from greenchannel.alerts.quality.record import STEMI, CaseRecord, RecordTime
from greenchannel.alerts.quality.tables import read_table, read_value
from greenchannel.alerts.timeline import round_minutes

TABLE: Final = "national_form"
CPC_STEMI: Final = "cpc_stemi"
PCI, LYSIS, OTHER, NONE = "pci", "lysis", "other", "none"
LYSIS_PCI = "lysis_pci"
YES, NO = "yes", "no"
_CODED: Final = frozenset({"arrival_mode"})  # numbers of the record that are codes


class FormSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One form."""

    id: str
    zh: str
    en: str
    source: str
    mark: str


class Named(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A section of a form, or the people who owe an answer."""

    id: str
    zh: str
    en: str


class Choice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One code of an answer that comes from the record itself."""

    value: str
    id: str
    zh: str
    en: str


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a day and its number on the form."""

    id: str
    code: str


class FieldSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field; the keys are explained in ``national_form.toml``."""

    id: str
    zh: str
    en: str
    value: str
    kind: str
    owner: str
    mark: str
    form: str = ""
    section: str = ""
    required: bool = False
    range: tuple[float, float] | None = None
    modes: tuple[int, ...] | None = None
    diagnosis: tuple[str, ...] | None = None
    ways: tuple[str, ...] | None = None
    not_fact: str | None = None
    not_code: str | None = None
    stands_in: str | None = None
    stands_in_modes: tuple[int, ...] | None = None
    owner_by_mode: dict[str, str] = {}

    @property
    def milestone(self) -> str | None:
        """The milestone whose time it asks for; None: it asks for something else."""
        kind, _, name = self.value.partition(":")
        return name if kind == "time" else None

    def owner_in(self, arrival_mode: int | None) -> str:
        """Whose gap it is, where it is one."""
        return self.owner_by_mode.get(str(arrival_mode), self.owner)


class _Rows(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    form: str
    section: str
    rows: tuple[FieldSpec, ...]


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One field of one case."""

    spec: FieldSpec
    asked: bool | None  # whether the form asks it of this case; None: cannot be told yet
    value: datetime | str | float | None  # None: unknown
    owner: str
    told: str | None = None  # the day, or a part of it, where no hour was told
    source: str | None = None  # of a time
    uncertainty_s: float | None = (
        None  # half width of a time; None: the clock was never compared, or it is no time
    )
    entered: bool = False  # a person typed or tapped it
    corrected: bool = False  # it stands in place of an earlier value, which the case keeps
    typed: bool = False  # a person typed when it was; the instant of a press is not typed
    stands_in: str | None = None  # the milestone that it was taken from in place of its own

    @property
    def known(self) -> bool:
        """Whether there is an answer."""
        return self.value is not None or self.told is not None

    @property
    def state(self) -> str:
        """ "known"; "missing": asked for and not there; "open": cannot be told yet whether it is asked; "unknown": not
        there and not required; "not_asked"; "outside": no part of this service's log."""
        if self.known:
            return "known"
        if self.spec.value == "outside":
            return "outside"
        if self.asked is False:
            return "not_asked"
        if not self.spec.required:
            return "unknown"
        return "missing" if self.asked else "open"


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """One form of one case, in the order of its fields."""

    form: str
    case_id: str
    site: str
    arrival_mode: int | None
    cells: tuple[Cell, ...]

    def cell(self, field: str) -> Cell:
        """The field of this id; raise `KeyError` where the form has none."""
        for cell in self.cells:
            if cell.spec.id == field:
                return cell
        raise KeyError(field)

    @property
    def missing(self) -> tuple[Cell, ...]:
        """What is asked for and not there."""
        return tuple(cell for cell in self.cells if cell.state == "missing")


class FilledShare(msgspec.Struct, frozen=True, kw_only=True):
    """How far the log alone fills the times that a form requires of one case."""

    required: int  # times that the form asks of this case
    filled: int  # of these, those that are known, by whatever way
    by_service: int  # of these, those that no person typed or tapped
    without_typing: (
        int  # of these, those that came while care went on: by the service, or by the tap of who was there
    )
    missing: tuple[str, ...]  # fields
    undecided: tuple[str, ...]  # fields of which cannot be told yet whether they are asked

    @property
    def share(self) -> float | None:
        """Filled without typing, of those required; None where nothing is required."""
        return self.without_typing / self.required if self.required else None


# ---------------------------------------------------------------- the tables


@cache
def forms() -> dict[str, FormSpec]:
    """All forms by id."""
    return {row.id: row for row in read_table(TABLE, "form", FormSpec)}


@cache
def sections() -> dict[str, Named]:
    """The sections of the forms by id, in their order."""
    return {row.id: row for row in read_table(TABLE, "section", Named)}


@cache
def owners() -> dict[str, Named]:
    """Who may owe an answer, by id."""
    return {row.id: row for row in read_table(TABLE, "owner", Named)}


@cache
def fields(form: str) -> tuple[FieldSpec, ...]:
    """The fields of a form in their order; raise `KeyError` for a form that is not there."""
    found = forms()[form].id
    return tuple(
        msgspec.structs.replace(row, form=found, section=rows.section)
        for rows in read_table(TABLE, "field", _Rows)
        if rows.form == found
        for row in rows.rows
    )


@cache
def part_codes() -> dict[str, str]:
    """The form's number for each part of a day."""
    return {row.id: row.code for row in read_table(TABLE, "part", Part)}


@cache
def choices(value: str) -> dict[str, tuple[str, str]]:
    """What the codes of an answer mean, in Chinese and English; empty where it has none."""
    kind, _, name = value.partition(":")
    if kind == "code":
        return {row.id: (row.zh, row.en) for row in codes(name).values()}
    if kind == "fact":
        return {row.id: (row.zh, row.en) for row in fact_codes(name).values()}
    if kind == "part":
        return {code: (part, part) for part, code in part_codes().items()}
    return {row.id: (row.zh, row.en) for row in read_table(TABLE, "choice", Choice) if row.value == value}


@cache
def _not_yet() -> frozenset[str]:
    return frozenset(read_value(TABLE, "diagnosis_not_yet", tuple[str, ...]))


@cache
def _way_shown_by() -> dict[str, tuple[str, ...]]:
    return read_value(TABLE, "way_shown_by", dict[str, tuple[str, ...]])


@cache
def _way_said() -> dict[str, tuple[str, ...]]:
    return read_value(TABLE, "way_of_reperfusion", dict[str, tuple[str, ...]])


# ---------------------------------------------------------------- one case


def ways_of(record: CaseRecord) -> frozenset[str] | None:
    """How blood flow was restored, of "pci", "lysis", "other" and "none"; None: unknown.

    What was said of it stands; where nobody has said, the times show it, a decision for PCI among them.
    """
    said = record.facts.get("REPERFUSION")
    if said is not None:
        return frozenset(_way_said()[said])
    found = {way for way, names in _way_shown_by().items() if any(name in record.times for name in names)}
    if not found and "NOT_REPERFUSED" in record.facts:
        found.add(NONE)
    return frozenset(found) or None


def way_code(ways: frozenset[str]) -> str:
    """The form's one answer; a wire after fibrinolysis is no primary PCI."""
    if {PCI, LYSIS} <= ways:
        return LYSIS_PCI
    return next(one for one in (PCI, LYSIS, OTHER, NONE) if one in ways)


def by_pci(records: Iterable[CaseRecord]) -> tuple[CaseRecord, ...]:
    """Infarctions for which PCI was the way: they have all of it, whether its times are known or not.

    After fibrinolysis a wire waits for hours on purpose: as the editions have it, nobody loses these minutes.
    """
    return tuple(one for one in records if one.diagnosis == STEMI and ways_of(one) == frozenset({PCI}))


def form_of(record: CaseRecord, form: str = CPC_STEMI) -> Form:
    """Return one form of a case; raise `KeyError` for a form that is not there."""
    ways = ways_of(record)
    return Form(
        form=form,
        case_id=record.case_id,
        site=record.site,
        arrival_mode=record.arrival_mode,
        cells=tuple(_cell(spec, record, ways) for spec in fields(form)),
    )


def filled_share(record: CaseRecord, form: str = CPC_STEMI) -> FilledShare:
    """Return how many of the times that a form requires of a case are there, and how many without typing."""
    cells = [cell for cell in form_of(record, form).cells if cell.spec.required and cell.spec.kind == "time"]
    asked = [cell for cell in cells if cell.asked]
    known = [cell for cell in asked if cell.known]
    return FilledShare(
        required=len(asked),
        filled=len(known),
        by_service=sum(not cell.entered for cell in known),
        without_typing=sum(not cell.typed for cell in known),
        missing=tuple(cell.spec.id for cell in asked if not cell.known),
        undecided=tuple(cell.spec.id for cell in cells if cell.asked is None),
    )


def _cell(spec: FieldSpec, record: CaseRecord, ways: frozenset[str] | None) -> Cell:
    asked = _asked(spec, record, ways)
    owner = spec.owner_in(record.arrival_mode)
    kind, _, name = spec.value.partition(":")
    if kind in ("time", "part"):
        time, stands_in = record.times.get(name), None
        if time is None and kind == "time" and _may_stand_in(spec, record):
            time, stands_in = record.times.get(spec.stands_in or ""), spec.stands_in
        return _time_cell(spec, asked, owner, time, stands_in if time is not None else None)
    value = _answer(kind, name, record, ways)
    entered = kind in ("code", "fact") and value is not None
    return Cell(spec=spec, asked=asked, value=value, owner=owner, entered=entered)


def _time_cell(
    spec: FieldSpec, asked: bool | None, owner: str, time: RecordTime | None, stands_in: str | None
) -> Cell:
    if time is None:
        return Cell(spec=spec, asked=asked, value=None, owner=owner)
    value: datetime | str | None = None if time.told is not None else time.at  # a day is no hour
    if spec.kind == "code":
        value = part_codes().get((time.told or "").partition(" ")[2])
    return Cell(
        spec=spec,
        asked=asked,
        value=value,
        owner=owner,
        told=None if spec.kind == "code" else time.told,
        source=time.source,
        uncertainty_s=time.uncertainty_s,
        entered=time.entered,
        corrected=time.corrected,
        typed=time.typed,
        stands_in=stands_in,
    )


def _may_stand_in(spec: FieldSpec, record: CaseRecord) -> bool:
    modes = spec.stands_in_modes
    return spec.stands_in is not None and (modes is None or record.arrival_mode in modes)


def _asked(spec: FieldSpec, record: CaseRecord, ways: frozenset[str] | None) -> bool | None:
    """Whether all conditions hold: False where one does not, None where one cannot be told and none fails."""
    held: list[bool | None] = []
    if spec.modes is not None:
        mode = record.arrival_mode
        held.append(None if mode is None else mode in spec.modes)
    if spec.diagnosis is not None:
        said = record.diagnosis
        held.append(None if said is None or said in _not_yet() else said in spec.diagnosis)
    if spec.ways is not None:
        held.append(None if ways is None else bool(ways & set(spec.ways)))
    if spec.not_fact is not None:
        held.append(record.facts.get(spec.not_fact) != spec.not_code)
    return _all(held)


def _all(held: Iterable[bool | None]) -> bool | None:
    found = set(held)
    return False if False in found else (None if None in found else True)


def _answer(
    kind: str, name: str, record: CaseRecord, ways: frozenset[str] | None
) -> datetime | str | float | None:
    match kind:
        case "code":
            time = record.times.get(name)
            return None if time is None else time.code
        case "fact":
            return record.facts.get(name)
        case "record":
            said = getattr(record, name)
            if said is None:
                return None
            if isinstance(said, bool):
                return YES if said else NO
            return str(said) if name in _CODED else said
        case "way":
            return None if ways is None else way_code(ways)
        case "minutes":
            return minutes_between(record, *name.split(":"))
        case "sent_before_arrival":
            return _sent_before_arrival(record)
    return None


def minutes_between(record: CaseRecord, start: str, end: str) -> float | None:
    """Whole minutes from one milestone to another; None where either is unknown, was told as a day, or they are
    the wrong way round: no form takes such a number."""
    first, last = record.times.get(start), record.times.get(end)
    if first is None or last is None or first.told is not None or last.told is not None or last.at < first.at:
        return None
    return float(round_minutes((last.at - first.at).total_seconds()))


def _sent_before_arrival(record: CaseRecord) -> str | None:
    door, received = record.times.get("HUB_DOOR"), record.times.get("ECG_RECEIVED")
    if door is None or received is None or received.latest >= door.earliest > received.earliest:
        return None
    return YES if received.latest < door.earliest else NO
