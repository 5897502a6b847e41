"""Detectors of images, as people are shown them; privacy of a study, and the study without its patient."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from itertools import islice
from typing import IO, Annotated, Any, Final

from fastapi import APIRouter, Path
from starlette.responses import Response, StreamingResponse

from greenchannel.alerts.imaging.reading import Reading
from greenchannel.clock import rfc3339
from greenchannel.events import ImageDetected
from greenchannel.ingest.imaging.deidentify import usually_burned_in
from greenchannel.service.imaging.detecting import detecting_of
from greenchannel.service.imaging.leaving import without_patient
from greenchannel.service.imaging.records import ImageSeries, StoredInstance
from greenchannel.triage.detectors.plugin import BANNER, Status
from greenchannel.triage.detectors.statuses import LIMITS
from greenchannel.viewer.access import may, require
from greenchannel.viewer.detected_json import detected_json, words
from greenchannel.viewer.dicom_web_front import study_of
from greenchannel.viewer.front import Front, Here, Who, answer
from greenchannel.viewer.imaging_json import result
from greenchannel.viewer.routes_cases import Reason

router = APIRouter(tags=["imaging"])

Uid = Annotated[str, Path(max_length=64, pattern=r"^[0-9.]+$")]
MOST_RESULTS: Final = 200
"""Of detectors in silence, in one answer."""
_PIECE: Final = 256 * 1024


class Leaving(Reason):
    """Why a study leaves; `burned_in_seen`: somebody has looked at pixels that may carry text."""

    burned_in_seen: bool = False


@router.get("/imaging/detectors", summary="The detectors: what each is for, what it misses, where it looks")
async def detectors(front: Here, who: Who) -> Response:
    """The card of each, and its status at the caller's sites. None is validated; no rate is quoted."""
    require(who, "image_worklist")
    names = detecting_of(front.desk).detectors
    return answer({"banner": words(BANNER), "detectors": [_card(front, who, name) for name in names]})


@router.get("/admin/imaging/detectors", summary="What detectors said in silence")
async def silent_runs(front: Here, who: Who) -> Response:
    """Of each site and detector: how often it looked, raised, and did not analyse, with the reasons. Before it may be
    enabled it looks at `silent_studies` studies of the site."""
    require(who, "detector_results")
    await front.directory.refresh()
    part = detecting_of(front.desk)
    rows = []
    for site in _sites(front, who):
        for name, detector in part.detectors.items():
            said = part.said_of(name, site)
            rows.append(
                {
                    "site": site,
                    "site_name": {key: front.directory.site(site)[f"name_{key}"] for key in ("zh", "en")},
                    "detector": name,
                    "title": words(detector.card.title),
                    "version": detector.card.version,
                    "chosen": part.statuses.chosen(name, site),
                    "status": part.status(name, site),
                    "looked": said.looked,
                    "raised": said.raised,
                    "not_analysed": dict(said.not_analysed),
                }
            )
    return answer({"silent_studies": int(LIMITS.silent_studies.value), "runs": rows})


@router.get("/admin/imaging/detected", summary="What detectors said in silence, study by study")
async def silent_results(front: Here, who: Who, raised: bool | None = None) -> Response:
    """Newest first, beside what the radiologist then reported: for who judges a detector, and for nobody who reads or
    waits for images. `raised`: these alone. The report's words for who may read reports."""
    require(who, "detector_results")
    await front.directory.refresh()
    desk = front.desk.image_readings
    known = desk.all()

    def listed() -> list[dict[str, Any]]:
        silent = (
            (reading, said)
            for reading in reversed(known)
            if not reading.gone and (reading.site is None or who.may_see(reading.site))
            for said in reading.detected
            if said.status == Status.SILENT and (raised is None or said.raised is raised)
        )
        found = list(islice(silent, MOST_RESULTS))
        opened = desk.with_words([reading for reading, _ in found]) if may(who, "image_report") else {}
        return [_silent(front, who, opened.get(reading.study_uid, reading), said) for reading, said in found]

    rows = await asyncio.to_thread(listed)
    if rows and may(who, "image_report"):
        front.desk.access.note(
            who.actor, "look_silent_detectors", None, f"{len(rows)} studies", front.desk.clock.now()
        )
    return answer({"most": MOST_RESULTS, "results": rows})


