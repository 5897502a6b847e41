"""The only module that knows every part: settings and a clock in, the running service out."""

import asyncio
import contextlib
import functools
import signal as process_signals
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import structlog
import uvicorn

from greenchannel.alerts.escalation_plan import EscalationSettings, settings_of
from greenchannel.alerts.task_texts import TaskTexts, texts_of
from greenchannel.clock import Clock, SteadyClock
from greenchannel.county import cast
from greenchannel.ingest.packing import pack, unpack
from greenchannel.service import collecting
from greenchannel.service.desk import Desk
from greenchannel.service.imaging.detecting import Detecting
from greenchannel.service.imaging.giving import Giving
from greenchannel.service.imaging.report_filing import ReportFiling
from greenchannel.settings import Settings, SettingsError
from greenchannel.store.access import AccessLog
from greenchannel.store.accounts import Accounts
from greenchannel.store.blobs import Blobs, Packing
from greenchannel.store.engine import migrate, open_engine
from greenchannel.store.log import Log
from greenchannel.store.quarantine import Quarantine
from greenchannel.store.sole import sole
from greenchannel.store.vault import Vault, load_or_make_master_key
from greenchannel.store.writer import Writer
from greenchannel.triage.detectors.onnx_model import ModelError
from greenchannel.triage.detectors.statuses import StatusError
from greenchannel.triage.reading_templates import Templates, templates_of
from greenchannel.viewer.app import create_app
from greenchannel.viewer.frames import FramingProtocol
from greenchannel.viewer.front import DemoUser
from greenchannel.viewer.image_report_sr import filed

logger = structlog.get_logger(__name__)

# After this long a thread that computes hands over to one that waits (Python's own: 5 ms). A commit gives the lock of
# the interpreter away at every statement; behind a busy event loop or a reading each of them would wait 5 ms.
SWITCH_S: Final = 0.0005


def build(settings: Settings, clock: Clock | None = None, *, durable: bool = True) -> Desk:
    """All parts joined, the database brought to its newest form; nothing runs yet. `durable`: see `open_engine`."""
    _keep_values_out_of_logs()
    clock = clock or SteadyClock()
    escalation = None if settings.escalation_file is None else read_escalation(settings.escalation_file)
    task_texts = None if settings.tasks_file is None else read_task_texts(settings.tasks_file)
    templates = None if settings.templates_file is None else read_templates(settings.templates_file)
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = open_engine(settings.url(), durable=durable)
    migrate(engine)
    vault = Vault(engine, load_or_make_master_key(settings.data_dir / "master.key"))
    writer = Writer(engine, clock)
    desk = Desk(
        settings=settings,
        clock=clock,
        engine=engine,
        writer=writer,
        log=Log(engine),
        vault=vault,
        blobs=Blobs(settings.data_dir / "blobs", engine, vault, Packing(pack, unpack)),
        access=AccessLog(engine),
        accounts=Accounts(engine),
        quarantine=Quarantine(settings.data_dir / "quarantine", max_bytes=settings.quarantine_bytes),
        escalation=escalation,
        task_texts=task_texts,
        site_templates=templates,
    )
    desk.parts.append(Giving(desk, engine, writer, vault))
    write = functools.partial(filed, network=settings.network_zh)
    desk.parts.append(ReportFiling(desk, engine, writer, write))
    try:
        desk.parts.append(Detecting(desk))
    except (ModelError, StatusError) as error:
        raise SettingsError(f"detectors: {error}") from None
    return desk


def _keep_values_out_of_logs() -> None:
    """Tracebacks without the values of variables: among these are passwords, tokens and names of patients."""
    if not structlog.is_configured():
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
        structlog.configure(processors=[*structlog.get_config()["processors"][:-1], renderer])


def read_escalation(file: Path) -> EscalationSettings:
    """Whom a site rings, and when. Raises `SettingsError` where the file cannot be read or does not fit."""
    try:
        return settings_of(file.read_bytes())
    except (OSError, ValueError) as error:
        raise SettingsError(f"expected an escalation file at {file}, got: {error}") from error


