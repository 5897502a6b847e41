"""What became of the ECGs that were sent: their states, the doctor's advice, and the server's clock beside ours."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from greenchannel.agent.item import Item
from greenchannel.agent.link import Link, LinkDown
from greenchannel.agent.spool import Spool
from greenchannel.ingest.agent_answers import Trouble, trouble, trouble_of
from greenchannel.ingest.agent_clock import AgentClock, Tick, compare
from greenchannel.ingest.agent_plan import poll_at
from greenchannel.ingest.device_clock import ClockOffset

_LAST: Final = ("advised", "acted")  # states after which little is to come


class Advice(msgspec.Struct, frozen=True):
    """What a doctor advises."""

    text: str
    name: str | None = None


class Signed(msgspec.Struct, frozen=True):
    """A doctor's reading."""

    text: str
    tier: str
    name: str | None = None


class Row(msgspec.Struct, frozen=True):
    """One ECG in the answer; see `viewer.routes_agent`."""

    ecg_id: str
    case_id: str
    seq: int
    states: dict[str, str | None]
    tier: str | None = None
    advice: Advice | None = None
    reading: Signed | None = None
    record_again: dict[str, Any] | None = None


class Heard(msgspec.Struct, frozen=True):
    """The answer."""

    received_at: datetime
    server_time: datetime
    ecgs: list[Row] = []
    gone: list[str] = []


class Follower:
    """Asks for the states of several ECGs at once."""

    def __init__(self, spool: Spool, link: Link, tick: Callable[[], Tick]) -> None:
        self._spool = spool
        self._link = link
        self._tick = tick
        known = spool.fact("clock", ClockOffset)
        self.clock = AgentClock(offset=known)

    def poll(self, numbers: Sequence[int]) -> Trouble | None:
        """Ask, and note what is new; gives what went wrong. Without numbers it asks for the time alone."""
        items = [self._spool.get(number) for number in numbers]
        asked = self._tick()
        said: dict[str, Any] = {
            "agent_clock": asked.at.isoformat(timespec="microseconds"),
            "ecgs": {item.ecg_id: item.seq for item in items if item.ecg_id},
        }
        if (offset := self.clock.sayable(asked.at)) is not None:
            said |= {"offset_s": offset.offset_s, "uncertainty_s": min(offset.uncertainty_s, 3600.0)}
        try:
            reply = self._link.request(
                "POST", "/contact", {"Content-Type": "application/json"}, msgspec.json.encode(said)
            )
        except LinkDown as error:
            return error.trouble
        found = trouble_of(reply, "states")
        if found is not None:
            return found
        answered = self._tick()
        try:
            heard = msgspec.json.decode(reply.body, type=Heard)
        except msgspec.MsgspecError as error:
            return trouble("link", "protocol", reply.status, got=str(error)[:100])
        self._note_clock(asked, answered, heard)
        self._note_states(items, heard, answered.at)
        return None

    def _note_clock(self, asked: Tick, answered: Tick, heard: Heard) -> None:
        try:
            measured = compare(
                asked=asked,
                answered=answered,
                received_at=heard.received_at,
                replied_at=heard.server_time,
            )
        except ValueError:  # a clock was set just now: the next contact will tell
            return
        before, self.clock = self.clock, self.clock.heard(measured)
        if self.clock.offset != before.offset:
            self._spool.note_fact("clock", self.clock.offset)

    def _note_states(self, items: Sequence[Item], heard: Heard, now: datetime) -> None:
        rows = {row.ecg_id: row for row in heard.ecgs}
        for item in items:
            row = rows.get(item.ecg_id or "")
            states = item.states if row is None else row.states
            over = all(states.get(name) for name in _LAST)
            next_at = None if item.ecg_id in heard.gone else poll_at(item.sent_at or now, now, over=over)
            changes: dict[str, Any] = {"poll_at": next_at}
            if row is not None:
                changes |= {
                    "case_id": row.case_id,
                    "seq": row.seq,
                    "states": row.states,
                    "server_tier": row.tier,
                    "record_again": row.record_again,
                    "diagnosis": None if row.reading is None else row.reading.text,
                    "signed_tier": None if row.reading is None else row.reading.tier,
                    "advice": None if row.advice is None else row.advice.text,
                    "advice_by": None if row.advice is None else row.advice.name,
                }
            self._spool.change(item.number, **changes)
