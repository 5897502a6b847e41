"""Administration over HTTP: who may, what is written down, and the two doors of one-time codes."""

import asyncio
import json
from pathlib import Path
from typing import Any

import websockets
from websockets.asyncio.client import connect

from tests.service.viewer_house import PASSWORD, House, ecg_file, house

ADMIN = "/api/v1/admin"


async def ask(
    h: House, who: dict[str, str], method: str, path: str, body: Any = None, *, status: int = 200
) -> Any:
    answer = await h.http.request(method, f"{ADMIN}{path}", headers=who, json=body)
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def test_only_an_administrator_administers(tmp_path: Path) -> None:
    """Everybody else is told 403, whatever is asked; without a session it is 401."""

    async def run() -> None:
        async with house(tmp_path) as h:
            for user in ("cardiologist", "village", "quality"):
                who = await h.person(user)
                for method, path, body in (
                    ("GET", "/sites", None),
                    ("GET", "/devices", None),
                    ("GET", "/users", None),
                    ("GET", "/channels", None),
                    ("GET", "/rules", None),
                    ("PUT", "/rules/yinzhao", {"critical_list": "shanxi"}),
                    ("GET", "/quarantine", None),
                    ("GET", "/changes", None),
                    ("POST", "/sites", {"id": "x", "name_zh": "x", "name_en": "x"}),
                    ("POST", "/devices/ecg-1/pairing", None),
                    ("POST", "/devices/ecg-1/revoke", {"reason": "x"}),
                    ("POST", "/users/boss/disable", {"reason": "x"}),
                    ("POST", "/users/boss/reset", None),
                    ("PATCH", f"/users/{user}", {"role": "admin"}),
                    ("POST", "/quarantine/q/discard", {"reason": "x"}),
                ):
                    await ask(h, who, method, path, body, status=403)
            assert (await h.http.get(f"{ADMIN}/sites")).status_code == 401
            assert (await h.http.get(f"{ADMIN}/sites", headers=h.device())).status_code == 403

    asyncio.run(run())


def test_a_site_is_entered_changed_closed_and_put_back(tmp_path: Path) -> None:
    """Names in both languages, telephone, fallback number, town, distance; and who did it, without the numbers."""

    async def run() -> None:
        async with house(tmp_path) as h:
            boss = await h.person("boss")
            new = {
                "id": "liu",
                "name_zh": "刘庄卫生室",
                "name_en": "Liuzhuang",
                "town": "刘庄镇",
                "phone": "0000-3003",
                "fallback_phone": "0000-120",
                "distance_km": 27.5,
            }
            made = await ask(h, boss, "POST", "/sites", new, status=201)
            assert made["site"] | new == made["site"]
            await ask(h, boss, "POST", "/sites", new, status=409)
            bad = await ask(h, boss, "POST", "/sites", new | {"id": "y", "phone": "call me"}, status=422)
            assert "phone" in bad["detail"]
            held = await ask(h, boss, "POST", "/sites", new | {"id": "y", "kind": "palace"}, status=400)
            assert held["code"] == "bad_entry" and "got 'palace'" in held["detail"]
            assert "机构类型应为" in held["zh"] and "expected" not in held["zh"]
            changed = await ask(h, boss, "PATCH", "/sites/liu", {"phone": None, "distance_km": 30})
            assert (changed["site"]["phone"], changed["site"]["town"]) == (None, "刘庄镇")
            await ask(h, boss, "POST", "/sites/liu/close", {"reason": "并入姬石"}, status=204)
            row = next(s for s in (await ask(h, boss, "GET", "/sites"))["sites"] if s["id"] == "liu")
            assert row["disabled"]
            await ask(h, boss, "POST", "/sites/liu/use", status=204)
            await ask(h, boss, "PATCH", "/sites/nowhere", {"town": "x"}, status=404)
            done = (await ask(h, boss, "GET", "/changes"))["changes"]
            assert [one["what"] for one in done] == ["site_use", "site_close", "site_change", "site_add"]
            assert {one["name"] for one in done} == {"管理员"}
            assert "并入姬石" in done[1]["detail"] and "0000" not in json.dumps(done)

    asyncio.run(run())


