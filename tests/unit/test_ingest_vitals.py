"""Vital signs as clinics send them."""

import pytest

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.fields import parse_fields


def test_numbers_and_answers_are_read_in_the_ways_people_write_them() -> None:
    """A number as text, yes in two languages; what no rule knows stays as it came."""
    found = parse_fields(
        {"vitals": {"systolic": "80", "shock": "yes", "troponin_raised": "否", "note": "冷汗", "hr": 96.0}}
    )
    assert found.vitals == {"systolic": 80, "shock": 1, "troponin_raised": 0, "note": "冷汗", "hr": 96}


def test_nothing_is_nothing() -> None:
    """An empty text and null are both unknown."""
    assert parse_fields({"vitals": {"systolic": "", "shock": None}}).vitals == {
        "systolic": None,
        "shock": None,
    }


@pytest.mark.parametrize(
    "vitals",
    [
        {"systolic": "low"},
        {"sbp": -5},
        {"sbp": 900},
        {"potassium": 60},
        {"shock": "maybe"},
        {"systolic": True},
    ],
)
def test_what_cannot_be_is_refused_by_name(vitals: dict[str, object]) -> None:
    """A slip of the pen must not decide, and must not be lost without a word."""
    with pytest.raises(IngestError, match=next(iter(vitals))) as refused:
        parse_fields({"vitals": vitals})
    assert refused.value.code == "bad_field"
