"""The formats that an ECG can be written in: what `greenchannel convert` and the export know by name.

A new writer is one module and one row here.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from greenchannel.ingest.csv_ecg_write import write_csv
from greenchannel.ingest.dicom_ecg_write import write_dicom_ecg
from greenchannel.ingest.fhir_observation_write import write_fhir
from greenchannel.ingest.hl7_aecg_write import write_hl7_aecg
from greenchannel.ingest.parsed import ParsedEcg
from greenchannel.ingest.scp_write import write_scp
from greenchannel.ingest.wfdb_write import write_wfdb_zip
from greenchannel.signal.recording import Recording

# Steps of the devices that are about, in mV, the coarsest first  [O]
_USUAL_STEPS_MV: Final = (
    0.01, 0.005, 1 / 205, 0.00488, 0.0048828125, 0.004, 0.0025, 0.00244, 0.002, 0.00125, 0.001, 0.0005, 0.0001,
)  # fmt: skip
_MOST_STEPS: Final = 32767
_WHOLE: Final = 0.02  # of a step; float32 leaves 0.002 at the largest number of steps
_MOST_PARTS: Final = 8
_NV_PER_MV: Final = 1_000_000


class Writer(NamedTuple):
    """One format."""

    suffix: str
    """What the names of such files end in."""
    write: Callable[[ParsedEcg, float], bytes]
    """ECG and step in mV → file; raises `ValueError` where the format cannot hold it."""


def _said(ecg: ParsedEcg) -> dict[str, Any]:
    """What all writers take."""
    return {"acquired": ecg.acquired, "age_years": ecg.age_years, "sex": ecg.sex}


def _named(ecg: ParsedEcg) -> dict[str, Any]:
    return _said(ecg) | {key: ecg.identifiers.get(key) for key in ("patient_id", "name")}


def _scp(ecg: ParsedEcg, lsb_mv: float) -> bytes:
    # SCP-ECG counts its steps in whole nanovolts.
    nanovolts = lsb_mv * _NV_PER_MV
    exact = abs(nanovolts - round(nanovolts)) < 1e-6 * nanovolts
    return write_scp(ecg.recording, **_named(ecg), lsb_mv=lsb_mv if exact else fitting_step(ecg.recording))


WRITERS: Final[dict[str, Writer]] = {
    "dicom": Writer(".dcm", lambda ecg, lsb_mv: write_dicom_ecg(ecg.recording, **_named(ecg), lsb_mv=lsb_mv)),
    "wfdb": Writer(".zip", lambda ecg, lsb_mv: write_wfdb_zip(ecg.recording, **_said(ecg), lsb_mv=lsb_mv)),
    "scp": Writer(".scp", _scp),
    "aecg": Writer(".xml", lambda ecg, lsb_mv: write_hl7_aecg(ecg.recording, **_named(ecg), lsb_mv=lsb_mv)),
    "csv": Writer(".csv", lambda ecg, _: write_csv(ecg.recording, **_named(ecg))),
    "fhir": Writer(
        ".json",
        lambda ecg, lsb_mv: write_fhir(
            ecg.recording, **_named(ecg), statements=ecg.device_statements, lsb_mv=lsb_mv
        ),
    ),
}


def step_of(recording: Recording) -> float | None:
    """The step of the device, in mV, of which all samples are whole multiples within 16 bits; None if there is none."""
    values = recording.samples_mv[np.isfinite(recording.samples_mv)].astype(np.float64)
    levels = np.unique(np.abs(values))
    levels = levels[levels > 0]
    if levels.size == 0:
        return _USUAL_STEPS_MV[0]
    usual = _fitting(levels, _USUAL_STEPS_MV)
    return usual if usual is not None else _common_step(levels)


def fitting_step(recording: Recording) -> float:
    """The finest of 0.1, 0.2, 0.5, 1, 2, 5 … uV at which all samples fit into 16 bits."""
    peak_mv = float(np.nanmax(np.abs(recording.samples_mv), initial=0.0))
    needed = max(peak_mv / (_MOST_STEPS - 1), 0.0001)
    decade = 10.0 ** math.floor(math.log10(needed) + 1e-9)
    return next(
        round(factor * decade, 12) for factor in (1, 2, 5, 10) if factor * decade >= needed * (1 - 1e-9)
    )


def _common_step(levels: NDArray[np.float64]) -> float | None:
    """A step that is none of the usual: the smallest difference of samples, or a small part of it."""
    smallest = float(np.diff(levels, prepend=0.0).min())
    return next(
        (step for part in range(1, _MOST_PARTS + 1) if (step := _refined(levels, smallest / part))), None
    )


def _refined(levels: NDArray[np.float64], step: float) -> float | None:
    """`step` made more exact with larger and larger samples; None where these are not whole multiples of it."""
    for largest in (30, 1000, _MOST_STEPS):
        near = levels[levels <= largest * step]
        counts = np.rint(near / step)
        if not counts.any():
            continue
        step = float((near * counts).sum() / (counts * counts).sum())
    per_mv = round(1 / step)
    round_ones = (1 / per_mv if per_mv > 0 else step, round(step * _NV_PER_MV) / _NV_PER_MV)
    return _fitting(levels, (*round_ones, step))


def _fitting(levels: NDArray[np.float64], steps: Sequence[float]) -> float | None:
    """The first of `steps` that gives every sample to the last bit, else the first of which all are whole multiples."""
    whole = [step for step in steps if step > 0 and _whole(levels, step)]
    samples = levels.astype(np.float32)
    exact = (
        step for step in whole if np.array_equal((np.rint(levels / step) * step).astype(np.float32), samples)
    )
    return next(exact, whole[0] if whole else None)


def _whole(levels: NDArray[np.float64], step: float) -> bool:
    steps = levels / step
    return bool(steps[-1] <= _MOST_STEPS and np.abs(steps - np.rint(steps)).max() < _WHOLE)
