"""The simulated clinics' machines: files to upload, frames to stream, real recordings where there are some."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from pydicom.data import get_testdata_file

from greenchannel.ingest.bundle import bundle
from greenchannel.ingest.device_stream import LAST, encode_frame
from greenchannel.ingest.dicom_ecg_write import write_dicom_ecg
from greenchannel.ingest.reader import files_of
from greenchannel.signal.leads import STANDARD_12, STANDARD_18
from greenchannel.signal.recording import Recording
from greenchannel.signal.synthesis import synthesize

LSB_MV: Final = 0.0025
FRAMES_PER_S: Final = 5
NORMALS: Final = 2  # real recordings without a finding that the demo sends, where it finds them
INFARCTION: Final = "ptb-10s/patient223_s0445_re"  # antero-septal, day 3


@dataclass(frozen=True, kw_only=True, slots=True)
class RealEcg:
    """One real recording and what its source says of it."""

    name: str
    data: bytes
    age: float | None
    sex: str | None

    @property
    def facts(self) -> dict[str, float | str | None]:
        """Age and sex as upload fields."""
        return {"age": self.age, "sex": self.sex}


def simulated(scenario: str, *, seed: int, leads: int = 12) -> Recording:
    """Ten seconds of a scenario with a little noise, wander and mains, as a clinic's machine would have it."""
    return synthesize(
        scenario=scenario,
        seed=seed,
        leads=STANDARD_18 if leads == 18 else STANDARD_12,
        noise_mv=0.006,
        wander_mv=0.05,
        mains_mv=0.01,
    )


def as_dicom(recording: Recording, *, age_years: float, sex: str) -> bytes:
    """The file that a 12-lead machine without a set clock leaves: no time of acquisition in it."""
    return write_dicom_ecg(
        recording, acquired=None, age_years=age_years, sex="male" if sex == "male" else "female"
    )


def as_frames(recording: Recording, lsb_mv: float = LSB_MV) -> list[bytes]:
    """The recording cut into frames of a fifth of a second."""
    steps = np.round(np.nan_to_num(recording.samples_mv.astype(np.float64)) / lsb_mv).astype(np.int16)
    size = round(recording.rate_hz / FRAMES_PER_S)
    total = steps.shape[1]
    return [
        encode_frame(number, first, steps[:, first : first + size].T, LAST if first + size >= total else 0)
        for number, first in enumerate(range(0, total, size))
    ]


def pydicom_ecg() -> bytes:
    """The real 12-lead recording that the pydicom package installs."""
    path = get_testdata_file("waveform_ecg.dcm", download=False)
    return Path(str(path)).read_bytes()


def real_ecgs(folder: Path | None) -> tuple[list[RealEcg], RealEcg | None]:
    """Some healthy controls and one infarction from a folder of recordings with an ``index.csv``.

    Returns an empty list and None where the folder is not there.
    """
    index = folder / "index.csv" if folder is not None else None
    if folder is None or index is None or not index.is_file():
        return [], None
    with index.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    healthy = [row for row in rows if row["set"] == "ptb-10s" and "healthy" in row["label"].lower()]
    infarction = next((row for row in rows if row["path"] == INFARCTION), None)
    return [_load(folder, row) for row in healthy[:NORMALS]], None if infarction is None else _load(
        folder, infarction
    )


def _load(folder: Path, row: dict[str, str]) -> RealEcg:
    return RealEcg(
        name=row["record"],
        data=bundle(files_of(folder / f"{row['path']}.hea")),
        age=float(row["age"]) if row["age"] else None,
        sex=row["sex"] or None,
    )
