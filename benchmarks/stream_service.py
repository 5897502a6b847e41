"""The real service in a process of its own, for the benchmarks: `python -m benchmarks.stream_service FOLDER`.

Prints one line of JSON, ``{"address", "token", "tokens", "user", "password"}``, when it can be reached, and runs until
it is told to stop. Without options it runs as `greenchannel serve` does: `assembly.run` gives it uvloop.
`--plain` leaves that out, to see what it brings.
"""

import argparse
import asyncio
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import structlog

from greenchannel import assembly
from greenchannel.county import cast
from greenchannel.service.desk import Desk
from greenchannel.settings import load
from greenchannel.signal import kernels

DEVICE = "ecg-jishi"
READER = "chen"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--plain", action="store_true", help="asyncio's own loop")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    os.environ.setdefault(kernels.VARIABLE, "auto")  # as `greenchannel serve` does
    tokens: dict[str, str] = {}

    def prepare(desk: Desk) -> None:
        tokens.update(cast.settle(desk.accounts, datetime.now(UTC)))

    async def tell(_: Desk, address: str) -> None:
        person = next(one for one in cast.USERS if one.user == READER)
        told = {"address": address, "token": tokens[DEVICE], "user": person.user, "password": person.password}
        print(json.dumps(told | {"tokens": tokens}), flush=True)
        await asyncio.Event().wait()

    # Settings come from the environment, as they do for the service: GREENCHANNEL_SEGMENT_SYNC_S and the others.
    service = assembly.run_until_stopped(load(data_dir=given.folder, port=0), during=tell, prepare=prepare)
    if given.plain:
        asyncio.run(service)
    else:
        assembly.run(service)


if __name__ == "__main__":
    main()
