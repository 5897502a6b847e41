"""A case with one ECG, and the words of its report."""

from datetime import UTC, datetime, timedelta
from typing import Any

from greenchannel.alerts.case import Case, Context
from greenchannel.alerts.ecg_state import Ecg, SignedReading
from greenchannel.events import ClockReading
from greenchannel.signal.recording import Recording
from greenchannel.viewer.report_content import Report, content

AT = datetime(2026, 3, 2, 8, 5, tzinfo=UTC)
NAMES = {"chen": "陈医生", "lin": "林医生"}


def signed(number: int, person: str, text: str, tier: str = "ACT", **more: Any) -> SignedReading:
    """A reading of some minutes after the ECG came."""
    at = AT + timedelta(minutes=number)
    return SignedReading(seq=number, at=at, person=person, text=text, tier=tier, **more)


def report_of(
    recording: Recording,
    analysis: dict[str, Any] | None = None,
    *,
    readings: tuple[SignedReading, ...] = (),
    acquired: ClockReading | None = None,
    person_name: str | None = None,
    english: bool = False,
    context: Context | None = None,
    drill_until: datetime | None = None,
) -> Report:
    """What the report of a man of 61 says, unless another is given."""
    ecg = Ecg(
        ecg_id="e_1",
        sha256="ab" * 32,
        format="dicom",
        device="ecg-yinzhao",
        leads=recording.leads,
        rate_hz=recording.rate_hz,
        duration_s=recording.duration_s,
        received_at=AT,
        acquired=acquired,
        readings=readings,
    )
    case = Case(
        case_id="c_1",
        site="yinzhao",
        patient="p_7f3a",
        arrival_mode=2,
        note=None,
        opened_at=AT,
        last_event_at=AT,
        seq=1,
        version=1,
        drill_until=drill_until,
        context=context or Context(age_years=61.0, sex="male", chest_pain=True),
        ecgs=(ecg,),
    )
    return content(
        case,
        ecg,
        recording,
        analysis,
        names=NAMES,
        site={"name_zh": "阴赵卫生院", "name_en": "Yinzhao Clinic"},
        network=("县胸痛中心", "County chest pain centre"),
        person_name=person_name,
        printed_at=AT,
        printed_by="陈医生",
        english=english,
    )