def test_a_clinic_sees_the_fallback_number_of_its_own_site(tmp_path: Path) -> None:
    """It is what the page says to ring where no doctor answers."""

    async def run() -> None:
        async with house(tmp_path) as h:
            boss = await h.person("boss")
            await ask(h, boss, "PATCH", "/sites/yinzhao", {"fallback_phone": "0000-777"})
            for user, phone in (("village", "0000-777"), ("other", None)):
                me = (await h.http.get("/api/v1/me", headers=await h.person(user))).json()
                assert (me["fallback"] or {}).get("phone") == phone

    asyncio.run(run())


def test_a_device_is_paired_by_a_code_and_sends(tmp_path: Path) -> None:
    """Once; a code that was used or is of nobody is refused in words. Revoked, the token is worth nothing."""

    async def run() -> None:
        async with house(tmp_path) as h:
            boss = await h.person("boss")
            new = {"id": "ecg-9", "site": "jishi", "name": "18导"}
            made = await ask(h, boss, "POST", "/devices", new, status=201)
            row = next(d for d in (await ask(h, boss, "GET", "/devices"))["devices"] if d["id"] == "ecg-9")
            assert (row["paired_at"], row["code_until"]) == (None, made["expires_at"])

            paired = await h.http.post("/api/v1/pairing", json={"code": made["code"]})
            assert paired.status_code == 200, paired.text
            assert (paired.json()["device"], paired.json()["site"]["id"]) == ("ecg-9", "jishi")
            token = {"Authorization": f"Bearer {paired.json()['token']}"}
            sent = await h.http.post("/api/v1/ecgs", content=ecg_file(), headers=token)
            assert sent.status_code == 201, sent.text
            row = next(d for d in (await ask(h, boss, "GET", "/devices"))["devices"] if d["id"] == "ecg-9")
            assert row["paired_at"] is not None and row["last_ecg_at"] is not None

            for code, said in ((made["code"], "code_used"), ("00000000", "code_unknown")):
                refused = await h.http.post("/api/v1/pairing", json={"code": code})
                assert (refused.status_code, refused.json()["code"]) == (400, said)
                assert refused.json()["zh"] and refused.json()["detail"]
            await ask(h, boss, "POST", "/devices/ecg-9/revoke", {"reason": "丢失"}, status=204)
            assert (await h.http.get("/api/v1/me", headers=token)).status_code == 401
            done = [one["what"] for one in (await ask(h, boss, "GET", "/changes"))["changes"]]
            assert done == ["device_revoke", "device_paired", "device_code", "device_add"]

    asyncio.run(run())


def test_wrong_codes_are_held_to_a_few_a_minute(tmp_path: Path) -> None:
    """Eight digits are few: who guesses is stopped, and then a right code waits, too."""

    async def run() -> None:
        async with house(tmp_path, login_attempts_per_minute=3) as h:
            boss = await h.person("boss")
            code = (await ask(h, boss, "POST", "/devices/ecg-1/pairing", status=201))["code"]
            wrong = "00000000" if code != "00000000" else "11111111"
            tried = [
                (await h.http.post("/api/v1/pairing", json={"code": wrong})).status_code for _ in range(5)
            ]
            assert tried == [400, 400, 400, 429, 429]
            right = await h.http.post("/api/v1/pairing", json={"code": code})
            assert right.status_code == 429 and int(right.headers["retry-after"]) > 0

    asyncio.run(run())


