"""Philips Sierra XML: the compression, what is read, what is tolerated, what is refused."""

import base64
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.philips_xli import len_without_calibration, unpack_xli
from greenchannel.ingest.philips_xml import read_philips_xml
from greenchannel.ingest.reader import read_ecg, read_path
from greenchannel.signal.leads import STANDARD_12
from tests.xml_files import TWELVE, limbs_apart, philips, philips_file, philips_rows, xli_channel

FIFTEEN = (*TWELVE, "V3R", "V4R", "V7")

# Sum of all, first and 1235th step of each lead, from sierraecg 0.4.0, which keeps the calibration pulse:
# 100 samples of 1 mV, 200 steps, and 100 of nothing, in each lead.
PULSE_SUM = 100 * 200
SAMPLES = {
    "sierra_2020-5-18_15-48-11": {
        "I": (-20764, -2, -10), "II": (523669, 139, 86), "III": (564433, 141, 96), "aVR": (-210111, -68, -38),
        "aVL": (-273914, -72, -53), "aVF": (542951, 140, 91), "V1": (7131, -2, -8), "V2": (-51484, 17, -48),
        "V3": (-120816, 34, -59), "V4": (-81761, 27, -44), "V5": (-47570, 13, -37), "V6": (-49970, 11, -32),
    },
    "sierra_ZZDEMOPTONLY": {
        "I": (11652, 33, -3), "II": (-116199, 38, -54), "III": (-107851, 5, -51), "aVR": (93587, -35, 29),
        "aVL": (78482, 14, 24), "aVF": (-114801, 22, -54), "V1": (22116, 19, 18), "V2": (20080, 117, 10),
        "V3": (67419, 217, 42), "V4": (-54376, 146, -20), "V5": (39974, 106, 9), "V6": (36949, 79, 6),
    },
}  # fmt: skip


def _refused(text: str) -> IngestError:
    with pytest.raises(IngestError) as caught:
        read_philips_xml(text.encode("utf-16"))
    assert caught.value.expected
    return caught.value


@pytest.mark.data
@pytest.mark.parametrize("name", SAMPLES)
def test_the_samples_at_hand_agree_with_sierraecg(data_dir: Path, name: str) -> None:
    """Every step of every lead, but for the pulse at the end, which is no ECG."""
    recording = read_path(data_dir / f"ecg-formats/philips-xml/{name}.xml").recording
    assert (recording.leads, recording.rate_hz, recording.samples_mv.shape) == (
        STANDARD_12,
        500.0,
        (12, 5300),
    )
    for lead, facts in SAMPLES[name].items():
        steps = np.rint(recording.lead(lead).astype(np.float64) / 0.005)
        np.testing.assert_array_equal(recording.lead(lead), (steps * 0.005).astype(np.float32))
        assert (steps.sum() + PULSE_SUM, steps[0], steps[1234]) == facts


@pytest.mark.data
def test_the_demo_patient_is_read_with_what_the_cart_says(data_dir: Path) -> None:
    """The statements with their reasons; the age by the day of birth, not the one that the cart assumes."""
    parsed = read_path(data_dir / "ecg-formats/philips-xml/sierra_ZZDEMOPTONLY.xml")
    assert parsed.device_statements[1] == "PROBABLE LEFT VENTRICULAR HYPERTROPHY, (RaVL+SV3)xQRSd >280"
    assert (parsed.age_years, parsed.sex) == (60.0, "male")
    assert parsed.filters == {"low_hz": 0.05, "high_hz": 150.0}
    assert parsed.identifiers == {"name": "ZZDEMOPTONLY ADULT", "patient_id": "9999"}
    assert parsed.acquired == datetime(2010, 1, 19, 15, 19, 22)  # noqa: DTZ001 - as written


@pytest.mark.data
def test_a_document_type_of_another_maker_is_refused(data_dir: Path) -> None:
    """Its samples may be packed in any way."""
    with pytest.raises(IngestError) as caught:
        read_path(data_dir / "ecg-formats/philips-xml/sierra_invalid-doc-type.xml")
    assert (caught.value.code, caught.value.got) == ("unsupported", "'MortaraECG'")
    assert caught.value.expected == "PhilipsECG or SierraECG"


@pytest.mark.parametrize("leads", [TWELVE, FIFTEEN])
def test_twelve_and_fifteen_leads_come_back_to_the_last_step(leads: tuple[str, ...]) -> None:
    """Limb leads are put together again from what is stored of them."""
    parsed = read_ecg([(None, philips_file(leads))])
    assert parsed.recording.leads == leads
    for lead, steps in philips_rows(leads).items():
        np.testing.assert_array_equal(
            parsed.recording.lead(lead), (np.array(steps) * 0.005).astype(np.float32)
        )
    assert parsed.identifiers == {"name": "王", "patient_id": "7"}
    assert (parsed.age_years, parsed.sex) == (61.0, "female")
    assert parsed.filters == {"low_hz": 0.05, "high_hz": 150.0, "notch_hz": 50.0}
    assert parsed.recording.pace_spikes == (2,)
    assert parsed.device_statements == ("Sinus rhythm, V-rate 50-99", "- ABNORMAL ECG -")
    assert parsed.tolerated == ()


