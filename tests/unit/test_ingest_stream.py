"""The live decoder: hello, frames, outcomes, acknowledgement."""

import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from greenchannel.ingest.device_stream import (
    Accepted,
    AckLedger,
    Conflict,
    Ended,
    Gap,
    Refused,
    Repeated,
    StreamState,
    encode_frame,
    parse_hello,
)
from greenchannel.ingest.errors import IngestError

HELLO: dict[str, Any] = {
    "device": "d1",
    "leads": ["I", "ii"],
    "rate_hz": 500,
    "lsb_mv": 0.0025,
    "started_at": "2026-05-01T16:05:00.000+08:00",
    "patient_ref": None,
    "stream_id": "s-1",
    "device_clock": "2026-05-01T16:05:01+08:00",
    "age": 61,
    "sex": "男",
}


def _state(**bounds: float) -> StreamState:
    return StreamState(parse_hello(json.dumps(HELLO)), **bounds)


def _frame(first: int, count: int, flags: int = 0, add: int = 0, sequence: int = 0) -> bytes:
    steps = np.arange(2 * first, 2 * (first + count), dtype=np.int16).reshape(count, 2) + np.int16(add)
    return encode_frame(sequence, first, steps, flags)


def _error(state: StreamState, frame: bytes) -> IngestError:
    (outcome,) = state.receive(frame)
    assert isinstance(outcome, Refused)
    return outcome.error


def test_a_hello_becomes_a_record() -> None:
    """Lead names are put into their wire form; what is null stays unknown."""
    hello = parse_hello(json.dumps(HELLO))
    assert (hello.leads, hello.rate_hz, hello.lsb_mv, hello.stream_id) == (("I", "II"), 500.0, 0.0025, "s-1")
    assert hello.started_at == datetime(2026, 5, 1, 8, 5, tzinfo=UTC)
    assert (hello.patient_ref, hello.fields.age_years, hello.fields.sex) == (None, 61.0, "male")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"leads": []}, "leads"),
        ({"leads": ["I", "Q"]}, "leads"),
        ({"leads": ["I", "i"]}, "leads"),
        ({"leads": "I"}, "leads"),
        ({"rate_hz": "500"}, "rate_hz"),
        ({"rate_hz": True}, "rate_hz"),
        ({"rate_hz": 1e9}, "rate_hz"),
        ({"lsb_mv": 0}, "lsb_mv"),
        ({"lsb_mv": float("nan")}, "lsb_mv"),
        ({"stream_id": None}, "stream_id"),
        ({"stream_id": "a b"}, "stream_id"),
        ({"started_at": "2026-05-01T16:05:00"}, "started_at"),
        ({"device_clock": 5}, "device_clock"),
        ({"age": 200}, "age"),
    ],
)
def test_a_hello_that_is_wrong_is_refused_by_the_name_of_the_field(
    change: dict[str, Any], expected: str
) -> None:
    """The error begins with the field, and says what it takes."""
    with pytest.raises(IngestError) as caught:
        parse_hello(json.dumps(HELLO | change))
    assert caught.value.code in ("bad_hello", "bad_field")
    assert caught.value.expected is not None
    assert caught.value.expected.startswith(expected)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 5000, '"x"' * 50000])
def test_a_hello_that_is_no_json_object_is_refused(text: str) -> None:
    """However deep or long."""
    with pytest.raises(IngestError) as caught:
        parse_hello(text)
    assert caught.value.code == "bad_hello"


def test_frames_are_accepted_repeated_and_put_in_order() -> None:
    """A frame that overlaps what is here adds only what is new."""
    state = _state()
    assert state.receive(_frame(0, 4)) == [Accepted(first=0, stop=4)]
    assert state.receive(_frame(6, 2)) == [Gap(first=4, stop=6, final=False), Accepted(first=6, stop=8)]
    assert state.resume_from == 4
    assert state.receive(_frame(2, 6)) == [
        Repeated(first=2, stop=4),
        Repeated(first=6, stop=8),
        Accepted(first=4, stop=6),
    ]
    assert (state.resume_from, state.high_water) == (8, 8)
    np.testing.assert_array_equal(state.steps(0, 8), np.arange(16).reshape(8, 2).T)


