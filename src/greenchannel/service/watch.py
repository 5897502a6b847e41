"""Who is on watch: the roster of the accounts as the plan of an alert."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from greenchannel.alerts import roster
from greenchannel.alerts.escalation_plan import EscalationSettings, plan_for
from greenchannel.alerts.roster_edit import of_site
from greenchannel.events import PlanStep
from greenchannel.service.roster_watch import answers, duty_shift
from greenchannel.store.accounts import Accounts
from greenchannel.store.contacts import Contacts

AHEAD = timedelta(days=2)  # far enough to name the next shift


class Watch:
    """Reads the roster anew for each question: shifts change while alarms run, plans do not."""

    def __init__(
        self, accounts: Accounts, settings: EscalationSettings, contacts: Contacts | None = None
    ) -> None:
        self._accounts = accounts
        self._contacts = contacts
        self.settings = settings

    def shifts(self, at: datetime, site: str | None = None) -> Sequence[roster.Shift]:
        """The shifts of now and of the next two days that count at `at`: a site's own before the network's; without
        those of people who could not answer."""
        asked = () if site is None else (site,)
        there = {user.id for user in self._accounts.users() if answers(user, asked)}
        rows = [row for row in self._accounts.shifts_between(at, at + AHEAD) if row.person in there]
        return [shift.plain() for shift in of_site(map(duty_shift, rows), site, at)]

    def plan(self, tier: str, at: datetime, site: str) -> tuple[PlanStep, ...]:
        """The escalation plan of an alert of this tier that opens now in a case of `site`."""
        shifts = self.shifts(at, site)
        people = {shift.person for shift in shifts}
        channels = {} if self._contacts is None else self._contacts.channels_of(people)
        return plan_for(tier, shifts, at, self.settings, site=site, channels=channels)

    def channels_of(self, person: str) -> tuple[str, ...]:
        """Every channel on which a person can be rung, whether they are on duty or not."""
        known = () if self._contacts is None else self._contacts.channels_of([person])[person]
        return known or self.settings.channels
