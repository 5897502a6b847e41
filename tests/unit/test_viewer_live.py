"""The fan-out and its rows, without a socket."""

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any, cast

import msgspec
from structlog.testing import capture_logs

from greenchannel.alerts.case import Case
from greenchannel.clock import ManualClock
from greenchannel.events import (
    AlertAcknowledged,
    AlertOpened,
    CaseClosed,
    CaseOpened,
    ContextEntered,
    IdentityChecked,
    IdentityConflictRaised,
    ImagePatientDoubted,
    ImageRefused,
    ReadingSigned,
)
from greenchannel.service.hub import Hub
from greenchannel.store.accounts import Accounts, Site, User
from greenchannel.viewer.access import RightsClass
from greenchannel.viewer.directory import Directory
from greenchannel.viewer.live import LOW_MARK_BYTES, Client, LiveFanout
from greenchannel.viewer.places import order_of
from greenchannel.viewer.wire import CaseRows, case_row, worst_leads
from tests.viewer_book import START, Book, names

ALL = RightsClass(sites=None)


def test_an_urgent_case_moves_up_when_its_clock_runs_out() -> None:
    """Only its place changes; the row is made anew for it and for no other."""
    book, rows = Book(), CaseRows(names())
    urgent, flagged = book.open("c_u", "URG"), book.open("c_f", "FLAG")
    before = [rows.row(case, START) for case in (urgent, flagged)]
    later = START + timedelta(minutes=11)
    after = [rows.row(case, later) for case in (urgent, flagged)]

    assert after[0] is not before[0] and after[1] is before[1]
    assert rows.row(urgent, later + timedelta(hours=3)) is after[0]
    assert order_of(urgent, later) < order_of(urgent, START)


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
    shown: dict[str, Any] = {"at": "2026-05-01T16:05:00.000Z", "existing_ecg_id": "e_old", "ecg_id": None}
    shown |= {"study_uid": None, "differs": []}
    assert row["identity_conflicts"] == [shown]


def test_images_of_another_person_are_asked_until_somebody_has_looked() -> None:
    """The row names the study, of what was taken and of what was refused; other bytes are no other person."""
    book = Book()
    book.add("c_1", CaseOpened(case_id="c_1", site="s", patient="p"))
    book.add("c_1", ImagePatientDoubted(study_uid="1.2", sha256="0", differs=("name",)))
    book.add("c_1", ImageRefused(study_uid="1.4", sha256="2", reason="other_bytes"))
    asked = book.add("c_1", ImageRefused(study_uid="1.3", sha256="1", reason="other_patient"))[1]
    answered = book.add("c_1", IdentityChecked(note="a new name"))[1]

    row = case_row(asked, names(), START)
    asked_of = [(one["study_uid"], one["differs"]) for one in row["identity_conflicts"]]
    assert asked_of == [("1.2", ["name"]), ("1.3", [])]
    assert case_row(answered, names(), START)["identity_conflicts"] == []


def test_a_later_reading_without_advice_takes_no_advice_back() -> None:
    """The clinic keeps what it was told, beside the newest reading."""
    book = Book()
    book.open("c_1", "ACT")
    told = ReadingSigned(ecg_id="e_c_1", text="梗死", tier="ACT", advice="立即嚼服阿司匹林")
    book.add("c_1", told)
    amended = ReadingSigned(ecg_id="e_c_1", text="下壁梗死", tier="ACT", advice=None)
    row = case_row(book.add("c_1", amended)[1], names(), START)

    assert (row["reading"]["text"], row["reading"]["advice"]) == ("下壁梗死", None)
    assert row["newest_advice"]["advice"] == "立即嚼服阿司匹林"


