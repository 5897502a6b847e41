"""A number that a machine fills in by itself is no patient's."""

import pytest

from greenchannel.ingest.agent_patient import usable_ref


@pytest.mark.parametrize("word", ["ZY-0043", "20260501-17", "住院00871", " 4711 "])
def test_a_number_of_a_patient_is_taken(word: str) -> None:
    """As it stands, without the space around it."""
    assert usable_ref(word) == word.strip()


@pytest.mark.parametrize(
    "word",
    [
        None,
        "",
        "  ",
        "0",
        "00",
        "0000000",
        "1",
        "111-111",
        "123456",
        "Unknown",
        "n/a",
        "测试",
        "a\x00bcd",
        "9" * 200,
    ],
)
def test_a_filler_is_none(word: str | None) -> None:
    """One sign repeated, the digits in their order, words for nobody, or what no field takes."""
    assert usable_ref(word) is None
