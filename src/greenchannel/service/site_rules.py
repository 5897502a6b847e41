"""By which list of critical values each site is read: an administrator's choice, else that of the configuration."""

import logging
import threading
from typing import Final

from greenchannel.store.accounts import Accounts
from greenchannel.triage.critical_lists import rules_by_site, rules_named
from greenchannel.triage.rule_set import RULES, RuleSet, RuleSetError

_log: Final = logging.getLogger(__name__)


class SiteRules:
    """The rules of each site; from any thread.

    Parameters
    ----------
    accounts : where the choices stand
    configured : as `triage.critical_lists.rules_by_site` takes it; raises `RuleSetError`
    """

    def __init__(self, accounts: Accounts, configured: str) -> None:
        self._accounts = accounts
        self._configured = rules_by_site(configured)
        self._chosen: dict[str, str] | None = None
        self._lock = threading.Lock()  # what is read while a choice changes must not be kept

    def of(self, site: str) -> RuleSet:
        """The rules by which an ECG of this site is read now."""
        chosen = self._choices().get(site)
        if chosen is None:
            return self._configured(site)
        try:
            return rules_named(f"{RULES.version}+{chosen}")
        except RuleSetError as error:
            # Chosen with another version of the product: it reads on, by the network's list, and says so.
            _log.warning("site %s: %s; read by the configured list", site, error)
            return self._configured(site)

    def chosen(self, site: str) -> str | None:
        """The list that was chosen for a site; None: the configuration holds."""
        return self._choices().get(site)

    def forget(self) -> None:
        """Look again before the next ECG: a choice has changed."""
        with self._lock:
            self._chosen = None

    def _choices(self) -> dict[str, str]:
        with self._lock:
            if self._chosen is None:
                sites = self._accounts.sites()
                self._chosen = {one.id: one.critical_list for one in sites if one.critical_list is not None}
            return self._chosen
