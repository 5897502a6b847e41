"""A picture of every recording that the report lists as a failure: the trace with its evidence, for people to look at.

They lie in ``build/accuracy``, outside of the repository: recordings of people are never committed.
"""

import re
from typing import Final

from benchmarks.harness import ROOT
from greenchannel.triage.interpretation import Interpretation, to_json
from greenchannel.viewer.ecg_paper import plot

FOLDER: Final = ROOT / "build" / "accuracy"


def picture(read: Interpretation, name: str) -> str:
    """Draw a reading, and say where its picture lies, from the root of the repository."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{re.sub(r'[^A-Za-z0-9.-]+', '_', name)}.png"
    plot(read.recording, to_json(read, source=name, sha256=None), path)
    return str(path.relative_to(ROOT))
