"""Schiller and CardioSoft XML: what is read, what is tolerated, what is refused."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from greenchannel.ingest.cardiosoft_xml import read_cardiosoft_xml
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.parsed import ParsedEcg
from greenchannel.ingest.reader import read_ecg, read_path
from greenchannel.ingest.schiller_xml import read_schiller_xml
from greenchannel.signal.leads import STANDARD_12
from tests.xml_files import cardiosoft, cardiosoft_file, schiller, schiller_channel, schiller_file

# Sum, first, 1235th and last stored step of each lead, from ecg2dcm 1.3.1. Of the Schiller file it computes the
# augmented leads, which it does not know by their names; those are left out here.
CARDIOSOFT = {
    "I": (-8946, -4, -2, -30), "II": (45184, 22, 18, -10), "III": (54130, 26, 20, 20), "aVR": (-16896, -9, -8, 20),
    "aVL": (-30324, -15, -11, -25), "aVF": (50867, 24, 19, 5), "V1": (404875, 92, 89, 69), "V2": (430205, 90, 89, 63),
    "V3": (385755, 73, 73, 44), "V4": (328619, 59, 49, 47), "V5": (172363, 22, 8, 34), "V6": (-878, -13, -44, 22),
}  # fmt: skip
SCHILLER = {
    "I": (-87322, -60, -9, 0), "II": (-46757, -420, -11, 0), "III": (40565, -360, -2, 0), "V1": (-65522, 160, -4, 0),
    "V2": (-94910, 120, 45, 2), "V3": (-92514, 100, -14, 4), "V4": (-93094, 120, -52, 5), "V5": (-96637, 240, -84, 0),
    "V6": (-71190, -60, -81, 4),
}  # fmt: skip


def _refused(read: Callable[[bytes], ParsedEcg], text: str) -> str:
    with pytest.raises(IngestError) as caught:
        read(text.encode())
    assert caught.value.expected
    return caught.value.code


def _agrees(parsed: ParsedEcg, facts: dict[str, tuple[int, int, int, int]], step_mv: float) -> None:
    recording = parsed.recording
    assert (recording.leads, recording.rate_hz, recording.samples_mv.shape) == (
        STANDARD_12,
        500.0,
        (12, 5000),
    )
    for lead, numbers in facts.items():
        steps = np.rint(recording.lead(lead).astype(np.float64) / step_mv)
        np.testing.assert_allclose(recording.lead(lead), steps * step_mv, rtol=1e-6, atol=1e-9)
        assert (steps.sum(), steps[0], steps[1234], steps[-1]) == numbers, lead


@pytest.mark.data
def test_the_cardiosoft_sample_agrees_with_ecg2dcm(data_dir: Path) -> None:
    """All leads; what else holds samples is left out."""
    parsed = read_path(data_dir / "ecg-formats/cardiosoft-xml/ecgprocess_example-XML1.xml")
    _agrees(parsed, CARDIOSOFT, 0.005)
    assert parsed.acquired == datetime(2018, 7, 19, 14, 19, 39)  # noqa: DTZ001 - as written
    assert (parsed.age_years, parsed.sex) == (53.0, "male")
    assert parsed.filters == {"low_hz": 0.01, "high_hz": 100.0, "notch_hz": 50.0}
    assert parsed.device_statements[:2] == ("Sinus bradycardia", "Otherwise normal ECG")
    assert parsed.tolerated == tuple(
        f"{name} is left out" for name in ("MedianSamples", "VectorLoops", "FullDisclosure")
    )


@pytest.mark.data
def test_the_schiller_sample_agrees_with_ecg2dcm(data_dir: Path) -> None:
    """The stored leads; aVR, aVL and aVF as stored are within a step of those computed from I and II."""
    parsed = read_path(data_dir / "ecg-formats/schiller-xml/cardio_sample.xml")
    _agrees(parsed, SCHILLER, 0.001)
    recording = parsed.recording
    one, two = recording.lead("I"), recording.lead("II")
    for lead, computed in (("aVR", -(one + two) / 2), ("aVL", one - two / 2), ("aVF", two - one / 2)):
        np.testing.assert_allclose(recording.lead(lead), computed, atol=0.001001)
    assert parsed.filters == {"low_hz": 0.05, "high_hz": 150.0, "notch_hz": 50.0}
    assert (parsed.age_years, parsed.sex, parsed.identifiers, parsed.device_statements) == (
        None,
        None,
        {},
        (),
    )
    assert parsed.acquired == datetime(1970, 1, 1)  # noqa: DTZ001 - a dead clock, judged elsewhere
    assert parsed.tolerated == ("the wave data 'ECG_AVERAGES' is left out",)


def test_a_small_schiller_file_is_read_with_all_it_says() -> None:
    """Filters of the samples, not of the screen; the interpretation without the program's parameters."""
    parsed = read_ecg([(None, schiller_file())])
    np.testing.assert_allclose(
        parsed.recording.samples_mv, np.array([[1, 2, -3], [4, 5, 6]]) * 0.0025, rtol=1e-6
    )
    assert (parsed.format, parsed.recording.leads, parsed.recording.rate_hz) == (
        "schiller_xml",
        ("I", "aVR"),
        500.0,
    )
    assert parsed.filters == {"high_hz": 150.0}
    assert parsed.device_statements == ("sinus rhythm",)
    assert parsed.acquired == datetime(2026, 5, 1, 16, 5, 0, 250000)  # noqa: DTZ001 - as written
    assert (parsed.age_years, parsed.sex) == (61.0, "female")
    assert parsed.identifiers == {"name": "Wang", "patient_id": "7"}


