"""The clinic's agent before a running service, step by step: what it sends, and what it makes of the answers."""

import dataclasses
import errno
import json
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from greenchannel.agent.agent import Agent, Options, now
from greenchannel.agent.item import Item
from greenchannel.agent.judge import Judge, Judgement, judged
from greenchannel.agent.spool import Spool
from greenchannel.county import devices
from greenchannel.ingest.agent_clock import AgentClock
from greenchannel.ingest.agent_pace import LARGEST_BYTES, Pace
from greenchannel.ingest.agent_plan import Link, Wait, next_action
from greenchannel.ingest.device_clock import ClockOffset
from tests.county_actors import STEMI
from tests.served import Served, served


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One county for all tests here; each sends ECGs of its own."""
    with served(tmp_path_factory.mktemp("agents") / "county") as one:
        yield one


class InThisProcess(Judge):
    """The same reading without a process of its own, which takes seconds to start."""

    def judge(self, data: bytes, fields: dict[str, str]) -> Judgement:
        return judged(data, fields)


class Clinic:
    """An agent whose loops are turned by hand."""

    def __init__(self, folder: Path, server: str, token: str, **options: Any) -> None:
        self.folder = folder
        (folder / "watch").mkdir(parents=True, exist_ok=True)
        (folder / "token").write_text(token, encoding="utf-8")
        self._options = Options(
            server=server,
            token_file=folder / "token",
            spool=folder / "spool",
            watch=folder / "watch",
            settle_s=0.0,
            **options,
        )
        self.begin()

    def begin(self) -> None:
        """A life of the agent."""
        self.agent = Agent(
            options=self._options, spool=Spool(self._options.spool, now), judge=InThisProcess()
        )

    def server(self, address: str) -> None:
        """The next life has another address."""
        self._options = dataclasses.replace(self._options, server=address)

    def end(self) -> None:
        """Its end."""
        self.agent.stop()

    def leave(self, name: str, data: bytes, **sidecar: Any) -> None:
        """The machine leaves a file."""
        (self.folder / "watch" / name).write_bytes(data)
        if sidecar:
            (self.folder / "watch" / f"{name}.json").write_text(json.dumps(sidecar), encoding="utf-8")

    def take(self) -> list[Item]:
        """Look, and judge what was found."""
        assert self.agent.watcher is not None
        self.agent.watcher.look()
        while any(item.stage == "found" for item in self.agent.spool.items()):
            self.agent.judge_one()
        return self.agent.spool.items()

    def send(self, steps: int = 40) -> list[Item]:
        """Use the link until nothing waits to be sent, at most so many times."""
        for _ in range(steps):
            if not any(item.stage == "waiting" for item in self.agent.spool.items()):
                break
            self.agent.link_once()
        return self.agent.spool.items()


@pytest.fixture
def clinic(service: Served, tmp_path: Path) -> Iterator[Clinic]:
    """One with the token of Yinzhao."""
    one = Clinic(tmp_path, service.base, service.tokens["ecg-yinzhao"])
    yield one
    one.end()


def ecg(seed: int, scenario: str = "baseline_sinus") -> bytes:
    return devices.as_dicom(devices.simulated(scenario, seed=seed), age_years=61.0, sex="male")


def test_an_ecg_goes_from_the_folder_to_a_case_with_what_its_sidecar_says(
    service: Served, clinic: Clinic
) -> None:
    """The bytes are the file's, though fewer went over the wire; the time at which it was seen goes along."""
    data = ecg(1)
    clinic.leave("1.dcm", data, patient_ref="p1", chest_pain=True, age=55)
    clinic.take()
    (item,) = clinic.send()

    assert item.stage == "taken" and item.ecg_id and not item.duplicate
    assert item.encoding == "xz" and item.wire_bytes < 0.5 * len(data)
    headers = {"Authorization": f"Bearer {service.tokens['ecg-yinzhao']}"}
    with httpx.Client(base_url=f"{service.base}/api/v1", headers=headers, trust_env=False) as http:
        assert http.get(f"/ecgs/{item.ecg_id}/file").content == data
        case = http.get(f"/cases/{item.case_id}").json()
    assert case["patient"] == {"age_years": 55.0, "sex": "male", "chest_pain": True}


def patient_of(service: Served, item: Item) -> Any:
    """What the server knows of the patient of a case."""
    headers = {"Authorization": f"Bearer {service.tokens['ecg-yinzhao']}"}
    with httpx.Client(base_url=f"{service.base}/api/v1", headers=headers, trust_env=False) as http:
        return http.get(f"/cases/{item.case_id}").json()["patient"]


