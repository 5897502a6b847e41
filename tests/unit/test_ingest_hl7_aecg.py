"""HL7 annotated ECGs: what is read, what is tolerated, what is refused, what is written."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.hl7_aecg import read_hl7_aecg
from greenchannel.ingest.hl7_aecg_write import write_hl7_aecg
from greenchannel.ingest.parsed import ParsedEcg
from greenchannel.ingest.reader import read_ecg, read_path
from greenchannel.signal.leads import STANDARD_12, STANDARD_18
from greenchannel.signal.recording import Recording
from tests.xml_files import aecg, aecg_file, aecg_lead, aecg_set

CHINA = timezone(timedelta(hours=8))

# Sum, first, 1235th and last step of 2.5 uV of each lead, from ecgdatakit 2.0.3; the first two are one recording.
MORTARA = {
    "I": (-4921, -2, 37, -13), "II": (-4084, -7, -7, -7), "V1": (-2299, 43, -11, 11), "V2": (-2648, 55, -13, 8),
    "V3": (-3119, 40, -20, 13), "V4": (-2499, 28, -16, 6), "V5": (-3009, 23, -29, -20), "V6": (-1762, -9, -44, -15),
    "III": (837, -5, -44, 6), "aVR": (4432, 4, -15, 10), "aVL": (-2721, 1, 40, -9), "aVF": (-1570, -6, -25, 0),
}  # fmt: skip
SAMPLES = {
    "hl7_Example_aECG": (500.0, 5000, MORTARA),
    "fda_subject1_0": (500.0, 5000, MORTARA),
    "cvrg_hl7aecg-Example2": (1000.0, 10000, {
        "I": (379719, 65, 57, 20), "II": (379888, 82, 65, -32), "III": (169, 17, 8, -52),
        "aVR": (-377312, -73, -61, 6), "aVL": (187181, 24, 24, 36), "aVF": (187649, 49, 36, -42),
        "V1": (105945, 30, 10, 50), "V2": (109739, 155, 50, 55), "V3": (99190, 140, 65, 15),
        "V4": (90199, 110, 65, -25), "V5": (83481, 75, 55, -50), "V6": (94352, 50, 40, -45),
    }),
}  # fmt: skip


def _read(sets: str, **more: str) -> ParsedEcg:
    return read_hl7_aecg(aecg(sets, **more).encode())


def _refused(sets: str, **more: str) -> str:
    with pytest.raises(IngestError) as caught:
        _read(sets, **more)
    assert caught.value.expected
    return caught.value.code


@pytest.mark.data
@pytest.mark.parametrize("name", SAMPLES)
def test_the_samples_at_hand_agree_with_ecgdatakit(data_dir: Path, name: str) -> None:
    """Every step of every lead; the averaged beats are left out."""
    parsed = read_path(data_dir / f"ecg-formats/hl7-aecg/{name}.xml")
    recording = parsed.recording
    rate_hz, count, facts = SAMPLES[name]
    assert recording.leads == tuple(facts)
    assert (recording.rate_hz, recording.samples_mv.shape) == (rate_hz, (12, count))
    for lead, numbers in facts.items():
        steps = np.rint(recording.lead(lead).astype(np.float64) / 0.0025)
        np.testing.assert_array_equal(recording.lead(lead), (steps * 0.0025).astype(np.float32))
        assert (steps.sum(), steps[0], steps[1234], steps[-1]) == numbers, lead
    assert parsed.tolerated[0] == "the derived series (averaged beats) is left out"


@pytest.mark.data
def test_the_example_of_hl7_and_its_dicom_twin_are_one_recording(data_dir: Path) -> None:
    """ECGToolkit converted the same strip to DICOM; it has the same amplitudes within a step."""
    parsed = read_path(data_dir / "ecg-formats/hl7-aecg/hl7_Example_aECG.xml")
    twin = read_path(data_dir / "ecg-formats/dicom/ecgtoolkit_Example.dcm").recording
    for lead in STANDARD_12:
        np.testing.assert_allclose(parsed.recording.lead(lead), twin.lead(lead), atol=0.0026)
    assert parsed.acquired == datetime(2002, 11, 22, 9, 10)  # noqa: DTZ001 - as written
    assert parsed.filters == {"high_hz": 150.0, "notch_hz": 60.0}
    assert parsed.device_statements == ("Sinus Rhythm",)
    assert parsed.identifiers == {"name": "Clark", "patient_id": "SBJ-123"}
    assert (parsed.age_years, parsed.sex) == (46.0, "male")
    assert parsed.tolerated[1] == "the age is given as 46, by the day of birth it is 49"


def test_a_small_file_is_read_with_all_it_says() -> None:
    """The instant with its zone, the age by the day of birth."""
    parsed = read_ecg([(None, aecg_file())])
    np.testing.assert_allclose(
        parsed.recording.samples_mv, np.array([[1, 2, -3, 4], [5, 6, 7, 8]]) * 0.0025, rtol=1e-6
    )
    assert (parsed.format, parsed.recording.leads, parsed.recording.rate_hz) == (
        "hl7_aecg",
        ("II", "aVR"),
        500.0,
    )
    start = datetime(2026, 5, 1, 16, 5, 0, 250000, tzinfo=CHINA)
    assert (parsed.acquired, parsed.acquired_has_zone, parsed.recording.started_at) == (start, True, start)
    assert (parsed.age_years, parsed.sex) == (61.0, "female")
    assert parsed.identifiers == {"name": "王芳", "patient_id": "7"}
    assert parsed.tolerated == ()


def test_origin_scale_and_their_units_are_applied() -> None:
    """mV = origin + scale × digits, each in its unit."""
    parsed = _read(aecg_set(aecg_lead("II", "1 -2", scale="5000", unit="nV", origin="1000000")))
    np.testing.assert_allclose(parsed.recording.lead("II"), [1.005, 0.990], rtol=1e-6)


@pytest.mark.parametrize(
    ("increment", "unit", "rate_hz"),
    [
        ("0.002", "s", 500.0),
        ("2", "ms", 500.0),
        ("0.003906", "s", 256.0),
        ("3.3333", "ms", 300.0),
        ("1e-3", "s", 1000.0),
        ("0.0027777", "s", 360.0),
        ("0.00195121951219512", "s", 512.5),
    ],
)
def test_a_rounded_increment_gives_the_rate_that_was_meant(increment: str, unit: str, rate_hz: float) -> None:
    """A whole number of samples a second where the printed digits allow one."""
    parsed = _read(aecg_set(aecg_lead("II", "1 2"), increment=increment, unit=unit))
    assert parsed.recording.rate_hz == rate_hz


def test_leads_recorded_one_group_after_the_other_stand_on_one_axis() -> None:
    """Three groups of 2.5 s are not three ECGs; where a lead was not recorded there is no sample."""
    sets = (
        aecg_set(aecg_lead("V1", "5 6"), head="20260501160500.008")
        + aecg_set(aecg_lead("I", "1 2"), head="20260501160500.000")
        + aecg_set(aecg_lead("V1", "9 7"), head="20260501160500.010")
    )
    parsed = _read(sets)
    rows = {lead: parsed.recording.lead(lead) / 0.0025 for lead in parsed.recording.leads}
    np.testing.assert_allclose(rows["I"], [1, 2] + [np.nan] * 5, rtol=1e-6)
    np.testing.assert_allclose(rows["V1"], [np.nan] * 4 + [5, 6, 7], rtol=1e-6)
    assert parsed.recording.gaps == ((2, 4),)
    assert parsed.acquired == datetime(2026, 5, 1, 16, 5)  # noqa: DTZ001 - as written
    assert parsed.tolerated == ("lead V1 comes twice at the same time; the first is taken",)


def test_sets_that_do_not_fit_are_left_out_and_noted() -> None:
    """Another rate, another clock, or a year later: nothing is allocated for the years between."""
    large = aecg_set(aecg_lead("II", "1 2 3"), head="20260501160500")
    other = aecg_set(aecg_lead("I", "1"), head="20260501160500", increment="0.004")
    zoned = aecg_set(aecg_lead("I", "1"), head="20260501160500Z")
    later = aecg_set(aecg_lead("I", "1"), head="20270501160500")
    for sets, note in ((large + other + zoned, "2 sequence sets"), (large + later, "too far apart")):
        parsed = _read(sets)
        assert parsed.recording.leads == ("II",)
        assert note in parsed.tolerated[0]


def test_the_time_of_the_series_stands_in_where_samples_have_relative_times() -> None:
    """Then of the whole document; neither is unknown."""
    relative = aecg_set(aecg_lead("II", "1")).replace("TIME_ABSOLUTE", "TIME_RELATIVE")
    relative = relative.replace('<head value="20260501160500.250+0800"/>', '<head value="0" unit="s"/>')
    assert _read(relative).acquired is None
    low = '<effectiveTime><low value="20260501160500Z"/></effectiveTime>'
    assert _read(relative, more=low).recording.started_at == datetime(2026, 5, 1, 16, 5, tzinfo=UTC)
    whole = aecg(relative).replace("<componentOf>", low.replace("low", "center") + "<componentOf>", 1)
    assert read_hl7_aecg(whole.encode()).acquired == datetime(2026, 5, 1, 16, 5, tzinfo=UTC)


def test_statements_of_a_device_are_kept_and_those_of_a_person_are_noted() -> None:
    """An opinion of a doctor is not the machine's."""
    text = (
        "<subjectOf><annotationSet>{author}<component><annotation>"
        '<code code="MDC_ECG_INTERPRETATION"/><value/><component><annotation>'
        '<code code="MDC_ECG_INTERPRETATION_STATEMENT"/><value>{words}</value></annotation></component>'
        "</annotation></component></annotationSet></subjectOf>"
    )
    doctor = "<assignedEntity><assignedAuthorType><assignedPerson/></assignedAuthorType></assignedEntity>"
    more = text.format(author="", words="窦性心律") + text.format(
        author=f"<author>{doctor}</author>", words="agreed"
    )
    parsed = _read(aecg_set(aecg_lead("II", "1")), more=more)
    assert parsed.device_statements == ("窦性心律",)
    assert parsed.tolerated == ("an interpretation by a person is left out",)


