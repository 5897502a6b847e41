"""The agent before servers that are none, or not well: nothing counts as sent or is lost, the clinic is told why."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from greenchannel.agent.agent import Agent, Options, now
from greenchannel.agent.spool import Spool
from greenchannel.ingest.agent_answers import PROBLEM
from greenchannel.ingest.device_clock import ClockOffset


class Scripted:
    """A server that gives the same answer to everything, and notes what it was asked."""

    def __init__(self) -> None:
        self.answer = b""
        self.asked: list[bytes] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            with near:
                near.settimeout(5)
                held = b""
                while b"\r\n\r\n" not in held:
                    more = near.recv(65536)
                    if not more:
                        break
                    held += more
                self.asked.append(held)
                near.sendall(self.answer)


def http(status: str, kind: str, body: bytes, *more: str) -> bytes:
    """An answer over HTTP."""
    head = [
        f"HTTP/1.1 {status}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *more,
    ]
    return "\r\n".join([*head, "", ""]).encode() + body


@pytest.fixture
def server() -> Iterator[Scripted]:
    """One."""
    one = Scripted()
    yield one
    one.close()


@pytest.fixture
def agent(server: Scripted, tmp_path: Path) -> Iterator[Agent]:
    """An agent with one ECG that waits to be sent."""
    (tmp_path / "token").write_text("secret", encoding="utf-8")
    spool = Spool(tmp_path / "spool", now)
    # The clocks were compared in an earlier life, so the first thing that is asked is to send.
    spool.note_fact("clock", ClockOffset(offset_s=0.0, uncertainty_s=0.1, measured_at=now()))
    options = Options(
        server=f"http://127.0.0.1:{server.port}",
        token_file=tmp_path / "token",
        spool=tmp_path / "spool",
        timeout_s=5.0,
    )
    one = Agent(options=options, spool=spool, judge=None)
    spool.add(b"an ECG", name="a.scp", way="folder")
    one.judge_one()
    yield one
    one.stop()


TUS = "Tus-Resumable: 1.0.0"
LINK_TROUBLES = [
    (http("200 OK", "text/html", b"<html>Please sign in</html>"), "captive_portal"),
    (http("302 Found", "text/html", b"", "Location: http://portal.example/login"), "captive_portal"),
    (http("511 Network Authentication Required", "text/html", b"<html>"), "captive_portal"),
    (http("201 Created", "text/plain", b"ok"), "not_our_server"),
    (b"SSH-2.0-OpenSSH_9.2\r\n", "not_our_server"),
    (http("502 Bad Gateway", "text/html", b"<html>nginx</html>"), "busy"),
    (http("401 Unauthorized", PROBLEM, b'{"code": "unauthenticated", "detail": "no"}', TUS), "token_refused"),
    (http("507 Insufficient Storage", PROBLEM, b'{"code": "disk_full", "detail": "full"}', TUS), "disk_full"),
    (http("412 Precondition Failed", PROBLEM, b'{"code": "tus_version", "detail": "x"}', TUS), "protocol"),
    (http("404 Not Found", PROBLEM, b'{"code": "not_found", "detail": "POST /x"}', TUS), "wrong_address"),
    (http("405 Not Allowed", PROBLEM, b'{"code": "method_not_allowed", "detail": "x"}'), "wrong_address"),
    (http("403 Forbidden", PROBLEM, b'{"code": "forbidden", "detail": "no", "zh": "x"}', TUS), "forbidden"),
    (b"", "no_network"),
]


@pytest.mark.parametrize(
    ("answer", "code"), LINK_TROUBLES, ids=lambda one: one if isinstance(one, str) else ""
)
def test_a_trouble_of_the_link_is_told_and_everything_waits(
    server: Scripted, agent: Agent, answer: bytes, code: str
) -> None:
    """The next attempt has a due time; the ECG is as it was."""
    server.answer = answer
    agent.link_once()
    (item,) = agent.spool.items()

    assert agent.link_state.trouble is not None and agent.link_state.trouble.code == code
    assert agent.link_state.trouble.zh and agent.link_state.trouble.en
    assert agent.link_state.due_at is not None and agent.link_state.due_at > now()
    assert item.stage == "waiting" and item.trouble is None
    assert agent.seen()["connected"] is False


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("403 Forbidden", "site_forbidden"),
        ("409 Conflict", "identity_conflict"),
        ("413 Content Too Large", "too_large"),
        ("422 Unprocessable", "why_not"),
    ],
)
def test_a_refusal_of_the_server_is_kept_with_its_words_and_not_tried_again(
    server: Scripted, agent: Agent, status: str, code: str
) -> None:
    """Until a person wants it."""
    body = f'{{"code": "{code}", "detail": "because", "zh": "因为"}}'.encode()
    server.answer = http(status, PROBLEM, body, TUS)
    agent.link_once()
    (item,) = agent.spool.items()
    assert item.stage == "refused" and item.trouble is not None
    assert (item.trouble.code, item.trouble.zh) == (code, "因为")
    assert agent.spool.open_items() == [] and agent.spool.data(item) == b"an ECG"
    agent.send_again(item.number)

    assert agent.spool.items()[0].stage == "waiting"


def test_a_fault_of_the_server_delays_this_ecg_alone(server: Scripted, agent: Agent) -> None:
    """500: the next one is tried at once."""
    server.answer = http("500 Internal Server Error", PROBLEM, b'{"code": "internal", "detail": "x"}', TUS)
    agent.spool.add(b"another", name="b.scp", way="folder")
    agent.judge_one()
    agent.link_once()
    agent.link_once()

    assert [item.failures for item in agent.spool.items()] == [1, 1]
    assert agent.link_state.trouble is None and len(server.asked) == 2


def test_the_token_goes_to_the_server_alone(server: Scripted, agent: Agent) -> None:
    """A redirect is not followed."""
    server.answer = http(
        "307 Temporary", "text/html", b"", f"Location: http://127.0.0.1:{server.port}/elsewhere"
    )
    agent.link_once()

    assert len(server.asked) == 1 and b"POST /api/v1/uploads" in server.asked[0]
