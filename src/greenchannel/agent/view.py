"""What the clinic sees of its ECGs, for the terminal and for the page alike. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from greenchannel.agent.item import Item
from greenchannel.clock import rfc3339
from greenchannel.ingest.agent_answers import Trouble
from greenchannel.ingest.agent_plan import URGENT_TIERS

MOST_SHOWN: Final = 40


class Step(NamedTuple):
    """One state of an ECG, in the order in which they come."""

    key: str
    zh: str
    en: str


STEPS: Final = (
    Step("sent", "已发送", "sent"),
    Step("received", "已送达", "received"),
    Step("analysed", "已自动分析", "analysed"),
    Step("opened", "医生已查看", "opened"),
    Step("diagnosed", "已诊断", "diagnosed"),
    Step("advice", "医生建议", "advice"),
)

# The machine's tiers in words; it never says that nothing is wrong.
TIER_WORDS: Final = {
    "ACT": ("自动分析：急性心肌梗死可能", "automatic: possible acute infarction"),
    "CRIT": ("自动分析：危急值", "automatic: critical finding"),
    "URG": ("自动分析：需紧急复核", "automatic: urgent review"),
    "FLAG": ("自动分析：有提示", "automatic: a finding to note"),
    "REC": ("自动分析：请再做一份", "automatic: record again"),
    "NONE": ("自动分析：无规则触发（不等于无病）", "automatic: no rule fired (does not exclude disease)"),
}
NOT_READ: Final = ("未能自动分析，由医生查看", "not read automatically; a doctor will look")
LATE: Final = (
    "附带信息在发送之后才到，服务器没有：请电话告知医生",
    "what stands beside this file came after it was sent, and the server does not have it: tell the doctor by phone",
)
DISK: Final = (
    "本机磁盘写不进去（可能已满）：新的心电图可能收不下，请立即腾出空间；急症请打电话",
    "this computer's disk takes nothing more (full?): new ECGs may not be taken; make room, phone where it is urgent",
)
UNCONFIRMED: Final = ("未审核", "unconfirmed")


def ecg_view(item: Item) -> dict[str, Any]:
    """One ECG as it is shown."""
    tier = item.signed_tier or item.server_tier or item.tier
    words = _words(item, tier)
    return {
        "number": item.number,
        "name": item.name,
        "patient_ref": item.fields.get("patient_ref"),
        "found_at": rfc3339(item.found_at),
        "stage": item.stage,
        "percent": percent(item),
        "steps": [
            {"key": step.key, "zh": step.zh, "en": step.en, "at": _reached(item, step.key)} for step in STEPS
        ],
        "urgent": tier in URGENT_TIERS,
        "acute": tier in ("ACT", "CRIT"),
        "tier": tier,
        "tier_zh": words[0],
        "tier_en": words[1],
        "advice": item.advice,
        "advice_by": item.advice_by,
        "advice_heard": item.advice is not None and item.advice == item.advice_heard,
        "record_again": item.record_again,
        "trouble": trouble_view(item.trouble),
        "note": item.note,
        "late": {"zh": LATE[0], "en": LATE[1]} if item.amended and item.stage == "taken" else None,
        "again": item.stage == "refused",
        "put_aside": item.put_aside,
    }


def view(
    items: Sequence[Item],
    *,
    server: str,
    link: Trouble | None,
    heard_at: datetime | None,
    offset_s: float | None,
    disk_trouble: str | None,
    watch_trouble: str | None,
    at: datetime,
) -> dict[str, Any]:
    """Everything that is shown: unheard advice first, then what was refused and is not put aside, then the newest."""
    shown = sorted(items, key=lambda item: (not unheard(item), not _is_refused(item), -item.number))
    return {
        "now": rfc3339(at),
        "server": server,
        "connected": link is None and heard_at is not None,
        "heard_at": None if heard_at is None else rfc3339(heard_at),
        "trouble": trouble_view(link),
        "disk_trouble": None if disk_trouble is None else _disk(disk_trouble),
        "watch_trouble": watch_trouble,
        "clock_off_s": offset_s,
        "waiting": sum(item.stage in ("found", "waiting") for item in items),
        "taken": sum(item.stage == "taken" for item in items),
        "refused": sum(_is_refused(item) for item in items),
        "unheard": [item.number for item in items if unheard(item)],
        "ecgs": [ecg_view(item) for item in shown[:MOST_SHOWN]],
    }


def _is_refused(item: Item) -> bool:
    return item.stage == "refused" and not item.put_aside


def _disk(said: str) -> dict[str, str]:
    return {"zh": DISK[0], "en": DISK[1], "more": said}


def unheard(item: Item) -> bool:
    """Is there advice that nobody here has answered?"""
    return item.advice is not None and item.advice != item.advice_heard


def percent(item: Item) -> int | None:
    """How much of an ECG is on the server while it is being sent; None before and after."""
    if item.stage != "waiting" or not item.wire_bytes:
        return None
    return int(100 * item.offset / item.wire_bytes)


def trouble_view(trouble: Trouble | None) -> dict[str, Any] | None:
    """Why something does not go on, in both languages."""
    if trouble is None:
        return None
    more = "; ".join(
        f"{word} {value}" for word, value in (("expected", trouble.expected), ("got", trouble.got)) if value
    )
    return {"code": trouble.code, "zh": trouble.zh, "en": trouble.en, "more": more or None}


def _words(item: Item, tier: str | None) -> tuple[str, str]:
    """What is said of the ECG: by the doctor who signed, else by the machine, unconfirmed; "" where by nobody."""
    if item.diagnosis is not None:
        return f"医生诊断：{item.diagnosis}", f"the doctor's reading: {item.diagnosis}"
    words = TIER_WORDS.get(tier or "")
    if words is not None:
        return f"{words[0]}（{UNCONFIRMED[0]}）", f"{words[1]} ({UNCONFIRMED[1]})"
    return ("", "") if item.stage in ("found", "refused") else NOT_READ


def _reached(item: Item, key: str) -> str | None:
    """When a state was reached; "sent" by this computer's clock, the others by the server's."""
    if key == "sent":
        return None if item.sent_at is None else rfc3339(item.sent_at)
    return item.states.get("advised" if key == "advice" else key)
