"""Who asks: a person who signed in, or a device with its token."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """The one on whose behalf a request runs."""

    kind: Literal["user", "device"]
    id: str
    name: str
    role: str  # one of the roles of the accounts; "device" for a device
    sites: frozenset[str] | None  # None: every site of the network

    @property
    def actor(self) -> str:
        """The name under which the log knows the caller."""
        return f"{self.kind}:{self.id}"

    def may_see(self, site: str) -> bool:
        """Is this site among the caller's?"""
        return self.sites is None or site in self.sites
