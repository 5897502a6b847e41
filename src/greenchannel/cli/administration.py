"""`greenchannel user|device|site`: people, machines and places. The roster: `cli/roster.py`."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from greenchannel.cli import contacts, device_clocks
from greenchannel.cli.data_folder import DEFAULT_DATA, DataOption, open_data
from greenchannel.clock import SystemClock
from greenchannel.store.accounts import ROLES, SITE_KINDS, AccountError, Accounts

app = typer.Typer(add_completion=False)
user = typer.Typer(help="People who sign in. 人员")
device = typer.Typer(help="Devices and programs with a token. 设备")
site = typer.Typer(help="Clinics and hospitals. 机构")
for _name, _group in (("user", user), ("device", device), ("site", site)):
    app.add_typer(_group, name=_name, no_args_is_help=True)


@contextlib.contextmanager
def _accounts(data: Path, *, create: bool = False) -> Iterator[Accounts]:
    """The accounts of a data folder; what they refuse ends the command with a sentence."""
    _, engine = open_data(data, create=create)
    try:
        yield Accounts(engine)
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
    with _accounts(data, create=True) as accounts:
        sites = frozenset(at_site) if at_site else None
        added = accounts.add_user(name, full_name or name, role, password, sites)
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
    with _accounts(data) as accounts:
        accounts.disable_user(name)
    _look_at_roster(data)
    typer.echo(f"{name} is disabled")


@user.command("enable")
def user_enable(
    name: Annotated[str, typer.Argument(metavar="USER")], data: DataOption = DEFAULT_DATA
) -> None:
    """A person who was disabled signs in again, with the password as it was."""
    with _accounts(data) as accounts:
        accounts.enable_user(name)
    _look_at_roster(data)
    typer.echo(f"{name} can sign in")


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
    with _accounts(data, create=True) as accounts:
        _, token = accounts.add_device(name, at_site, title or name)
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
    with _accounts(data) as accounts:
        accounts.disable_device(name)
    typer.echo(f"{name} is disabled")


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
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Enter a clinic or a hospital."""
    with _accounts(data, create=True) as accounts:
        accounts.add_site(
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
        )
    typer.echo(f"{name} is a site")


@site.command("place")
def site_place(
    name: Annotated[str, typer.Argument(metavar="SITE")],
    lat: Annotated[float, typer.Option(help="Latitude, WGS 84; not as Chinese maps show it")],
    lon: Annotated[float, typer.Option(help="Longitude, WGS 84")],
    radius_m: Annotated[float | None, typer.Option(help="Of its fence, for ambulances")] = None,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Say where a site is, so that ambulances are seen to arrive there."""
    with _accounts(data) as accounts:
        accounts.place_site(name, lat, lon, radius_m)
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
    with _accounts(data) as accounts:
        accounts.disable_site(name)
    typer.echo(f"{name} is disabled")
