"""Sending an ECG, looking at it, and reading it."""

import asyncio
import base64
import math
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import numpy as np
from fastapi import APIRouter, Request
from pydantic import Field
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from greenchannel.alerts.case import Case
from greenchannel.alerts.ecg_state import Ecg
from greenchannel.alerts.refusal import SignedMeanwhile
from greenchannel.clock import rfc3339
from greenchannel.events import ClockReading
from greenchannel.ingest.bundle import bundle
from greenchannel.ingest.errors import ABOUT_THE_BYTES, IngestError
from greenchannel.service.callers import Caller
from greenchannel.service.errors import NotFound
from greenchannel.signal.recording import Recording
from greenchannel.triage.reading_templates import offers
from greenchannel.viewer import doubts
from greenchannel.viewer.access import may, require
from greenchannel.viewer.front import NOTHING, PREFIX, Front, Here, Who, answer
from greenchannel.viewer.problems import Problem
from greenchannel.viewer.routes_cases import PRINTABLE, Given
from greenchannel.viewer.routes_paper import paper_of
from greenchannel.viewer.uploads import Files, read_upload
from greenchannel.viewer.wire import drill_json, maybe
from greenchannel.viewer.words import SHOWN_ZONE

router = APIRouter(prefix="/ecgs", tags=["ECGs"])

LSB_MV: Final = 0.0025
MISSING: Final = -32768
_DIGITS: Final = 4  # of a sample in mV: 0.1 µV

_FILE_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "file": {"type": "array", "items": {"type": "string", "format": "binary"}}
                    },
                }
            },
        },
    }
}


@router.post("", status_code=201, summary="Send one ECG file", openapi_extra=_FILE_BODY)
async def send(request: Request, front: Here, who: Who) -> Response:
    """201 for a new ECG, 200 for one that is here already. The fields may stand in the form or in the query;
    those that cannot be kept are named in `dropped`, and cost no ECG."""
    require(who, "send")
    started_at = front.desk.clock.now()
    try:
        files, form = await read_upload(request, front.desk.settings.max_upload_bytes)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody is there to read it
    fields = front.desk.intake.fields_of({**request.query_params, **form}, who)
    try:
        got = await front.desk.receive(files, fields, who, upload_started_at=started_at)
    except IngestError as error:
        if error.code in ABOUT_THE_BYTES:
            await _quarantine(front, who, files, error, started_at)
        raise
    return answer(
        {
            "ecg_id": got.ecg_id,
            "case_id": got.case_id,
            "sha256": got.sha256,
            "state": got.state,
            "duplicate": got.duplicate,
            "same_as": got.same_as,
            "dropped": got.dropped,
        },
        200 if got.duplicate else 201,
    )


async def _quarantine(front: Front, who: Caller, files: Files, error: IngestError, at: datetime) -> None:
    try:
        data = bundle(files)
    except IngestError:  # two parts of one name: kept one after the other
        data = b"".join(content for _, content in files)

    def keep() -> str:
        return front.desk.quarantine.keep(data, reason=error.code, detail=str(error), actor=who.actor, at=at)

    await asyncio.to_thread(keep)


# ---------------------------------------------------------------- looking


@router.get("/{ecg_id}", summary="How far one ECG is, and its automatic analysis")
async def one(ecg_id: str, front: Here, who: Who) -> Response:
    """The analysis is null while the ECG is not read."""
    require(who, "look")
    case = front.case_of_ecg(ecg_id, who)
    ecg = _ecg(case, ecg_id)
    front.look(who, "look_ecg", case.case_id, ecg_id)
    base = f"{PREFIX}/ecgs/{ecg_id}"
    return answer(
        {
            "ecg_id": ecg_id,
            "case_id": case.case_id,
            "site": case.site,
            "drill": drill_json(case),
            "states": {"sent": maybe(ecg.sent.at if ecg.sent else None)} | states(case, ecg),
            "analysis": await front.desk.analysis(ecg_id),
            "paper": paper_of(ecg),
            "same_as": doubts.same_as(ecg),
            "patient_doubt": next((one for one in doubts.doubts(case) if one["ecg_id"] == ecg_id), None),
            "device_offset_s": ecg.acquired.offset_s if ecg.acquired else None,
            "acquired": _clock(ecg.acquired),
            "links": {
                "waveform": f"{base}/waveform",
                "file": f"{base}/file",
                "case": f"{PREFIX}/cases/{case.case_id}",
            },
        }
    )


