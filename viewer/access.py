"""Who may do what: the table of rights, the origin of a request, the limit on failed attempts.

Rights are data. A caller without a right gets 403 where the thing is theirs to know of, and 404 where it is not: what
belongs to another site does not exist for them.
"""

from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from greenchannel.alerts.case import Case
from greenchannel.service.callers import Caller
from greenchannel.service.errors import Forbidden, NotFound
from greenchannel.viewer.problems import Problem

SESSION_COOKIE: Final = "greenchannel_session"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

_DOCTORS = frozenset({"reader", "cardiologist"})
_HOSPITAL = _DOCTORS | {"cathlab", "ed", "ccu", "radiologist"}
_CARE = _HOSPITAL | {"clinic", "dispatch"}
_ALL_PEOPLE = _CARE | {"quality", "admin"}

RIGHTS: Final[Mapping[str, frozenset[str]]] = {
    "look": _ALL_PEOPLE | {"device"},  # the row, the timeline, the findings
    "rules": _ALL_PEOPLE | {"device"},  # what the machine goes by is no secret to anybody who is known
    "identity": _CARE,  # name, phone, identity number; quality works without
    "waveform": _ALL_PEOPLE - {"admin"} | {"device"},
    "file": _HOSPITAL | {"clinic", "device"},  # the original bytes may carry a name
    "send": frozenset({"clinic", "device", "ed", "ccu", "reader", "cardiologist"}),
    "stream": frozenset({"device", "clinic"}),
    "image_worklist": _CARE | {"quality", "admin"},  # which studies wait; without names
    "image_report": _CARE | {"quality"},  # the report of a study
    "image_read": frozenset({"radiologist"}),  # claim, write, sign, tell
    "image_stat": _HOSPITAL | {"clinic"},  # say that a study comes first
    "image_share": _HOSPITAL | {"clinic"},  # with another member of the network
    "image_seen": _DOCTORS | {"clinic", "ed", "ccu", "cathlab"},  # has the result before their eyes
    "opened": _HOSPITAL,  # the clinic's own look is not "seen by the doctor"
    "read": _DOCTORS,
    "advice_seen": frozenset({"clinic"}),
    "feedback": _DOCTORS | {"ccu", "ed"},  # send what became of the patient to the clinic
    "feedback_seen": frozenset({"clinic"}),
    "followups": _CARE
    | {"quality", "admin"},  # what waits to be seen to; which role may do which, the table says
    "answer_alert": _DOCTORS | {"ed"},
    "deliver": _ALL_PEOPLE,
    "open_channel": _DOCTORS | {"ed"},
    "stand_down": _DOCTORS | {"ed"},
    "task": _CARE,
    "milestone": _CARE | {"quality", "device"},
    "ambulance_position": frozenset({"dispatch", "device"}),  # a device only while it drives for the case
    "ambulance": _DOCTORS | {"ed", "dispatch"},  # which receiver drives, where it is
    "ambulance_eta": _DOCTORS | {"ed", "dispatch", "clinic"},
    "close": _DOCTORS | {"ed", "quality"},
    "join": _DOCTORS | {"quality"},  # merge and split
    "move_images": _DOCTORS | {"radiologist", "quality"},  # to the case they are of
    "check_identity": _DOCTORS | {"ed", "clinic", "quality"},  # the clinic has the patient before it
    "contacts": _ALL_PEOPLE,  # one's own
    "duty": _ALL_PEOPLE,  # to begin one's own
    "duty_of_others": frozenset({"admin", "quality"}),  # whether they can be reached
    "roster": _ALL_PEOPLE,  # who is on duty
    "edit_roster": frozenset({"admin"}),
    "give_shift": _DOCTORS | {"ed", "admin"},  # one's own; those of others need `edit_roster`
    "metrics": frozenset({"quality", "admin", "clinic"}),  # a clinic counts its own cases
    "device_clocks": frozenset({"quality", "admin"}),
    "quarantine": frozenset({"admin"}),
    "drill": _DOCTORS | {"ed", "admin"},  # of these the administrators and whoever is head of duty now
    "administer": frozenset({"admin"}),  # sites, devices, people, channels of others
    "erase": frozenset({"admin"}),
    "detector_results": frozenset({"quality", "admin"}),  # of detectors that look in silence
    "export": frozenset(
        {"quality", "admin", "clinic"}
    ),  # times without names; a clinic has those of its own site
    "export_case": _CARE
    | {"quality", "device"},  # one with its samples, for other programs; names as `identity` has it
    "export_research": frozenset({"quality", "admin"}),
}
"""Which roles may do a thing; "device" stands for a device or program with a token."""


