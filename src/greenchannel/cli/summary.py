"""One analysis as a person reads it in a terminal, Chinese first."""

from typing import Any

from greenchannel.triage.quantities import quantity
from greenchannel.viewer import words


def summary(result: dict[str, Any]) -> str:
    """Some lines about one file, or what was wrong with it."""
    if "error" in result:
        error = result["error"]
        return f"{result['source']}\n  无法读取 cannot be read: {error['message']}\n"
    patient, tier = result["patient"], words.TIERS[result["tier"]]
    sex, age = words.SEXES[patient["sex"]], words.age(patient["age_years"])
    lines = [
        result["source"],
        (
            f"  {sex.zh} {age.zh} ({sex.en}, {age.en})   {len(result['leads'])} 导联 leads   "
            f"{result['rate_hz']:g} Hz   {result['duration_s']:.1f} s   {_intervals(result['measurements'])}"
        ),
        f"  {result['tier']}  {tier.zh}  {tier.en}",
    ]
    for finding in result["findings"]:
        lines.append(f"  {finding['tier']:<4} {finding['id']}  {finding['zh']}")
        lines.append(f"       {finding['en']}")
        lines.extend(f"       {_evidence(item)}" for item in finding["evidence"])
        for name, zh, en in (("downgraded_by", "降级", "lowered by"), ("restored_by", "恢复", "restored by")):
            if finding[name]:
                lines.append(f"       {zh} {en}: {', '.join(finding[name])}")
    for one in result["advice"]:
        lines.append(f"  请 {one['zh']}")
        lines.append(f"       {one['en']}")
    for message in result["quality"]["messages"]:
        lines.append(f"  质量 {message['zh']}  {message['en']}")
    if not result["quality"]["acceptable"]:
        again = words.TIERS["REC"]
        lines.append(f"  {again.zh}  {again.en}")
    lines.append(f"  {words.AUTOMATIC.zh}  {words.AUTOMATIC.en}")
    return "\n".join(lines) + "\n"


def _intervals(measured: dict[str, Any]) -> str:
    shown = (
        ("HR", "heart_rate_bpm", "/min"),
        ("PR", "pr_ms", "ms"),
        ("QRS", "qrs_ms", "ms"),
        ("QTcF", "qtc_fridericia_ms", "ms"),
    )
    parts = []
    for name, key, unit in shown:
        value = measured[key]
        parts.append(f"{name} 未知" if value is None else f"{name} {value:.0f} {unit}")
    return "  ".join(parts)


_SIGNS = {">=": "≥", "<=": "≤", ">": ">", "<": "<"}


def _evidence(item: dict[str, Any]) -> str:
    named = quantity(item["quantity"])
    lead = "" if item["lead"] is None else f"{item['lead']} "
    sign, limit = _SIGNS[item["relation"]], f"{item['threshold']:.{named.digits}f}"
    return f"{lead}{named.zh} {named.en} {named.written(item['value'])} (限 threshold {sign} {limit})"
