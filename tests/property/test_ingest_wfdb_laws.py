"""Any WFDB record is what the wfdb library makes of it, and amplitudes are rounded once."""

import tempfile
from pathlib import Path

import numpy as np
import wfdb
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from greenchannel.ingest.reader import read_ecg, read_path
from greenchannel.ingest.scaling import to_mv
from greenchannel.signal.leads import STANDARD_12

_GAINS = st.sampled_from([1000.0, 200.0, 204.8, 2000.0, 1e-3, 0.1, 1e31, 3.0]) | st.floats(1e-4, 1e6)


@given(
    st.lists(st.integers(-32768, 32767), min_size=1, max_size=60),
    _GAINS,
    st.integers(-(2**24), 2**24) | st.integers(-100, 100),
)
@example([-32768, 32767, 1], 1000.0, 2**23 - 1)
@example([-32768, 32767, 1], 1000.0, 2**23)
def test_amplitudes_are_the_quotient_in_double_precision_rounded_once(
    raw: list[int], gain: float, baseline: int
) -> None:
    """Also where they are computed in single precision, which is quicker and exact for whole numbers."""
    header = f"r 1 500 {len(raw)}\nr.dat 16 {gain!r}({baseline})/mV 16 0 0 0 0 II\n".encode()
    steps = np.array(raw, dtype="<i2")
    parsed = read_ecg([("r.hea", header), ("r.dat", steps.tobytes())])
    expected = to_mv(steps, gain, baseline).astype(np.float32)
    expected[steps == -32768] = np.nan
    np.testing.assert_array_equal(parsed.recording.samples_mv[0].view(np.uint32), expected.view(np.uint32))


def _packed(number: int, steps: NDArray[np.int64]) -> bytes:
    """The samples of all signals, one frame after the other, as signal(5) has the format."""
    flat = steps.reshape(-1)
    if number == 16:
        return flat.astype("<i2").tobytes()
    if number == 80:
        return (flat + 128).astype("u1").tobytes()
    if number == 24:
        return flat.astype("<i4").view("u1").reshape(-1, 4)[:, :3].tobytes()
    even = np.append(flat, np.zeros(flat.size % 2, dtype=np.int64)).reshape(-1, 2)
    low, high = even.T & 0xFFF
    packed = np.stack((low & 0xFF, low >> 8 | (high >> 8) << 4, high & 0xFF), axis=1).astype("u1").tobytes()
    return packed[: (flat.size * 12 + 7) // 8]


@settings(max_examples=30)
@given(
    st.sampled_from([16, 212, 24, 80]),
    st.integers(1, 40),
    st.lists(st.sampled_from([200.0, 1000.0, 204.8, 333.3]), min_size=1, max_size=12),
    st.integers(0, 2**32 - 1),
)
def test_a_record_of_any_common_format_is_what_the_library_reads(
    number: int, samples: int, gains: list[float], seed: int
) -> None:
    """Samples, also missing ones, to the last bit of single precision; nothing is noted."""
    least = {16: -(2**15), 212: -(2**11), 24: -(2**23), 80: -(2**7)}[number]
    random = np.random.default_rng(seed)
    steps = random.integers(least, -least, (samples, len(gains)))
    steps[random.random(steps.shape) < 0.05] = least
    lines = [f"r {len(gains)} 500 {samples}"]
    for lead, gain, column in zip(STANDARD_12, gains, steps.T, strict=False):
        checksum = int(column.sum()) & 0xFFFF
        lines.append(f"r.dat {number} {gain}(3)/mV 16 0 {column[0]} {checksum} 0 {lead}")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "r.hea").write_text("\n".join(lines) + "\n", encoding="utf-8")
        Path(folder, "r.dat").write_bytes(_packed(number, steps))
        parsed = read_path(Path(folder, "r.hea"))
        theirs = wfdb.rdrecord(str(Path(folder, "r"))).p_signal
    assert parsed.recording.leads == STANDARD_12[: len(gains)]
    assert parsed.tolerated == ()
    np.testing.assert_array_equal(parsed.recording.samples_mv, theirs.T.astype(np.float32))