def _silent(front: Front, who: Who, reading: Reading, said: ImageDetected) -> dict[str, Any]:
    words = may(who, "image_report")
    signed = [
        {
            "at": rfc3339(one.at),
            "addendum": one.addendum,
            "impression": one.impression if words else None,
            "critical": [result(code) for code in one.critical],
        }
        for one in reading.signed
    ]
    return {
        "study_uid": reading.study_uid,
        "site": None if reading.site is None else front.directory.site(reading.site),
        "wanted_at": rfc3339(reading.wanted_at),
        "detected": detected_json(said),
        "state": reading.state,
        "signed": signed,
    }


@router.get("/imaging/studies/{study_uid}/privacy", summary="May pictures of a study carry a name?")
async def privacy(study_uid: Uid, front: Here, who: Who) -> Response:
    """By their headers; nothing is looked for in pixels, and what is not stated is unknown. `usually_burned_in`: of the
    unknown those of a kind that usually carries text, as ultrasound and captured screens do."""
    study = await study_of(front, who, study_uid)
    all_of_it = await front.desk.images.instances(study.study_uid)
    stored = [one for one in all_of_it if not one.made_here]
    series = {one.series_uid: one for one in await front.desk.images.series(study.study_uid)}
    burned_in = Counter(one.facts.burned_in for one in stored)
    return answer(
        {
            "burned_in": {word: burned_in.get(word, 0) for word in ("yes", "no", "unknown")},
            "usually_burned_in": sum(_usually(one, series[one.series_uid]) for one in stored),
            "with_private_elements": sum(one.facts.private_tags > 0 for one in stored),
            "images": len(stored),
        }
    )


@router.post(
    "/admin/imaging/studies/{study_uid}/deidentified", summary="A study without its patient, as a zip"
)
async def deidentified(study_uid: Uid, body: Leaving, front: Here, who: Who) -> Response:
    """DICOM PS3.15 Annex E, Basic Profile, with `report.json`; pixels are not changed. What may carry text in its
    pixels, reports and documents are left out and counted. Noted in the access log, with the reason."""
    require(who, "administer")
    study = await front.desk.images.study(study_uid)
    out, report = await without_patient(
        front.desk.images, study.study_uid, burned_in_seen=body.burned_in_seen
    )
    seen = ", burned-in text looked at" if body.burned_in_seen else ""
    detail = f"{study_uid}: {len(report['written'])} images{seen}; {body.reason}"
    await front.desk.administration.note(who.actor, "images_deidentified", detail, study.case_id)
    headers = {"Content-Disposition": 'attachment; filename="images.zip"', "Cache-Control": "no-store"}
    return StreamingResponse(_pieces(out), media_type="application/zip", headers=headers)


def _usually(one: StoredInstance, series: ImageSeries) -> bool:
    return one.facts.burned_in == "unknown" and bool(
        usually_burned_in(
            sop_class=one.sop_class,
            modality=series.modality or "",
            described=series.text.description or "",
        )
    )


async def _pieces(out: IO[bytes]) -> AsyncIterator[bytes]:
    with out:
        while piece := out.read(_PIECE):
            yield piece


def _sites(front: Front, who: Who) -> list[str]:
    return sorted(site for site in detecting_of(front.desk).sites if who.may_see(site))


def _card(front: Front, who: Who, name: str) -> dict[str, Any]:
    part = detecting_of(front.desk)
    card = part.detectors[name].card
    return {
        "name": card.name,
        "version": card.version,
        "kind": card.kind,
        "use": card.use,
        "author": card.author,
        "title": words(card.title),
        "intended_use": words(card.intended_use),
        "data": words(card.data),
        "limits": words(card.limits),
        "status": {site: part.status(name, site) for site in _sites(front, who)},
    }
