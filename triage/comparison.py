"""An earlier recording as the rules compare with it, from what was said of it then."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from greenchannel.signal.serial import AMPLITUDE_MV, MeasuredBeat
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


INTERVALS = {
    "rate_bpm": "heart_rate_bpm",
    "pr_ms": "pr_ms",
    "qrs_ms": "qrs_ms",
    "qtc_ms": "qtc_fridericia_ms",
    "axis_deg": "axis_deg",
}
"""How the comparison calls what an analyze object measured."""


def measured_beat(analysis: Mapping[str, Any], *, electrode_set: str) -> MeasuredBeat | None:
    """The median beat of an analyze object with its measurements, to compare; None where it has no beat.

    Parameters
    ----------
    analysis : an analyze object of any version
    electrode_set : where its chest electrodes were
    """
    median, measured = analysis.get("median"), analysis["measurements"]
    if median is None:
        return None
    leads = tuple(median["samples_mv"])
    rows = [measured["leads"].get(lead, {}) for lead in leads]
    rate_hz = median["rate_hz"]
    return MeasuredBeat(
        leads=leads,
        usable=np.array([bool(row.get("usable")) for row in rows]),
        beat_mv=np.array(list(median["samples_mv"].values()), dtype=np.float64),
        qrs_on=round(median["qrs_on_s"] * rate_hz),
        qrs_off=round(median["qrs_off_s"] * rate_hz),
        amplitudes={key: np.array([row.get(key) for row in rows], dtype=np.float64) for key in AMPLITUDE_MV},
        intervals={name: measured.get(key) for name, key in INTERVALS.items()},
        electrode_set=electrode_set,
        reversal=analysis["quality"]["reversal"],
    )
