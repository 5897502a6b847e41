"""People, devices, sites and shifts: who may knock, and who is on duty.

Nothing here is part of the log. Each change is a short transaction of its own, beside the writer's; inside a command of
the writer use none of them.
"""

import contextlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection, Engine, Table, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from greenchannel.clock import check_aware
from greenchannel.store import schema
from greenchannel.store.account_checks import check_id, check_place, check_tied
from greenchannel.store.engine import reading, writing
from greenchannel.store.errors import AccountError, AlreadyExists, LastAdmin, Misfit, UnknownAccount
from greenchannel.store.passwords import NO_PASSWORD, hash_password, new_token, password_fits, token_hash

__all__ = [
    "ROLES",
    "SHIFT_ROLES",
    "SITE_KINDS",
    "AccountError",
    "Accounts",
    "AlreadyExists",
    "Device",
    "Shift",
    "Site",
    "UnknownAccount",
    "User",
]

CLINIC = "clinic"
ADMIN = "admin"
ROLES = (
    "clinic",
    "reader",  # of ECGs from afar
    "cardiologist",
    "cathlab",
    "ed",  # emergency department
    "ccu",
    "dispatch",  # 120
    "radiologist",
    "quality",
    "admin",
)
SHIFT_ROLES = ("first", "second", "head")  # the order in which they are rung
MAY_BE_ON_DUTY = ("cardiologist", "reader", "ed")  # who may answer an alert; nobody else is rung
# Built once: asked for whenever an alert opens, and building a statement takes longer than running it.
_SHIFTS = select(schema.shifts).order_by(schema.shifts.c.starts_at, schema.shifts.c.id)
_SHIFTS_BETWEEN = _SHIFTS.where(
    schema.shifts.c.starts_at < bindparam("until"),
    schema.shifts.c.ends_at > bindparam("from_at"),
    schema.shifts.c.replaced_by.is_(None),
)
SITE_KINDS = ("clinic", "hub")


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A person who can sign in."""

    id: str  # also the name to sign in with
    name: str
    role: str  # one of ROLES
    sites: frozenset[str] | None  # None: every site of the network
    disabled: bool = False


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A machine or program that sends with a token."""

    id: str
    site: str
    name: str
    disabled: bool = False


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """A clinic or a hospital of the network."""

    id: str
    name_zh: str
    name_en: str
    kind: str  # one of SITE_KINDS
    distance_km: float | None = None  # to the hub by road; None: unknown
    phone: str | None = None
    timezone: str  # of times that come without one
    disabled: bool = False
    lat: float | None = None  # WGS 84; None: nobody has said where it is
    lon: float | None = None
    radius_m: float | None = None  # of its fence; None: the usual one
    town: str | None = None
    fallback_phone: str | None = None  # whom it telephones where no doctor answers; None: the hub
    critical_list: str | None = None  # of critical values; None: as configured


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """One person's duty, from `starts_at` up to and without `ends_at`."""

    id: str
    role: str  # one of SHIFT_ROLES
    person: str  # user id
    starts_at: datetime
    ends_at: datetime
    site: str | None = None  # None: of the whole network
    uid: str | None = None  # of the calendar's event it came from
    occurrence: datetime | None = None  # which repeat of that event, by its first planned beginning
    instead_of: str | None = None  # the shift whose part it is since a swap
    replaced_by: str | None = None  # not in force any more: the shift given away instead of it


