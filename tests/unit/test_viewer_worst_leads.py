"""Which two leads stand for a case on the board."""

from typing import Any

from greenchannel.alerts.ecg_state import Ecg
from greenchannel.viewer.wire import worst_leads


def read(*evidence: dict[str, Any]) -> Ecg:
    """An ECG whose one finding rests on this."""
    whole = {"quantity": "stj_mv", "threshold": 0.1, "rule": "STE-1", "relation": ">=", "trace": None}
    finding = {"id": "STE-1", "tier": "ACT", "evidence": [{**whole, **one} for one in evidence]}
    return Ecg(ecg_id="e_1", leads=("I", "II", "III", "V1"), final_tier="ACT", final_findings=(finding,))


def test_the_leads_farthest_beyond_their_threshold_are_shown() -> None:
    """Below a lower limit as well as above an upper one, depression as well as elevation."""
    two = read(
        {"lead": "I", "value": 0.11},
        {"lead": "II", "value": 0.2},
        {"lead": "V1", "value": -0.3, "threshold": -0.1},
    )
    low = read({"lead": "I", "value": 0.12}, {"lead": "III", "value": 0.02, "relation": "<"})

    assert worst_leads(two) == ["V1", "II"]
    assert worst_leads(low) == ["III", "I"]


def test_what_was_measured_elsewhere_chooses_no_lead_of_this_recording() -> None:
    """Neither the whole recording's evidence, nor that of corrected leads or another ECG; old readings say no trace."""
    elsewhere = read(
        {"lead": None, "value": 150.0, "quantity": "qrs_ms", "threshold": 120.0},
        {"lead": "I", "value": 0.9, "trace": "corrected"},
        {"lead": "V1", "value": 0.9, "trace": "e_2"},
    )
    old = read({"lead": "II", "value": 0.2})
    del old.findings[0]["evidence"][0]["trace"], old.findings[0]["evidence"][0]["relation"]

    assert worst_leads(elsewhere) == []
    assert worst_leads(old) == ["II"]
