"""What a report says, in the language of its reader: words and numbers in their order, nothing of how it looks.

The doctor's words stand first and name who signed them. The machine's are marked as not reviewed, whoever signed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from greenchannel.alerts import drill
from greenchannel.alerts.case import Case
from greenchannel.alerts.ecg_state import Ecg, SignedReading, tier_rank
from greenchannel.events import ClockReading
from greenchannel.signal.recording import Recording
from greenchannel.triage.quantities import quantity
from greenchannel.viewer import words
from greenchannel.viewer.words import SHOWN_ZONE, Word

Json = Mapping[str, Any]
Pair = tuple[str, str]

MEASURES: Final = (
    ("heart_rate_bpm", Word("心率", "HR")),
    ("pr_ms", Word("PR", "PR")),
    ("qrs_ms", Word("QRS", "QRS")),
    ("qt_ms", Word("QT", "QT")),
    ("qtc_fridericia_ms", Word("QTc (Fridericia)", "QTc (Fridericia)")),
    ("qtc_bazett_ms", Word("QTc (Bazett)", "QTc (Bazett)")),
    ("p_axis_deg", Word("P 电轴", "P axis")),
    ("axis_deg", Word("QRS 电轴", "QRS axis")),
    ("t_axis_deg", Word("T 电轴", "T axis")),
)
_UNITS: Final = {"heart_rate_bpm": "/min", "axis_deg": "°", "p_axis_deg": "°", "t_axis_deg": "°"}
LEAD_COLUMNS: Final = ("stj_mv", "st60_mv", "st80_mv", "t_mv", "p_mv", "q_mv", "r_mv", "s_mv")
_UNKNOWN: Final = Word("未知", "unknown")
_SIGNS: Final = {">=": "≥", "<=": "≤", ">": ">", "<": "<"}


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadingText:
    """One signed reading."""

    head: str  # who, when, as what
    text: str
    more: tuple[Pair, ...]  # advice, reason


@dataclass(frozen=True, kw_only=True, slots=True)
class FindingText:
    """One finding of the machine."""

    tier: str
    text: str
    why: str  # values against thresholds, the rule


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """Everything that stands on the pages beside the traces."""

    english: bool
    drill: bool  # practice, which no page of it may let be taken for a patient
    title: str
    institution: str
    state: str  # signed by whom, or not signed
    signed: bool
    who: tuple[Pair, ...]
    when: tuple[Pair, ...]
    measures: tuple[Pair, ...]
    readings: tuple[ReadingText, ...]  # the newest first
    machine: str  # its tier in words
    findings: tuple[FindingText, ...]
    quality: tuple[str, ...]
    evidence: tuple[tuple[str, ...], ...]  # lead, quantity, value, limit, rule, findings
    leads: tuple[tuple[str, ...], ...]  # lead and `LEAD_COLUMNS`
    sources: tuple[Pair, ...]
    device_filter: str
    version: str


def content(
    case: Case,
    ecg: Ecg,
    recording: Recording,
    analysis: Json | None,
    *,
    names: Mapping[str, str | None],
    site: Json,
    network: Pair,
    person_name: str | None,
    printed_at: datetime,
    printed_by: str,
    english: bool,
) -> Report:
    """The words of a report.

    Parameters
    ----------
    analysis : the analyze object; None where the ECG was not read
    names : of the people who signed, by id
    site : of the case, as the row has it
    network : its name in Chinese and English
    person_name : the patient's; None where the reader may not know it, then the pseudonym stands
    """
    institution = site["name_en" if english else "name_zh"]
    signed = ecg.reading
    return Report(
        english=english,
        drill=case.is_drill,
        title=_title(case, english),
        institution=f"{network[english]} · {institution}",
        state=_state(signed, names, english),
        signed=signed is not None,
        who=_who(case, person_name, english),
        when=_when(case, ecg, english),
        measures=_measures(analysis, english),
        readings=tuple(
            _reading(one, index, ecg, names, english)
            for index, one in reversed(list(enumerate(ecg.readings)))
        ),
        machine=_machine(analysis, english),
        findings=_findings(analysis, english),
        quality=_quality(analysis, english),
        evidence=_evidence(analysis, english),
        leads=_leads(analysis, recording),
        sources=_sources(ecg, recording, printed_at, printed_by, english),
        device_filter=_filter(recording, english),
        version=_version(analysis, english),
    )


def _title(case: Case, english: bool) -> str:
    title = "ECG report" if english else "心电图报告"
    if not case.is_drill:
        return title
    return drill.mark_en(title) if english else drill.mark_zh(title)


def time_text(at: datetime | None, english: bool) -> str:
    """On the network's wall clock, to the second."""
    return _UNKNOWN[english] if at is None else f"{at.astimezone(SHOWN_ZONE):%Y-%m-%d %H:%M:%S}"


