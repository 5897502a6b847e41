"""Studies that a person moves to the case they are of, because they were filed to another. Pure decisions."""

from collections.abc import Sequence

from greenchannel.alerts.alert_commands import require_unmerged
from greenchannel.alerts.case import Case
from greenchannel.alerts.drill import require_real
from greenchannel.alerts.refusal import Refused
from greenchannel.events import AnyEvent, CaseOpened, ImageStudyMoved


def move(
    case: Case, study_uids: Sequence[str], *, new_case_id: str, patient: str, into: Case | None = None
) -> tuple[list[AnyEvent], list[AnyEvent]]:
    """A person found that these studies of `case` are of another episode, of `patient` (a pseudonym).

    Returns the events of `case` and those of the other one: a new one, or `into`, an open case of the same site. A
    case that is closed may be left, since an image on the wrong patient is as wrong after it was closed.
    """
    require_real(case, *(() if into is None else (into,)))
    require_unmerged(case)
    to = new_case_id if into is None else into.case_id
    moved: list[AnyEvent] = [
        ImageStudyMoved(study_uid=uid, from_case_id=case.case_id, to_case_id=to)
        for uid in dict.fromkeys(study_uids)
    ]
    if not moved:
        raise Refused("no_studies", "须选择要移走的影像", "expected at least one study, got none", 422)
    if into is None:
        return moved, [CaseOpened(case_id=to, site=case.site, patient=patient), *moved]
    if into.case_id == case.case_id:
        raise Refused("same_case", "影像已在该病例中", "expected another case, got the same", 409)
    if into.site != case.site:
        raise Refused(
            "other_site", "两个病例不属于同一机构", "expected two cases of one site, got two sites", 409
        )
    if into.state != "open":
        raise Refused("case_closed", "目标病例已关闭", f"expected an open case, it is {into.state}", 409)
    return moved, moved
