"""The sentences of a reading, in English and Chinese. Wording only: nothing is decided here."""

from collections.abc import Callable, Iterable
from typing import Final

from greenchannel.signal.measurements import Quality, QualityMessage
from greenchannel.triage.criteria import Criteria
from greenchannel.triage.finding import Evidence, Finding
from greenchannel.triage.localise import culprits, names_en, names_zh

Words = tuple[str, str]
"""English, Chinese."""

REASONS: Final[dict[str, Callable[[Criteria], Words]]] = {
    "MEAS-5": lambda criteria: (
        f"borderline, under {criteria.limits.borderline_margin_uv.value:g} µV above threshold, no support: repeat",
        f"临界抬高(超过阈值不足{criteria.limits.borderline_margin_uv.value:g} µV),且无其他支持,请复查心电图",
    ),
    "demographics_missing": lambda criteria: (
        "age or sex is missing: the criterion is not met for every possible patient",
        "年龄或性别缺失:并非在所有可能的年龄和性别下都达到标准",
    ),
    "st_unreliable": lambda criteria: (
        "monitor-mode filtering: the ST segment is not reliable",
        "监护模式滤波,ST段不可靠",
    ),
    "atrial_flutter": lambda criteria: (
        "atrial flutter: its waves lie upon ST and pass for elevation",
        "心房扑动,扑动波可干扰ST段判读",
    ),
    "lead_reversal": lambda criteria: (
        "the leads may be swapped: check the electrodes and record again",
        "疑似导联接反,请检查电极后重新采集",
    ),
    "MEAS-1": lambda criteria: (
        "fewer than three beats of one shape were measured: record again",
        "同形心搏少于3个,请重新采集",
    ),
    "wide_qrs": lambda criteria: (
        f"QRS {criteria.limits.wide_qrs_from_ms.value:g} ms or wider: standard ST criteria may not apply",
        f"QRS增宽(≥{criteria.limits.wide_qrs_from_ms.value:g} ms),标准ST段抬高标准可能不适用",
    ),
    "qrs_unknown": lambda criteria: (
        "the width of the QRS is not known: standard ST criteria may not apply",
        "QRS时限未能测出,标准ST段抬高标准可能不适用",
    ),
}
"""Why a finding is less urgent than its rule alone would make it, by the wire name of the reason."""

REVERSALS: Final[dict[str, Words]] = {
    "LEAD-1": ("left and right arm swapped", "左右手反接"),
    "LEAD-2": ("right arm and left leg swapped", "右臂左腿反接"),
    "LEAD-3": ("a limb and the right leg swapped", "右腿导联错接"),
    "LEAD-4": ("left arm and left leg swapped", "左臂左腿反接"),
    "LEAD-5": ("chest leads swapped", "胸导联错接"),
    "LEAD-6": ("a limb and a chest lead swapped", "肢体与胸导联错接"),
}


def ste_sentence(territories: Iterable[str], reasons: Iterable[str], criteria: Criteria) -> Words:
    """The sentence for ST elevation, followed by what keeps it from being more urgent."""
    slugs = tuple(territories)
    en = (
        f"ST-elevation MI pattern in {names_en(slugs)} territory: consider acute myocardial infarction; correlate with"
        " the clinical picture and cardiac markers"
    )
    zh = f"考虑急性{names_zh(slugs)}心肌梗死(ST段抬高型),请结合临床及心肌损伤标志物"
    for reason in reasons:
        why_en, why_zh = REASONS[reason](criteria)
        en, zh = f"{en}. Urgent over-read, {why_en}", f"{zh}。紧急复核,{why_zh}"
    return en, zh


def equivalent_sentence(term_en: str, term_zh: str) -> Words:
    """The sentence for an equivalent of ST-elevation infarction."""
    return (
        f"{term_en}: consider acute coronary occlusion; correlate with the clinical picture now",
        f"{term_zh},考虑急性冠脉闭塞可能,请立即结合临床",
    )


