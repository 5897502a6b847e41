"""What is packed comes back to the last byte, whatever it is; what was changed on the way says so."""

import io
import struct
import zipfile
import zlib

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from greenchannel.ingest import packing
from greenchannel.ingest.bundle import make_zip
from greenchannel.ingest.dicom_ecg_write import write_dicom_ecg
from greenchannel.ingest.lead_codec import Damaged, Steps, decode, encode
from greenchannel.ingest.packing import find_blocks, pack, unpack
from greenchannel.ingest.wfdb_write import write_wfdb_zip
from greenchannel.signal.leads import STANDARD_12, STANDARD_18
from greenchannel.signal.recording import Recording

_LEADS = st.lists(st.sampled_from([*STANDARD_12, None]), max_size=14)


@st.composite
def samples(draw: st.DrawFn) -> tuple[Steps, tuple[str | None, ...], NDArray[np.bool_] | None]:
    """Samples of any size and type, with names that may repeat, and with gaps."""
    leads = tuple(draw(_LEADS))
    shape = (len(leads), draw(st.integers(0, 60)))
    dtype = np.dtype(draw(st.sampled_from(["i2", "i4"])))
    most = draw(st.sampled_from([3, 120, 300, 70_000, 2**31 - 1]))
    bound = 2 ** (8 * dtype.itemsize - 1)
    low, high = max(-most, -bound), min(most, bound - 1)
    steps: Steps = draw(npst.arrays(dtype, shape, elements=st.integers(low, high)))
    missing = draw(st.none() | npst.arrays(np.bool_, shape))
    return steps, leads, missing


@settings(max_examples=200)
@given(samples())
@example(
    (np.array([[-32768, 32767] * 9, [32767, -32768] * 9, [5] * 18], dtype=np.int16), ("I", "II", "aVF"), None)
)
@example((np.array([[-(2**31), 2**31 - 1] * 9], dtype=np.int32), ("I",), None))
@example((np.zeros((0, 0), dtype=np.int16), (), None))
def test_any_samples_come_back(
    given_samples: tuple[Steps, tuple[str | None, ...], NDArray[np.bool_] | None],
) -> None:
    """Every number, its type, and where none is; also where sums run over."""
    steps, leads, missing = given_samples
    back, gaps = decode(encode(steps, leads, missing))
    assert back.dtype == steps.dtype
    np.testing.assert_array_equal(back, steps if missing is None else np.where(missing, 0, steps))
    assert (gaps is None) == (missing is None)
    if missing is not None:
        np.testing.assert_array_equal(gaps, missing)


def _walk(seed: int, count: int, length: int, most: int) -> Steps:
    random = np.random.default_rng(seed)
    return np.cumsum(random.integers(-most, most + 1, (count, length)), axis=1).astype(np.int32)


@given(st.integers(0, 2**32 - 1), st.integers(2100, 5000), st.sampled_from([1, 20, 900, 10**6]))
def test_long_recordings_come_back(seed: int, length: int, most: int) -> None:
    """Where the order is chosen from stretches, and remainders are split into planes."""
    steps = _walk(seed, 12, length, most)
    np.testing.assert_array_equal(decode(encode(steps, STANDARD_12))[0], steps)


def test_leads_that_follow_from_two_others_cost_next_to_nothing() -> None:
    """Four of twelve leads are rounding of I and II, so they take less than a tenth of what the two take."""
    limb = _walk(1, 2, 5000, 40)
    lead_i, lead_ii = limb
    rounded = np.rint(
        np.stack([lead_ii - lead_i, -(lead_i + lead_ii) / 2, lead_i - lead_ii / 2, lead_ii - lead_i / 2])
    ).astype(np.int32)
    both = encode(limb, STANDARD_12[:2])
    six = encode(np.concatenate([limb, rounded]), STANDARD_12[:6])
    assert len(six) < 1.4 * len(both)
    np.testing.assert_array_equal(decode(six)[0][2:], rounded)


