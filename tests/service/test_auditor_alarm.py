"""The auditor speaks by its own way: each planted fault raises the alarm and silences the heartbeat."""

import asyncio
import base64
import hashlib
import hmac
import http.server
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from greenchannel.alerts import wellness
from greenchannel.events import AuditorSpoke
from greenchannel.service import signs
from greenchannel.service.desk import Desk
from greenchannel.service.direct_alarm import DirectAlarm, signature
from greenchannel.settings import Settings, SettingsError, load
from greenchannel.store.engine import open_engine
from greenchannel.store.log import Log
from tests.desk_world import World, dicom, person

SECRET = "whsec_" + base64.b64encode(b"a secret of the receiver").decode()


@dataclass
class Outside:
    """Who is told: a receiver of webhooks and heartbeats on this machine, in a thread of its own."""

    alarms: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    beats: list[dict[str, str]] = field(default_factory=list)
    refuse: int = 0  # so many alarms are not taken
    url: str = ""

    def texts(self) -> list[str]:
        """What the alarms said."""
        return [json.loads(body)["text"] for _, body in self.alarms]


@contextmanager
def outside() -> Iterator[Outside]:
    """A receiver for the length of a block."""
    heard = Outside()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken = heard.refuse <= 0
            heard.refuse -= 1
            if taken:
                heard.alarms.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(204 if taken else 503)
            self.end_headers()

        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            heard.beats.append({name: values[0] for name, values in query.items()})
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing on the terminal."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    heard.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def eventually(true: Callable[[], object], what: str) -> None:
    """Poll in this thread; what is waited for happens in others."""
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end, f"expected {what}"
        time.sleep(0.01)


def world(folder: Path, heard: Outside, **settings: Any) -> World:
    """A county whose auditor and heartbeat reach the outside; both look when a test says so."""
    chosen = {"audit_every_s": 3600.0, "heartbeat_every_s": 3600.0} | settings
    made = World(folder=folder)
    made.settings = replace(
        made.settings,
        auditor_alarm_url=f"{heard.url}/alarm",
        auditor_alarm_secret=SECRET,
        heartbeat_url=f"{heard.url}/beat?key=1",
        **chosen,
    )
    return made


def spoken(folder: Path) -> list[AuditorSpoke]:
    """What the auditor wrote down, as the log has it."""
    engine = open_engine(f"sqlite:///{folder / 'greenchannel.sqlite'}")
    try:
        return [e.event for e in Log(engine).read() if isinstance(e.event, AuditorSpoke)]
    finally:
        engine.dispose()


def play(tmp_path: Path, story: Callable[[World, Desk, Outside], Any], **settings: Any) -> None:
    """One story on a fresh desk, with somebody outside who hears."""
    with outside() as heard:
        place = world(tmp_path, heard, **settings)

        async def run() -> None:
            async with place.desk() as desk:
                await story(place, desk, heard)

        asyncio.run(run())


def beats(desk: Desk) -> bool:
    """Does a heartbeat go out now?"""
    assert desk._heartbeat is not None
    return desk._heartbeat.beat()


# ---------------------------------------------------------------- all is well


def test_a_well_service_beats_and_the_auditor_is_silent(tmp_path: Path) -> None:
    """Once a day the heads of both chains go along; they are those of the log."""

    async def story(place: World, desk: Desk, heard: Outside) -> None:
        await place.send(desk, dicom())
        # The first beat of a life is silent where the machine is too busy to answer; the next is due in an hour.
        await asyncio.to_thread(eventually, lambda: heard.beats or beats(desk), "the first beat of this life")
        await desk.auditor.look()
        assert await asyncio.to_thread(beats, desk)
        place.pass_time(25)
        assert await asyncio.to_thread(beats, desk)
        alert = next(iter(desk.book.cases.values())).alert
        assert alert is not None
        chen = person("chen")  # signs: something has followed, nothing is asked later
        await desk.answers.sign_reading(alert.ecg_ids[0], chen, text="STEMI", tier="ACT", advice=None)
        place.pass_time(24 * 3600)
        while await desk.duty.fire_due():  # the looks of a day later write events of their own
            pass
        seq, head = desk.log.head()
        assert await asyncio.to_thread(beats, desk)

        assert ["head" in beat for beat in heard.beats] == [True, False, False, True]
        assert heard.beats[-1] == {"key": "1", "head": f"{seq}:{head.hex()}", "access_head": f"0:{'00' * 32}"}
        assert desk.log.verify({seq: head}).ok
        assert heard.alarms == [] and desk.auditor.unwell == ()

    play(tmp_path, story)


# ---------------------------------------------------------------- planted faults


