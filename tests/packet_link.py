"""Two network namespaces joined by a poor link: packets that are late, slow and lost, under the kernel's own TCP.

Each namespace has a TUN device; what goes into one comes out of the other when `links.packet_passage` says so, or
never. Needs Linux, root, ``ip`` and /dev/net/tun.
"""

import asyncio
import contextlib
import fcntl
import os
import random
import shutil
import struct
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from greenchannel.county.links import LinkProfile, Pipe, packet_passage

TUN: Final = Path("/dev/net/tun")
TUNSETIFF: Final = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
MTU: Final = 1400
NEAR, FAR = "10.213.77.1", "10.213.77.2"


class PacketLink:
    """The link while its block lasts."""

    def __init__(self, profile: LinkProfile, seed: int) -> None:
        self._profile = profile
        self._dice = random.Random(f"{seed}/packets")
        self._pipes = {"forth": Pipe(), "back": Pipe()}
        self.near, self.far = f"gc-near-{os.getpid()}", f"gc-far-{os.getpid()}"
        """Names of the namespaces, for ``ip netns exec``."""
        self.counts: Counter[str] = Counter()
        """``packets``, ``bytes`` and ``lost``."""

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Make the namespaces and carry packets; both are gone after the block."""
        loop = asyncio.get_running_loop()
        with contextlib.ExitStack() as stack:
            ends = []
            for number, (space, address) in enumerate(((self.near, NEAR), (self.far, FAR))):
                _ip("netns", "add", space)
                stack.callback(_ip, "netns", "del", space)
                device = f"gc{os.getpid()}n{number}"
                ends.append(_tun(device))
                stack.callback(os.close, ends[-1])
                _ip("link", "set", device, "netns", space)
                peer = FAR if address == NEAR else NEAR
                _ip("-n", space, "addr", "add", address, "peer", peer, "dev", device)
                _ip("-n", space, "link", "set", device, "mtu", str(MTU), "up")
                _ip("-n", space, "link", "set", "lo", "up")
            near, far = ends
            loop.add_reader(near, self._carry, near, far, "forth")
            stack.callback(loop.remove_reader, near)
            loop.add_reader(far, self._carry, far, near, "back")
            stack.callback(loop.remove_reader, far)
            yield

    def _carry(self, source: int, target: int, way: str) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                packet = os.read(source, 65536)
                now_s = time.monotonic()
                self.counts.update(packets=1, bytes=len(packet))
                self._pipes[way], passage = packet_passage(
                    self._profile, self._pipes[way], len(packet), now_s, self._dice
                )
                if passage is None:
                    self.counts["lost"] += 1
                    continue
                asyncio.get_running_loop().call_later(passage.arrives_s - now_s, _write, target, packet)


def need_namespaces() -> None:
    """Skip the running test, saying why, where two namespaces cannot be joined."""
    if os.geteuid() != 0 or not TUN.exists() or shutil.which("ip") is None:
        pytest.skip("needs root, /dev/net/tun and the command ip for two network namespaces")
    name = f"gc-try-{os.getpid()}"
    tried = subprocess.run(["ip", "netns", "add", name], check=False, capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"no network namespaces here: {tried.stderr.strip()}")
    _ip("netns", "del", name)


def _write(target: int, packet: bytes) -> None:
    with contextlib.suppress(
        OSError
    ):  # the link has ended while this one was under way, or the device is full
        os.write(target, packet)


def _tun(name: str) -> int:
    end = os.open(TUN, os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(end, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    return end


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], check=False, capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"ip {' '.join(words)}: {done.stderr.strip()}")
