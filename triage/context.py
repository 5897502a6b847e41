"""What a rule may look at: one recording's measurements and its patient, with the unknown kept unknown."""

from collections.abc import Mapping
from math import isfinite
from types import MappingProxyType

import msgspec

from greenchannel.signal.measurements import Measurements
from greenchannel.triage.criteria import CRITERIA, SEXES, STE_LEADS, Criteria, Profile
from greenchannel.triage.finding import Patient


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """The input of every rule."""

    measurements: Measurements
    patient: Patient  # age and sex that cannot be are None here
    criteria: Criteria
    profiles: tuple[Profile, ...]  # all that the patient may be, strictest first; for a child those of adults
    child: bool  # known to be younger than the adult rules
    stj_uv: Mapping[str, float]  # J level of the usable leads in which an elevation counts, unrounded


def context(measurements: Measurements, patient: Patient, criteria: Criteria = CRITERIA) -> Context:
    """Prepare the input of the rules.

    An age outside the possible or a sex that is neither male nor female counts as unknown. A patient of unknown age is
    taken for an adult of any age: the adult rules look for what kills adults.
    """
    patient = _plausible(patient, criteria)
    age_years = patient.age_years
    child = age_years is not None and age_years < criteria.limits.adult_from_years.value
    profiles = tuple(
        profile
        for profile in criteria.profiles
        if profile.fits(age_years=None if child else age_years, sex=patient.sex)
    )
    return Context(
        measurements=measurements,
        patient=patient,
        criteria=criteria,
        profiles=profiles,
        child=child,
        stj_uv=MappingProxyType(_stj_uv(measurements)),
    )


def _plausible(patient: Patient, criteria: Criteria) -> Patient:
    age_years = patient.age_years
    if age_years is not None and not 0 <= age_years <= criteria.limits.age_up_to_years.value:
        age_years = None  # also where it is not a number
    sex = patient.sex if patient.sex in SEXES else None
    return Patient(age_years=age_years, sex=sex, chest_pain=patient.chest_pain)


def _stj_uv(measurements: Measurements) -> dict[str, float]:
    found: dict[str, float] = {}
    for lead in STE_LEADS:
        values = measurements.leads.get(lead)
        if values is None or not values.usable or lead in measurements.quality.bad_leads:
            continue
        if values.stj_mv is not None and isfinite(values.stj_mv):
            found[lead] = float(values.stj_mv) * 1000.0
    return found
