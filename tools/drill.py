"""The outage drill: a real service, and everything that goes wrong in one night. Prints who received what, and when.

An infarction comes from a village. The first reader's telephone is dead and his board is closed; the chat's servers
are down for everybody; the database is away for half a minute, over the time of the second step; the service is killed
and started again; then the head of duty answers. Times are the plan's own (60 s, 120 s): nothing is shortened.

Exit status 1 where somebody was not called within five seconds of the due time, or of the end of the outage.
"""

import asyncio
import contextlib
import json
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import httpx

from greenchannel.alerts.channels import channels
from greenchannel.county import cast
from greenchannel.county.client import Client
from greenchannel.ingest.dicom_ecg_write import write_dicom_ecg
from greenchannel.service.channels import addresses
from greenchannel.service.channels.signing import sign
from greenchannel.signal.synthesis import synthesize
from greenchannel.store.contacts import Contacts
from greenchannel.store.engine import open_engine
from greenchannel.store.log import Log
from greenchannel.store.vault import Vault, load_or_make_master_key
from tests.served import Served, served

SECRET: Final = "whsec_" + "ZHJpbGwtZHJpbGwtZHJpbGwtZHJpbGwtZHJpbGwtZHI="
DEAD_PHONE: Final = "chen"  # whom nothing reaches
DOWN: Final = "wecom"  # the channel that fails for everybody
AWAY_FROM_S, AWAY_S, KILL_S, ANSWER_S = 40.0, 30.0, 90.0, 131.0  # after the ECG was sent
GRACE_S: Final = 5.0
STEPS: Final = {"first": 0.0, "second": 60.0, "head": 120.0}  # of alerts/escalation.toml


@dataclass(kw_only=True)
class Night:
    """What came to whom, in seconds after the ECG was sent."""

    began_s: float = 0.0
    lines: list[tuple[float, str, str, str]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)  # keys: a message shown once
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, who: str, where: str, what: str) -> None:
        """Write down one line."""
        with self.lock:
            self.lines.append((time.monotonic() - self.began_s, who, where, what))

    def first(self, who: str, where: str, what: str) -> float | None:
        """When a person first had something."""
        return min((s for s, a, b, c in self.lines if (a, b) == (who, where) and what in c), default=None)


@contextlib.contextmanager
def gateway(night: Night, service: Served) -> Iterator[str]:
    """A gateway for short messages and calls, and a chat whose servers are down: real HTTP on this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            _, person, channel = self.path.split("/")
            key = self.headers["webhook-id"]
            self.send_response(503 if channel == DOWN else 200)
            self.send_header("content-length", "0")
            self.end_headers()
            if channel == DOWN:
                night.note(person, channel, "刚才的消息被拒 refused: the chat is down")
                return
            kind = json.loads(body)["type"]
            if key in night.seen:
                night.note(person, channel, f"{kind}: 重复，未再显示 came again under its key, not shown")
                return
            night.seen.add(key)
            dead = person == DEAD_PHONE
            said = "手机无法接通 the telephone is dead" if dead else "已显示 shown"
            night.note(person, channel, f"{kind}: {said}")
            receipt(service, key, "failed" if dead else "delivered")

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def receipt(service: Served, key: str, status: str) -> None:
    """The gateway says what became of a message, and tries again for as long as the service is away."""
    body = json.dumps({"key": key, "status": status}).encode()

    def send() -> None:
        for _ in range(90):
            now_s = int(time.time())
            own_id = f"receipt-{key}"
            signed = {
                "webhook-id": own_id,
                "webhook-timestamp": str(now_s),
                "webhook-signature": sign(SECRET, own_id, now_s, body),
                "content-type": "application/json",
            }
            with contextlib.suppress(httpx.HTTPError):
                answer = httpx.post(
                    f"{service.base}/api/v1/receipts", content=body, headers=signed, trust_env=False
                )
                if answer.status_code < 500:
                    return
            time.sleep(1.0)

    threading.Thread(target=send, daemon=True).start()


def enter_contacts(folder: Path, address: str) -> None:
    """The doctors' telephones and chats, as an administrator enters them."""
    engine = open_engine(f"sqlite:///{folder / 'greenchannel.sqlite'}")
    vault = Vault(engine, load_or_make_master_key(folder / "master.key"))
    contacts = Contacts(engine, vault, channels())
    for person in ("chen", "lin", "zhao"):
        for channel in ("wecom", "sms", "phone"):
            form, where = addresses.checked(
                channel, f"{address}/{person}/{channel}", by_person=False, localhost=True, secret=SECRET
            )
            contacts.set(person, channel, form, where, now=datetime.now(UTC), by_person=False)
    engine.dispose()


