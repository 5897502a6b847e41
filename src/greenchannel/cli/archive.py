"""The ECGs of a service's data folder, for commands that read them again."""

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import typer

from greenchannel.cli.data_folder import open_data
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.packing import pack, unpack
from greenchannel.ingest.parsed import ParsedEcg
from greenchannel.ingest.reader import read_ecg
from greenchannel.service.before import patient_of
from greenchannel.service.book import CaseBook
from greenchannel.store.blobs import Blobs, Packing
from greenchannel.store.errors import BlobDamaged, BlobErased, BlobMissing
from greenchannel.store.log import Log
from greenchannel.store.vault import Vault, load_or_make_master_key
from greenchannel.triage.finding import Patient

_AT_ONCE = 1000


class Archived(NamedTuple):
    """One ECG of the archive."""

    folder: Path
    ecg_id: str
    case_id: str
    sha256: str
    patient: str
    electrode_set: str
    who: Patient


def archived(folder: Path) -> list[Archived]:
    """All ECGs of a data folder, in the order in which their cases were opened. Nothing is added to it."""
    settings, engine = open_data(folder)
    if not (settings.data_dir / "master.key").is_file():
        typer.echo(
            f"expected the master key of {folder}, without which its originals cannot be read", err=True
        )
        raise typer.Exit(2)
    log, book = Log(engine), CaseBook()
    while envelopes := log.read(book.seq, _AT_ONCE):
        book.apply(envelopes)
    engine.dispose()
    return [
        Archived(
            folder,
            ecg.ecg_id,
            case.case_id,
            ecg.sha256,
            case.patient,
            ecg.electrode_set or "standard",
            patient_of(case, case.opened_at),
        )
        for case in book.cases.values()
        for ecg in case.current_ecgs
        if ecg.sha256 and ecg.not_analysed is None
    ]


def load(one: Archived) -> ParsedEcg | dict[str, Any]:
    """The ECG as it was received, or ``{"code", "message"}``."""
    try:
        return read_ecg([(None, _blobs(one.folder).get(one.sha256, one.patient))])
    except IngestError as error:
        return {"code": error.code, "message": str(error)}
    except BlobErased:
        return {"code": "erased", "message": "the patient was erased"}
    except (BlobMissing, BlobDamaged) as error:
        return {"code": "unreadable", "message": str(error)}


@cache
def _blobs(folder: Path) -> Blobs:
    """Opened once in each process."""
    settings, engine = open_data(folder)
    vault = Vault(engine, load_or_make_master_key(settings.data_dir / "master.key"))
    return Blobs(settings.data_dir / "blobs", engine, vault, Packing(pack, unpack))
