"""What may be done to ECGs and alerts: pure decisions, a case in and events out."""

from greenchannel.alerts import escalation
from greenchannel.alerts.alert_state import Alert, AlertPerson
from greenchannel.alerts.case import Case
from greenchannel.alerts.ecg_state import Ecg, SignedReading, tier_rank
from greenchannel.alerts.escalation import call
from greenchannel.alerts.escalation_plan import EscalationSettings, default_settings
from greenchannel.alerts.escalation_table import Phase
from greenchannel.alerts.refusal import Refused, SignedMeanwhile, no_such
from greenchannel.events import (
    AdviceSeen,
    AlertAcknowledged,
    AlertDeclined,
    AlertDelivered,
    AlertHandedOver,
    AlertSeen,
    AlertUnreachable,
    AlertWithheld,
    AnyEvent,
    EcgAnalysed,
    EcgNotAnalysed,
    EcgOpened,
    PlanStep,
    ProvisionalReading,
    ReadingSigned,
    Ring,
)
from greenchannel.triage.finding import BLANK, Tier


def require_unmerged(case: Case) -> None:
    """Raise `Refused` where the case goes on as another; a closed one still takes what is known of it."""
    if case.state == "merged":
        raise Refused(
            "case_merged",
            f"病例已并入{case.merged_into}",
            f"expected a case that was not merged, got one merged into {case.merged_into}",
            409,
        )


def find_ecg(case: Case, ecg_id: str) -> Ecg:
    """The ECG of this id; raise `Refused` where the case has none."""
    ecg = case.ecg(ecg_id)
    if ecg is None:
        raise no_such("ecg", "心电图", ecg_id)
    return ecg


def find_alert(case: Case, alert_id: str) -> Alert:
    """The alert of this id; raise `Refused` where the case has none."""
    alert = case.alert_of(alert_id)
    if alert is None:
        raise no_such("alert", "预警", alert_id)
    return alert


# ---------------------------------------------------------------- the machine's readings


def analysed(
    case: Case,
    reading: EcgAnalysed,
    *,
    alert_id: str,
    plan: tuple[PlanStep, ...],
    settings: EscalationSettings | None = None,
    original: Ecg | None = None,
) -> list[AnyEvent]:
    """The final reading of one ECG, and the alert that follows from it.

    `alert_id` and `plan` are used where a new alert opens. The same analysis again gives nothing. `original` is the
    earlier ECG of the same patient that holds the same samples: what it said is no news, and does not ring again;
    unless this one is longer, for then it was not read before.
    """
    ecg = find_ecg(case, reading.ecg_id)
    if ecg.analysis_sha256 == reading.analysis_sha256:
        return []
    if (
        original is not None
        and ecg.only_repeats
        and tier_rank(original.final_tier) <= tier_rank(reading.tier)
    ):
        if reading.tier not in (settings or default_settings()).paging_tiers:
            return [reading]
        return [reading, AlertWithheld(ecg_id=ecg.ecg_id, of_ecg_id=original.ecg_id, tier=reading.tier)]
    calls = call(
        case,
        ecg_id=reading.ecg_id,
        tier=reading.tier,
        findings=reading.findings,
        alert_id=alert_id,
        plan=plan,
        settings=settings,
    )
    return [reading, *calls]


def not_analysed(
    case: Case,
    said: EcgNotAnalysed,
    *,
    alert_id: str,
    plan: tuple[PlanStep, ...],
    settings: EscalationSettings | None = None,
) -> list[AnyEvent]:
    """The machine leaves one ECG to a person, and the alert that follows from it; a second time gives nothing."""
    if find_ecg(case, said.ecg_id).settled_at is not None:
        return []
    calls = call(
        case,
        ecg_id=said.ecg_id,
        tier=said.tier,
        findings=said.findings,
        alert_id=alert_id,
        plan=plan,
        settings=settings,
    )
    return [said, *calls]


def provisional(
    case: Case,
    reading: ProvisionalReading,
    *,
    alert_id: str,
    plan: tuple[PlanStep, ...],
    settings: EscalationSettings | None = None,
) -> list[AnyEvent]:
    """A new tier of a running stream, and the alert that follows from it; nothing where the tier is the same, the
    reading is older than the last, or the final reading is there."""
    ecg = find_ecg(case, reading.ecg_id)
    stale = ecg.provisional_until_sample is not None and reading.until_sample < ecg.provisional_until_sample
    if ecg.final_tier is not None or ecg.provisional_tier == reading.tier or stale:
        return []
    calls = call(
        case,
        ecg_id=reading.ecg_id,
        tier=reading.tier,
        findings=reading.findings,
        alert_id=alert_id,
        plan=plan,
        settings=settings,
    )
    return [reading, *calls]


