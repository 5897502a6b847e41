"""The fan-out and its rows, without a socket."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from greenchannel.alerts import case as case_fold
from greenchannel.alerts.case import Case
from greenchannel.clock import ManualClock
from greenchannel.events import (
    AlertAcknowledged,
    AlertOpened,
    AnyEvent,
    CaseClosed,
    CaseOpened,
    ContextEntered,
    EcgAnalysed,
    EcgReceived,
    Envelope,
    IdentityConflictRaised,
    ReadingSigned,
)
from greenchannel.service.hub import Hub
from greenchannel.store.accounts import Accounts, Site, User
from greenchannel.viewer.access import RightsClass
from greenchannel.viewer.directory import Directory
from greenchannel.viewer.live import LOW_MARK_BYTES, Client, LiveFanout
from greenchannel.viewer.wire import CaseRows, case_row, order_of, worst_leads

START = datetime(2026, 5, 1, 16, 5, tzinfo=UTC)
ALL = RightsClass(sites=None)


class Book:
    """Cases folded one event at a time, with numbers as a log gives them."""

    def __init__(self) -> None:
        self.seq = 0
        self.cases: dict[str, Case] = {}

    def add(self, case_id: str, event: AnyEvent, at: datetime = START) -> tuple[Envelope, Case]:
        self.seq += 1
        known = self.cases.get(case_id)
        envelope = Envelope(
            seq=self.seq,
            stream=f"case:{case_id}",
            version=known.version + 1 if known else 1,
            at=at,
            clock="server",
            actor="service",
            event=event,
        )
        self.cases[case_id] = case_fold.fold(known, envelope)
        return envelope, self.cases[case_id]

    def open(self, case_id: str, tier: str, site: str = "s", at: datetime = START) -> Case:
        self.add(case_id, CaseOpened(case_id=case_id, site=site, patient="p"), at)
        ecg_id = f"e_{case_id}"
        self.add(case_id, EcgReceived(
            ecg_id=ecg_id, sha256="0", size_bytes=1, way="upload", format="wfdb", device=None,
            leads=("II", "V2", "V3"), rate_hz=500.0, duration_s=10.0,
        ), at)  # fmt: skip
        evidence = [
            {"lead": lead, "quantity": "stj_mv", "value": value, "threshold": 0.2, "rule": "STE-1"}
            for lead, value in (("II", 0.21), ("V2", 0.4), ("V3", 0.6))
        ]
        finding = {"id": "STE-1", "tier": tier, "zh": "抬高", "en": "elevation", "evidence": evidence}
        return self.add(case_id, EcgAnalysed(
            ecg_id=ecg_id, tier=tier, findings=[] if tier == "NONE" else [finding], acceptable=True, bad_leads=(),
            advice=[], software="0", rules="1", analysis_sha256="0",
        ), at)[1]  # fmt: skip


def names() -> Directory:
    return Directory(cast(Accounts, None))  # never refreshed: sites and people go by their ids


def test_an_urgent_case_moves_up_when_its_clock_runs_out() -> None:
    """Only its place changes; the row is made anew for it and for no other."""
    book, rows = Book(), CaseRows(names())
    urgent, flagged = book.open("c_u", "URG"), book.open("c_f", "FLAG")
    for case in (urgent, flagged):
        rows.row(case, START)
    later = START + timedelta(minutes=11)

    assert [case.case_id for case, _ in rows.moved([urgent, flagged], later)][:1] == ["c_u"]
    assert order_of(urgent, later) < order_of(urgent, START)
    assert list(rows.moved([urgent], later)) == []


def test_the_row_names_the_worst_leads_and_never_says_normal() -> None:
    """The leads farthest beyond their threshold; without a finding the tier's own words."""
    book = Book()
    row = case_row(book.open("c_1", "ACT"), names(), START)
    quiet = case_row(book.open("c_2", "NONE"), names(), START)

    assert row["worst_leads"] == ["V3", "V2"] == worst_leads(book.cases["c_1"].worst_ecg)
    assert row["headline_zh"] == "抬高" and quiet["headline_zh"] == "没有规则触发"
    assert "normal" not in json.dumps(quiet, default=str)


