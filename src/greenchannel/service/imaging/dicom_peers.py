"""Who may call our DICOM node, for which site, and where they listen themselves; and what connections are like.

One line of the settings: ``CTVAN=yinzhao@10.0.0.5:11112, XRAY=jishi``. A title stands for one site. Anybody can say a
title: where an address is named, calls from others are refused, and only who has one is told anything of patients; it
is also where we call back: results of storage commitment, objects that were asked to be moved there.
"""

import contextlib
import ipaddress
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from greenchannel.settings import SettingsError

MOST_MESSAGE_BYTES: Final = 2**20  # of one PDU; ours say that 128 KB are the most  [E]
QUIET_S: Final = 60.0  # nothing comes, or nothing is taken, for so long: the line is cut  [E]
_ONE: Final = re.compile(
    r"(?P<title>[^=@,\\\s][^=@,\\]{0,15})=(?P<site>[A-Za-z0-9_.:-]{1,64}?)"
    r"(?:@(?P<host>[A-Za-z0-9_.\-]+|\[[0-9A-Fa-f:]+\]):(?P<port>\d{1,5}))?"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Peer:
    """One application entity that is known here."""

    title: str
    site: str
    host: str | None = None
    port: int | None = None

    @property
    def actor(self) -> str:
        """The name under which the log knows it."""
        return f"device:dicom-{re.sub(r'[^A-Za-z0-9_.-]', '_', self.title)}"

    def calls_from(self, address: str) -> bool:
        """May it call from this address? From anywhere where none is named; a name that is not found is nowhere."""
        if self.host is None:
            return True
        try:
            own = {str(found[4][0]) for found in socket.getaddrinfo(self.host, None, type=socket.SOCK_STREAM)}
            return _plain(address) in {_plain(one) for one in own}
        except (OSError, ValueError):
            return False


def peers_of(text: str) -> Mapping[str, Peer]:
    """The peers of a setting, by title; raises `SettingsError`."""
    found: dict[str, Peer] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        match = _ONE.fullmatch(part)
        if match is None or (match["port"] and not 0 < int(match["port"]) < 65536):
            raise SettingsError(
                f"expected dicom_callers such as CTVAN=site@host:port, got {part[:60]!r} 应写作 名称=机构@地址:端口"
            )
        title = match["title"].strip()
        found[title] = Peer(
            title=title,
            site=match["site"],
            host=None if match["host"] is None else match["host"].strip("[]"),
            port=None if match["port"] is None else int(match["port"]),
        )
    return found


def _plain(address: str) -> str:
    """An address in one form: one of IPv4 is no other where IPv6 carries it."""
    found = ipaddress.ip_address(address.partition("%")[0])
    return str(getattr(found, "ipv4_mapped", None) or found)


def no_delay(event: Any) -> None:
    """For ``EVT_CONN_OPEN``: small messages are not held back, else each object waits 40 ms for the other side; and the
    connection is closed in the end, whichever side went first."""
    whole = event.assoc.dul.socket
    connection = getattr(whole, "socket", None)
    if connection is None:
        return
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def shut() -> None:
        # pynetdicom leaves a socket open whose other side has gone before.
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()

    whole._shutdown_socket = shut


def careful(event: Any) -> None:
    """For ``EVT_CONN_OPEN`` of those who call us: `no_delay`, and a message that announces gigabytes ends the call.

    pynetdicom reads what is announced, whatever that is, 4 KB at a time; this is one buffer of a bounded size.
    A line that is cut within a message ends the call after `QUIET_S`: pynetdicom's own timeouts run between messages.
    """
    no_delay(event)
    whole = event.assoc.dul.socket
    whole.socket.settimeout(QUIET_S)
    whole.socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def recv(nr_bytes: int) -> bytearray:
        if nr_bytes > MOST_MESSAGE_BYTES:
            raise OSError(
                f"expected a message of at most {MOST_MESSAGE_BYTES} bytes, {nr_bytes} are announced"
            )
        buffer = bytearray(nr_bytes)
        got = 0
        with memoryview(buffer) as view:
            while got < nr_bytes:
                more = whole.socket.recv_into(view[got:])
                if not more:
                    break
                got += more
        return buffer if got == nr_bytes else buffer[:got]

    whole.recv = recv


def title_of(event: Any) -> str:
    """Who calls, in an event of an association that we have accepted."""
    return str(event.assoc.requestor.ae_title).strip()
