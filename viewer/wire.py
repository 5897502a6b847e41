"""The case row and the messages of `/live`, as docs/wire-protocol.md has them.

A row is a pure fold of the log but for its place in the worklist, which also depends on the hour: an unanswered case
moves up when its clock runs out. Rows are encoded once and kept until their case or their place changes.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from greenchannel.alerts import drill
from greenchannel.alerts.alert_deadlines import rings_at
from greenchannel.alerts.alert_state import Alert
from greenchannel.alerts.case import Case
from greenchannel.alerts.channels import reason_words
from greenchannel.alerts.ecg_state import AdviceLook, Ecg, SignedReading, tier_rank
from greenchannel.alerts.eta import HUB, SCENE, Eta
from greenchannel.alerts.eta import standing as standing_eta
from greenchannel.alerts.green_channel import TaskState
from greenchannel.alerts.outcome_card import told
from greenchannel.alerts.proposal import prepared
from greenchannel.alerts.task_list import shown_state
from greenchannel.clock import rfc3339
from greenchannel.service.before import patient_of
from greenchannel.triage import worklist
from greenchannel.triage.finding import Tier
from greenchannel.viewer import doubts
from greenchannel.viewer.directory import Directory
from greenchannel.viewer.places import Order, changes_at, is_there, on_board, order_of, place_of, standing
from greenchannel.viewer.words import NOT_READ, TIERS, URGENCY, Word

Json = dict[str, Any]

_NO_ECG: Final = Word("尚无心电图", "no ECG yet")
_NEVER_ECG: Final = Word("病例中没有心电图", "no ECG in this case")
_AGAIN: Final = Word("信号质量差,请重新采集", "poor signal quality, please record again")
_SHOWN_LEADS: Final = 2


def maybe(at: datetime | None) -> str | None:
    """`rfc3339`, or None for what is not known."""
    return None if at is None else rfc3339(at)


# ---------------------------------------------------------------- the row


class _Made(NamedTuple):
    """One encoded row and what it was made from."""

    case: Case
    edition: int
    stale_at: datetime | None  # when the hour alone makes it another
    order: Order
    row: msgspec.Raw

    def holds(self, case: Case, edition: int, now: datetime) -> bool:
        """Is it still the row of this case?"""
        stale = self.stale_at is not None and self.stale_at <= now
        return self.case is case and self.edition == edition and not stale


class CaseRows:
    """Encoded rows, made anew only where the case, its place or a name changed."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._rows: dict[str, _Made] = {}

    @property
    def edition(self) -> int:
        """Changes with the names that stand in the rows."""
        return self._directory.edition

    def row(self, case: Case, now: datetime) -> msgspec.Raw:
        """The row of one case at `now`, as JSON."""
        return self._made(case, now).row

    def rows(self, cases: Iterable[Case], now: datetime) -> list[msgspec.Raw]:
        """The rows of some cases in worklist order."""
        made = [self._made(case, now) for case in cases]
        return [one.row for one in sorted(made, key=lambda one: one.order)]

    def _made(self, case: Case, now: datetime) -> _Made:
        known = self._rows.get(case.case_id)
        if known is not None and known.holds(case, self.edition, now):
            return known
        stale_at = changes_at(case)
        made = _Made(
            case=case,
            edition=self.edition,
            stale_at=stale_at if stale_at is not None and stale_at > now else None,
            order=order_of(case, now),
            row=msgspec.Raw(msgspec.json.encode(case_row(case, self._directory, now))),
        )
        # An old state, replayed, must not push out the new one; what no board shows is not kept.
        if (known is None or known.case.seq <= case.seq) and on_board(case, now):
            self._rows[case.case_id] = made
        return made

    def forget(self, case_id: str) -> None:
        """Keep the row of a case no longer."""
        self._rows.pop(case_id, None)


