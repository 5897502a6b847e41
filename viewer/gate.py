"""Who is knocking: a device's token or a person's session becomes a `Caller`, or 401."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from http.cookies import CookieError, SimpleCookie
from typing import Final

from greenchannel.clock import Clock
from greenchannel.service.callers import Caller
from greenchannel.store.accounts import Accounts, User
from greenchannel.viewer.access import SESSION_COOKIE, AttemptLimit
from greenchannel.viewer.problems import Problem

DEVICE_ROLE: Final = "device"
_MOST_TOKEN_CHARACTERS: Final = 512
_WINDOW: Final = timedelta(minutes=1)


def person(user: User) -> Caller:
    """A signed-in person as a caller."""
    return Caller(kind="user", id=user.id, name=user.name, role=user.role, sites=user.sites)


def bearer(headers: Mapping[str, str]) -> str | None:
    """The token of an ``Authorization: Bearer`` header."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def session_token(headers: Mapping[str, str]) -> str | None:
    """The token of the session's cookie."""
    try:
        cookies = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return None
    found = cookies.get(SESSION_COOKIE)
    return found.value if found is not None and found.value else None


class Gate:
    """Checks credentials against the accounts, and counts those that are wrong."""

    def __init__(self, *, accounts: Accounts, clock: Clock, attempts_per_minute: int) -> None:
        self._accounts = accounts
        self._clock = clock
        self._people = AttemptLimit(most=attempts_per_minute, window=_WINDOW)
        # Counted apart: one broken device behind a clinic's address must not lock its people out.
        self._addresses = AttemptLimit(most=6 * attempts_per_minute, window=_WINDOW)
        self._tokens = AttemptLimit(most=6 * attempts_per_minute, window=_WINDOW)
        # One-time codes are short, so all addresses together are held to a few tries.
        self._codes = AttemptLimit(most=attempts_per_minute, window=_WINDOW)
        self._all_codes = AttemptLimit(most=6 * attempts_per_minute, window=_WINDOW)

    async def device(self, token: str, address: str) -> Caller:
        """The device of a token; raises `Problem` 401, or 429 after too many wrong ones from one address."""
        device = None
        if len(token) <= _MOST_TOKEN_CHARACTERS:
            device = await asyncio.to_thread(self._accounts.device_for_token, token)
        if device is None:
            # A right token always passes: devices behind one address must not be shut out by a wrong one.
            now = self._clock.now()
            self._tokens.check(address, now)
            self._tokens.failed(address, now)
            raise unauthenticated()
        return Caller(
            kind="device", id=device.id, name=device.name, role=DEVICE_ROLE, sites=frozenset({device.site})
        )

    async def session(self, token: str) -> Caller:
        """The person of a session; raises `Problem` 401."""
        user = None
        if len(token) <= _MOST_TOKEN_CHARACTERS:
            user = await asyncio.to_thread(self._accounts.session_user, token, self._clock.now())
        if user is None:
            raise unauthenticated()
        return person(user)

    async def renew(self, token: str, ttl: timedelta, most: timedelta) -> datetime | None:
        """A session is in use: when it ends now; None where it is none."""
        return await asyncio.to_thread(self._accounts.renew_session, token, self._clock.now(), ttl, most)

    async def sign_in(self, user_id: str, password: str, address: str, ttl: timedelta) -> tuple[User, str]:
        """Check a password and open a session; the answer is the person and the cookie's token.

        A wrong password, an unknown name and a disabled account are told alike. Raises `Problem` 401 or 429.
        """
        now = self._clock.now()
        names = f"{user_id} {address}"
        self._people.check(names, now)
        self._addresses.check(address, now)
        # Counted before the answer is known: attempts at the same instant are all counted.
        self._people.failed(names, now)
        self._addresses.failed(address, now)
        user = await asyncio.to_thread(self._accounts.check_password, user_id, password)
        if user is None:
            raise Problem(401, "wrong user or password", code="sign_in_failed", zh="用户名或密码错误")
        self._people.succeeded(names)
        token = await asyncio.to_thread(self._accounts.open_session, user.id, now, ttl)
        return user, token

    def check_codes(self, address: str) -> None:
        """Raise `Problem` 429 where too many wrong one-time codes came, from this address or from all."""
        now = self._clock.now()
        self._codes.check(address, now)
        self._all_codes.check("", now)

    def wrong_code(self, address: str) -> None:
        """Count a one-time code that was refused."""
        now = self._clock.now()
        self._codes.failed(address, now)
        self._all_codes.failed("", now)

    async def sign_out(self, token: str) -> None:
        """End a session; one that is over already stays so."""
        await asyncio.to_thread(self._accounts.close_session, token)


def unauthenticated() -> Problem:
    """The one answer to every credential that is missing, wrong, over or taken back."""
    return Problem(
        401,
        "expected a device's token or a session",
        headers={"WWW-Authenticate": "Bearer"},
    )