def test_what_is_not_read_is_refused_with_its_code() -> None:
    """Each by the field that is wrong; a sequence that is no lead is noted."""
    good = aecg_lead("II", "1 2")
    for sets, code in (
        ("", "malformed"),
        (aecg_set(""), "malformed"),
        (aecg_set(aecg_lead("II", "")), "empty_body"),
        (aecg_set(aecg_lead("II", "1 x")), "malformed"),
        (aecg_set(aecg_lead("II", "1", scale="0")), "malformed"),
        (aecg_set(aecg_lead("II", "9", scale="1e300")), "malformed"),
        (aecg_set(aecg_lead("II", "1", unit="mmHg")), "unsupported"),
        (aecg_set(good, increment="0"), "malformed"),
        (aecg_set(good, increment="1e-9"), "malformed"),
        (aecg_set(good, unit="month"), "unsupported"),
        (aecg_set(good * 200), "malformed"),
    ):
        assert _refused(sets) == code, sets
    assert _refused(aecg_set(good), code="REPRESENTATIVE_BEAT") == "unsupported"
    with pytest.raises(IngestError, match="no annotated ECG"):
        read_hl7_aecg(b"<svg/>")
    with pytest.raises(IngestError, match="no series"):
        read_hl7_aecg(b"<AnnotatedECG/>")
    parsed = _read(aecg_set(good + aecg_lead("CM5", "1 2")), code="HOLTER")
    assert [note.split()[1] for note in parsed.tolerated] == ["series", "sequence"]