def require(caller: Caller, right: str) -> None:
    """Raise `Forbidden` where the caller's role does not have this right."""
    if caller.role not in RIGHTS[right]:
        raise Forbidden(
            "forbidden", f"the role {caller.role} may not do this: {right}", "您的角色没有此项权限"
        )


def may(caller: Caller, right: str) -> bool:
    """Does the caller's role have this right?"""
    return caller.role in RIGHTS[right]


def may_name(caller: Caller, reason: str | None) -> bool:
    """May the caller know who the patient is? Quality staff give a reason, which a blank is not."""
    return may(caller, "identity") or (caller.role == "quality" and bool(reason and reason.strip()))


def visible(case: Case, caller: Caller) -> Case:
    """The case, where the caller may know of it; raises `NotFound` as if there were none."""
    if not caller.may_see(case.site):
        raise NotFound("case", case.case_id)
    return case


@dataclass(frozen=True, kw_only=True, slots=True)
class RightsClass:
    """Callers with equal rights on `/live`: they receive the very same bytes."""

    sites: frozenset[str] | None

    @classmethod
    def of(cls, caller: Caller) -> "RightsClass":
        """The class of one caller. Rows carry no names of patients, so the sites alone decide."""
        return cls(sites=caller.sites)

    def may_see(self, site: str) -> bool:
        """Is this site visible to the class?"""
        return self.sites is None or site in self.sites


# ---------------------------------------------------------------- the page's own origin


def own_origin(origin: str | None, host: str | None) -> bool:
    """Does the ``Origin`` header name the host by which the service itself was reached?

    Behind a proxy that ends TLS the scheme may differ, so host and port decide.
    """
    if origin is None or host is None:
        return False
    try:
        parts = urlsplit(origin)
    except ValueError:  # such as an address in brackets that do not close
        return False
    return parts.scheme in {"http", "https"} and parts.netloc.lower() == host.lower()


def check_origin(headers: Mapping[str, str]) -> None:
    """Refuse a request with a cookie that another page may have sent; raises `Problem` 403."""
    if not own_origin(headers.get("origin"), headers.get("host")):
        raise Problem(
            403,
            "a request with a cookie must come from the page's own origin",
            code="foreign_origin",
            zh="请求来源不是本页面",
            expected="an Origin header that names this service",
            got=(headers.get("origin") or "no Origin header")[:100],
        )


# ---------------------------------------------------------------- too many attempts


class AttemptLimit:
    """Counts failures by name within a window; no timer, the clock's instant is given.

    Parameters
    ----------
    most : failures allowed within `window`
    remembered : names kept at most; the one that failed longest ago is forgotten first
    """

    def __init__(self, *, most: int, window: timedelta, remembered: int = 10_000) -> None:
        self._most = most
        self._window = window
        self._remembered = remembered
        self._failures: OrderedDict[str, deque[datetime]] = OrderedDict()

    def check(self, name: str, now: datetime) -> None:
        """Raise `Problem` 429 where `name` has failed too often."""
        failures = self._failures.get(name)
        if failures is None:
            return
        while failures and failures[0] <= now - self._window:
            failures.popleft()
        if not failures:
            del self._failures[name]
        elif len(failures) >= self._most:
            wait_s = max(1, round((failures[0] + self._window - now).total_seconds()))
            raise Problem(
                429, "too many failed attempts", headers={"Retry-After": str(wait_s)}, got=f"{len(failures)}"
            )

    def failed(self, name: str, now: datetime) -> None:
        """Count one failure."""
        self._failures.setdefault(name, deque(maxlen=self._most)).append(now)
        self._failures.move_to_end(name)
        while len(self._failures) > self._remembered:
            self._failures.popitem(last=False)

    def succeeded(self, name: str) -> None:
        """Forget the failures of `name`."""
        self._failures.pop(name, None)