def case_row(case: Case, names: Directory, now: datetime) -> Json:
    """One row of the worklist. Holds nothing that tells who the patient is."""
    worst = case.worst_ecg
    headline = headline_of(case)
    order_en, order_zh = worklist.explain(place_of(case, now), patient_of(case, case.opened_at))
    context = case.context
    last, advised = _newest_reading(case), _newest_advice(case)
    row = {
        "case_id": case.case_id,
        "seq": case.seq,
        "state": case.state,
        "drill": drill_json(case),
        "opened_at": rfc3339(case.opened_at),
        "last_event_at": rfc3339(case.last_event_at),
        "note": case.note,
        "site": names.site(case.site),
        "patient": {
            "age_years": context.age_years,
            "sex": context.sex,
            "chest_pain": context.chest_pain,
        },
        "arrival_mode": case.arrival_mode,
        "tier": case.tier,
        "order": order_of(case, now),
        "order_zh": order_zh,
        "order_en": order_en,
        "headline_zh": headline.zh,
        "headline_en": headline.en,
        "findings": list(worst.findings) if worst is not None else [],
        "worst_leads": worst_leads(worst),
        "ecg_id": worst.ecg_id if worst is not None else None,
        "ecgs": [_ecg(ecg, names) for ecg in case.current_ecgs],
        "record_again": record_again(case),
        "rings_at": maybe(rings_at(case, names.escalation)),
        "alert": None
        if case.alert is None
        else _alert(case.alert, names, over=case.is_drill and case.state == "closed"),
        "green_channel": _green_channel(case, names),
        "tasks": [task_json(task, case, names) for task in case.tasks],
        **etas(case),
        "feedback": _feedback(case),
        "diagnosed_at": maybe(case.diagnosed_at),
        "identity_conflicts": doubts.conflicts(case),
        "patient_doubts": doubts.doubts(case),
        "identity_checked": _identity_checked(case, names),
        "reading": None if last is None else reading(*last, names),
        "newest_advice": None if advised is None else reading(*advised, names),
        "advice_withdrawn": _withdrawn(case, names),
    }
    return marked(case, row)


def _is_over(case: Case) -> bool:
    """A drill that has ended."""
    return case.is_drill and case.state == "closed"


def drill_json(case: Case) -> Json | None:
    """When a drill ends at the latest; None for a real case."""
    return None if case.drill_until is None else {"ends_at": rfc3339(case.drill_until)}


def marked(case: Case, row: Json) -> Json:
    """What is shown of a case, with 演练 before the names and headlines of a drill: a page that knows nothing of drills
    says it all the same."""
    if not case.is_drill:
        return row
    for key in ("headline_zh", "headline_en"):
        if row.get(key) is not None:
            row[key] = drill.mark_zh(row[key]) if key.endswith("zh") else drill.mark_en(row[key])
    site = row.get("site")
    if site is not None:
        row["site"] = site | {
            "name_zh": drill.mark_zh(site["name_zh"]),
            "name_en": drill.mark_en(site["name_en"]),
        }
    return row


def headline_of(case: Case) -> Word:
    """The most urgent finding in words; where there is none, what the tier means, and never "normal".

    An alert that rang for more than the readings now say, and that no person has settled, comes before both.
    """
    ecg = case.worst_ecg
    if ecg is None:
        return _NO_ECG if case.state == "open" else _NEVER_ECG
    if tier_rank(case.tier) < tier_rank(ecg.tier):
        return _rang_for_more(case, ecg)
    if ecg.tier is None:
        return NOT_READ if any(is_there(one) for one in case.current_ecgs) else _NO_ECG
    said = _said_of(ecg)
    if standing(case).tier is None:  # a newer ECG may be worse than what was read
        return Word(f"{NOT_READ.zh}（另一份心电图：{said.zh}）", f"{NOT_READ.en} (another ECG: {said.en})")
    return said


