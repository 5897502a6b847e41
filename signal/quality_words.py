"""The words of every reason why a lead or a recording may not be trusted, in two languages (SIG-5)."""

from collections.abc import Iterable
from typing import Final

from greenchannel.signal.measurements import QualityMessage

# Code: English, Chinese. {lead} is filled in.
WORDS: Final[dict[str, tuple[str, str]]] = {
    "lead_missing": (
        "{lead}: no signal was received; reconnect the electrode and record again",
        "{lead} 无信号,请检查电极连接后再做一份",
    ),
    "lead_broken": (
        "{lead}: too many samples are missing to tell a heartbeat; check the connection and record again",
        "{lead} 数据丢失过多,无法辨认心搏,请检查连接后再做一份",
    ),
    "lead_flat": (
        "{lead}: the electrode is off; reconnect it and record again",
        "{lead} 电极脱落,请重新连接后再做一份",
    ),
    "saturation": (
        "{lead}: the signal hits the limit of the device; prepare the skin, press the electrode on and record again",
        "{lead} 信号饱和,请清洁皮肤、压紧电极后再做一份",
    ),
    "lead_copied": (
        "{lead}: shows the same trace as another lead; check the cables and record again",
        "{lead} 与其他导联波形完全相同,请检查导联线后再做一份",
    ),
    "hf_noise": (
        "{lead}: muscle tremor or interference; let the patient relax, keep warm and record again",
        "{lead} 肌电或高频干扰过大,请让患者放松、注意保暖后再做一份",
    ),
    "wander": (
        "{lead}: the baseline wanders; ask the patient to breathe quietly",
        "{lead} 基线漂移,请让患者平静呼吸",
    ),
    "wander_large": (
        "{lead}: the baseline wanders too far to measure; fix the electrode and record again",
        "{lead} 基线漂移过大,无法测量,请固定电极后再做一份",
    ),
    "steps": (
        "{lead}: the trace jumps; check cable and electrode and record again",
        "{lead} 信号跳变,请检查导联线和电极后再做一份",
    ),
    "unstable_beats": (
        "{lead}: the beats differ from each other; keep the patient still and record again",
        "{lead} 波形不稳定,请让患者保持静止后再做一份",
    ),
    "einthoven": (
        "The limb leads contradict each other (I + III is not II); check the limb electrodes and record again",
        "肢体导联互相矛盾(I+III≠II),请检查肢体电极后再做一份",
    ),
    "einthoven_lead": (
        "{lead}: does not agree with the other limb leads; check the limb electrodes and record again",
        "{lead} 与其他肢体导联不一致,请检查肢体电极后再做一份",
    ),
    "territory_unreadable": (
        "Too few readable leads of the {en} wall; signal quality is poor, record again",
        "{zh}导联无法判读,信号质量差,请重新采集",
    ),
    "too_many_bad_leads": ("Signal quality is poor, record again", "信号质量差,请重新采集"),
    "too_short": (
        "The recording is too short to be measured; record at least 10 seconds",
        "记录时间过短,无法测量,请重新采集至少10秒",
    ),
    "low_rate": (
        "The sampling rate is too low to be measured; use a diagnostic ECG device",
        "采样率过低,无法测量,请使用诊断级心电图机",
    ),
    "no_qrs": (
        "No heartbeat was found; look at the patient, check the electrodes and record again",
        "未检测到QRS波,请立即查看患者、检查电极并重新采集",
    ),
    "no_borders": (
        "Heartbeats were found, but not where they begin and end; intervals and ST are not measured, record again",
        "已检测到心搏,但无法确定QRS起止点,未测量间期及ST段,请重新采集",
    ),
    "few_beats": (
        "Fewer than three beats of one shape; measured on what there is, record again",
        "同形心搏少于3个,测量仅供参考,请重新采集",
    ),
    "low_rate_st": (
        "Recorded at fewer than 240 samples a second; ST levels are not reliable, use a diagnostic ECG device",
        "采样率低于每秒240点,ST段不可靠,请改用诊断级心电图机重新采集",
    ),
    "monitor_mode": (
        "Recorded in monitor quality; ST levels are not reliable, use the diagnostic mode",
        "监护模式记录,ST段不可靠,请改用诊断模式重新采集",
    ),
    "lead_reversal": (
        "Leads seem to be swapped: {en}; check the cables and record again",
        "疑似导联接错:{zh};请检查导联线后重新采集",
    ),
    "baseline_uncertain": (
        "T and P run together at this rate: no level before the QRS is certain; read ST by eye, repeat when slower",
        "心率过快,T波与P波融合,QRS前基线无法确定,请人工判读ST段,心率减慢后再做一份",
    ),
    "baseline_disagree": (
        "{lead}: the PR and TP levels differ by more than 50 µV; read ST with care",
        "{lead} PR段与TP段基线相差超过50µV,请谨慎判读ST段",
    ),
}


def message(code: str, lead: str | None = None, **words: str) -> QualityMessage:
    """The message of one code; `lead` is filled into its words."""
    en, zh = WORDS[code]
    words_en, words_zh = {"lead": lead or "", **words}, {"lead": lead or "", **words}
    return QualityMessage(code=code, lead=lead, en=en.format(**words_en), zh=zh.format(**words_zh))


def together(messages: Iterable[QualityMessage]) -> list[tuple[str, str]]:
    """The words of messages, English and Chinese; what is said of several leads is said once, with all their names."""
    leads: dict[tuple[str, str], list[str]] = {}
    for one in messages:
        name = one.lead or ""
        # The sentence without the name that it begins with.
        words = one.en.removeprefix(name), one.zh.removeprefix(name)
        same = leads.setdefault(words, [])
        if name and name not in same:
            same.append(name)
    sentences = []
    for (en, zh), names in leads.items():
        gap = " " if names and en[:1].isalnum() else ""
        sentences.append((", ".join(names) + gap + en, "、".join(names) + zh))
    return sentences
