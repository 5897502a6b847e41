"""HTTP to the outside: one request, no redirects, no cookies, no proxy, and a look at where it leads.

The name is looked up once, and the connection goes to what was found: a name that answers differently the second time
leads nowhere else. Nothing of an answer but its status is read.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Iterable, Mapping
from typing import Any, Final

import httpcore

from greenchannel.alerts.delivery import Accepted, Failed, Outcome, Refused
from greenchannel.service.channels.own_threads import Busy, OwnThreads

_LOOKUPS: Final = 32  # under way at once; each may hang for as long as the system's resolver likes
_CONNECTIONS: Final = 200
_GONE: Final = frozenset({404, 410})
_LATER: Final = frozenset({408, 425, 429})


class UnsafeAddress(Exception):
    """The name leads into a private network."""


class _Checked(httpcore.AsyncNetworkBackend):
    """Connects to addresses that were looked at. `private` and `loopback` say which inner ones are allowed."""

    def __init__(self, threads: OwnThreads, *, private: bool, loopback: bool) -> None:
        self._inner = httpcore.AnyIOBackend()
        self._threads = threads
        self._private = private
        self._loopback = loopback

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            found = await self._threads.run(socket.getaddrinfo, host, port, 0, socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError("name not found") from error
        addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
        for address in addresses:
            self._check(address)
        return await self._inner.connect_tcp(addresses[0], port, timeout, local_address, socket_options)

    def _check(self, address: str) -> None:
        ip = ipaddress.ip_address(address.partition("%")[0])
        ip = getattr(ip, "ipv4_mapped", None) or ip
        allowed = (
            self._private or (ip.is_global and not ip.is_multicast) or (self._loopback and ip.is_loopback)
        )
        if not allowed:
            raise UnsafeAddress

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Outgoing:
    """Two pools of connections: to anywhere, for addresses of administrators; and to the outside alone.

    Parameters
    ----------
    loopback : bool
        Addresses of people, too, may lead to this machine: for tests and for gateways beside the service.
    """

    def __init__(self, *, loopback: bool) -> None:
        threads = OwnThreads(_LOOKUPS, "greenchannel-names")
        self._pools = {
            private: httpcore.AsyncConnectionPool(
                network_backend=_Checked(threads, private=private, loopback=loopback),
                max_connections=_CONNECTIONS,
                keepalive_expiry=30.0,
            )
            for private in (True, False)
        }

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, *, private: bool, timeout_s: float
    ) -> Outcome:
        """Send one request; what became of it as a status says it. Raises nothing but cancellation."""
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), timeout_s)
        try:
            async with (
                asyncio.timeout(timeout_s),
                self._pools[private].stream(
                    "POST",
                    url,
                    headers=[
                        (name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()
                    ],
                    content=body,
                    extensions={"timeout": timeouts},
                ) as response,
            ):
                return outcome_of(response.status, _retry_after_s(response.headers))
        except UnsafeAddress:
            return Refused(reason="unsafe_address")
        except Busy:
            return Failed(reason="busy")
        except (TimeoutError, httpcore.TimeoutException):
            return Failed(reason="timeout")
        except (httpcore.UnsupportedProtocol, httpcore.LocalProtocolError, UnicodeError, ValueError):
            return Refused(reason="bad_address")
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError):
            return Failed(reason="network")

    async def close(self) -> None:
        """End all connections."""
        for pool in self._pools.values():
            await pool.aclose()


def outcome_of(status: int, retry_after_s: float | None = None) -> Outcome:
    """What an HTTP status says of a delivery."""
    if 200 <= status < 300:
        return Accepted()
    if status in _GONE:
        return Refused(reason="gone")
    if status in _LATER or status == 503:
        reason = "throttled" if status in (425, 429) else "server_error"
        return Failed(reason=reason, retry_after_s=retry_after_s)
    if 300 <= status < 400:
        return Refused(reason="redirected")
    if 400 <= status < 500:
        return Refused(reason="refused")
    return Failed(reason="server_error")


def _retry_after_s(headers: Iterable[tuple[bytes, bytes]]) -> float | None:
    for name, value in headers:
        if name.lower() == b"retry-after" and value.strip().isdigit():
            return float(value)
    return None