def _said_of(ecg: Ecg) -> Word:
    ranked = sorted(ecg.findings, key=lambda finding: tier_rank(finding["tier"]))
    if ranked:
        return Word(ranked[0]["zh"], ranked[0]["en"])
    if ecg.tier == Tier.NONE:
        return URGENCY["NONE"]
    return NOT_READ if ecg.tier is None else TIERS.get(ecg.tier, Word(ecg.tier, ecg.tier))


def _rang_for_more(case: Case, ecg: Ecg) -> Word:
    """What a person must know where an alert's tier outranks every reading of the case."""
    alert = next(alert for alert in reversed(case.alerts) if alert.tier == case.tier)
    rang = URGENCY.get(alert.tier, Word(alert.tier, alert.tier))
    fired = {finding["id"] for finding in ecg.findings}
    gone = [rule for rule in alert.rules if rule not in fired]
    zh, en = f"流式初步分析曾判为{rang.zh}", f"A provisional reading said {rang.en}"
    if gone:
        rules = ", ".join(gone)
        zh, en = (
            f"流式初步分析曾触发 {rules}（{rang.zh}）",
            f"A provisional reading fired {rules} ({rang.en})",
        )
    if ecg.tier is None:
        return Word(
            f"{zh}，最终分析尚未完成：请人工复核", f"{en}; the final one is not there yet: please read it"
        )
    if gone:
        return Word(f"{zh}，最终分析未触发：请人工复核", f"{en}; the final one did not: please read it")
    now = URGENCY.get(ecg.tier, Word(ecg.tier, ecg.tier))
    return Word(
        f"{zh}，最终分析判为{now.zh}：请人工复核", f"{en}, the final one says {now.en}: please read it"
    )


def worst_leads(ecg: Ecg | None) -> list[str]:
    """The two leads whose evidence lies farthest beyond its threshold, of the most urgent findings."""
    if ecg is None:
        return []
    strongest: dict[str, tuple[int, float]] = {}
    for finding in ecg.findings:
        for item in finding["evidence"]:
            if item["lead"] not in ecg.leads or item["value"] is None or not item["threshold"]:
                continue
            if item.get("trace") is not None:  # of another trace than the one that is shown
                continue
            key = (tier_rank(finding["tier"]), -_beyond(item))
            strongest[item["lead"]] = min(key, strongest.get(item["lead"], key))
    return sorted(strongest, key=lambda lead: (strongest[lead], ecg.leads.index(lead)))[:_SHOWN_LEADS]


def _beyond(item: Json) -> float:
    """How far beyond its threshold a value lies, as a ratio; a value must fall short of a lower limit above zero."""
    value, threshold = float(item["value"]), float(item["threshold"])
    if item.get("relation") in {"<", "<="} and threshold > 0:
        value, threshold = threshold, value or threshold
    return abs(value / threshold)


def record_again(case: Case) -> Json | None:
    """What the newest reading asks the clinic to record; None where it asks for nothing."""
    read = [ecg for ecg in case.current_ecgs if ecg.analysed_at is not None]
    if not read:
        return None
    ecg = max(read, key=lambda ecg: ecg.analysed_at or case.opened_at)
    said = [Word(one["zh"], one["en"]) for one in ecg.machine_advice]
    if not said and ecg.acceptable is False:
        said = [_AGAIN]
    if not said:
        return None
    return {
        "zh": ";".join(one.zh for one in said),
        "en": "; ".join(one.en for one in said),
        "leads": list(ecg.bad_leads),
    }


def reading(ecg: Ecg, signed: SignedReading, names: Directory) -> Json:
    """A doctor's reading with who signed it."""
    return {
        "ecg_id": ecg.ecg_id,
        "at": rfc3339(signed.at),
        "actor": f"user:{signed.person}",
        "person": signed.person,
        "name": names.person(signed.person)["name"],
        "text": signed.text,
        "tier": signed.tier,
        "advice": signed.advice,
        "seq": signed.seq,
        "agrees": signed.agrees,
        "reason": signed.reason,
        "withdraws": signed.withdraws,
        "amends": _first_of(ecg, signed, names),
    }


