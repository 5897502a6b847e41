"""The quality pages over a county that was lived through: every number opens its cases, and every case its times."""

import asyncio
from pathlib import Path
from typing import Any

import httpx

from greenchannel.assembly import build, listen, running
from greenchannel.settings import Settings

USER, PASSWORD = "quality1", "demo-quality1"


def test_numbers_of_a_real_log_open_their_cases_and_cases_their_times(filled_folder: Path) -> None:
    """Counts agree with the lists behind them; the first case of each list has both ends in its own timeline."""

    async def story(http: httpx.AsyncClient) -> None:
        entered = await http.post("/api/v1/session", json={"user": USER, "password": PASSWORD})
        assert entered.status_code == 200, entered.text

        async def ask(path: str) -> Any:
            answer = await http.get(f"/api/v1/{path}")
            assert answer.status_code == 200, (path, answer.text)
            return answer.json()

        told = await ask("quality/overview")
        assert told["frame"]["cases"] > 50
        opened = 0
        for metric in (one for one in told["metrics"] if one["first"]):
            for name, wanted in (("counted", metric["without"]["n"]), ("missing", metric["missing"])):
                listed = await ask(f"quality/cases?metric={metric['id']}&set={name}")
                assert listed["total"] == wanted, (metric["id"], name)
            counted = await ask(f"quality/cases?metric={metric['id']}&set=counted")
            if counted["cases"] and metric["statistic"] != "share":
                page = await ask(f"cases/{counted['cases'][0]['case_id']}")
                known = {one["id"] for one in page["timeline"]["milestones"] if one["values"]}
                assert {metric["from"]["id"], metric["to"]["id"]} <= known
                opened += 1
        assert opened >= 4
        for page_name in ("groups", "delays", "charts", "loop", "gaps"):
            await ask(f"quality/{page_name}")
        gaps = (await ask("quality/gaps"))["gaps"]
        form = await ask(f"quality/form/{gaps[0]['case_id']}")
        fields = {one["id"]: one for section in form["sections"] for one in section["fields"]}
        assert fields[gaps[0]["field"]["id"]]["value"] is None

    async def run() -> None:
        desk = build(Settings(data_dir=filled_folder, port=0, reading_process=False))
        sock = listen(desk.settings)
        base = f"http://127.0.0.1:{sock.getsockname()[1]}"
        async with running(desk, sock), httpx.AsyncClient(base_url=base, timeout=60.0) as http:
            await story(http)

    asyncio.run(run())
