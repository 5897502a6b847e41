"""Recordings for the accuracy report: found, loaded and measured once, with the version of the data."""

import csv
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.reader import read_path
from greenchannel.signal.leads import STANDARD_12
from greenchannel.signal.measure import measure
from greenchannel.signal.measurements import Measurements
from greenchannel.signal.recording import Recording

DEVELOPMENT_BELOW: Final = 100  # of LUDB, the records on which methods and limits are chosen

Samples = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One recording of the folder with what its source says of it."""

    set: str
    record: str
    patient: str
    path: Path
    age: str
    sex: str
    label: str
    format: str
    development: bool
    """Of the half on which methods and limits were chosen: LUDB below 100, every second person of the other sets."""

    @property
    def recording(self) -> Recording:
        """The samples; `IngestError` where nothing reads the format."""
        return _recording(self.path)

    @property
    def measured(self) -> Measurements:
        """What the core says of it."""
        return _measured(self.path)


@cache
def _recording(path: Path) -> Recording:
    return read_path(path).recording


@cache
def _measured(path: Path) -> Measurements:
    return measure(_recording(path))


def cases(folder: Path, sets: Sequence[str], step: int = 1) -> list[Case]:
    """Every `step`-th recording of the named sets, by the folder's index."""
    with (folder / "index.csv").open(encoding="utf-8", newline="") as stream:
        index = list(csv.DictReader(stream))
    # The same halves as everybody who fits something on these sets: persons in order of name, the first, third, ….
    persons = sorted({row["patient"] for row in index if row["set"] != "ludb" and _twelve_wfdb(row)})
    rows = [row for row in index if row["set"] in sets]
    found = []
    for row in rows[::step]:
        path = folder / row["path"]
        found.append(
            Case(
                set=row["set"],
                record=row["record"],
                patient=row["patient"] or row["record"],
                path=path if path.is_file() else path.with_name(path.name + ".hea"),
                age=row["age"],
                sex=row["sex"],
                label=row["label"],
                format=row["format"],
                development=int(row["record"]) < DEVELOPMENT_BELOW
                if row["set"] == "ludb"
                else row["patient"] in persons[::2],
            )
        )
    return found


def _twelve_wfdb(row: dict[str, str]) -> bool:
    return row["format"] == "wfdb" and float(row["n_leads"]) >= len(STANDARD_12)


def twelve(found: Sequence[Case]) -> Iterator[Case]:
    """Those that can be read and have the twelve leads."""
    for case in found:
        try:
            recording = case.recording
        except (IngestError, OSError):
            continue
        if set(STANDARD_12) <= set(recording.leads):
            yield case


def clean(found: Sequence[Case]) -> Iterator[Case]:
    """Twelve-lead recordings in sinus rhythm, acceptable and without a bad lead, by the core's own reading."""
    for case in twelve(found):
        m = case.measured
        if m.rhythm == "sinus" and m.quality.acceptable and not m.quality.bad_leads and m.quality.st_reliable:
            yield case


def version(folder: Path, *sets: str) -> str:
    """``ludb@1a2b3c4d``: set names and eight digits of the hash of their lines in the folder's ``SHA256SUMS``."""
    try:
        lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "+".join(sets) + " (no SHA256SUMS)"
    names = tuple(f"{name}/" for name in sets)
    of = sorted(line for line in lines if line.split(maxsplit=1)[-1].lstrip("*./").startswith(names))
    return f"{'+'.join(sets)}@{hashlib.sha256(chr(10).join(of).encode()).hexdigest()[:8]}"


def changed(recording: Recording, change: Callable[[dict[str, Samples]], None]) -> Recording:
    """A recording with other samples: `change` gets a table of rows in mV and alters it in place."""
    rows = {name: recording.samples_mv[i].astype(np.float64) for i, name in enumerate(recording.leads)}
    change(rows)
    return Recording(
        samples_mv=np.array([rows[name] for name in recording.leads], dtype=np.float32),
        leads=recording.leads,
        rate_hz=recording.rate_hz,
        electrode_set=recording.electrode_set,
        low_cut_hz=recording.low_cut_hz,
        high_cut_hz=recording.high_cut_hz,
    )