def test_a_person_comes_in_by_invitation(tmp_path: Path) -> None:
    """Until then nobody signs in as them; the code gives the name, takes a password, and is good once."""

    async def run() -> None:
        async with house(tmp_path) as h:
            boss = await h.person("boss")
            new = {"id": "zhou", "name": "周医生", "role": "clinic", "sites": ["jishi"]}
            made = await ask(h, boss, "POST", "/users", new, status=201)
            await ask(h, boss, "POST", "/users", new | {"id": "w", "sites": None}, status=400)
            whose = await h.http.post("/api/v1/invitation", json={"code": made["code"]})
            assert whose.json() == {"user": "zhou"}
            short = await h.http.post("/api/v1/join", json={"code": made["code"], "password": "1234567"})
            assert (short.status_code, short.json()["code"]) == (400, "short_password")
            body = {"code": made["code"], "password": PASSWORD}
            assert (await h.http.post("/api/v1/join", json=body)).json() == {"user": "zhou"}
            again = await h.http.post("/api/v1/join", json=body)
            assert again.json()["code"] == "code_used"
            who = await h.person("zhou")
            me = (await h.http.get("/api/v1/me", headers=who)).json()["user"]
            assert (me["role"], me["sites"]) == ("clinic", ["jishi"])

            reset = await ask(h, boss, "POST", "/users/zhou/reset", status=201)
            assert (await h.http.get("/api/v1/me", headers=who)).status_code == 401
            old = await h.http.post("/api/v1/session", json={"user": "zhou", "password": PASSWORD})
            assert old.status_code == 401
            body = {"code": reset["code"], "password": PASSWORD}
            assert (await h.http.post("/api/v1/join", json=body)).status_code == 200
            await ask(h, boss, "POST", "/users/boss/reset", status=409)

    asyncio.run(run())


def test_a_disabled_person_is_out_at_once(tmp_path: Path) -> None:
    """The session is refused and the open line is closed within seconds, not at the next look a minute later."""

    async def run() -> None:
        async with house(tmp_path) as h:
            boss, who = await h.person("boss"), await h.person("village")
            async with connect(h.ws("live"), additional_headers=who, proxy=None) as line:
                await line.recv()
                await ask(h, boss, "POST", "/users/village/disable", {"reason": "离职"}, status=204)
                try:
                    async with asyncio.timeout(20):
                        async for _ in line:
                            pass
                except websockets.ConnectionClosed:
                    pass
                assert line.close_code == 4401
            assert (await h.http.get("/api/v1/me", headers=who)).status_code == 401
            await ask(h, boss, "POST", "/users/boss/disable", {"reason": "x"}, status=409)
            await ask(h, boss, "PATCH", "/users/boss", {"role": "quality"}, status=409)
            # A reset is refused as a whole: the password that was comes back with the account.
            await ask(h, boss, "POST", "/users/village/reset", status=400)
            await ask(h, boss, "POST", "/users/village/use", status=204)
            await h.person("village")

    asyncio.run(run())


def test_channels_are_shown_for_everybody_and_tested_one_by_one(tmp_path: Path) -> None:
    """Who has no address on a channel is not sent a test; who has gets one, once in a minute."""

    async def run() -> None:
        async with house(tmp_path) as h:
            boss = await h.person("boss")
            people = (await ask(h, boss, "GET", "/channels"))["people"]
            assert {one["person"] for one in people} == {
                "cardiologist",
                "village",
                "other",
                "quality",
                "boss",
            }
            assert all(one["channels"] and "reachable" in one for one in people)
            path = "/users/cardiologist/channels/sms/test"
            refused = await ask(h, boss, "POST", path, status=409)
            assert refused["code"] == "no_address"
            await ask(h, boss, "POST", "/users/nobody/channels/sms/test", status=404)

    asyncio.run(run())


def test_the_rules_of_each_site_are_shown(tmp_path: Path) -> None:
    """The version, its list of critical values, and the steps of the escalation."""

    async def run() -> None:
        async with house(tmp_path, critical_list="consensus-2017, yinzhao=shanxi") as h:
            said = await ask(h, await h.person("boss"), "GET", "/rules")
            versions = {one["site"]: one["version"] for one in said["sites"]}
            assert versions["yinzhao"] == f"{said['newest']}+shanxi"
            assert versions["jishi"] == said["newest"]
            assert {"ACT", "CRIT"} <= set(said["paging_tiers"])
            assert all(one["steps"][-1]["role"] == "everybody" for one in said["sites"])

    asyncio.run(run())