def read_task_texts(file: Path) -> TaskTexts:
    """How sites call their tasks. Raises `SettingsError` where the file cannot be read or does not fit."""
    try:
        return texts_of(file.read_bytes())
    except (OSError, ValueError) as error:
        raise SettingsError(f"expected a file of tasks at {file}, got: {error}") from error


def read_templates(file: Path) -> Templates:
    """A site's sentences for readings. Raises `SettingsError` where the file cannot be read or does not fit."""
    try:
        return templates_of(file.read_bytes())
    except (OSError, ValueError) as error:
        raise SettingsError(f"expected a file of templates at {file}, got: {error}") from error


def demo_people(people: Iterable[cast.DemoUser]) -> list[DemoUser]:
    """The demo's people as its start page offers them."""
    return [
        DemoUser(
            user=one.user, password=one.password, name_zh=one.name_zh, name_en=one.name_en, role=one.role
        )
        for one in people
    ]


class _Server(uvicorn.Server):
    """uvicorn, but the signals are ours: its own handler raises them again before our clean-up has run."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(settings: Settings) -> socket.socket:
    """A bound socket; raises `OSError` where the port is taken. Port 0 takes a free one."""
    sock = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        sock.bind((settings.host, settings.port))
    except OSError:
        sock.close()
        raise
    return sock


@contextlib.asynccontextmanager
async def running(
    desk: Desk, sock: socket.socket, demo_users: Sequence[DemoUser] = ()
) -> AsyncIterator[asyncio.Event]:
    """The service behind `sock`, ready when the block begins; set the event to stop it from within."""
    await desk.start()
    config = uvicorn.Config(
        create_app(desk, demo_users),
        loop="none",
        lifespan="off",
        ws=FramingProtocol,
        ws_per_message_deflate=False,
        ws_max_size=1024 * 1024,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
        backlog=2048,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[sock]))
    stop = asyncio.Event()
    try:
        while not server.started and not task.done():
            await asyncio.sleep(0.005)
        if task.done():
            await task
        yield stop
    finally:
        server.should_exit = True
        await task
        await desk.stop()


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run the service on the fastest event loop there is."""
    sys.setswitchinterval(SWITCH_S)
    factory = None
    with contextlib.suppress(ImportError):  # not made for Windows
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main)


async def run_until_stopped(
    settings: Settings,
    clock: Clock | None = None,
    during: Callable[[Desk, str], Coroutine[Any, Any, None]] | None = None,
    *,
    prepare: Callable[[Desk], None] | None = None,
    demo_users: Sequence[cast.DemoUser] = (),
) -> None:
    """Serve until SIGINT or SIGTERM.

    `prepare` may fill the empty database first; `during` runs beside the service, and when it ends, so does the
    service. Raises `FolderInUse` where another service runs on the data folder.
    """
    with sole(settings.data_dir):
        desk = build(settings, clock)
        if prepare is not None:
            prepare(desk)
        sock = listen(settings)
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        address = f"http://{host}:{sock.getsockname()[1]}/"
        async with running(desk, sock, demo_people(demo_users)) as stop:
            loop = asyncio.get_running_loop()
            for number in (process_signals.SIGINT, process_signals.SIGTERM):
                loop.add_signal_handler(number, stop.set)
            collecting.settle()
            logger.info("ready", address=address)
            waiting = {asyncio.create_task(_until(stop))}
            if during is not None:
                waiting.add(asyncio.create_task(during(desk, address)))
            done, rest = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)
            for task in done:
                await task
            logger.info("stopping")


async def run_engine_until_stopped(settings: Settings, clock: Clock | None = None) -> None:
    """Keep due times and audit, without listening, until SIGINT or SIGTERM; beside a service on the same database."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (process_signals.SIGINT, process_signals.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    desk = build(settings, clock)
    await desk.start(serving=False)
    try:
        collecting.settle()
        logger.info("engine ready", clock=desk.clock.name)
        await stop.wait()
        logger.info("stopping")
    finally:
        await desk.stop()


async def _until(event: asyncio.Event) -> None:
    await event.wait()
