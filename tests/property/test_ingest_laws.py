"""Laws of the way in: streamed equals whole, and what is written is what is read."""

import io
import itertools
import json
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from greenchannel.ingest.device_stream import (
    GAP_BEFORE,
    LAST,
    AckLedger,
    Conflict,
    Ended,
    Refused,
    StreamState,
    encode_frame,
    parse_hello,
)
from greenchannel.ingest.dicom_ecg_write import write_dicom_ecg
from greenchannel.ingest.ranges import RangeSet
from greenchannel.ingest.reader import read_ecg
from greenchannel.ingest.scaling import MISSING, int16_to_mv, mv_to_int16, ranges_without_samples
from greenchannel.ingest.segments import Kind, SegmentWriter, read_all
from greenchannel.ingest.wfdb_write import write_wfdb_zip
from greenchannel.signal.leads import STANDARD_12, STANDARD_18
from greenchannel.signal.recording import Recording

LEADS = st.sampled_from([("II",), ("I", "V4R", "V9"), STANDARD_12, STANDARD_18])
STEPS_MV = st.sampled_from([0.0025, 0.00488, 0.001, 0.005, 0.01, 1 / 3])


@st.composite
def strips(draw: st.DrawFn) -> NDArray[np.int16]:
    """Raw samples ``(samples, leads)`` of any value, some missing, at least one there."""
    leads, samples = len(draw(LEADS)), draw(st.integers(1, 120))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    strip = rng.integers(-32767, 32768, (samples, leads)).astype(np.int16)
    for _ in range(draw(st.integers(0, 2))):
        start = draw(st.integers(0, samples))
        strip[start : start + draw(st.integers(0, 10)), : draw(st.integers(1, leads))] = MISSING
    strip[draw(st.integers(0, samples - 1)), 0] = 17
    return strip


def _leads(count: int) -> tuple[str, ...]:
    return STANDARD_18[:count]


def _state(count: int, lsb_mv: float) -> StreamState:
    hello = {
        "device": None, "leads": _leads(count), "rate_hz": 500, "lsb_mv": lsb_mv, "stream_id": "s",
        "started_at": "2026-05-01T16:05:00.125+08:00", "patient_ref": None, "device_clock": None,
    }  # fmt: skip
    return StreamState(parse_hello(json.dumps(hello)))


def assert_same_recording(left: Recording, right: Recording) -> None:
    """Equal to the last bit, NaN included."""
    assert left.samples_mv.tobytes() == right.samples_mv.tobytes()
    assert (left.leads, left.rate_hz, left.started_at, left.gaps, left.electrode_set) == (
        right.leads, right.rate_hz, right.started_at, right.gaps, right.electrode_set,
    )  # fmt: skip


@st.composite
def cuts(draw: st.DrawFn, samples: int) -> list[tuple[int, int]]:
    """Ranges that cover everything, overlapping now and then."""
    borders = sorted({0, samples, *draw(st.lists(st.integers(1, samples), max_size=12))})
    pieces = list(itertools.pairwise(borders))
    extra = draw(st.lists(st.tuples(st.integers(0, samples), st.integers(0, samples)), max_size=5))
    return pieces + [(min(a, b), max(a, b)) for a, b in extra if a != b]


@given(data=st.data(), strip=strips(), lsb_mv=STEPS_MV)
def test_any_cutting_order_and_repetition_gives_the_recording_of_the_whole(
    data: st.DataObject, strip: NDArray[np.int16], lsb_mv: float
) -> None:
    """Frames cut anywhere, shuffled, overlapping and repeated assemble to the same bits as one single frame."""
    samples, count = strip.shape
    whole = _state(count, lsb_mv)
    assert whole.receive(encode_frame(0, 0, strip, LAST))[-1] == Ended(stop=samples)
    pieces = data.draw(st.permutations(data.draw(cuts(samples))))
    repeats = data.draw(st.lists(st.sampled_from(pieces), max_size=4))
    state = _state(count, lsb_mv)
    ended = 0
    for number, (first, stop) in enumerate([*pieces, *repeats]):
        flags = LAST if stop == samples else 0
        outcomes = state.receive(encode_frame(number, first, strip[first:stop], flags))
        assert not any(isinstance(o, Refused | Conflict) for o in outcomes)
        ended += sum(isinstance(o, Ended) for o in outcomes)
    assert ended == 1
    assert_same_recording(state.assemble(), whole.assemble())


_LINKS = st.lists(
    st.lists(st.tuples(st.integers(1, 40), st.booleans(), st.booleans()), max_size=6), max_size=4
)
"""Connections; in each, frames of so many samples, whether the frame is lost, whether a sync follows."""


@given(strip=strips(), links=_LINKS)
def test_a_device_that_resumes_where_it_is_told_loses_nothing(
    strip: NDArray[np.int16], links: list[list[tuple[int, bool, bool]]]
) -> None:
    """Frames are lost, the service is killed and reads its segments back; what was acknowledged is never asked for."""
    samples, count = strip.shape
    whole = _state(count, 0.0025)
    whole.receive(encode_frame(0, 0, strip, LAST))
    rest = [(samples, False, True)]  # the last connection holds
    with tempfile.TemporaryDirectory() as folder:
        acked = 0
        for link in [*links, rest]:
            state = _state(count, 0.0025)
            for record in read_all(Path(folder)):
                state.receive(record.payload)
            at = state.resume_from
            assert at >= acked
            writer, ledger = SegmentWriter(Path(folder)), AckLedger(at)
            for size, lost, synced in link:
                stop = min(samples, at + size)
                frame = encode_frame(0, at, strip[at:stop], LAST if stop == samples else 0)
                if not lost and (stop > at or stop == samples):
                    state.receive(frame)
                    ledger.appended(writer.append(Kind.FRAME, "s", frame), state.resume_from)
                if synced:
                    acked = ledger.synced(writer.sync())
                at = stop
            writer._close_file()  # killed: what was not synced is gone
        assert state.complete
        assert acked == samples
        assert_same_recording(state.assemble(), whole.assemble())


