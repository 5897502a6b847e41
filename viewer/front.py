"""What every route shares: the desk, the gate, the names, and how an answer is made."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

import msgspec
from fastapi import Depends, Request
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

from greenchannel.alerts.case import Case
from greenchannel.service.callers import Caller
from greenchannel.service.desk import Desk
from greenchannel.viewer.access import SAFE_METHODS, check_origin, visible
from greenchannel.viewer.directory import Directory
from greenchannel.viewer.gate import Gate, bearer, session_token, unauthenticated
from greenchannel.viewer.leaving import Leaving
from greenchannel.viewer.live import LiveFanout
from greenchannel.viewer.turns import Turns
from greenchannel.viewer.wire import CaseRows

PREFIX: Final = "/api/v1"


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoUser:
    """A person of the demo, whom its start page offers to be."""

    user: str
    password: str
    name_zh: str
    name_en: str
    role: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Front:
    """The parts behind the routes."""

    desk: Desk
    gate: Gate
    directory: Directory
    rows: CaseRows
    fanout: LiveFanout
    leaving: Leaving = field(default_factory=Leaving)
    demo_users: Sequence[DemoUser] = ()
    # Searches for images, of a credential and of an account; OHIF asks six at once, as a browser does.  [E]
    asking: Turns = field(default_factory=lambda: Turns(at_once=16, most=16))
    searching: Turns = field(default_factory=lambda: Turns(at_once=2, most=16))

    @classmethod
    def of(cls, desk: Desk, demo_users: Sequence[DemoUser] = ()) -> "Front":
        """Build the parts around a desk."""
        directory = Directory(desk.accounts, desk.task_texts, desk.escalation)
        rows = CaseRows(directory)
        return cls(
            desk=desk,
            gate=Gate(
                accounts=desk.accounts,
                clock=desk.clock,
                attempts_per_minute=desk.settings.login_attempts_per_minute,
            ),
            directory=directory,
            rows=rows,
            fanout=LiveFanout(
                hub=desk.hub,
                clock=desk.clock,
                rows=rows,
                mark_every_s=desk.settings.mark_every_s,
                client_bytes=desk.settings.live_client_bytes,
                sites_of_study=desk.image_readings.sites_of,
            ),
            demo_users=tuple(demo_users),
        )

    async def caller(self, headers: Headers, address: str, *, changes: bool) -> Caller:
        """Who asks. A cookie that may change something must come from the page's own origin.

        Raises `Problem` 401, 403 or 429.
        """
        token = bearer(headers)
        if token is not None:
            return await self.gate.device(token, address)
        cookie = session_token(headers)
        if cookie is None:
            raise unauthenticated()
        if changes:
            check_origin(headers)
        return await self.gate.session(cookie)

    def look(self, caller: Caller, action: str, case_id: str, detail: str | None = None) -> None:
        """Note in the access log that somebody looked at a patient."""
        self.desk.access.note(caller.actor, action, case_id, detail, self.desk.clock.now())

    async def row(self, case: Case) -> msgspec.Raw:
        """The row of a case as of now."""
        await self.directory.refresh()
        return self.rows.row(case, self.desk.clock.now())

    def case(self, case_id: str, caller: Caller) -> Case:
        """A case that the caller may know of; raises `NotFound`."""
        return visible(self.desk.case(case_id), caller)

    def case_of_ecg(self, ecg_id: str, caller: Caller) -> Case:
        """The case of an ECG that the caller may know of; raises `NotFound`."""
        return visible(self.desk.case_of_ecg(ecg_id), caller)


def address_of(scope: Scope) -> str:
    """Where a request comes from."""
    client = scope.get("client")
    return client[0] if client else "unknown"


def credential_of(request: Request) -> str:
    """What a request shows for itself, known or not; where it shows nothing, where it comes from."""
    shown = bearer(request.headers) or session_token(request.headers)
    return address_of(request.scope) if shown is None else f"credential {shown}"


def front_of(request: Request) -> Front:
    """The front behind a request."""
    front: Front = request.app.state.front
    return front


async def here(request: Request) -> Front:
    """As `front_of`. Not waited for in a thread, as every function that is no coroutine would be."""
    return front_of(request)


async def caller_of(request: Request) -> Caller:
    """Who asks, or 401."""
    return await front_of(request).caller(
        request.headers,
        address_of(request.scope),
        changes=request.method not in SAFE_METHODS,
    )


Here = Annotated[Front, Depends(here)]
Who = Annotated[Caller, Depends(caller_of)]


def answer(content: Any, status: int = 200) -> Response:
    """A JSON answer; nothing of it is kept by a cache."""
    return Response(
        msgspec.json.encode(content),
        status_code=status,
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


async def answer_beside(make: Callable[..., Any], *given: Any) -> Response:
    """As `answer`, of something large: made and written beside the loop."""
    return await asyncio.to_thread(lambda: answer(make(*given)))


NOTHING: Final = 204