def states(case: Case, ecg: Ecg) -> dict[str, str | None]:
    """When an ECG reached each of its states; None for those it has not."""
    alerted = [alert.opened_at for alert in case.alerts if ecg.ecg_id in alert.ecg_ids]
    advised = [reading.at for reading in ecg.readings if reading.advice is not None]
    acted = [at for at in (ecg.advice_seen_at, case.channel.opened_at) if at is not None]
    return {
        "received": maybe(ecg.received_at),
        "analysed": maybe(ecg.analysed_at),
        "alerted": maybe(min(alerted, default=None)),
        "opened": maybe(ecg.opened_at),
        "diagnosed": maybe(ecg.readings[0].at if ecg.readings else None),
        "advised": maybe(min(advised, default=None)),
        "acted": maybe(min(acted, default=None)),
    }


@router.get("/{ecg_id}/waveform", summary="The samples")
async def waveform(ecg_id: str, front: Here, who: Who, encoding: Literal["mv", "int16"] = "mv") -> Response:
    """Numbers in mV, or with `encoding=int16` base64 of little-endian int16, lead by lead."""
    require(who, "waveform")
    case = front.case_of_ecg(ecg_id, who)
    recording = await front.desk.recording(ecg_id)
    front.look(who, "look_waveform", case.case_id, ecg_id)
    encode = samples_int16 if encoding == "int16" else samples_mv
    head = {
        "leads": recording.leads,
        "rate_hz": recording.rate_hz,
        "duration_s": recording.duration_s,
        "started_at": maybe(recording.started_at),
        "low_cut_hz": recording.low_cut_hz,
        "high_cut_hz": recording.high_cut_hz,
        "unit": "mV",
    }
    return await asyncio.to_thread(lambda: answer(head | encode(recording)))


def samples_mv(recording: Recording) -> dict[str, Any]:
    """One row of numbers a lead, None for a missing sample."""
    rounded = np.round(recording.samples_mv.astype(np.float64), _DIGITS)
    rows = [[value if math.isfinite(value) else None for value in row] for row in rounded.tolist()]
    return {"samples_mv": rows}


def samples_int16(recording: Recording) -> dict[str, Any]:
    """Lead by lead in steps of `LSB_MV`; what lies beyond the range of int16 stops at its border."""
    steps = np.clip(np.round(recording.samples_mv / LSB_MV), -32767, 32767)
    whole = np.where(np.isfinite(recording.samples_mv), steps, MISSING).astype("<i2")
    return {
        "lsb_mv": LSB_MV,
        "missing": MISSING,
        "samples": base64.b64encode(whole.tobytes()).decode("ascii"),
    }


@router.get("/{ecg_id}/file", summary="The original bytes")
async def file(ecg_id: str, front: Here, who: Who) -> Response:
    """Unchanged, as they came."""
    require(who, "file")
    case = front.case_of_ecg(ecg_id, who)
    data = await front.desk.original(ecg_id)
    front.look(who, "look_file", case.case_id, ecg_id)
    return Response(
        data,
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="{ecg_id}"',
            "Cache-Control": "no-store",
        },
    )


# ---------------------------------------------------------------- what people do with it


class Reading(Given):
    """A doctor's reading."""

    text: Annotated[str, Field(min_length=1, max_length=4000, pattern=PRINTABLE)]
    tier: Literal["ACT", "CRIT", "URG", "FLAG", "REC", "NONE"]
    advice: Annotated[str, Field(max_length=4000, pattern=PRINTABLE)] | None = None
    agrees: bool | None = None
    reason: Annotated[str, Field(max_length=500, pattern=PRINTABLE)] | None = None
    after: Annotated[int, Field(ge=0, le=2**53)] | None = None
    withdraws: bool = False


