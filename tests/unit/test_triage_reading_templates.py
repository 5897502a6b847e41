"""The sentences that a doctor is offered for a reading."""

from pathlib import Path

import pytest

from greenchannel.triage.finding import BLANK, Tier
from greenchannel.triage.reading_templates import TABLE, Template, offers, templates_of

# Whatever the product offers by itself must name none of these: a site writes them, or nobody.
MEDICINES = (
    *(
        "阿司匹林",
        "氯吡格雷",
        "替格瑞洛",
        "肝素",
        "硝酸",
        "吗啡",
        "溶栓",
        "阿替普酶",
        "瑞替普酶",
        "胺碘酮",
        "肾上腺素",
    ),
    *(
        "阿托品",
        "多巴胺",
        "吸氧",
        "他汀",
        "美托洛尔",
        "毫克",
        "mg",
        "dose",
        "aspirin",
        "clopidogrel",
        "ticagrelor",
    ),
    *("heparin", "nitrate", "nitroglycerin", "morphine", "lysis", "alteplase", "amiodarone", "adrenaline"),
    *("epinephrine", "atropine", "dopamine", "oxygen", "statin", "metoprolol"),
)


def finding(rule: str, *walls: str) -> dict[str, object]:
    return {"id": rule, "territories": list(walls)}


def test_what_fired_is_offered_first_with_its_walls() -> None:
    """The template of the first finding stands first, filled; no template is left out."""
    made = offers("ACT", [finding("STE-1", "inferior"), finding("STE-RV")], site="yinzhao")
    assert [one.id for one in made.readings[:2]] == ["stemi", "stemi_rv"]
    assert made.readings[0].zh == "急性下壁心肌梗死（ST段抬高型）"
    assert (made.readings[0].tier, made.readings[0].fits) == (Tier.ACT, ("STE-1",))
    assert {one.id for one in made.readings} == {row.id for row in TABLE.reading}


def test_without_a_finding_that_fits_the_tier_decides() -> None:
    """A tier without a rule that a template knows brings those of this tier to the front, and leaves blanks."""
    made = offers("ACT", [], site="yinzhao")
    ranks = [one.tier is Tier.ACT for one in made.readings]
    assert ranks == sorted(ranks, reverse=True)
    assert BLANK in next(one.zh for one in made.readings if one.id == "stemi")
    nothing = offers(None, [], site="yinzhao")
    assert [one.id for one in nothing.readings] == [row.id for row in TABLE.reading]


def test_the_product_names_no_medicine() -> None:
    """Neither in a reading nor in advice: what is given is the site's word."""
    for row in (*TABLE.reading, *TABLE.advice, *TABLE.reason):
        text = f"{row.zh} {row.en}".lower()
        assert not [name for name in MEDICINES if name in text], row.id


def test_a_sites_own_sentences_stand_first_and_for_its_cases_alone() -> None:
    """The example file is read; a row with sites is offered there and nowhere else."""
    own = templates_of(Path("docs/examples/site-templates.toml").read_bytes())
    made = offers("ACT", [], site="yinzhao", own=own)
    assert (made.advice[0].id, made.advice[0].of_site) == ("antiplatelet", True)
    assert BLANK in made.advice[0].zh
    here = templates_of(
        b'[[advice]]\nid="a"\nzh="x"\nen="x"\ntiers=["ACT"]\nsites=["jishi"]\nsource="s"\nmark="O"\n'
    )
    assert "a" in [one.id for one in offers("ACT", [], site="jishi", own=here).advice]
    assert "a" not in [one.id for one in offers("ACT", [], site="yinzhao", own=here).advice]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[[advice]]\nid="a"\nzh=" "\nen="x"\nsource="s"\nmark="O"\n', "empty"),
        ('[[reading]]\nid="a"\nzh="x"\nen="x"\nsource="s"\nmark="O"\n', "tier"),
        ('[[advice]]\nid="a"\nzh="x"\nen="x"\nsource="s"\nmark="O"\nrules=["STE-99"]\n', "STE-99"),
        ('[[advice]]\nid="a"\nzh="x"\nsource="s"\nmark="O"\n', "en"),
        ('[[advise]]\nid="a"\n', "advise"),
    ],
)
def test_a_file_that_does_not_fit_says_why(text: str, told: str) -> None:
    """What was expected and what came; nothing is taken from it."""
    with pytest.raises(ValueError, match=told):
        templates_of(text.encode())


def test_rows_of_one_name_are_refused() -> None:
    """Two templates of one id would be one on the page."""
    row = Template(id="a", zh="x", en="x", source="s", mark="O")
    with pytest.raises(ValueError, match="ids of their own"):
        type(TABLE)(advice=(row, row))