def test_a_sidecar_that_comes_within_an_upload_reaches_the_server(service: Served, clinic: Clinic) -> None:
    """The upload begins anew with it."""
    clinic.leave("a.dcm", ecg(45))
    clinic.take()
    assert clinic.agent.follower.poll(()) is None
    clinic.agent.sender.pace = clinic.agent.sender.pace.cut().cut().cut()
    clinic.agent.link_once()  # created
    clinic.agent.link_once()  # a first piece
    clinic.leave("a.dcm", ecg(45), chest_pain=True, age=55)
    (begun,) = clinic.take()
    (item,) = clinic.send()

    assert 0 < begun.offset < begun.wire_bytes
    assert item.stage == "taken" and not item.amended and item.upload_url != begun.upload_url
    assert patient_of(service, item) == {"age_years": 55.0, "sex": "male", "chest_pain": True}


def test_a_sidecar_that_comes_once_the_server_has_all_is_told_to_be_late(
    service: Served, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the answer to the last piece was lost: the server is asked first, and nothing is sent twice."""
    clinic.leave("a.dcm", ecg(46))
    clinic.take()
    assert clinic.agent.follower.poll(()) is None
    clinic.agent.sender.pace = clinic.agent.sender.pace.cut().cut().cut()
    clinic.agent.link_once()
    with monkeypatch.context() as patch:
        patch.setattr(clinic.agent.sender, "_confirmed", lambda item, reply: None)
        clinic.agent.sender.pace = Pace(piece_bytes=LARGEST_BYTES)
        clinic.agent.link_once()  # the rest; the answer is not heard
    clinic.end()
    clinic.leave("a.dcm", ecg(46), chest_pain=True, patient_ref="p46")
    clinic.begin()
    (begun,) = clinic.take()
    (item,) = clinic.send()

    assert begun.stage == "waiting" and begun.amended
    assert item.stage == "taken" and item.amended and item.upload_url == begun.upload_url
    assert patient_of(service, item)["chest_pain"] is None


def test_a_sidecar_that_comes_while_its_ecg_is_judged_is_judged_with_it(clinic: Clinic) -> None:
    """What was read without it is not kept."""
    clinic.leave("a.dcm", ecg(47))
    assert clinic.agent.watcher is not None and clinic.agent.judge is not None
    clinic.agent.watcher.look()
    heard: list[dict[str, str]] = []

    class Slow(InThisProcess):
        def judge(self, data: bytes, fields: dict[str, str]) -> Judgement:
            heard.append(fields)
            if len(heard) == 1:
                clinic.agent.spool.amend(1, {"chest_pain": "yes", "patient_ref": "p47"}, None)
            return super().judge(data, fields)

    clinic.agent.judge = Slow()
    (item,) = clinic.take()

    assert [said.get("chest_pain") for said in heard] == [None, "yes"]
    assert item.stage == "waiting" and item.fields["patient_ref"] == "p47"


def test_the_newest_ecg_is_judged_first(clinic: Clinic) -> None:
    """A backlog of the night takes up to 20 s each; who lies on the couch now does not wait behind it."""
    assert clinic.agent.watcher is not None
    for number in (2, 3, 4):
        clinic.leave(f"{number}.dcm", ecg(500 + number))
        clinic.agent.watcher.look()
    clinic.agent.judge_one()
    clinic.leave("5.dcm", ecg(505, STEMI))
    clinic.agent.watcher.look()
    clinic.agent.judge_one()

    stages = {item.name: (item.stage, item.urgency) for item in clinic.agent.spool.items()}
    assert stages["5.dcm"] == ("waiting", "urgent") and stages["4.dcm"][0] == "waiting"
    assert stages["2.dcm"][0] == stages["3.dcm"][0] == "found"

    clinic.agent.judge_one()  # and every third time the oldest, which would wait for as long as new ones come
    stages = {item.name: (item.stage, item.urgency) for item in clinic.agent.spool.items()}
    assert stages["2.dcm"][0] == "waiting" and stages["3.dcm"][0] == "found"


def test_what_looks_urgent_is_sent_before_what_is_older(service: Served, clinic: Clinic) -> None:
    """The infarction came last and goes first; then the oldest."""
    for seed in (11, 12):
        clinic.leave(f"{seed}.dcm", ecg(seed))
    clinic.take()
    clinic.leave("13.dcm", ecg(13, STEMI))
    clinic.take()
    clinic.send()
    sent = sorted(clinic.agent.spool.items(), key=lambda item: item.sent_at or now())

    assert [item.name for item in sent] == ["13.dcm", "11.dcm", "12.dcm"]
    assert [item.urgency for item in sent] == ["urgent", "calm", "calm"]


def test_the_same_bytes_under_another_name_are_one_ecg(clinic: Clinic) -> None:
    """Found twice, sent once."""
    clinic.leave("a.dcm", ecg(21))
    clinic.leave("b.dcm", ecg(21))

    assert len(clinic.take()) == 1
    assert [item.stage for item in clinic.send()] == ["taken"]


def test_a_second_agent_that_has_the_same_file_gets_the_same_ecg(service: Served, tmp_path: Path) -> None:
    """As after a spool that was lost: the server knows the content."""
    found = []
    for name in ("one", "two"):
        clinic = Clinic(tmp_path / name, service.base, service.tokens["ecg-yinzhao"])
        clinic.leave("a.dcm", ecg(31))
        clinic.take()
        found += clinic.send()
        clinic.end()

    assert found[0].ecg_id == found[1].ecg_id
    assert [item.duplicate for item in found] == [False, True]


def test_a_file_that_is_no_ecg_is_shown_with_the_servers_reason_and_kept(clinic: Clinic) -> None:
    """Unknown to our own reading, so it was sent; refused, so it is not sent again by itself."""
    clinic.leave("notes.txt", b"not an ECG at all")
    clinic.take()
    (item,) = clinic.send()

    assert item.stage == "refused" and item.urgency == "unknown"
    assert item.trouble is not None and item.trouble.status in (415, 422) and item.trouble.en
    assert clinic.agent.spool.data(item) == b"not an ECG at all"
    later = now() + timedelta(days=1)
    entries = [one.entry for one in clinic.agent.spool.open_items()]
    assert next_action(entries, Link(), later) == Wait(None), "nothing is ever done about it"

    assert clinic.agent.seen()["refused"] == 1
    clinic.agent.put_aside(item.number)
    seen = clinic.agent.seen()
    assert seen["refused"] == 0 and seen["ecgs"][0]["put_aside"] and seen["ecgs"][0]["stage"] == "refused"
    clinic.agent.send_again(item.number)
    again = clinic.agent.spool.get(item.number)
    assert again.stage == "waiting" and not again.put_aside


def test_an_upload_that_was_broken_off_goes_on_where_it_was_in_the_next_life(clinic: Clinic) -> None:
    """The first life sent one piece; the second asks how far the server is, and sends the rest."""
    clinic.leave("a.dcm", ecg(41))
    clinic.take()
    assert clinic.agent.follower.poll(()) is None  # the clocks are compared before the first of all
    clinic.agent.sender.pace = clinic.agent.sender.pace.cut().cut().cut()
    clinic.agent.link_once()  # created
    clinic.agent.link_once()  # a first piece
    (item,) = clinic.agent.spool.items()
    assert 0 < item.offset < item.wire_bytes
    url = item.upload_url
    clinic.end()
    clinic.begin()
    (item,) = clinic.send()

    assert item.stage == "taken" and item.upload_url == url


def test_a_wrong_token_is_told_and_nothing_is_lost(service: Served, tmp_path: Path) -> None:
    """Everything waits; a new token in the file is enough."""
    clinic = Clinic(tmp_path, service.base, "no such token")
    clinic.leave("a.dcm", ecg(51))
    clinic.take()
    clinic.agent.link_once()
    state = clinic.agent.link_state
    assert state.trouble is not None and state.trouble.code == "token_refused"
    assert [item.stage for item in clinic.agent.spool.items()] == ["waiting"]
    (tmp_path / "token").write_text(service.tokens["ecg-yinzhao"], encoding="utf-8")
    clinic.agent.try_now()

    assert [item.stage for item in clinic.send()] == ["taken"]
    clinic.end()


@pytest.mark.parametrize("beyond", ["/foo", "/api/v1", "/api/v1/uploads"])
def test_a_wrong_address_of_the_right_server_refuses_no_ecg(
    service: Served, tmp_path: Path, beyond: str
) -> None:
    """The clinic is told what is wrong; the ECG waits, and is sent by the next life that has the right address."""
    one = Clinic(tmp_path, service.base + beyond, service.tokens["ecg-yinzhao"])
    try:
        one.leave("9.dcm", ecg(900 + len(beyond)))
        one.take()
        (item,) = one.send(steps=3)
        told = one.agent.link_state.trouble

        assert item.stage == "waiting" and told is not None and told.code == "wrong_address"
        assert one.agent.link_state.due_at is not None and one.agent.link_state.failures == 1
        one.agent.try_now()
        one.agent.stop()
        one.server(service.base)
        one.begin()
        (item,) = one.send()
        assert item.stage == "taken"
    finally:
        one.end()


def test_nobody_at_the_address_is_told_and_tried_again_later(tmp_path: Path) -> None:
    """The due time of the next attempt is in the spool, also for the next life."""
    clinic = Clinic(tmp_path, "http://127.0.0.1:9", "token")
    clinic.leave("a.dcm", ecg(61))
    clinic.take()
    clinic.agent.link_once()
    state = clinic.agent.link_state
    clinic.end()
    clinic.begin()

    assert state.trouble is not None and state.trouble.code == "no_network" and state.due_at is not None
    assert clinic.agent.link_state == state
    clinic.end()


def test_another_patients_number_for_the_same_file_is_for_a_person(clinic: Clinic) -> None:
    """409 identity_conflict: kept, shown, not tried again."""
    clinic.leave("a.dcm", ecg(71), patient_ref="p71")
    clinic.take()
    clinic.send()
    clinic.leave("b.dcm", ecg(71), patient_ref="p72")
    clinic.take()
    first, second = clinic.send()

    assert first.stage == "taken" and second.stage == "refused"
    assert second.trouble is not None and second.trouble.code == "identity_conflict"


def test_the_doctors_advice_comes_back_with_the_states(service: Served, clinic: Clinic) -> None:
    """Received, analysed, opened, diagnosed, advised; and the clock was compared on the way."""
    clinic.leave("a.dcm", ecg(81, STEMI), patient_ref="p81")
    clinic.take()
    (item,) = clinic.send()
    with httpx.Client(base_url=f"{service.base}/api/v1", trust_env=False) as http:
        signed_in = http.post("/session", json={"user": "chen", "password": "demo-chen"})
        assert signed_in.status_code == 200
        origin = {"Origin": service.base}
        assert http.post(f"/ecgs/{item.ecg_id}/opened", headers=origin).status_code == 204
        reading = {"text": "急性前壁心肌梗死", "tier": "ACT", "advice": "平卧吸氧，阿司匹林 300 mg 嚼服"}
        answer = http.post(f"/ecgs/{item.ecg_id}/reading", json=reading, headers=origin)
        assert answer.status_code == 200, answer.text
    assert clinic.agent.follower.poll([item.number]) is None
    (item,) = clinic.agent.spool.items()

    assert item.advice == "平卧吸氧，阿司匹林 300 mg 嚼服" and item.advice_by
    assert all(item.states[name] for name in ("received", "analysed", "opened", "diagnosed", "advised"))
    assert clinic.agent.follower.clock.offset is not None
    assert abs(clinic.agent.follower.clock.offset.offset_s) <= 5
    assert clinic.agent.follower.poll([item.number]) is None  # nothing new: nothing is said again
    assert clinic.agent.spool.items()[0].advice == item.advice


def test_an_old_comparison_of_the_clocks_is_told_with_its_age(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two days of drift are 3.5 s."""
    clinic.agent.follower.clock = AgentClock(
        offset=ClockOffset(offset_s=0.0, uncertainty_s=0.01, measured_at=now() - timedelta(days=2))
    )
    told: list[dict[str, Any]] = []
    asks = clinic.agent.connection.request

    def noting(method: str, path: str, headers: Any, body: bytes) -> Any:
        told.append(json.loads(body))
        return asks(method, path, headers, body)

    monkeypatch.setattr(clinic.agent.connection, "request", noting)
    assert clinic.agent.follower.poll(()) is None

    assert told[0]["uncertainty_s"] == pytest.approx(0.01 + 20e-6 * 2 * 86400, abs=0.01)


def test_the_server_notes_the_agents_clock_under_a_name_of_its_own(service: Served, clinic: Clinic) -> None:
    """`agent:` and the device: the clock of the clinic's computer is not that of its ECG machine."""
    assert clinic.agent.follower.poll(()) is None
    assert clinic.agent.follower.poll(()) is None  # the second says what the first has measured
    headers = {"Authorization": f"Bearer {service.tokens['ecg-yinzhao']}"}
    with httpx.Client(base_url=f"{service.base}/api/v1", headers=headers, trust_env=False) as http:
        answer = http.post("/contact", json={"agent_clock": now().isoformat(), "ecgs": {"e_nobody": 0}})

    assert answer.json()["gone"] == ["e_nobody"] and answer.json()["ecgs"] == []


@pytest.mark.parametrize(
    ("fault", "asked"),
    [
        (sqlite3.OperationalError("database or disk is full"), 1),
        (OSError(errno.ENOSPC, "No space left on device"), 1),
        (OSError(errno.EACCES, "Permission denied"), 0),
        (ValueError("a fault of ours"), 0),
    ],
)
def test_a_loop_that_finds_the_disk_full_makes_room_and_goes_on(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, fault: Exception, asked: int
) -> None:
    """At once, where something could go; any other fault waits a while and makes no room."""
    agent, turns, made = clinic.agent, 0, 0

    def make_room() -> int:
        nonlocal made
        made += 1
        return 1

    def step() -> None:
        nonlocal turns
        turns += 1
        if turns == 1:
            raise fault
        agent._stop.set()

    monkeypatch.setattr(agent.spool, "make_room", make_room)
    monkeypatch.setattr("greenchannel.agent.agent._FAULT_PAUSE_S", 0.01)
    agent._loop(step)

    assert (turns, made) == (2, asked)