@router.post("/{ecg_id}/opened", status_code=NOTHING, summary="A person has the trace on the screen")
async def opened(ecg_id: str, front: Here, who: Who) -> Response:
    """The first one is kept. From a role whose look does not count nothing is written, and nothing is wrong."""
    case = front.case_of_ecg(ecg_id, who)
    require(who, "look")
    front.look(who, "look_ecg", case.case_id, ecg_id)
    if may(who, "opened"):
        await front.desk.answers.ecg_opened(ecg_id, who)
    return Response(status_code=NOTHING)


@router.post("/{ecg_id}/reading", summary="Sign a reading")
async def reading(ecg_id: str, body: Reading, front: Here, who: Who) -> Response:
    """A later one amends it; all are kept. `after` is the `seq` of the reading that the signer has seen, 0 for none:
    where another was signed since, 409 `reading_changed` says by whom, and nothing is written. `withdraws`: the advice
    of earlier readings of the ECG holds no more, and the clinic is told so."""
    require(who, "read")
    front.case_of_ecg(ecg_id, who)
    try:
        case = await front.desk.answers.sign_reading(ecg_id, who, **body.model_dump())
    except SignedMeanwhile as meanwhile:
        raise await _signed_meanwhile(front, meanwhile) from meanwhile
    return answer({"case": await front.row(case)})


async def _signed_meanwhile(front: Front, meanwhile: SignedMeanwhile) -> Problem:
    """The refusal with the name of who was first."""
    await front.directory.refresh()
    name = front.directory.person(meanwhile.person)["name"] or meanwhile.person
    at = f"{meanwhile.at.astimezone(SHOWN_ZONE):%H:%M:%S}"
    return Problem(
        409,
        f"{name} signed a reading of this ECG at {at}; look at it, then sign yours as an amendment",
        code=meanwhile.code,
        zh=f"{name} 已于 {at} 签发，请看过后再签发为更正；您填写的内容没有丢失",
        expected="the newest reading to be the one that was seen",
        got=f"a newer one by {name}",
    )


@router.get("/{ecg_id}/templates", summary="Sentences that a doctor may take for a reading")
async def templates(ecg_id: str, front: Here, who: Who) -> Response:
    """For readings, for advice to the clinic, and for why the machine was wrong; what fits best comes first."""
    require(who, "read")
    case = front.case_of_ecg(ecg_id, who)
    ecg = _ecg(case, ecg_id)
    return answer(offers(ecg.tier, ecg.findings, site=case.site, own=front.desk.site_templates))


class SeenAdvice(Given):
    """Which advice was read: the `seq` of its reading."""

    of: Annotated[int, Field(ge=0, le=2**53)] | None = None


@router.post("/{ecg_id}/advice-seen", status_code=NOTHING, summary="The clinic has read the advice")
async def advice_seen(ecg_id: str, front: Here, who: Who, body: SeenAdvice | None = None) -> Response:
    """The first look at each advice is kept. `of` is the `seq` of the reading whose advice was read: where a newer one
    advises, 409 `advice_changed`, and nothing is written."""
    require(who, "advice_seen")
    front.case_of_ecg(ecg_id, who)
    await front.desk.answers.advice_seen(ecg_id, who, of=body.of if body else None)
    return Response(status_code=NOTHING)


def _ecg(case: Case, ecg_id: str) -> Ecg:
    ecg = case.ecg(ecg_id)
    if ecg is None:
        raise NotFound("ECG", ecg_id)
    return ecg


def _clock(reading: ClockReading | None) -> dict[str, Any] | None:
    if reading is None:
        return None
    return {
        "at": rfc3339(reading.at),
        "clock": reading.clock,
        "raw": maybe(reading.raw),
        "offset_s": reading.offset_s,
        "uncertainty_s": reading.uncertainty_s,
    }
