"""Codes that are good once and for a while: a device is paired with one, a person comes in with one.

Digits, so that they can be read out over the telephone; only their hash is kept. Whoever may try them is limited by
the caller, and a code is over soon: together that is what makes few digits enough.
"""

import secrets
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Engine, delete, insert, select, update

from greenchannel.store import schema
from greenchannel.store.accounts import Accounts, Device, User, end_sessions
from greenchannel.store.engine import reading, writing
from greenchannel.store.errors import AccountError, CodeRefused
from greenchannel.store.passwords import hash_password, new_token, token_hash

DEVICE: Final = "device"
USER: Final = "user"
DIGITS: Final = {DEVICE: 8, USER: 12}  # an invitation is in force for longer, so it is longer
KEPT: Final = timedelta(
    days=90
)  # after it is over; until then a code that comes late is told why it is refused
_TABLES: Final = {DEVICE: schema.devices, USER: schema.users}
_codes = schema.one_time_codes


class OneTimeCode(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a code; never the code itself."""

    kind: str  # `DEVICE` or `USER`
    subject: str
    created_at: datetime
    created_by: str
    expires_at: datetime
    used_at: datetime | None = None
    withdrawn_at: datetime | None = None

    def waits(self, now: datetime) -> bool:
        """Is it in force?"""
        return self.used_at is None and self.withdrawn_at is None and now < self.expires_at


class OneTimeCodes:
    """The codes of a network; from any thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._accounts = Accounts(engine)

    def give(
        self, kind: str, subject: str, *, now: datetime, ttl: timedelta, by: str
    ) -> tuple[OneTimeCode, str]:
        """A new code, shown this once. Codes of the same subject that wait are taken back.

        Raises `AccountError` for a subject that does not exist, and for a person who is disabled.
        """
        code = "".join(secrets.choice("0123456789") for _ in range(DIGITS[kind]))
        made = OneTimeCode(kind=kind, subject=subject, created_at=now, created_by=by, expires_at=now + ttl)
        with writing(self._engine) as connection:
            table = _TABLES[kind]
            disabled = connection.execute(
                select(table.c.disabled).where(table.c.id == subject)
            ).scalar_one_or_none()
            if disabled is None:
                raise AccountError(f"expected a {kind} that exists, there is none called {subject!r}")
            if disabled and kind == USER:
                raise AccountError(f"expected a person who is in use, {subject!r} is disabled")
            connection.execute(delete(_codes).where(_codes.c.expires_at < now - KEPT))
            _withdraw(connection, kind, subject, now)
            connection.execute(
                insert(_codes).values(**msgspec.structs.asdict(made), code_sha256=token_hash(code))
            )
        return made, code

    def withdraw(self, kind: str, subject: str, now: datetime) -> None:
        """Codes of this subject that wait are worth nothing from now on."""
        with writing(self._engine) as connection:
            _withdraw(connection, kind, subject, now)

    def newest(self, kind: str) -> dict[str, OneTimeCode]:
        """The newest code of each subject."""
        columns = [column for column in _codes.c if column is not _codes.c.code_sha256]
        query = select(*columns).where(_codes.c.kind == kind).order_by(_codes.c.created_at)
        with reading(self._engine) as connection:
            return {row["subject"]: OneTimeCode(**row) for row in connection.execute(query).mappings()}

    def subject_of(self, kind: str, code: str, now: datetime) -> str:
        """Whose code it is; raises `CodeRefused`. The code is not used by this."""
        with reading(self._engine) as connection:
            subject: str = _in_force(connection, kind, code, now).subject
            return subject

    def pair(self, code: str, now: datetime) -> tuple[Device, str]:
        """A device takes its token for its code; the token it had before is worth nothing from then on.

        A device that was disabled is in use again. Raises `CodeRefused`.
        """
        token = new_token()
        with writing(self._engine) as connection:
            device_id = _use(connection, DEVICE, code, now)
            row = {"token_sha256": token_hash(token), "disabled": False}
            connection.execute(update(schema.devices).where(schema.devices.c.id == device_id).values(**row))
        device = self._accounts.device(device_id)
        assert device is not None
        return device, token

    def come_in(self, code: str, password: str, now: datetime) -> User:
        """A person chooses a password with an invitation; who is signed in as that person is out.

        Raises `CodeRefused`, and `ValueError` for no password.
        """
        hashed = hash_password(password)
        with writing(self._engine) as connection:
            user_id = _use(connection, USER, code, now)
            users = schema.users
            row = update(users).where(users.c.id == user_id, users.c.disabled.is_(False))
            if connection.execute(row.values(password_hash=hashed)).rowcount == 0:
                raise CodeRefused("withdrawn")
            end_sessions(connection, user_id)
        user = self._accounts.user(user_id)
        assert user is not None
        return user


def _withdraw(connection: Connection, kind: str, subject: str, now: datetime) -> None:
    waiting = (_codes.c.used_at.is_(None), _codes.c.withdrawn_at.is_(None))
    of_subject = update(_codes).where(_codes.c.kind == kind, _codes.c.subject == subject, *waiting)
    connection.execute(of_subject.values(withdrawn_at=now))


def _use(connection: Connection, kind: str, code: str, now: datetime) -> str:
    subject: str = _in_force(connection, kind, code, now).subject
    mine = _codes.c.code_sha256 == token_hash(_digits(code))
    connection.execute(update(_codes).where(mine).values(used_at=now))
    return subject


def _in_force(connection: Connection, kind: str, code: str, now: datetime) -> Any:
    digits = _digits(code)
    query = select(_codes).where(_codes.c.code_sha256 == token_hash(digits), _codes.c.kind == kind)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise CodeRefused("unknown")
    if row.used_at is not None:
        raise CodeRefused("used")
    if row.withdrawn_at is not None:
        raise CodeRefused("withdrawn")
    if now >= row.expires_at:
        raise CodeRefused("expired")
    return row


def _digits(code: str) -> str:
    """As people write it: ``1234 5678``, ``1234-5678``."""
    return "".join(sign for sign in code if sign.isascii() and sign.isdigit())
