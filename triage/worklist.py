"""The order of the worklist: a key for each case that depends on that case and the instant alone.

The most urgent tier comes first; within a tier whoever has no answer yet; then what is known of the patient (chest
pain, shock, onset, …: `worklist.toml`), the longest wait, and the case's id, so that no two cases tie. Because no other
case enters the key, an update of one case moves that case only.

Nothing starves. Each tier below the critical ones has a clock (`ageing` in the rule set: an urgent over-read
10 minutes). A case that is still unanswered when it runs out moves up: behind the cases of the higher tier that
wait for an answer, before those that have one. Moved-up cases queue by their waiting time alone, so nobody who
came later can pass them, and the escalation of alerts bounds how long the unanswered ones ahead of them stay.

An ECG that was received and not read yet may be anything: it stands among the urgent ones, with their clock, until its
reading is there.
"""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from greenchannel.clock import check_aware
from greenchannel.triage.finding import Patient, Tier
from greenchannel.triage.rule_set import RULES, RuleSet
from greenchannel.triage.worklist_weights import held, points

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

NOT_READ_AS: Final = Tier.URG
"""[E] Among whose cases one with an unread ECG stands at least: nobody knows yet that it is harmless."""

_NOT_READ_RANK: Final = len(Tier)


class Place(NamedTuple):
    """Sorts ascending: the smallest is looked at first."""

    band: int  # rank of the tier among whose cases this one stands
    answered: bool
    moved_up: bool  # its clock ran out without an answer
    weight: int  # of what is known of the patient, negative: more stands further up; 0 for all that moved up
    opened_us: int  # microseconds since 1970
    case_id: str
    tier_rank: (
        int  # of the case's own tier, after all of them while it is not read; never decides, ids are unique
    )


def place(
    *,
    tier: Tier | None,
    answered: bool,
    patient: Patient,
    opened_at: datetime,
    case_id: str,
    now: datetime,
    waits_since: datetime | None = None,
    rules: RuleSet = RULES,
) -> Place:
    """Where a case stands in the worklist at `now`.

    Parameters
    ----------
    tier
        The case's highest tier; None while an ECG waits for its reading that could be more urgent than the others.
    answered
        Somebody has acknowledged it.
    patient
        What is known of the patient; it moves the case within its tier alone.
    opened_at, now
        Aware instants; `NaiveDatetimeError` otherwise.
    case_id
        Unique; settles what is otherwise equal.
    waits_since
        When the wait for an answer began; with the case itself where it is None.
    """
    opened_at = check_aware(opened_at)
    since = opened_at if waits_since is None else waits_since
    due_at = moves_up_at(tier=tier, answered=answered, waits_since=since, rules=rules)
    moved_up = due_at is not None and check_aware(now) >= due_at
    counted = NOT_READ_AS if tier is None else tier
    return Place(
        band=rules.ageing[counted].to.rank if moved_up else counted.rank,
        answered=answered,
        moved_up=moved_up,
        weight=0 if moved_up else -points(patient),
        opened_us=(opened_at - _EPOCH) // _MICROSECOND,
        case_id=case_id,
        tier_rank=_NOT_READ_RANK if tier is None else tier.rank,
    )


def moves_up_at(
    *, tier: Tier | None, answered: bool, waits_since: datetime, rules: RuleSet = RULES
) -> datetime | None:
    """When a case's clock runs out: the only instant at which its place changes by itself; None where there is none."""
    ageing = rules.ageing.get(NOT_READ_AS if tier is None else tier)
    if ageing is None or answered:
        return None
    return check_aware(waits_since) + timedelta(seconds=ageing.after_s)


def explain(key: Place, patient: Patient, rules: RuleSet = RULES) -> tuple[str, str]:
    """Why a case stands where it stands, in English and Chinese; `patient` as it was for `place`."""
    tier = NOT_READ_AS if key.tier_rank == _NOT_READ_RANK else list(Tier)[key.tier_rank]
    opened = _EPOCH + timedelta(microseconds=key.opened_us)
    since = opened.isoformat(timespec="seconds")
    if key.tier_rank == _NOT_READ_RANK:
        en, zh = ["waiting for the automatic analysis"], ["等待自动分析"]
    else:
        name = rules.tier_names[tier]
        en, zh = [tier.value], [name.zh if tier is not Tier.NONE else "没有规则被触发"]
    if key.moved_up:
        band = list(Tier)[key.band]
        minutes = f"{rules.ageing[tier].after_s / 60:g}"
        en.append(f"unanswered for {minutes} min or more, moved up to {band.value}")
        zh.append(f"超过{minutes}分钟未应答,前移至{band.value}")
    else:
        en.append("answered" if key.answered else "not answered")
        zh.append("已应答" if key.answered else "未应答")
        for weight in held(patient):
            en.append(weight.words[0])
            zh.append(weight.words[1])
    en.append(f"open since {since}")
    zh.append(f"开始于{since}")
    return ", ".join(en), ",".join(zh)
