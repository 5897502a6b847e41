"""A signed text is to lie in its study as an object: said in the commit of the signature, done by `report_filing`."""

import msgspec

from greenchannel.store import chore_rows
from greenchannel.store.chore_rows import Chore
from greenchannel.store.writer import Tx


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a row says."""

    study_uid: str
    report_id: str


def want(tx: Tx, *, study_uid: str, report_id: str, patient: str) -> None:
    """A text was signed: have it filed, in the same commit."""
    payload = msgspec.json.encode(Wanted(study_uid=study_uid, report_id=report_id))
    chore = Chore(
        id=f"report:{report_id}",
        kind="report",
        patient=patient,
        next_at=tx.now,
        created_at=tx.now,
        payload=payload,
    )
    chore_rows.add(tx, chore)
