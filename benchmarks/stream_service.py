"""The real service in a process of its own, for the benchmarks: `python -m benchmarks.stream_service FOLDER`.

Prints one line of JSON, ``{"address", "token", "user", "password"}``, when it can be reached, and runs until it is
told to stop. Without options it is as `greenchannel serve` has it; the options try what might be better.
"""

import argparse
import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import structlog

from greenchannel import assembly
from greenchannel.county import cast
from greenchannel.service.desk import Desk
from greenchannel.settings import load

DEVICE = "ecg-jishi"
READER = "chen"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--uvloop", action="store_true")
    parser.add_argument(
        "--switch-ms", type=float, help="how long a thread may keep the interpreter, default 5"
    )
    given = parser.parse_args()
    if given.switch_ms is not None:
        sys.setswitchinterval(given.switch_ms / 1000)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    tokens: dict[str, str] = {}

    def prepare(desk: Desk) -> None:
        tokens.update(cast.settle(desk.accounts, datetime.now(UTC)))

    async def tell(_: Desk, address: str) -> None:
        person = next(one for one in cast.USERS if one.user == READER)
        told = {"address": address, "token": tokens[DEVICE], "user": person.user, "password": person.password}
        print(json.dumps(told), flush=True)
        await asyncio.Event().wait()

    # Settings come from the environment, as they do for the service: GREENCHANNEL_SEGMENT_SYNC_S and the others.
    service = assembly.run_until_stopped(load(data_dir=given.folder, port=0), during=tell, prepare=prepare)
    if given.uvloop:
        import uvloop

        uvloop.run(service)
    else:
        asyncio.run(service)


if __name__ == "__main__":
    main()
