"""`python -m benchmarks`: all benchmarks in short; each module takes its own options.

``--only NAME`` runs one of them, ``--long`` takes the settings behind the numbers in the README.
"""

import argparse
import time
from collections.abc import Callable, Mapping
from typing import Final

from benchmarks import (
    accuracy,
    bench_analyze,
    bench_archive,
    bench_batch,
    bench_board_page,
    bench_cstore,
    bench_fanout,
    bench_first_image,
    bench_first_load,
    bench_green_channel,
    bench_interpret,
    bench_log,
    bench_parse,
    bench_qidors,
    bench_quality,
    bench_reader,
    bench_sockets,
    bench_stream,
    stages,
)
from benchmarks.harness import machine

SHORT: Final[Mapping[str, Callable[[], object]]] = {
    "analyze": lambda: bench_analyze.run(3),
    "interpret": lambda: bench_interpret.run(2),
    "batch": lambda: bench_batch.run(256, 2),
    "stages": lambda: stages.run(5),
    "parse": lambda: bench_parse.run(5),
    "archive": lambda: bench_archive.run(3),
    "cstore": lambda: bench_cstore.run(40, 2),
    "log": lambda: bench_log.run(8.0, 8000),
    "quality": lambda: bench_quality.run(2_000, 1, 5),
    "green_channel": lambda: bench_green_channel.run(20, 3),
    "sockets": lambda: bench_sockets.run((200,), 5.0, 1),
    "stream": lambda: bench_stream.run((20,), 10),
    "fanout": lambda: bench_fanout.run(100, 8.0),
    "first_load": lambda: bench_first_load.run(2),
    "qidors": lambda: bench_qidors.run(5_000, 5),
    "first_image": lambda: bench_first_image.run(2),
    "board_page": lambda: bench_board_page.run(60, 8.0),
    "reader": lambda: bench_reader.run(2),
    "accuracy": accuracy.run,
}
LONG: Final[Mapping[str, Callable[[], object]]] = {
    "analyze": lambda: bench_analyze.run(15, imports=True),
    "interpret": lambda: bench_interpret.run(10),
    "batch": lambda: bench_batch.run(256, 8),
    "stages": lambda: stages.run(20),
    "parse": lambda: bench_parse.run(15),
    "archive": lambda: bench_archive.run(9),
    "cstore": lambda: bench_cstore.run(200, 5),
    "log": lambda: bench_log.run(60.0, 50_000),
    "quality": lambda: bench_quality.run(100_000, 3, 20),
    "green_channel": lambda: bench_green_channel.run(40, 10),
    "sockets": lambda: bench_sockets.run((200, 500), 10.0, 3),
    "stream": lambda: bench_stream.run((1, 20, 100, 200), 20),
    "fanout": lambda: bench_fanout.run(500, 60.0),
    "first_load": lambda: bench_first_load.run(5),
    "qidors": lambda: bench_qidors.run(100_000, 30),
    "first_image": lambda: bench_first_image.run(10),
    "board_page": lambda: bench_board_page.run(500, 30.0),
    "reader": lambda: bench_reader.run(8),
    "accuracy": accuracy.run,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=list(SHORT), help="one of them")
    parser.add_argument("--long", action="store_true", help="longer runs, more streams")
    given = parser.parse_args()
    chosen = LONG if given.long else SHORT
    began = time.monotonic()
    print(" · ".join(f"{key} {value}" for key, value in machine().items()))
    for name in [given.only] if given.only else list(chosen):
        since = time.monotonic()
        chosen[name]()
        print(f"\n{name}: {time.monotonic() - since:.0f} s")
    print(f"\nall: {time.monotonic() - began:.0f} s; raw results in benchmarks/results")


if __name__ == "__main__":
    main()
