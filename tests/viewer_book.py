"""Cases made event by event, for the tests of rows, places and the fan-out."""

from datetime import UTC, datetime
from typing import cast

from greenchannel.alerts import case as case_fold
from greenchannel.alerts.case import Case
from greenchannel.events import AnyEvent, CaseOpened, EcgAnalysed, EcgReceived, Envelope
from greenchannel.store.accounts import Accounts
from greenchannel.viewer.directory import Directory

START = datetime(2026, 5, 1, 16, 5, tzinfo=UTC)


class Book:
    """Cases folded one event at a time, with numbers as a log gives them."""

    def __init__(self) -> None:
        self.seq = 0
        self.cases: dict[str, Case] = {}

    def add(self, case_id: str, event: AnyEvent, at: datetime = START) -> tuple[Envelope, Case]:
        self.seq += 1
        known = self.cases.get(case_id)
        envelope = Envelope(
            seq=self.seq,
            stream=f"case:{case_id}",
            version=known.version + 1 if known else 1,
            at=at,
            clock="server",
            actor="service",
            event=event,
        )
        self.cases[case_id] = case_fold.fold(known, envelope)
        return envelope, self.cases[case_id]

    def open(self, case_id: str, tier: str, site: str = "s", at: datetime = START) -> Case:
        """A case with one ECG that was read."""
        self.add(case_id, CaseOpened(case_id=case_id, site=site, patient="p"), at)
        self.receive(case_id, f"e_{case_id}", at)
        return self.read(case_id, f"e_{case_id}", tier, at)

    def receive(self, case_id: str, ecg_id: str, at: datetime = START) -> Case:
        """One more ECG that nobody has read."""
        return self.add(case_id, EcgReceived(
            ecg_id=ecg_id, sha256="0", size_bytes=1, way="upload", format="wfdb", device=None,
            leads=("II", "V2", "V3"), rate_hz=500.0, duration_s=10.0,
        ), at)[1]  # fmt: skip

    def read(self, case_id: str, ecg_id: str, tier: str, at: datetime = START) -> Case:
        """The machine's reading of one ECG."""
        evidence = [
            {"lead": lead, "quantity": "stj_mv", "value": value, "threshold": 0.2, "rule": "STE-1"}
            for lead, value in (("II", 0.21), ("V2", 0.4), ("V3", 0.6))
        ]
        finding = {"id": "STE-1", "tier": tier, "zh": "抬高", "en": "elevation", "evidence": evidence}
        return self.add(case_id, EcgAnalysed(
            ecg_id=ecg_id, tier=tier, findings=[] if tier == "NONE" else [finding], acceptable=True, bad_leads=(),
            advice=[], software="0", rules="1", analysis_sha256="0",
        ), at)[1]  # fmt: skip


def names() -> Directory:
    return Directory(cast(Accounts, None))  # never refreshed: sites and people go by their ids
