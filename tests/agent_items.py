"""ECGs of an invented clinic in every state, for what shows them."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from greenchannel.agent.item import Item
from greenchannel.agent.view import view
from greenchannel.ingest.agent_answers import Trouble, trouble

T0: Final = datetime(2026, 5, 1, 8, 5, 12, tzinfo=UTC)


def at(seconds: float) -> str:
    return (T0 + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def item(number: int, **more: Any) -> Item:
    """One ECG that was found, `number` minutes after the first."""
    said: dict[str, Any] = {
        "number": number,
        "key": f"k{number}",
        "sha256": f"{number:064x}",
        "size_bytes": 143_000,
        "name": f"ECG_2026050116{number:02d}.dcm",
        "way": "folder",
        "found_at": T0 + timedelta(minutes=number),
    }
    return Item(**(said | more))


def clinic_items() -> list[Item]:
    """From just found to advised, and one that was refused."""
    states = {
        "received": at(3),
        "analysed": at(4),
        "alerted": at(4),
        "opened": at(31),
        "diagnosed": at(95),
        "advised": at(95),
        "acted": None,
    }
    return [
        item(
            1,
            stage="taken",
            urgency="urgent",
            tier="ACT",
            server_tier="ACT",
            fields={"patient_ref": "ZY-0043"},
            sent_at=T0 + timedelta(seconds=3),
            states=states,
            diagnosis="急性前壁心肌梗死",
            signed_tier="ACT",
            advice="平卧吸氧，阿司匹林 300 mg 嚼服；请加做 V3R V4R V7–V9，救护车已出发。",
            advice_by="陈医生",
        ),
        item(
            2,
            stage="taken",
            urgency="calm",
            amended=True,
            tier="REC",
            server_tier="REC",
            sent_at=T0 + timedelta(minutes=2),
            states={"received": at(121), "analysed": at(122)},
            record_again={
                "zh": "V6 电极脱落，请重新连接后再做一份",
                "en": "V6 is off: reconnect it",
                "leads": ["V6"],
            },
        ),
        item(
            3,
            stage="refused",
            name="报告 2026-05-01.docx",
            trouble=Trouble(
                whose="refused",
                code="unknown_format",
                en="the content is of no format known here",
                zh="不支持这种内容类型",
                status=415,
                expected="a DICOM, SCP-ECG, XML, EDF, ISHNE, MFER, HL7 v2, FHIR or CSV file",
                got="bytes that begin 50 4b 03 04",
            ),
        ),
        item(4, stage="waiting", urgency="urgent", tier="URG", wire_bytes=40_000, offset=16_800),
        item(5, stage="found"),
    ]


def shown(link: Trouble | None = None, **more: Any) -> dict[str, Any]:
    """What the clinic sees of them."""
    said: dict[str, Any] = {
        "server": "https://heart.example",
        "link": link,
        "heard_at": T0 + timedelta(minutes=6),
        "offset_s": -0.3,
        "disk_trouble": None,
        "watch_trouble": None,
        "at": T0 + timedelta(minutes=7),
    }
    return view(clinic_items(), **(said | more))


def offline() -> dict[str, Any]:
    """The same behind a hotel's sign-in page."""
    return shown(trouble("link", "captive_portal", 200, got="200, text/html"))
