"""Devices' clocks, reports, erasure."""

from typing import Any

from greenchannel.events.base import Aware, Event


class DeviceClockMeasured(Event, frozen=True, kw_only=True):
    """The offset of a device's clock against the server's, estimated at one contact."""

    device: str
    offset_s: float  # device minus server
    uncertainty_s: float


class ClockReportMade(Event, frozen=True, kw_only=True):
    """The clocks of all devices as they stood after a week, the worst first."""

    week: str  # ISO, "2026-W48"
    starts: Aware
    ends: Aware
    devices: list[dict[str, Any]]  # as `ingest.clock_report` gives them


class PatientErased(Event, frozen=True, kw_only=True):
    """The key of a patient was destroyed; names and original files of this patient cannot be read any more."""

    patient: str
    reason: str
