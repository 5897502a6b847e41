"""The HTTP interface over the real desk."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.service.viewer_house import House, ecg_file, house

Story = Callable[[House], Awaitable[None]]


def tell(story: Story, folder: Path, **settings: Any) -> None:
    async def run() -> None:
        async with house(folder, **settings) as here:
            await story(here)

    asyncio.run(run())


def assert_problem(answer: Any, status: int, code: str | None = None) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert {"type", "title", "status", "detail", "code"} <= set(document)
    assert document["status"] == status
    if code is not None:
        assert document["code"] == code


async def send(here: House, content: bytes, headers: dict[str, str] | None = None, **query: str) -> Any:
    return await here.http.post(
        "/api/v1/ecgs", content=content, params=query, headers=headers or here.device()
    )


def test_an_ecg_goes_from_the_device_to_the_case_page(tmp_path: Path) -> None:
    """Sent, read, alerted, opened, acknowledged, diagnosed: each state has its instant, and the row shows it."""

    async def story(here: House) -> None:
        sent = await send(
            here, ecg_file(st_mv=0.4), patient_ref="p1", name="张三", age="61", sex="male", chest_pain="yes"
        )
        assert sent.status_code == 201, sent.text
        ecg_id, case_id = sent.json()["ecg_id"], sent.json()["case_id"]
        again = await send(here, ecg_file(st_mv=0.4), patient_ref="p1")
        assert (again.status_code, again.json()["duplicate"], again.json()["ecg_id"]) == (200, True, ecg_id)

        doctor = await here.person("cardiologist")
        got = (await here.http.get(f"/api/v1/ecgs/{ecg_id}", headers=doctor)).json()
        assert got["analysis"]["leads"][6] == "V1"
        assert got["states"]["received"] is not None and got["states"]["diagnosed"] is None
        row = (await here.http.get("/api/v1/cases", headers=doctor)).json()["cases"][0]
        assert row["tier"] == "ACT" and row["alert"]["state"] == "open"
        assert row["site"]["name_zh"] == "阴赵卫生院" and "张三" not in str(row)

        opened = await here.http.post(f"/api/v1/ecgs/{ecg_id}/opened", headers=doctor)
        assert opened.status_code == 204
        alert = row["alert"]["alert_id"]
        acked = await here.http.post(f"/api/v1/alerts/{alert}/ack", headers=doctor, json={})
        assert acked.json()["case"]["alert"]["acknowledged_by"] == {
            "person": "cardiologist",
            "name": "王医生",
        }
        signed = await here.http.post(
            f"/api/v1/ecgs/{ecg_id}/reading",
            headers=doctor,
            json={"text": "广泛前壁心肌梗死", "tier": "ACT", "advice": "阿司匹林 300 mg 嚼服"},
        )
        assert signed.json()["case"]["reading"]["name"] == "王医生"
        green = await here.http.post(f"/api/v1/cases/{case_id}/green-channel", headers=doctor, json={})
        assert green.json()["case"]["green_channel"]["state"] == "open"
        page = (await here.http.get(f"/api/v1/cases/{case_id}", headers=doctor)).json()
        assert page["identity"]["name"] == "张三"
        assert page["history"][0]["type"] == "case_opened"
        assert {m["id"] for m in page["timeline"]["milestones"] if m["known"]} >= {
            "ECG_RECEIVED",
            "ECG_DX",
            "GREEN_OPEN",
        }
        states = (await here.http.get(f"/api/v1/ecgs/{ecg_id}", headers=doctor)).json()["states"]
        assert all(states[name] for name in states)

    tell(story, tmp_path)


def test_samples_come_back_as_they_were_sent(tmp_path: Path) -> None:
    """Both encodings hold the very steps of the file, and the file comes back byte for byte."""

    async def story(here: House) -> None:
        data = ecg_file()
        ecg_id = (await send(here, data)).json()["ecg_id"]
        base = f"/api/v1/ecgs/{ecg_id}"
        plain = (await here.http.get(f"{base}/waveform", headers=here.device())).json()
        packed = (await here.http.get(f"{base}/waveform?encoding=int16", headers=here.device())).json()
        steps = np.frombuffer(base64.b64decode(packed["samples"]), "<i2").reshape(12, -1)
        np.testing.assert_allclose(steps * packed["lsb_mv"], np.array(plain["samples_mv"]), atol=1e-6)
        # A WFDB record does not say what its device filtered: unknown, and said so.
        assert [told[cut] for told in (plain, packed) for cut in ("low_cut_hz", "high_cut_hz")] == [None] * 4
        assert (await here.http.get(f"{base}/file", headers=here.device())).content == data

    tell(story, tmp_path)


def test_a_clinic_knows_of_its_own_patients_alone(tmp_path: Path) -> None:
    """What belongs to another site does not exist: 404 on every way to it."""

    async def story(here: House) -> None:
        sent = (await send(here, ecg_file(st_mv=0.4))).json()
        alert = here.desk.case(sent["case_id"]).alerts[0].alert_id
        other = await here.person("other")
        assert (await here.http.get("/api/v1/cases", headers=other)).json()["cases"] == []
        for path in (f"cases/{sent['case_id']}", f"ecgs/{sent['ecg_id']}", f"ecgs/{sent['ecg_id']}/waveform"):
            assert_problem(await here.http.get(f"/api/v1/{path}", headers=other), 404, "not_found")
        assert_problem(await here.http.post(f"/api/v1/alerts/{alert}/ack", headers=other, json={}), 403)

    tell(story, tmp_path)


def test_quality_staff_see_no_name_without_a_reason(tmp_path: Path) -> None:
    """The reason is asked for, and stands in the access log with the look."""

    async def story(here: House) -> None:
        case_id = (await send(here, ecg_file(), name="张三", patient_ref="p")).json()["case_id"]
        quality = await here.person("quality")
        page = (await here.http.get(f"/api/v1/cases/{case_id}", headers=quality)).json()
        assert page["identity"] is None and "张三" not in str(page)
        page = (await here.http.get(f"/api/v1/cases/{case_id}?reason=audit", headers=quality)).json()
        assert page["identity"]["name"] == "张三"
        here.desk.access.flush()
        looks = here.desk.access.entries(case_id=case_id, actor="user:quality")
        assert [(look.action, look.detail) for look in looks] == [
            ("look_case", None),
            ("look_case", "audit"),
            ("look_identity", "audit"),
        ]

    tell(story, tmp_path)


def test_a_milestone_is_entered_once_by_its_key(tmp_path: Path) -> None:
    """The same key again changes nothing; another time of the same source needs a note."""

    async def story(here: House) -> None:
        case_id = (await send(here, ecg_file())).json()["case_id"]
        doctor = await here.person("cardiologist")
        path = f"/api/v1/cases/{case_id}/milestones"
        body = {"milestone": "PCI_DECIDE", "at": here.desk.clock.now().isoformat(), "source": "cardiologist"}
        first = await here.http.post(path, json=body, headers={**doctor, "Idempotency-Key": "k1"})
        again = await here.http.post(path, json=body, headers={**doctor, "Idempotency-Key": "k1"})
        assert (first.status_code, again.status_code) == (201, 200)
        forged = {**body, "source": "device", "milestone": "ECG_DX"}
        assert_problem(await here.http.post(path, json=forged, headers=doctor), 403, "source_forbidden")
        boss = {**body, "source": "boss"}
        told = await here.http.post(path, json=boss, headers=doctor)
        assert_problem(told, 422, "unknown_source")
        assert "cardiologist" in told.json()["expected"] and told.json()["got"] == "boss"
        naive = {**body, "at": "2026-05-01T16:05:00"}
        assert_problem(await here.http.post(path, json=naive, headers=doctor), 422)
        unknown = {**body, "milestone": "NOPE"}
        assert_problem(await here.http.post(path, json=unknown, headers=doctor), 422, "unknown_milestone")
        village = await here.person("village")
        assert_problem(await here.http.post(path, json=body, headers=village), 403)
        forms = (await here.http.get(f"/api/v1/cases/{case_id}/forms", headers=doctor)).json()["milestones"]
        assert "PCI_DECIDE" in [one["id"] for one in forms]

    tell(story, tmp_path)


def test_a_device_enters_its_own_times_and_those_of_its_clinic(tmp_path: Path) -> None:
    """It is the clinic's computer too: first contact, aspirin; not the hospital's times, and not as the server."""

    async def story(here: House) -> None:
        case_id = (await send(here, ecg_file())).json()["case_id"]
        path = f"/api/v1/cases/{case_id}"
        at = here.desk.clock.now().isoformat()
        forms = (await here.http.get(f"{path}/forms", headers=here.device())).json()["milestones"]
        assert {"FMC", "ASPIRIN", "ECG1_ACQ", "ECG_HUB_ACQ"} <= {one["id"] for one in forms}
        for milestone, source, status, code in (
            ("ECG_HUB_ACQ", "device", 201, None),
            ("ECG_HUB_ACQ", "server", 403, "source_forbidden"),
            ("ECG_HUB_ACQ", "cardiologist", 403, "source_forbidden"),
            ("FMC", "clinic", 201, None),
            ("FMC", "device", 403, "source_forbidden"),
            ("FMC", "server", 403, "source_forbidden"),
            ("WIRE", "device", 403, "forbidden"),
            ("GREEN_OPEN", "server", 403, "forbidden"),
            ("NOPE", "device", 422, "unknown_milestone"),
        ):
            body = {"milestone": milestone, "at": at, "source": source}
            given = await here.http.post(f"{path}/milestones", json=body, headers=here.device())
            assert given.status_code == status, given.text
            assert code is None or given.json()["code"] == code

    tell(story, tmp_path)


def test_quality_staff_correct_what_a_machine_said_and_say_nothing_in_its_name(tmp_path: Path) -> None:
    """The server's receipt can be corrected, with a note; a gate that no receiver saw and a reading that nobody signed
    cannot be given to them."""

    async def story(here: House) -> None:
        case_id = (await send(here, ecg_file())).json()["case_id"]
        quality = await here.person("quality")
        path = f"/api/v1/cases/{case_id}/milestones"
        at = here.desk.clock.now().isoformat()

        async def say(milestone: str, source: str, **more: str) -> Any:
            body = {"milestone": milestone, "at": at, "source": source} | more
            return await here.http.post(path, json=body, headers=quality)

        assert_problem(await say("HUB_DOOR", "gps"), 403, "source_forbidden")
        for milestone, source in (("ECG_DX", "server"), ("HUB_DOOR", "server"), ("ECG_HUB_ACQ", "device")):
            assert_problem(await say(milestone, source), 422, "nothing_to_correct")
        assert_problem(await say("ECG_RECEIVED", "server"), 422, "note_required")
        assert (await say("ECG_RECEIVED", "server", note="时钟错误")).status_code == 201
        assert (await say("HUB_DOOR", "quality")).status_code == 201

    tell(story, tmp_path)


def test_a_look_at_an_ecg_is_noted(tmp_path: Path) -> None:
    """The analysis names what the patient has."""

    async def story(here: House) -> None:
        sent = (await send(here, ecg_file())).json()
        doctor = await here.person("cardiologist")
        assert (await here.http.get(f"/api/v1/ecgs/{sent['ecg_id']}", headers=doctor)).status_code == 200
        here.desk.access.flush()
        looks = here.desk.access.entries(case_id=sent["case_id"], actor="user:cardiologist")
        assert [(look.action, look.detail) for look in looks] == [("look_ecg", sent["ecg_id"])]

    tell(story, tmp_path)


def test_the_worklist_is_the_board_and_older_cases_come_page_by_page(tmp_path: Path) -> None:
    """Without a state or a span it is what boards show; with one, all that fit, the newest first by pages."""

    async def story(here: House) -> None:
        doctor = await here.person("cardiologist")
        sent = [(await send(here, ecg_file(seed=seed))).json()["case_id"] for seed in range(5)]
        for case_id in sent[:3]:
            closed = await here.http.post(
                f"/api/v1/cases/{case_id}/close", json={"reason": "over"}, headers=doctor
            )
            assert closed.status_code == 200, closed.text

        async def ask(**query: Any) -> tuple[list[str], str | None]:
            answer = await here.http.get("/api/v1/cases", params=query, headers=doctor)
            assert answer.status_code == 200, answer.text
            rows = answer.json()["cases"]
            assert rows == sorted(rows, key=lambda row: row["order"])
            return sorted(row["case_id"] for row in rows), answer.json()["next_before"]

        assert await ask() == (sorted(sent), None)
        assert await ask(site="yinzhao", limit=2) == (sorted(sent[3:]), sent[3])
        assert await ask(state="closed") == (sorted(sent[:3]), None)
        assert await ask(state="open") == (sorted(sent[3:]), None)
        assert await ask(state="closed", limit=2) == (sorted(sent[1:3]), sent[1])
        assert await ask(state="closed", limit=2, before=sent[1]) == ([sent[0]], None)
        assert_problem(await here.http.get("/api/v1/cases?limit=0", headers=doctor), 422)
        assert_problem(await here.http.get("/api/v1/cases?before=c_no", headers=doctor), 404, "not_found")

    tell(story, tmp_path)


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 400, "empty_body"),
        (bytes(range(256)) * 40, 415, "unknown_format"),
        (ecg_file()[:3000], 422, "malformed"),
        (b"%PDF-1.4 not an ECG", 422, "truncated"),
    ],
)
def test_a_bad_file_is_refused_and_kept_in_quarantine(
    tmp_path: Path, content: bytes, status: int, code: str
) -> None:
    """The answer says what was expected; an admin finds the bytes; nothing else changes."""

    async def story(here: House) -> None:
        assert_problem(await send(here, content), status, code)
        boss = await here.person("boss")
        files = (await here.http.get("/api/v1/quarantine", headers=boss)).json()["files"]
        assert [one["reason"] for one in files] == ([code] if content else [])
        for one in files:
            kept = await here.http.get(f"/api/v1/quarantine/{one['id']}", headers=boss)
            assert kept.content == content
        assert here.desk.hub.seq == here.seq
        doctor = await here.person("cardiologist")
        assert_problem(await here.http.get("/api/v1/quarantine", headers=doctor), 403)

    tell(story, tmp_path)


def test_a_body_that_is_too_large_is_refused_early(tmp_path: Path) -> None:
    """A gigabyte that is only announced is refused before a byte of it; one that grows, as soon as it is too large."""

    async def story(here: House) -> None:
        host, port = here.origin.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        token = here.tokens["ecg-1"]
        writer.write(
            f"POST /api/v1/ecgs HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
            "Content-Length: 1073741824\r\n\r\n".encode()
        )
        head = await asyncio.wait_for(reader.readuntil(b'"code":"too_large"'), 5)
        assert b" 413 " in head.splitlines()[0]
        writer.close()

        async def growing() -> Any:
            for _ in range(64):
                yield bytes(16 * 1024)

        answer = await here.http.post("/api/v1/ecgs", content=growing(), headers=here.device())
        assert_problem(answer, 413, "too_large")
        answer = await here.http.post("/api/v1/session", content=bytes(100_000))
        assert_problem(answer, 413, "too_large")

    tell(story, tmp_path, max_upload_bytes=200_000)


def test_a_form_with_files_and_fields_is_taken_and_a_broken_one_refused(tmp_path: Path) -> None:
    """Multipart works as the body does; without its boundary, or with a wrong field, it is a problem."""

    async def story(here: House) -> None:
        good = await here.http.post(
            "/api/v1/ecgs",
            files=[("file", ("a.zip", ecg_file()))],
            data={"patient_ref": "p9", "age": "70"},
            headers=here.device(),
        )
        assert good.status_code == 201, good.text
        headers = {**here.device(), "Content-Type": "multipart/form-data"}
        answer = await here.http.post("/api/v1/ecgs", content=b"x", headers=headers)
        assert_problem(answer, 400, "malformed_form")
        cut = {**here.device(), "Content-Type": "multipart/form-data; boundary=b"}
        answer = await here.http.post("/api/v1/ecgs", content=b"--b\r\nContent-Disp", headers=cut)
        assert answer.status_code in {400, 415}
        assert_problem(await send(here, ecg_file(), case_id="a b"), 422, "bad_field")
        assert_problem(await send(here, ecg_file(), site="jishi"), 403)

    tell(story, tmp_path)


OPTIONAL: list[dict[str, Any]] = [
    {"callback_phone": "13800000000(儿子)\n" * 20},
    {"age": "old", "sex": "x"},
    {"onset_at": "2099-01-01T00:00:00Z"},
    {"vitals": "[" * 5000, "history": "\x00"},
    {"electrode_set": "on the back", "patient_ref": "x" * 500},
]


def test_an_optional_field_that_cannot_be_kept_costs_no_ecg(tmp_path: Path) -> None:
    """The ECG is taken; the answer and the case name what was left out. A telephone is kept as it was written."""

    async def story(here: House) -> None:
        for seed, fields in enumerate(OPTIONAL):
            sent = await send(here, ecg_file(seed=seed), **fields)
            assert sent.status_code == 201, sent.text
            assert sorted(sent.json()["dropped"]) == sorted(fields)
            case = here.desk.case(sent.json()["case_id"])
            notes = [getattr(entry.event, "note", None) or "" for entry in case.history]
            assert any("请电话核对" in note and note.endswith(", ".join(fields)) for note in notes)
        phone = "13800000000/13900000000 转88(儿子)"
        sent = await send(here, ecg_file(seed=99), callback_phone=phone)
        assert sent.status_code == 201 and sent.json()["dropped"] == []
        village = await here.person("village")
        page = await here.http.get(f"/api/v1/cases/{sent.json()['case_id']}", headers=village)
        assert page.json()["identity"]["callback_phone"] == phone

    tell(story, tmp_path)


def test_nobody_comes_in_without_a_right_credential(tmp_path: Path) -> None:
    """No token, a wrong one, a forged session, a wrong password: all are 401 and look alike."""

    async def story(here: House) -> None:
        for headers in (
            {},
            {"Authorization": "Bearer wrong"},
            {"Authorization": "Basic d2hvOm1l"},
            {"Cookie": "greenchannel_session=forged", "Origin": here.origin},
            {"Cookie": "greenchannel_session=" + "x" * 5000},
        ):
            assert_problem(await here.http.get("/api/v1/cases", headers=headers), 401, "unauthenticated")
            assert_problem(
                await here.http.post("/api/v1/ecgs", content=b"x", headers=headers),
                401 if "Cookie" not in headers or "Origin" in headers else 403,
            )
        answer = await here.http.post("/api/v1/session", json={"user": "boss", "password": "wrong"})
        assert_problem(answer, 401, "sign_in_failed")

    tell(story, tmp_path)


def test_a_foreign_page_cannot_act_for_a_person(tmp_path: Path) -> None:
    """A cookie with another origin, or with none, changes nothing; looking needs no origin."""

    async def story(here: House) -> None:
        case_id = (await send(here, ecg_file())).json()["case_id"]
        doctor = await here.person("cardiologist")
        path = f"/api/v1/cases/{case_id}/green-channel"
        for origin in ("http://evil.example", "null", None):
            headers = {"Cookie": doctor["Cookie"], **({"Origin": origin} if origin else {})}
            assert_problem(await here.http.post(path, headers=headers, json={}), 403, "foreign_origin")
        assert here.desk.case(case_id).channel.state == "closed"
        looked = await here.http.get("/api/v1/cases", headers={"Cookie": doctor["Cookie"]})
        assert looked.status_code == 200
        out = await here.http.delete("/api/v1/session", headers=doctor)
        assert out.status_code == 204
        assert_problem(await here.http.get("/api/v1/me", headers=doctor), 401)

    tell(story, tmp_path)


def test_guessing_passwords_is_slowed_down(tmp_path: Path) -> None:
    """After a few wrong passwords even the right one has to wait, and the answer says how long."""

    async def story(here: House) -> None:
        body = {"user": "boss", "password": "wrong"}
        answers = [await here.http.post("/api/v1/session", json=body) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
        assert int(answers[-1].headers["retry-after"]) > 0

    tell(story, tmp_path, login_attempts_per_minute=3)


def test_every_error_is_a_problem_document_and_every_answer_careful(tmp_path: Path) -> None:
    """404, 405, 422 and bad JSON speak RFC 9457; the page may load from itself alone."""

    async def story(here: House) -> None:
        doctor = await here.person("cardiologist")
        assert_problem(await here.http.get("/api/v1/nothing"), 404)
        assert_problem(await here.http.put("/api/v1/cases", headers=doctor), 405)
        assert_problem(await here.http.get("/static/../app.py"), 404)
        assert_problem(await here.http.get("/static/%2e%2e/app.py"), 404)
        bad = await here.http.post(
            "/api/v1/session", content=b"{", headers={"Content-Type": "application/json"}
        )
        assert_problem(bad, 400, "malformed_json")
        secret = await here.http.post("/api/v1/session", json={"user": "boss", "password": ["sesame"]})
        assert_problem(secret, 422)
        assert "sesame" not in secret.text
        page = await here.http.get("/board")
        assert page.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        assert (await here.http.get("/healthz")).json() == {"alive": True}
        assert (await here.http.get("/readyz")).status_code == 200
        assert f"greenchannel_log_seq {here.seq}.0" in (await here.http.get("/metrics")).text
        docs = (await here.http.get("/docs")).text
        assert "/api/v1/ecgs" in docs and "src=" not in docs
        assert (await here.http.get("/openapi.json")).json()["info"]["title"] == "greenchannel"

    tell(story, tmp_path)


def test_an_administrator_can_make_a_patient_unreadable(tmp_path: Path) -> None:
    """Nobody else can; the file is gone, the case stays."""

    async def story(here: House) -> None:
        sent = (await send(here, ecg_file(), patient_ref="A-1")).json()
        path = f"/api/v1/cases/{sent['case_id']}"
        doctor, admin = await here.person("cardiologist"), await here.person("boss")
        body = {"reason": "at the patient's request"}
        assert_problem(await here.http.post(f"{path}/erase", json=body, headers=doctor), 403)
        assert (await here.http.post(f"{path}/erase", json=body, headers=admin)).status_code == 204
        gone = await here.http.get(f"/api/v1/ecgs/{sent['ecg_id']}/file", headers=doctor)
        assert gone.status_code == 404
        assert (await here.http.get(path, headers=doctor)).status_code == 200

    tell(story, tmp_path)