class Accounts:
    """The tables of people, devices, sites and shifts; from any thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # ------------------------------------------------------------ sites

    def add_site(
        self,
        id: str,
        name_zh: str,
        name_en: str,
        kind: str,
        *,
        distance_km: float | None = None,
        phone: str | None = None,
        timezone: str = "Asia/Shanghai",
        lat: float | None = None,
        lon: float | None = None,
        radius_m: float | None = None,
        town: str | None = None,
        fallback_phone: str | None = None,
    ) -> Site:
        """Enter a site; raises `AlreadyExists`, and `ValueError` for a kind, a time zone or a place that cannot be."""
        check_id(id)
        if kind not in SITE_KINDS:
            raise Misfit(
                f"expected a kind among {', '.join(SITE_KINDS)}, got {kind!r}",
                f"机构类型应为 {'、'.join(SITE_KINDS)} 之一,收到 {kind!r}",
            )
        try:
            ZoneInfo(timezone)
        except (KeyError, ValueError) as error:
            raise Misfit(
                f"expected the name of a time zone, got {timezone!r}",
                f"应为时区名称,如 Asia/Shanghai,收到 {timezone!r}",
            ) from error
        check_place(lat, lon, radius_m)
        site = Site(
            id=id,
            name_zh=name_zh,
            name_en=name_en,
            kind=kind,
            distance_km=distance_km,
            phone=phone,
            timezone=timezone,
            lat=lat,
            lon=lon,
            radius_m=radius_m,
            town=town,
            fallback_phone=fallback_phone,
        )
        with self._adding("site", id) as connection:
            connection.execute(insert(schema.sites).values(**msgspec.structs.asdict(site)))
        return site

    def site(self, site_id: str) -> Site | None:
        """One site, disabled or not."""
        return next(iter(self._sites(schema.sites.c.id == site_id)), None)

    def sites(self) -> list[Site]:
        """All sites by id, disabled ones too."""
        return self._sites()

    def _sites(self, *where: Any) -> list[Site]:
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(schema.sites).where(*where).order_by(schema.sites.c.id)
            ).mappings()
            return [Site(**row) for row in rows]

    def place_site(self, site_id: str, lat: float, lon: float, radius_m: float | None = None) -> None:
        """Say where a site is, in WGS 84; raises `UnknownAccount`, and `ValueError` for a place that cannot be."""
        check_place(lat, lon, radius_m)
        with writing(self._engine) as connection:
            require(connection, schema.sites, "site", site_id)
            placed = update(schema.sites).where(schema.sites.c.id == site_id)
            connection.execute(placed.values(lat=lat, lon=lon, radius_m=radius_m))

    def disable_site(self, site_id: str) -> None:
        """Take a site out of use; its cases stay."""
        with writing(self._engine) as connection:
            _disable(connection, schema.sites, site_id)

    # ------------------------------------------------------------ users

    def add_user(
        self, id: str, name: str, role: str, password: str | None, sites: frozenset[str] | None = None
    ) -> User:
        """Enter a person; without a password nobody signs in until one is chosen.

        Raises
        ------
        AlreadyExists
            The id is taken.
        UnknownAccount
            One of the sites does not exist.
        ValueError
            No such role, no password, or a person of a clinic or on duty who would see no patient.
        """
        check_id(id)
        if role not in ROLES:
            raise Misfit(
                f"expected a role among {', '.join(ROLES)}, got {role!r}",
                f"角色应为 {'、'.join(ROLES)} 之一,收到 {role!r}",
            )
        check_tied(sites, clinic=role == CLINIC, on_duty=role in MAY_BE_ON_DUTY)
        user = User(id=id, name=name, role=role, sites=None if sites is None else frozenset(sites))
        row = {"id": id, "name": name, "role": role, "password_hash": _hashed(password)}
        with self._adding("user", id) as connection:
            for site in sites or ():
                require(connection, schema.sites, "site", site)
            connection.execute(insert(schema.users).values(**row, all_sites=sites is None))
            if sites:
                connection.execute(insert(schema.user_sites), [{"user": id, "site": site} for site in sites])
        return user

    def user(self, user_id: str) -> User | None:
        """One person, disabled or not."""
        with reading(self._engine) as connection:
            return next(iter(_users(connection, schema.users.c.id == user_id)), None)

    def users(self) -> list[User]:
        """All people by id, disabled ones too."""
        with reading(self._engine) as connection:
            return _users(connection)

    def disable_user(self, user_id: str) -> None:
        """Nobody can sign in as this person any more, and who is signed in is out; raises `LastAdmin`."""
        with writing(self._engine) as connection:
            keep_an_admin(connection, user_id)
            _disable(connection, schema.users, user_id)
            end_sessions(connection, user_id)

    def set_password(self, user_id: str, password: str | None) -> None:
        """Give a person another password, or none until one is chosen; who is signed in is out."""
        hashed = _hashed(password)
        with writing(self._engine) as connection:
            require(connection, schema.users, "user", user_id)
            connection.execute(_password_update(user_id, hashed))
            end_sessions(connection, user_id)

    def check_password(self, user: str, password: str) -> User | None:
        """The person, where id and password are right and the account is in use; takes about 90 ms either way."""
        with reading(self._engine) as connection:
            query = select(schema.users.c.password_hash).where(schema.users.c.id == user)
            stored = connection.execute(query).scalar_one_or_none()
        right, newer = password_fits(password, stored)
        found = self.user(user)
        if not right or found is None or found.disabled:
            return None
        if newer is not None:
            with writing(self._engine) as connection:
                connection.execute(_password_update(user, newer))
        return found

    # ------------------------------------------------------------ sessions

    def open_session(self, user_id: str, now: datetime, ttl: timedelta) -> str:
        """A token for a person's cookie; sessions that have run out are forgotten on the way."""
        token = new_token()
        row = {"token_sha256": token_hash(token), "user": user_id, "created_at": now, "expires_at": now + ttl}
        with writing(self._engine) as connection:
            require(connection, schema.users, "user", user_id)
            connection.execute(delete(schema.sessions).where(schema.sessions.c.expires_at <= now))
            connection.execute(insert(schema.sessions).values(**row))
        return token

    def session_user(self, token: str, now: datetime) -> User | None:
        """Whose token it is; None where it was never given out, was closed, or has run out."""
        with reading(self._engine) as connection:
            row = connection.execute(_OWNER, {"token": token_hash(token), "now": now}).one_or_none()
            if row is None or row.disabled:
                return None
            tied = () if row.all_sites else connection.execute(_TIED, {"id": row.id}).scalars().all()
        return _user(row, tied)

    def renew_session(self, token: str, now: datetime, ttl: timedelta, most: timedelta) -> datetime | None:
        """It is in use: it ends `ttl` from now, at the latest `most` after it began; None: it is none any more.

        Written a few times an hour at most.
        """
        table = schema.sessions
        same = (table.c.token_sha256 == token_hash(token)) & (table.c.expires_at > now)
        with reading(self._engine) as connection:
            row = connection.execute(select(table.c.created_at, table.c.expires_at).where(same)).one_or_none()
        if row is None:
            return None
        began_at, ended_at = cast("datetime", row.created_at), cast("datetime", row.expires_at)
        ends_at = min(now + ttl, began_at + most)
        if ends_at - ended_at < ttl / 50:
            return max(ended_at, ends_at)
        with writing(self._engine) as connection:
            connection.execute(update(table).where(same).values(expires_at=ends_at))
        return ends_at

    def close_session(self, token: str) -> None:
        """The token is worth nothing from now on."""
        with writing(self._engine) as connection:
            same = schema.sessions.c.token_sha256 == token_hash(token)
            connection.execute(delete(schema.sessions).where(same))

    # ------------------------------------------------------------ devices

    def add_device(self, id: str, site: str, name: str) -> tuple[Device, str]:
        """Enter a device; the token is shown this once and never again.

        Raises
        ------
        AlreadyExists
            The id is taken.
        UnknownAccount
            There is no such site.
        """
        check_id(id)
        device, token = Device(id=id, site=site, name=name), new_token()
        with self._adding("device", id) as connection:
            require(connection, schema.sites, "site", site)
            row = msgspec.structs.asdict(device) | {"token_sha256": token_hash(token)}
            connection.execute(insert(schema.devices).values(**row))
        return device, token

    def device(self, device_id: str) -> Device | None:
        """One device, disabled or not."""
        return next(iter(self._devices(schema.devices.c.id == device_id)), None)

    def devices(self) -> list[Device]:
        """All devices by id, disabled ones too."""
        return self._devices()

    def device_for_token(self, token: str) -> Device | None:
        """Whose token it is; None for a device that is disabled."""
        found = self._devices(schema.devices.c.token_sha256 == token_hash(token))
        return found[0] if found and not found[0].disabled else None

    def disable_device(self, device_id: str) -> None:
        """The device's token is worth nothing from now on."""
        with writing(self._engine) as connection:
            _disable(connection, schema.devices, device_id)

    def _devices(self, *where: Any) -> list[Device]:
        table = schema.devices
        query = select(table.c.id, table.c.site, table.c.name, table.c.disabled).where(*where)
        with reading(self._engine) as connection:
            return [Device(**row) for row in connection.execute(query.order_by(table.c.id)).mappings()]

    # ------------------------------------------------------------ shifts

    def add_shift(self, id: str, role: str, person: str, starts_at: datetime, ends_at: datetime) -> Shift:
        """Put a person on duty without a word in the log: for a network that is being set up. See `roster_rows`.

        Raises
        ------
        AlreadyExists
            The id is taken.
        UnknownAccount
            There is no such person.
        ValueError
            No such role, a person who may not answer alerts, or an end that is not after the beginning.
        """
        check_id(id)
        if role not in SHIFT_ROLES:
            raise Misfit(
                f"expected a role among {', '.join(SHIFT_ROLES)}, got {role!r}",
                f"值班岗位应为 {'、'.join(SHIFT_ROLES)} 之一,收到 {role!r}",
            )
        starts_at, ends_at = check_aware(starts_at), check_aware(ends_at)
        if ends_at <= starts_at:
            raise Misfit(
                f"expected an end after {starts_at.isoformat()}, got {ends_at.isoformat()}",
                f"结束时间应晚于 {starts_at.isoformat()},收到 {ends_at.isoformat()}",
            )
        shift = Shift(id=id, role=role, person=person, starts_at=starts_at, ends_at=ends_at)
        with self._adding("shift", id) as connection:
            require(connection, schema.users, "user", person)
            has = connection.execute(
                select(schema.users.c.role).where(schema.users.c.id == person)
            ).scalar_one()
            if has not in MAY_BE_ON_DUTY:
                raise Misfit(
                    f"expected a person who may answer alerts ({', '.join(MAY_BE_ON_DUTY)}), got the {has} {person}",
                    f"值班人员应可应答预警({'、'.join(MAY_BE_ON_DUTY)}),{person} 的角色是 {has}",
                )
            connection.execute(insert(schema.shifts).values(**msgspec.structs.asdict(shift)))
        return shift

    def shift(self, shift_id: str) -> Shift | None:
        """One shift."""
        return next(iter(self._shifts(schema.shifts.c.id == shift_id)), None)

    def shifts_between(self, start: datetime, end: datetime) -> list[Shift]:
        """Shifts in force that have any part in the span from `start` up to and without `end`, by their beginning."""
        with reading(self._engine) as connection:
            found = connection.execute(_SHIFTS_BETWEEN, {"from_at": start, "until": end})
            return [Shift(**row) for row in found.mappings()]

    def remove_shift(self, shift_id: str) -> None:
        """Take a shift off the roster; raises `UnknownAccount` where it is not there."""
        with writing(self._engine) as connection:
            require(connection, schema.shifts, "shift", shift_id)
            connection.execute(delete(schema.shifts).where(schema.shifts.c.id == shift_id))

    def _shifts(self, *where: Any) -> list[Shift]:
        query = _SHIFTS.where(*where)
        with reading(self._engine) as connection:
            return [Shift(**row) for row in connection.execute(query).mappings()]

    # ------------------------------------------------------------ all

    @contextlib.contextmanager
    def _adding(self, kind: str, id: str) -> Iterator[Connection]:
        """A transaction in which a row of this id is added; what it needs is checked within, by `require`."""
        try:
            with writing(self._engine) as connection:
                yield connection
        except IntegrityError as error:
            raise AlreadyExists(f"expected a new id for a {kind}, {id!r} is taken") from error