def _recording(leads: tuple[str, ...], samples: int = 50) -> Recording:
    steps = np.random.default_rng(7).integers(-900, 900, (len(leads), samples))
    return Recording(
        samples_mv=(steps / 400).astype(np.float32),
        leads=leads,
        rate_hz=360.0,
        low_cut_hz=0.05,
        high_cut_hz=150.0,
    )


def test_what_is_written_is_read_with_everything_that_was_given() -> None:
    """Eighteen leads, Chinese, the instant to the microsecond, the filters."""
    start = datetime(2026, 5, 1, 16, 5, 0, 250001, tzinfo=CHINA)
    recording = _recording(STANDARD_18)
    data = write_hl7_aecg(
        recording, acquired=start, age_years=61.5, sex="male", patient_id='p"1', name="王 <测试>"
    )
    assert data == write_hl7_aecg(
        recording, acquired=start, age_years=61.5, sex="male", patient_id='p"1', name="王 <测试>"
    )
    parsed = read_ecg([(None, data)])
    np.testing.assert_array_equal(parsed.recording.samples_mv, recording.samples_mv)
    assert (parsed.recording.leads, parsed.recording.rate_hz) == (STANDARD_18, 360.0)
    assert (parsed.recording.low_cut_hz, parsed.recording.high_cut_hz) == (0.05, 150.0)
    assert (parsed.acquired, parsed.recording.started_at) == (start, start)
    assert (parsed.age_years, parsed.sex, parsed.tolerated) == (61.5, "male", ())
    assert parsed.identifiers == {"name": "王 <测试>", "patient_id": 'p"1'}