@given(strip=strips(), lsb_mv=STEPS_MV, cut=st.integers(1, 119), size=st.integers(1, 60))
def test_an_assembled_stream_is_what_its_stored_archive_reads(
    strip: NDArray[np.int16], lsb_mv: float, cut: int, size: int
) -> None:
    """With an announced gap in it: reading the stored original gives the very recording that was analysed."""
    samples, count = strip.shape
    state = _state(count, lsb_mv)
    stop = min(cut, samples)
    state.receive(encode_frame(0, 0, strip[:stop]))
    state.receive(encode_frame(1, stop + size, strip[:stop], GAP_BEFORE | LAST))
    assert state.complete
    recording = state.assemble() if (strip[:stop] != MISSING).any() else None
    if recording is None:
        return
    stored = write_wfdb_zip(recording, lsb_mv=lsb_mv, age_years=61.0, sex=None, acquired=None)
    parsed = read_ecg([("ecg.zip", stored)])
    assert_same_recording(parsed.recording, recording)
    assert parsed.tolerated == ()


@given(strip=strips(), lsb_mv=STEPS_MV)
def test_steps_survive_the_way_to_millivolts_and_back(strip: NDArray[np.int16], lsb_mv: float) -> None:
    """float32 is wide enough for 16 bits at any step."""
    np.testing.assert_array_equal(mv_to_int16(int16_to_mv(strip, lsb_mv), lsb_mv), strip)


@given(
    strip=strips(),
    rate_hz=st.sampled_from([200.0, 500.0, 512.5, 1000.0]),
    age_years=st.none() | st.integers(2, 130).map(float),
    sex=st.sampled_from(["male", "female", None]),
    minutes=st.integers(-720, 840),
    name=st.sampled_from([None, "王^小明", "Clark"]),
)
def test_a_written_dicom_ecg_reads_back_exactly(
    strip: NDArray[np.int16],
    rate_hz: float,
    age_years: float | None,
    sex: None,
    minutes: int,
    name: str | None,
) -> None:
    """At 2.5 µV a step, samples, missing ones, leads, rate, instant and patient are unchanged."""
    samples_mv = int16_to_mv(np.ascontiguousarray(strip.T), 0.0025)
    start = datetime(2026, 5, 1, 16, 5, 0, 123456, tzinfo=timezone(timedelta(minutes=minutes)))
    recording = Recording(
        samples_mv=samples_mv,
        leads=_leads(strip.shape[1]),
        rate_hz=rate_hz,
        started_at=start,
        gaps=ranges_without_samples(samples_mv),
    )
    parsed = read_ecg(
        [(None, write_dicom_ecg(recording, acquired=start, age_years=age_years, sex=sex, name=name))]
    )
    assert_same_recording(parsed.recording, recording)
    assert (parsed.age_years, parsed.sex, parsed.acquired, parsed.identifiers.get("name")) == (
        age_years,
        sex,
        start,
        name,
    )


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=12),
    st.integers(0, 60),
    st.integers(0, 60),
)
def test_a_range_set_is_a_set(ranges: list[tuple[int, int]], low: int, high: int) -> None:
    """Adding, asking within and asking for what is missing agree with plain sets of numbers."""
    held, plain = RangeSet(), set[int]()
    for start, stop in ranges:
        held.add(start, stop)
        plain |= set(range(start, stop))
    asked = set(range(low, high))
    assert {n for a, b in held.within(low, high) for n in range(a, b)} == plain & asked
    assert {n for a, b in held.missing(low, high) for n in range(a, b)} == asked - plain
    borders = [n for pair in held for n in pair]
    assert borders == sorted(set(borders))
    assert held.stop == max(plain, default=-1) + 1


@settings(max_examples=20)
@given(st.lists(st.binary(max_size=40), min_size=1, max_size=8), st.data())
def test_any_cut_of_a_segment_leaves_a_beginning_of_its_records(
    records: list[bytes], data: st.DataObject
) -> None:
    """Whatever a crash leaves of the file, what is read is a prefix of what was written, unchanged."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        writer = SegmentWriter(folder)
        for record in records:
            writer.append(Kind.FRAME, "s", record)
        writer.close()
        (path,) = folder.iterdir()
        whole = path.read_bytes()
        path.write_bytes(whole[: data.draw(st.integers(0, len(whole)))] + data.draw(st.binary(max_size=20)))
        back = [record.payload for record in read_all(folder)]
        assert back == records[: len(back)]


def test_the_reader_takes_the_archive_as_a_zip_of_two_members() -> None:
    """The stored original opens with any other program."""
    import zipfile

    recording = Recording(samples_mv=np.zeros((1, 3), dtype=np.float32), leads=("I",), rate_hz=500.0)
    stored = write_wfdb_zip(recording, lsb_mv=0.0025, age_years=None, sex=None, acquired=None)
    assert zipfile.ZipFile(io.BytesIO(stored)).namelist() == ["ecg.hea", "ecg.dat"]