def test_advice_taken_back_is_shown_with_what_it_was_until_there_is_newer() -> None:
    """It does not stand as advice any more; the clinic sees what holds no more, and why."""
    book = Book()
    book.open("c_1", "ACT")
    row = book.add("c_1", ReadingSigned(ecg_id="e_c_1", text="梗死", tier="ACT", advice="嚼服阿司匹林"))[1]
    given = case_row(row, names(), START)
    assert given["advice_withdrawn"] is None
    assert given["ecgs"][0]["standing_advice"] == "嚼服阿司匹林"
    back = ReadingSigned(ecg_id="e_c_1", text="主动脉夹层", tier="ACT", withdraws=True)
    shown = case_row(book.add("c_1", back)[1], names(), START)
    assert shown["newest_advice"] is None
    assert shown["ecgs"][0]["standing_advice"] is None
    said = shown["advice_withdrawn"]
    assert (said["text"], said["withdrawn"], said["advice"]) == ("主动脉夹层", "嚼服阿司匹林", None)

    again = ReadingSigned(ecg_id="e_c_1", text="主动脉夹层", tier="ACT", advice="禁用抗凝")
    shown = case_row(book.add("c_1", again)[1], names(), START)
    assert shown["newest_advice"]["advice"] == "禁用抗凝"
    assert shown["advice_withdrawn"] is None


def fanout_over(hub: Hub, clock: ManualClock, rows: CaseRows | None = None, **more: Any) -> LiveFanout:
    chosen: dict[str, Any] = {"mark_every_s": 60.0, "client_bytes": 256 * 1024} | more
    return LiveFanout(hub=hub, clock=clock, rows=rows or CaseRows(names()), **chosen)


def test_a_message_is_sent_to_those_who_may_see_the_site_and_waves_give_way() -> None:
    """Events reach every client of the site; samples only those that watch and are not behind."""

    async def story() -> None:
        book, hub, clock = Book(), Hub(), ManualClock(START)
        hub.start(0, [])
        fanout = fanout_over(hub, clock)
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


class Stumbling(CaseRows):
    """Rows of which some cannot be made."""

    broken: frozenset[str] = frozenset()

    def row(self, case: Case, now: datetime) -> msgspec.Raw:
        if case.case_id in self.broken:
            raise RuntimeError("expected a row")
        return super().row(case, now)


def test_after_a_fault_nobody_hears_a_mark_that_is_not_true() -> None:
    """One row of two cannot be made: every client is let go, and comes back to a snapshot, by whatever number."""

    async def story() -> None:
        book, hub, rows = Book(), Hub(), Stumbling(names())
        hub.start(0, [])
        fanout = fanout_over(hub, ManualClock(START), rows)
        client = fanout.attach(ALL, None)
        await client.next()
        rows.broken = frozenset({"c_1"})
        with capture_logs() as logs:
            hub._publish(
                [book.add(f"c_{n}", CaseOpened(case_id=f"c_{n}", site="s", patient="p")) for n in (1, 2)]
            )
        assert [entry["log_level"] for entry in logs] == ["error"]
        fanout.mark(client)
        assert client.too_slow.is_set() and not client._waiting
        fanout.detach(client)

        rows.broken = frozenset()
        for after in (0, 1, 2):
            back = fanout.attach(ALL, after)
            assert [row["case_id"] for row in json.loads(await back.next())["cases"]] == ["c_1", "c_2"]
            fanout.detach(back)
        hub._publish([book.add("c_2", ContextEntered(age_years=61.0))])
        later = fanout.attach(ALL, 3)
        assert json.loads(await later.next())["type"] == "mark"  # what came after the fault is known again
        fanout.detach(later)

    asyncio.run(story())


