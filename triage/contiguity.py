"""Which leads are neighbours (STE-2).

Leads are neighbours along two chains: aVL–I–(−aVR)–II–aVF–III around the limbs, V5R…V9 around the chest.
A lead that was read and does not qualify ends a set. One position that says nothing may lie between two
qualifying leads: −aVR, which bridges I and II and never qualifies, or a lead that is missing or unusable.
So V2 and V4 are neighbours when V3 came off, because what they show does not depend on V3; V2 and V5 are
not when V3 and V4 came off. The lead in between is no evidence and does not count among the leads asked for.
"""

from collections.abc import Mapping
from itertools import pairwise

import msgspec

from greenchannel.signal.leads import CABRERA_CHAIN, CHEST_CHAIN


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Qualifying neighbours in the order of their chain."""

    leads: tuple[str, ...]  # all of them qualify
    bridged: tuple[str, ...]  # leads that could not be read and lie between; never evidence

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Each two neighbours of the run."""
        return tuple(pairwise(self.leads))


def runs(qualifies: Mapping[str, bool], *, at_least: int, bridge: int) -> tuple[Run, ...]:
    """Sets of at least `at_least` neighbouring leads that qualify.

    Parameters
    ----------
    qualifies
        For each lead that could be read, whether it qualifies. A lead that is not in here could not be read.
    at_least
        Qualifying leads a set needs.
    bridge
        How many positions without a reading may lie between two neighbours.
    """
    found: list[Run] = []
    for chain in (CABRERA_CHAIN, CHEST_CHAIN):
        found += _runs_of_chain(chain, qualifies, bridge)
    return tuple(run for run in found if len(run.leads) >= at_least)


def _runs_of_chain(chain: tuple[str, ...], qualifies: Mapping[str, bool], bridge: int) -> list[Run]:
    found: list[Run] = []
    leads: list[str] = []
    bridged: list[str] = []
    gap: list[str] = []
    for name in (*chain, None):
        if name is not None and name not in qualifies and len(gap) < bridge:
            gap.append(name)
        elif name is not None and qualifies.get(name, False):
            bridged += gap if leads else []
            leads.append(name)
            gap = []
        else:
            if leads:
                found.append(
                    Run(leads=tuple(leads), bridged=tuple(lead for lead in bridged if lead != "-aVR"))
                )
            leads, bridged, gap = [], [], []
    return found