def require(connection: Connection, table: Table, kind: str, id: str) -> None:
    """Raise `UnknownAccount` where a table has no such row."""
    if connection.execute(select(table.c.id).where(table.c.id == id)).one_or_none() is None:
        raise UnknownAccount(f"expected a {kind} that exists, there is none called {id!r}")


def _disable(connection: Connection, table: Table, id: str) -> None:
    if connection.execute(update(table).where(table.c.id == id).values(disabled=True)).rowcount == 0:
        raise UnknownAccount(f"expected an id among the {table.name}, there is none called {id!r}")


def keep_an_admin(connection: Connection, user_id: str) -> None:
    """Raise `LastAdmin` where nobody but this person may administer; who has yet to choose a password cannot."""
    table = schema.users
    comes_in = (table.c.disabled.is_(False), table.c.password_hash != NO_PASSWORD)
    query = select(table.c.id).where(table.c.role == ADMIN, *comes_in)
    if list(connection.execute(query).scalars()) == [user_id]:
        raise LastAdmin(user_id)


def _hashed(password: str | None) -> str:
    return NO_PASSWORD if password is None else hash_password(password)


def _password_update(user_id: str, hashed: str) -> Any:
    return update(schema.users).where(schema.users.c.id == user_id).values(password_hash=hashed)


