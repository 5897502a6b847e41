"""The table of criteria: what it says, and how it refuses to be broken."""

import pytest

from greenchannel.triage.finding import Tier
from greenchannel.triage.rule_set import RULES, STE_LEADS, RuleSetError, load, texts

WRITTEN = texts("2")
SHARED = next(text for text in WRITTEN if "rules_version" in text)
REST = tuple(text for text in WRITTEN if text is not SHARED)


def test_the_rules_have_a_version() -> None:
    """The version on the wire comes from the table."""
    assert RULES.version == "2"


def test_every_profile_has_a_threshold_for_seventeen_leads() -> None:
    """All of the 18 leads but aVR, which does not count."""
    assert len(STE_LEADS) == 17
    assert "aVR" not in STE_LEADS
    assert all(set(profile.threshold_uv) == set(STE_LEADS) for profile in RULES.profiles)


def test_profiles_run_from_strict_to_sensitive() -> None:
    """A profile never has a higher threshold than the one before it, in any lead."""
    for stricter, other in zip(RULES.profiles, RULES.profiles[1:], strict=False):
        assert all(stricter.threshold_uv[lead] >= other.threshold_uv[lead] for lead in STE_LEADS)


def test_each_adult_fits_exactly_one_profile() -> None:
    """No gap and no overlap at the borders of the ages."""
    for sex in ("male", "female"):
        for age_years in (18, 29, 29.99, 30, 39, 39.99, 40, 41, 99):
            assert sum(profile.fits(age_years, sex) for profile in RULES.profiles) == 1


def test_the_unknown_fits_every_profile() -> None:
    """Unknown age and sex leave all profiles open; a known sex leaves its own."""
    assert all(profile.fits(None, None) for profile in RULES.profiles)
    assert {profile.sex for profile in RULES.profiles if profile.fits(None, "female")} == {"female"}


def test_every_tier_has_a_name() -> None:
    """The names of the tiers stand in their order."""
    assert list(RULES.tier_names) == list(Tier)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("age_below_years = 40\nthreshold_uv = 250", "age_below_years = 35\nthreshold_uv = 250", "got 0"),
        ("age_below_years = 40\nthreshold_uv = 250", "threshold_uv = 250", "got 2"),
        ('leads = ["V2", "V3"]', 'leads = ["V2", "V3", "aVR"]', "aVR"),
        ('sex = "female"', 'sex = "woman"', "woman"),
        ('mark = "S"', 'mark = "X"', "X"),
        ("threshold_uv = 250", "threshold_uv = -250", "threshold_uv"),
        ("threshold_uv = 250", "threshold_mv = 0.25", "threshold_mv"),
        ("threshold_uv = 250", "threshold_uv = 60", "stricter"),
        ('tier = "CRIT"', 'tier = "ACT"', "in this order"),
        ('to = "ACT"', 'to = "FLAG"', "move up"),
        ("[limits.wide_qrs_from_ms]", "[limits.wide_qrs]", "wide_qrs"),
        ('rules_version = "2"', "rules_version =", "expected a table"),
    ],
)
def test_a_broken_table_is_loud(old: str, new: str, said: str) -> None:
    """A gap, an overlap, a wrong or an unknown key stops the program and says which."""
    assert old in SHARED
    with pytest.raises(RuleSetError, match=said):
        load(SHARED.replace(old, new, 1), *REST)


ROW = """
[[rule]]
id = "MIM-NEW"
section = "mimic"
tier = "URG"
en = "new"
zh = "新"
leads = "all"
formula = "over {limit_uv} µV"
formula_zh = "超过{limit_uv} µV"
lowers = ["STE-1"]
why = "new"
why_zh = "新"
source = "nobody"
mark = "E"
numbers.limit_uv = { value = 1 }
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('id = "MIM-NEW"', 'id = "STE-1"', "STE-1 twice"),
        ('why_zh = "新"\n', "", "why and why_zh"),
        ("over {limit_uv}", "over {limit}", "its own numbers"),
        ('["STE-1"]', '["STE-99"]', "STE-99"),
        ("value = 1", "amount = 1", "expected a table of rules"),
    ],
)
def test_a_broken_rule_is_loud(old: str, new: str, said: str) -> None:
    """Twice the same id, no reason for what lowers, a number that is not there, an unknown target, an unknown key."""
    assert load(SHARED, *REST, ROW).rules["MIM-NEW"].filled("{limit_uv}") == "1"
    with pytest.raises(RuleSetError, match=said):
        load(SHARED, *REST, ROW.replace(old, new, 1))
