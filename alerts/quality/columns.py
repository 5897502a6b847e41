"""Many records as columns of numbers: what metrics are counted from.

A record packs into a few hundred bytes (`pack`); those of a province load in a moment, and one that changes is put in
its place. Instants and half widths are whole microseconds, so that sums are exact.
"""

import struct
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from greenchannel.alerts.quality.metrics import (
    counted_facts,
    counted_milestones,
    reperfusion_of,
    reperfusion_rules,
)
from greenchannel.alerts.quality.record import RECORDS_VERSION, CaseRecord, RecordTime, record_rules
from greenchannel.alerts.quality.record_of import HUB, SiteFacts
from greenchannel.alerts.timeline import TRANSFER

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Small = npt.NDArray[np.int8]

UNKNOWN_US: Final = np.iinfo(np.int64).min
NEVER_COMPARED: Final = -1  # in place of a clock's half width
YES, NO = 1, 2  # of a fact; 0: nobody has said
LABELS: Final = ("site", "ambulance", "doctor", "reader", "diagnosis", "reperfusion", "way")
ROOM: Final = 8  # one part in so many is kept free for cases to come
NO_SITES: Final[Mapping[str, SiteFacts]] = {}

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_US: Final = timedelta(microseconds=1)


def us(instant: datetime) -> int:
    """Whole microseconds since 1970."""
    return (instant - _EPOCH) // _US


class Packed(msgspec.Struct, frozen=True, kw_only=True):
    """What metrics need of one record."""

    case_id: str
    numbers: bytes
    labels: bytes


@cache
def layout() -> np.dtype[np.void]:
    """How the numbers of one record lie in their bytes."""
    m, f = len(counted_milestones()), len(counted_facts())
    fields = [
        ("began", "<i8"),
        ("age", "<f8"),
        ("at", "<i8", (m,)),
        ("told", "<i8", (m,)),
        ("clock", "<i8", (m,)),
        ("mode", "i1"),
        ("chest", "i1"),
        ("facts", "i1", (f,)),
    ]
    return np.dtype(fields)


@cache
def _struct() -> struct.Struct:
    m, f = len(counted_milestones()), len(counted_facts())
    return struct.Struct(f"<qd{3 * m}q{2 + f}b")


def layout_name() -> str:
    """Changes whenever packed numbers would be read wrongly or would say something else."""
    rules = sha256(msgspec.json.encode([record_rules(), reperfusion_rules()])).hexdigest()[:12]
    return f"{RECORDS_VERSION}:{rules}:{','.join((*counted_milestones(), *counted_facts(), *LABELS))}"


def pack(record: CaseRecord) -> Packed:
    """What metrics need of a record, small."""
    times = [record.times.get(name) for name in counted_milestones()]
    numbers = _struct().pack(
        us(record.began_at),
        float("nan") if record.age_years is None else record.age_years,
        *(UNKNOWN_US if time is None else us(time.at) for time in times),
        *(0 if time is None else _told_us(time) for time in times),
        *(NEVER_COMPARED if time is None else _clock_us(time) for time in times),
        record.arrival_mode or 0,
        0 if record.chest_pain is None else (YES if record.chest_pain else NO),
        *(_said(record.facts.get(name)) for name in counted_facts()),
    )
    labels = (
        record.site,
        record.ambulance,
        record.doctor,
        record.reader,
        record.diagnosis,
        reperfusion_of(record),
        record.way,
    )
    return Packed(case_id=record.case_id, numbers=numbers, labels=msgspec.msgpack.encode(labels))


def _told_us(time: RecordTime) -> int:
    """Half of what a told day may be off; 0 of an instant."""
    return (time.latest - time.at) // _US


def _clock_us(time: RecordTime) -> int:
    """Half width of the clock; of a told day 0, its bounds say all."""
    if time.told is not None:
        return 0
    return NEVER_COMPARED if time.uncertainty_s is None else round(time.uncertainty_s * 1e6)


def _said(code: str | None) -> int:
    return 0 if code is None else (YES if code == "yes" else NO)


class Words:
    """A column of words as small numbers. Number 0 is the word that is not known."""

    def __init__(self) -> None:
        self.words: list[str | None] = [None]
        self._codes: dict[str | None, int] = {None: 0}

    def code(self, word: str | None) -> int:
        """The number of a word; a new one where it is new."""
        found = self._codes.get(word)
        if found is None:
            found = self._codes[word] = len(self.words)
            self.words.append(word)
        return found

    def codes(self, words: Iterable[str]) -> list[int]:
        """The numbers of those that are known here."""
        return [self._codes[word] for word in words if word in self._codes]