def test_an_alert_that_rang_for_more_than_the_final_reading_says_so() -> None:
    """Until a person has signed, the headline names the rule that rang, never "no rule fired"."""
    book = Book()
    book.open("c_1", "NONE")
    rang = AlertOpened(alert_id="a_1", tier="ACT", ecg_id="e_c_1", rules=("STE-1",), plan=())
    row = case_row(book.add("c_1", rang)[1], names(), START)
    assert row["tier"] == "ACT"
    assert row["headline_zh"] == "流式初步分析曾触发 STE-1（立即），最终分析未触发：请人工复核"
    assert row["headline_en"].startswith("A provisional reading fired STE-1 (act now); the final one did not")

    book.open("c_2", "URG")
    milder = AlertOpened(alert_id="a_2", tier="ACT", ecg_id="e_c_2", rules=("STE-1",), plan=())
    said = case_row(book.add("c_2", milder)[1], names(), START)
    assert said["headline_en"].startswith(
        "A provisional reading said act now, the final one says urgent over-read"
    )

    book.add("c_1", AlertAcknowledged(alert_id="a_1", person="chen"))
    signed = book.add("c_1", ReadingSigned(ecg_id="e_c_1", text="读过", tier="NONE", advice=None))[1]
    assert case_row(signed, names(), START)["headline_zh"] == "没有规则触发"


def test_a_closed_case_without_an_ecg_does_not_wait_for_one() -> None:
    """And an ECG that came for two patients is named in the row."""
    book = Book()
    conflict = IdentityConflictRaised(sha256="0", existing_ecg_id="e_old")
    book.add("c_1", CaseOpened(case_id="c_1", site="s", patient="p"))
    row = case_row(book.add("c_1", conflict)[1], names(), START)
    closed = case_row(book.add("c_1", CaseClosed(reason="over"))[1], names(), START)

    assert row["headline_en"] == "no ECG yet" and closed["headline_en"] == "no ECG in this case"
    assert row["identity_conflicts"] == [{"at": "2026-05-01T16:05:00.000Z", "existing_ecg_id": "e_old"}]


def test_a_message_is_sent_to_those_who_may_see_the_site_and_waves_give_way() -> None:
    """Events reach every client of the site; samples only those that watch and are not behind."""

    async def story() -> None:
        book, hub, clock = Book(), Hub(), ManualClock(START)
        hub.start(0, [])
        fanout = LiveFanout(
            hub=hub, clock=clock, rows=CaseRows(names()), mark_every_s=60.0, client_bytes=256 * 1024
        )
        one, other = fanout.attach(ALL, None), fanout.attach(RightsClass(sites=frozenset({"t"})), None)
        for client in (one, other):
            assert json.loads(await client.next())["type"] == "snapshot"
        hub._publish([book.add("c_1", CaseOpened(case_id="c_1", site="s", patient="p"))])
        hub._publish([book.add("c_1", ContextEntered(age_years=61.0))])
        assert [json.loads(await one.next())["seq"] for _ in range(2)] == [1, 2]
        fanout.watch(one, "e_1")
        wave: dict[str, Any] = {"type": "wave", "ecg_id": "e_1", "samples": "x" * (LOW_MARK_BYTES - 100)}
        for _ in range(3):
            hub.wave("e_1", "c_1", wave)
        hub._publish([book.add("c_1", ContextEntered(sex="male"))])
        got = [json.loads(await one.next())["type"] for _ in range(2)]
        assert got == ["wave", "context_entered"]
        fanout.mark(other)
        assert json.loads(await other.next()) == {
            "type": "mark", "seq": 3, "server_time": "2026-05-01T16:05:00.000Z",
        }  # fmt: skip
        for client in (one, other):
            fanout.detach(client)
        assert fanout.clients == 0 and not hub.wave_wanted

    asyncio.run(story())


def test_a_client_above_the_high_mark_is_given_up_and_the_snapshot_does_not_count() -> None:
    """Its queue is emptied, so that it costs nothing until its socket is closed."""
    client = Client(ALL, 1000)
    client.put_first("x" * 5000)
    client.put("y" * 900, 900)
    assert not client.too_slow.is_set()
    client.put("z" * 200, 200)
    assert client.too_slow.is_set() and not client._waiting


def test_the_first_enabled_hub_is_whom_to_telephone() -> None:
    """A clinic is none, a disabled hub is none; without one nobody is named."""

    class FewSites:
        found: tuple[Site, ...] = ()

        def users(self) -> list[User]:
            return []

        def sites(self) -> list[Site]:
            return list(self.found)

    def fallback(*found: Site) -> dict[str, Any] | None:
        accounts = FewSites()
        accounts.found = found
        directory = Directory(cast(Accounts, accounts))
        asyncio.run(directory.refresh())
        return directory.fallback()

    clinic = Site(id="a", name_zh="乡", name_en="A", kind="clinic", phone="1", timezone="Asia/Shanghai")
    old = Site(
        id="b", name_zh="旧", name_en="B", kind="hub", phone="2", timezone="Asia/Shanghai", disabled=True
    )
    hub = Site(id="c", name_zh="县", name_en="C", kind="hub", phone="3", timezone="Asia/Shanghai")
    assert fallback(clinic, old) is None
    assert fallback(hub, clinic, old) == {"phone": "3", "name_zh": "县", "name_en": "C"}
