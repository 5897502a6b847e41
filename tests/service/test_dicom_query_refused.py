"""What a DICOM node is not told or given, what it learns of what failed, and that its looks are noted."""

import asyncio
import io
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pydicom
import pytest
from pydicom.dataset import Dataset
from pynetdicom import build_role, evt
from pynetdicom.sop_class import CTImageStorage  # type: ignore[attr-defined]

from greenchannel.service.imaging import dicom_query
from greenchannel.service.imaging.dicom_query import QueryRetrieve
from greenchannel.service.imaging.dicom_worklist import Worklist
from greenchannel.service.imaging.giving import giving_of
from greenchannel.service.imaging.orders import Order, Wish
from greenchannel.store.errors import BlobDamaged
from tests.imaging_files import ROOT_UID, ct
from tests.service.dicom_calls import (
    CALLER,
    FIND,
    GET,
    MOVE,
    MWL,
    STUDY,
    asked,
    associate,
    stow,
    taken,
    tell,
)
from tests.service.viewer_house import House


def test_a_search_that_is_cancelled_is_noted(tmp_path: Path) -> None:
    """What was told before was seen; a line that breaks off ends it the same way."""

    async def story(here: House) -> None:
        await stow(here, *[ct(number) for number in (1, 2, 3)])
        query = QueryRetrieve(
            here.desk.images,
            here.desk.image_readings,
            here.desk.dicom,
            giving_of(here.desk).looking,
            cast("Any", None),
        )

        def call() -> list[int]:
            event = SimpleNamespace(
                assoc=SimpleNamespace(requestor=SimpleNamespace(ae_title="CTVAN")),
                context=SimpleNamespace(abstract_syntax=FIND),
                identifier=asked("IMAGE", PatientName="Wang"),
                is_cancelled=False,
            )
            answers = query._find(event)
            codes = [next(answers)[0]]
            event.is_cancelled = True
            codes += [code for code, _ in answers]
            event.is_cancelled = False
            broken = query._find(event)
            codes += [next(broken)[0], next(broken)[0]]
            broken.close()  # type: ignore[attr-defined]
            return codes

        assert await asyncio.to_thread(call) == [0xFF00, 0xFE00, 0xFF00, 0xFF00]
        here.desk.access.flush()
        noted = [one.detail or "" for one in here.desk.access.entries() if one.action == "search_images"]
        assert sorted(noted) == ["by PatientName: 1 found", "by PatientName: 2 found"]

    tell(tmp_path, story, CALLER)


def test_a_title_without_an_address_is_told_nothing(tmp_path: Path) -> None:
    """Anybody can say it: no C-FIND, C-GET, C-MOVE, no worklist; it may store."""

    async def story(here: House) -> None:
        await stow(here, ct(1))

        def call() -> list[tuple[int, int]]:
            classes = (FIND, GET, MOVE, MWL, CTImageStorage)
            association = associate(here, *classes, title="XRAY")
            wanted = asked(StudyInstanceUID=STUDY)
            answers = [
                list(association.send_c_find(wanted, FIND)),
                list(association.send_c_find(wanted, MWL)),
                list(association.send_c_get(wanted, GET)),
                list(association.send_c_move(wanted, "CTVAN", MOVE)),
            ]
            stored = association.send_c_store(pydicom.dcmread(io.BytesIO(ct(2))))
            association.release()
            return [(len(one), one[-1][0].Status) for one in answers] + [(1, stored.Status)]

        got = await asyncio.to_thread(call)
        assert got == [(1, 0x0124), (1, 0x0124), (1, 0x0124), (1, 0xA801), (1, 0)]

    tell(tmp_path, story, f"XRAY=yinzhao, {CALLER}")