class Columns:
    """Records as columns, ``(n_cases,)`` each. Rows keep their places; what is put again takes its own.

    Attributes
    ----------
    ids : list of str
        Cases in the order of the rows.
    began, age, mode, chest
        Microseconds, years (NaN: unknown), national code (0: unknown), `YES`, `NO` or 0.
    """

    def __init__(self, sites: Mapping[str, SiteFacts] = NO_SITES) -> None:
        self.ids: list[str] = []
        self.words = {name: Words() for name in LABELS}
        self.row_of: dict[str, int] = {}
        self.sites = sites
        self._rows = np.zeros(0, layout())
        self._labels: dict[str, Codes] = {name: np.zeros(0, np.int32) for name in LABELS}
        self._cached: dict[tuple[str, str], Ints] = {}

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def of(cls, records: Iterable[CaseRecord]) -> "Columns":
        """The columns of records, with the sites as these name them."""
        listed = list(records)
        sites = {r.site: SiteFacts(town=r.town, kind=r.site_kind) for r in listed}
        columns = cls(sites)
        columns.load((p.case_id, p.numbers, p.labels) for p in map(pack, listed))
        return columns

    def load(self, packed: Iterable[tuple[str, bytes, bytes]]) -> None:
        """Fill empty columns; each case once."""
        ids, numbers, labels = [], [], []
        for case_id, number, label in packed:
            ids.append(case_id)
            numbers.append(number)
            labels.append(label)
        self.ids = ids
        self.row_of = {case_id: row for row, case_id in enumerate(ids)}
        room = len(ids) + len(ids) // ROOM + 64
        self._rows = np.zeros(room, layout())
        self._rows[: len(ids)] = np.frombuffer(b"".join(numbers), layout())
        # Few are alike in numbers, many in labels: these are decoded once for all of a kind.
        kinds = {label: number for number, label in enumerate(dict.fromkeys(labels))}
        decode = msgspec.msgpack.Decoder(list[str | None]).decode
        said = list(zip(*map(decode, kinds), strict=True)) or [()] * len(LABELS)
        of_row = np.fromiter((kinds[label] for label in labels), np.int64, len(ids))
        for name, words in zip(LABELS, said, strict=True):
            known = self.words[name]
            codes = np.fromiter((known.code(one) for one in words), np.int32, len(kinds))
            self._labels[name] = np.zeros(room, np.int32)
            self._labels[name][: len(ids)] = codes.take(of_row)
        self._changed()

    def put(self, packed: Packed) -> int:
        """Put one record in its place, or at the end; return the row."""
        row = self.row_of.get(packed.case_id)
        if row is None:
            row = self.row_of[packed.case_id] = len(self.ids)
            self.ids.append(packed.case_id)
            if row >= len(self._rows):
                self._grow(row + row // ROOM + 64)
        self._rows[row] = np.frombuffer(packed.numbers, layout())[0]
        said = msgspec.msgpack.decode(packed.labels, type=list[str | None])
        for name, word in zip(LABELS, said, strict=True):
            self._labels[name][row] = self.words[name].code(word)
        self._patch(row)
        return row

    def drop(self, case_id: str) -> bool:
        """Forget a record; the last row takes its place. False where it is not there."""
        row = self.row_of.pop(case_id, None)
        if row is None:
            return False
        last = len(self.ids) - 1
        self._rows[row] = self._rows[last]
        for column in self._labels.values():
            column[row] = column[last]
        if row != last:
            self.ids[row] = self.ids[last]
            self.row_of[self.ids[row]] = row
        self.ids.pop()
        self._changed()
        return True

    def alone(self, row: int) -> "Columns":
        """The columns of one row alone, with the same words."""
        one = Columns(self.sites)
        one.ids = [self.ids[row]]
        one.words = self.words
        one._rows = self._rows[row : row + 1]
        one._labels = {name: column[row : row + 1] for name, column in self._labels.items()}
        return one

    def label(self, name: str) -> Codes:
        """The numbers of a label of `LABELS`, by row."""
        return self._labels[name][: len(self)]

    def number(self, field: str) -> npt.NDArray[np.float64] | Ints | Small:
        """A plain field of the layout, by row: "began", "age", "mode", "chest"."""
        found: npt.NDArray[np.float64] | Ints | Small = self._rows[field][: len(self)]
        return found

    def at(self, milestone: str) -> Ints:
        """When a milestone was, in microseconds; `UNKNOWN_US` where nobody has said."""
        return self._of_milestone("at", milestone)

    def told(self, milestone: str) -> Ints:
        """Half of what a told day may be off, in microseconds."""
        return self._of_milestone("told", milestone)

    def clock(self, milestone: str) -> Ints:
        """Half width of the clock in microseconds, `NEVER_COMPARED` where that is unknown."""
        return self._of_milestone("clock", milestone)

    def fact(self, name: str) -> Small:
        """`YES`, `NO` or 0, by row."""
        found: Small = self._rows["facts"][: len(self), counted_facts().index(name)]
        return found

    def facts_said(self, row: int) -> dict[str, int]:
        """`YES`, `NO` or 0 of every fact that is counted, of one row."""
        return dict(zip(counted_facts(), self._rows["facts"][row].tolist(), strict=True))

    def town(self, site: str | None) -> str | None:
        """The town of a site."""
        known = None if site is None else self.sites.get(site)
        return None if known is None else known.town

    def referring(self, site: str | None) -> str | None:
        """The site, where a patient can be transferred from it."""
        known = None if site is None else self.sites.get(site)
        return None if known is None or known.kind == HUB else site

    @property
    def transferred(self) -> npt.NDArray[np.bool_]:
        """Arrival mode 2, by row."""
        found: npt.NDArray[np.bool_] = self.number("mode") == TRANSFER
        return found

    def _of_milestone(self, field: str, milestone: str) -> Ints:
        """A column in one piece: rows are wide, and a column is asked for many times."""
        key = (field, milestone)
        if key not in self._cached:
            column = counted_milestones().index(milestone)
            self._cached[key] = np.ascontiguousarray(self._rows[field][:, column])
        return self._cached[key][: len(self)]

    def _patch(self, row: int) -> None:
        for (field, milestone), column in self._cached.items():
            column[row] = self._rows[field][row][counted_milestones().index(milestone)]

    def _changed(self) -> None:
        self._cached.clear()

    def _grow(self, capacity: int) -> None:
        wider = np.zeros(capacity, layout())
        wider[: len(self._rows)] = self._rows
        self._rows = wider
        for name, column in self._labels.items():
            longer = np.zeros(capacity, np.int32)
            longer[: len(column)] = column
            self._labels[name] = longer
        self._cached.clear()