# ---------------------------------------------------------------- people and ECGs


def open_ecg(case: Case, ecg_id: str) -> list[AnyEvent]:
    """A person has the trace on the screen; only the first time is written down."""
    return [EcgOpened(ecg_id=ecg_id)] if find_ecg(case, ecg_id).opened_at is None else []


def sign_reading(
    case: Case,
    ecg_id: str,
    person: str,
    *,
    text: str,
    tier: str,
    advice: str | None = None,
    agrees: bool | None = None,
    reason: str | None = None,
    after: int | None = None,
    withdraws: bool = False,
) -> list[AnyEvent]:
    """A doctor's signed reading. Who signs has seen the trace, and has answered the alert.

    Parameters
    ----------
    agrees, reason : with the automatic analysis, or why not; None: not said
    after : number of the newest reading of this ECG that the signer has seen, 0 where there was none; None: not said,
        and nothing is checked
    withdraws : the advice of earlier readings of this ECG holds no more; new advice takes its place by itself

    Raises
    ------
    SignedMeanwhile
        There is a newer one. Saying the same again is no second reading and is never refused.
    """
    ecg = find_ecg(case, ecg_id)
    if not text.strip():
        raise Refused("text_required", "诊断内容不能为空", "expected the text of the reading, got none", 422)
    if tier not in set(Tier):
        known = " ".join(Tier)
        raise Refused(
            "unknown_tier", f"分级应为 {known}，收到 {tier}", f"expected one of {known}, got {tier}", 422
        )
    advice, reason = _said(advice), _said(reason)
    if BLANK in text or BLANK in (advice or ""):
        raise Refused(
            "blank_left", f"请填写空白处（{BLANK}）", f"expected a text without blanks, got {BLANK}", 422
        )
    if agrees is False and reason is None:
        raise Refused("reason_required", "不同意须说明原因", "expected why it disagrees, got none", 422)
    signed = ReadingSigned(
        ecg_id=ecg_id,
        text=text,
        tier=tier,
        advice=advice,
        agrees=agrees,
        reason=reason,
        withdraws=withdraws and advice is None and ecg.standing_advice is not None,
    )
    last = ecg.reading
    if last is not None and last.person == person and _same(last, signed):
        return []
    if last is not None and after is not None and last.seq != after:
        raise SignedMeanwhile(last.person, last.at)
    return [*open_ecg(case, ecg_id), *_answer_about(case, ecg_id, person), signed]


def _said(text: str | None) -> str | None:
    return None if text is None else text.strip() or None


def _same(last: SignedReading, signed: ReadingSigned) -> bool:
    """Does it say the same again? How it stands to the machine's words may be left out."""
    again = (last.text, last.tier, last.advice) == (signed.text, signed.tier, signed.advice)
    stands = signed.agrees is None or (signed.agrees, signed.reason) == (last.agrees, last.reason)
    return again and not signed.withdraws and stands


def advice_seen(case: Case, ecg_id: str, *, of: int | None = None) -> list[AnyEvent]:
    """The clinic has read the advice, or that it holds no more; nothing where it had read the newest.

    `of` is the number of the reading whose advice was before its eyes: a newer one is not read by that.
    """
    ecg = find_ecg(case, ecg_id)
    told = ecg.told
    if told is None:
        raise Refused("no_advice", "尚无诊断意见", "expected a signed reading with advice, got none", 409)
    if of is not None and told.seq > of:
        raise Refused(
            "advice_changed",
            "医生刚刚给出了新的建议，请看过新的建议",
            f"expected the newest advice ({told.seq}) to be the one that was read, got {of}",
            409,
        )
    seen = ecg.advice_seen_seq is not None and ecg.advice_seen_seq > told.seq
    return [] if seen else [AdviceSeen(ecg_id=ecg_id)]


# ---------------------------------------------------------------- people and alerts


def delivered(case: Case, alert_id: str, person: str, channel: str = "live") -> list[AnyEvent]:
    """The person's device has the alert. Nothing for a person who was not rung there, or who said so before."""
    entry = _rung(case, alert_id, person, channel)
    if entry is None or entry.delivered_at is not None:
        return []
    return [AlertDelivered(alert_id=alert_id, person=person, channel=channel)]


