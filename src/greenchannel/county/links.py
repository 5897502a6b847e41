"""A bad link as values: how fast, how late, and what becomes of each connection, request and packet.

Nothing here asks the time or draws from hidden dice: the n-th request of a link has the same fate in every run of one
seed. `relay.py` and `packet_link.py` do to real bytes what stands here.
"""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

BITS: Final = 8
ANSWER_BYTES: Final = (1, 100)
"""Where an answer may break off: within its head, so that even the shortest is never whole."""


class Fault(StrEnum):
    """What may happen to a request."""

    UNSENT = "unsent"  # the line drops before the server has seen a byte
    HALF = "half"  # it drops in the middle of what is sent
    UNHEARD = "unheard"  # the server has done what was asked, and its answer is lost
    HALF_HEARD = "half_heard"  # the answer breaks off
    GATEWAY = "gateway"  # a proxy on the way says 502 in place of the server
    SILENT = "silent"  # nothing moves any more, then the line drops


FAULTS: Final = tuple(Fault)


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkProfile:
    """One kind of link. Shares are of 1; ranges are drawn from evenly, those of bytes by their logarithm."""

    rate_bit_s: float | None = None
    """Each way; None: as fast as it goes."""
    burst_bytes: int = 1500
    """What may leave at once after a pause."""
    delay_s: float = 0.0
    """One way."""
    jitter_s: float = 0.0
    """Up to so much more; nothing overtakes."""
    refused: float = 0.0
    """Share of connections that are refused."""
    failed: float = 0.0
    """Share of requests that one of `FAULTS` meets."""
    half_bytes: tuple[int, int] = (1, 60_000)
    """After how much of a request the line drops, where it drops in the middle."""
    silent_s: tuple[float, float] = (1.0, 5.0)
    """How long a line stays silent before it drops."""
    cut_bytes: tuple[int, int] | None = None
    """Every connection is cut after so many bytes, whatever they are; None: never."""
    down_every_s: float | None = None
    """On average so long after the last time the link goes down as a whole, as in a power cut; None: never."""
    down_s: tuple[float, float] = (5.0, 60.0)
    """For how long then."""
    lost: float = 0.0
    """Share of packets that are lost; for links that carry packets."""
    queue_s: float = 2.0
    """What waits before the line, in time; more packets are dropped, and senders of bytes wait."""

    def __post_init__(self) -> None:
        for name in ("refused", "failed", "lost"):
            share = getattr(self, name)
            if not 0 <= share < 1:
                raise ValueError(f"expected {name} from 0 to below 1, got {share!r}")
        for name in ("delay_s", "jitter_s", "queue_s"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"expected {name} of 0 s or more, got {getattr(self, name)!r}")
        if self.rate_bit_s is not None and not 0 < self.rate_bit_s < math.inf:
            raise ValueError(f"expected a rate above 0 bit/s, or None, got {self.rate_bit_s!r}")

    def faster(self, times: float) -> "LinkProfile":
        """The same link on a clock that runs so many times as fast."""
        return replace(
            self,
            rate_bit_s=None if self.rate_bit_s is None else self.rate_bit_s * times,
            delay_s=self.delay_s / times,
            jitter_s=self.jitter_s / times,
            silent_s=(self.silent_s[0] / times, self.silent_s[1] / times),
            queue_s=self.queue_s / times,
            down_every_s=None if self.down_every_s is None else self.down_every_s / times,
            down_s=(self.down_s[0] / times, self.down_s[1] / times),
        )


# Sizes of the links of villages: what operators and field reports name  [O]; shares of faults are ours  [E].
PROFILES: Final[Mapping[str, LinkProfile]] = MappingProxyType(
    {
        "clean": LinkProfile(),
        "fibre": LinkProfile(rate_bit_s=20e6, delay_s=0.008, jitter_s=0.002),
        "mobile": LinkProfile(rate_bit_s=2e6, delay_s=0.04, jitter_s=0.06, failed=0.02, lost=0.005),
        "thin": LinkProfile(rate_bit_s=20e3, delay_s=0.3, jitter_s=0.2, queue_s=4.0, lost=0.02),
        "failing": LinkProfile(refused=0.05, failed=0.3, cut_bytes=(2_000, 2_000_000)),
        "village": LinkProfile(
            rate_bit_s=20e3,
            delay_s=0.3,
            jitter_s=0.2,
            queue_s=4.0,
            lost=0.02,
            refused=0.05,
            failed=0.3,
            cut_bytes=(10_000, 500_000),
            down_every_s=1800.0,
        ),
    }
)
"""By name, the best first."""


def profile_named(name: str) -> LinkProfile:
    """A row of `PROFILES`; raises `ValueError` with the names there are."""
    try:
        return PROFILES[name]
    except KeyError:
        raise ValueError(f"expected a link of {' '.join(PROFILES)}, got {name!r}") from None


