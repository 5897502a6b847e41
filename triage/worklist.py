"""The order of the worklist: a key for each case that depends on that case and the instant alone.

The most urgent tier comes first; within a tier whoever has no answer yet; then the longest wait, where what is known
of the patient (chest pain, shock, onset, …: `worklist.toml`) counts as minutes of waiting; and the case's id, so that
no two cases tie. Because no other case enters the key, an update of one case moves that case only.

Nothing starves. Within a tier the head start of others is bounded, so whoever waits long enough comes first. Each tier
below the highest has a clock, too (`ageing` in the rule set: an urgent over-read 10 minutes): a case that is still
unanswered when it runs out joins the next tier as one that came at that instant: behind those that wait there, before
those that come later. It never passes a critical case that was there before it.

An ECG that was received and not read yet may be anything: it stands among the urgent ones, with their clock, until its
reading is there.
"""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from greenchannel.clock import check_aware
from greenchannel.triage.finding import Patient, Tier
from greenchannel.triage.rule_set import RULES, RuleSet
from greenchannel.triage.worklist_weights import POINT_S, held, points

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

NOT_READ_AS: Final = Tier.URG
"""[E] Among whose cases one with an unread ECG stands at least: nobody knows yet that it is harmless."""

_NOT_READ_RANK: Final = len(Tier)


class Place(NamedTuple):
    """Sorts ascending: the smallest is looked at first."""

    band: int  # rank of the tier among whose cases this one stands
    answered: bool
    queue_us: int  # since when it waits in this band, less its head start; microseconds since 1970
    case_id: str
    # What follows only explains and never decides: ids are unique.
    since_us: int  # when the wait for an answer began
    moved_up: bool  # its clock ran out without an answer
    tier_rank: int  # of the case's own tier, after all of them while it is not read


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
        What is known of the patient; it counts as minutes of waiting, within the tier.
    opened_at, now
        Aware instants; `NaiveDatetimeError` otherwise.
    case_id
        Unique; settles what is otherwise equal.
    waits_since
        When the wait for an answer began; with the case itself where it is None.
    """
    since = check_aware(opened_at if waits_since is None else waits_since)
    due_at = moves_up_at(tier=tier, answered=answered, waits_since=since, rules=rules)
    moved_up = due_at is not None and check_aware(now) >= due_at
    counted = NOT_READ_AS if tier is None else tier
    joined = due_at if due_at is not None and moved_up else since
    head_start = timedelta(seconds=POINT_S * points(patient))
    return Place(
        band=rules.ageing[counted].to.rank if moved_up else counted.rank,
        answered=answered,
        queue_us=(joined - head_start - _EPOCH) // _MICROSECOND,
        case_id=case_id,
        since_us=(since - _EPOCH) // _MICROSECOND,
        moved_up=moved_up,
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
    since = (_EPOCH + timedelta(microseconds=key.since_us)).isoformat(timespec="seconds")
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
        minutes = f"{weight.points * POINT_S / 60:g}"
        counts = weight.points > 0
        en.append(f"{weight.words[0]} (counts as {minutes} min)" if counts else weight.words[0])
        zh.append(f"{weight.words[1]}(计{minutes}分钟)" if counts else weight.words[1])
    en.append(f"waiting since {since}")
    zh.append(f"等待始于{since}")
    return ", ".join(en), ",".join(zh)
