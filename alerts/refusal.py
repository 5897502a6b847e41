"""Why a command was not carried out."""


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


def no_such(what: str, zh: str, given: str) -> Refused:
    """The refusal for an id that the case does not have."""
    return Refused(f"no_such_{what}", f"没有这个{zh}：{given}", f"expected a known {what}, got {given}", 404)
