"""What happened to a case, line by line, in words."""

from typing import Any, Final

from greenchannel.alerts.milestones import milestones
from greenchannel.clock import rfc3339
from greenchannel.events import (
    AlertDeclined,
    AlertEscalated,
    AlertHandedOver,
    AlertSent,
    CaseClosed,
    EcgAnalysed,
    Envelope,
    GreenChannelStoodDown,
    MilestoneRecorded,
    ReadingSigned,
)
from greenchannel.viewer.directory import Directory
from greenchannel.viewer.words import Word

EVENTS: Final[dict[str, Word]] = {
    "case_opened": Word("病例建立", "case opened"),
    "context_entered": Word("补充病情信息", "patient's details entered"),
    "stream_started": Word("开始实时传输", "live stream began"),
    "stream_ended_empty": Word("实时传输结束，无数据", "live stream ended without data"),
    "provisional_reading": Word("实时分析（暂定）", "provisional reading of the stream"),
    "ecg_received": Word("收到心电图", "ECG received"),
    "ecg_analysed": Word("自动分析完成（未审核）", "automatic analysis finished, not reviewed"),
    "ecg_opened": Word("已打开阅图", "trace opened by a person"),
    "reading_signed": Word("签发诊断", "reading signed"),
    "advice_seen": Word("基层已看到建议", "clinic has read the advice"),
    "identity_conflict_raised": Word("身份冲突，请人工核对", "identity conflict, a person must look"),
    "alert_opened": Word("发起预警", "alert opened"),
    "alert_raised": Word("预警升级", "alert raised"),
    "alert_sent": Word("预警发出", "alert sent"),
    "alert_delivered": Word("预警送达", "alert delivered"),
    "alert_acknowledged": Word("确认收到预警", "alert acknowledged"),
    "alert_declined": Word("无法接手预警", "alert declined"),
    "alert_handed_over": Word("转交预警", "alert handed over"),
    "alert_escalated": Word("无人应答，呼叫下一级", "nobody answered, next step called"),
    "alert_exhausted": Word("所有级别均未应答", "no step answered"),
    "green_channel_opened": Word("绿色通道开通", "green channel opened"),
    "green_channel_stood_down": Word("绿色通道取消", "green channel stood down"),
    "task_accepted": Word("任务已接受", "task accepted"),
    "task_done": Word("任务完成", "task done"),
    "milestone_recorded": Word("记录时间", "time recorded"),
    "case_closed": Word("病例关闭", "case closed"),
    "case_merged": Word("病例合并", "case merged into another"),
    "case_split": Word("病例拆分", "ECGs moved to another case"),
}


def line(envelope: Envelope, names: Directory) -> dict[str, Any]:
    """One line of a case's history."""
    kind = type(envelope.event).__struct_config__.tag
    words = EVENTS.get(str(kind), Word(str(kind), str(kind)))
    detail = _detail(envelope, names)
    return {
        "seq": envelope.seq,
        "at": rfc3339(envelope.at),
        "type": kind,
        "actor": envelope.actor,
        "actor_name": names.actor_name(envelope.actor),
        "zh": words.zh if detail is None else f"{words.zh}：{detail.zh}",
        "en": words.en if detail is None else f"{words.en}: {detail.en}",
    }


def _detail(envelope: Envelope, names: Directory) -> Word | None:
    match envelope.event:
        case EcgAnalysed() as e:
            return _both(e.tier)
        case ReadingSigned() as e:
            return _both(f"{e.tier} {e.text}")
        case AlertSent() as e:
            return _both(names.person(e.person)["name"] or e.person)
        case AlertHandedOver() as e:
            return _both(names.person(e.to_person)["name"] or e.to_person)
        case AlertDeclined() | GreenChannelStoodDown() | CaseClosed() as e if e.reason:
            return _both(e.reason)
        case AlertEscalated() as e:
            return Word(f"第 {e.step + 1} 级", f"step {e.step + 1}")
        case MilestoneRecorded() as e:
            spec = milestones().get(e.milestone)
            zh, en = (spec.zh, spec.en) if spec else (e.milestone, e.milestone)
            return Word(f"{zh} {rfc3339(e.time.at)}", f"{en} {rfc3339(e.time.at)}")
        case _:
            return None


def _both(text: str) -> Word:
    return Word(text, text)
