"""`greenchannel user contact`: how people are reached."""

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from greenchannel.cli.data_folder import DEFAULT_DATA, DataOption, open_data
from greenchannel.store.contacts import Address, Contact, Contacts
from greenchannel.store.errors import StoreError
from greenchannel.store.vault import Vault, load_or_make_master_key

app = typer.Typer(help="How a person is reached. 联系方式", add_completion=False)

PersonArgument = Annotated[str, typer.Argument(metavar="USER")]


@contextlib.contextmanager
def _contacts(data: Path) -> Iterator[Contacts]:
    """The contacts of a data folder; what they refuse ends the command with a sentence."""
    from greenchannel.alerts.channels import channels
    from greenchannel.service.errors import ServiceError

    settings, engine = open_data(data)
    try:
        vault = Vault(engine, load_or_make_master_key(settings.data_dir / "master.key"))
        yield Contacts(engine, vault, channels())
    except ServiceError as error:
        typer.echo(f"{error.en}\n{error.zh}", err=True)
        raise typer.Exit(1) from error
    except StoreError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    finally:
        engine.dispose()


@app.command("add")
def add(
    person: PersonArgument,
    channel: Annotated[str, typer.Argument(help="dingtalk, wecom, feishu, email, sms, phone")],
    to: Annotated[
        str | None, typer.Option(help="The number that a gateway of short messages or calls is to use")
    ] = None,
    address_stdin: Annotated[bool, typer.Option(help="Read the address from standard input")] = False,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Enter an address in place of the one before: a webhook's https:// address, or one of apprise.

    It is asked for, or read from standard input, and kept sealed: no list shows it. A second line of standard input
    is the secret of a webhook; without one a new secret is made and printed this once.
    """
    from greenchannel.clock import SystemClock
    from greenchannel.service.channels.addresses import checked

    url, given = _lines() if address_stdin else (str(typer.prompt("Address", hide_input=True)), None)
    with _contacts(data) as contacts:
        form, address = checked(channel, url, by_person=False, localhost=True, secret=given, to=to)
        added = contacts.set(person, channel, form, address, now=SystemClock().now(), by_person=False)
    typer.echo(f"{added.id}\t{person}\t{channel}\t{form}")
    if address.secret is not None and given is None:
        typer.echo("The secret of its signatures is shown only now:", err=True)
        typer.echo(address.secret)


def _lines() -> tuple[str, str | None]:
    lines = [line.strip() for line in sys.stdin.read().splitlines() if line.strip()]
    return (lines[0] if lines else "", lines[1] if len(lines) > 1 else None)


@app.command("list")
def list_(
    person: Annotated[str | None, typer.Argument(metavar="[USER]")] = None, data: DataOption = DEFAULT_DATA
) -> None:
    """Id, person, channel, form, who entered it, state; never the address."""
    with _contacts(data) as contacts:
        for one in contacts.shown(person):
            by = "person" if one.by_person else "administrator"
            state = "" if one.enabled else "disabled"
            typer.echo(f"{one.id}\t{one.person}\t{one.channel}\t{one.form}\t{by}\t{state}")


@app.command("remove")
def remove(
    contact: Annotated[str, typer.Argument(metavar="CONTACT", help="The id that `list` prints")],
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Forget an address; nothing is sent there any more."""
    with _contacts(data) as contacts:
        contacts.remove(contact)
    typer.echo(f"{contact} is removed")


@app.command("test")
def test(person: PersonArgument, data: DataOption = DEFAULT_DATA) -> None:
    """Send a test message to each address now, and print what became of it; status 1 where one failed.

    It goes out from this command, once and without the service, and is not written down as a test of going on duty.
    """
    from greenchannel.alerts.channels import outgoing, reason_words

    failed = False
    with _contacts(data) as contacts:
        found = {name: contacts.addresses(person, name) for name in outgoing()}
        if not any(found.values()):
            typer.echo(f"expected a person with an address, {person} has none", err=True)
            raise typer.Exit(1)
        for channel, reason in asyncio.run(_try(data, person, {n: a for n, a in found.items() if a})):
            words = reason_words(reason)
            typer.echo(
                f"{channel}\t" + ("ok" if reason is None else f"{reason}\t{words['zh']} {words['en']}")
            )
            failed = failed or reason is not None
    if failed:
        raise typer.Exit(1)


async def _try(
    data: Path, person: str, found: dict[str, list[tuple[Contact, Address]]]
) -> list[tuple[str, str | None]]:
    import secrets

    from greenchannel.alerts.channels import channels
    from greenchannel.alerts.messages import compose
    from greenchannel.service.channels.senders import Senders
    from greenchannel.settings import load

    settings = load(data_dir=data)
    senders = Senders(
        key_file=settings.push_key(),
        vapid_subject=settings.vapid_subject,
        localhost=settings.contacts_localhost,
    )
    run, outcomes = secrets.token_hex(8), []
    for channel, to in found.items():
        key = f"test:{run}:{person}:{channel}"
        message = compose("test", key, {}, site_zh="", site_en="", public=channels()[channel].public)
        sent = await senders.send(channel, to, message, key)
        outcomes.append((channel, getattr(sent.outcome, "reason", None)))
    await senders.close()
    return outcomes
