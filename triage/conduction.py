"""How the ventricles are activated: narrow, bundle branch block, paced, pre-excited. What ST may mean depends on it.

The rows ``MIM-RBBB``, ``MIM-LBBB``, ``MIM-PACE`` and ``MIM-WPW`` of the rule set hold the numbers; a rule set without
them knows narrow and wide alone.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from greenchannel.signal.delta_wave import initial_slur_ms
from greenchannel.signal.measurements import LeadMeasurement, Measurements
from greenchannel.triage.finding import Evidence, Patient
from greenchannel.triage.rule_rows import Conducted
from greenchannel.triage.rule_set import Numbers, RuleSet

Leads = Mapping[str, LeadMeasurement]

_LEFT: Final = ("I", "aVL", "V5", "V6")


class Conduction(msgspec.Struct, frozen=True, kw_only=True):
    """A class of conduction and what shows it."""

    name: Conducted
    evidence: tuple[Evidence, ...] = ()
    strict: bool = False  # of LBBB: also by the narrower definition of Strauss

    @property
    def rule(self) -> str | None:
        """The rule that says so; None where no block is named."""
        return RULE_OF.get(self.name)


RULE_OF: Final[dict[str, str]] = {
    "rbbb": "MIM-RBBB",
    "lbbb": "MIM-LBBB",
    "paced": "MIM-PACE",
    "preexcited": "MIM-WPW",
}


def classify(measurements: Measurements, leads: Leads, patient: Patient, rules: RuleSet) -> Conduction:
    """The class of conduction of the dominant beat.

    Pacing comes first, since a paced beat looks like a block of the left bundle; pre-excitation next, since it looks
    like either; what is wide and none of them is called wide.
    """
    numbers = rules.numbers
    if (n := numbers.get("MIM-PACE")) and (found := _paced(measurements, n)):
        return Conduction(name="paced", evidence=found)
    qrs_ms = measurements.qrs_ms
    if qrs_ms is None:
        return Conduction(name="unknown")
    if (n := numbers.get("MIM-WPW")) and (found := _preexcited(measurements, qrs_ms, n)):
        return Conduction(name="preexcited", evidence=found)
    if qrs_ms < rules.limits.wide_qrs_from_ms.value:
        return Conduction(name="narrow")
    if (n := numbers.get("MIM-LBBB")) and (found := _left(leads, qrs_ms, n)):
        return Conduction(name="lbbb", evidence=found, strict=_strict(leads, qrs_ms, patient, n))
    if (n := numbers.get("MIM-RBBB")) and (found := _right(leads, qrs_ms, n)):
        return Conduction(name="rbbb", evidence=found)
    return Conduction(
        name="wide", evidence=(_whole("wide_qrs", qrs_ms, rules.limits.wide_qrs_from_ms.value),)
    )


def _whole(rule: str, qrs_ms: float, threshold: float, relation: str = ">=") -> Evidence:
    return Evidence(
        lead=None, quantity="qrs_ms", value=qrs_ms, threshold=threshold, rule=rule, relation=relation
    )


def _paced(measurements: Measurements, n: Numbers) -> tuple[Evidence, ...]:
    """Spikes before most QRS; a paced atrium alone conducts as usual."""
    rhythm = measurements.rhythm_detail
    share = None if rhythm is None else rhythm.paced_share
    if share is None or not share >= n.share:
        return ()
    return (Evidence(lead=None, quantity="paced_share", value=share, threshold=n.share, rule="MIM-PACE"),)


def _preexcited(measurements: Measurements, qrs_ms: float, n: Numbers) -> tuple[Evidence, ...]:
    pr_ms, median = measurements.pr_ms, measurements.median
    if pr_ms is None or pr_ms >= n.pr_ms or qrs_ms <= n.qrs_ms or median is None:
        return ()
    slur_ms = initial_slur_ms(median)
    if slur_ms is None or slur_ms < n.delta_ms:
        return ()
    rule = "MIM-WPW"
    return (
        Evidence(lead=None, quantity="pr_ms", value=pr_ms, threshold=n.pr_ms, rule=rule, relation="<"),
        Evidence(lead=None, quantity="delta_ms", value=slur_ms, threshold=n.delta_ms, rule=rule),
        _whole(rule, qrs_ms, n.qrs_ms, ">"),
    )


def _left(leads: Leads, qrs_ms: float, n: Numbers) -> tuple[Evidence, ...]:
    """A broad R without q on the left, rS or QS in V1 (in V2 where V1 cannot be read)."""
    right = leads.get("V1") or leads.get("V2")
    if qrs_ms < n.qrs_ms or right is None or right.r_mv is None:
        return ()
    down_mv = -min(right.q_mv or 0.0, right.s_mv or 0.0)
    if down_mv <= n.s_over_r * max(right.r_mv, right.r2_mv or 0.0):
        return ()
    broad = [
        (lead, r_ms)
        for lead in _LEFT
        if lead in leads
        and (r_ms := (leads[lead].r_ms or 0.0) + (leads[lead].r2_ms or 0.0)) >= n.r_ms
        and -(leads[lead].q_mv or 0.0) * 1000.0 < n.q_uv
    ]
    if len(broad) < n.leads:
        return ()
    rule = "MIM-LBBB"
    return (
        _whole(rule, qrs_ms, n.qrs_ms),
        *(
            Evidence(lead=lead, quantity="r_ms", value=r_ms, threshold=n.r_ms, rule=rule)
            for lead, r_ms in broad
        ),
    )


def _strict(leads: Leads, qrs_ms: float, patient: Patient, n: Numbers) -> bool:
    """Strauss: wider still, with a notched R in two left leads; for an unknown sex by the higher limit."""
    least_ms = n.strict_female_ms if patient.sex == "female" else n.strict_male_ms
    notched = sum(bool(leads[lead].r2_mv) for lead in _LEFT if lead in leads)
    return qrs_ms >= least_ms and notched >= n.leads


def _right(leads: Leads, qrs_ms: float, n: Numbers) -> tuple[Evidence, ...]:
    """A late R or R′ that outweighs S in V1 or V2, a broad S in I (in V6 where I cannot be read)."""
    rule = "MIM-RBBB"
    late = [lead for lead in ("V1", "V2") if lead in leads and _late_r(leads[lead], n)]
    left = "I" if "I" in leads else "V6"
    s_ms = (leads[left].s_ms or 0.0) + (leads[left].s2_ms or 0.0) if left in leads else 0.0
    if qrs_ms < n.qrs_ms or not late or s_ms < n.s_ms:
        return ()
    peaks = [(lead, peak_ms) for lead in late if (peak_ms := leads[lead].r_peak_ms) is not None]
    return (
        _whole(rule, qrs_ms, n.qrs_ms),
        *(
            Evidence(lead=a, quantity="r_peak_ms", value=b, threshold=n.r_peak_ms, rule=rule)
            for a, b in peaks
        ),
        Evidence(lead=left, quantity="s_ms", value=s_ms, threshold=n.s_ms, rule=rule),
    )


def _late_r(lead: LeadMeasurement, n: Numbers) -> bool:
    """The last R is late, no small hump, and outweighs what is negative."""
    last_mv = lead.r2_mv or lead.r_mv or 0.0
    if lead.r_peak_ms is None or lead.r_peak_ms < n.r_peak_ms or last_mv * 1000.0 < n.r2_uv:
        return False
    return last_mv > n.r_over_s * -min(lead.q_mv or 0.0, lead.s_mv or 0.0, lead.s2_mv or 0.0)