def _state(signed: SignedReading | None, names: Mapping[str, str | None], english: bool) -> str:
    if signed is None:
        return "NOT SIGNED · not for diagnosis" if english else "未签发 · 仅供参考，不作诊断依据"
    who, at = names.get(signed.person) or signed.person, time_text(signed.at, english)
    return f"Signed by {who}, {at}" if english else f"{who} 已签发  {at}"


def _who(case: Case, person_name: str | None, english: bool) -> tuple[Pair, ...]:
    context = case.context
    sex, age = words.SEXES[context.sex], words.age(context.age_years)
    shown = (
        ("Name" if english else "姓名", person_name)
        if person_name
        else ("Pseudonym" if english else "匿名编号", case.patient)
    )
    pain = {True: Word("有", "yes"), False: Word("无", "no"), None: _UNKNOWN}[context.chest_pain]
    return (
        shown,
        ("Sex" if english else "性别", sex[english]),
        ("Age" if english else "年龄", age[english]),
        ("Chest pain" if english else "胸痛", pain[english]),
        ("Case" if english else "病例号", case.case_id),
    )


def _when(case: Case, ecg: Ecg, english: bool) -> tuple[Pair, ...]:
    onset = None if case.context.onset is None else case.context.onset.at
    device = ecg.device or _UNKNOWN[english]
    return (
        ("Recorded" if english else "记录时间", recorded_text(ecg.acquired, english)),
        ("Received" if english else "接收时间", time_text(ecg.received_at, english)),
        ("Onset" if english else "发病时间", time_text(onset, english)),
        ("Device" if english else "设备", device),
    )


def recorded_text(acquired: ClockReading | None, english: bool) -> str:
    """When it was recorded, by whose clock, and by how much that was off."""
    if acquired is None:
        return "unknown (the device gave no usable time)" if english else "未知（设备未给出可用时间）"
    clock = acquired.clock.removeprefix("device:")
    whose = {"server": Word("服务器钟", "server clock"), "person": Word("人工填写", "entered by a person")}
    source = whose.get(acquired.clock, Word(f"设备钟 {clock}", f"clock of {clock}"))[english]
    parts = [source]
    if acquired.offset_s is not None:
        off = _seconds(acquired.offset_s, english)
        parts.append(f"off by {off}, corrected" if english else f"钟差 {off}，已校正")
    elif acquired.clock not in whose:
        parts.append("never compared" if english else "未比对")
    if acquired.uncertainty_s is not None:
        parts.append(f"±{_seconds(acquired.uncertainty_s, english, signed=False)}")
    if acquired.zone_assumed:
        parts.append("zone assumed" if english else "时区按机构推定")
    inside = ", ".join(parts) if english else "，".join(parts)
    return f"{time_text(acquired.at, english)} ({inside})" if english else (
        f"{time_text(acquired.at, english)}（{inside}）"
    )  # fmt: skip


def _seconds(value: float, english: bool, *, signed: bool = True) -> str:
    sign = ("−" if value < 0 else "+") if signed else ""
    minutes, seconds = divmod(round(abs(value)), 60)
    if minutes == 0:
        return f"{sign}{abs(value):.1f} s" if english else f"{sign}{abs(value):.1f} 秒"
    return f"{sign}{minutes} min {seconds} s" if english else f"{sign}{minutes} 分 {seconds} 秒"


def _measures(analysis: Json | None, english: bool) -> tuple[Pair, ...]:
    if analysis is None:
        return ()
    measured = analysis["measurements"]
    return tuple(
        (name[english], _number(measured.get(key), _UNITS.get(key, " ms"), english)) for key, name in MEASURES
    )


def _number(value: float | None, unit: str, english: bool) -> str:
    return _UNKNOWN[english] if value is None else f"{value:.0f}{unit}".replace("-", "−")


def _reading(
    one: SignedReading, index: int, ecg: Ecg, names: Mapping[str, str | None], english: bool
) -> ReadingText:
    who, at = names.get(one.person) or one.person, time_text(one.at, english)
    tier = words.SIGNED_TIERS.get(one.tier, Word(one.tier, one.tier))[english]
    kind = Word("首次签发", "first reading") if index == 0 else Word("更正", "amendment")
    only = len(ecg.readings) == 1
    head = f"{who}  {at}  {tier}" + ("" if only else f"  [{kind[english]}]")
    more: list[Pair] = []
    if one.reason:
        more.append(("Disagrees with the machine" if english else "不同意自动分析", one.reason))
    if one.advice:
        look = ecg.seen_of(one)
        seen = (
            ("not read yet" if english else "基层尚未阅读")
            if look is None
            else (
                f"read {time_text(look.at, english)}"
                if english
                else f"基层已阅 {time_text(look.at, english)}"
            )
        )
        more.append((f"Advice ({seen})" if english else f"建议（{seen}）", one.advice))
    return ReadingText(head=head, text=one.text, more=tuple(more))


def _machine(analysis: Json | None, english: bool) -> str:
    if analysis is None:
        return words.NOT_READ[english]
    return words.TIERS[analysis["tier"]][english]


