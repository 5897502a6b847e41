"""What the worklist knows of a study: the archive's row, its case, and what was said since. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from greenchannel.alerts.case import Case
from greenchannel.alerts.imaging.reading import Reading
from greenchannel.alerts.timeline import standing_values
from greenchannel.events import ImageReadingWanted
from greenchannel.service.imaging.records import StudyText
from greenchannel.triage.imaging.clocks import clock_of, escalate_at
from greenchannel.triage.imaging.facts import Detected, Setting, StudyFacts
from greenchannel.triage.imaging.order import is_critical

ARRIVED: Final = "HUB_DOOR"
_URGENT: Final = ("ACT", "CRIT")
_READ_FIRST: Final = ("CT", "MR")  # of a study of several: whose clock is the shorter


def facts_of(
    *,
    study_uid: str,
    site: str,
    modalities: Sequence[str],
    received_at: datetime,
    text: StudyText,
    case: Case | None,
    reading: Reading | None,
) -> StudyFacts:
    """The facts of one study as of now. A case with an urgent ECG or an open green channel is an emergency; of any
    other case it is not known where the patient is."""
    return StudyFacts(
        study_uid=study_uid,
        received_at=received_at,
        site=site,
        modality=modality_of(modalities),
        body_part=text.body_part,
        description=text.description,
        requested_priority=text.priority,
        reasons=text.reasons,
        setting=Setting.UNKNOWN if case is None else _setting(case),
        marked_stat=reading is not None and reading.stat_by is not None,
        arrived_at=None if case is None else _arrived_at(case),
        age_years=text.age_years,
        detected=() if reading is None else _detected(reading),
    )


def wanted_of(facts: StudyFacts, case_id: str | None) -> ImageReadingWanted:
    """The clock that holds for a study, as it is written down."""
    clock = clock_of(facts)
    return ImageReadingWanted(
        study_uid=facts.study_uid,
        site=facts.site,
        case_id=case_id,
        clock=clock.rule.id,
        started_at=clock.started_at,
        due_at=clock.due_at,
        arrival_unknown=clock.arrival_unknown,
        critical=is_critical(facts),
        shares=escalate_at(),
    )


def modality_of(modalities: Sequence[str]) -> str | None:
    """The modality that a study goes by: of several the one whose clock is the shorter; None: it does not say."""
    first = [one for one in _READ_FIRST if one in modalities]
    return next((one for one in (*first, *modalities) if one), None)


def _setting(case: Case) -> Setting:
    urgent = case.tier in _URGENT or case.channel.state == "open"
    return Setting.EMERGENCY if urgent else Setting.UNKNOWN


def _arrived_at(case: Case) -> datetime | None:
    value = standing_values(case.values, case.arrival_mode).get(ARRIVED)
    return None if value is None else value.time.at


def _detected(reading: Reading) -> tuple[Detected, ...]:
    return tuple(
        Detected(
            plugin=one.plugin, version=one.version, status=one.status, raised=one.raised, reason=one.reason
        )
        for one in reading.standing
    )