def test_what_is_not_read_of_schiller_is_refused_with_its_code() -> None:
    """Each by the field that is wrong; a channel that is no lead is noted."""
    good = schiller_channel("I", "1,2,3,")
    for text, code in (
        (schiller(good, kind="ECG_AVERAGES"), "malformed"),
        (schiller(good, units="MMHG"), "unsupported"),
        (schiller(good, exponent="2"), "unsupported"),
        (schiller(good.replace("COMMASEPARATE", "BASE64")), "unsupported"),
        (schiller(schiller_channel("I", "1,2", count="3")), "truncated"),
        (schiller(schiller_channel("I", "1,x,3")), "malformed"),
        (schiller(schiller_channel("pulse", "1,2,3")), "malformed"),
        (schiller(schiller_channel("I", "", count="0")), "empty_body"),
        (schiller(good * 65), "malformed"),
        (schiller(good).replace("<value>500<", "<value>0<"), "malformed"),
        (schiller(good).replace("2.5", "0"), "malformed"),
        ("<svg/>", "malformed"),
    ):
        assert _refused(read_schiller_xml, text) == code, text[:300]
    parsed = read_schiller_xml(schiller(good + good + schiller_channel("V1", "1,2,3,4", count="x")).encode())
    assert [note.split()[0] for note in parsed.tolerated] == ["channel", "the", "lead"]


def test_a_small_cardiosoft_file_is_read_with_all_it_says() -> None:
    """A child's age in months, the notch that is on, a clock of single digits."""
    parsed = read_ecg([(None, cardiosoft_file())])
    np.testing.assert_allclose(
        parsed.recording.samples_mv, np.array([[1, 2, -3], [4, 5, 6]]) * 0.005, rtol=1e-6
    )
    assert (parsed.format, parsed.recording.leads) == ("cardiosoft_xml", ("I", "aVR"))
    assert (parsed.age_years, parsed.sex) == (1.5, "female")
    assert parsed.acquired == datetime(2026, 5, 1, 6, 5)  # noqa: DTZ001 - as written
    assert parsed.filters == {"low_hz": 0.05, "high_hz": 40.0, "notch_hz": 50.0}
    assert parsed.identifiers == {"name": "Wang Fang", "patient_id": "7"}
    assert parsed.device_statements == ("Sinus rhythm",)
    assert parsed.tolerated == ()


def test_what_is_not_read_of_cardiosoft_is_refused_with_its_code() -> None:
    """Each by the field that is wrong."""
    good = '<WaveformData lead="I">1,2,3</WaveformData>'
    for text, code in (
        (cardiosoft(good).replace("StripData", "Other"), "unsupported"),
        (cardiosoft(good, units="mmHg"), "unsupported"),
        (cardiosoft(good).replace(">5</Resolution", "></Resolution"), "malformed"),
        (cardiosoft(good, count="4000000000"), "truncated"),
        (cardiosoft(good.replace("2", "two")), "malformed"),
        (cardiosoft(good.replace('"I"', '"pulse"')), "malformed"),
        (cardiosoft(""), "malformed"),
        (cardiosoft(good * 65), "malformed"),
        (cardiosoft(good).replace(">500<", ">1e9<"), "malformed"),
        ("<svg/>", "malformed"),
    ):
        assert _refused(read_cardiosoft_xml, text) == code, text[:300]


def test_of_two_cardiosoft_strips_the_one_with_more_leads_is_taken() -> None:
    """And that there were two is noted; a day of birth stands in for an age."""
    more = cardiosoft(
        '<WaveformData lead="II">1,2,3</WaveformData><WaveformData lead="V1">1,2,3</WaveformData>'
    )
    strip = more[more.index("<StripData>") : more.index("</CardiologyXML>")]
    born = "<BirthDateTime><Day>2</Day><Month>5</Month><Year>1965</Year></BirthDateTime>"
    text = cardiosoft('<WaveformData lead="I">1,2,3</WaveformData>').replace(
        "</CardiologyXML>", strip + "</CardiologyXML>"
    )
    parsed = read_cardiosoft_xml(text.replace('<Age units="MONTHS">18</Age>', born).encode())
    assert parsed.recording.leads == ("II", "V1")
    assert parsed.tolerated == ("of 2 strips one is taken",)
    assert parsed.age_years == 60.0
