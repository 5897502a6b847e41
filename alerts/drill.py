"""A drill: a case like any other, opened for practice, that says so wherever it is shown.

It rings the people on duty on their real channels, and its texts begin with 演练 DRILL. It counts nowhere: no
follow-up, no quality, no doubt about a patient. It stands below every real case of its section, nothing joins it, and
it ends by a person or at the due time that is frozen with its opening.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from typing import Final

import msgspec

from greenchannel.alerts.alert_deadlines import Deadline
from greenchannel.alerts.case import Case
from greenchannel.alerts.refusal import Refused
from greenchannel.alerts.tables import read_table, read_value
from greenchannel.events import AnyEvent, CaseClosed, CaseOpened, Envelope, GreenChannelStoodDown

DRILL_END: Final = "drill_end"  # the kind of its due time
WORD_ZH: Final = "演练"
WORD_EN: Final = "DRILL"
WORDS: Final = f"{WORD_ZH} {WORD_EN}"  # before every text of a message
IN_TEXTS: Final = "不是真实患者，请照常应答 / no real patient, answer as ever"
NOTE: Final = "演练，不是真实患者 / Drill: not a real patient"
ON_PAPER: Final = "演练 DRILL · 不是真实患者 no real patient"
BY_TIME: Final = "演练到时自动结束 / the drill has run out"
BY_PERSON: Final = "演练结束 / the drill is over"


def mark_zh(text: str) -> str:
    """A Chinese text of a drill; one that is marked stays as it is."""
    return text if text.startswith(f"【{WORD_ZH}】") else f"【{WORD_ZH}】{text}"


def mark_en(text: str) -> str:
    """An English text of a drill; one that is marked stays as it is."""
    return text if text.startswith(f"[{WORD_EN}]") else f"[{WORD_EN}] {text}"


def deadlines(envelope: Envelope, case: Case) -> list[Deadline]:
    """Return the due time that the opening of a drill sets: its end."""
    event = envelope.event
    if not isinstance(event, CaseOpened) or event.drill_until is None:
        return []
    return [
        Deadline(
            id=f"{case.case_id}:{DRILL_END}",
            due_at=event.drill_until,
            kind=DRILL_END,
            stream=envelope.stream,
            payload={},
        )
    ]


def end(case: Case, reason: str) -> list[AnyEvent]:
    """Return what ends a drill, whatever of it is unanswered or open; one that is over gives nothing.

    Raises
    ------
    Refused
        The case is no drill: a real one does not end like this.
    """
    if not case.is_drill:
        raise Refused("no_drill", "这不是演练病例", "expected a drill, got a real case", 409)
    if case.state != "open":
        return []
    channel = case.channel
    down: list[AnyEvent] = []
    if channel.state == "open" and channel.channel_id is not None:
        down = [GreenChannelStoodDown(channel_id=channel.channel_id, reason=reason)]
    return [*down, CaseClosed(reason=reason)]


def require_real(*cases: Case) -> None:
    """Raise `Refused` where one of the cases is a drill: nothing real goes into one, and nothing of it out."""
    if any(case.is_drill for case in cases):
        raise Refused(
            "drill_case",
            "演练病例不能与真实病例合并、拆分或接收心电图",
            "expected a real case, got a drill: nothing joins it, and nothing of it goes elsewhere",
            409,
        )


def running(cases: Iterable[Case], now: datetime) -> list[Case]:
    """The drills that are under way, the one that ends first before the others."""
    found = [case for case in cases if case.is_drill and case.state == "open"]
    return sorted(found, key=lambda case: (case.drill_until or now, case.case_id))


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A synthetic ECG that a drill may show."""

    name: str  # of `signal.synthesis`
    zh: str
    en: str


@cache
def scenarios() -> dict[str, Scenario]:
    """What a drill may show, the usual one first."""
    return {row.name: row for row in read_table("drill", "scenario", Scenario)}


@cache
def number(name: str) -> float:
    """A number of ``drill.toml``."""
    return read_value("drill", name, float)


def until(now: datetime, minutes: float | None) -> datetime:
    """When a drill of this length ends; raises `Refused` for one that is too short or too long."""
    least, most = number("least_min"), number("most_min")
    chosen = number("default_min") if minutes is None else minutes
    if not least <= chosen <= most:
        raise Refused(
            "drill_length",
            f"演练时长应为 {least:g} 到 {most:g} 分钟，收到 {chosen:g}",
            f"expected a drill of {least:g} to {most:g} minutes, got {chosen:g}",
            422,
        )
    return now + timedelta(minutes=chosen)
