"""What detectors said, counted as readings change: always what a walk through all of them would count."""

import random
from collections import Counter
from datetime import UTC, datetime

import msgspec

from greenchannel.alerts.imaging.detector_counts import DetectorCounts
from greenchannel.alerts.imaging.reading import Reading
from greenchannel.events import ImageDetected, ImageReadingWanted

AT = datetime(2026, 3, 2, tzinfo=UTC)
WANTED = ImageReadingWanted(
    study_uid="1.2",
    site="a",
    case_id=None,
    clock="ct",
    started_at=AT,
    due_at=AT,
    arrival_unknown=False,
    critical=False,
    shares=(0.5, 1.0),
)


def reading(site: str | None) -> Reading:
    return Reading(study_uid="1.2", site=site, case_id=None, wanted_at=AT, clock=WANTED, seq=1, version=1)


def said(draw: random.Random) -> ImageDetected:
    raised = draw.choice([True, False, None])
    return ImageDetected(
        plugin=draw.choice("pq"),
        version=draw.choice("12"),
        status="silent",
        raised=raised,
        reason=draw.choice(["gap", "failed"]) if raised is None else None,
    )


def test_they_are_what_a_walk_would_count() -> None:
    """A newer word of a detector takes the place of the older one; a reading begun anew has none."""
    draw, counts = random.Random(7), DetectorCounts()
    known: dict[int, Reading] = {}
    for _ in range(600):
        number = draw.randrange(20)
        before = known.get(number)
        after = before or reading(draw.choice(["a", "b", None]))
        if before is not None and draw.random() < 0.1:
            after = msgspec.structs.replace(before, detected=())
        elif before is not None:
            new = said(draw)
            others = tuple(one for one in before.detected if one.plugin != new.plugin)
            after = msgspec.structs.replace(before, detected=(*others, new))
        counts.apply(before, after)
        known[number] = after

    assert set(counts.sites) == {"a", "b"}
    for site in ("a", "b"):
        for plugin, version in ("p1", "p2", "q1", "q2"):
            words = [
                one
                for read in known.values()
                if read.site == site
                for one in read.detected
                if (one.plugin, one.version) == (plugin, version)
            ]
            tally = counts.of(site, plugin, version)
            assert tally.looked == sum(one.raised is not None for one in words)
            assert tally.raised == sum(one.raised is True for one in words)
            assert tally.not_analysed == Counter(one.reason for one in words if one.raised is None)
