"""An earlier recording as the rules compare with it, from what was said of it then."""

from collections.abc import Mapping
from typing import Any

from greenchannel.triage.finding import Earlier, Tier


def earlier_of(analysis: Mapping[str, Any], *, ecg_id: str, same_episode: bool, age_days: float) -> Earlier:
    """What of an analyze object is compared: the J levels of its usable leads, its tier and the rules that fired.

    Parameters
    ----------
    analysis : an analyze object of any version
    same_episode : of this patient episode; otherwise of another one of the same patient
    age_days : how long before the present recording
    """
    quality = analysis["quality"]
    trusted = quality["st_reliable"] and quality["reversal"] in (None, "LEAD-4")
    levels = {
        lead: float(values["stj_mv"])
        for lead, values in analysis["measurements"]["leads"].items()
        if trusted and values["usable"] and lead not in quality["bad_leads"] and values["stj_mv"] is not None
    }
    return Earlier(
        ecg_id=ecg_id,
        same_episode=same_episode,
        age_days=age_days,
        tier=Tier(analysis["tier"]),
        stj_mv=levels,
        rules=tuple(finding["id"] for finding in analysis["findings"]),
        version=analysis["version"]["rules"],
    )
