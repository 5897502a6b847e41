"""The readings against annotated, altered and simulated recordings: `make accuracy`. Nothing is tuned, nothing fails.

Writes ``docs/accuracy.md`` for people and ``results/accuracy.json`` for programs. Real recordings come from
``GREENCHANNEL_TEST_DATA`` (default ``../shared/data``); without them the simulated rows alone are made, and the page
says so.
With ``--only`` or ``--quick`` (every fourth recording, fewer strips) the page is printed and nothing is written.
"""

import argparse
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks import (
    accuracy_beats,
    accuracy_faults,
    accuracy_infarctions,
    accuracy_ludb,
    accuracy_reversal,
    accuracy_rhythms,
    accuracy_simulated,
    accuracy_st,
    accuracy_standing,
    accuracy_synthesis,
    accuracy_tiers,
)
from benchmarks.accuracy_report import Topic, summary
from benchmarks.harness import ROOT, Json, data_folder, save, versions

PAGE: Final = ROOT / "docs" / "accuracy.md"
QUICK: Final = 4  # every so manieth recording or strip in a quick run

OnData = Callable[[Path, int], Topic]

# Sections in the order of the page; each takes the folder of recordings and the step.
ON_DATA: Final[Mapping[str, OnData]] = {
    "ludb": accuracy_ludb.topic,
    "beats": accuracy_beats.topic,
    "st": accuracy_st.topic,
    "reversal": accuracy_reversal.topic,
    "faults": accuracy_faults.topic,
    "tiers": accuracy_tiers.topic,
    "rhythms": accuracy_rhythms.topic,
    "standing": accuracy_standing.topic,
}
SIMULATED: Final[Mapping[str, Callable[[int], Topic]]] = {
    "synthesis": accuracy_synthesis.topic,
    "simulated": accuracy_simulated.topic,
    "infarctions": accuracy_infarctions.topic,
    "simulated-rhythms": accuracy_rhythms.simulated,
}


def topics(folder: Path | None, only: str | None = None, step: int = 1) -> list[Topic]:
    """Every section that can be made, or one of them."""
    made: list[Topic] = []
    for name in (*ON_DATA, *SIMULATED):
        if only not in (None, name) or (name in ON_DATA and folder is None):
            continue
        since = time.monotonic()
        if name in SIMULATED:
            made.append(SIMULATED[name](step))
        else:
            assert folder is not None
            made.append(ON_DATA[name](folder, step))
        print(f"{name}: {time.monotonic() - since:.0f} s", flush=True)
    return made


def page(made: list[Topic], folder: Path | None) -> str:
    """The whole page."""
    software = versions()["greenchannel"] or "an uninstalled tree"
    day = datetime.now(UTC).date().isoformat()
    parts = [_HEAD.format(software=software, day=day), summary(made)]
    if folder is None:
        parts.append("**No folder of recordings was there: what follows is simulated alone.**")
    return "\n\n".join([part.strip() for part in parts] + [topic.markdown() for topic in made]) + "\n"


_HEAD: Final = """
# Accuracy

How the ECG core reads recordings whose truth is known: marked by people, altered by a known amount, or simulated.
This page is written by `make accuracy`; nothing in it is typed by hand. Measured on {day} with greenchannel
{software}.

Every row says how many records and beats it rests on, the value with its 95 % interval, what it **must** reach and
what it **aims** at, whether the value (not the interval) does, the data with a hash of their version, on what the
methods and limits were chosen, and what the row reports. Where something is fitted on these records, the rows held
against limits are of its cross-validation; what the shipped core says of the records it was fitted on stands beside
them as *in-sample*. mV and µV are at the body surface, ms are of time.

What this page cannot say: **nothing here was recorded within hours of an onset**, so there is no sensitivity for an
acute occlusion; labels are mostly per patient; and a row on simulated or altered recordings shows that the
measurement is right, not that medicine is.
"""


def run(only: str | None = None, quick: bool = False) -> Json:
    """Score, print, and save a whole run."""
    folder = data_folder()
    if folder is None:
        print(
            "accuracy: no folder of recordings; set GREENCHANNEL_TEST_DATA to one with an index.csv. "
            "Simulated rows only."
        )
    made = topics(folder, only, QUICK if quick else 1)
    text = page(made, folder)
    print(text)
    results: Json = {"data": folder is not None, "topics": {topic.name: topic.json() for topic in made}}
    if only is None and not quick:
        PAGE.write_text(text, encoding="utf-8")
        save("accuracy", results)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only", choices=[*ON_DATA, *SIMULATED], help="one section; printed, nothing is written"
    )
    parser.add_argument(
        "--quick", action="store_true", help="a quarter of everything; printed, nothing is written"
    )
    given = parser.parse_args()
    run(given.only, given.quick)


if __name__ == "__main__":
    main()
