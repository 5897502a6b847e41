"""The clinic's computer takes its token for a code, from the running service."""

import asyncio
import stat
from pathlib import Path

import pytest

from greenchannel.agent.pairing import NotPaired, pair
from tests.service.test_administration import ask
from tests.service.viewer_house import house


def test_an_agent_takes_its_token_once_and_keeps_the_old_one_where_it_gets_none(tmp_path: Path) -> None:
    """The file holds the token alone, for its owner alone; a refused code leaves the file as it was."""

    async def run() -> None:
        async with house(tmp_path / "data") as h:
            code = (await ask(h, await h.person("boss"), "POST", "/devices/ecg-1/pairing", status=201))[
                "code"
            ]
            file = tmp_path / "token.txt"
            paired = await asyncio.to_thread(pair, h.origin, f"{code[:4]} {code[4:]}", file)
            assert (paired.device, paired.site) == ("ecg-1", "阴赵卫生院")
            token = file.read_text().strip()
            me = await h.http.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
            assert me.json()["user"]["id"] == "ecg-1"
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            with pytest.raises(NotPaired) as refused:
                await asyncio.to_thread(pair, h.origin, code, file)
            assert "用过" in refused.value.zh and "used" in refused.value.en
            assert file.read_text().strip() == token
            assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "token.txt"]

    asyncio.run(run())


def test_without_a_line_or_a_place_for_the_file_no_code_is_used_up(tmp_path: Path) -> None:
    """It says which of the two it was."""
    with pytest.raises(NotPaired) as down:
        pair("http://127.0.0.1:1", "12345678", tmp_path / "token.txt")
    with pytest.raises(NotPaired) as nowhere:
        pair("http://127.0.0.1:1", "12345678", tmp_path / "not there" / "token.txt")
    assert down.value.zh and "not used" in nowhere.value.en
    assert list(tmp_path.iterdir()) == []
