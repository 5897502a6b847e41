"""GE MUSE XML: what is read, what is tolerated, what is refused."""

import base64
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.muse_xml import read_muse_xml
from greenchannel.ingest.parsed import ParsedEcg
from greenchannel.ingest.reader import read_ecg, read_path
from greenchannel.signal.leads import STANDARD_12
from tests.xml_files import EIGHT, muse, muse_file, muse_lead

STEP_MV = 0.00488

# Sum, first, 1235th and last stored step of each lead, from ecgdatakit 2.0.3.
SAMPLES = {
    "ecg2dcm_guangxi_teaching_sinus_rhythm": {
        "I": (2261, 48, 46, -17), "II": (-1398, 90, 70, -41), "V1": (3048, -16, -11, 15), "V2": (2563, 73, 72, -7),
        "V3": (2393, 103, 90, -28), "V4": (1471, 94, 86, -30), "V5": (2147, 87, 76, -25), "V6": (-213, 56, 21, 0),
    },
    "ecg2dcm_synthetic_muse": {
        "I": (50558, 12, 15, 13), "II": (75988, 18, 22, 19), "V1": (-23998, 6, 7, 6), "V2": (39190, 9, 11, 9),
        "V3": (73118, 9, 11, 9), "V4": (86920, 10, 13, 11), "V5": (80398, 10, 13, 11), "V6": (60074, 9, 11, 9),
    },
}  # fmt: skip


def _read(leads: str, more: str = "") -> ParsedEcg:
    return read_muse_xml(muse(leads, more=more).encode("latin-1"))


def _refused(leads: str, more: str = "") -> str:
    with pytest.raises(IngestError) as caught:
        _read(leads, more)
    assert caught.value.expected
    return caught.value.code


@pytest.mark.data
@pytest.mark.parametrize("name", SAMPLES)
def test_the_samples_at_hand_agree_with_two_other_readers(data_dir: Path, name: str) -> None:
    """Stored leads to the last bit with ecgdatakit, all leads within half a step with the DICOM made by ecg2dcm."""
    recording = read_path(data_dir / f"ecg-formats/muse-xml/{name}.xml").recording
    assert (recording.leads, recording.rate_hz, recording.samples_mv.shape) == (
        STANDARD_12,
        500.0,
        (12, 5000),
    )
    for lead, facts in SAMPLES[name].items():
        steps = np.rint(recording.lead(lead).astype(np.float64) / STEP_MV)
        np.testing.assert_array_equal(recording.lead(lead), (steps * STEP_MV).astype(np.float32))
        assert (steps.sum(), steps[0], steps[1234], steps[-1]) == facts
    pair = read_path(data_dir / f"ecg-formats/dicom/{name}.dcm").recording
    for lead in STANDARD_12:
        off_mv = np.abs(recording.lead(lead).astype(np.float64) - pair.lead(lead)).max()
        assert off_mv <= (0.5001 * STEP_MV if lead.startswith("aV") else 1e-6), lead


@pytest.mark.data
def test_the_chinese_sample_is_read_with_what_its_device_says(data_dir: Path) -> None:
    """The statements are the machine's own; those that a doctor struck out are among them."""
    parsed = read_path(data_dir / "ecg-formats/muse-xml/ecg2dcm_guangxi_teaching_sinus_rhythm.xml")
    assert parsed.device_statements == ("窦性心律", "ST段抬高（提示心室早期复极）", "正常心电图")
    assert (parsed.age_years, parsed.sex) == (11.0, "male")
    assert parsed.filters == {"low_hz": 0.56, "high_hz": 150.0, "notch_hz": 50.0}
    assert parsed.acquired == datetime(2024, 1, 1, 10, 35, 17)  # noqa: DTZ001 - as written
    assert not any("checksum" in note for note in parsed.tolerated)
    assert any("edited" in note for note in parsed.tolerated)


def test_the_limb_leads_are_computed_to_the_half_step() -> None:
    """III = II − I, aVR = −(I + II)/2, aVL = I − II/2, aVF = II − I/2, without rounding to whole steps."""
    recording = read_ecg([(None, muse_file())]).recording
    assert recording.leads == STANDARD_12
    one, two = np.arange(6.0), np.arange(1.0, 7.0)
    wanted = {"III": two - one, "aVR": -(one + two) / 2, "aVL": one - two / 2, "aVF": two - one / 2}
    for lead, steps in wanted.items():
        np.testing.assert_array_equal(recording.lead(lead), (steps * STEP_MV).astype(np.float32))


def test_a_small_file_is_read_with_all_it_says() -> None:
    """Rate 5·10², filters in hundredths of a hertz and hertz, no notch, no zone."""
    parsed = read_muse_xml(muse_file())
    assert parsed.recording.rate_hz == 500.0
    assert parsed.filters == {"low_hz": 0.05, "high_hz": 150.0}
    assert parsed.identifiers == {"name": "Wang", "patient_id": "7"}
    assert (parsed.age_years, parsed.sex, parsed.acquired_has_zone) == (61.0, "female", False)
    assert parsed.acquired == datetime(2026, 5, 1, 16, 5)  # noqa: DTZ001 - as written
    assert parsed.tolerated == ()


