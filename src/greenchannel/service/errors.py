"""Why the service says no.

ServiceError
├── NotFound      there is no such thing, or the caller may not know of it
├── Forbidden     the caller may not do this
└── Conflict      it does not fit with what is already there; `code` says how
"""


class ServiceError(Exception):
    """Base of all refusals of the service layer, with a text in both languages."""

    def __init__(self, code: str, en: str, zh: str) -> None:
        super().__init__(en)
        self.code = code
        self.en = en
        self.zh = zh


class NotFound(ServiceError):
    """There is no such thing, or the caller may not know of it."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__("not_found", f"there is no {what} {name}", f"没有找到 {name}")


class Forbidden(ServiceError):
    """The caller may not do this."""


class Conflict(ServiceError):
    """It does not fit with what is already there."""
