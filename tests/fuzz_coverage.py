"""Lets atheris look for files that take the readers where no seed does, in a process of its own, under bounds.

``python -m tests.fuzz_coverage --runs 10000 --corpus FOLDER [--data FOLDER]``; needs the optional group ``fuzz``
(``pip install 'greenchannel[fuzz]'``), which has wheels for Linux alone. libFuzzer ends the process with a status other
than 0 at the first file that raises anything undocumented, takes two seconds, or more memory than may be, and puts it
into the folder.
"""

import argparse
import sys
from pathlib import Path
from typing import Final

import atheris

MOST_S: Final = 2
MOST_MB: Final = 300
MOST_BYTES: Final = 65_536

# Readers are loaded under instrumentation, or the fuzzer is blind to where it got.
with atheris.instrument_imports(include=["greenchannel.ingest"]):
    from tests.fuzz_seeds import real_seeds, seeds
    from tests.fuzz_worker import take


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument(
        "--corpus", type=Path, required=True, help="an empty folder; what is found new goes there"
    )
    parser.add_argument("--data", type=Path, help="folder of real recordings, as seeds too")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    for name, data in (seeds() | (real_seeds(given.data) if given.data else {})).items():
        (given.corpus / name.replace(" ", "-")).write_bytes(data[:MOST_BYTES])
    options = [
        f"-runs={given.runs}",
        f"-seed={given.seed}",
        f"-timeout={MOST_S}",
        f"-rss_limit_mb={MOST_MB}",
        f"-max_len={MOST_BYTES}",
        f"-artifact_prefix={given.corpus}/failed-",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, str(given.corpus)], take)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
