"""Moved electrodes: the true names of the leads of one recording, and one reading over the recordings of an episode.

Leads of other recordings are put beside those of the present one, each with its own values; nothing is averaged, and
each evidence says from which recording it comes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from typing import Any, Final

import msgspec

from greenchannel.signal.leads import POSTERIOR, PRECORDIAL, RIGHT
from greenchannel.signal.measurements import LeadMeasurement
from greenchannel.signal.recording import Recording
from greenchannel.triage.rule_rows import Mark

_MOVED: Final = {*POSTERIOR, *RIGHT}


class ElectrodeSet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the chest cables of a recording were."""

    name: str
    places: dict[str, str]  # name in the file → true name
    unknown: tuple[str, ...]  # cables whose place has no lead name here
    source: str
    mark: Mark


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    join_within_min: float
    electrode_set: tuple[ElectrodeSet, ...]


_TABLE: Final = msgspec.toml.decode(
    (files("greenchannel") / "triage/electrode_sets.toml").read_text(encoding="utf-8"), type=_File
)
SETS: Final = {row.name: row for row in _TABLE.electrode_set}
JOIN_WITHIN_MIN: Final = _TABLE.join_within_min
"""Recordings of one episode no further apart are read together."""


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """A lead measured in another recording of the episode."""

    ecg_id: str
    values: LeadMeasurement


def truly_named(recording: Recording) -> Recording:
    """The recording with its leads called by where the electrodes were.

    A file that names V7 or V3R itself knows what it recorded and stays as it is. A cable at a place that no rule knows
    is left out.
    """
    names, rows = true_leads(recording.leads, recording.electrode_set)
    if names == recording.leads:
        return recording
    return replace(recording, leads=names, samples_mv=recording.samples_mv[list(rows)])


def true_leads(leads: tuple[str, ...], electrode_set: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The true names of leads, and which of them are left: their rows."""
    told = SETS.get(electrode_set)
    if told is None or _MOVED & set(leads) or not set(told.places) & set(leads):
        return leads, tuple(range(len(leads)))
    rows = tuple(i for i, name in enumerate(leads) if name not in told.unknown)
    return tuple(told.places.get(leads[i], leads[i]) for i in rows), rows


def beside(own: Sequence[str], analyses: Mapping[str, Mapping[str, Any]]) -> dict[str, Beside]:
    """Chest leads that the present recording has not, from other recordings of the episode.

    Parameters
    ----------
    own : leads of the present recording
    analyses : the analyze objects of the others by ECG id; where two have the same lead the first wins
    """
    found: dict[str, Beside] = {}
    for ecg_id, analysis in analyses.items():
        quality = analysis["quality"]
        if not quality["st_reliable"] or quality["reversal"] not in (None, "LEAD-4"):
            continue  # what could propose nothing by itself must not do so beside another
        for lead, values in analysis["measurements"]["leads"].items():
            if lead in own or lead in found or lead not in (*PRECORDIAL, *POSTERIOR, *RIGHT):
                continue
            known = {name: values[name] for name in LeadMeasurement._fields if name in values}
            if lead not in quality["bad_leads"] and known.get("usable"):
                found[lead] = Beside(ecg_id=ecg_id, values=LeadMeasurement(**known))
    return found
