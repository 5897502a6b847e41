"""What each site does with each detector, as its configuration says it."""

from collections.abc import Collection
from typing import Final

import msgspec

from greenchannel.triage.detectors.plugin import Status
from greenchannel.triage.detectors.tables import Number, table


class StatusError(ValueError):
    """The text is not of its form, or names what there is not."""


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table `statuses.toml`."""

    silent_studies: Number


LIMITS: Final = table("statuses", Limits)


class Statuses:
    """The chosen status of each detector at each site.

    Parameters
    ----------
    chosen
        Of the network and of single sites: ``head_blood=silent, head_blood@yinzhao=enabled``. What is not named is
        unvalidated.
    known
        The detectors that there are.

    Raises
    ------
    StatusError
        Where the text has another form, or names a detector or a status that there is not.
    """

    def __init__(self, chosen: str, known: Collection[str]) -> None:
        self._of: dict[tuple[str, str | None], Status] = {}
        for part in (piece.strip() for piece in chosen.split(",") if piece.strip()):
            who, sign, status = (piece.strip() for piece in part.partition("="))
            name, at, site = (piece.strip() for piece in who.partition("@"))
            if not sign or (at and not site):
                raise StatusError(f"expected detector=status or detector@site=status, got {part!r}")
            if name not in known:
                raise StatusError(f"expected a detector of {sorted(known)}, got {name!r}")
            if status not in list(Status):
                raise StatusError(f"expected a status of {[one.value for one in Status]}, got {status!r}")
            self._of[name, site or None] = Status(status)

    def chosen(self, name: str, site: str) -> Status:
        """What the configuration says."""
        network = self._of.get((name, None), Status.UNVALIDATED)
        return self._of.get((name, site), network)

    def now(self, name: str, site: str, silent_studies: int) -> Status:
        """What holds: a detector that has not looked in silence at enough studies of the site goes on in silence.

        `silent_studies` are those of this site that this version has looked at, "not analysed" left out.
        """
        chosen = self.chosen(name, site)
        if chosen is Status.ENABLED and silent_studies < LIMITS.silent_studies.value:
            return Status.SILENT
        return chosen
