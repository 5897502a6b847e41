"""Calls of the DICOM node of a running service, as a machine makes them."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset
from pynetdicom import AE
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    ModalityWorklistInformationFind,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
)

from tests.imaging_files import ROOT_UID, related
from tests.service.viewer_house import House, house

STUDY = f"{ROOT_UID}.1"
MWL = ModalityWorklistInformationFind
FIND, GET, MOVE = (
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
)
CALLER = "CTVAN=yinzhao@127.0.0.1:1"


def tell(tmp_path: Path, story: Callable[[House], Awaitable[None]], callers: str) -> None:
    """Play a story at a running service with a node."""

    async def play() -> None:
        async with house(tmp_path, dicom_port=0, dicom_callers=callers) as here:
            await story(here)

    asyncio.run(play())


async def stow(here: House, *parts: bytes, name: str = "ecg-1") -> None:
    body, kind = related(list(parts))
    sent = await here.http.post(
        "/dicom-web/studies", content=body, headers=here.device(name) | {"Content-Type": kind}
    )
    assert sent.status_code == 200, sent.text


def asked(level: str = "STUDY", **keys: Any) -> Dataset:
    found = Dataset()
    found.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(found, keyword, value)
    return found


def associate(here: House, *classes: str, title: str = "CTVAN", **more: Any) -> Any:
    entity = AE(ae_title=title)
    for one in classes:
        entity.add_requested_context(one)
    return entity.associate("127.0.0.1", here.desk.dicom.port or 0, ae_title="GREENCHANNEL", **more)


def taken(into: list[Dataset]) -> Callable[[Any], int]:
    """A handler that takes all that is stored with it."""

    def take(event: Any) -> int:
        into.append(event.dataset)
        return 0

    return take