def _findings(analysis: Json | None, english: bool) -> tuple[FindingText, ...]:
    if analysis is None:
        return ()
    lang = "en" if english else "zh"
    found = sorted(analysis["findings"], key=lambda one: tier_rank(one["tier"]))
    made = []
    for one in found:
        why = [one.get("explanation", {}).get(lang, "")]
        if one["downgraded_by"]:
            by = " ".join(one["downgraded_by"])
            why.append(f"lowered by {by}" if english else f"因 {by} 降级")
        made.append(
            FindingText(
                tier=words.URGENCY[one["tier"]][english],
                text=f"{one[lang]} [{one['id']}]",
                why="; ".join(part for part in why if part and part != one[lang]),
            )
        )
    return tuple(made)


def _quality(analysis: Json | None, english: bool) -> tuple[str, ...]:
    if analysis is None:
        return ()
    lang, quality = "en" if english else "zh", analysis["quality"]
    said = [str(one[lang]) for one in quality["messages"]]
    if quality["bad_leads"]:
        leads = " ".join(quality["bad_leads"])
        said.insert(0, f"Unusable leads: {leads}" if english else f"不可用导联：{leads}")
    return tuple(dict.fromkeys(said))


def _evidence(analysis: Json | None, english: bool) -> tuple[tuple[str, ...], ...]:
    if analysis is None:
        return ()
    rows: dict[tuple[str, ...], list[str]] = {}
    for finding in analysis["findings"]:
        for item in finding["evidence"]:
            if item["value"] is not None and item["threshold"] is not None:
                of = rows.setdefault(_evidence_row(item, english), [])
                of += [] if finding["id"] in of else [finding["id"]]
    return tuple((*row, " ".join(of)) for row, of in rows.items())


def _evidence_row(item: Json, english: bool) -> tuple[str, ...]:
    """Lead, quantity, value, limit and rule; what several findings rest on is written once."""
    row, trace = quantity(item["quantity"]), item.get("trace")
    lead = item["lead"] or "—"
    if trace is not None:
        other = Word("纠正后", "corrected") if trace == "corrected" else Word("另一份", "other ECG")
        lead = f"{lead} ({other[english]})"
    sign = _SIGNS.get(item.get("relation") or "", "")
    limit = f"{sign} {item['threshold']:.{row.digits}f}".strip()
    shown = (row.written(item["value"]), limit)
    value, limit = (text.replace("-", "−") for text in shown)
    return lead, row.en if english else row.zh, value, limit, item["rule"]


def _leads(analysis: Json | None, recording: Recording) -> tuple[tuple[str, ...], ...]:
    if analysis is None:
        return ()
    measured = analysis["measurements"]["leads"]
    rows = []
    for lead in recording.leads:
        values = measured.get(lead)
        if values is None:
            continue
        cells = [values.get(key) for key in LEAD_COLUMNS]
        mark = lead if values.get("usable", True) else f"{lead} *"
        rows.append((mark, *("—" if v is None else level_text(v) for v in cells)))
    return tuple(rows)


def level_text(level_mv: float) -> str:
    """A level with its sign; what rounds to zero has none."""
    text = f"{level_mv:+.2f}"
    return "0.00" if text in ("+0.00", "-0.00") else text.replace("-", "−")


def _sources(
    ecg: Ecg, recording: Recording, printed_at: datetime, printed_by: str, english: bool
) -> tuple[Pair, ...]:
    raw = ecg.acquired.raw if ecg.acquired is not None else None
    leads = " ".join(recording.leads)
    rows = [
        ("ECG", ecg.ecg_id),
        ("Format" if english else "格式", ecg.format or _UNKNOWN[english]),
        (
            "Leads" if english else "导联",
            f"{leads} · {recording.rate_hz:g} Hz · {recording.duration_s:.1f} s",
        ),
        ("SHA-256", ecg.sha256 or _UNKNOWN[english]),
    ]
    if raw is not None:
        rows.append(("Device said" if english else "设备原始时间", time_text(raw, english)))
    printed = time_text(printed_at, english)
    rows.append(
        ("Made" if english else "出具", f"{printed}, {printed_by}" if english else f"{printed}，{printed_by}")
    )
    return tuple(rows)


def _filter(recording: Recording, english: bool) -> str:
    low, high = recording.low_cut_hz, recording.high_cut_hz
    if low is None and high is None:
        return "device filter unknown; drawn unfiltered" if english else "设备滤波未知；绘图未滤波"
    band = f"{'?' if low is None else f'{low:g}'}–{'?' if high is None else f'{high:g}'} Hz"
    return f"device filter {band}; drawn unfiltered" if english else f"设备滤波 {band}；绘图未滤波"


def _version(analysis: Json | None, english: bool) -> str:
    if analysis is None:
        return "greenchannel"
    version = analysis["version"]
    rules = f"rules {version['rules']}" if english else f"规则 {version['rules']}"
    return f"greenchannel {version['software']} · {rules}"


def people_of(readings: Sequence[SignedReading]) -> tuple[str, ...]:
    """Who signed, each once."""
    return tuple(dict.fromkeys(one.person for one in readings))
