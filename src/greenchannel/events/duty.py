"""Who is on duty, and whether they can be reached. Streams of their own, beside those of the cases."""

from greenchannel.events.base import Aware, Event


class RosterChanged(Event, frozen=True, kw_only=True):
    """A shift was added, moved, given to another or taken off."""

    change: str  # "added", "removed", "swapped", "imported"
    shift_id: str
    role: str
    person: str
    starts: Aware
    ends: Aware
    instead_of: str | None = None  # who had it before
    reason: str | None = None
    site: str | None = None  # None: of the whole network


class DutyStarted(Event, frozen=True, kw_only=True):
    """A person began a shift, heard the test tone, and was sent a test message on each channel."""

    person: str
    role: str | None  # of the roster; None: not on it
    sound: bool  # the board of the person may sound
    channels: tuple[str, ...]  # that were tested


class ChannelTested(Event, frozen=True, kw_only=True):
    """What became of one test message."""

    person: str
    channel: str
    ok: bool
    reason: str | None = None  # a code, where it failed


class ShiftInDoubt(Event, frozen=True, kw_only=True):
    """Looked at ahead: a shift has nobody, or somebody who cannot be reached; or that this is no longer so."""

    role: str
    starts: Aware
    ends: Aware
    problem: str  # "empty", "disabled", "unreachable"
    ahead_s: float  # how long before its beginning it was said; below 0: after it
    person: str | None = None
    site: str | None = None  # whose roster; None: of the whole network
    check: str | None = None  # "day_before", "hour_before"
    gone: bool = False  # it was said before, and is so no more


class AuditorSpoke(Event, frozen=True, kw_only=True):
    """What was due has not happened, or the service is unwell: the auditor has raised its own alarm."""

    what: str  # "step", "ring", "exhaustion", "alert", "analysis"; "loop", "duty", "task: …", "database", …
    case_id: str | None  # None: it is the service
    due_at: Aware  # of a fault of the service: since when
    alert_id: str | None = None
    step: int | None = None
    ecg_id: str | None = None
