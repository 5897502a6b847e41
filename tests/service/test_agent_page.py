"""The agent's local page answers this computer's own browser alone, and shows what is so."""

import contextlib
import http.client
import io
import json
import socket
import wave
from collections.abc import Iterator
from typing import Any

import pytest

from greenchannel.agent.page import Page
from greenchannel.agent.screen import rendered
from greenchannel.agent.view import STEPS
from tests.agent_items import offline, shown


class Asked:
    """An agent that notes what a person asked of it."""

    def __init__(self) -> None:
        self.acts: list[tuple[str, int]] = []

    def seen(self) -> dict[str, Any]:
        return shown()

    def send_again(self, number: int) -> None:
        if number != 3:
            raise KeyError(number)
        self.acts.append(("again", number))

    def put_aside(self, number: int) -> None:
        self.acts.append(("aside", number))

    def advice_heard(self, number: int) -> None:
        self.acts.append(("heard", number))

    def try_now(self) -> None:
        self.acts.append(("now", 0))


@pytest.fixture
def agent() -> Asked:
    """One."""
    return Asked()


@pytest.fixture
def page(agent: Asked) -> Iterator[Page]:
    """Its page on a free port."""
    one = Page(agent, 0)
    yield one
    one.close()


def ask(page: Page, method: str, path: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    """One request; `host` names whom it asks."""
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=10)
    try:
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", headers.pop("host", f"127.0.0.1:{page.port}"))
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read(), dict(answer.getheaders())
    finally:
        connection.close()


OWN = {"X_Greenchannel_Agent": "1"}


def test_the_page_and_all_its_parts_come_from_here(page: Page) -> None:
    """Nothing is asked of any other address, and the browser is told to allow nothing else."""
    status, body, headers = ask(page, "GET", "/")
    assert status == 200 and b"/page.js" in body
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    for path in ("/page.js", "/page.css"):
        assert ask(page, "GET", path)[0] == 200
        assert (
            b"http" + b"://" not in ask(page, "GET", path)[1] and b"https:" not in ask(page, "GET", path)[1]
        )
    with wave.open(io.BytesIO(ask(page, "GET", "/bell.wav")[1])) as bell:
        assert 0.5 < bell.getnframes() / bell.getframerate() < 2


def test_the_script_is_one_that_old_browsers_understand(page: Page) -> None:
    """No arrow functions, templates, const, let, fetch, promises."""
    script = ask(page, "GET", "/page.js")[1].decode()

    for new in ("=>", "`", "const ", "let ", "fetch(", "Promise", "async ", "class ", "..."):
        assert new not in script, new


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "10.0.0.5:{port}"]
)
def test_a_name_that_is_made_to_lead_here_is_turned_away(page: Page, agent: Asked, host: str) -> None:
    """DNS rebinding: the browser asks us under a foreign page's name."""
    host = host.format(port=page.port)

    assert ask(page, "GET", "/state", host=host)[0] == 403
    assert ask(page, "POST", "/now", host=host, **OWN)[0] == 403
    assert agent.acts == []


def test_localhost_is_this_computer_too(page: Page) -> None:
    """People type it."""
    assert ask(page, "GET", "/state", host=f"localhost:{page.port}")[0] == 200


def test_a_foreign_page_can_change_nothing(page: Page, agent: Asked) -> None:
    """Without the header that no foreign page may set, or with its own origin."""
    foreign = {"Origin": "https://evil.example"}
    assert ask(page, "POST", "/again?number=3")[0] == 403
    assert ask(page, "POST", "/again?number=3", **OWN, **foreign)[0] == 403
    assert agent.acts == []
    own = {"Origin": f"http://127.0.0.1:{page.port}"}

    assert ask(page, "POST", "/again?number=3", **OWN, **own)[0] == 200
    assert ask(page, "POST", "/heard?number=1", **OWN)[0] == 200
    assert ask(page, "POST", "/now", **OWN)[0] == 200
    assert ask(page, "POST", "/aside?number=3", **OWN)[0] == 200
    assert ask(page, "POST", "/again?number=99", **OWN)[0] == 404
    assert agent.acts == [("again", 3), ("heard", 1), ("now", 0), ("aside", 3)]


def test_what_is_shown_is_what_is_known(page: Page) -> None:
    """Advice that nobody has answered first, the refused file with the server's reason, unknown states as null."""
    state = json.loads(ask(page, "GET", "/state")[1])
    first, second = state["ecgs"][:2]

    assert state["unheard"] == [1] and first["advice"].startswith("平卧吸氧")
    assert (
        first["tier_zh"].startswith("医生诊断")
        and [one["at"] is not None for one in first["steps"]] == [True] * 6
    )
    assert second["again"] and second["trouble"]["code"] == "unknown_format" and second["tier_zh"] == ""
    sending = next(one for one in state["ecgs"] if one["number"] == 4)
    assert sending["percent"] == 42 and "未审核" in sending["tier_zh"]
    assert {one["at"] for one in sending["steps"]} == {None}
    late = {one["number"]: one["late"] for one in state["ecgs"]}
    assert [number for number, words in late.items() if words] == [2]
    assert late[2]["zh"].startswith("附带信息") and "came after it was sent" in late[2]["en"]
    assert b"ecg.late" in ask(page, "GET", "/page.js")[1]
    assert (state["waiting"], state["taken"], state["refused"]) == (2, 2, 1)


def test_the_terminal_says_the_same() -> None:
    """Every state, the advice, and why there is no connection, in both languages."""
    from rich.console import Console

    console = Console(width=140, record=True, file=io.StringIO())
    console.print(rendered(offline()))
    text = console.export_text()

    assert all(step.zh in text and step.en in text for step in STEPS[:-1])
    assert "平卧吸氧" in text and "captive" not in text and "网络登录页" in text and "sign-in page" in text
    assert "not accepted 1" in text
    assert "附带信息在发送之后才到" in text and "came after it was sent" in text


def test_a_full_disk_is_told(page: Page) -> None:
    """On the terminal and on the page, in both languages, with the system's own words."""
    from rich.console import Console

    seen = shown(disk_trouble="database or disk is full")
    console = Console(width=400, record=True, file=io.StringIO())
    console.print(rendered(seen))
    text = console.export_text()

    assert seen["disk_trouble"]["zh"].startswith("本机磁盘写不进去")
    assert all(seen["disk_trouble"][key] in text for key in ("en", "more"))
    assert b"state.disk_trouble" in ask(page, "GET", "/page.js")[1]


def test_what_stands_in_a_body_is_never_taken_for_a_request(page: Page, agent: Asked) -> None:
    """A foreign page may post any text here; refused or not, the connection ends with it."""
    own = f"Host: 127.0.0.1:{page.port}\r\nX-Greenchannel-Agent: 1\r\n"
    inner = f"POST /aside?number=3 HTTP/1.1\r\n{own}Content-Length: 0\r\n\r\n"
    for method, origin in (("POST", "https://evil.example"), ("GET", "https://evil.example"), ("PUT", "x")):
        head = f"{method} / HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\nOrigin: {origin}\r\n"
        text = f"{head}Content-Length: {len(inner)}\r\n\r\n{inner}{inner}"
        with socket.create_connection(("127.0.0.1", page.port), timeout=10) as line:
            line.sendall(text.encode())
            line.shutdown(socket.SHUT_WR)
            answers = b""
            with contextlib.suppress(ConnectionError):
                while more := line.recv(4096):
                    answers += more
        assert answers.count(b"HTTP/1.1 ") + answers.count(b"HTTP/1.0 ") <= 1
    assert agent.acts == []
