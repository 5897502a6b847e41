"""The sentences of a reading, in English and Chinese. Wording only: nothing is decided here."""

from collections.abc import Iterable
from itertools import groupby
from typing import Final

from greenchannel.signal.measurements import Quality
from greenchannel.signal.quality_words import together
from greenchannel.triage.finding import Evidence, Finding, Tier
from greenchannel.triage.hit import Hit, Words
from greenchannel.triage.localise import TERRITORIES, culprits, names_en, names_zh
from greenchannel.triage.quantities import quantity
from greenchannel.triage.rule_set import RuleSet

REVERSALS: Final[dict[str, Words]] = {
    "LEAD-1": ("left and right arm swapped", "左右手反接"),
    "LEAD-2": ("right arm and left leg swapped", "右臂左腿反接"),
    "LEAD-3": ("a limb and the right leg swapped", "右腿导联错接"),
    "LEAD-4": ("left arm and left leg swapped", "左臂左腿反接"),
    "LEAD-5": ("chest leads swapped", "胸导联错接"),
    "LEAD-6": ("a limb and a chest lead swapped", "肢体与胸导联错接"),
}


_SIGNS: Final = {">=": "≥", "<=": "≤", ">": ">", "<": "<"}


def finding(hit: Hit, rules: RuleSet) -> Finding:
    """A hit in words."""
    row = rules.rules[hit.rule]
    if hit.words is not None:
        en, zh = hit.words
    elif hit.rule == "STE-1":
        en, zh = (
            ste_sentence(hit.territories) if hit.tier is not Tier.FLAG else noted_sentence(hit.territories)
        )
    elif row.section == "equivalent" and hit.tier.rank <= Tier.URG.rank:
        en, zh = equivalent_sentence(row.en, row.zh)
    elif hit.tier is Tier.CRIT:
        en, zh = f"Critical value: {row.en}", f"危急值:{row.zh}"
    else:
        en, zh = row.en[:1].upper() + row.en[1:], row.zh
    if hit.more is not None:
        en, zh = f"{en}: {hit.more[0]}", f"{zh}:{hit.more[1]}"
    en, zh = _with_reasons((en, zh), hit, rules)
    return Finding(
        id=hit.id,
        tier=hit.tier,
        en=en,
        zh=zh,
        territories=hit.territories,
        evidence=hit.evidence,
        downgraded_by=hit.downgraded_by,
        restored_by=hit.restored_by,
    )


def _with_reasons(words: Words, hit: Hit, rules: RuleSet) -> Words:
    """The sentence followed by what keeps the finding from being more urgent."""
    en, zh = words
    head_en, head_zh = ("Urgent over-read", "紧急复核") if hit.tier is Tier.URG else ("Note", "提示")
    for reason in hit.held_by:
        why_en, why_zh = reason_words(reason, rules)
        en, zh = f"{en}. {head_en}, {why_en}", f"{zh}。{head_zh},{why_zh}"
    return en, zh


def reason_words(reason: str, rules: RuleSet) -> Words:
    """Why a finding is less urgent than its rule alone would make it, by the wire name of the reason."""
    if reason == "MEAS-5":
        margin = f"{rules.limits.borderline_margin_uv.value:g}"
        return (
            f"borderline, under {margin} µV above threshold, no support: repeat",
            f"临界抬高(超过阈值不足{margin} µV),且无其他支持,请复查心电图",
        )
    if reason == "demographics_missing":
        return (
            "age or sex is missing: it would not be as clear for every possible patient",
            "年龄或性别缺失:并非对所有可能的年龄和性别都同样明确",
        )
    row = rules.rules[reason]
    assert row.why is not None and row.why_zh is not None  # checked when the table is loaded
    return row.filled(row.why), row.filled(row.why_zh)


def summary(findings: tuple[Finding, ...], rules: RuleSet) -> Words:
    """The most urgent finding in words; where there is none, just that."""
    nothing = rules.tier_names[Tier.NONE]
    if not findings:
        return nothing.en, nothing.zh
    first = findings[0]
    if first.tier is Tier.REC:  # poor quality alone must not read as if the rest had been cleared
        return f"{first.en}. {nothing.en}", f"{first.zh}。{nothing.zh}"
    return first.en, first.zh


def ste_sentence(territories: Iterable[str]) -> Words:
    """The sentence for ST elevation."""
    slugs = tuple(territories)
    en = "consider acute myocardial infarction; correlate with the clinical picture and cardiac markers"
    return (
        f"ST-elevation MI pattern in {names_en(slugs)} territory: {en}",
        f"考虑急性{names_zh(slugs)}心肌梗死(ST段抬高型),请结合临床及心肌损伤标志物",
    )