@pytest.mark.parametrize(
    "start",
    [None, datetime(2026, 5, 1, 16, 5), datetime(2026, 5, 1, 16, 5, tzinfo=UTC)],  # noqa: DTZ001
)
def test_missing_samples_come_back_as_missing(start: datetime | None) -> None:
    """Each stretch is a set of its own, by relative times where the start is not known."""
    samples_mv = _recording(STANDARD_12).samples_mv.copy()
    samples_mv[:, 10:20] = np.nan
    samples_mv[3, 30:] = np.nan
    recording = Recording(samples_mv=samples_mv, leads=STANDARD_12, rate_hz=500.0)
    parsed = read_hl7_aecg(write_hl7_aecg(recording, acquired=start, age_years=None, sex=None))
    np.testing.assert_array_equal(parsed.recording.samples_mv, samples_mv)
    assert parsed.recording.gaps == ((10, 20),)
    assert (parsed.acquired, parsed.age_years, parsed.sex, parsed.tolerated) == (start, None, None, ())


def test_what_no_lead_has_at_the_ends_moves_the_start() -> None:
    """The format has no mark for it; an instant stays right."""
    samples_mv = _recording(("II",)).samples_mv.copy()
    samples_mv[:, :10] = samples_mv[:, 45:] = np.nan
    recording = Recording(samples_mv=samples_mv, leads=("II",), rate_hz=500.0)
    start = datetime(2026, 5, 1, 16, 5, tzinfo=UTC)
    parsed = read_hl7_aecg(write_hl7_aecg(recording, acquired=start, age_years=None, sex=None))
    np.testing.assert_array_equal(parsed.recording.samples_mv, samples_mv[:, 10:45])
    assert parsed.acquired == start + timedelta(milliseconds=20)


def test_what_the_format_cannot_hold_is_not_written() -> None:
    """Nothing at all, and more stretches than any reader would take."""
    empty = Recording(samples_mv=np.full((1, 4), np.nan, dtype=np.float32), leads=("II",), rate_hz=500.0)
    with pytest.raises(ValueError, match="stretches"):
        write_hl7_aecg(empty, acquired=None, age_years=None, sex=None)
    holes = np.zeros((1, 4000), dtype=np.float32)
    holes[0, ::2] = np.nan
    with pytest.raises(ValueError, match="2000"):
        write_hl7_aecg(
            Recording(samples_mv=holes, leads=("II",), rate_hz=500.0), acquired=None, age_years=None, sex=None
        )
