"""Streamed equals whole: however a strip is cut, repeated, disordered and resumed, its analysis is that of the file."""

import copy
import functools
import json
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from greenchannel.county.devices import LSB_MV
from greenchannel.ingest.device_hello import Hello
from greenchannel.ingest.device_stream import LAST, Refused, StreamState, encode_frame, parse_hello
from greenchannel.ingest.reader import read_ecg
from greenchannel.ingest.scaling import int16_to_mv
from greenchannel.ingest.wfdb_write import write_wfdb_zip
from greenchannel.signal.leads import STANDARD_12, STANDARD_18
from greenchannel.signal.recording import Recording
from greenchannel.signal.synthesis import synthesize
from greenchannel.triage.finding import Patient
from greenchannel.triage.interpretation import interpret, to_json
from tests.county_actors import hello

Steps = NDArray[np.int16]
PATIENT = Patient(age_years=61.0, sex="male", chest_pain=True)
SCENARIOS = (
    ("extensive_anterior_high_lateral_stemi", STANDARD_12),
    ("inferior_posterior_rv_stemi", STANDARD_18),
    ("ventricular_ectopics", STANDARD_12),
)
SMALLEST_FRAME = 12 + 12 * 2  # bytes: its head, and one sample of twelve leads


@functools.cache
def strip(which: int) -> tuple[Hello, Steps, Recording, dict[str, Any]]:
    """A strip in whole steps of the device, the recording of its file, and the file's analysis."""
    scenario, leads = SCENARIOS[which]
    exact = synthesize(scenario=scenario, seed=40 + which, leads=leads, noise_mv=0.006, duration_s=6.0)
    steps: Steps = np.round(exact.samples_mv.astype(np.float64) / LSB_MV).astype(np.int16)
    whole = Recording(
        samples_mv=int16_to_mv(steps, LSB_MV),
        leads=exact.leads,
        rate_hz=exact.rate_hz,
        electrode_set=exact.electrode_set,
    )
    file = write_wfdb_zip(whole, lsb_mv=LSB_MV, age_years=61.0, sex="male", acquired=None)
    read = read_ecg([(None, file)]).recording
    facts = hello(exact, "law") | {"device": "ecg-1"}
    return parse_hello(json.dumps(facts)), steps, read, analysis(read)


def analysis(recording: Recording) -> dict[str, Any]:
    """The whole analyze object but where it came from."""
    got = to_json(interpret(recording, PATIENT), source=None, sha256=None)
    return {key: value for key, value in got.items() if key not in ("source", "sha256")}


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[int, list[list[bytes]]]:
    """A strip's number, and the frames that come over each connection."""
    which = draw(st.integers(0, len(SCENARIOS) - 1))
    _, steps, _, _ = strip(which)
    total = steps.shape[1]
    inner = draw(st.sets(st.integers(1, total - 1), max_size=25))
    cuts = [0, *sorted(inner), total]
    frames = [
        encode_frame(number, a, steps[:, a:b].T, LAST if b == total else 0)
        for number, (a, b) in enumerate(pairwise(cuts))
    ]
    return which, draw(_connections(frames))


@st.composite
def _connections(draw: st.DrawFn, frames: list[bytes]) -> list[list[bytes]]:
    """Each connection sends some run of frames, a short one in any order; the last sends all, a few twice."""
    connections = []
    for _ in range(draw(st.integers(0, 4))):
        first = draw(st.integers(0, len(frames) - 1))
        sent = frames[first : first + draw(st.integers(1, len(frames)))]
        connections.append(draw(st.permutations(sent)) if len(sent) <= 6 else sent)
    last = list(frames)
    for at in draw(st.lists(st.integers(0, len(frames) - 1), max_size=5)):
        last.insert(at, frames[draw(st.integers(0, len(frames) - 1))])
    return [*connections, last]


@given(delivery=deliveries(), torn=st.integers(0, SMALLEST_FRAME - 1))
def test_a_stream_has_the_analysis_of_its_file(delivery: tuple[int, list[list[bytes]]], torn: int) -> None:
    """The assembled strip is the file's recording to the last bit, and every number of the analysis is the same."""
    which, connections = delivery
    said, _, read, wanted = strip(which)
    state = StreamState(said)
    for frames in connections:
        for frame in frames:
            assert not any(isinstance(outcome, Refused) for outcome in state.receive(frame))
        (outcome,) = state.receive(frames[0][:torn])  # half a frame, as no socket should give it: no change
        assert isinstance(outcome, Refused)
        state = copy.deepcopy(state)  # the decoder's state is a value
    assert state.complete
    assembled = state.assemble()
    assert assembled.leads == read.leads and assembled.rate_hz == read.rate_hz
    assert assembled.electrode_set == read.electrode_set and assembled.gaps == read.gaps
    np.testing.assert_array_equal(assembled.samples_mv, read.samples_mv)
    assert analysis(assembled) == wanted