def child_sentence(*, fired: bool, criteria: Criteria) -> Words:
    """Adult ST criteria were not applied; `fired`: they would have been met."""
    years = f"{criteria.limits.adult_from_years.value:g}"
    en = f"Patient under {years} years: adult ST-elevation criteria do not apply"
    zh = f"患者不满{years}岁,成人ST段抬高标准不适用"
    if not fired:
        return f"{en} and were not used", f"{zh},未予使用"
    return f"{en}; ST elevation in contiguous leads, urgent over-read", f"{zh};相邻导联ST段抬高,请紧急复核"


def right_ventricle_sentence() -> Words:
    """The sentence of STE-RV."""
    return (
        "Right ventricular infarction suspected beside the inferior one; avoid nitrates",
        "考虑合并右室心肌梗死,避免使用硝酸酯类药物",
    )


def more_leads_sentence(leads: Iterable[str]) -> Words:
    """The prompt of STE-RV for leads that were not recorded."""
    names = " ".join(leads)
    return f"Inferior ST elevation: record {names} as well", f"下壁ST段抬高:请加做{names}导联"


def quality_sentence(quality: Quality, *, readable: bool) -> Words:
    """Record again, with each reason and lead by name. `readable`: a QRS and a J level could be measured."""
    head_en, head_zh = "Poor signal quality, please record again", "信号质量差,请重新采集"
    reasons = [_named(one) for one in quality.messages if one.zh != head_zh]
    told = {one.lead for one in quality.messages}
    silent = " ".join(lead for lead in quality.bad_leads if lead not in told)
    if silent:
        reasons.append((f"{silent} not usable", f"{silent}导联不可用"))
    if not readable and not reasons:
        reasons.append(("nothing could be measured", "无法测量"))
    if not reasons:
        return head_en, head_zh
    reasons = list(dict.fromkeys(reasons))
    return (
        f"{head_en}: {'; '.join(en for en, _ in reasons)}",
        f"{head_zh}:{';'.join(zh for _, zh in reasons)}",
    )


def _named(one: QualityMessage) -> Words:
    """The words of a message, with its lead in front where they do not begin with it."""
    if one.lead is None:
        return one.en, one.zh
    en = one.en if one.en.startswith(one.lead) else f"{one.lead} {one.en}"
    return en, one.zh if one.zh.startswith(one.lead) else f"{one.lead} {one.zh}"


def reversal_sentence(rule_id: str) -> Words:
    """The sentence of a suspected lead reversal."""
    en, zh = REVERSALS.get(rule_id, ("leads swapped", "导联接错"))
    return f"Suspected: {en}; check the electrodes and record again", f"疑似{zh},请检查电极后重新采集"


def _shown(one: Evidence) -> Words:
    sign = "≤" if one.rule == "STE-RECIP" else "≥"
    text = f"{one.lead} {one.value:+.2f} mV"
    return f"{text} (threshold {sign}{one.threshold:.2f})", f"{text}(限 {sign}{one.threshold:.2f})"


def explain(finding: Finding) -> Words:
    """One line: each lead with its J level and threshold in mV, what is opposite, and the usual culprit."""
    if not finding.evidence:
        return finding.en, finding.zh
    parts_en: list[str] = []
    parts_zh: list[str] = []
    for mirrored, label in ((False, ("ST at J: ", "J点ST段:")), (True, ("reciprocal: ", "对应性ST段压低:"))):
        shown = [_shown(one) for one in finding.evidence if (one.rule == "STE-RECIP") is mirrored]
        if shown:
            parts_en.append(label[0] + ", ".join(en for en, _ in shown))
            parts_zh.append(label[1] + "、".join(zh for _, zh in shown))
    if finding.territories:
        culprit_en, culprit_zh = culprits(finding.territories)
        parts_en.append(f"possible culprit: {culprit_en}")
        parts_zh.append(f"可能罪犯血管:{culprit_zh}")
    return "; ".join(parts_en), ";".join(parts_zh)