def seen(case: Case, alert_id: str, person: str, channel: str = "live") -> list[AnyEvent]:
    """The person has the alert before their eyes; it was delivered, then, whether or not the device had said so."""
    entry = _rung(case, alert_id, person, channel)
    if entry is None or entry.seen_at is not None:
        return []
    told = delivered(case, alert_id, person, channel)
    return [*told, AlertSeen(alert_id=alert_id, person=person, channel=channel)]


def unreachable(case: Case, alert_id: str, person: str, channel: str, reason: str) -> list[AnyEvent]:
    """A channel has given up on a person, and the next step where nobody of the present one is left."""
    entry = _rung(case, alert_id, person, channel)
    if entry is None or entry.unreachable_at is not None:
        return []
    gone = AlertUnreachable(alert_id=alert_id, person=person, channel=channel, reason=reason)
    return escalation.unreached(find_alert(case, alert_id), [gone])


def _rung(case: Case, alert_id: str, person: str, channel: str) -> AlertPerson | None:
    """What is known of a person on a channel; None where the present round has not rung them there."""
    entry = find_alert(case, alert_id).entry(Ring(person=person, channel=channel))
    return entry if entry is not None and entry.sent_at is not None else None


def acknowledge(case: Case, alert_id: str, person: str) -> list[AnyEvent]:
    """A person answers; the first answer stops the escalation, each further person is written down once."""
    if find_alert(case, alert_id).has_answered(person):
        return []
    return [AlertAcknowledged(alert_id=alert_id, person=person)]


def answer(case: Case, person: str) -> list[AnyEvent]:
    """The answer to an alert that still waits, by a person who did what the alert asks for; else nothing."""
    alert = case.alert
    return acknowledge(case, alert.alert_id, person) if alert is not None and alert.open else []


def _answer_about(case: Case, ecg_id: str, person: str) -> list[AnyEvent]:
    """The answer by a person who read an ECG: to read another one of the case is no answer."""
    alert = case.alert
    about = alert is not None and {ecg_id, case.repeats.get(ecg_id, ecg_id)}.intersection(alert.ecg_ids)
    return answer(case, person) if about else []


def claim(case: Case, alert_id: str, person: str) -> list[AnyEvent]:
    """A person takes the alert: answers it, and has it from now on where another had it."""
    alert = find_alert(case, alert_id)
    events = acknowledge(case, alert_id, person)
    if alert.held_by is not None and alert.held_by != person:
        events.append(AlertHandedOver(alert_id=alert_id, person=alert.held_by, to_person=person))
    return events


def decline(
    case: Case,
    alert_id: str,
    person: str,
    reason: str | None = None,
    *,
    plan: tuple[PlanStep, ...] = (),
    settings: EscalationSettings | None = None,
) -> list[AnyEvent]:
    """A person who was rung cannot take it: the next step is due now.

    Once somebody answered nothing is written, but for the person who has it: who was given it and has not taken it
    gives it back, and it rings anew by the `plan` of now (none: the frozen one).
    """
    alert = find_alert(case, alert_id)
    declined = AlertDeclined(alert_id=alert_id, person=person, reason=reason)
    asked = alert is case.alert and case.state == "open" and alert.phase is Phase.ANSWERED
    if asked and alert.given_to == person:
        return escalation.rearm(
            alert, plan or alert.plan, reason="handed_back", declined=declined, settings=settings
        )
    if alert.held_by == person and not alert.open:
        raise Refused(
            "held",
            "您已接收该预警，请转交他人",
            "expected an alert that you have not taken: hand it over to somebody",
            409,
        )
    if not alert.open or alert.has_declined(person):
        return []
    if not any(entry.person == person and entry.sent_at is not None for entry in alert.people):
        raise Refused(
            "not_rung",
            "该预警没有呼叫您，无需拒绝",
            f"expected one of the people that this alert rang, got {person}",
            409,
        )
    return escalation.decline(alert, declined, person)


def hand_over(case: Case, alert_id: str, person: str, to_person: str) -> list[AnyEvent]:
    """The person who has the alert gives it to another."""
    alert = find_alert(case, alert_id)
    if alert.held_by == to_person:
        return []
    if alert.held_by != person:
        raise Refused(
            "not_held",
            "只有已接收该预警的人可以转交",
            f"expected the person who has the alert ({alert.held_by}), got {person}",
            409,
        )
    return [AlertHandedOver(alert_id=alert_id, person=person, to_person=to_person)]
