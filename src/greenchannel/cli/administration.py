"""`greenchannel user|device|site`: people, machines and places. The roster: `cli/roster.py`."""

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from greenchannel.cli import contacts, device_clocks
from greenchannel.cli.data_folder import DEFAULT_DATA, DataOption, open_data
from greenchannel.clock import SystemClock
from greenchannel.settings import Settings
from greenchannel.store.access import AccessLog
from greenchannel.store.account_changes import AccountChanges
from greenchannel.store.accounts import ROLES, SITE_KINDS, AccountError, Accounts
from greenchannel.store.one_time_codes import DEVICE, USER, OneTimeCodes

app = typer.Typer(add_completion=False)
user = typer.Typer(help="People who sign in. 人员")
device = typer.Typer(help="Devices and programs with a token. 设备")
site = typer.Typer(help="Clinics and hospitals. 机构")
for _name, _group in (("user", user), ("device", device), ("site", site)):
    app.add_typer(_group, name=_name, no_args_is_help=True)


OPERATOR: Final = "service:cli"  # who it was, in the access log: somebody with a shell on the machine


@dataclass(frozen=True, kw_only=True)
class _Books:
    """What the commands work on; the pages of administration do the same with it."""

    settings: Settings
    accounts: Accounts
    changes: AccountChanges
    codes: OneTimeCodes
    access: AccessLog

    @property
    def now(self) -> datetime:
        return SystemClock().now()

    def note(self, what: str, detail: str) -> None:
        """Write a change to the access log."""
        self.access.note(OPERATOR, f"admin:{what}", None, detail, self.now)
        self.access.flush()


@contextlib.contextmanager
def _accounts(data: Path, *, create: bool = False) -> Iterator[Accounts]:
    """The accounts of a data folder; what they refuse ends the command with a sentence."""
    with _books(data, create=create) as books:
        yield books.accounts


