"""Hellos, frames and messages of pages that cannot be taken: a reason, a close, and nothing has changed."""

import json
import string
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from greenchannel.county import devices
from tests.county_actors import hello
from tests.service.bad_place import NOISE, Place, closed

pytestmark = pytest.mark.usefixtures("undisturbed")

STRIP: Final = devices.simulated("baseline_sinus", seed=5)
HELLO: Final = {
    key: value for key, value in hello(STRIP, "s").items() if key not in ("device", "patient_ref")
}


def typed(*changes: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """Changes of a hello, of whatever types."""
    return changes


BAD_HELLOS: Final[tuple[Any, ...]] = (
    "",
    "{",
    json.dumps(HELLO)[:50],
    "[]",
    "null",
    "7",
    "[" * 60_000,
    NOISE,
    b"",
    bytes(200_000),
    {"stream_id": "s"},
    *(
        HELLO | change
        for change in typed(
            {"leads": []},
            {"leads": ["Q"]},
            {"leads": "I"},
            {"leads": ["I", "I"]},
            {"leads": ["I"] * 100_000},
            {"rate_hz": 0},
            {"rate_hz": -500},
            {"rate_hz": "fast"},
            {"rate_hz": 1e12},
            {"lsb_mv": 0},
            {"lsb_mv": None},
            {"stream_id": ""},
            {"stream_id": 5},
            {"stream_id": "x" * 5000},
            {"started_at": "2026-03-02T16:05:00"},
            {"device_clock": "noon"},
            {"age": "old"},
            {"electrode_set": "on the back"},
        )
    ),
)


@pytest.mark.parametrize("number", range(len(BAD_HELLOS)))
def test_a_hello_that_cannot_be_taken_is_refused(place: Place, number: int) -> None:
    """4400, and no case was opened for it."""
    seq, bad = place.seq(), BAD_HELLOS[number]
    with place.socket("/stream", place.device()) as device:
        device.send(json.dumps(bad) if isinstance(bad, dict) else bad)
        closed(device, 4400)
    assert place.seq() == seq


def test_a_stream_for_somebody_else_is_refused(place: Place) -> None:
    """Another device's name, another site, another site's case, a case that is not there, another patient's."""
    seq = place.seq()
    strangers: tuple[tuple[dict[str, str], int, str], ...] = (
        ({"device": "ecg-jishi"}, 4403, "device_forbidden"),
        ({"site": "jishi"}, 4403, "site_forbidden"),
        ({"case_id": place.other_case}, 4400, "not_found"),
        ({"case_id": "c_none"}, 4400, "not_found"),
        ({"case_id": place.case, "patient_ref": "somebody-else"}, 4409, "identity_conflict"),
    )
    for change, code, error in strangers:
        with place.socket("/stream", place.device()) as device:
            device.send(json.dumps(HELLO | {"stream_id": "stranger"} | change))
            closed(device, code, error)
    assert place.seq() == seq


def test_a_frame_that_cannot_be_taken_ends_the_connection_and_not_the_stream(place: Place) -> None:
    """Of another length, another device, beyond the end, too large, text: refused, and the next connection goes on."""
    frames = devices.as_frames(STRIP)
    others = devices.as_frames(devices.simulated("baseline_sinus", seed=6, leads=18))
    seq = None
    bad: tuple[tuple[str | bytes, tuple[int, ...]], ...] = (
        ("text", (4400,)),
        (b"", (4400,)),
        (b"\x01\x02", (4400,)),
        (frames[0][:-1], (4400,)),
        (frames[0] + b"\x00", (4400,)),
        (others[0], (4400,)),
        (NOISE, (4400,)),
        (frames[0][:4] + b"\xff\xff\xff\xff" + frames[0][8:], (4400,)),
        (frames[0][:8] + b"\xff\xff" + frames[0][10:], (4400,)),
        (bytes(300_000), (4400,)),
        # Beyond what any message may be: the socket itself refuses, and its word may be lost in the reset of the line.
        (bytes(2 * 2**20), (1009, 1006)),
    )
    for frame, codes in bad:
        with place.socket("/stream", place.device()) as device:
            device.send(json.dumps(HELLO | {"stream_id": "frames"}))
            assert json.loads(device.recv(timeout=20))["resume_from"] == 0
            seq = place.seq() if seq is None else seq
            if codes == (4400,):
                device.send(frame)
                closed(device, 4400, "bad_frame")
            else:
                with pytest.raises(ConnectionClosed):
                    device.send(frame)  # the refusal may come before the last byte has left
                    while True:
                        device.recv(timeout=20)
                assert device.protocol.close_code in codes
        assert place.seq() == seq


SOCKETS: Final = ("/stream", "/live", "/live?after=3", "/nothing")


@pytest.mark.parametrize("path", SOCKETS)
def test_no_socket_without_the_right_credential(place: Place, path: str) -> None:
    """4401 for none, a wrong one and a disabled device; 4403 from a foreign page; a number that is none is 4400."""
    seq = place.seq()
    strangers: list[tuple[dict[str, str], int]] = [
        ({}, 4401),
        ({"Authorization": "Bearer wrong"}, 4401),
        ({"Authorization": f"Bearer {place.off}"}, 4401),
        ({**place.wang, "Origin": "http://evil.example"}, 4403),
        ({"Cookie": place.wang["Cookie"]}, 4403),
    ]
    for headers, code in strangers:
        with place.socket(path, headers) as stranger:
            closed(stranger, 4400 if path == "/nothing" else code)
    assert place.seq() == seq


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "9" * 30, "%00"])
def test_a_place_in_the_log_that_is_none_is_refused(place: Place, after: str) -> None:
    """Only a whole number says where a board was."""
    with place.socket(f"/live?after={after}", place.chen) as board:
        closed(board, 4400)


