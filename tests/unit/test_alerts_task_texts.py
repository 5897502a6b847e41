"""A site's own words for the tasks: shown as they are, taken whole or not at all."""

from pathlib import Path

import pytest

from greenchannel.alerts.task_texts import TaskTexts, texts_of
from greenchannel.assembly import build, read_task_texts
from greenchannel.settings import SettingsError, load
from tests.require import ROOT

SITE = """
[[task]]
kind = "sign_consent"
zh = "谈话签字"
en = "Consent talk"
[[task.step]]
id = "talk"
zh = "电话谈话"
en = "Talk by telephone"
milestone = "CONSENT_START"
source = "protocol"
mark = "O"
"""
OF_YINZHAO = SITE.replace('zh = "谈话签字"\nen = "Consent talk"', 'sites = ["yinzhao"]').replace(
    "talk", "form"
)


def test_without_a_file_the_usual_words_stand_and_nothing_is_added() -> None:
    """No step of treatment comes from the product."""
    words = TaskTexts().words("sign_consent", "yinzhao")
    assert (words.zh, words.steps) == ("签署知情同意", ())
    assert TaskTexts().words("of_another_version", "yinzhao").zh == "of_another_version"


def test_a_row_of_the_own_site_goes_before_that_of_all() -> None:
    """Where it has no words of its own, the usual ones stand."""
    texts = texts_of((SITE + OF_YINZHAO).encode())
    assert (texts.words("sign_consent", "jishi").en, len(texts.words("sign_consent", "jishi").steps)) == (
        "Consent talk",
        1,
    )
    own = texts.words("sign_consent", "yinzhao")
    assert own.zh == "签署知情同意" and own.steps[0].id == "form"


def test_the_example_is_a_file_like_any_other() -> None:
    """It has lines for antiplatelet drugs and for the consent, each with its source and mark."""
    texts = read_task_texts(ROOT / "docs" / "examples" / "site-tasks.toml")
    steps = [step for row in texts.rows for step in row.step]
    assert {"ASPIRIN", "P2Y12", "CONSENT_START"} <= {step.milestone for step in steps}
    assert all(step.zh and step.en and step.source and step.mark for step in steps)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "task"),
        ("[[task]]\nkind = ", ""),
        (SITE.replace('"sign_consent"', '"give_aspirin"'), "kind of tasks.toml"),
        (SITE.replace('en = "Consent talk"\n', ""), "both languages"),
        (SITE.replace('zh = "电话谈话"', 'zh = " "'), "empty text"),
        (SITE.replace('source = "protocol"\n', ""), "source"),
        (SITE.replace('mark = "O"', 'mark = "X"'), "X"),
        (SITE.replace("CONSENT_START", "CONSENT"), "milestone"),
        (SITE + "dose_mg = 300\n", "dose_mg"),
        (SITE + SITE, "two"),
        (SITE + SITE.partition("[[task.step]]")[2].join(("[[task.step]]", "")), "ids of their own"),
    ],
)
def test_half_a_file_keeps_the_service_from_starting(tmp_path: Path, text: str, said: str) -> None:
    """The error names the file and what was expected; nothing is made before."""
    file = tmp_path / "site.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"site\.toml") as refused:
        build(load({"GREENCHANNEL_TASKS_FILE": str(file)}, data_dir=tmp_path / "data"))
    assert said in str(refused.value)
    assert not (tmp_path / "data").exists()