def test_a_site_follows_the_list_that_was_chosen_for_it(tmp_path: Path) -> None:
    """The choice outweighs the configuration, is written down and can be taken back; no unknown list is taken."""

    async def run() -> None:
        async with house(tmp_path, critical_list="consensus-2017, yinzhao=shanxi") as h:
            boss = await h.person("boss")

            async def at_yinzhao() -> tuple[str, str | None]:
                sites = (await ask(h, boss, "GET", "/rules"))["sites"]
                return next((one["version"], one["chosen_list"]) for one in sites if one["site"] == "yinzhao")

            for name, version in (("zhejiang", "2+zhejiang"), ("consensus-2017", "2"), (None, "2+shanxi")):
                await ask(h, boss, "PUT", "/rules/yinzhao", {"critical_list": name}, status=204)
                assert await at_yinzhao() == (version, name)

            refused = await ask(h, boss, "PUT", "/rules/yinzhao", {"critical_list": "mine"}, status=400)
            assert "shanxi" in refused["detail"] and "shanxi" in refused["zh"]
            await ask(h, boss, "PUT", "/rules/nowhere", {"critical_list": "shanxi"}, status=404)
            await ask(h, boss, "PUT", "/rules/yinzhao", {}, status=422)
            changes = (await ask(h, boss, "GET", "/changes"))["changes"]
            assert [one["detail"] for one in changes if one["what"] == "site_list"] == [
                "yinzhao: as configured",
                "yinzhao: consensus-2017",
                "yinzhao: zhejiang",
            ]

    asyncio.run(run())


def test_what_was_refused_is_tried_again_or_discarded_with_a_reason(tmp_path: Path) -> None:
    """A file that still cannot be read waits on; one that can becomes an ECG of the site or case that was named."""

    async def run() -> None:
        async with house(tmp_path) as h:
            boss = await h.person("boss")
            refused = await h.http.post("/api/v1/ecgs", content=b"no ECG at all" * 9, headers=h.device())
            assert refused.status_code == 415
            good = ecg_file(st_mv=0.4, seed=7)
            keep = h.desk.quarantine.keep
            kept = keep(good, reason="truncated", detail="x", actor="device:ecg-2", at=h.desk.clock.now())
            files = (await ask(h, boss, "GET", "/quarantine"))["files"]
            assert [one["reason"] for one in files] == ["truncated", "unknown_format"]
            bad = files[1]["id"]

            await ask(h, boss, "POST", f"/quarantine/{bad}/take", {"site": "yinzhao"}, status=415)
            await ask(h, boss, "POST", f"/quarantine/{bad}/discard", {"reason": ""}, status=422)
            settled = await ask(h, boss, "POST", f"/quarantine/{bad}/discard", {"reason": "照片"})
            assert (
                settled["file"]["settled"] | {"what": "discarded", "reason": "照片"}
                == settled["file"]["settled"]
            )
            await ask(h, boss, "POST", f"/quarantine/{bad}/discard", {"reason": "再来"}, status=409)
            assert h.desk.quarantine.read(bad) == b"no ECG at all" * 9

            await ask(h, boss, "POST", f"/quarantine/{kept}/take", {"site": "mars"}, status=403)
            got = await ask(h, boss, "POST", f"/quarantine/{kept}/take", {"site": "jishi"})
            assert h.desk.case(got["case_id"]).site == "jishi"
            await ask(h, boss, "POST", f"/quarantine/{kept}/take", {"site": "jishi"}, status=409)

            other = keep(
                ecg_file(seed=8), reason="truncated", detail="x", actor="device:ecg-2", at=h.desk.clock.now()
            )
            joined = await ask(h, boss, "POST", f"/quarantine/{other}/take", {"case_id": got["case_id"]})
            assert joined["case_id"] == got["case_id"]
            done = [one["what"] for one in (await ask(h, boss, "GET", "/changes"))["changes"]]
            assert done == ["quarantine_take", "quarantine_take", "quarantine_discard"]

    asyncio.run(run())
