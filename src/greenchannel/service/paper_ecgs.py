"""Paper ECGs: what is said of a photograph or a PDF in place of an analysis. A reader is asked for, always."""

from typing import Any, Final

from greenchannel.events import EcgNotAnalysed
from greenchannel.triage.finding import Tier

PAPER: Final = "paper"
TIER: Final = Tier.URG  # [E] nobody knows what it shows: an over-read within ten minutes, as for any doubt

_KINDS: Final = {"pdf": ("PDF", "PDF")}
_PHOTOGRAPH: Final = ("照片", "photograph")


def not_analysed(ecg_id: str, kind: str) -> EcgNotAnalysed:
    """The event that leaves a paper ECG to a person. `kind` is that of `greenchannel.ingest.paper`."""
    return EcgNotAnalysed(ecg_id=ecg_id, tier=TIER.value, reason=PAPER, findings=[finding(kind)])


def finding(kind: str) -> dict[str, Any]:
    """What the board shows, in the form of a finding of the analyze object."""
    zh, en = _KINDS.get(kind, _PHOTOGRAPH)
    return {
        "id": "PAPER",
        "tier": TIER.value,
        "zh": f"纸质心电图（{zh}），未作自动分析：请医师尽快阅读，并先核对纸上的姓名和时间",
        "en": f"Paper ECG ({en}), not analysed: please read it soon, and first check name and time on the paper",
        "territories": [],
        "evidence": [],
        "downgraded_by": [],
        "restored_by": [],
        "explanation": {
            "en": "Nothing is measured on a picture. Whose it is and when it was recorded stand on the paper alone.",
            "zh": "图片不作测量。姓名和采集时间只见于纸面，须人工核对。",
        },
    }
