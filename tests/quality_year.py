"""A year of a county as records, to look at quality pages: all chest-pain patients, with ECGs, alerts, facts and gaps.

Infarctions come from `quality_months`; everything else is added here. Every number is a tester's choice. Planted:
ordering the ambulance takes longer in May, one clinic never says when it first saw the patient, one records badly.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
import numpy as np
from numpy.random import Generator

from greenchannel.alerts.quality.record import CaseRecord, RecordAlert, RecordEcg, RecordTime
from tests.quality_months import Planted, county, month

START: Final = datetime(2025, 6, 30, 16, 0, tzinfo=UTC)  # 1 July on the wall clock
MONTHS: Final = 12
SLOW_MONTH: Final = 10  # May: ordering the ambulance
STEMI_A_MONTH: Final = 30
OTHERS_A_MONTH: Final = 90
TOWNS: Final = (
    *("东河", "西山", "南洼", "北岗", "柳林", "杨集", "石桥"),
    *("枣园", "白塔", "青龙", "双庙", "三合", "马店", "新安"),
)
SITES: Final = tuple(f"c{n:02d}" for n in range(len(TOWNS)))
NEVER_FMC: Final = "c03"
BAD_ECG: Final = "c05"
LEFT_OUT: Final = (("ARREST", 0.04), ("ACCESS", 0.02), ("CONSENT_REFUSED", 0.03))
LATE: Final = ("DELAY_CONSENT", "DELAY_FAMILY", "DELAY_LAB")
READERS: Final = ("chen", "lin", "zhao")
LEADS: Final = ("V1", "V2", "V4", "V5", "V6", "aVL", "II")


def site_names() -> dict[str, tuple[str, str]]:
    """Chinese and English names of the clinics, by id."""
    return {site: (f"{town}卫生院", f"Clinic {site[1:]}") for site, town in zip(SITES, TOWNS, strict=True)}


def year(seed: int = 7) -> tuple[CaseRecord, ...]:
    """Twelve months of records, oldest first."""
    rng = np.random.default_rng(seed)
    place = county(rng)
    records: list[CaseRecord] = []
    for n in range(MONTHS):
        start = START + timedelta(days=30.4 * n)
        planted = Planted("ordering", 20.0) if n == SLOW_MONTH else None
        stemi = month(rng, place, start, STEMI_A_MONTH, planted)
        others = month(rng, place, start, OTHERS_A_MONTH)
        records += [_dressed(rng, one) for one in stemi]
        records += [_dressed(rng, _not_stemi(rng, one)) for one in others]
    return tuple(sorted(records, key=lambda one: (one.opened_at, one.case_id)))


def _not_stemi(rng: Generator, record: CaseRecord) -> CaseRecord:
    """Somebody with chest pain who needs no wire."""
    kept = ("ONSET", "FMC", "ECG1_ACQ", "ECG_RECEIVED", "ECG_DX", "HUB_DOOR")
    diagnosis = rng.choice(["UA", "NSTEMI", "other_cardiac", ""], p=[0.2, 0.1, 0.3, 0.4])
    return msgspec.structs.replace(
        record,
        diagnosis=str(diagnosis) or None,
        times={name: time for name, time in record.times.items() if name in kept},
    )


def _dressed(rng: Generator, record: CaseRecord) -> CaseRecord:
    stemi = record.diagnosis == "STEMI"
    site = SITES[int(record.site[-3:]) % len(SITES)] if record.site != "hub" else "hub"
    times = dict(record.times)
    if site == NEVER_FMC:
        times.pop("FMC", None)
    if stemi:
        door = times.get("HUB_DOOR") or times.get("FMC")
        for name, after_min in (("TROP_DRAW", 6.0), ("TROP_RESULT", 22.0), ("ASPIRIN", 9.0), ("DX", 5.0)):
            if door is not None and rng.random() < 0.8:
                times[name] = _after(door, after_min * float(rng.lognormal(0.0, 0.3)))
    facts = {name: "yes" for name, share in LEFT_OUT if stemi and rng.random() < share}
    late = (str(rng.choice(LATE)),) if stemi and rng.random() < 0.2 else ()
    ecg = _ecg(rng, record, times, site, stemi=stemi)
    return msgspec.structs.replace(
        record,
        site=site,
        town=None if site == "hub" else TOWNS[SITES.index(site)],
        referring=site if record.arrival_mode == 2 and site != "hub" else None,
        site_kind="hub" if site == "hub" else "clinic",
        doctor=READERS[int(rng.integers(len(READERS)))] if stemi else None,
        reader=ecg.reader,
        ambulance=str(rng.choice(["120", "own", "other"])) if record.arrival_mode in (1, 2) else None,
        age_years=float(rng.integers(38, 88)),
        sex=str(rng.choice(["male", "female"])),
        chest_pain=True,
        times=times,
        facts=facts | ({"REPERFUSION": "ppci"} if stemi else {}),
        reasons=late,
        ecgs=(ecg,),
        alerts=_alerts(rng, record, ecg, stemi=stemi),
    )


def _after(time: RecordTime, minutes: float) -> RecordTime:
    at = time.at + timedelta(minutes=minutes)
    return RecordTime(at=at, earliest=at, latest=at, uncertainty_s=5.0, source="ed", entered=True)


def _ecg(
    rng: Generator, record: CaseRecord, times: dict[str, RecordTime], site: str, *, stemi: bool
) -> RecordEcg:
    acquired = times.get("ECG1_ACQ")
    begun = acquired.at if acquired is not None else record.opened_at
    sent = begun + timedelta(minutes=float(rng.lognormal(0.2, 0.6)))
    received = sent + timedelta(minutes=float(rng.lognormal(-0.5, 0.8)))
    lost = rng.random() < 0.03
    bad = rng.random() < (0.25 if site == BAD_ECG else 0.05)
    reader = READERS[int(rng.integers(len(READERS)))]
    slow = {"chen": 1.3, "lin": 1.5, "zhao": 2.2}[reader]
    return RecordEcg(
        ecg_id=f"e_{record.case_id[5:]}",
        way="upload",
        device=f"ecg-{site}",
        acquired=acquired,
        sent_at=sent,
        received_at=None if lost else received,
        opened_at=None if lost else received + timedelta(minutes=1),
        read_at=None if lost else received + timedelta(minutes=float(rng.lognormal(slow, 0.6))),
        reader=None if lost else reader,
        acceptable=None if lost else not bad,
        bad_leads=(str(rng.choice(LEADS)),) if bad else (),
        tier="ACT" if stemi else "NONE",
        rules=("STE-1",) if stemi else (),
        read_tier="ACT" if stemi else "NONE",
        agrees=True,
        clock_offset_s=float(rng.normal(0.0, 20.0)) + (400.0 if site == "c08" else 0.0),
    )


def _alerts(rng: Generator, record: CaseRecord, ecg: RecordEcg, *, stemi: bool) -> Sequence[RecordAlert]:
    if not stemi and rng.random() > 0.06:
        return ()
    opened = ecg.received_at or record.opened_at
    confirmed = stemi and rng.random() < 0.93
    return (
        RecordAlert(
            alert_id=f"a_{record.case_id[5:]}",
            tier="ACT",
            rules=(str(rng.choice(["STE-1", "STE-1", "DEWINTER", "LBBB-1"])),),
            opened_at=opened,
            acknowledged_at=opened + timedelta(minutes=float(rng.lognormal(0.0, 0.5))),
            acknowledged_by=ecg.reader,
            end="confirmed" if confirmed else "cancelled",
            occlusion_later=None if confirmed else bool(stemi and rng.random() < 0.5),
        ),
    )
