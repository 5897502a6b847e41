"""Whatever comes in, there is an ECG or an `IngestError`, and nothing else."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file

from greenchannel.ingest.bundle import make_zip
from greenchannel.ingest.device_stream import HEAD, StreamState, parse_hello
from greenchannel.ingest.dicom_ecg_write import write_dicom_ecg
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.fields import UploadFields, parse_fields
from greenchannel.ingest.parsed import ParsedEcg
from greenchannel.ingest.reader import read_ecg
from greenchannel.signal.leads import STANDARD_12
from greenchannel.signal.recording import Recording

_STEPS = np.random.default_rng(1).integers(-900, 900, (12, 40))
_RECORDING = Recording(samples_mv=(_STEPS / 400).astype(np.float32), leads=STANDARD_12, rate_hz=500.0)
_HEADER = "\r\n".join(
    ["r 12 500 40 12:33:59 12/05/2020"]
    + [f"r.dat 212 200(0)/mV 12 0 0 0 0 {lead}" for lead in STANDARD_12]
    + ["#Age: 74", "#Sex: Male", "#electrode_set: right", "#started_at: 2026-05-01T16:05:00+08:00"]
).encode()
_BODY = bytes(range(240)) * 3

DICOM = write_dicom_ecg(_RECORDING, acquired=None, age_years=61.0, sex="male", name="x")
ZIP = make_zip([("r.hea", _HEADER), ("r.dat", _BODY)])
REAL_DICOM = Path(str(get_testdata_file("waveform_ecg.dcm", download=False))).read_bytes()


def _read(files: list[tuple[str | None, bytes]]) -> None:
    try:
        parsed = read_ecg(files)
    except IngestError as error:
        assert len(str(error)) < 1000
        return
    assert isinstance(parsed, ParsedEcg)
    assert not np.isinf(parsed.recording.samples_mv).any()


@st.composite
def flipped(draw: st.DrawFn, data: bytes, most: int) -> bytes:
    """`data` with up to four of its first `most` bytes changed."""
    spoilt = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, min(most, len(spoilt)) - 1))
        spoilt[place] = draw(st.integers(0, 255))
    return bytes(spoilt)


@st.composite
def spoilt_files(draw: st.DrawFn) -> bytes:
    """A valid file, with bytes changed, cut out, put in, or the end cut off."""
    data = draw(st.sampled_from([DICOM, ZIP, REAL_DICOM]))
    # What can break stands in front of the first waveform; behind it are samples, of which any value is right.
    most = 8000 if data is REAL_DICOM else len(data)
    match draw(st.sampled_from(["flip", "cut", "remove", "insert"])):
        case "flip":
            return draw(flipped(data, most))
        case "cut":
            return data[: draw(st.integers(0, most))]
        case "remove":
            place = draw(st.integers(0, most))
            return data[:place] + data[place + draw(st.integers(1, 60)) :]
        case _:
            place = draw(st.integers(0, most))
            return data[:place] + draw(st.binary(min_size=1, max_size=30)) + data[place:]


@settings(max_examples=200)
@given(spoilt_files())
def test_a_spoilt_file_is_an_ecg_or_an_ingest_error(data: bytes) -> None:
    """Bits flipped, bytes missing or too many, anywhere in DICOM and zip files."""
    _read([("file", data)])


@given(
    st.binary(max_size=400), st.sampled_from([b"", bytes(128) + b"DICM", b"PK\x03\x04", b"\x08\x00\x05\x00"])
)
@example(data=b"\xff" * 300, start=bytes(128) + b"DICM")
@example(data=b"UI\xff\xff" * 40, start=b"\x08\x00\x05\x00")
def test_random_bytes_are_an_ingest_error(data: bytes, start: bytes) -> None:
    """Also where they begin as a known format does."""
    _read([(None, start + data)])


@settings(max_examples=100)
@given(flipped(_HEADER, len(_HEADER)))
def test_a_spoilt_header_is_an_ecg_or_an_ingest_error(header: bytes) -> None:
    """Any line of a WFDB header may be spoilt."""
    _read([("r.hea", header), ("r.dat", _BODY)])


_WORDS = st.sampled_from(
    ["r", "r.dat", "12", "0", "-1", "1e308", "212", "16", "999999999999", "500", "2/3", "(", "I", "x"]
)


@given(st.lists(st.lists(_WORDS, min_size=1, max_size=10), max_size=4))
def test_a_header_of_plausible_words_is_an_ecg_or_an_ingest_error(lines: list[list[str]]) -> None:
    """Numbers of any size in any place."""
    _read([("r.hea", "\n".join(" ".join(line) for line in lines).encode()), ("r.dat", _BODY)])


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_FIELDS = st.sampled_from(
    [*UploadFields.__dataclass_fields__, "age", "stream_id", "leads", "rate_hz", "lsb_mv", "started_at"]
)
_HELLO: dict[str, Any] = {"stream_id": "s", "leads": ["I", "II"], "rate_hz": 500, "lsb_mv": 0.0025}


@given(st.dictionaries(_FIELDS, _JSON, max_size=3))
def test_a_hello_of_any_values_is_a_hello_or_an_ingest_error(change: dict[str, Any]) -> None:
    """Any JSON in any field, of the hello and of an upload."""
    for call in (lambda: parse_hello(json.dumps(_HELLO | change)), lambda: parse_fields(change)):
        try:
            call()
        except IngestError as error:
            assert error.code in ("bad_hello", "bad_field")
            assert error.expected


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**32 - 1) | st.integers(0, 50),
            st.integers(0, 20),
            st.integers(0, 65535),
            st.binary(max_size=80),
        ),
        max_size=10,
    )
)
def test_frames_of_any_content_never_raise(frames: list[tuple[int, int, int, bytes]]) -> None:
    """The decoder answers with outcomes, keeps its promises and stays within its bounds."""
    state = StreamState(parse_hello(json.dumps(_HELLO)), max_duration_s=60.0)
    resume = 0
    for first, samples, flags, body in frames:
        state.receive(HEAD.pack(0, first, samples, flags) + body)
        state.receive(HEAD.pack(0, first, samples, flags) + body.ljust(samples * 4, b"\1")[: samples * 4])
        assert state.resume_from <= max(state.high_water, state.end or 0) <= 30_000
        assert state.resume_from >= resume
        resume = state.resume_from
