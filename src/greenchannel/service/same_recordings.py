"""Finds an arriving ECG among those of its site that came before: the same samples in another format.

Prints are compared first, all at once; then the originals of the few that agree are read again and laid on the new one,
sample by sample. Nobody is told anything of another site's ECGs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import Engine

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.reader import read_ecg
from greenchannel.signal.recording import Recording
from greenchannel.signal.same_recording import COVERED, Print, Same, candidates, print_of, same_samples
from greenchannel.store import ecg_rows, print_rows
from greenchannel.store.blobs import BlobError, Blobs
from greenchannel.store.engine import reading
from greenchannel.store.errors import PatientKeyMissing
from greenchannel.store.print_rows import PrintRow
from greenchannel.store.writer import Tx

logger = structlog.get_logger(__name__)

LOOKED_BACK: Final = timedelta(days=400)  # an export of last year's ECGs is still found  [E]
MOST_PRINTS: Final = 2000  # of one site, the newest  [E]
MOST_READ: Final = 6  # originals read again for one arriving ECG  [E]


@dataclass(frozen=True, kw_only=True, slots=True)
class Twin:
    """The earlier ECG that an arriving one is."""

    ecg_id: str
    same: Same


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What was found among the ECGs that had come until then."""

    print: Print
    until: int  # the newest row that was looked at
    twin: Twin | None

    @property
    def data(self) -> bytes:
        """The print as it is kept."""
        return self.print.to_bytes()


class SameRecordings:
    """The look-up. It takes milliseconds, or tens of them where originals are read: never in the writer's thread."""

    def __init__(self, *, engine: Engine, blobs: Blobs) -> None:
        self._engine = engine
        self._blobs = blobs

    def look(self, site: str, recording: Recording, now: datetime, before: Look | None = None) -> Look:
        """Whether a recording came before; with `before`, whether it came since that look."""
        mine = print_of(recording) if before is None else before.print
        after = 0 if before is None else before.until
        with reading(self._engine) as connection:
            rows = print_rows.prints_of(
                connection, site, since=now - LOOKED_BACK, after=after, most=MOST_PRINTS
            )
        until = rows[0].id if rows else after
        twin: Twin | None = None
        for row in _agreeing(mine, rows)[:MOST_READ]:
            other = self._recording(row.ecg_id)
            same = None if other is None else same_samples(other, recording)
            if same is None:
                continue
            if twin is None or _tells(same) > _tells(twin.same):
                twin = Twin(ecg_id=row.ecg_id, same=same)
            if not same.new_leads and same.overlap_s >= COVERED * recording.duration_s:
                break  # it holds all of the arriving one
        return Look(print=mine, until=until, twin=twin)

    @staticmethod
    def missed(tx: Tx, site: str, look: Look) -> bool:
        """Has one come since the look that may be the same? Then look again; asked inside the transaction."""
        rows = print_rows.prints_of(
            tx.conn, site, since=tx.now - LOOKED_BACK, after=look.until, most=MOST_PRINTS
        )
        return look.twin is None and bool(_agreeing(look.print, rows))

    def _recording(self, ecg_id: str) -> Recording | None:
        """The recording of an earlier ECG; None where it cannot be read any more: that must stop nothing."""
        row = ecg_rows.get_ecg(self._engine, ecg_id)
        if row is None:
            return None
        try:
            return read_ecg([(None, self._blobs.get(row.sha256, row.patient))]).recording
        except (BlobError, PatientKeyMissing, IngestError, OSError):
            logger.warning("an earlier ECG could not be compared", ecg_id=ecg_id, exc_info=True)
            return None


def _tells(same: Same) -> tuple[bool, float]:
    """How much of the arriving one an earlier one holds: all its leads, then the longer part of it."""
    return not same.new_leads, same.overlap_s


def _agreeing(mine: Print, rows: Sequence[PrintRow]) -> list[PrintRow]:
    return [rows[k] for k in candidates(mine, [row.print for row in rows])]