def noted_sentence(territories: Iterable[str]) -> Words:
    """ST elevation where the criteria for it do not apply."""
    slugs = tuple(territories)
    return f"ST elevation in {names_en(slugs)} leads", f"{names_zh(slugs)}导联ST段抬高"


def equivalent_sentence(term_en: str, term_zh: str) -> Words:
    """The sentence for an equivalent of ST-elevation infarction."""
    return (
        f"{term_en}: consider acute coronary occlusion; correlate with the clinical picture now",
        f"{term_zh},考虑急性冠脉闭塞可能,请立即结合临床",
    )


def child_sentence(*, fired: bool, rules: RuleSet) -> Words:
    """Adult ST criteria were not applied; `fired`: they would have been met."""
    years = f"{rules.limits.adult_from_years.value:g}"
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


def posterior_leads_sentence(leads: Iterable[str]) -> Words:
    """The prompt of EQV-POST."""
    names = " ".join(leads)
    return f"Possible posterior infarction: record {names} as well", f"可疑正后壁心肌梗死:请加做{names}导联"


def repeat_sentence(first_min: float, from_min: float, to_min: float) -> Words:
    """The prompt of STE-SERIAL for another recording."""
    return (
        f"Repeat the ECG in {first_min:g} min, and again every {from_min:g} to {to_min:g} min while the pain lasts",
        f"请于{first_min:g}分钟后复查心电图,胸痛持续时每{from_min:g}至{to_min:g}分钟复查一次",
    )


def quality_sentence(quality: Quality, *, readable: bool) -> Words:
    """Record again, with each reason and lead by name. `readable`: a QRS and a J level could be measured."""
    head_en, head_zh = "Poor signal quality, please record again", "信号质量差,请重新采集"
    reasons = together(one for one in quality.messages if one.zh != head_zh)
    told = {one.lead for one in quality.messages}
    silent = " ".join(lead for lead in quality.bad_leads if lead not in told)
    if silent:
        reasons.append((f"{silent} not usable", f"{silent}导联不可用"))
    if not readable and not reasons:
        reasons.append(("nothing could be measured", "无法测量"))
    if not reasons:
        return head_en, head_zh
    # Some messages are whole sentences.
    reasons = list(dict.fromkeys((en.rstrip(". "), zh.rstrip("。")) for en, zh in reasons))
    return (
        f"{head_en}: {'; '.join(en for en, _ in reasons)}",
        f"{head_zh}:{';'.join(zh for _, zh in reasons)}",
    )


def reversal_sentence(rule_id: str) -> Words:
    """The sentence of a suspected lead reversal."""
    en, zh = REVERSALS.get(rule_id, ("leads swapped", "导联接错"))
    return f"Suspected: {en}; check the electrodes and record again", f"疑似{zh},请检查电极后重新采集"


def _shown(one: Evidence) -> Words:
    what = quantity(one.quantity)
    value, threshold = what.written(one.value), f"{one.threshold:.{what.digits}f}"
    lead = "" if one.lead is None else f"{one.lead} "
    sign = _SIGNS[one.relation]
    return (
        f"{lead}{value} (threshold {sign}{threshold})",
        f"{lead}{value}(限 {sign}{threshold})",
    )


def explain(found: Finding) -> Words:
    """One line: each lead with its value and threshold, what is opposite, and the possible culprit."""
    if not found.evidence:
        return found.en, found.zh
    parts_en: list[str] = []
    parts_zh: list[str] = []
    for (mirrored, key), group in groupby(
        found.evidence, key=lambda one: (one.rule == "STE-RECIP", one.quantity)
    ):
        shown = [_shown(one) for one in group]
        label = ("reciprocal", "对应性ST段压低") if mirrored else (quantity(key).en, quantity(key).zh)
        parts_en.append(f"{label[0]}: " + ", ".join(en for en, _ in shown))
        parts_zh.append(f"{label[1]}:" + "、".join(zh for _, zh in shown))
    known = [slug for slug in found.territories if slug in TERRITORIES]
    if known:
        culprit_en, culprit_zh = found.culprit or culprits(known)
        parts_en.append(f"possible culprit: {culprit_en}")
        parts_zh.append(f"可能罪犯血管:{culprit_zh}")
    return "; ".join(parts_en), ";".join(parts_zh)