def database_away(folder: Path, night: Night, for_s: float) -> None:
    """Nobody else can write for a while, as when a disk hangs or a server of the database is gone."""
    holder = sqlite3.connect(folder / "greenchannel.sqlite", timeout=30.0, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    night.note("服务 service", "-", f"数据库中断 {for_s:g} 秒 the database is away")
    time.sleep(for_s)
    holder.execute("ROLLBACK")
    holder.close()
    night.note("服务 service", "-", "数据库恢复 the database is back")


async def clinic_board(service: Served, night: Night, stop: asyncio.Event) -> None:
    """The clinic's page: comes back after every cut, and says what it shows."""

    shown = ""
    while not stop.is_set():
        with contextlib.suppress(Exception):
            async with Client(service.base) as wang:
                await wang.sign_in("wang", password("wang"))
                async with wang.live() as messages:
                    async for message in messages:
                        for row in (*message.get("cases", ()), message.get("row")):
                            words = alert_words(row)
                            if words and words != shown:
                                shown = words
                                night.note("wang", "诊室页面 clinic's page", words)
        await asyncio.sleep(0.5)


def alert_words(row: Any) -> str:
    """What a clinic reads of an alert."""
    alert = None if row is None else row.get("alert")
    if alert is None:
        return ""
    if alert["state"] == "acknowledged":
        return f"已应答 answered by {alert['acknowledged_by']['name']}"
    if alert["exhausted"]:
        return "暂无医生应答 no doctor has answered"
    return f"正在呼叫，第 {alert['step'] + 1} 步 calling, step {alert['step'] + 1} of {alert['steps']}"


def password(user: str) -> str:
    """Of a person of the invented county."""
    return next(one.password for one in cast.USERS if one.user == user)


async def play(service: Served, night: Night) -> str:
    """The night, by the clock. Returns the id of the alert's case."""

    stop = asyncio.Event()
    board = asyncio.create_task(clinic_board(service, night, stop))
    await asyncio.sleep(2.0)
    ecg = write_dicom_ecg(
        synthesize(scenario="extensive_anterior_high_lateral_stemi", seed=1, noise_mv=0.005),
        acquired=None,
        age_years=61.0,
        sex="male",
    )
    async with Client(service.base, token=service.tokens["ecg-yinzhao"]) as device:
        night.began_s = time.monotonic()
        night.lines.clear()
        sent = await device.send_ecg(ecg, patient_ref="drill", age=61, sex="male", chest_pain="yes")
    night.note("诊室 clinic", "-", "心电图已发送 ECG sent, confirmed")
    await at(night, AWAY_FROM_S)
    await asyncio.to_thread(database_away, service.folder, night, AWAY_S)
    await at(night, KILL_S)
    await asyncio.to_thread(service.kill)
    night.note("服务 service", "-", "服务被终止 killed")
    await asyncio.to_thread(service.start)
    night.note("服务 service", "-", "服务已重启 started again")
    await at(night, ANSWER_S)
    async with Client(service.base) as zhao:
        await zhao.sign_in("zhao", password("zhao"))
        case = await zhao.call("GET", f"/cases/{sent['case_id']}")
        await zhao.act(f"/alerts/{case['alert']['alert_id']}/ack")
        night.note("zhao", "值班台 board", "应答 answers")
        await asyncio.sleep(6.0)
        case = await zhao.call("GET", f"/cases/{sent['case_id']}")
    stop.set()
    board.cancel()
    print_people(case["alert"], night)
    return str(sent["case_id"])


async def at(night: Night, s: float) -> None:
    """Wait for a second of the night."""
    await asyncio.sleep(max(0.0, night.began_s + s - time.monotonic()))


def print_people(alert: Any, night: Night) -> None:
    """Who received what, and when."""
    print("\n秒 s    谁 who        渠道 channel            什么 what")
    for s, who, where, what in sorted(night.lines):
        print(f"{s:6.1f}  {who:12}  {where:20}  {what}")
    print("\n按病例记录 as the log has it:")
    for person in alert["people"]:
        marks = {
            name: person[name]
            for name in ("sent_at", "delivered_at", "unreachable_at", "acknowledged_at")
            if person[name] is not None
        }
        said = ", ".join(f"{name[:-3]} {at_[11:23]}" for name, at_ in marks.items())
        print(f"  {person['name']:8} {person['channel']:8} ×{person['rings']}  {said}")


def verdict(night: Night) -> list[str]:
    """What went otherwise than it must."""
    back_s = AWAY_FROM_S + AWAY_S
    due = {
        ("chen", "sms"): STEPS["first"],
        ("lin", "sms"): max(STEPS["second"], back_s),
        ("chen", "phone"): max(STEPS["second"], back_s),
        ("zhao", "sms"): STEPS["head"],
    }
    wrong = []
    for (who, where), at_s in due.items():
        came_s = night.first(who, where, "alert:")
        if came_s is None or came_s > at_s + GRACE_S:
            wrong.append(f"{who} by {where}: expected within {GRACE_S:g} s of {at_s:g} s, got {came_s}")
        else:
            print(f"  {who:6} {where:6} due {at_s:5.0f} s, came {came_s:6.1f} s")
    if night.first("lin", "sms", "alert_stop") is None:
        wrong.append("lin: expected to hear that the alert is answered")
    if night.first("wang", "诊室页面 clinic's page", "answered") is None:
        wrong.append("the clinic's page: expected to say who answered")
    return wrong


def main() -> int:
    """Play the drill and judge it."""
    night = Night()
    with tempfile.TemporaryDirectory(prefix="greenchannel-drill-") as folder:
        place = Path(folder) / "county"
        with served(place, contacts_localhost=True) as service:
            service.kill()  # contacts are entered beside a service that is down
            with gateway(night, service) as address:
                enter_contacts(place, address)
                service.start()
                print(
                    "演练开始，约两分半钟 the drill begins, it takes about two and a half minutes", flush=True
                )
                asyncio.run(play(service, night))
            service.stop()
        engine = open_engine(f"sqlite:///{place / 'greenchannel.sqlite'}")
        whole = Log(engine).verify().ok
        engine.dispose()
    print()
    wrong = verdict(night)
    if not whole:
        wrong.append("the log: expected an unbroken chain")
    for line in wrong:
        print(f"不合格 FAILED: {line}")
    print("演练合格 the drill is passed" if not wrong else "演练不合格 the drill is failed")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