def _recording(leads: tuple[str, ...], length: int, seed: int) -> Recording:
    steps = np.clip(_walk(seed, len(leads), length, 12), -9000, 9000)
    samples_mv = (steps * 0.0025).astype(np.float32)
    samples_mv[:, length // 3 : length // 2] = np.nan
    return Recording(samples_mv=samples_mv, leads=leads, rate_hz=500.0)


def _wfdb(leads: tuple[str, ...] = STANDARD_12, length: int = 2500, seed: int = 0) -> bytes:
    recording = _recording(leads, length, seed)
    return write_wfdb_zip(recording, lsb_mv=0.0025, age_years=None, sex=None, acquired=None)


def _dicom(leads: tuple[str, ...] = STANDARD_12, length: int = 2500, seed: int = 0) -> bytes:
    return write_dicom_ecg(_recording(leads, length, seed), acquired=None, age_years=None, sex=None)


@pytest.mark.parametrize("data", [_wfdb(), _wfdb(STANDARD_18), _dicom(), _dicom(STANDARD_18)])
def test_strips_and_dicom_files_are_kept_in_less_than_half(data: bytes) -> None:
    """Their samples are found by the file's own words and coded by lead; a gap costs next to nothing."""
    assert len(find_blocks(data)) == 1
    packed = pack(data)
    assert unpack(packed) == data
    assert len(packed) < 0.45 * len(data)


@given(st.binary(max_size=300))
@example(packing.MAGIC)
@example(packing.MAGIC + bytes(40))
@example(pack(b"twice"))
@example(b"a" * 5000)
def test_any_bytes_come_back(data: bytes) -> None:
    """Also what begins as a packed file does, and what is one."""
    packed = pack(data)
    assert unpack(packed) == data
    assert len(packed) <= len(data) + 21


def test_bytes_of_before_come_back_as_they_are() -> None:
    """A file that never went through packing."""
    for data in (b"", b"SCPECG", _wfdb(), b"\x89PNG\r\n"):
        assert unpack(data) == data


SOURCES = (_wfdb(length=300), _dicom(length=300), b"<AnnotatedECG>" * 200)


@settings(max_examples=120)
@given(st.sampled_from(SOURCES), st.floats(0, 1), st.integers(0, 7))
def test_a_changed_bit_is_noticed(data: bytes, where: float, bit: int) -> None:
    """Every bit behind the magic is under a checksum or a size."""
    packed = bytearray(pack(data))
    place = 7 + int(where * (len(packed) - 8))
    packed[place] ^= 1 << bit
    with pytest.raises(Damaged, match="expected"):
        unpack(bytes(packed))


@settings(max_examples=120)
@given(st.sampled_from(SOURCES), st.floats(0, 0.999))
def test_a_file_that_is_cut_off_is_noticed(data: bytes, where: float) -> None:
    """At any length from the magic on."""
    packed = pack(data)
    with pytest.raises(Damaged, match="expected"):
        unpack(packed[: 7 + int(where * (len(packed) - 7))])


@settings(max_examples=120)
@given(
    st.sampled_from(SOURCES),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_a_spoilt_original_is_kept_as_it_came(data: bytes, changes: list[tuple[float, int]]) -> None:
    """Whatever its own words say of where samples are."""
    spoilt = bytearray(data)
    for where, value in changes:
        spoilt[int(where * (len(spoilt) - 1))] = value
    assert unpack(pack(bytes(spoilt))) == bytes(spoilt)


def test_headers_that_lie_about_their_samples_do_no_harm() -> None:
    """Signals that share a file, an offset beyond its end, two headers for one file, a member that is deflated."""
    body = np.arange(600, dtype="<i2").tobytes()
    headers = [
        b"r 2 500 999999\nr.dat 16+1196 200 16 0 0 0 0 I\nr.dat 16+1196 200 16 0 0 0 0 II\n",
        b"r 2 500 10\nr.dat 16+99999 200 16 0 0 0 0 I\nr.dat 16+99999 200 16 0 0 0 0 II\n",
        b"r 1 500 10\nr.hea 16 200 16 0 0 0 0 I\n",
    ]
    for header in headers:
        data = make_zip([("r.hea", header), ("r.dat", body)])
        assert unpack(pack(data)) == data
    both = headers[2].replace(b"r.hea", b"r.dat")
    twice = make_zip([("a.hea", both), ("b.hea", both), ("r.dat", body)])
    assert find_blocks(twice) == []
    assert unpack(pack(twice)) == twice
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("r.hea", headers[0])
        archive.writestr("r.dat", body)
    assert find_blocks(out.getvalue()) == []
    assert unpack(pack(out.getvalue())) == out.getvalue()


def test_a_packing_of_another_version_is_refused_by_name() -> None:
    """What a later service wrote is not guessed at."""
    packed = bytearray(pack(b"x"))
    packed[7] = 2
    with pytest.raises(Damaged, match="version 1"):
        unpack(bytes(packed))


def test_sizes_that_are_only_announced_make_nothing_large() -> None:
    """A head that announces a petabyte is refused before anything is made."""
    body = struct.pack("<I", 0)
    head = struct.pack("<8sBQI", packing.MAGIC, 2, 2**50, zlib.crc32(body))
    with pytest.raises(Damaged):
        unpack(head + body)