def test_a_deleted_due_time_is_found_said_once_and_written_down(tmp_path: Path) -> None:
    """The row is gone, so duty does nothing; the auditor does not ask the rows."""

    async def story(place: World, desk: Desk, heard: Outside) -> None:
        said: list[str] = []
        desk.auditor.alarm = lambda name, text: said.append(text)
        case_id = (await place.send(desk, dicom())).case_id
        connection = sqlite3.connect(tmp_path / "greenchannel.sqlite")
        connection.execute("DELETE FROM deadlines WHERE kind LIKE 'alert_%'")
        connection.commit()
        connection.close()
        place.pass_time(100)
        for _ in range(3):
            await desk.auditor.look()
        await asyncio.to_thread(eventually, lambda: heard.alarms, "an alarm")
        await asyncio.to_thread(eventually, lambda: spoken(tmp_path), "an event")

        assert len(heard.alarms) == len(said) == len(spoken(tmp_path)) == 1
        (event,) = spoken(tmp_path)
        assert (event.what, event.case_id, event.step) == ("step", case_id, 1)
        assert said == heard.texts() and case_id in said[0]
        headers, body = heard.alarms[0]
        at_s = int(headers["webhook-timestamp"])
        raw = f"{headers['webhook-id']}.{at_s}.".encode() + body
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        signed = base64.b64encode(hmac.new(key, raw, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{signed}"
        assert not await asyncio.to_thread(beats, desk)

    play(tmp_path, story)


def test_a_hung_event_loop_raises_the_alarm_while_it_hangs(tmp_path: Path) -> None:
    """The auditor's thread goes on; the alarm is out before the loop is free again."""

    async def story(place: World, desk: Desk, heard: Outside) -> None:
        await place.send(desk, dicom())
        await asyncio.to_thread(eventually, lambda: heard.beats, "the first beat")
        before = len(heard.beats)
        eventually(
            lambda: any("hangs" in text for text in heard.texts()), "an alarm from a hung loop"
        )  # hangs it
        assert "服务无响应" in heard.texts()[0]
        assert len(heard.beats) <= before + 1  # one may have been asked for just before

    play(tmp_path, story, audit_every_s=0.05, heartbeat_every_s=0.05)


def test_a_stopped_duty_loop_and_any_dead_background_work_are_named(tmp_path: Path) -> None:
    """One is cancelled by a bug; the alarm says its name, and so does the log."""

    async def story(place: World, desk: Desk, heard: Outside) -> None:
        for task in desk._tasks:
            if task.get_name() in ("duty", "uploads"):
                task.cancel()
        await asyncio.sleep(0)
        await desk.auditor.look()
        await asyncio.to_thread(eventually, lambda: len(heard.alarms) == 2, "two alarms")
        await asyncio.to_thread(eventually, lambda: len(spoken(tmp_path)) == 2, "two events")

        assert {event.what for event in spoken(tmp_path)} == {"task: duty", "task: uploads"}
        assert not await asyncio.to_thread(beats, desk)

    play(tmp_path, story)


def test_a_duty_loop_that_waits_for_ever_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not dead, and looks up nothing."""

    async def story(place: World, desk: Desk, heard: Outside) -> None:
        monkeypatch.setattr(
            wellness, "limits", lambda: wellness.Limits(
                loop_answers_within_s=10, duty_silent_s=-1.0, look_old_s=30, repeat_s=600
            ),
        )  # fmt: skip
        await desk.auditor.look()
        assert [one.kind for one in desk.auditor.unwell] == ["duty"]
        assert not await asyncio.to_thread(beats, desk)

    play(tmp_path, story)


def test_a_database_that_is_locked_is_said_at_once_and_written_down_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program holds the lock of writers and does not let go."""
    monkeypatch.setattr(signs, "LOCKED_AFTER_S", 0.05)

    async def story(place: World, desk: Desk, heard: Outside) -> None:
        await place.send(desk, dicom())
        holder = sqlite3.connect(tmp_path / "greenchannel.sqlite", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        await desk.auditor.look()
        assert [one.kind for one in desk.auditor.unwell] == ["database"]
        await asyncio.to_thread(eventually, lambda: heard.alarms, "an alarm")
        assert not await asyncio.to_thread(beats, desk)
        holder.execute("ROLLBACK")
        holder.close()
        await asyncio.to_thread(eventually, lambda: spoken(tmp_path), "an event once it is free")
        await desk.auditor.look()
        assert desk.auditor.unwell == ()

    play(tmp_path, story)


def test_a_database_whose_file_is_gone_is_found(tmp_path: Path) -> None:
    """Connections that are open go on into a file without a name; the auditor looks at the name."""

    async def story(place: World, desk: Desk, heard: Outside) -> None:
        await place.send(desk, dicom())
        file = tmp_path / "greenchannel.sqlite"
        file.rename(tmp_path / "elsewhere")
        await desk.auditor.look()
        await asyncio.to_thread(eventually, lambda: heard.alarms, "an alarm")
        assert not await asyncio.to_thread(beats, desk)
        (tmp_path / "elsewhere").rename(file)
        await desk.auditor.look()
        assert desk.auditor.unwell == ()

    play(tmp_path, story)


def test_a_log_that_cannot_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is overdue is not known then, and that is an alarm of its own."""

    async def story(place: World, desk: Desk, heard: Outside) -> None:
        def away() -> None:
            raise OSError("away")

        monkeypatch.setattr(desk.auditor._cases, "look", away)
        await desk.auditor.look()
        assert [one.kind for one in desk.auditor.unwell] == ["look"]
        await asyncio.to_thread(eventually, lambda: heard.alarms, "an alarm")

    play(tmp_path, story)


def test_a_disk_that_refuses_is_found(tmp_path: Path) -> None:
    """The data folder cannot be written: a folder lies where the probe would."""

    async def story(place: World, desk: Desk, heard: Outside) -> None:
        (tmp_path / signs.PROBE_FILE).unlink(missing_ok=True)
        (tmp_path / signs.PROBE_FILE).mkdir()
        await desk.auditor.look()
        assert [one.kind for one in desk.auditor.unwell] == ["disk"]
        assert not await asyncio.to_thread(beats, desk)

    play(tmp_path, story)


def test_an_auditor_that_looks_no_more_silences_the_heartbeat(tmp_path: Path) -> None:
    """The watcher is watched from outside."""

    async def story(place: World, desk: Desk, heard: Outside) -> None:
        desk.auditor.looked_s -= 3600
        assert not await asyncio.to_thread(beats, desk)

    play(tmp_path, story)


# ---------------------------------------------------------------- how it says it


def test_two_lives_write_one_event_for_one_thing(tmp_path: Path) -> None:
    """A restart says it again by its own way, under the same key; the log has it once."""
    with outside() as heard:
        place = world(tmp_path, heard)

        async def life(first: bool) -> None:
            async with place.desk() as desk:
                for task in desk._tasks:
                    if task.get_name() == "duty":
                        task.cancel()
                if first:
                    await place.send(desk, dicom())
                    connection = sqlite3.connect(tmp_path / "greenchannel.sqlite")
                    connection.execute("DELETE FROM deadlines WHERE kind LIKE 'alert_%'")
                    connection.commit()
                    connection.close()
                    place.pass_time(100)
                seen = len(heard.alarms)
                await desk.auditor.look()
                await asyncio.to_thread(eventually, lambda: len(heard.alarms) >= seen + 2, "alarms")

        asyncio.run(life(True))
        asyncio.run(life(False))
    assert [event.what for event in spoken(tmp_path)].count("step") == 1
    keys = [headers["webhook-id"] for headers, body in heard.alarms if "not escalated" in body.decode()]
    assert len(keys) == 2 and len(set(keys)) == 1


def test_an_alarm_that_is_not_taken_is_tried_again_and_blocks_nothing() -> None:
    """The auditor hands it over and looks on."""
    with outside() as heard:
        heard.refuse = 2
        alarm = DirectAlarm(f"{heard.url}/", SECRET, waits_s=(0.0, 0.01, 0.01, 0.01))
        began = time.monotonic()
        alarm.say("k", "text")
        assert time.monotonic() - began < 1.0
        eventually(lambda: heard.alarms, "the third attempt")
        alarm.close()
    assert heard.alarms[0][0]["webhook-id"] == "k"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the library's own modules
def test_a_library_address_is_told_through_it() -> None:
    """Any address of apprise; here its JSON service, which posts to a web address."""
    with outside() as heard:
        alarm = DirectAlarm(heard.url.replace("http", "json"), None, waits_s=(0.0,))
        alarm.say("k", "审计报警 text")
        eventually(lambda: heard.alarms, "a message")
        alarm.close()
    assert "审计报警" in json.loads(heard.alarms[0][1])["message"]


def test_a_plain_secret_and_an_encoded_one_sign_alike() -> None:
    """Both forms are in use."""
    encoded = "whsec_" + base64.b64encode(b"plain").decode()
    assert signature("plain", "k", 1, b"x") == signature(encoded, "k", 1, b"x")


@pytest.mark.parametrize(
    "given",
    [{"auditor_alarm_url": "https://h/x"}, {"heartbeat_url": "ftp://h"}, {"engine_heartbeat_url": "h"}],
)
def test_a_webhook_without_a_secret_and_an_odd_address_are_refused(given: dict[str, Any]) -> None:
    """At the start, in words, not at the first alarm."""
    with pytest.raises(SettingsError, match="expected"):
        load({}, None, data_dir="x", **given)


def test_the_settings_stay_silent_where_nothing_is_set(tmp_path: Path) -> None:
    """No address: no thread, no call."""
    settings = Settings(data_dir=tmp_path)
    assert settings.heartbeat_url is None and settings.auditor_alarm_url is None
    alarm = DirectAlarm(None, None)
    alarm.say("k", "t")
    assert alarm._thread is None
