"""Reads spoilt files one after the other in a process of its own, under bounds, and tells what came of them.

``python -m tests.fuzz_worker --count 10000 --seed 1 [--data FOLDER] [--keep FOLDER]`` prints one JSON object. A file
is read within two seconds of the processor, and twenty of the clock on the wall, or the alarm ends it; the process may
take so much address space and no more. What is none
of an ECG, a picture or a documented error is a failure, and is kept.
"""

import argparse
import json
import random
import resource
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

import numpy as np

from greenchannel.ingest.errors import CODES, IngestError
from greenchannel.ingest.packing import pack, unpack
from greenchannel.ingest.paper import paper_kind, read_paper
from greenchannel.ingest.reader import read_ecg
from tests.fuzz_changes import spoilt
from tests.fuzz_seeds import real_seeds, seeds

MOST_S: Final = 2.0  # of the processor: other programs say nothing about a reader
MOST_WAIT_S: Final = 20.0
ADDRESS_SPACE: Final = 2 * 2**30  # numpy's libraries take a good part of it without touching it
_MOST_MESSAGE: Final = 1000


class Hang(BaseException):
    """The time is over; no reader catches this."""


def peak_mb() -> float:
    """Most memory of this program; `ru_maxrss` would tell that of the one that began it, where that was larger."""
    with open("/proc/self/status", encoding="ascii") as status:
        kilobytes = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    return round(kilobytes / 1024, 1)


def _alarm(_number: int, _frame: object) -> None:
    raise Hang


def take(data: bytes) -> str:
    """What the service would make of an upload: ``read``, ``picture``, or the code of the refusal.

    Raises
    ------
    AssertionError
        Where the answer is not one that may be given.
    """
    try:
        if paper_kind(data) is not None:
            read_paper(data)
            return "picture"
        samples_mv = read_ecg([("file", data)]).recording.samples_mv
    except IngestError as error:
        assert error.code in CODES and error.message, repr(error)
        assert len(str(error)) < _MOST_MESSAGE, len(str(error))
        return error.code
    assert not np.isinf(samples_mv).any()
    return "read"


def run(count: int, seed: int, sources: dict[str, bytes], keep: Path | None) -> dict[str, Any]:
    """Spoil and read `count` files."""
    dice = random.Random(seed)
    names = sorted(sources)
    outcomes: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    failures: list[str] = []
    slowest_s, slowest = 0.0, ""
    timers = ((signal.ITIMER_PROF, MOST_S), (signal.ITIMER_REAL, MOST_WAIT_S))
    for kind in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(kind, _alarm)
    began = time.monotonic()
    for number in range(count):
        name = names[number % len(names)]
        data = spoilt(sources[name], dice)
        kinds[name] += 1
        for timer, most_s in timers:
            signal.setitimer(timer, most_s)
        start = time.process_time()
        try:
            outcomes[take(data)] += 1
            if number % 10 == 0:
                assert unpack(pack(data)) == data, "packing"
        except (Exception, Hang) as error:  # noqa: BLE001 - whatever comes out of a reader is the finding
            failures.append(f"{number} {name}: {type(error).__name__} {error}"[:300])
            if keep is not None:
                (keep / f"{seed}-{number}").write_bytes(data)
        finally:
            for timer, _ in timers:
                signal.setitimer(timer, 0)
        took = time.process_time() - start
        if took > slowest_s:
            slowest_s, slowest = took, name
    return {
        "files": count,
        "kinds": len(kinds),
        "seconds": round(time.monotonic() - began, 1),
        "outcomes": dict(outcomes.most_common()),
        "slowest_s": round(slowest_s, 3),
        "slowest": slowest,
        "peak_mb": peak_mb(),
        "failures": failures,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=Path, help="folder of real recordings, to spoil these too")
    parser.add_argument("--keep", type=Path, help="where files are put that fail")
    given = parser.parse_args()
    sources = seeds() | (real_seeds(given.data) if given.data else {})
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    json.dump(run(given.count, given.seed, sources, given.keep), sys.stdout)


if __name__ == "__main__":
    main()