def _first_of(ecg: Ecg, signed: SignedReading, names: Directory) -> Json | None:
    """The first reading of the ECG, which a later one amends and never replaces; None for the first itself."""
    first = ecg.readings[0]
    if first.seq == signed.seq:
        return None
    said = {"at": rfc3339(first.at), "tier": first.tier, "text": first.text}
    return {**said, **names.person(first.person), "readings": len(ecg.readings)}


def _newest_reading(case: Case) -> tuple[Ecg, SignedReading] | None:
    signed = [(ecg, ecg.reading) for ecg in case.current_ecgs if ecg.reading is not None]
    return max(signed, key=lambda pair: pair[1].seq, default=None)


def _newest_advice(case: Case) -> tuple[Ecg, SignedReading] | None:
    """The newest reading whose advice holds; a later one that says nothing of it takes no advice back."""
    advised = [(ecg, ecg.standing_advice) for ecg in case.current_ecgs if ecg.standing_advice is not None]
    return max(advised, key=lambda pair: pair[1].seq, default=None)


def _withdrawn(case: Case, names: Directory) -> Json | None:
    """The newest reading that took advice back, with what that was, until there is newer advice."""
    told = [(ecg, ecg.told) for ecg in case.current_ecgs if ecg.told is not None]
    ecg, newest = max(told, key=lambda pair: pair[1].seq, default=(None, None))
    if ecg is None or newest is None or not newest.withdraws:
        return None
    before = next(one.advice for one in reversed(ecg.readings) if one.advice is not None)
    return {**reading(ecg, newest, names), "withdrawn": before}


def _ecg(ecg: Ecg, names: Directory) -> Json:
    look = _look_at_newest_advice(ecg)
    return {
        "ecg_id": ecg.ecg_id,
        "state": ecg.state,
        "tier": ecg.tier,
        "received_at": maybe(ecg.received_at),
        "acceptable": ecg.acceptable,
        "bad_leads": ecg.bad_leads,
        "leads": ecg.leads,
        "rate_hz": ecg.rate_hz,
        "duration_s": ecg.duration_s,
        "live": ecg.live,
        "signed_tier": None if ecg.reading is None else ecg.reading.tier,
        "signed_seq": None if ecg.reading is None else ecg.reading.seq,
        "standing_advice": None if ecg.standing_advice is None else ecg.standing_advice.advice,
        "advice_seen_at": maybe(None if look is None else look.at),
        "advice_seen_by": None if look is None else names.person(look.person),
        "rules_version": ecg.rules,
        "not_analysed": ecg.not_analysed,
        "format": ecg.format,
        "same_as": doubts.same_as(ecg),
    }


def _identity_checked(case: Case, names: Directory) -> Json | None:
    check = case.identity_check
    if check is None:
        return None
    return {"at": rfc3339(check.at), **names.person(check.person), "note": check.note}


def _look_at_newest_advice(ecg: Ecg) -> AdviceLook | None:
    """When the clinic has read the newest advice, not only an earlier one; None while it has not."""
    return None if ecg.told is None else ecg.seen_of(ecg.told)


