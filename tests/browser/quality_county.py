"""A county whose quality staff have a year to look at: a running service, and records in place of its own few cases."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from greenchannel.alerts.quality.record import CaseRecord
from greenchannel.service.callers import Caller
from greenchannel.viewer import routes_quality
from greenchannel.viewer.front import Front
from tests.browser.story_county import StoryCounty, story_county
from tests.quality_year import MONTHS, START, site_names, year

NOW = START + timedelta(days=30.4 * MONTHS)


@dataclass(kw_only=True)
class QualityCounty:
    """The service, and what its quality pages count: the year beside the real cases."""

    story: StoryCounty
    records: Sequence[CaseRecord] = field(default_factory=tuple)

    def all_of(self, front: Front, who: Caller) -> list[CaseRecord]:
        """What the routes ask for."""
        own = front.desk.quality.records(who.sites)
        return [*(one for one in self.records if who.may_see(one.site)), *own]


@contextlib.contextmanager
def quality_county(folder: Path, patch: pytest.MonkeyPatch, now: datetime = NOW) -> Iterator[QualityCounty]:
    """The demo's people, fourteen clinics, and a year of chest pain."""
    with story_county(folder, now) as story:
        county = QualityCounty(story=story, records=year())
        for site, (zh, en) in site_names().items():
            story.desk.accounts.add_site(site, zh, en, "clinic", distance_km=20.0)
        patch.setattr(routes_quality, "records_for", county.all_of)
        yield county
