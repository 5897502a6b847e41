"""What detectors said, counted by site: who asks walks through no readings."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from greenchannel.alerts.imaging.reading import Reading


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """Of one version of a detector at one site: studies by its newest word."""

    looked: int = 0
    raised: int = 0  # of these
    not_analysed: Mapping[str | None, int] = MappingProxyType({})  # by reason


_NONE: Final = Tally()


class DetectorCounts:
    """Kept by the one who folds the readings; reading it from other threads is safe, its values never change."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[str | None, str, str], Tally] = {}  # by site, detector, version
        self._sites: dict[str, None] = {}

    def apply(self, before: Reading | None, after: Reading) -> None:
        """Take in how one reading has changed."""
        if after.site is not None:
            self._sites[after.site] = None
        if before is not None and before.site == after.site and before.detected is after.detected:
            return
        if before is not None:
            self._count(before, -1)
        self._count(after, 1)

    def of(self, site: str | None, plugin: str, version: str) -> Tally:
        """What this version said of the studies of a site."""
        return self._tallies.get((site, plugin, version), _NONE)

    @property
    def sites(self) -> tuple[str, ...]:
        """Every site of which a study was to be read."""
        return tuple(self._sites)

    def _count(self, reading: Reading, by: int) -> None:
        for one in reading.detected:
            key = (reading.site, one.plugin, one.version)
            tally = self._tallies.get(key, _NONE)
            if one.raised is None:
                reasons = dict(tally.not_analysed)
                reasons[one.reason] = reasons.get(one.reason, 0) + by
                left = MappingProxyType({reason: count for reason, count in reasons.items() if count})
                tally = msgspec.structs.replace(tally, not_analysed=left)
            else:
                tally = msgspec.structs.replace(
                    tally, looked=tally.looked + by, raised=tally.raised + by * one.raised
                )
            self._tallies[key] = tally
