"""Why a command was not carried out."""

from datetime import datetime


class Refused(Exception):
    """A command that the case does not allow. Nothing was changed.

    Attributes
    ----------
    code : str
        For programs, in snake case.
    zh, en : str
        For people: what was expected and what came.
    status : int
        The HTTP status that fits.
    """

    def __init__(self, code: str, zh: str, en: str, status: int) -> None:
        super().__init__(en)
        self.code = code
        self.zh = zh
        self.en = en
        self.status = status


class SignedMeanwhile(Refused):
    """Another reading was signed since the signer last looked. `person` is who signed it, `at` when."""

    def __init__(self, person: str, at: datetime) -> None:
        super().__init__(
            "reading_changed",
            f"{person} 已先签发，请先看过再签发",
            f"expected the newest reading to be the one that was seen, got a newer one by {person}",
            409,
        )
        self.person = person
        self.at = at


def no_such(what: str, zh: str, given: str) -> Refused:
    """The refusal for an id that the case does not have."""
    return Refused(f"no_such_{what}", f"没有这个{zh}：{given}", f"expected a known {what}, got {given}", 404)
