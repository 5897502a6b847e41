"""Records of single cases for tests of forms and exports: written down here, so that what is expected can be read."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from greenchannel.alerts.quality.record import CaseRecord, RecordEcg, RecordTime

DAY: Final = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)
SECRETS: Final = ("王建国", "13800138000", "110101196001011234", "P-7f3a9c")

# What the people of this case typed, as they do when they tell of the past; the rest they pressed as it happened.
TYPED: Final = ("ONSET", "SPOKE_DOOR", "FMC")

# A transferred infarction: minutes after first contact, source, and whether a person said it.
TRANSFER: Final[tuple[tuple[str, float, str, bool], ...]] = (
    ("ONSET", -95, "clinic", True),
    ("SPOKE_DOOR", -2, "clinic", True),
    ("FMC", 0, "clinic", True),
    ("ECG1_ACQ", 4, "device", False),
    ("ECG_SENT", 5, "device", False),
    ("ECG_RECEIVED", 5.5, "server", False),
    ("ALERT_SENT", 5.6, "server", False),
    ("ECG_DX", 9, "server", False),
    ("ADVICE_BACK", 9, "server", False),
    ("DX", 10, "cardiologist", True),
    ("PCI_DECIDE", 11, "cardiologist", True),
    ("CATH_CALL", 12, "cardiologist", True),
    ("TRANSFER_DECIDE", 12, "clinic", True),
    ("ASPIRIN", 13, "clinic", True),
    ("P2Y12", 13.5, "clinic", True),
    ("SPOKE_OUT", 27, "clinic", True),
    ("HUB_DOOR", 66, "gps", False),
    ("CATH_READY", 35, "cathlab", True),
    ("CATH_ARRIVE", 70, "cathlab", True),
    ("CONSENT_START", 60, "cardiologist", True),
    ("CONSENT_SIGN", 68, "cardiologist", True),
    ("PUNCT_START", 76, "cathlab", True),
    ("ANGIO_START", 80, "cathlab", True),
    ("WIRE", 92, "cathlab", True),
    ("PROC_END", 120, "cathlab", True),
)


def time(at: datetime, source: str = "server", *, entered: bool = False, **more: Any) -> RecordTime:
    """A time that is known to the second."""
    plain: dict[str, Any] = {
        "at": at,
        "earliest": at,
        "latest": at,
        "uncertainty_s": 1.0,
        "source": source,
        "entered": entered,
    }
    return RecordTime(**plain | more)


def told(day: datetime, first_h: int, last_h: int, said: str) -> RecordTime:
    """A time of which only a part of a day was told."""
    earliest, latest = day + timedelta(hours=first_h), day + timedelta(hours=last_h)
    middle = earliest + (latest - earliest) / 2
    half_s = (latest - earliest).total_seconds() / 2
    return RecordTime(
        at=middle,
        earliest=earliest,
        latest=latest,
        uncertainty_s=half_s,
        source="clinic",
        told=said,
        entered=True,
        typed=True,
    )


def transfer(
    case_id: str = "c-1", *, fmc: datetime = DAY, without: tuple[str, ...] = (), **more: Any
) -> CaseRecord:
    """A transferred STEMI with a wire; `without` leaves out milestones, `more` replaces what the record says."""
    times = {
        name: time(fmc + timedelta(minutes=minute), source, entered=entered, typed=name in TYPED)
        for name, minute, source, entered in TRANSFER
        if name not in without
    }
    if "DX" in times:
        times["DX"] = time(fmc + timedelta(minutes=10), "cardiologist", entered=True, code="STEMI")
    ecg = RecordEcg(
        ecg_id=f"{case_id}-e1",
        way="upload",
        device="d-1",
        acquired=times.get("ECG1_ACQ"),
        received_at=fmc + timedelta(minutes=5.5),
        read_at=fmc + timedelta(minutes=9),
        reader="dr-li",
        acceptable=True,
        tier="ACT",
        rules=("STE-1",),
    )
    said: dict[str, Any] = {
        "case_id": case_id,
        "site": "clinic-yinzhao",
        "town": "Yinzhao",
        "referring": "clinic-yinzhao",
        "opened_at": fmc + timedelta(minutes=5.5),
        "state": "closed",
        "arrival_mode": 2,
        "doctor": "dr-wang",
        "reader": "dr-li",
        "age_years": 61.0,
        "sex": "male",
        "chest_pain": True,
        "diagnosis": "STEMI" if "DX" in times else None,
        "times": times,
        "facts": {"BYPASS_ED": "yes", "BYPASS_CCU": "yes", "KILLIP": "I"},
        "ecgs": (ecg,),
    }
    return CaseRecord(**said | more)
