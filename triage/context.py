"""What a rule may look at: one recording's measurements and its patient, with the unknown kept unknown."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import inf, isfinite
from typing import Any

import msgspec

from greenchannel.signal.measurements import LeadMeasurement, Measurements
from greenchannel.triage import conduction
from greenchannel.triage.contiguity import Run, runs
from greenchannel.triage.electrode_sets import Beside
from greenchannel.triage.finding import Earlier, Evidence, Patient
from greenchannel.triage.rule_rows import RuleRow
from greenchannel.triage.rule_set import (
    RULES,
    SEXES,
    STE_LEADS,
    Numbers,
    Profile,
    RuleSet,
    rule_set,
    versions,
)

_ROUNDING = 1e-6
"""Relative slack of a comparison, for the rounding of 32-bit samples: 0.25 nV at 250 µV, below any recorder's step."""


def reaches(value: float | None, threshold: float) -> bool:
    """Is a value at or above its threshold? The unknown never is."""
    return value is not None and value >= threshold - _ROUNDING * max(abs(threshold), 1e-3)


def falls_to(value: float | None, threshold: float) -> bool:
    """Is a value at or below its threshold? The unknown never is."""
    return value is not None and value <= threshold + _ROUNDING * max(abs(threshold), 1e-3)


_PATIENT_NUMBERS = ("systolic_mmhg", "potassium_mmol_l", "onset_h")
_WHOLE = (
    "heart_rate_bpm", "pr_ms", "qrs_ms", "qt_ms", "qtc_bazett_ms", "qtc_fridericia_ms", "qtm_ms", "axis_deg", "p_ms",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class Context:
    """The input of every rule."""

    measurements: Measurements
    patient: Patient  # age and sex that cannot be are None here
    rules: RuleSet
    profiles: tuple[Profile, ...]  # all that the patient may be, strictest first; for a child those of adults
    child: bool  # known to be younger than the adult rules
    earlier: tuple[Earlier, ...] = ()  # the latest first
    corrected: "Context | None" = None  # of the same recording with swapped electrodes put right
    leads: Mapping[str, LeadMeasurement] = field(default_factory=dict)  # usable ones alone
    traces: Mapping[str, str] = field(
        default_factory=dict
    )  # leads of another recording of the episode → its id

    @cached_property
    def conduction(self) -> conduction.Conduction:
        """How the ventricles are activated; STE and its equivalents depend on it."""
        return conduction.classify(self.measurements, self.leads, self.patient, self.rules)

    @cached_property
    def stj_uv(self) -> dict[str, float]:
        """J level of the usable leads in which an elevation counts, unrounded."""
        return {lead: uv for lead in STE_LEADS if (uv := self.uv(lead)) is not None}

    def newly(self, rule_id: str) -> bool:
        """Is a finding of this rule new against the last earlier ECG? Unknown, so no, if that was not asked for it."""
        if not self.earlier:
            return False
        last = self.earlier[0]
        version = last.version.partition("+")[0]
        return version in versions() and rule_id in rule_set(version).rules and rule_id not in last.rules

    def numbers(self, rule_id: str) -> Numbers:
        """The numbers of a rule of this rule set."""
        return self.rules.numbers[rule_id]

    def row(self, rule_id: str) -> RuleRow | None:
        """A rule of this rule set, None where the set has none of that id."""
        return self.rules.rules.get(rule_id)

    def uv(self, lead: str, quantity: str = "stj_mv") -> float | None:
        """An amplitude of a usable lead in µV (``t_mv``, ``r_mv``, …); None where it is unknown."""
        values = self.leads.get(lead)
        value = None if values is None else getattr(values, quantity)
        return None if value is None or not isfinite(value) else float(value) * 1000.0

    def value(self, lead: str, quantity: str) -> float | None:
        """Any measurement of a usable lead in its own unit; None where it is unknown."""
        values = self.leads.get(lead)
        value = None if values is None else getattr(values, quantity)
        return None if value is None or not isfinite(value) else float(value)

    def mm(self, lead: str, quantity: str) -> float | None:
        """An amplitude in millimetres of ECG paper, 0.1 mV each, as the published formulas want it."""
        value = self.value(lead, quantity)
        return None if value is None else value * 10.0

    def contiguous(self, qualifying: Iterable[str], among: Iterable[str]) -> tuple[Run, ...]:
        """Neighbours (STE-2) among the qualifying leads; readable leads of `among` that do not qualify part them."""
        yes, limits = set(qualifying), self.rules.limits
        at_least = int(limits.contiguous_leads.value)
        if len(yes) < at_least:
            return ()  # as nearly always
        return runs(
            {lead: lead in yes for lead in among if lead in self.leads},
            at_least=at_least,
            bridge=int(limits.bridged_leads.value),
        )

    def shown(
        self, rule: str, lead: str, quantity: str, threshold_uv: float, relation: str = ">="
    ) -> Evidence:
        """An amplitude of a lead against a threshold in µV, as evidence; the amplitude must be known."""
        value = self.value(lead, quantity)
        assert value is not None  # nothing unknown fires
        return Evidence(
            lead=lead, quantity=quantity, value=value, threshold=threshold_uv / 1000.0, rule=rule, relation=relation,
            trace=self.traces.get(lead),
        )  # fmt: skip


def shown_whole(rule: str, quantity: str, value: float, threshold: float, relation: str = ">=") -> Evidence:
    """A value of the whole recording against a threshold of the same unit, as evidence."""
    return Evidence(
        lead=None, quantity=quantity, value=float(value), threshold=threshold, rule=rule, relation=relation
    )


def context(
    measurements: Measurements,
    patient: Patient,
    rules: RuleSet = RULES,
    *,
    earlier: Iterable[Earlier] = (),
    corrected: Measurements | None = None,
    others: Mapping[str, Beside] | None = None,
) -> Context:
    """Prepare the input of the rules.

    An age outside the possible or a sex that is neither male nor female counts as unknown. A patient of unknown age is
    taken for an adult of any age: the adult rules look for what kills adults.
    """
    patient, measurements = _plausible(patient, rules), _finite(measurements)
    age_years = patient.age_years
    child = age_years is not None and age_years < rules.limits.adult_from_years.value
    made = Context(
        measurements=measurements,
        patient=patient,
        rules=rules,
        profiles=tuple(
            profile
            for profile in rules.profiles
            if profile.fits(age_years=None if child else age_years, sex=patient.sex)
        ),
        child=child,
        earlier=tuple(sorted(earlier, key=lambda one: one.age_days)),
        leads=_usable(measurements) | {lead: one.values for lead, one in (others or {}).items()},
        traces={lead: one.ecg_id for lead, one in (others or {}).items()},
    )
    if corrected is None:
        return made
    other = replace(
        made, measurements=corrected, leads=_usable(corrected) | {k: made.leads[k] for k in made.traces}
    )
    return replace(made, corrected=other)


def _plausible(patient: Patient, rules: RuleSet) -> Patient:
    age_years = patient.age_years
    if age_years is not None and not 0 <= age_years <= rules.limits.age_up_to_years.value:
        age_years = None  # also where it is not a number
    sex = patient.sex if patient.sex in SEXES else None
    numbers = {name: getattr(patient, name) for name in _PATIENT_NUMBERS}
    known = {
        name: value if value is not None and 0 < value < inf else None for name, value in numbers.items()
    }
    if age_years == patient.age_years and sex == patient.sex and known == numbers:
        return patient
    return msgspec.structs.replace(patient, age_years=age_years, sex=sex, **known)


def _finite(measurements: Measurements) -> Measurements:
    """What was measured with every number that is none, and every length that is not above zero, as unknown."""
    odd: dict[str, Any] = {}
    for name in _WHOLE:
        value = getattr(measurements, name)
        if value is not None and not (isfinite(value) and (value > 0.0 or name == "axis_deg")):
            odd[name] = None
    return replace(measurements, **odd) if odd else measurements


def _usable(measurements: Measurements) -> dict[str, LeadMeasurement]:
    bad = set(measurements.quality.bad_leads)
    return {
        lead: values if isfinite(sum(filter(None, values))) else _known(values)
        for lead, values in measurements.leads.items()
        if values.usable and lead not in bad
    }


def _known(values: LeadMeasurement) -> LeadMeasurement:
    """The same with what is no number as unknown."""
    odd: dict[str, Any] = {
        name: None
        for name, one in zip(values._fields, values, strict=True)
        if one is not None and not isfinite(one)
    }
    return values._replace(**odd)
