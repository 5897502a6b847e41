"""The reading of a whole recording: quality, order, words."""

import pytest

from greenchannel.signal.leads import STANDARD_12
from greenchannel.signal.measurements import Measurements, QualityMessage
from greenchannel.triage.finding import Patient, Tier
from greenchannel.triage.reading import read
from greenchannel.triage.report import equivalent_sentence, explain
from tests.triage_measurements import measured

MAN = Patient(age_years=61, sex="male")
OFF = QualityMessage(code="lead_flat", lead="V3", en="flat for 10 s", zh="平直10秒")
GOLDEN = {
    "V1": 0.15,
    "V2": 0.42,
    "V3": 0.45,
    "V4": 0.4,
    "V5": 0.2,
    "I": 0.15,
    "aVL": 0.16,
    "III": -0.1,
    "aVF": -0.06,
}


def test_the_golden_recording() -> None:
    """An extensive anterior and high lateral infarction, in the words of the specification."""
    reading = read(measured(GOLDEN), MAN)
    found = reading.findings[0]
    assert reading.tier is Tier.ACT
    assert found.territories == ("extensive_anterior", "high_lateral")
    assert found.zh == "考虑急性广泛前壁、高侧壁心肌梗死(ST段抬高型),请结合临床及心肌损伤标志物"
    assert found.en.startswith("ST-elevation MI pattern in extensive anterior and high lateral territory")
    assert [one.lead for one in found.evidence] == ["aVL", "I", "V1", "V2", "V3", "V4", "V5", "aVF", "III"]
    assert (reading.zh, reading.rules_version) == (found.zh, "2")


def test_the_explanation_names_lead_level_threshold_and_culprit() -> None:
    """One line in each language."""
    found = read(measured(GOLDEN), MAN).findings[0]
    en, zh = explain(found)
    assert "V2 +0.42 mV (threshold ≥0.20)" in en
    assert "V2 +0.42 mV(限 ≥0.20)" in zh
    assert "对应性ST段压低:aVF -0.06 mV(限 ≤-0.05)、III -0.10 mV(限 ≤-0.05)" in zh
    assert "可能罪犯血管:左前降支S1近段(0.05 mV ≤ D = −(ST III + ST aVF) = +0.16 mV < 0.25 mV" in zh
    assert "\n" not in en + zh


def test_an_equivalent_is_not_called_st_elevation() -> None:
    """Equivalents have a sentence of their own."""
    assert equivalent_sentence("de Winter pattern", "de Winter综合征")[1] == (
        "de Winter综合征,考虑急性冠脉闭塞可能,请立即结合临床"
    )


def test_nothing_fired_is_said_as_such() -> None:
    """No finding: NONE, and the words say what it does not mean."""
    reading = read(measured(), MAN)
    assert (reading.tier, reading.findings) == (Tier.NONE, ())
    assert reading.zh == "没有规则被触发,不能排除心肌梗死"
    assert reading.en == "No rule fired; this does not exclude an infarction"


def test_poor_quality_asks_for_a_new_recording_by_name() -> None:
    """The lead and its reason are named in both languages; the rest is not declared clear."""
    reading = read(measured(dead=["V3", "V4"], acceptable=False, messages=(OFF,)), MAN)
    assert reading.tier is Tier.REC
    (found,) = reading.findings
    assert (found.id, found.evidence) == ("SIG-5", ())
    assert found.zh == "信号质量差,请重新采集:V3平直10秒;V4导联不可用"
    assert found.en == "Poor signal quality, please record again: V3 flat for 10 s; V4 not usable"
    assert "不能排除" in reading.zh
    assert reading.messages == (OFF,)


def test_reasons_that_are_sentences_are_joined_as_parts_of_one() -> None:
    """No full stop before a semicolon, in neither language."""
    whole = QualityMessage(code="lead_reversal", lead=None, en="Check the cables.", zh="请核对电极。")
    (found,) = read(measured(acceptable=False, messages=(whole, OFF)), MAN).findings
    assert found.zh == "信号质量差,请重新采集:请核对电极;V3平直10秒"
    assert "cables; V3" in found.en


def test_poor_quality_is_added_and_replaces_nothing() -> None:
    """An infarction in readable leads stays ACT, and the new recording is asked for as well."""
    reading = read(measured(GOLDEN, dead=["II", "V6", "aVR"], acceptable=False), MAN)
    assert reading.tier is Tier.ACT
    assert [found.id for found in reading.findings if found.id in ("STE-1", "SIG-5")] == ["STE-1", "SIG-5"]


@pytest.mark.parametrize(
    "made",
    [
        measured(r_s=()),
        measured(dict.fromkeys(STANDARD_12)),
        measured(dead=STANDARD_12),
        measured(leads=["aVR"]),
    ],
)
def test_what_cannot_be_read_is_never_none(made: Measurements) -> None:
    """Without a QRS, or without one J level in a usable lead, the answer is to record again."""
    assert read(made, MAN).tier is Tier.REC


def test_swapped_leads_are_said_and_lead_4_is_only_said() -> None:
    """A suspected reversal asks for a new recording; LEAD-4 is too weak for that and holds nothing back."""
    assert [(f.id, f.tier) for f in read(measured(reversal="LEAD-1"), MAN).findings] == [("LEAD-1", Tier.REC)]
    reading = read(measured(GOLDEN, reversal="LEAD-4"), MAN)
    tiers = {found.id: found.tier for found in reading.findings}
    assert (tiers["STE-1"], tiers["LEAD-4"]) == (Tier.ACT, Tier.FLAG)


def test_findings_stand_in_the_order_of_urgency() -> None:
    """The first finding carries the tier of the reading."""
    levels = {"II": 0.2, "III": 0.3, "aVF": 0.2, "V1": 0.06}
    reading = read(measured(levels, acceptable=False, reversal="LEAD-4"), MAN)
    assert [found.id for found in reading.findings] == ["STE-1", "STE-RV", "CV-1", "LEAD-4", "SIG-5"]
    assert reading.tier is reading.findings[0].tier