def end_sessions(connection: Connection, user_id: str) -> None:
    """Who is signed in as this person is out."""
    connection.execute(delete(schema.sessions).where(schema.sessions.c.user == user_id))


def _users(connection: Connection, *where: Any) -> list[User]:
    table, tied = schema.users, schema.user_sites
    rows = connection.execute(select(table).where(*where).order_by(table.c.id)).all()
    sites: dict[str, list[str]] = {}
    for row in connection.execute(select(tied).where(tied.c.user.in_([row.id for row in rows]))):
        sites.setdefault(row.user, []).append(row.site)
    return [_user(row, sites.get(row.id, ())) for row in rows]


# Asked at every request of a person: built once.
_OWNER: Final = (
    select(schema.users)
    .join(schema.sessions, schema.sessions.c.user == schema.users.c.id)
    .where(
        schema.sessions.c.token_sha256 == bindparam("token"), schema.sessions.c.expires_at > bindparam("now")
    )
)
_TIED: Final = select(schema.user_sites.c.site).where(schema.user_sites.c.user == bindparam("id"))


def _user(row: Any, sites: Sequence[str]) -> User:
    return User(
        id=row.id,
        name=row.name,
        role=row.role,
        sites=None if row.all_sites else frozenset(sites),
        disabled=row.disabled,
    )