@contextlib.contextmanager
def _books(data: Path, *, create: bool = False) -> Iterator[_Books]:
    """All that an administrator changes; what it refuses ends the command with a sentence."""
    settings, engine = open_data(data, create=create)
    try:
        yield _Books(
            settings=settings,
            accounts=Accounts(engine),
            changes=AccountChanges(engine),
            codes=OneTimeCodes(engine),
            access=AccessLog(engine),
        )
    except (AccountError, ValueError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    finally:
        engine.dispose()


def _table(rows: list[tuple[object, ...]]) -> None:
    for row in rows:
        typer.echo("\t".join("" if cell is None else str(cell) for cell in row))


# ---------------------------------------------------------------- user


@user.command("add")
def user_add(
    name: Annotated[str, typer.Argument(metavar="USER", help="The name to sign in with")],
    role: Annotated[str, typer.Option(help=", ".join(ROLES))],
    full_name: Annotated[str | None, typer.Option("--name", help="As colleagues know the person")] = None,
    at_site: Annotated[list[str] | None, typer.Option("--site", help="May repeat; none: every site")] = None,
    password_stdin: Annotated[bool, typer.Option(help="Read the password from standard input")] = False,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Enter a person. The password is asked for, or read from standard input."""
    password = _password(password_stdin)
    with _books(data, create=True) as books:
        sites = frozenset(at_site) if at_site else None
        added = books.accounts.add_user(name, full_name or name, role, password, sites)
        books.note("user_add", f"{name}: {role}")
    typer.echo(f"{added.id} ({added.role}) can sign in")


@user.command("list")
def user_list(data: DataOption = DEFAULT_DATA) -> None:
    """All people: name to sign in, role, name, sites, state."""
    with _accounts(data) as accounts:
        _table(
            [
                (
                    one.id,
                    one.role,
                    one.name,
                    "*" if one.sites is None else " ".join(sorted(one.sites)),
                    "disabled" if one.disabled else "",
                )
                for one in accounts.users()
            ]
        )


@user.command("disable")
def user_disable(
    name: Annotated[str, typer.Argument(metavar="USER")], data: DataOption = DEFAULT_DATA
) -> None:
    """Nobody signs in as this person any more; who is signed in is out. The roster is looked at anew at once."""
    with _books(data) as books:
        books.accounts.disable_user(name)
        books.codes.withdraw(USER, name, books.now)
        books.note("user_disable", name)
    _look_at_roster(data)
    typer.echo(f"{name} is disabled")


@user.command("enable")
def user_enable(
    name: Annotated[str, typer.Argument(metavar="USER")], data: DataOption = DEFAULT_DATA
) -> None:
    """Put an account back in use, with the password that was."""
    with _books(data) as books:
        books.changes.use_user(name)
        books.note("user_use", name)
    _look_at_roster(data)
    typer.echo(f"{name} is in use")


@user.command("change")
def user_change(
    name: Annotated[str, typer.Argument(metavar="USER")],
    role: Annotated[str | None, typer.Option(help=", ".join(ROLES))] = None,
    full_name: Annotated[str | None, typer.Option("--name", help="As colleagues know the person")] = None,
    at_site: Annotated[list[str] | None, typer.Option("--site", help="May repeat")] = None,
    every_site: Annotated[bool, typer.Option("--every-site", help="Of the whole network")] = False,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Give a person another name, role or sites; what is not said stays."""
    with _books(data) as books:
        sites = frozenset(at_site) if at_site else None
        changed = books.changes.change_user(
            name, name=full_name, role=role, sites=sites, every_site=every_site
        )
        books.note("user_change", f"{name}: {changed.role}")
    typer.echo(f"{changed.id} ({changed.role})")


@user.command("password")
def user_password(
    name: Annotated[str, typer.Argument(metavar="USER")],
    password_stdin: Annotated[bool, typer.Option(help="Read the password from standard input")] = False,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Set another password; who is signed in is out."""
    password = _password(password_stdin)
    with _books(data) as books:
        books.accounts.set_password(name, password)
        books.note("user_reset", name)
    typer.echo(f"{name} has another password")


@user.command("invite")
def user_invite(
    name: Annotated[str, typer.Argument(metavar="USER", help="The name to sign in with")],
    role: Annotated[
        str | None, typer.Option(help=f"Of a new person: {', '.join(ROLES)}; without it the person is there")
    ] = None,
    full_name: Annotated[str | None, typer.Option("--name", help="As colleagues know the person")] = None,
    at_site: Annotated[list[str] | None, typer.Option("--site", help="May repeat; none: every site")] = None,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Print a code with which a person chooses a password on the page /join, once."""
    with _books(data, create=role is not None) as books:
        if role is not None:
            sites = frozenset(at_site) if at_site else None
            books.accounts.add_user(name, full_name or name, role, None, sites)
            books.note("user_add", f"{name}: {role}")
        ttl = timedelta(seconds=books.settings.invitation_s)
        made, code = books.codes.give(USER, name, now=books.now, ttl=ttl, by=OPERATOR)
        books.note("user_code", name)
    typer.echo(f"The code is shown only now, and good until {made.expires_at:%Y-%m-%d %H:%M} UTC:", err=True)
    typer.echo(code)


def _look_at_roster(data: Path) -> None:
    """Who is disabled may be on duty: the running service sees it with its next due times, not with its next plan."""
    from greenchannel.service.roster_watch import look_soon
    from greenchannel.store.writer import Writer

    _, engine = open_data(data)
    writer = Writer(engine, SystemClock())
    try:
        writer.start()
        writer.transact_sync(look_soon)
    finally:
        writer.close()
        engine.dispose()


def _password(from_stdin: bool) -> str:
    password = (
        sys.stdin.readline().rstrip("\r\n")
        if from_stdin
        else typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    )
    if not password:
        typer.echo("expected a password, got none", err=True)
        raise typer.Exit(1)
    return str(password)


user.add_typer(contacts.app, name="contact", no_args_is_help=True)


# ---------------------------------------------------------------- device


@device.command("add")
def device_add(
    name: Annotated[str, typer.Argument(metavar="DEVICE", help="Identifier of the device")],
    at_site: Annotated[str, typer.Option("--site", help="Where it stands")],
    title: Annotated[str | None, typer.Option("--name", help="As people there call it")] = None,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Enter a device. Its token is printed this once and kept nowhere."""
    with _books(data, create=True) as books:
        _, token = books.accounts.add_device(name, at_site, title or name)
        books.note("device_add", f"{name} at {at_site}")
    typer.echo("The token is shown only now:", err=True)
    typer.echo(token)


@device.command("list")
def device_list(data: DataOption = DEFAULT_DATA) -> None:
    """All devices: id, site, name, state."""
    with _accounts(data) as accounts:
        _table(
            [(one.id, one.site, one.name, "disabled" if one.disabled else "") for one in accounts.devices()]
        )


@device.command("disable")
def device_disable(
    name: Annotated[str, typer.Argument(metavar="DEVICE")], data: DataOption = DEFAULT_DATA
) -> None:
    """The device's token is worth nothing from now on."""
    with _books(data) as books:
        books.accounts.disable_device(name)
        books.codes.withdraw(DEVICE, name, books.now)
        books.note("device_revoke", name)
    typer.echo(f"{name} is disabled")


@device.command("pair")
def device_pair(
    name: Annotated[str, typer.Argument(metavar="DEVICE")], data: DataOption = DEFAULT_DATA
) -> None:
    """Print a code with which a device takes a new token, once: `greenchannel agent pair`, or the page /pair."""
    with _books(data) as books:
        ttl = timedelta(seconds=books.settings.pairing_code_s)
        made, code = books.codes.give(DEVICE, name, now=books.now, ttl=ttl, by=OPERATOR)
        books.note("device_code", name)
    typer.echo(f"The code is shown only now, and good until {made.expires_at:%H:%M} UTC:", err=True)
    typer.echo(code)


device.command("clocks")(device_clocks.clocks)


# ---------------------------------------------------------------- site


@site.command("add")
def site_add(
    name: Annotated[str, typer.Argument(metavar="SITE", help="Identifier of the site")],
    zh: Annotated[str, typer.Option(help="Chinese name")],
    en: Annotated[str, typer.Option(help="English name")],
    kind: Annotated[str, typer.Option(help=", ".join(SITE_KINDS))] = "clinic",
    distance_km: Annotated[float | None, typer.Option(min=0, help="By road to the hub")] = None,
    phone: Annotated[str | None, typer.Option()] = None,
    timezone: Annotated[str, typer.Option(help="Of file times that come without one")] = "Asia/Shanghai",
    lat: Annotated[float | None, typer.Option(help="Latitude, WGS 84; not as Chinese maps show it")] = None,
    lon: Annotated[float | None, typer.Option(help="Longitude, WGS 84")] = None,
    radius_m: Annotated[float | None, typer.Option(help="Of its fence, for ambulances")] = None,
    town: Annotated[str | None, typer.Option()] = None,
    fallback_phone: Annotated[
        str | None, typer.Option(help="Whom it telephones where no doctor answers; none: the hub")
    ] = None,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Enter a clinic or a hospital."""
    with _books(data, create=True) as books:
        books.accounts.add_site(
            name,
            zh,
            en,
            kind,
            distance_km=distance_km,
            phone=phone,
            timezone=timezone,
            lat=lat,
            lon=lon,
            radius_m=radius_m,
            town=town,
            fallback_phone=fallback_phone,
        )
        books.note("site_add", name)
    typer.echo(f"{name} is a site")


@site.command("change")
def site_change(
    name: Annotated[str, typer.Argument(metavar="SITE")],
    zh: Annotated[str | None, typer.Option(help="Chinese name")] = None,
    en: Annotated[str | None, typer.Option(help="English name")] = None,
    distance_km: Annotated[float | None, typer.Option(min=0, help="By road to the hub")] = None,
    phone: Annotated[str | None, typer.Option(help='"" for none any more')] = None,
    town: Annotated[str | None, typer.Option(help='"" for none any more')] = None,
    fallback_phone: Annotated[str | None, typer.Option(help='"" for none any more')] = None,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Change what is known of a site; what is not said stays."""
    given: dict[str, Any] = {"name_zh": zh, "name_en": en, "distance_km": distance_km, "phone": phone}
    given |= {"town": town, "fallback_phone": fallback_phone}
    given = {key: None if value == "" else value for key, value in given.items() if value is not None}
    with _books(data) as books:
        books.changes.change_site(name, **given)
        books.note("site_change", f"{name}: {', '.join(sorted(given))}")
    typer.echo(f"{name}: {', '.join(sorted(given)) or 'nothing'} changed")


@site.command("enable")
def site_enable(
    name: Annotated[str, typer.Argument(metavar="SITE")], data: DataOption = DEFAULT_DATA
) -> None:
    """Put a site back in use."""
    with _books(data) as books:
        books.changes.use_site(name)
        books.note("site_use", name)
    typer.echo(f"{name} is in use")


@site.command("place")
def site_place(
    name: Annotated[str, typer.Argument(metavar="SITE")],
    lat: Annotated[float, typer.Option(help="Latitude, WGS 84; not as Chinese maps show it")],
    lon: Annotated[float, typer.Option(help="Longitude, WGS 84")],
    radius_m: Annotated[float | None, typer.Option(help="Of its fence, for ambulances")] = None,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Say where a site is, so that ambulances are seen to arrive there."""
    with _books(data) as books:
        books.accounts.place_site(name, lat, lon, radius_m)
        books.note("site_change", f"{name}: lat, lon, radius_m")
    typer.echo(f"{name} is at {lat:.5f}, {lon:.5f}")


@site.command("list")
def site_list(data: DataOption = DEFAULT_DATA) -> None:
    """All sites: id, kind, names, distance, phone, state, place."""
    with _accounts(data) as accounts:
        _table(
            [
                (
                    one.id,
                    one.kind,
                    one.name_zh,
                    one.name_en,
                    one.distance_km,
                    one.phone,
                    "disabled" if one.disabled else "",
                    "" if one.lat is None else f"{one.lat:.5f},{one.lon:.5f},{one.radius_m or ''}",
                )
                for one in accounts.sites()
            ]
        )


@site.command("disable")
def site_disable(
    name: Annotated[str, typer.Argument(metavar="SITE")], data: DataOption = DEFAULT_DATA
) -> None:
    """Take a site out of use; its cases stay."""
    with _books(data) as books:
        books.accounts.disable_site(name)
        books.note("site_close", name)
    typer.echo(f"{name} is disabled")
