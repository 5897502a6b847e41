"""Paper ECGs: the picture that a reader sees in place of a trace."""

import asyncio
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from greenchannel.alerts.ecg_state import Ecg
from greenchannel.ingest.paper import MEDIA_TYPES, shown_copy
from greenchannel.service.errors import NotFound
from greenchannel.service.paper_ecgs import PAPER
from greenchannel.viewer.access import require
from greenchannel.viewer.front import PREFIX, Here, Who

router = APIRouter(prefix="/ecgs", tags=["ECGs"])

_BY_BROWSERS: Final = frozenset({"jpeg", "png"})  # others are given to whatever program the reader has


def paper_of(ecg: Ecg) -> dict[str, Any] | None:
    """What `GET /ecgs/{id}` says of a paper ECG; None for one that was measured, or will be."""
    if ecg.not_analysed != PAPER or ecg.format is None:
        return None
    warning = ecg.final_findings[0] if ecg.final_findings else {"zh": None, "en": None}
    return {
        "kind": ecg.format,
        "media_type": MEDIA_TYPES.get(ecg.format),
        "zh": warning["zh"],
        "en": warning["en"],
        "shown": f"{PREFIX}/ecgs/{ecg.ecg_id}/shown",
    }


@router.get("/{ecg_id}/shown", summary="The picture of a paper ECG, without its metadata")
async def shown(ecg_id: str, front: Here, who: Who) -> Response:
    """No place, time, device, comment or thumbnail; what is printed on the paper stays. 404 for any other ECG."""
    require(who, "file")
    case = front.case_of_ecg(ecg_id, who)
    ecg = case.ecg(ecg_id)
    if ecg is None or ecg.not_analysed != PAPER or ecg.format is None:
        raise NotFound("paper ECG", ecg_id)
    data = await front.desk.original(ecg_id)
    copy = await asyncio.to_thread(shown_copy, data)
    front.look(who, "look_picture", case.case_id, ecg_id)
    way = "inline" if ecg.format in _BY_BROWSERS else "attachment"
    headers = {
        "Content-Disposition": f'{way}; filename="{ecg_id}.{ecg.format}"',
        "Cache-Control": "no-store",
    }
    return Response(copy, media_type=MEDIA_TYPES[ecg.format], headers=headers)