def test_any_samples_survive_the_compression() -> None:
    """Also jumps over the whole range, which the arithmetic of 16 bits wraps, and more strings than the table holds."""
    rng = np.random.default_rng(5)
    rows = [rng.integers(-32768, 32768, 3000), np.repeat([-32768, 32767, 0], 1000), np.zeros(3000, dtype=int)]
    body = b"".join(xli_channel(row.tolist()) for row in rows)
    np.testing.assert_array_equal(unpack_xli(body, 3, 3000), np.array(rows))


def test_damaged_compression_is_refused() -> None:
    """Too short, a code that stands for nothing yet, and a bomb."""
    body = xli_channel(list(range(50)))
    for data, code in (
        (body[:7], "truncated"),
        (body[:-9], "truncated"),
        (b"\xff\xff\xff\xff" + body[4:], "truncated"),
        (body[:8] + b"\xb0" * (len(body) - 8), "malformed"),
    ):
        with pytest.raises(IngestError) as caught:
            unpack_xli(data, 1, 50)
        assert caught.value.code == code
    with pytest.raises(IngestError, match="too long"):
        unpack_xli(xli_channel([0] * 200_000), 1, 50)


def test_plain_samples_are_read_however_the_limb_leads_are_stored() -> None:
    """Whole, or less what follows from I and II; neither is refused."""
    rows = philips_rows(TWELVE)
    plain = {"compression": "Uncompressed"}
    for stored in (rows, limbs_apart(rows)):
        body = np.array([stored[lead] for lead in TWELVE], dtype="<i2").tobytes()
        recording = read_philips_xml(philips(body, TWELVE, 40, **plain).encode("utf-16")).recording
        for lead, steps in rows.items():
            np.testing.assert_array_equal(recording.lead(lead), (np.array(steps) * 0.005).astype(np.float32))
    body = np.arange(480, dtype="<i2")[::-1].tobytes()
    assert _refused(philips(body, TWELVE, 40, **plain)).code == "unsupported"
    assert _refused(philips(body[:-2], TWELVE, 40, **plain)).code == "truncated"


def test_the_calibration_pulse_is_known_by_what_no_heart_does() -> None:
    """The same 1 mV in all leads; leads that end flat, and a strip that is nothing else, are kept."""
    ecg = np.array([[3, 4, 5], [6, 7, 8]])
    pulse = np.array([[0, 200, 200, 0]] * 2)
    assert len_without_calibration(np.hstack([ecg, pulse]), 200.0) == 3
    assert len_without_calibration(np.hstack([ecg, 0 * pulse]), 200.0) == 7
    assert len_without_calibration(pulse, 200.0) == 4
    assert len_without_calibration(np.hstack([pulse, ecg]), 200.0) == 7


def test_what_is_not_read_is_refused_with_its_code() -> None:
    """Each by the field that is wrong."""
    good = b"".join(xli_channel(row) for row in limbs_apart(philips_rows(TWELVE)).values())
    for changes, code in (
        ({"kind": "MortaraECG"}, "unsupported"),
        ({"version": "2.0"}, "unsupported"),
        ({"compression": "ZIP"}, "unsupported"),
        ({"dataencoding": "Hex"}, "unsupported"),
        ({"bitspersample": "12"}, "unsupported"),
        ({"signalsigned": "False"}, "unsupported"),
        ({"leadlabels": "V1 V2 V3 V4 V5 V6 I II III aVR aVL aVF"}, "unsupported"),
        ({"leadlabels": "I II"}, "malformed"),
        ({"numberofleads": "0"}, "malformed"),
        ({"resolution": "0"}, "malformed"),
        ({"durationperchannel": "0"}, "malformed"),
        ({"durationperchannel": "4000000000"}, "too_large"),
        ({"durationperchannel": "9000"}, "truncated"),
        ({"samplespersecond": "-500"}, "malformed"),
    ):
        assert _refused(philips(good, TWELVE, 40, **changes)).code == code, changes
    assert (
        _refused(philips(good, TWELVE, 40).replace(base64.b64encode(good).decode(), "#")).code == "malformed"
    )
    assert _refused(philips(good, TWELVE, 40).replace("parsedwaveforms", "other")).code == "malformed"
    assert _refused("<svg/>").code == "malformed"


def test_version_1_03_names_its_leads_by_the_cable() -> None:
    """Labels and lengths stand among the characteristics of the signal there."""
    rows = limbs_apart(philips_rows(TWELVE))
    body = b"".join(xli_channel(rows[lead]) for lead in TWELVE)
    text = philips(body, TWELVE, 40, version="1.03", leadlabels="", samplespersecond="", signaloffset="3")
    parsed = read_philips_xml(text.encode("utf-16"))
    assert parsed.recording.leads == STANDARD_12
    assert "offset" in parsed.tolerated[0]
