"""The reperfusion clock of a case: when the wire is likely to cross, and what the written rule says of it."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from greenchannel.alerts.reperfusion import Prediction, contraindications, default_settings
from greenchannel.alerts.reperfusion_case import Countdown, View, reason_words, verdict_words
from greenchannel.clock import rfc3339
from greenchannel.viewer.access import require
from greenchannel.viewer.front import Here, Who, answer
from greenchannel.viewer.problems import Problem

router = APIRouter(tags=["cases"])

Json = dict[str, Any]
NONE_OF_THEM = "none"


@router.get(
    "/cases/{case_id}/reperfusion", summary="When the wire is likely to cross, and what the rule says"
)
async def reperfusion(
    case_id: str,
    front: Here,
    who: Who,
    asked: Annotated[str | None, Query(alias="contraindications", max_length=400)] = None,
) -> Response:
    """`contraindications` is what a doctor found of the checklist: ids with commas between, or `none` where all were
    asked and none is present. Left out, nobody has said. It is not kept."""
    require(who, "look")
    case = front.case(case_id, who)
    found = _asked(asked)
    front.look(who, "look_reperfusion", case_id)
    view = front.desk.reperfusion.of(case, found)
    questions = [
        {"id": one.id, "zh": one.zh, "en": one.en, "present": None if found is None else one.id in found}
        for one in contraindications()
    ]
    return answer({"case_id": case_id, **short(view), "contraindications": questions})


def _asked(given: str | None) -> frozenset[str] | None:
    if given is None:
        return None
    names = [name.strip() for name in given.split(",") if name.strip() and name.strip() != NONE_OF_THEM]
    known = [one.id for one in contraindications()]
    strange = [name for name in names if name not in known]
    if strange or not given.strip():
        raise Problem(
            422,
            "there is no such contraindication",
            code="unknown_contraindication",
            zh="没有这项禁忌证",
            expected=f"{NONE_OF_THEM}, or of {' '.join(known)}",
            got=(strange[0] if strange else given)[:60],
        )
    return frozenset(names)


def short(view: View) -> Json:
    """The clock as the page of a case has it."""
    answer = view.answer
    verdict = "over" if answer is None else answer.verdict
    words = verdict_words()[verdict]
    return {
        "state": view.state,
        "dx_at": None if view.dx_at is None else rfc3339(view.dx_at),
        "eta_at": None if view.eta_at is None else rfc3339(view.eta_at),
        "limit_min": default_settings().pci_within_min,
        "interval_share": default_settings().interval_share,
        "prediction": None
        if view.prediction is None or view.dx_at is None
        else _prediction(view.prediction, view.dx_at, view.fmc_to_dx_min),
        "verdict": verdict,
        "zh": words.zh,
        "en": words.en,
        "straddles": False if answer is None else answer.straddles,
        "missing": _reasons(() if answer is None else answer.missing),
        "against_lysis": _reasons(() if answer is None else answer.against_lysis),
        "dido": None if view.dido is None else _dido(view.dido),
    }


def _prediction(predicted: Prediction, dx_at: datetime, fmc_to_dx_min: float | None) -> Json:
    minutes = {
        "median": predicted.median_min,
        "low": predicted.low_min,
        "high": predicted.high_min,
    }
    return {
        **{f"{name}_min": round(value, 1) for name, value in minutes.items()},
        **{f"{name}_at": rfc3339(dx_at + timedelta(minutes=value)) for name, value in minutes.items()},
        "fmc_to_wire_min": None
        if fmc_to_dx_min is None
        else {name: round(value + fmc_to_dx_min, 1) for name, value in minutes.items()},
        "cases": predicted.cases,
        "basis": predicted.basis,
        "stage": predicted.stage,
    }


def _reasons(names: tuple[str, ...]) -> list[Json]:
    words = {one.id: (one.zh, one.en) for one in contraindications()}
    words |= {one.id: (one.zh, one.en) for one in reason_words().values()}
    return [
        {"id": name, "zh": words.get(name, (name, name))[0], "en": words.get(name, (name, name))[1]}
        for name in names
    ]


def _dido(dido: Countdown) -> Json:
    return {
        "state": dido.state,
        "target_min": dido.target_min,
        "door_at": None if dido.door_at is None else rfc3339(dido.door_at),
        "due_at": None if dido.due_at is None else rfc3339(dido.due_at),
        "out_at": None if dido.out_at is None else rfc3339(dido.out_at),
        "left_s": dido.left_s,
    }
