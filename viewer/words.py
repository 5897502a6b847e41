"""Short words of the service, Chinese first. Clinical sentences come with the findings, not from here."""

from datetime import timedelta, timezone
from typing import Final, NamedTuple

SHOWN_ZONE: Final = timezone(timedelta(hours=8))
"""The wall clock of the network, by which times are written for people."""


class Word(NamedTuple):
    """One thing in both languages."""

    zh: str
    en: str


# The machine proposes and never orders; NONE is not "normal".
TIERS: Final[dict[str, Word]] = {
    "ACT": Word("建议启动胸痛绿色通道（待医师确认）", "propose opening the green channel (a doctor decides)"),
    "CRIT": Word("危急值", "critical value"),
    "URG": Word("紧急复核", "urgent over-read"),
    "FLAG": Word("提示", "noted in the report"),
    "REC": Word("请重新采集", "please record again"),
    "NONE": Word("没有规则触发，不能排除心肌梗死", "no rule fired; this does not exclude an infarction"),
}

# How fast a person must look, where the tier stands inside a sentence or where the page adds what NONE is not.
URGENCY: Final[dict[str, Word]] = {
    "ACT": Word("立即", "act now"),
    "CRIT": Word("危急值", "critical"),
    "URG": Word("紧急复核", "urgent over-read"),
    "FLAG": Word("提示", "flag"),
    "REC": Word("请重新采集", "record again"),
    "NONE": Word("没有规则触发", "no rule fired"),
}

# What a doctor's tier is called: that no rule fired is the machine's to say.
SIGNED_TIERS: Final[dict[str, Word]] = URGENCY | {
    "ACT": Word("立即", "act now"),
    "NONE": Word("未定紧急分级", "no urgent tier"),
}

NOT_READ: Final = Word("等待自动分析", "waiting for the automatic analysis")

AUTOMATIC: Final = Word("自动分析（未审核）", "automatic analysis, not reviewed")

SEXES: Final[dict[str | None, Word]] = {
    "male": Word("男", "male"),
    "female": Word("女", "female"),
    None: Word("性别未知", "sex unknown"),
}


def age(years: float | None) -> Word:
    """An age as people write it; below two years in months, since "1 year" hides what matters there."""
    if years is None:
        return Word("年龄未知", "age unknown")
    if years < 2:
        months = int(years * 12)
        return Word(f"{months} 月", f"{months} months")
    return Word(f"{int(years)} 岁", f"{int(years)} y")
