"""The whole agent as a program: checked, started, shown, and ended by Ctrl-C or the system."""

import logging
import signal as process_signals
import sys
import threading

from greenchannel.agent.agent import Agent, Options, now
from greenchannel.agent.judge import Judge
from greenchannel.agent.link import BadServer
from greenchannel.agent.spool import Spool, SpoolBusy

logger = logging.getLogger(__name__)


def run_until_stopped(options: Options) -> int:
    """Run; gives the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    wrong = _wrong(options)
    if wrong is not None:
        print(wrong, file=sys.stderr)
        return 2
    try:
        spool = Spool(options.spool, now)
    except (SpoolBusy, OSError) as error:
        print(f"the spool cannot be used: {error}", file=sys.stderr)
        return 1
    if spool.repaired:
        logger.warning("the spool's database was damaged; it was made anew from the files")
    try:
        agent = Agent(options=options, spool=spool, judge=Judge() if options.judged else None)
    except BadServer as error:
        print(error, file=sys.stderr)
        return 2
    stop = threading.Event()
    for number in (process_signals.SIGINT, process_signals.SIGTERM):
        process_signals.signal(number, lambda *_: stop.set())
    agent.run_in_background()
    try:
        while not stop.wait(0.5):  # with a bound, or Windows would not hear Ctrl-C
            pass
    finally:
        agent.stop()
    return 0


def _wrong(options: Options) -> str | None:
    """What about the options cannot be, in a sentence."""
    if not options.token_file.is_file():
        return f"expected a file with the clinic's token, got {options.token_file}"
    if options.watch is not None and not options.watch.is_dir():
        return f"expected a folder to watch, got {options.watch}"
    return None