# ---------------------------------------------------------------- fates


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionFate:
    """What becomes of one connection."""

    refused: bool
    cut_after_bytes: int | None
    """Of both ways together; None: it is not cut."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestFate:
    """What becomes of one request."""

    fault: Fault | None
    after_bytes: int
    """Where it breaks off, for `Fault.HALF` and `Fault.SILENT`; a shorter one is `Fault.UNHEARD`."""
    answer_bytes: int
    """Where its answer breaks off, for `Fault.HALF_HEARD`."""
    silent_s: float


def connection_fate(profile: LinkProfile, seed: int, number: int) -> ConnectionFate:
    """The fate of the connection with this number, counted from 0 over the life of a link."""
    dice = random.Random(f"{seed}/connection/{number}")
    refused = dice.random() < profile.refused
    cut = None if profile.cut_bytes is None else _by_logarithm(dice, profile.cut_bytes)
    return ConnectionFate(refused=refused, cut_after_bytes=cut)


def request_fate(profile: LinkProfile, seed: int, number: int) -> RequestFate:
    """The fate of the request with this number, counted from 0 over all connections of a link."""
    dice = random.Random(f"{seed}/request/{number}")
    failed = dice.random() < profile.failed
    fault = dice.choice(FAULTS)
    return RequestFate(
        fault=fault if failed else None,
        after_bytes=_by_logarithm(dice, profile.half_bytes),
        answer_bytes=_by_logarithm(dice, ANSWER_BYTES),
        silent_s=dice.uniform(*profile.silent_s),
    )


def _by_logarithm(dice: random.Random, bounds: tuple[int, int]) -> int:
    low, high = bounds
    return min(high, max(low, round(math.exp(dice.uniform(math.log(low), math.log(high))))))


# ---------------------------------------------------------------- one direction


@dataclass(frozen=True, kw_only=True, slots=True)
class Pipe:
    """One direction of a link, as a value. Times are seconds of whatever clock its shell has."""

    free_s: float = -math.inf
    """When all that was admitted has left, had nothing left in a burst."""
    last_s: float = -math.inf
    """When the newest of it arrives."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """When something leaves this end of the line, and when it arrives at the other."""

    leaves_s: float
    arrives_s: float


def admit(
    profile: LinkProfile, pipe: Pipe, size_bytes: int, now_s: float, jitter: float
) -> tuple[Pipe, Passage]:
    """Send something down the line: a token bucket of `burst_bytes`, then the way.

    Parameters
    ----------
    jitter
        From 0 to 1: how much of `jitter_s` this one is late.

    Returns
    -------
    The pipe afterwards, and the passage. In any stretch of time no more leaves than its length times the rate, plus
    one burst; nothing arrives before what was admitted earlier.
    """
    leaves_s, free_s = now_s, pipe.free_s
    if profile.rate_bit_s is not None:
        per_byte_s = BITS / profile.rate_bit_s
        free_s = max(pipe.free_s, now_s - profile.burst_bytes * per_byte_s) + size_bytes * per_byte_s
        leaves_s = max(now_s, free_s)
    arrives_s = max(leaves_s + profile.delay_s + jitter * profile.jitter_s, pipe.last_s)
    return Pipe(free_s=free_s, last_s=arrives_s), Passage(leaves_s=leaves_s, arrives_s=arrives_s)


def waiting_s(profile: LinkProfile, pipe: Pipe, now_s: float) -> float:
    """How long the sender must wait until no more than `queue_s` lies before the line; 0: it may go on."""
    if profile.rate_bit_s is None:
        return 0.0
    return max(0.0, pipe.free_s - now_s - profile.queue_s)


def packet_passage(
    profile: LinkProfile, pipe: Pipe, size_bytes: int, now_s: float, dice: random.Random
) -> tuple[Pipe, Passage | None]:
    """The same for a packet, which may be lost on the way, or dropped where too many wait: then None."""
    lost, jitter = dice.random() < profile.lost, dice.random()
    if waiting_s(profile, pipe, now_s) > 0:
        return pipe, None
    after, passage = admit(profile, pipe, size_bytes, now_s, jitter)
    return after, None if lost else passage


# ---------------------------------------------------------------- outages


@dataclass(frozen=True, kw_only=True, slots=True)
class Outage:
    """A time in which the link is down."""

    after_s: float
    """From the end of the outage before, or the beginning."""
    length_s: float


def outage(profile: LinkProfile, seed: int, number: int) -> Outage | None:
    """The outage with this number, counted from 0; None where the link never goes down."""
    if profile.down_every_s is None:
        return None
    dice = random.Random(f"{seed}/outage/{number}")
    return Outage(after_s=dice.expovariate(1 / profile.down_every_s), length_s=dice.uniform(*profile.down_s))
