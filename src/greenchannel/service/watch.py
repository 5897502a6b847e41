"""Who is on watch: the roster of the accounts as the plan of an alert."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from greenchannel.alerts import roster
from greenchannel.alerts.roster import EscalationSettings
from greenchannel.alerts.roster_edit import of_site
from greenchannel.events import PlanStep
from greenchannel.service.roster_watch import duty_shift
from greenchannel.store.accounts import Accounts

AHEAD = timedelta(days=2)  # far enough to name the next shift


class Watch:
    """Reads the roster anew for each question: shifts change while alarms run, plans do not."""

    def __init__(self, accounts: Accounts, settings: EscalationSettings) -> None:
        self._accounts = accounts
        self.settings = settings

    def shifts(self, at: datetime, site: str | None = None) -> Sequence[roster.Shift]:
        """The shifts of now and of the next two days that count at `at`: a site's own before the network's."""
        rows = self._accounts.shifts_between(at, at + AHEAD)
        return [shift.plain() for shift in of_site(map(duty_shift, rows), site, at)]

    def plan(self, tier: str, at: datetime, site: str | None = None) -> tuple[PlanStep, ...]:
        """The escalation plan of an alert of this tier that opens now, for a case of this site."""
        return roster.plan_for(tier, self.shifts(at, site), at, self.settings)