def test_a_fault_in_a_tick_ends_the_clients_and_not_the_ticking() -> None:
    """The next client gets its marks."""

    async def story() -> None:
        book, hub, rows, clock = Book(), Hub(), Stumbling(names()), ManualClock(START)
        book.open("c_1", "URG")
        hub.start(book.seq, book.cases.values())
        fanout = fanout_over(hub, clock, rows, mark_every_s=0.001)
        client = fanout.attach(ALL, None)
        await client.next()
        rows.broken = frozenset({"c_1"})
        clock.move_to(START + timedelta(minutes=11))
        with capture_logs() as logs:
            await asyncio.wait_for(client.too_slow.wait(), 5)
        assert len(logs) == 1
        rows.broken = frozenset()
        back = fanout.attach(ALL, hub.seq)
        assert json.loads(await back.next())["type"] == "snapshot"
        assert json.loads(await asyncio.wait_for(back.next(), 5))["type"] in {"order_changed", "mark"}
        for one in (client, back):
            fanout.detach(one)

    asyncio.run(story())


def test_the_rows_of_a_snapshot_are_one_text_until_something_visible_changes() -> None:
    """Clients of equal rights share it; an event of another site makes none anew."""

    async def story() -> None:
        book, hub = Book(), Hub()
        for site in "st":
            book.open(f"c_{site}", "ACT", site)
        hub.start(book.seq, book.cases.values())
        fanout = fanout_over(hub, ManualClock(START))
        here = RightsClass(sites=frozenset({"s"}))
        clients = [fanout.attach(here, None) for _ in range(2)]
        hub._publish([book.add("c_t", ContextEntered(age_years=61.0))])
        clients.append(fanout.attach(here, None))
        parts = [client._waiting[0][0] for client in clients]
        assert parts[0][1] is parts[1][1] is parts[2][1]
        assert json.loads("".join(parts[2]))["seq"] == hub.seq
        hub._publish([book.add("c_s", ContextEntered(age_years=62.0))])
        assert fanout.attach(here, None)._waiting[0][0][1] is not parts[0][1]

    asyncio.run(story())


def test_what_a_client_missed_is_a_snapshot_where_it_is_more_than_may_wait() -> None:
    """A replay belongs to one client; the rows of a snapshot belong to all."""

    async def story() -> None:
        book, hub = Book(), Hub()
        hub.start(0, [])
        fanout = fanout_over(hub, ManualClock(START), client_bytes=5_000)
        hub._publish(
            [book.add(f"c_{n}", CaseOpened(case_id=f"c_{n}", site="s", patient="p")) for n in range(20)]
        )
        kinds = []
        for after in (hub.seq - 2, hub.seq - 15):
            client = fanout.attach(ALL, after)
            kinds.append(json.loads(await client.next())["type"])
            fanout.detach(client)
        assert kinds == ["case_opened", "snapshot"]

    asyncio.run(story())


def test_of_ten_thousand_cases_the_board_has_the_few_that_count() -> None:
    """Open ones, ringing ones, and those of the last day; the row of one that leaves is not kept."""
    book, hub, rows = Book(), Hub(), CaseRows(names())
    now = START + timedelta(days=9)
    for number in range(1000):
        book.open(f"c_{number}", "NONE")
        book.add(f"c_{number}", CaseClosed(reason="over"))
    book.open("c_open", "NONE")
    book.open("c_rings", "ACT")
    book.add("c_rings", AlertOpened(alert_id="a", tier="ACT", ecg_id="e_c_rings", rules=(), plan=()))
    book.add("c_rings", CaseClosed(reason="by mistake"))
    book.open("c_late", "NONE", at=now - timedelta(hours=2))
    book.add("c_late", CaseClosed(reason="over"), now - timedelta(hours=1))

    async def story() -> None:
        hub.start(book.seq, book.cases.values())
        fanout = fanout_over(hub, ManualClock(now), rows)
        board = fanout.board(now)
        assert {case.case_id for case in board} == {"c_open", "c_rings", "c_late"}
        rows.rows(board, now)
        for case in book.cases.values():
            rows.row(case, now)
        assert {*rows._rows} == {"c_open", "c_rings", "c_late"}
        assert len(fanout.board(now + timedelta(hours=23))) == 2
        assert {*rows._rows} == {"c_open", "c_rings"}

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
