"""A number that a machine fills in by itself is no patient's."""

import pytest

from greenchannel.ingest.agent_patient import usable_ref


@pytest.mark.parametrize(
    "word",
    [
        "ZY-0043",
        "20260501-17",
        "住院00871",
        " 4711 ",
        "0012345",
        "202605010001",
        "1004711",
        "MZ000017",
        "Demoulin-4711",
        "急诊20261",
    ],
)
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
        "000001",
        "0000000001",
        "0000-0017",
        "00009999",
        "０００００００１７",
        "removed",
        "REMOVED",
        "[Anonymous]",
        "demo",
        "Test-01",
        "急诊0017",
        "TEST PATIENT",
        "challenge/2017/training/A00001",
        "C:\\ECG\\4711",
        "1234567890",
        "0123456",
        "987654",
        "4444444",
    ],
)
def test_a_filler_is_none(word: str | None) -> None:
    """Counters, digits in their order, one sign repeated, words for nobody, paths, or what no field takes."""
    assert usable_ref(word) is None
