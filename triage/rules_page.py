"""A rule set as people read it: the object for the page in the browser and ``docs/rules.md``, from the tables alone."""

from typing import Any, Final

from greenchannel.triage.rule_rows import Limit, RuleRow, Section, SteThreshold
from greenchannel.triage.rule_set import RuleSet

Json = dict[str, Any]

SECTIONS: Final[dict[Section, tuple[str, str]]] = {
    "quality": ("Quality and swapped leads", "信号质量与导联接反"),
    "critical": ("Critical values", "危急值"),
    "conduction": ("Conduction", "传导"),
    "st_elevation": ("ST elevation and what goes with it", "ST段抬高及相关"),
    "mimic": ("Mimics", "类似图形"),
    "equivalent": ("Equivalents", "等同心肌梗死图形"),
    "guard": ("What the recording itself holds back", "采集条件限制"),
}
MARKS: Final = {
    "S": ("checked against a published text", "已核对原文"),
    "K": ("from the literature, not re-checked", "引自文献,未复核"),
    "E": ("our engineering choice, tunable", "工程选择,可调整"),
    "O": ("official text", "官方文本"),
}


def as_json(rules: RuleSet) -> Json:
    """Everything a page shows of a rule set, in both languages."""
    return {
        "version": rules.version,
        "marks": {mark: {"en": en, "zh": zh} for mark, (en, zh) in MARKS.items()},
        "sections": [
            {"section": name, "en": en, "zh": zh, "rules": [_rule(row) for row in rules.of(name)]}
            for name, (en, zh) in SECTIONS.items()
        ],
        "thresholds": [_threshold(row) for row in rules.thresholds],
        "reciprocal": [
            {"elevation": list(row.elevation), "depression": list(row.depression), "depth_mv": row.depth_uv / 1000.0,
             "source": row.source, "mark": row.mark}
            for row in rules.reciprocal
        ],
        "shared": [_limit(name, getattr(rules.limits, name)) for name in rules.limits.__struct_fields__],
        "tiers": [{"tier": row.tier.value, "en": row.en, "zh": row.zh} for row in rules.tier_names.values()],
    }  # fmt: skip


def _rule(row: RuleRow) -> Json:
    return {
        "id": row.id,
        "tier": row.tier.value,
        "en": row.en,
        "zh": row.zh,
        "leads": row.leads,
        "formula": row.filled(row.formula),
        "formula_zh": row.filled(row.formula_zh),
        "conduction": list(row.conduction),
        "lowers": list(row.lowers),
        "restorable": row.restorable,
        "source": row.source,
        "mark": row.mark,
        "numbers": [
            {
                "name": name,
                "value": number.value,
                "source": number.source or row.source,
                "mark": number.mark or row.mark,
            }
            for name, number in row.numbers.items()
        ],
    }


def _threshold(row: SteThreshold) -> Json:
    return {
        "leads": list(row.leads), "sex": row.sex, "age_from_years": row.age_from_years,
        "age_below_years": row.age_below_years, "threshold_mv": row.threshold_uv / 1000.0, "source": row.source,
        "mark": row.mark,
    }  # fmt: skip


def _limit(name: str, limit: Limit) -> Json:
    return {"name": name, "value": limit.value, "source": limit.source, "mark": limit.mark}


def markdown(rules: RuleSet) -> str:
    """``docs/rules.md``."""
    made = as_json(rules)
    lines = [
        f"# Rules, version {rules.version}",
        "",
        "Generated from `triage/rule_sets/` by `python -m tools.rules_page`; do not edit. A physician decides.",
        "Marks: "
        + "; ".join(f"**{mark}** {text['en']} {text['zh']}" for mark, text in made["marks"].items())
        + ".",
        "",
        *_tiers(made),
        *_thresholds(made),
    ]
    for section in made["sections"]:
        lines += ["", f"## {section['en']} {section['zh']}", ""]
        for rule in section["rules"]:
            lines += _section_of(rule)
    lines += [
        "",
        "## Numbers that several rules share 共用数值",
        "",
        "| name | value | source | mark |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{one['name']}` | {one['value']:g} | {one['source']} | {one['mark']} |" for one in made["shared"]
    ]
    return "\n".join(lines) + "\n"


def _tiers(made: Json) -> list[str]:
    head = ["## Tiers 级别", "", "| tier | EN | ZH |", "|---|---|---|"]
    return head + [f"| {one['tier']} | {one['en']} | {one['zh']} |" for one in made["tiers"]]


def _thresholds(made: Json) -> list[str]:
    lines = [
        "",
        "## STE-1 thresholds 阈值",
        "",
        "| leads | sex | age, years | STJ ≥ mV | source | mark |",
        "|---|---|---|---|---|---|",
    ]
    for one in made["thresholds"]:
        upper = "" if one["age_below_years"] is None else f" to below {one['age_below_years']:g}"
        age = f"from {one['age_from_years']:g}{upper}"
        leads = " ".join(one["leads"])
        lines.append(
            f"| {leads} | {one['sex']} | {age} | {one['threshold_mv']:.2f} | {one['source']} | {one['mark']} |"
        )
    lines += [
        "",
        "### STE-RECIP 对应性ST段压低",
        "",
        "| elevation in | depression in | ≤ mV | source | mark |",
        "|---|---|---|---|---|",
    ]
    return lines + [
        f"| {' '.join(one['elevation'])} | {' '.join(one['depression'])} | −{one['depth_mv']:.2f} | {one['source']} | "
        f"{one['mark']} |"
        for one in made["reciprocal"]
    ]


def _section_of(rule: Json) -> list[str]:
    lines = [f"### {rule['id']}: {rule['en']} / {rule['zh']}", ""]
    effect = (
        f"lowers {', '.join(rule['lowers'])} to {rule['tier']}"
        if rule["lowers"]
        else f"at most {rule['tier']}"
    )
    if rule["restorable"]:
        effect += "; STE-RECIP, EQV-TQRSD or STE-SERIAL restores"
    where = f" · conduction: {', '.join(rule['conduction'])}" if rule["conduction"] else ""
    lines += [f"{effect} · leads: {rule['leads']}{where}", "", rule["formula"], "", rule["formula_zh"], ""]
    lines += [f"Source: {rule['source']} **{rule['mark']}**", ""]
    if rule["numbers"]:
        lines += ["| number | value | source | mark |", "|---|---|---|---|"]
        lines += [
            f"| `{n['name']}` | {n['value']:g} | {n['source']} | {n['mark']} |" for n in rule["numbers"]
        ] + [""]
    return lines