def test_a_fetch_names_what_it_wants_and_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wildcards alone name nothing; more than one request may fetch is refused as a whole."""
    monkeypatch.setattr(dicom_query, "MOST_FETCHED", 2)

    async def story(here: House) -> None:
        await stow(here, ct(1), ct(2))
        await stow(here, *[ct(number, study=2) for number in (1, 2, 3)])

        def call() -> list[tuple[int, int]]:
            found = []
            for keys in (
                {"PatientID": "*"},
                {"PatientID": "?*\\*", "StudyInstanceUID": ""},
                {"StudyInstanceUID": STUDY, "PatientID": "*"},
                {"StudyInstanceUID": f"{ROOT_UID}.2"},
                {"PatientID": "P1"},
            ):
                got: list[Dataset] = []
                association = associate(
                    here,
                    GET,
                    CTImageStorage,
                    evt_handlers=[(evt.EVT_C_STORE, taken(got))],
                    ext_neg=[build_role(CTImageStorage, scp_role=True)],
                )
                status = list(association.send_c_get(asked(**keys), GET))[-1][0].Status
                association.release()
                found.append((len(got), status))
            return found

        assert await asyncio.to_thread(call) == [(0, 0), (0, 0), (2, 0), (0, 0xA701), (0, 0xA701)]

        def move() -> int:
            association = associate(here, MOVE)
            status = list(association.send_c_move(asked(PatientID="P1"), "CTVAN", MOVE))[-1][0].Status
            association.release()
            return int(status)

        assert await asyncio.to_thread(move) == 0xC514  # pynetdicom's: it cannot be done

    tell(tmp_path, story, CALLER)


def test_what_is_damaged_is_named_among_what_failed(tmp_path: Path) -> None:
    """The others come; that all went well is not said."""

    async def story(here: House) -> None:
        await stow(here, ct(1), ct(2))
        sha256 = (await here.desk.images.instance(f"{STUDY}.1.1")).sha256
        fine = here.desk.images.blobs.get

        def get(asked_for: str, patient: str) -> bytes:
            if asked_for == sha256:
                raise BlobDamaged("expected the sealed bytes, got a file that does not open")
            return fine(asked_for, patient)

        here.desk.images.blobs.get = get  # type: ignore[method-assign,assignment]

        def call() -> tuple[list[str], int, str]:
            got: list[Dataset] = []
            association = associate(
                here,
                GET,
                CTImageStorage,
                evt_handlers=[(evt.EVT_C_STORE, taken(got))],
                ext_neg=[build_role(CTImageStorage, scp_role=True)],
            )
            status, failed = list(association.send_c_get(asked(StudyInstanceUID=STUDY), GET))[-1]
            association.release()
            return [one.SOPInstanceUID for one in got], status.Status, str(failed.FailedSOPInstanceUIDList)

        assert await asyncio.to_thread(call) == ([f"{STUDY}.1.2"], 0xB000, f"{STUDY}.1.1")

    tell(tmp_path, story, CALLER)


def test_a_worklist_that_is_broken_off_is_noted() -> None:
    """What a machine was told before its line broke was seen."""
    orders = [
        Order(
            accession=f"A{number}", study_uid=f"{ROOT_UID}.{number}", site="yinzhao", case_id="c_1",
            ordered_at=datetime(2026, 3, 2, 8, tzinfo=UTC), wish=Wish(modality="CT", patient_ref=f"P{number}"),
        )
        for number in (1, 2, 3)
    ]  # fmt: skip
    noted: list[tuple[str, int]] = []
    worklist = Worklist(
        cast("Any", SimpleNamespace(waiting_sync=lambda _: orders)),
        cast("Any", SimpleNamespace(searched=lambda actor, by, found: noted.append((actor, found)))),
    )

    steps = worklist.find(Dataset(), site="yinzhao", title="CTVAN", actor="device:dicom-CTVAN")
    assert [next(steps).AccessionNumber for _ in range(2)] == ["A1", "A2"]
    steps.close()  # type: ignore[attr-defined]

    assert noted == [("device:dicom-CTVAN", 2)]
