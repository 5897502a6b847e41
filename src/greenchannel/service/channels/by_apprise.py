"""Chats and e-mail by apprise, which blocks: each call in a thread of its own channel, for a bounded time."""

import asyncio
import threading
import warnings
from functools import cache
from typing import Any

from greenchannel.alerts.delivery import Accepted, Failed, Outcome, Refused
from greenchannel.alerts.messages import Message
from greenchannel.service.channels import quiet
from greenchannel.service.channels.own_threads import Busy, OwnThreads
from greenchannel.store.contacts import Address

_loading = threading.Lock()


@cache
def load() -> Any:
    """The library with all its services, which takes a second the first time."""
    with _loading, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it imports; ours are looked at in tests
        import apprise

        quiet.hush()
        apprise.Apprise.instantiate("json://localhost", suppress_exceptions=True)
    return apprise


async def send(threads: OwnThreads, address: Address, message: Message, timeout_s: float) -> Outcome:
    """One message. apprise says yes or no, and never why."""
    try:
        async with asyncio.timeout(timeout_s):
            return await threads.run(_notify, address.url, message, timeout_s)
    except TimeoutError:
        return Failed(reason="timeout")
    except Busy:
        return Failed(reason="busy")
    except Exception:  # noqa: BLE001 - whatever it is; its text may hold the address
        return Failed(reason="error")


def _notify(url: str, message: Message, timeout_s: float) -> Outcome:
    target = opened(url)
    if target is None:
        return Refused(reason="bad_address")
    target.socket_connect_timeout = target.socket_read_timeout = timeout_s / 2
    kinds = load().NotifyType
    kind = kinds.FAILURE if message.urgent else kinds.INFO
    sent = target.notify(body=message.text, title=message.title, notify_type=kind)
    return Accepted() if sent else Failed(reason="not_accepted")


def opened(url: str) -> Any:
    """apprise's own object behind an address; None where it is none that apprise can use."""
    try:
        return load().Apprise.instantiate(url, suppress_exceptions=True)
    except Exception:  # noqa: BLE001 - whatever it is; its text may hold the address
        return None
