"""Does the log say what truly happened? A line of the truth and its case in, what does not fit out."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from greenchannel.alerts.case import Case
from greenchannel.alerts.milestones import milestones
from greenchannel.alerts.record_commands import said_by
from greenchannel.alerts.timeline import timeline

EXACT_S: Final = 0.001
GATE_S: Final = 60.0  # from a fence to the gate in it, and between two positions  [E]
CONTACT_S: Final = 3.0  # beside its uncertainty, of a device's clock that was compared  [E]
DRIFTED_S: Final = 1.0
ONLY_ON: Final = {
    "pci": ("PCI_DECIDE", "CATH_CALL", "CATH_READY", "CONSENT_START", "CONSENT_SIGN", "WIRE", "PROC_END"),
    "lysis": ("LYSIS_START",),
}
"""Required times that exist on one way of reperfusion alone.  [D]"""
TYPED: Final = "person"
"""The clock of a time that somebody typed; a press has the server's."""


def problems(line: Mapping[str, Any], case: Case | None) -> list[str]:
    """What the log does not say as it was recorded; empty where all of it fits."""
    if case is None:
        return [f"{line['number']}: no case {line['case_id']}"]
    found = [f"{line['number']}: {text}" for one in line["recorded"] if (text := _wrong(line, one, case))]
    known = {value.milestone: value for value in case.values if value.source != "server" or value.key is None}
    said = {one["milestone"] for one in line["recorded"]}
    allowed = said | _BESIDE
    found += [f"{line['number']}: nobody recorded {name}" for name in known if name not in allowed]
    return found


_BESIDE: Final = {
    "ECG_SENT",
    "ECG_ALGO",
    "ECG_OPENED",
    "ADVICE_BACK",
    "ADVICE_SEEN",
    "GREEN_CANCEL",
    "FEEDBACK_SENT",
    "FEEDBACK_SEEN",
}
"""What follows by itself from what was done."""


def _wrong(line: Mapping[str, Any], one: Mapping[str, Any], case: Case) -> str | None:
    name, how = one["milestone"], one["how"]
    stands = said_by(case, name, one["source"])
    if one["at"] is None:
        return None if stands is None else f"{name} should be unknown, the log has {stands.time.at}"
    if stands is None:
        return f"{name} by {one['source']} is not in the log"
    off_s = abs((stands.time.at - datetime.fromisoformat(one["at"])).total_seconds())
    most_s = EXACT_S
    if how == "gps":
        most_s = GATE_S + (stands.time.uncertainty_s or 0.0)
    elif how == "device":
        compared = stands.time.uncertainty_s
        most_s = DRIFTED_S if compared is None else CONTACT_S + compared
    return None if off_s <= most_s else f"{name} by {one['source']} ({how}) is {off_s:.1f} s off"


def required(case: Case, path: str | None) -> tuple[str, ...]:
    """The times that the national form asks for, in this arrival mode and on this way of reperfusion."""
    elsewhere = {name for way, names in ONLY_ON.items() if way != path for name in names}
    return tuple(
        spec.id
        for spec in milestones().values()
        if spec.required and spec.exists_in(case.arrival_mode) and spec.id not in elsewhere
    )


def filled(case: Case, path: str | None) -> tuple[int, int, int]:
    """Of the required times: how many there are without anybody's typing, how many typed ones besides, how many in all.

    A press at the instant, a position, a device and the service are no typing; every time with an hour that a person
    said is, also that of an onset beside the ECG.
    """
    asked = required(case, path)
    stands = {one.spec.id: one.valid for one in timeline(case).entries if one.valid is not None}
    there = [stands[name] for name in asked if name in stands]
    typed = sum(value.time.clock == TYPED for value in there)
    return len(there) - typed, typed, len(asked)
