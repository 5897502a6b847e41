"""The agent as a program: what it needs to run, and what it does not."""

import socket
from pathlib import Path

from greenchannel.agent.agent import now
from greenchannel.agent.spool import Spool
from tests.agent_process import AgentProcess, until


def test_a_taken_port_of_the_page_keeps_no_ecg_back(tmp_path: Path) -> None:
    """It is said in both languages that there is no page, and the folder is looked at all the same."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        agent = AgentProcess(
            tmp_path, "http://127.0.0.1:9", "token", "--page-port", port, "--no-judge", "--no-screen"
        )
        agent.start()
        try:
            (agent.watch / "a.dcm").write_bytes(b"an ECG")
            until(lambda: len(agent.items()) == 1, "the ECG in the spool", within_s=30.0)
            assert agent.stop() == 0
        finally:
            agent.close()
    said = agent.log.read_text(encoding="utf-8")
    spool = Spool(agent.spool, now)

    assert f"端口 {port}" in said and f"its port {port} cannot be used" in said
    assert [item.name for item in spool.items()] == ["a.dcm"]
    spool.close()
