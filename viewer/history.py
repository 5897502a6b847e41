"""What happened to a case, line by line, in words."""

from typing import Any

from greenchannel.alerts.drill import WORD_EN, WORD_ZH
from greenchannel.alerts.history import describe, type_name
from greenchannel.clock import rfc3339
from greenchannel.events import (
    AlertDeclined,
    AlertEscalated,
    AlertHandedOver,
    AlertSent,
    CaseClosed,
    CaseOpened,
    ContextEntered,
    EcgAnalysed,
    Envelope,
    GreenChannelStoodDown,
    IdentityChecked,
    MilestoneRecorded,
    ReadingSigned,
    SameRecordingFound,
)
from greenchannel.viewer.directory import Directory
from greenchannel.viewer.doubts import format_name
from greenchannel.viewer.words import Word


def line(envelope: Envelope, names: Directory) -> dict[str, Any]:
    """One line of a case's history."""
    words = describe(envelope.event)
    detail = _detail(envelope, names)
    return {
        "seq": envelope.seq,
        "at": rfc3339(envelope.at),
        "type": type_name(envelope.event),
        "actor": envelope.actor,
        "actor_name": names.actor_name(envelope.actor),
        "zh": words.zh if detail is None else f"{words.zh}：{detail.zh}",
        "en": words.en if detail is None else f"{words.en}: {detail.en}",
    }


def _detail(envelope: Envelope, names: Directory) -> Word | None:
    match envelope.event:
        case CaseOpened() as e if e.drill_until is not None:
            return Word(WORD_ZH, WORD_EN)
        case ContextEntered() as e if e.note:
            return _both(e.note)
        case IdentityChecked() as e:
            return _both(e.note)
        case SameRecordingFound() as e:
            return Word(*format_name(e.of_format))
        case EcgAnalysed() as e:
            return _both(e.tier)
        case ReadingSigned() as e:
            return _both(f"{e.tier} {e.text}")
        case AlertSent() as e:
            return _both(names.person(e.person)["name"] or e.person)
        case AlertHandedOver() as e:
            return _both(names.person(e.to_person)["name"] or e.to_person)
        case AlertDeclined() | GreenChannelStoodDown() | CaseClosed() as e if e.reason:
            return _both(e.reason)
        case AlertEscalated() as e:
            return Word(f"第 {e.step + 1} 级", f"step {e.step + 1}")
        case MilestoneRecorded() as e:
            return _both(rfc3339(e.time.at))
        case _:
            return None


def _both(text: str) -> Word:
    return Word(text, text)
