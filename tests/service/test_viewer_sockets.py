"""`/live` and `/stream` over a real server and real sockets."""

import asyncio
import json
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from greenchannel.alerts import escalation_plan
from greenchannel.signal.recording import Recording
from tests.service.viewer_house import House, beats, ecg_file, house

Story = Callable[[House], Awaitable[None]]
LSB_MV = 0.0025


def tell(story: Story, folder: Path, **settings: Any) -> None:
    async def run() -> None:
        async with house(folder, **settings) as here:
            await asyncio.wait_for(story(here), 40)

    asyncio.run(run())


async def read(socket: ClientConnection) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await asyncio.wait_for(socket.recv(), 10))
    return message


async def until(socket: ClientConnection, kind: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The first message of a type, and all those before it."""
    before: list[dict[str, Any]] = []
    while True:
        message = await read(socket)
        if message.get("type") == kind:
            return message, before
        before.append(message)


async def send_ecg(here: House, device: str = "ecg-1", **more: Any) -> dict[str, Any]:
    answer = await here.http.post("/api/v1/ecgs", content=ecg_file(**more), headers=here.device(device))
    assert answer.status_code == 201, answer.text
    sent: dict[str, Any] = answer.json()
    return sent


async def assert_refused(socket: ClientConnection, code: int, error: str | None = None) -> None:
    """The refusal is said, then the socket closes with its code."""
    problem = (await read(socket))["error"]
    assert {"type", "title", "status", "detail", "code"} <= set(problem)
    if error is not None:
        assert problem["code"] == error
    with pytest.raises(ConnectionClosed):
        await socket.recv()
    assert socket.close_code == code


# ---------------------------------------------------------------- /live


def test_two_readers_of_equal_rights_end_on_the_same_state(tmp_path: Path) -> None:
    """One from the start, one that came late: the rows are equal, to the byte of each value."""

    async def story(here: House) -> None:
        doctor = await here.person("cardiologist")
        async with connect(here.ws("live"), additional_headers=doctor) as early:
            snapshot = await read(early)
            assert (snapshot["type"], snapshot["cases"]) == ("snapshot", [])
            await send_ecg(here, st_mv=0.4)
            await send_ecg(here, seed=2)
            rows: dict[str, Any] = {}
            seqs: list[int] = []
            while not seqs or seqs[-1] < here.desk.hub.seq or len(rows) < 2:
                message = await read(early)
                if message["type"] != "mark":
                    seqs.append(message["seq"])
                    rows[message["case_id"]] = message["row"]
            assert seqs == sorted(set(seqs))
            async with connect(here.ws("live"), additional_headers=doctor) as late:
                assert {row["case_id"]: row for row in (await read(late))["cases"]} == rows

    tell(story, tmp_path)


def test_who_comes_back_gets_what_it_missed_or_the_shorter_snapshot(tmp_path: Path) -> None:
    """Fewer missed events than cases: only those. More, or a number that never was: a snapshot."""

    async def story(here: House) -> None:
        for seed in range(3):
            await send_ecg(here, seed=seed)
        doctor = await here.person("cardiologist")
        seq = here.desk.hub.seq
        for after, kind in ((seq, "mark"), (seq - 1, None), (0, "snapshot"), (seq + 99, "snapshot")):
            async with connect(here.ws(f"live?after={after}"), additional_headers=doctor) as socket:
                first = await read(socket)
                if kind is not None:
                    assert first["type"] == kind
                else:
                    assert (first["seq"], (await read(socket))["type"]) == (seq, "mark")

    tell(story, tmp_path)


def test_a_clinic_hears_of_its_own_patients_and_marks_say_how_far_it_is(tmp_path: Path) -> None:
    """Events of other sites are passed over; the next mark covers them."""

    async def story(here: House) -> None:
        village = await here.person("village")
        async with connect(here.ws("live"), additional_headers=village) as socket:
            await read(socket)
            await send_ecg(here, "ecg-2")
            seq = here.desk.hub.seq
            mark, before = await until(socket, "mark")
            while mark["seq"] < seq:
                mark, more = await until(socket, "mark")
                before += more
            assert [message["type"] for message in before] == []
            sent = await send_ecg(here, "ecg-1", seed=3)
            message, _ = await until(socket, "ecg_received")
            assert message["case_id"] == sent["case_id"] and message["row"]["site"]["id"] == "yinzhao"

    tell(story, tmp_path)


def test_a_board_that_shows_an_alert_says_so_and_the_row_knows(tmp_path: Path) -> None:
    """`delivered` becomes an event once, however often the page says it."""

    async def story(here: House) -> None:
        doctor = await here.person("cardiologist")
        async with connect(here.ws("live"), additional_headers=doctor) as socket:
            await read(socket)
            await send_ecg(here, st_mv=0.4)
            opened, _ = await until(socket, "alert_opened")
            alert_id = opened["row"]["alert"]["alert_id"]
            await until(socket, "alert_sent")
            for _ in range(3):
                await socket.send(json.dumps({"type": "delivered", "alert_id": alert_id}))
            delivered, _ = await until(socket, "alert_delivered")
            assert delivered["row"]["alert"]["people"][0]["delivered_at"] is not None
            await socket.send(json.dumps({"type": "ping"}))
            _, before = await until(socket, "mark")
            assert "alert_delivered" not in [message["type"] for message in before]

    tell(story, tmp_path)


def test_a_person_who_has_the_case_on_the_screen_has_seen_the_alert(tmp_path: Path) -> None:
    """`seen` says that it was delivered, too; who was not rung has seen nothing."""

    async def story(here: House) -> None:
        doctor, other = await here.person("cardiologist"), await here.person("quality")
        async with (
            connect(here.ws("live"), additional_headers=doctor) as socket,
            connect(here.ws("live"), additional_headers=other) as bystander,
        ):
            await read(socket)
            await send_ecg(here, st_mv=0.4)
            sent, _ = await until(socket, "alert_sent")
            said = json.dumps({"type": "seen", "alert_id": sent["row"]["alert"]["alert_id"]})
            await bystander.send(said)
            for _ in range(3):
                await socket.send(said)
            seen, before = await until(socket, "alert_seen")
            person = seen["row"]["alert"]["people"][0]
            assert person["seen_at"] is not None and person["delivered_at"] is not None
            assert "alert_delivered" in [message["type"] for message in before]
            assert seen["actor"] == "user:cardiologist"
            await socket.send(json.dumps({"type": "ping"}))
            _, after = await until(socket, "mark")
            assert "alert_seen" not in [message["type"] for message in after]

    tell(story, tmp_path)


def test_a_board_that_stays_open_says_each_round_of_an_alert_anew(tmp_path: Path) -> None:
    """An alert that comes back, as nothing followed its answer, is told again on the same line."""
    escalation = (Path(escalation_plan.__file__).parent / "escalation.toml").read_text(encoding="utf-8")
    file = tmp_path / "escalation.toml"
    file.write_text(escalation.replace("follow_up_s = 300.0", "follow_up_s = 0.3"), encoding="utf-8")

    async def story(here: House) -> None:
        doctor = await here.person("cardiologist")
        async with connect(here.ws("live"), additional_headers=doctor) as socket:
            await read(socket)
            await send_ecg(here, st_mv=0.4)
            sent, _ = await until(socket, "alert_sent")
            alert_id = sent["row"]["alert"]["alert_id"]
            for number in (1, 2):
                assert sent["row"]["alert"]["round"] == number
                await socket.send(json.dumps({"type": "delivered", "alert_id": alert_id}))
                await until(socket, "alert_delivered")
                if number == 1:
                    path = f"/api/v1/alerts/{alert_id}/ack"
                    assert (await here.http.post(path, headers=doctor)).status_code == 200
                    await until(socket, "alert_rearmed")
                    sent, _ = await until(socket, "alert_sent")

    tell(story, tmp_path / "data", escalation_file=file)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "[]",
        "{",
        '{"type": "unknown"}',
        '{"type": 4}',
        "x" * 5000,
        b"\x00\x01",
        '{"type":"watch","ecg_id":"e_no"}',
    ],
)
def test_a_page_that_talks_nonsense_is_told_and_let_go(tmp_path: Path, said: str | bytes) -> None:
    """The problem is sent before the close."""

    async def story(here: House) -> None:
        doctor = await here.person("cardiologist")
        async with connect(here.ws("live"), additional_headers=doctor) as socket:
            await read(socket)
            await socket.send(said)
            await assert_refused(socket, 4400)

    tell(story, tmp_path, mark_every_s=30.0)


def test_no_socket_without_a_credential_or_from_a_foreign_page(tmp_path: Path) -> None:
    """4401 without a right token or session, 4403 with a session but from elsewhere, 4400 for a number that is none."""

    async def story(here: House) -> None:
        doctor = await here.person("cardiologist")
        foreign = {**doctor, "Origin": "http://evil.example"}
        cases: list[tuple[str, dict[str, str], int]] = [
            ("live", {}, 4401),
            ("live", {"Authorization": "Bearer wrong"}, 4401),
            ("live", foreign, 4403),
            ("live", {"Cookie": doctor["Cookie"]}, 4403),
            ("live?after=x", doctor, 4400),
            ("stream", {}, 4401),
            ("stream", {"Authorization": "Bearer wrong"}, 4401),
            ("stream", foreign, 4403),
            ("stream", doctor, 4403),
            ("nothing", doctor, 4400),
        ]
        for path, headers, code in cases:
            async with connect(here.ws(path), additional_headers=headers) as socket:
                await assert_refused(socket, code)
        assert here.desk.hub.seq == here.seq

    tell(story, tmp_path)


def test_signing_out_ends_the_lines_of_that_session_at_once_and_of_no_other(tmp_path: Path) -> None:
    """Not at the next look a minute later: the page of another who signs in here must not be fed by the one before."""

    async def story(here: House) -> None:
        gone, stays = await here.person("cardiologist"), await here.person("cardiologist")
        async with (
            connect(here.ws("live"), additional_headers=gone) as left,
            connect(here.ws("live"), additional_headers=stays) as kept,
        ):
            await read(left)
            await read(kept)
            answer = await here.http.delete("/api/v1/session", headers=gone)
            assert answer.status_code == 204
            await assert_refused(left, 4401)
            await kept.send('{"type": "ping"}')
            assert (await read(kept))["type"] == "mark"

    tell(story, tmp_path, mark_every_s=30.0)


def test_a_board_that_stops_reading_is_closed_and_holds_nobody_up(tmp_path: Path) -> None:
    """Events go on to the others at once; the slow one is let go above the high mark."""

    async def story(here: House) -> None:
        doctor = await here.person("cardiologist")
        slow = await connect(here.ws("live"), additional_headers=doctor, max_queue=1)
        slow.transport.pause_reading()
        async with connect(here.ws("live"), additional_headers=doctor) as quick:
            await read(quick)
            sent = await send_ecg(here, st_mv=0.4)
            case = here.desk.case(sent["case_id"])
            # The same change over and over: what matters is how many bytes wait. Two listen; then one is left.
            clients = 2
            while clients == 2:
                here.desk.hub._publish([(case.history[-1], case)] * 5)
                for _ in range(5):
                    await read(quick)
                metrics = (await here.http.get("/metrics")).text
                clients = int(float(metrics.partition("\ngreenchannel_live_clients ")[2].split()[0]))
            assert clients == 1
        slow.transport.abort()

    tell(story, tmp_path, live_client_bytes=64 * 1024, mark_every_s=30.0)


# ---------------------------------------------------------------- /stream


def hello(recording: Recording, **more: Any) -> str:
    return json.dumps(
        {"leads": recording.leads, "rate_hz": recording.rate_hz, "lsb_mv": LSB_MV, "stream_id": "s-1", **more}
    )


def frames(recording: Recording, samples: int = 250) -> list[bytes]:
    """The strip as a device cuts it, the last frame marked."""
    steps = np.round(recording.samples_mv / LSB_MV).astype("<i2").T
    cut = range(0, len(steps), samples)
    return [
        struct.pack(
            "<IIHH", i, first, len(steps[first : first + samples]), int(first + samples >= len(steps))
        )
        + steps[first : first + samples].tobytes()
        for i, first in enumerate(cut)
    ]


def test_a_device_streams_and_hears_the_final_reading(tmp_path: Path) -> None:
    """Hello, frames, acknowledgements up to the end, the reading; a page that watches sees the samples."""

    async def story(here: House) -> None:
        strip = beats(st_mv=0.4)
        doctor = await here.person("cardiologist")
        token = here.tokens["ecg-1"]
        async with (
            connect(here.ws("live"), additional_headers=doctor) as board,
            connect(here.ws("stream"), subprotocols=[f"bearer.{token}"]) as device,  # type: ignore[list-item]
        ):
            await read(board)
            await device.send(hello(strip, age=61, sex="male", chest_pain=True))
            answer = await read(device)
            assert answer["resume_from"] == 0
            await until(board, "stream_started")
            await board.send(json.dumps({"type": "watch", "ecg_id": answer["ecg_id"]}))
            await board.send(json.dumps({"type": "ping"}))
            await until(board, "mark")
            for frame in frames(strip):
                await device.send(frame)
            acked, final = 0, None
            while final is None:
                message = await read(device)
                acked = max(acked, message.get("acked", 0))
                if message.get("type") == "analysis" and not message["provisional"]:
                    final = message
            assert acked == strip.samples_mv.shape[1]
            assert final["tier"] == "ACT"
            with pytest.raises(ConnectionClosed):
                while True:
                    await read(device)
            assert device.close_code == 1000
            wave, _ = await until(board, "wave")
            assert wave["leads"] == list(strip.leads) and wave["ecg_id"] == answer["ecg_id"]

    tell(story, tmp_path)


@pytest.mark.parametrize("first", ["", "{", "[]", "{}", '{"leads": ["Q"]}', b"\x00" * 40])
def test_a_hello_that_cannot_be_read_is_refused(tmp_path: Path, first: str | bytes) -> None:
    """4400 with what was expected; no case is opened."""

    async def story(here: House) -> None:
        async with connect(here.ws("stream"), additional_headers=here.device()) as device:
            await device.send(first)
            await assert_refused(device, 4400, "bad_hello")
        assert here.desk.cases() == []

    tell(story, tmp_path)


@pytest.mark.parametrize("frame", ["text", b"", b"\x01\x02\x03", bytes(range(256)) * 8, bytes(300_000)])
def test_a_frame_that_cannot_be_read_is_refused(tmp_path: Path, frame: str | bytes) -> None:
    """4400, and the stream waits for the device to come back."""

    async def story(here: House) -> None:
        async with connect(here.ws("stream"), additional_headers=here.device()) as device:
            await device.send(hello(beats()))
            assert (await read(device))["resume_from"] == 0
            await device.send(frame)
            while "error" not in (message := await read(device)):
                pass
            assert message["error"]["code"] == "bad_frame"
            with pytest.raises(ConnectionClosed):
                await read(device)
            assert device.close_code == 4400

    tell(story, tmp_path)


def test_the_page_is_served_beside_the_sockets(tmp_path: Path) -> None:
    """One process, one port."""

    async def story(here: House) -> None:
        async with httpx.AsyncClient(base_url=here.origin) as http:
            assert (await http.get("/")).headers["content-type"].startswith("text/html")

    tell(story, tmp_path)


def test_the_server_has_the_short_way_for_boards(tmp_path: Path) -> None:
    """A board that keeps up is written to directly; a server that no longer allows it would be slow in silence."""

    async def story(here: House) -> None:
        doctor = await here.person("cardiologist")
        async with connect(here.ws("live"), additional_headers=doctor) as board:
            await read(board)
            front = here.desk.hub._listeners[-1].__self__  # type: ignore[attr-defined]
            (client,) = (client for group in front._clients.values() for client in group)
            assert client.write_frame is not None
            written: list[bytes] = []
            way = client.write_frame

            def write(frame: bytes) -> bool:
                written.append(frame)
                return bool(way(frame))

            client.write_frame = write
            await until(board, "mark")
            assert written

    tell(story, tmp_path)