LIVE_NONSENSE: Final[tuple[str | bytes, ...]] = (
    "",
    "{",
    "[]",
    "null",
    "[" * 4000,
    "x" * 100_000,
    NOISE,
    b"",
    '{"type": 5}',
    '{"type": "shout"}',
    '{"type": "delivered"}',
    '{"type": "delivered", "alert_id": "a_none"}',
    '{"type": "delivered", "alert_id": ["a"]}',
    '{"type": "watch", "ecg_id": "e_none"}',
    '{"type": "watch", "ecg_id": {}}',
)


@pytest.mark.parametrize("number", range(len(LIVE_NONSENSE)))
def test_a_page_that_talks_nonsense_is_let_go(place: Place, number: int) -> None:
    """With the reason before the close."""
    seq = place.seq()
    with place.socket("/live", place.chen) as board:
        board.send(LIVE_NONSENSE[number])
        closed(board, 4400)
    assert place.seq() == seq


def test_a_clinic_may_not_watch_or_answer_for_another_one(place: Place) -> None:
    """What is another site's is not there, on `/live` as elsewhere."""
    seq = place.seq()
    with place.socket("/live", place.wang) as board:
        board.send(json.dumps({"type": "watch", "ecg_id": place.other_ecg}))
        closed(board, 4400, "not_found")
    assert place.seq() == seq


@given(frame=st.binary(max_size=400))
def test_whatever_frame_comes_is_refused_or_taken(place: Place, frame: bytes) -> None:
    """The socket ends with a problem, or the frame was one of its stream."""
    with place.socket("/stream", place.device()) as device:
        device.send(json.dumps(HELLO | {"stream_id": "fuzz"}))
        assert "resume_from" in json.loads(device.recv(timeout=20))
        device.send(frame)
        while True:
            message = json.loads(device.recv(timeout=20))
            if "error" in message or "acked" in message:
                break
    assert message.get("error", {"code": "bad_frame"})["code"] == "bad_frame"


@given(text=st.text(string.printable, max_size=300))
def test_whatever_hello_comes_is_refused(place: Place, text: str) -> None:
    """No stream begins by chance."""
    seq = place.seq()
    with place.socket("/stream", place.device()) as device:
        device.send(text)
        closed(device, 4400)
    assert place.seq() == seq