def test_a_repeat_with_other_values_is_a_conflict_and_the_first_is_kept() -> None:
    """Nothing that has been read can change afterwards."""
    state = _state()
    state.receive(_frame(0, 4))
    assert state.receive(_frame(0, 4, add=1)) == [Conflict(first=0, stop=4)]
    assert state.steps(0, 1).tolist() == [[0], [1]]


def test_the_end_comes_only_when_everything_before_it_is_here() -> None:
    """A last frame that overtakes others waits for them."""
    state = _state()
    assert state.receive(_frame(4, 2, flags=1))[-1] == Accepted(first=4, stop=6)
    assert not state.complete
    assert state.receive(_frame(0, 4)) == [Accepted(first=0, stop=4), Ended(stop=6)]
    assert state.complete
    assert state.receive(_frame(4, 2, flags=1)) == [Repeated(first=4, stop=6)]
    assert _error(state, _frame(6, 1)).code == "bad_frame"


def test_a_gap_that_the_device_announces_is_final() -> None:
    """The strip is complete without it; it is drawn as a gap and not asked for again."""
    state = _state()
    state.receive(_frame(0, 2))
    assert state.receive(_frame(5, 1, flags=3)) == [
        Gap(first=2, stop=5, final=True),
        Accepted(first=5, stop=6),
        Ended(stop=6),
    ]
    recording = state.assemble()
    assert recording.gaps == ((2, 5),)
    assert np.isnan(recording.samples_mv[:, 2:5]).all()
    assert recording.started_at == datetime(2026, 5, 1, 8, 5, tzinfo=UTC)


def test_an_empty_last_frame_ends_the_strip() -> None:
    """A device that learns late that it is over sends no samples with the flag."""
    state = _state()
    state.receive(_frame(0, 2))
    assert state.receive(_frame(2, 0, flags=1)) == [Ended(stop=2)]


def test_flags_of_pace_pulses_and_leads_off_are_kept_as_ranges() -> None:
    """A flag tells of a frame, not of a sample, so it marks no sample as a pulse."""
    state = _state()
    state.receive(_frame(0, 2, flags=4))
    state.receive(_frame(2, 2, flags=12))
    assert state.pace_ranges == ((0, 4),)
    assert state.lead_off_ranges == ((2, 4),)
    assert state.assemble().pace_spikes == ()


def test_lying_frames_are_refused_and_change_nothing() -> None:
    """A first sample of four thousand million allocates nothing."""
    state = _state(max_duration_s=10.0, max_hole_s=2.0)
    state.receive(_frame(0, 2))
    for frame in (
        b"",
        _frame(0, 2)[:-1],
        _frame(0, 2) + b"\0",
        _frame(2, 0),
        encode_frame(0, 4_000_000_000, np.zeros((2, 2), dtype=np.int16)),
        encode_frame(0, 1003, np.zeros((2, 2), dtype=np.int16)),
        encode_frame(0, 0, np.zeros((5001, 2), dtype=np.int16)),
        encode_frame(0, 0, np.zeros((1, 2), dtype=np.int16), 1),
    ):
        error = _error(state, frame)
        assert error.code == "bad_frame"
        assert error.expected is not None
    assert (state.high_water, state.end) == (2, None)


def test_a_strip_without_samples_is_no_recording() -> None:
    """Only missing samples, or none."""
    state = _state()
    with pytest.raises(IngestError, match="empty_body"):
        state.assemble()
    state.receive(encode_frame(0, 0, np.full((3, 2), -32768, dtype=np.int16)))
    with pytest.raises(IngestError, match="empty_body"):
        state.assemble()


def test_nothing_is_acknowledged_before_it_is_on_disk() -> None:
    """The ledger gives out a sample only once the position it was written at is durable."""
    ledger = AckLedger()
    ledger.appended(1, 100)
    ledger.appended(2, 250)
    assert ledger.synced(0) == 0
    assert ledger.synced(1) == 100
    ledger.appended(3, 250)
    assert ledger.synced(3) == 250
    assert ledger.acked == 250


def test_a_frame_has_no_flags_unless_they_are_given() -> None:
    """Sequence, first sample, number of samples and flags, little-endian, then the samples one by one."""
    frame = encode_frame(7, 500, np.array([[1, -2], [3, 4]], dtype=np.int16))
    assert frame == bytes.fromhex("07000000 f4010000 0200 0000 0100 feff 0300 0400")
