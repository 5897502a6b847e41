"""What is read in an ECG's files, before it is written down, and what of it goes to the clinic."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from greenchannel.events import PatientDoubted
from greenchannel.ingest.paper import Paper, paper_kind, read_paper
from greenchannel.ingest.parsed import ParsedEcg
from greenchannel.ingest.reader import read_ecg
from greenchannel.store.blobs import StagedBlob


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadEcg:
    """What a reading found, to be written down."""

    analysis: dict[str, Any]
    body: bytes  # the same as JSON
    shape: bytes | None  # of the QRS
    doubted: PatientDoubted | None


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownEcg:
    """A file that is stored, with what was read in it."""

    parsed: ParsedEcg
    staged: StagedBlob
    read: ReadEcg


def to_the_clinic(quality: dict[str, Any]) -> list[dict[str, Any]]:
    """Which quality messages of an analyze object go to the clinic: all of a poor record.

    Of a good one those of its bad leads and of the record as a whole: an electrode that came off is mended while the
    patient is still lying there. What is only worth knowing about a readable lead is none of the clinic's.
    """
    return [
        one
        for one in quality["messages"]
        if not quality["acceptable"] or one["lead"] is None or one["lead"] in quality["bad_leads"]
    ]


def read_files(files: Sequence[tuple[str | None, bytes]]) -> ParsedEcg | Paper:
    """What the files of an upload are: an ECG that can be measured, or a picture of one."""
    if len(files) == 1 and paper_kind(files[0][1]) is not None:
        return read_paper(files[0][1])
    return read_ecg(files)
