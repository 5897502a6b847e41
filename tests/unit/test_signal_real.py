"""Real recordings: beats and borders against cardiologists, ST against what was read by hand.

Methods and limits were chosen on LUDB records below 100; what is asserted here is asserted of the others.
"""

from pathlib import Path

import numpy as np
import pytest
import wfdb

from greenchannel.signal.leads import canonical
from greenchannel.signal.measure import measure
from greenchannel.signal.recording import Recording

pytestmark = pytest.mark.data

LUDB_LEADS = ["i", "ii", "iii", "avr", "avl", "avf", "v1", "v2", "v3", "v4", "v5", "v6"]
HELD_BACK = tuple(range(101, 200, 2))


def load(path: Path) -> Recording:
    """A WFDB record as a `Recording`, the leads we know."""
    record = wfdb.rdrecord(str(path))
    names = [canonical(name) for name in record.sig_name]
    rows = [i for i, name in enumerate(names) if name is not None]
    samples = record.p_signal.T[rows].astype(np.float32)
    leads = tuple(name for name in names if name is not None)
    return Recording(samples_mv=samples, leads=leads, rate_hz=float(record.fs))


def qrs_marks(path: Path, lead: str) -> list[tuple[int, int, int]]:
    """Onset, peak and offset of each QRS that the cardiologists marked, in samples."""
    mark = wfdb.rdann(str(path), lead)
    found = []
    for i, symbol in enumerate(mark.symbol):
        if symbol == "N" and mark.symbol[i - 1 : i] == ["("] and mark.symbol[i + 1 : i + 2] == [")"]:
            found.append((int(mark.sample[i - 1]), int(mark.sample[i]), int(mark.sample[i + 1])))
    return found


def test_beats_are_found_where_cardiologists_marked_them(data_dir: Path) -> None:
    """Sensitivity and positive predictivity of R over 50 unseen LUDB records are at least 99 % at ±150 ms."""
    hits = missed = extra = 0
    for number in HELD_BACK:
        path = data_dir / "ludb" / "data" / str(number)
        found = np.array(measure(load(path)).r_s) * 500
        marks = wfdb.rdann(str(path), "ii")
        reference = np.array([peak for _, peak, _ in qrs_marks(path, "ii")])
        near = np.abs(found[:, None] - reference[None]) <= 75
        scored = (found >= marks.sample[0]) & (found <= marks.sample[-1])
        hits += int(near.any(axis=0).sum())
        missed += int((~near.any(axis=0)).sum())
        extra += int((scored & ~near.any(axis=1)).sum())
    assert hits / (hits + missed) >= 0.99
    assert hits / (hits + extra) >= 0.99


def test_qrs_borders_lie_where_cardiologists_put_them(data_dir: Path) -> None:
    """Global QRS borders against the second-outermost of the leads' marks: bias ≤10 ms, SD ≤10 ms."""
    on, off = [], []
    for number in HELD_BACK:
        path = data_dir / "ludb" / "data" / str(number)
        m = measure(load(path))
        marks = [mark for lead in LUDB_LEADS for mark in qrs_marks(path, lead)]
        for r, beat in zip(m.r_s, m.beats, strict=True):
            near = [mark for mark in marks if abs(mark[1] - r * 500) <= 60]
            if len(near) < 6 or beat.qrs_on_s is None or beat.qrs_off_s is None:
                continue
            on.append(beat.qrs_on_s * 1000 - 2 * sorted(mark[0] for mark in near)[1])
            off.append(beat.qrs_off_s * 1000 - 2 * sorted(mark[2] for mark in near)[-2])
    assert abs(np.mean(on)) <= 10 and np.std(on) <= 10
    assert abs(np.mean(off)) <= 10 and np.std(off) <= 10


@pytest.mark.parametrize("name", ["patient223_s0445_re", "patient223_s0446_re"])
def test_st_elevation_of_a_real_infarction_is_seen(data_dir: Path, name: str) -> None:
    """PTB patient 223, antero-septal infarction: ST elevation in V2-V4, more of it after J, none in aVL."""
    m = measure(load(data_dir / "ptb-10s" / name))
    for lead in ("V2", "V3", "V4"):
        assert 0.08 <= (m.leads[lead].stj_mv or 0) <= 0.22
        assert (m.leads[lead].st80_mv or 0) > (m.leads[lead].stj_mv or 0)
    assert abs(m.leads["aVL"].stj_mv or 1) < 0.05
    assert m.rhythm == "sinus"


@pytest.mark.parametrize("name", ["S0006", "S0007"])
def test_st_of_a_second_patient(data_dir: Path, name: str) -> None:
    """PTB patient 004, four days after: 0.05 to 0.2 mV at J in V1-V4, nothing in the limb leads."""
    path = next((data_dir / "cinc-12lead" / "records").rglob(f"{name}.hea"))
    m = measure(load(path.with_suffix("")))
    assert all(0.05 <= (m.leads[lead].stj_mv or 0) <= 0.2 for lead in ("V1", "V2", "V3", "V4"))
    assert all(abs(m.leads[lead].stj_mv or 1) < 0.05 for lead in ("I", "II", "III"))


def test_a_ventricular_tachycardia_keeps_its_rate(data_dir: Path) -> None:
    """A fast broad rhythm without a quiet stretch has a rate above 150/min, and no QRS width that nobody believes."""
    path = next((data_dir / "cinc-12lead" / "records").rglob("JS45546.hea"))
    m = measure(load(path.with_suffix("")))
    assert m.heart_rate_bpm is not None and m.heart_rate_bpm > 150
    assert m.qrs_ms is None or m.qrs_ms < 280
