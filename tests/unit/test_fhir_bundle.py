"""A case as a FHIR Bundle, from its events alone: no time of a clock that was never set."""

from typing import Any

import pytest

from greenchannel.viewer.export_fhir import Told, bundle
from greenchannel.viewer.words import Word
from tests.alerts_log import Log, reading

TWENTY_YEARS_S = 20 * 365 * 86400.0


def resources(acquired_s: float, uncertainty_s: float | None) -> list[dict[str, Any]]:
    log = Log(case_id="c_1")
    log.ecg(acquired=reading(acquired_s, "device:d_1", uncertainty_s=uncertainty_s))
    told = Told(site=Word("卫生院", "clinic"), people={}, person=None, recordings={}, studies=())
    made = bundle(log.case, told, log.case.last_event_at)
    return [one["resource"] for one in made["entry"]]


@pytest.mark.parametrize(
    ("acquired_s", "uncertainty_s", "known"),
    [(-TWENTY_YEARS_S, None, False), (-TWENTY_YEARS_S, 2.0, True), (-30.0, None, True)],
)
def test_a_clock_that_was_never_set_tells_no_time(
    acquired_s: float, uncertainty_s: float | None, known: bool
) -> None:
    found = resources(acquired_s, uncertainty_s)
    (ecg,) = (one for one in found if one.get("identifier", [{}])[0].get("system") == "urn:greenchannel:ecg")
    codes = [one["code"]["coding"][0]["code"] for one in found if one["resourceType"] == "Observation"]

    assert ("effectiveDateTime" in ecg) is known
    assert ("ECG1_ACQ" in codes) is known
    assert ecg["dataAbsentReason"]["coding"][0]["code"] == "unsupported"  # no sample was given to the bundle