def test_fifteen_leads_and_stored_limb_leads_are_taken_as_they_are() -> None:
    """A lead that is stored is not computed; right-sided and posterior leads keep their names."""
    leads = "".join(muse_lead(lead, [7, 8]) for lead in (*EIGHT, "III", "V3R", "V4R", "V7"))
    recording = _read(leads).recording
    assert recording.leads == (*STANDARD_12, "V3R", "V4R", "V7")
    np.testing.assert_allclose(recording.lead("III"), [7 * STEP_MV, 8 * STEP_MV])


def test_a_lead_that_is_missing_derives_nothing() -> None:
    """Without I or II there are the leads that are stored."""
    assert _read(muse_lead("II", [1]) + muse_lead("V1", [2])).recording.leads == ("II", "V1")


def test_oddities_are_noted() -> None:
    """Checksum, electrode off, offsets that nobody explains, the lowest value, a short lead, an unknown lead."""
    leads = (
        muse_lead("II", [1, -32768, 3], LeadDataCRC32="12", LeadOff="TRUE", FirstSampleBaseline="4")
        + muse_lead("V1", [1, 2])
        + muse_lead("pulse", [1, 2, 3])
        + muse_lead("V2", [1, 2, 3, 4], LeadSampleCountTotal="3")
    )
    parsed = _read(leads)
    notes = " ".join(parsed.tolerated)
    for word in (
        "checksum",
        "is off",
        "FirstSampleBaseline",
        "-32768",
        "2 of 3",
        "channel 3",
        "4 samples where 3",
    ):
        assert word in notes
    assert np.isnan(parsed.recording.lead("II")).tolist() == [False, True, False]
    assert np.isnan(parsed.recording.lead("V1")).tolist() == [False, False, True]


def test_a_checksum_of_zero_is_none() -> None:
    """Converters leave it so."""
    assert _read(muse_lead("II", [1, 2], LeadDataCRC32="0")).tolerated == ()


def test_the_rhythm_is_taken_and_the_rest_is_noted() -> None:
    """Median beats and a second rhythm are left out, and pulses whose form is not published."""
    more = f"<Waveform><WaveformType>Median</WaveformType>{muse_lead('I', [1])}</Waveform>"
    parsed = _read(muse_lead("II", [1, 2]) + "<PaceSpikes/>", more)
    assert parsed.recording.leads == ("II",)
    for word in ("pacing", "'Median'"):
        assert any(word in note for note in parsed.tolerated)


def test_pieces_of_a_statement_make_one_line() -> None:
    """Up to the piece that is marked as the end of its line; without the machine's own, the only diagnosis."""
    pieces = "".join(
        f"<DiagnosisStatement>{flag}<StmtText>{text}</StmtText></DiagnosisStatement>"
        for flag, text in (
            ("", "ST elevation"),
            ("<StmtFlag>ENDSLINE</StmtFlag>", "in V2-V4"),
            ("", "Abnormal ECG"),
        )
    )
    parsed = _read(muse_lead("II", [1]), f"<Diagnosis>{pieces}</Diagnosis>")
    assert parsed.device_statements == ("ST elevation in V2-V4", "Abnormal ECG")


def test_what_is_not_read_is_refused_with_its_code() -> None:
    """Each by the field that is wrong."""
    assert _refused("") == "malformed"
    assert _refused(muse_lead("pulse", [1])) == "malformed"
    assert _refused(muse_lead("II", [])) == "empty_body"
    assert _refused(muse_lead("II", [1], WaveFormData="#")) == "malformed"
    assert _refused(muse_lead("II", [1], LeadSampleSize="3")) == "unsupported"
    assert _refused(muse_lead("II", [1], LeadAmplitudeUnits="MMHG")) == "unsupported"
    assert _refused(muse_lead("II", [1], LeadAmplitudeUnitsPerBit="x")) == "malformed"
    assert _refused(muse_lead("II", [1], LeadByteCountTotal="4")) == "truncated"
    assert _refused(muse_lead("II", [1], LeadSampleCountTotal="4000000000")) == "truncated"
    assert _refused("".join(muse_lead("II", [1]) for _ in range(65))) == "malformed"
    with pytest.raises(IngestError, match="rhythm"):
        read_muse_xml(muse_file().replace(b"Rhythm", b"Median"))
    with pytest.raises(IngestError, match="rate"):
        read_muse_xml(muse_file().replace(b"<SampleExponent>2", b"<SampleExponent>999"))
    with pytest.raises(IngestError, match="no MUSE"):
        read_muse_xml(b"<svg/>")


def test_bytes_behind_the_base64_of_one_sample_are_not_half_a_sample() -> None:
    """An odd number of bytes gives whole samples alone."""
    lead = muse_lead(
        "II", [1], LeadByteCountTotal="3", LeadDataCRC32="", WaveFormData=base64.b64encode(b"\1\0\2").decode()
    )
    assert _read(lead).recording.samples_mv.shape == (1, 1)
