"""Which values of an analysis may be drawn on which trace, and how they are written there."""

from collections.abc import Mapping
from typing import Any

from greenchannel.triage.quantities import quantity
from greenchannel.viewer.paper_layout import Strip


def evidence_of(lead: str, interpretation: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The evidence of one lead by quantity; where several rules rest on one quantity, the first one stands.

    What was measured on another trace (swapped electrodes put right, another ECG) is not shown on this one, and what is
    of the whole recording stands on no lead.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for finding in interpretation["findings"]:
        for item in finding["evidence"]:
            if item["lead"] == lead and item.get("trace") is None:
                found.setdefault(item["quantity"], item)
    return found


def is_st_level(name: str) -> bool:
    """Is it a level of ST, which a line on the trace can show?"""
    return name == "stj_mv" or (name.startswith("st") and name[2:-3].isdigit())


def after_j_s(name: str) -> float:
    """How far behind J a level of ST is taken."""
    digits = name[2:-3]
    return int(digits) / 1000 if digits.isdigit() else 0.0


def evidence_text(item: Mapping[str, Any], *, english: bool = False) -> str:
    """As in "J点ST段 +0.31 mV (限 0.20)"; a threshold below zero is for a depression."""
    row = quantity(item["quantity"])
    name, limit = (row.en, "limit") if english else (row.zh, "限")
    if item["value"] is None or item["threshold"] is None:
        return name
    value, threshold = row.written(item["value"]), f"{item['threshold']:.{row.digits}f}"
    return f"{name} {value.replace('-', '−')} ({limit} {threshold.replace('-', '−')})"


def whole_beat(strip: Strip, interpretation: Mapping[str, Any]) -> tuple[float, float] | None:
    """QRS onset and offset of the first beat that lies in the strip with its ST segment, in seconds."""
    for beat in interpretation["fiducials"]["beats"]:
        on_s, off_s = beat["qrs_on_s"], beat["qrs_off_s"]
        if on_s is None or off_s is None:
            continue
        # Not under the lead's name, and with room for J+80 ms.
        if on_s > strip.from_s + 0.15 and off_s + 0.2 < strip.to_s:
            return on_s, off_s
    return None
