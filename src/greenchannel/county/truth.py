"""The truth about every simulated ECG, one line of JSON for each: what it was made of, and what became of it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

FATE: dict[str, Any] = {"sent_at": None, "confirmed_at": None, "answer": None, "refusal": None}
"""What is added to `MadeEcg.truth`. `sent_at` and `confirmed_at` are of the plan's clock; unknown is null. `answer` is
the service's, `refusal` its problem document."""


class TruthBook:
    """The file of one run. A line is whole or not there; what was written stays after a crash of the simulator.

    Raises `FileExistsError` where there is such a file already.
    """

    def __init__(self, path: Path) -> None:
        self._file: IO[str] = path.open("x", encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, truth: dict[str, Any], **fate: Any) -> None:
        """One line; raises `KeyError` for a fate that is not in `FATE`."""
        unknown = set(fate) - set(FATE)
        if unknown:
            raise KeyError(f"expected fates of {' '.join(FATE)}, got {' '.join(sorted(unknown))}")
        line = json.dumps(truth | FATE | fate, ensure_ascii=False, separators=(",", ":"))
        self._file.write(line + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def read_truth(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a file; a last one that was cut off is passed over."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.endswith("\n"):
                yield json.loads(line)
