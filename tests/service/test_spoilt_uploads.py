"""Spoilt files of all kinds sent to the running service: taken, or refused and in quarantine with the reason."""

import random

import pytest

from greenchannel.store.quarantine import Quarantine
from tests.fuzz_changes import spoilt
from tests.fuzz_seeds import seeds
from tests.service.bad_place import Place, refused

pytestmark = pytest.mark.usefixtures("undisturbed")


@pytest.mark.parametrize("count", [80, pytest.param(1000, marks=pytest.mark.soak)])
def test_each_spoilt_upload_is_taken_or_in_quarantine_with_its_reason(place: Place, count: int) -> None:
    """By the real door; for every refusal the bytes are kept as they came, with who sent them and why."""
    dice, names = random.Random(count), sorted(seeds())
    refusals: dict[bytes, str] = {}
    taken = 0
    for number in range(count):
        data = spoilt(seeds()[names[number % len(names)]], dice)
        answer = place.http.post("/api/v1/ecgs", content=data, headers=place.device())
        if answer.is_error:
            refusals[data] = refused(answer, 400, 413, 415, 422)["code"]
        else:
            taken += 1
    assert taken and refusals
    quarantine = Quarantine(place.service.folder / "quarantine")
    kept = {}
    for one in quarantine.list()[: len(refusals)]:
        assert one.detail and one.actor == "device:ecg-yinzhao"
        kept[quarantine.read(one.id)] = one.reason
    # What has no byte has nothing to be kept.
    assert {data: kept.get(data) for data in refusals if data} == {d: c for d, c in refusals.items() if d}
