"""What a detector said of a study, on the wire: under the banner, and never that nothing is there."""

from typing import Any

import msgspec

from greenchannel.events import ImageDetected
from greenchannel.triage.detectors.plugin import BANNER, QUANTITIES, DetectorResult, Evidence, Status
from greenchannel.triage.detectors.registry import CARDS
from greenchannel.triage.detectors.volume import REASONS, Words


def detected_json(one: ImageDetected) -> dict[str, Any]:
    """One word of a detector with what it measured. A hint (`raised` false, with evidence) is said as well: its only
    reader is who opens the study."""
    evidence = _measured(one)
    reason = one.reason if one.reason in REASONS else "failed"
    result = DetectorResult(
        plugin=one.plugin,
        version=one.version,
        status=Status(one.status),
        raised=one.raised,
        reason=reason,
        evidence=evidence,
    )
    card = CARDS.get(one.plugin)
    return {
        "plugin": one.plugin,
        "version": one.version,
        "title": None
        if card is None
        else words(card.title),  # of a model of the hospital's own its name stands
        "status": one.status,
        "raised": one.raised,
        "reason": one.reason,
        "said": words(result.said),
        "evidence": [_evidence(value) for value in evidence],
        "banner": words(BANNER),
    }


def _measured(one: ImageDetected) -> tuple[Evidence, ...]:
    """Of the log, which holds what any version wrote; what is of another form is left out, and the rest is said."""
    try:
        return msgspec.convert((one.evidence or {}).get("values") or [], tuple[Evidence, ...])
    except msgspec.ValidationError:
        return ()


def _evidence(one: Evidence) -> dict[str, Any]:
    known = QUANTITIES.get(one.quantity)
    place = None if one.place is None else {"zh": one.place_zh or one.place, "en": one.place}
    return {
        "quantity": one.quantity,
        "name": {"zh": one.quantity, "en": one.quantity}
        if known is None
        else {"zh": known.zh, "en": known.en},
        "unit": "" if known is None else known.unit,
        "value": one.value,
        "relation": one.relation,
        "threshold": one.threshold,
        "place": place,
    }


def words(said: Words) -> dict[str, str]:
    """Both languages."""
    return {"zh": said.zh, "en": said.en}
