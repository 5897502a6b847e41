"""The clock of one device over all contacts: offset, drift, jumps. A pure fold: the same contacts, the same history.

A clock runs on until it is set. While it runs, its offset changes by its drift; where a contact does not fit the run,
the next one tells whether the clock was set (a jump) or the message was late (it is passed over). Of a run that is over
the line through its contacts is kept, so that a time read from the clock before it jumped is corrected by what the
clock was then.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Final, Literal

import msgspec
import numpy as np

from greenchannel.clock import check_aware
from greenchannel.ingest.device_clock import DRIFT, MOST_OFFSET_S, ClockOffset

KEPT_CONTACTS: Final = 200  # of one run; thinned evenly, the first and the last stay
KEPT_RUNS: Final = 8
KEPT_JUMPS: Final = 40
KEPT_DATES: Final = 20
FEWEST_FOR_DRIFT: Final = 3
FITTED_CONTACTS: Final = (
    30  # of a run, to tell whether one more contact fits it; a time is corrected by them all  [E]
)
_APART: Final = timedelta(minutes=10)  # contacts nearer than this tell the drift nothing new  [E]


class Limit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One number of the table."""

    value: float
    source: str
    mark: Literal["S", "K", "E", "O"]


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What counts as bad."""

    off_s: Limit
    jump_s: Limit
    drift_ppm: Limit
    silent_days: Limit
    most_drift_ppm: Limit


LIMITS: Final = msgspec.toml.decode(
    (files("greenchannel") / "ingest/clock_limits.toml").read_text(encoding="utf-8"), type=Limits
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Drift:
    """How fast a clock goes wrong."""

    ppm: float  # positive: fast
    uncertainty_ppm: float  # half width


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """A stretch in which nobody set the clock."""

    contacts: tuple[ClockOffset, ...]  # oldest first, at least one

    @property
    def last(self) -> ClockOffset:
        """The newest contact."""
        return self.contacts[-1]

    def offset_at(self, instant: datetime) -> ClockOffset:
        """The offset at an instant by the server's clock: of the nearest contact, carried on by the drift."""
        near = min(self.contacts, key=lambda one: abs(one.measured_at - instant))
        away_s = (instant - near.measured_at).total_seconds()
        known = drift_of(self)
        rate, unsure = (0.0, DRIFT) if known is None else (known.ppm * 1e-6, known.uncertainty_ppm * 1e-6)
        return ClockOffset(
            offset_s=near.offset_s + rate * away_s,
            uncertainty_s=near.uncertainty_s + min(unsure, _MOST_RATE) * abs(away_s),
            measured_at=instant,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Jump:
    """The clock was set, or its battery died. Both readings are kept."""

    after: datetime  # the last contact before it, by the server's clock
    before: datetime  # the first contact behind it
    from_offset_s: float  # as it would have been at `before` without it
    to_offset_s: float
    uncertainty_s: float  # of the difference

    @property
    def by_s(self) -> float:
        """Positive: it was set forward."""
        return self.to_offset_s - self.from_offset_s


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadDate:
    """A date of a clock that had stopped, as a file of the device has it."""

    seen_at: datetime
    raw: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ClockHistory:
    """What is known of one clock."""

    runs: tuple[Run, ...] = ()
    jumps: tuple[Jump, ...] = ()
    odd: ClockOffset | None = None  # the newest contact, where it does not fit the run: a jump, or late
    contacts: int = 0
    late: int = 0  # contacts that were passed over
    last_contact: ClockOffset | None = None
    unset: ClockOffset | None = None  # the newest contact, where the clock was never set
    dead_dates: tuple[DeadDate, ...] = ()


_MOST_RATE: Final = LIMITS.most_drift_ppm.value * 1e-6


def drift_of(run: Run) -> Drift | None:
    """The drift of a run: the median of all slopes (Theil, Sen), None for fewer than three contacts.

    The uncertainty holds every line that passes all contacts within their own; where none does, because one of them
    claims to be better than it is, the middle half of the slopes, doubled.
    """
    if len(run.contacts) < FEWEST_FOR_DRIFT:
        return None
    start = run.contacts[0].measured_at
    t = np.array([(one.measured_at - start).total_seconds() for one in run.contacts])
    offset = np.array([one.offset_s for one in run.contacts])
    width = np.array([one.uncertainty_s for one in run.contacts])
    first, second = np.triu_indices(t.size, 1)
    apart = t[second] - t[first]
    rise, reach = offset[second] - offset[first], width[first] + width[second]
    slope = float(np.median(rise / apart))
    least, most = float(((rise - reach) / apart).max()), float(((rise + reach) / apart).min())
    if least > most:
        low, high = np.quantile(rise / apart, (0.25, 0.75))
        return Drift(ppm=slope * 1e6, uncertainty_ppm=float(high - low) * 1e6)
    slope = min(max(slope, least), most)
    return Drift(ppm=slope * 1e6, uncertainty_ppm=max(most - slope, slope - least) * 1e6)


def after_contact(history: ClockHistory, contact: ClockOffset) -> ClockHistory:
    """The history after one more contact. One that is not newer than the last changes nothing."""
    check_aware(contact.measured_at)
    last = history.last_contact
    if last is not None and contact.measured_at <= last.measured_at:
        return history
    history = replace(history, contacts=history.contacts + 1, last_contact=contact)
    if abs(contact.offset_s) > MOST_OFFSET_S:
        return replace(history, unset=contact)
    history = replace(history, unset=None)
    if not history.runs:
        return replace(history, runs=(Run(contacts=(contact,)),))
    run, odd = history.runs[-1], history.odd
    fits = _plainly_fits(run, contact) or _misfit(run, contact) <= 1.0
    if odd is not None and not fits and _misfit(Run(contacts=(odd,)), contact) <= 1.0:
        return _jumped(history, run, odd, contact)
    if fits:
        late = history.late + (odd is not None)
        return replace(history, runs=(*history.runs[:-1], _longer(run, contact)), odd=None, late=late)
    return replace(history, odd=contact, late=history.late + (odd is not None))


def after_dead_date(history: ClockHistory, date: DeadDate) -> ClockHistory:
    """The history after a file with a date of a stopped clock."""
    return replace(history, dead_dates=(*history.dead_dates, date)[-KEPT_DATES:])


def _plainly_fits(run: Run, contact: ClockOffset) -> bool:
    """Whether a contact fits under every drift that the ends of the run allow: mostly no fit is needed to tell."""
    first, last = run.contacts[0], run.last
    over_s = (last.measured_at - first.measured_at).total_seconds()
    if len(run.contacts) < FEWEST_FOR_DRIFT or over_s <= 0.0:
        return False
    steepest = (abs(last.offset_s - first.offset_s) + first.uncertainty_s + last.uncertainty_s) / over_s
    away_s = (contact.measured_at - last.measured_at).total_seconds()
    moved_s = abs(contact.offset_s - last.offset_s)
    return moved_s + steepest * away_s <= last.uncertainty_s + contact.uncertainty_s


def _misfit(run: Run, contact: ClockOffset) -> float:
    """How far a contact lies from where a run would be, as a share of what may be: above 1 it does not fit."""
    last = run.last
    away_s = (contact.measured_at - last.measured_at).total_seconds()
    known = drift_of(_thinned(run))
    rate = 0.0 if known is None else known.ppm * 1e-6
    unsure = _MOST_RATE if known is None else min(known.uncertainty_ppm * 1e-6 + DRIFT, _MOST_RATE)
    allowed_s = last.uncertainty_s + contact.uncertainty_s + unsure * away_s
    return abs(contact.offset_s - last.offset_s - rate * away_s) / max(allowed_s, 1e-9)


def _thinned(run: Run) -> Run:
    """The run by few of its contacts, the first and the last among them: the log is folded at every start, and the
    work of a fit grows with the square of the contacts."""
    kept = run.contacts
    if len(kept) <= FITTED_CONTACTS:
        return run
    step = -(-(len(kept) - 1) // (FITTED_CONTACTS - 1))
    return Run(contacts=(*kept[:-1:step], kept[-1]))


def _jumped(history: ClockHistory, run: Run, odd: ClockOffset, contact: ClockOffset) -> ClockHistory:
    expected = run.offset_at(odd.measured_at)
    jump = Jump(
        after=run.last.measured_at,
        before=odd.measured_at,
        from_offset_s=expected.offset_s,
        to_offset_s=odd.offset_s,
        uncertainty_s=expected.uncertainty_s + odd.uncertainty_s,
    )
    new = _longer(Run(contacts=(odd,)), contact)
    return replace(
        history,
        runs=(*history.runs, new)[-KEPT_RUNS:],
        jumps=(*history.jumps, jump)[-KEPT_JUMPS:],
        odd=None,
    )


def _longer(run: Run, contact: ClockOffset) -> Run:
    """The run with one more contact; of two that are close together the narrower one."""
    kept = run.contacts
    if len(kept) > 1 and contact.measured_at - kept[-2].measured_at < _APART:
        narrower = min(kept[-1], contact, key=lambda one: one.uncertainty_s)
        if narrower is not contact and contact.uncertainty_s > kept[-1].uncertainty_s:
            return run
        return Run(contacts=(*kept[:-1], contact))
    kept = (*kept, contact)
    if len(kept) > KEPT_CONTACTS:
        kept = (*kept[:-1:2], kept[-1])
    return Run(contacts=kept)


# ---------------------------------------------------------------- times read from the clock


def offset_for(history: ClockHistory, raw: datetime) -> ClockOffset | None:
    """The offset by which a time read from the clock is corrected, on whichever side of a jump it was read.

    A time belongs to a run where, corrected by it, it falls between the contacts that bound the run. Where it may
    belong to several, the newest is taken and the uncertainty holds them all. None where it fits none.

    Parameters
    ----------
    raw
        The time by the device's clock, aware.
    """
    raw = check_aware(raw)
    fitting: list[ClockOffset] = []
    runs = list(history.runs)
    if history.odd is not None:
        runs.append(Run(contacts=(history.odd,)))
    for k, run in enumerate(runs):
        offset = run.offset_at(raw - timedelta(seconds=run.last.offset_s))
        at = raw - timedelta(seconds=offset.offset_s)
        offset = run.offset_at(at)
        slack = timedelta(seconds=offset.uncertainty_s)
        begins = runs[k - 1].last.measured_at if k else None
        ends = runs[k + 1].contacts[0].measured_at if k + 1 < len(runs) else None
        if (begins is None or at >= begins - slack) and (ends is None or at <= ends + slack):
            fitting.append(offset)
    if not fitting:
        return None
    newest = fitting[-1]
    widest_s = max(abs(one.offset_s - newest.offset_s) + one.uncertainty_s for one in fitting)
    return replace(newest, uncertainty_s=max(newest.uncertainty_s, widest_s))


def offset_now(history: ClockHistory, now: datetime) -> ClockOffset | None:
    """What the clock is off now: by the newest contact that does not fit, else by the run; None: never compared."""
    if history.odd is not None:
        return Run(contacts=(history.odd,)).offset_at(now)
    return history.runs[-1].offset_at(now) if history.runs else None
