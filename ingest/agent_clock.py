"""The agent's clock against the server's, as NTP compares them (RFC 5905), and what its sightings are worth. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from greenchannel.clock import check_aware
from greenchannel.ingest.device_clock import MOST_OFFSET_S, ClockOffset, refine_offset

READING_S: Final = 0.0005  # how finely the two clocks are read  [E]
STEP_S: Final = 1.0  # between two looks: more, and the wall clock was set  [E]


@dataclass(frozen=True, kw_only=True, slots=True)
class Tick:
    """An instant by the wall clock, and by one that only goes forward within one life of the agent."""

    at: datetime
    steady_s: float
    life: str


def compare(*, asked: Tick, answered: Tick, received_at: datetime, replied_at: datetime) -> ClockOffset:
    """The offset of the agent's clock at one contact: agent minus server, the server's clock in `measured_at`.

    Parameters
    ----------
    asked, answered
        When the agent asked and when the answer was there. The way there and back took what is left of the time
        between once the server's own share is taken off; half of it is the uncertainty.
    received_at, replied_at
        The same by the server's clock.

    Raises
    ------
    ValueError
        The server's clock or ours ran backwards meanwhile, or ours was set: nothing is known then.
    """
    away_s = answered.steady_s - asked.steady_s
    walled_s = (answered.at - asked.at).total_seconds()
    inside_s = (check_aware(replied_at) - check_aware(received_at)).total_seconds()
    if not 0 <= inside_s <= away_s + 2 * READING_S:
        raise ValueError(f"expected at most {away_s} s on the server, got {inside_s} s")
    if abs(walled_s - away_s) > STEP_S:
        raise ValueError(f"expected a clock that runs evenly, it went {walled_s} s in {away_s} s")
    there_s = (asked.at - received_at).total_seconds()
    back_s = (answered.at - replied_at).total_seconds()
    return ClockOffset(
        offset_s=(there_s + back_s) / 2,
        uncertainty_s=max(away_s - inside_s, 0.0) / 2 + READING_S,
        measured_at=check_aware(replied_at),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentClock:
    """What is known of the agent's clock."""

    offset: ClockOffset | None = None
    jumped_s: float | None = None  # by how much the newest contact differed, where that was no mere drift

    def heard(self, measured: ClockOffset) -> "AgentClock":
        """After another contact."""
        old = self.offset
        jumped_s = None
        if old is not None:
            moved_s = measured.offset_s - old.offset_s
            if abs(moved_s) > old.uncertainty_at(measured.measured_at) + measured.uncertainty_s:
                jumped_s = moved_s
        return AgentClock(offset=refine_offset(old, measured), jumped_s=jumped_s)

    def sayable(self, now: datetime) -> ClockOffset | None:
        """What the server is told at `now`, by the agent's clock; None for nothing, or a clock that was never set.

        The server takes what it is told as of when it hears it, so the uncertainty is that of now.
        """
        if self.offset is None or abs(self.offset.offset_s) > MOST_OFFSET_S:
            return None
        at = check_aware(now) - timedelta(seconds=self.offset.offset_s)
        return replace(self.offset, uncertainty_s=self.offset.uncertainty_at(at), measured_at=at)


def sighting(found: Tick, now: Tick, clock: AgentClock) -> datetime | None:
    """When something was found, as the server's clock would have had it; None where it cannot be said.

    Within one life of the agent the time since counts, whatever the wall clock did meanwhile; a clock that the network
    put right when it came back would otherwise shift every ECG of the night. Over a restart the wall clock must do.
    """
    if clock.offset is None:
        return None
    if found.life == now.life and found.steady_s <= now.steady_s:
        found_at = now.at - timedelta(seconds=now.steady_s - found.steady_s)
    else:
        found_at = min(found.at, now.at)
    return found_at - timedelta(seconds=clock.offset.offset_s)
