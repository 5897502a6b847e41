"""Images among what was refused, over HTTP: what one is, and trying again."""

import asyncio
from pathlib import Path

import pytest

from greenchannel.service.errors import Conflict
from tests.imaging_files import ROOT_UID, ct
from tests.service.test_administration import ask
from tests.service.viewer_house import house


def test_a_refused_image_is_shown_and_taken_once_its_site_or_case_is_right(tmp_path: Path) -> None:
    """A try that is refused again leaves it where it is, once; whose it says that it is, is told on a reason."""

    async def run() -> None:
        async with house(tmp_path) as h:
            boss = await h.person("boss")
            receive = h.desk.images.receive
            first = await receive(ct(1), source="device:ecg-1", site_id="yinzhao")
            with pytest.raises(Conflict):
                await receive(ct(2, patient_id="P2"), source="device:ecg-1", site_id="yinzhao")
            with pytest.raises(Conflict):
                other = ct(1, study=2, patient_id="P3")
                await receive(other, source="device:ecg-1", site_id="yinzhao", case_id=first.case_id)
            newer, older = (await ask(h, boss, "GET", "/quarantine"))["files"]
            assert [one["reason"] for one in (newer, older)] == ["identity_conflict"] * 2

            what = (await ask(h, boss, "GET", f"/quarantine/{older['id']}/image"))["image"]
            assert (what["modality"], what["here"]["case_id"]) == ("CT", first.case_id)
            assert "P2" not in str(what)
            picture = await h.http.get(f"/api/v1/admin/quarantine/{older['id']}/preview", headers=boss)
            assert picture.content[:2] == b"\xff\xd8"
            whose = await ask(h, boss, "POST", f"/quarantine/{older['id']}/patient", {"reason": "核对"})
            assert whose["number"] == "P2"

            await ask(h, boss, "POST", f"/quarantine/{older['id']}/take", {"site": "yinzhao"}, status=409)
            assert len((await ask(h, boss, "GET", "/quarantine"))["files"]) == 2
            got = await ask(h, boss, "POST", f"/quarantine/{newer['id']}/take", {"site": "yinzhao"})
            assert got["study_uid"] == f"{ROOT_UID}.2" and got["case_id"] != first.case_id
            assert await h.desk.images.bytes_of(f"{ROOT_UID}.2.1.1") == other
            files = (await ask(h, boss, "GET", "/quarantine"))["files"]
            assert [one["settled"] and one["settled"]["study_uid"] for one in files] == [
                got["study_uid"],
                None,
            ]
            clinic = await h.person("village")
            for path in ("image", "preview"):
                answer = await h.http.get(f"/api/v1/admin/quarantine/{older['id']}/{path}", headers=clinic)
                assert answer.status_code == 403

    asyncio.run(run())
