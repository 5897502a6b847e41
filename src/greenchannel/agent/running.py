"""The whole agent as a program: checked, started, shown, and ended by Ctrl-C or the system."""

import contextlib
import logging
import signal as process_signals
import sqlite3
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from greenchannel.agent.agent import Agent, Options, now
from greenchannel.agent.folders import mixed_up
from greenchannel.agent.judge import Judge
from greenchannel.agent.link import BadServer
from greenchannel.agent.page import Page
from greenchannel.agent.ports import Address
from greenchannel.agent.ports_mllp import MllpPort
from greenchannel.agent.screen import Screen
from greenchannel.agent.spool import Spool, SpoolBusy

if TYPE_CHECKING:
    from greenchannel.agent.ports_dicom import DicomPort

logger = logging.getLogger(__name__)

PAGE_PORT: Final = 8766
_SHOWN_EVERY_S: Final = 0.5


@dataclass(frozen=True, kw_only=True)
class Faces:
    """How the agent is seen and reached."""

    page_port: int | None = PAGE_PORT  # None: no page
    screen: bool = True  # on a terminal
    mllp: Address | None = None
    dicom: Address | None = None
    ae_title: str = "GREENCHANNEL"
    ae_from: tuple[str, ...] = ()  # titles that may send; none: any


def run_until_stopped(options: Options, faces: Faces) -> int:
    """Run; gives the exit status."""
    on_screen = faces.screen and sys.stdout.isatty()
    logging.basicConfig(
        level=logging.ERROR if on_screen else logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        stream=sys.stderr,
    )
    wrong = _wrong(options)
    if wrong is not None:
        print(wrong, file=sys.stderr)
        return 2
    try:
        spool = Spool(options.spool, now)
        if spool.repaired:
            logger.warning("the spool's database was damaged; it was made anew from the files")
        if options.server.startswith("http://") and not _is_local(options.server):
            logger.warning("%s is not encrypted: token and ECGs can be read on the way", options.server)
        agent = Agent(options=options, spool=spool, judge=Judge() if options.judged else None)
        stop = threading.Event()
        for number in (process_signals.SIGINT, process_signals.SIGTERM):
            process_signals.signal(number, lambda *_: stop.set())
        with _faces(agent, faces, on_screen) as screen:
            agent.run_in_background()
            while not stop.wait(_SHOWN_EVERY_S):  # with a bound, or Windows would not hear Ctrl-C
                if screen is not None:
                    screen.show(agent.seen())
    except BadServer as error:
        print(error, file=sys.stderr)
        return 2
    except ModuleNotFoundError:
        print(
            "--dicom needs the extra agent-dicom (pip install 'greenchannel[agent-dicom]')",
            file=sys.stderr,
        )
        return 2
    except (SpoolBusy, OSError, sqlite3.Error) as error:
        print(f"the agent cannot start: {error}", file=sys.stderr)
        return 1
    return 0


@contextlib.contextmanager
def _faces(agent: Agent, faces: Faces, on_screen: bool) -> Iterator[Screen | None]:
    """Page and screen, and the end of everything."""
    with contextlib.ExitStack() as stack:
        stack.callback(agent.stop)
        if faces.page_port is not None:
            page = _page(agent, faces.page_port)
            if page is not None:
                stack.callback(page.close)
                print(f"页面 page: {page.address}", flush=True)
        if faces.mllp is not None:
            stack.callback(MllpPort(agent.spool, faces.mllp, now).close)
        if faces.dicom is not None:
            stack.callback(_dicom_port(agent, faces).close)
        screen = None
        if on_screen:
            screen = Screen()
            stack.callback(screen.close)
        yield screen


def _page(agent: Agent, port: int) -> Page | None:
    """The page, or a word that there is none: sending does not hang on it."""
    try:
        return Page(agent, port)
    except OSError as error:
        said = (
            f"本机页面打不开（端口 {port}：{error.strerror or error}），心电图照常发送；换端口用 --page-port\n"
            f"no page: its port {port} cannot be used ({error.strerror or error}). ECGs are sent all the same; "
            "another port: --page-port"
        )
        print(said, file=sys.stderr, flush=True)
        return None


def _dicom_port(agent: Agent, faces: Faces) -> "DicomPort":
    from greenchannel.agent.ports_dicom import DicomPort

    assert faces.dicom is not None
    return DicomPort(agent.spool, faces.dicom, title=faces.ae_title, callers=faces.ae_from)


def _is_local(server: str) -> bool:
    return urlsplit(server).hostname in ("127.0.0.1", "localhost", "::1")


def _wrong(options: Options) -> str | None:
    """What about the options cannot be, in a sentence."""
    if not options.token_file.is_file():
        return f"expected a file with the clinic's token, got {options.token_file}"
    if options.watch is not None and not options.watch.is_dir():
        return f"expected a folder to watch, got {options.watch}"
    return mixed_up(
        spool=options.spool, watch=options.watch, done=options.done, token_file=options.token_file
    )
