"""Names of people and sites, kept at hand so that a row needs no question to the database; a site's words and times."""

import asyncio
from typing import Any, Final

from greenchannel.alerts.escalation_plan import EscalationSettings, default_settings
from greenchannel.alerts.task_texts import TaskTexts
from greenchannel.service.roster_watch import answers
from greenchannel.store.accounts import Accounts, Site, User
from greenchannel.viewer.words import Word

REFRESH_AFTER_S: Final = 10.0


class Directory:
    """A copy of the accounts' names. `edition` changes with it, so that what was made from it can be made anew."""

    def __init__(
        self,
        accounts: Accounts,
        task_texts: TaskTexts | None = None,
        escalation: EscalationSettings | None = None,
    ) -> None:
        self._accounts = accounts
        self.escalation = escalation or default_settings()
        self._task_texts = task_texts or TaskTexts()
        self._people: dict[str, User] = {}
        self._sites: dict[str, Site] = {}
        self._due_s = 0.0  # by the loop's clock: how old a copy may be has nothing to do with any case
        self._loading = asyncio.Lock()
        self.edition = 0

    def forget(self) -> None:
        """Have the next `refresh` read the accounts, however new the copy is: somebody has just changed them."""
        self._due_s = 0.0

    async def refresh(self) -> None:
        """Read the accounts again where the copy is old."""
        loop = asyncio.get_running_loop()
        async with self._loading:
            if loop.time() < self._due_s:
                return
            people, sites = await asyncio.to_thread(self._read)
            self._due_s = loop.time() + REFRESH_AFTER_S
            if people != self._people or sites != self._sites:
                self._people, self._sites = people, sites
                self.edition += 1

    def _read(self) -> tuple[dict[str, User], dict[str, Site]]:
        people = {user.id: user for user in self._accounts.users()}
        return people, {site.id: site for site in self._accounts.sites()}

    def site(self, site_id: str) -> dict[str, Any]:
        """A site as the row has it; one that nobody knows goes by its id."""
        site = self._sites.get(site_id)
        return {
            "id": site_id,
            "name_zh": site.name_zh if site else site_id,
            "name_en": site.name_en if site else site_id,
            "distance_km": site.distance_km if site else None,
            "phone": site.phone if site else None,
        }

    def site_names(self) -> dict[str, Word]:
        """What every site is called."""
        return {site.id: Word(site.name_zh, site.name_en) for site in self._sites.values()}

    def task(self, kind: str, site: str) -> dict[str, Any]:
        """The words of a task as people of a site read them, with the steps of the site's own protocol."""
        words = self._task_texts.words(kind, site)
        steps = [
            {
                "id": step.id,
                "zh": step.zh,
                "en": step.en,
                "milestone": step.milestone,
                "source": step.source,
                "mark": step.mark,
            }
            for step in words.steps
        ]
        return {"zh": words.zh, "en": words.en, "steps": steps}

    def fallback(self, site_id: str | None = None) -> dict[str, Any] | None:
        """Whom to telephone where no doctor answers: the number that the site itself has for that, else the first hub
        that is in use; None where there is none."""
        own = None if site_id is None else self._sites.get(site_id)
        if own is not None and own.fallback_phone is not None:
            return {"phone": own.fallback_phone, "name_zh": "值班电话", "name_en": "duty telephone"}
        hubs = sorted(
            (s for s in self._sites.values() if s.kind == "hub" and not s.disabled), key=lambda s: s.id
        )
        if not hubs:
            return None
        return {"phone": hubs[0].phone, "name_zh": hubs[0].name_zh, "name_en": hubs[0].name_en}

    def person(self, user_id: str) -> dict[str, Any]:
        """A person as the row has it."""
        user = self._people.get(user_id)
        return {"person": user_id, "name": user.name if user else None}

    def is_rung(self, user_id: str, site: str | None) -> bool:
        """Whether an alert of a site (None: of any) rings this person: who is disabled, or may not answer, is not."""
        return answers(self._people.get(user_id), () if site is None else (site,))

    def maybe_person(self, user_id: str | None) -> dict[str, Any] | None:
        """`person`, or None for nobody."""
        return None if user_id is None else self.person(user_id)

    def role(self, user_id: str) -> str | None:
        """The role of a person."""
        user = self._people.get(user_id)
        return user.role if user else None

    def actor_name(self, actor: str) -> str | None:
        """The name behind an actor of the log; None for the service, a device and whoever is not known."""
        kind, _, name = actor.partition(":")
        return self.person(name)["name"] if kind == "user" else None