def _alert(alert: Alert, names: Directory, *, over: bool = False) -> Json:
    """`over`: of a drill that has ended; an alert of it that nobody answered calls nobody any more."""
    return {
        "alert_id": alert.alert_id,
        "tier": alert.tier,
        "state": "ended" if over and alert.open else alert.state.value,
        "opened_at": rfc3339(alert.opened_at),
        "acknowledged_at": maybe(alert.acknowledged_at),
        "acknowledged_by": names.maybe_person(alert.acknowledged_by),
        "held_by": names.maybe_person(alert.held_by),
        "given_to": names.maybe_person(alert.given_to),
        "step": alert.step,
        "steps": len(alert.plan),
        "next_due_at": maybe(alert.next_due_at),
        "follow_up_at": maybe(alert.follow_up_at),
        "exhausted": alert.exhausted,
        "round": alert.round,
        "people": [
            {
                **names.person(person.person),
                "role": person.role,
                "step": person.step,
                "channel": person.channel,
                "sent_at": maybe(person.sent_at),
                "rings": person.rings,
                "delivered_at": maybe(person.delivered_at),
                "seen_at": maybe(person.seen_at),
                "acknowledged_at": maybe(person.acknowledged_at),
                "declined_at": maybe(person.declined_at),
                "unreachable_at": maybe(person.unreachable_at),
                "unreachable_reason": person.unreachable_reason,
                "unreachable": None
                if person.unreachable_at is None
                else reason_words(person.unreachable_reason),
            }
            for person in alert.people
        ],
    }


def _green_channel(case: Case, names: Directory) -> Json:
    channel = case.channel
    return {
        "state": channel.state,
        "channel_id": channel.channel_id,
        "opened_at": maybe(channel.opened_at),
        "opened_by": names.maybe_person(channel.opened_by),
        "stood_down_at": maybe(channel.stood_down_at),
        "stood_down_by": names.maybe_person(channel.stood_down_by),
        "reason": channel.reason,
        "proposed": _proposed(case, names),
    }


def _proposed(case: Case, names: Directory) -> Json | None:
    """What the machine proposes, its tasks prepared and not sent; None where it proposed nothing."""
    proposal, ready = case.channel.proposal, prepared(case)
    if proposal is None or ready is None:
        return None
    return {
        "at": rfc3339(proposal.at),
        "ecg_id": proposal.ecg_id,
        "rules": proposal.rules,
        "stands": ready.stands,
        "tasks": [
            {"kind": row.kind, "role": row.role, **names.task(row.kind, case.site)}
            for row in (ready.tasks if ready.stands else ())
        ],
    }


def _feedback(case: Case) -> Json | None:
    """When the clinic was told last what became of the patient, and when it read that; None while it was not told."""
    sent, seen = told(case)
    if sent is None:
        return None
    return {"sent_at": rfc3339(sent.time.at), "seen_at": None if seen is None else rfc3339(seen.time.at)}


def task_json(task: TaskState, case: Case, names: Directory) -> Json:
    """One task of the row of a case."""
    state = shown_state(case, task)
    ended_at = case.closed_at if state != task.state else None
    return {
        "task_id": task.task_id,
        "kind": task.kind,
        "role": task.role,
        "state": state,
        **names.task(task.kind, case.site),
        "given_at": rfc3339(task.given_at),
        "accepted_at": maybe(task.accepted_at),
        "accepted_by": names.maybe_person(task.accepted_by),
        "done_at": maybe(task.done_at),
        "done_by": names.maybe_person(task.done_by),
        "cancelled_at": maybe(task.cancelled_at or ended_at),
    }


def etas(case: Case) -> Json:
    """The word that stands for each place, null where nothing was said."""
    return {"eta": {place: _eta(standing_eta(case.etas, place)) for place in (SCENE, HUB)}}


def _eta(eta: Eta | None) -> Json | None:
    if eta is None:
        return None
    return {
        "at": rfc3339(eta.time.at),
        "uncertainty_s": eta.time.uncertainty_s,
        "source": eta.source,
        "given_at": rfc3339(eta.given_at),
    }


# ---------------------------------------------------------------- messages


def change_message(
    seq: int, at: datetime, kind: str, case_id: str, actor: str, row: msgspec.Raw, data: Mapping[str, Any]
) -> str:
    """One event of `/live`, with the whole row after it."""
    return msgspec.json.encode(
        {
            "seq": seq,
            "at": rfc3339(at),
            "type": kind,
            "case_id": case_id,
            "actor": actor,
            "row": row,
            "data": data,
        }
    ).decode()
