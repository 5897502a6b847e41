"""DICOM ECGs: what is read, what is tolerated, what is refused."""

import io
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from greenchannel.ingest.dicom_ecg import looks_like_dicom, read_dicom
from greenchannel.ingest.dicom_ecg_write import GENERAL, TWELVE_LEAD, write_dicom_ecg
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.lead_names import lead_of_code, lead_of_name
from greenchannel.ingest.reader import read_ecg, read_path
from greenchannel.signal.leads import STANDARD_12, STANDARD_18
from greenchannel.signal.recording import Recording

CHINA = timezone(timedelta(hours=8))


def _recording(leads: tuple[str, ...] = STANDARD_12, samples: int = 50) -> Recording:
    steps = np.random.default_rng(7).integers(-900, 900, (len(leads), samples))
    return Recording(samples_mv=(steps / 400).astype(np.float32), leads=leads, rate_hz=500.0)


def _dataset(**changes: Any) -> pydicom.Dataset:
    """A written ECG, read back by pydicom for a test to spoil."""
    data = write_dicom_ecg(_recording(), acquired=None, age_years=None, sex=None)
    dataset = pydicom.dcmread(io.BytesIO(data))
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    return dataset


def _bytes(dataset: pydicom.Dataset) -> bytes:
    out = io.BytesIO()
    dataset.save_as(out)
    return out.getvalue()


def _refused(dataset: pydicom.Dataset) -> IngestError:
    with pytest.raises(IngestError) as caught:
        read_dicom(_bytes(dataset))
    return caught.value


def _sample_file() -> Path:
    path = get_testdata_file("waveform_ecg.dcm", download=False)
    assert isinstance(path, str)
    return Path(path)


def test_the_test_file_of_pydicom_agrees_with_pydicom() -> None:
    """Amplitudes are those of pydicom's own conversion, in mV; the median beat is left out and noted."""
    parsed = read_path(_sample_file())
    theirs_uv = pydicom.dcmread(_sample_file()).waveform_array(0)
    np.testing.assert_allclose(parsed.recording.samples_mv, theirs_uv.T / 1000, rtol=1e-6, atol=1e-9)
    assert parsed.recording.leads == STANDARD_12
    assert (parsed.recording.rate_hz, parsed.age_years, parsed.sex) == (1000.0, 42.0, "female")
    assert parsed.acquired == datetime(2013, 1, 25, 10, 59, 19)  # noqa: DTZ001 - as written
    assert not parsed.acquired_has_zone
    assert parsed.identifiers == {"name": "Anonymous", "patient_id": "642341"}
    assert parsed.device_statements[:2] == ("RITMO SINUSALE", "ECG NORMALE")
    assert parsed.filters == {"low_hz": 0.05, "high_hz": 300.0}
    assert (parsed.recording.low_cut_hz, parsed.recording.high_cut_hz) == (0.05, 300.0)
    assert parsed.tolerated == ("multiplex group 2 (MEDIAN BEAT) is left out",)


def test_twelve_leads_are_written_as_a_twelve_lead_ecg() -> None:
    """Everything given comes back, the instant with its zone."""
    start = datetime(2026, 5, 1, 16, 5, 0, 250000, tzinfo=CHINA)
    data = write_dicom_ecg(
        _recording(), acquired=start, age_years=61.0, sex="male", patient_id="p-1", name="王=测试"
    )
    assert pydicom.dcmread(io.BytesIO(data)).SOPClassUID == TWELVE_LEAD
    parsed = read_dicom(data)
    np.testing.assert_array_equal(parsed.recording.samples_mv, _recording().samples_mv)
    assert (parsed.acquired, parsed.acquired_has_zone, parsed.recording.started_at) == (start, True, start)
    assert (parsed.age_years, parsed.sex, parsed.tolerated) == (61.0, "male", ())
    assert parsed.identifiers == {"name": "王=测试", "patient_id": "p-1"}


def test_the_devices_filters_come_with_the_samples() -> None:
    """The narrowest band where channels differ; nothing said is unknown; a written file says them again."""
    dataset = _dataset()
    assert read_dicom(_bytes(dataset)).recording.low_cut_hz is None
    channels = dataset.WaveformSequence[0].ChannelDefinitionSequence
    channels[0].FilterLowFrequency, channels[0].FilterHighFrequency = "0.05", "0"
    channels[3].FilterLowFrequency, channels[3].FilterHighFrequency = "0.5", "40"
    recording = read_dicom(_bytes(dataset)).recording
    assert (recording.low_cut_hz, recording.high_cut_hz) == (0.5, 40.0)
    again = read_dicom(write_dicom_ecg(recording, acquired=None, age_years=None, sex=None)).recording
    assert (again.low_cut_hz, again.high_cut_hz) == (0.5, 40.0)


def test_eighteen_leads_are_written_as_a_general_ecg_with_what_is_missing() -> None:
    """NaN comes back as NaN, and where no lead has a sample, there is a gap."""
    samples_mv = _recording(STANDARD_18).samples_mv.copy()
    samples_mv[:, 10:20] = np.nan
    samples_mv[3, 30:] = np.nan
    recording = Recording(samples_mv=samples_mv, leads=STANDARD_18, rate_hz=500.0)
    data = write_dicom_ecg(recording, acquired=None, age_years=1.5, sex=None)
    assert pydicom.dcmread(io.BytesIO(data)).SOPClassUID == GENERAL
    parsed = read_dicom(data)
    np.testing.assert_array_equal(parsed.recording.samples_mv, samples_mv)
    assert parsed.recording.leads == STANDARD_18
    assert parsed.recording.gaps == ((10, 20),)
    assert (parsed.age_years, parsed.sex, parsed.acquired) == (1.5, None, None)


def test_the_same_recording_is_the_same_file() -> None:
    """The UIDs are made of the content, so a second export is no second ECG."""
    first = write_dicom_ecg(_recording(), acquired=None, age_years=61.0, sex="male")
    assert first == write_dicom_ecg(_recording(), acquired=None, age_years=61.0, sex="male")
    assert first != write_dicom_ecg(_recording(), acquired=None, age_years=62.0, sex="male")


@pytest.mark.parametrize(("leads", "rate_hz"), [(STANDARD_12, 100.0), (STANDARD_12, 2000.0)])
def test_rates_that_the_class_does_not_allow_are_not_written(leads: tuple[str, ...], rate_hz: float) -> None:
    """The writer makes valid objects or none."""
    recording = Recording(samples_mv=np.zeros((12, 10), dtype=np.float32), leads=leads, rate_hz=rate_hz)
    with pytest.raises(ValueError, match="200 to 1000"):
        write_dicom_ecg(recording, acquired=None, age_years=None, sex=None)


def test_the_zone_comes_from_the_value_or_from_the_attribute_beside_it() -> None:
    """Timezone Offset From UTC makes a bare date and time an instant."""
    dataset = _dataset(AcquisitionDateTime="20260501160500", TimezoneOffsetFromUTC="+0800")
    assert read_dicom(_bytes(dataset)).recording.started_at == datetime(2026, 5, 1, 8, 5, tzinfo=UTC)
    dataset.AcquisitionDateTime = "20260501160500.5-0330"
    assert read_dicom(_bytes(dataset)).recording.started_at == datetime(
        2026, 5, 1, 19, 35, 0, 500000, tzinfo=UTC
    )


def test_other_times_stand_in_for_the_acquisition_and_are_noted() -> None:
    """Content, then study time; a date that is none is noted and passed over."""
    dataset = _dataset(AcquisitionDateTime="", StudyDate="20260501", StudyTime="160500")
    parsed = read_dicom(_bytes(dataset))
    assert parsed.acquired == datetime(2026, 5, 1, 16, 5)  # noqa: DTZ001 - as written
    assert "StudyDate" in parsed.tolerated[0]


def test_baseline_correction_and_units_are_applied() -> None:
    """mV = steps × sensitivity × correction + baseline, both in the channel's unit."""
    dataset = _dataset()
    for channel in dataset.WaveformSequence[0].ChannelDefinitionSequence:
        channel.ChannelSensitivity = 5
        channel.ChannelSensitivityCorrectionFactor = 2
        channel.ChannelBaseline = 100
        channel.ChannelSensitivityUnitsSequence[0].CodeValue = "uV"
    steps = np.rint(_recording().samples_mv.astype(np.float64) * 400)
    back = read_dicom(_bytes(dataset)).recording.samples_mv
    np.testing.assert_allclose(back, (steps * 10 + 100) / 1000, rtol=1e-6)


def test_eight_bit_samples_and_twelve_bits_without_their_sign_are_read() -> None:
    """Vendors store 12 bits in 16; where nothing is negative and the top bit is in use, the sign is extended."""
    dataset = _dataset()
    group = dataset.WaveformSequence[0]
    steps = np.arange(-25, 25).repeat(12).reshape(50, 12)
    group.WaveformData = (steps & 0xFFF).astype("<i2").tobytes()
    for channel in group.ChannelDefinitionSequence:
        channel.WaveformBitsStored = 12
    parsed = read_dicom(_bytes(dataset))
    np.testing.assert_allclose(parsed.recording.samples_mv, steps.T * 0.0025, rtol=1e-6, atol=1e-12)
    assert "12 bits" in parsed.tolerated[0]

    del group.WaveformPaddingValue
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation = 8, "SB"
    group.add_new("WaveformData", "OB", steps.astype("i1").tobytes())
    for channel in group.ChannelDefinitionSequence:
        channel.WaveformBitsStored = 8
    np.testing.assert_allclose(
        read_dicom(_bytes(dataset)).recording.samples_mv, steps.T * 0.0025, rtol=1e-6, atol=1e-12
    )


def test_a_file_without_preamble_is_read() -> None:
    """Some devices write the bare data set, implicit little endian."""
    dataset = _dataset()
    out = io.BytesIO()
    bare = pydicom.Dataset()
    bare.update({element.tag: element for element in dataset})
    pydicom.dcmwrite(out, bare, implicit_vr=True, little_endian=True, enforce_file_format=False)
    data = out.getvalue()
    assert data[128:132] != b"DICM"
    assert looks_like_dicom(data)
    parsed = read_ecg([(None, data)])
    np.testing.assert_array_equal(parsed.recording.samples_mv, _recording().samples_mv)
    assert parsed.tolerated == ("the file has no DICOM preamble",)


def test_a_padding_value_amid_the_samples_marks_nothing() -> None:
    """A writer that puts 0 there would otherwise lose every zero crossing."""
    dataset = _dataset()
    dataset.WaveformSequence[0].WaveformPaddingValue = bytes(2)
    steps = np.arange(-25, 25).repeat(12).astype("<i2")
    dataset.WaveformSequence[0].WaveformData = steps.tobytes()
    parsed = read_dicom(_bytes(dataset))
    assert not np.isnan(parsed.recording.samples_mv).any()
    assert "padding value 0" in parsed.tolerated[0]


def test_a_short_waveform_is_truncated() -> None:
    """The error names the bytes."""
    dataset = _dataset()
    dataset.WaveformSequence[0].WaveformData = bytes(100)
    error = _refused(dataset)
    assert (error.code, error.expected, error.got) == ("truncated", "1200 bytes", "100 bytes")


def test_a_gigabyte_of_samples_that_is_only_announced_is_refused() -> None:
    """Nothing is allocated for it."""
    dataset = _dataset()
    dataset.WaveformSequence[0].NumberOfWaveformSamples = 4_000_000_000
    assert _refused(dataset).code == "too_large"


def test_a_broken_file_neither_warns_nor_logs_nor_quotes_what_it_holds(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The DICOM library quotes values in its warnings; a patient's name must not end in a log."""
    data = bytearray(
        write_dicom_ecg(_recording(), acquired=None, age_years=61.0, sex="male", name="Zhang^San")
    )
    data[data.index(b"061Y") : data.index(b"061Y") + 4] = b"Zhan"
    data[data.index(b"500.0") : data.index(b"500.0") + 5] = b"Zhang"
    with pytest.raises(IngestError) as caught:
        read_dicom(bytes(data))
    assert caught.value.code == "malformed"
    assert "Zhan" not in str(caught.value)
    assert caplog.records == []


def test_an_image_is_no_ecg_and_the_error_says_so() -> None:
    """The class of the object is named."""
    path = get_testdata_file("CT_small.dcm", download=False)
    with pytest.raises(IngestError, match="not an ECG") as caught:
        read_path(Path(str(path)))
    assert (caught.value.code, caught.value.got) == ("unsupported", "CT Image Storage")


def test_samples_of_an_unknown_unit_form_or_lead_are_refused() -> None:
    """Each names what would have been read."""
    dataset = _dataset()
    dataset.WaveformSequence[0].ChannelDefinitionSequence[0].ChannelSensitivityUnitsSequence[
        0
    ].CodeValue = "mm[Hg]"
    assert _refused(dataset).code == "unsupported"
    dataset = _dataset()
    dataset.WaveformSequence[0].WaveformSampleInterpretation = "MB"
    assert _refused(dataset).code == "unsupported"
    dataset = _dataset()
    for channel in dataset.WaveformSequence[0].ChannelDefinitionSequence:
        channel.ChannelLabel = "pressure"
        channel.ChannelSourceSequence = []
    assert _refused(dataset).code == "malformed"
    dataset = _dataset()
    del dataset.WaveformSequence
    assert _refused(dataset).code in ("malformed", "unsupported")


def test_lead_codes_of_both_schemes_are_known() -> None:
    """SCP-ECG and MDC number the leads alike."""
    assert [lead_of_code(f"5.6.3-9-{n}", "SCPECG") for n in (1, 61, 66, 12)] == ["I", "III", "V8", "V4R"]
    assert [lead_of_code(code, "MDC") for code in ("2:2", "2:64", "131139", "131085")] == [
        "II",
        "aVF",
        "V9",
        "V5R",
    ]
    assert lead_of_code("2:1", "99LOCAL") is None
    assert lead_of_code("5.6.3-9-200", "SCPECG") is None
    assert [lead_of_name(t) for t in ("Lead I (Einthoven)", "avl", "vx", "ECG V4r", "pulse")] == [
        "I", "aVL", "X", "V4R", None,
    ]  # fmt: skip


@pytest.mark.data
def test_every_dicom_ecg_at_hand_is_read(data_dir: Path) -> None:
    """Three vendors and two converters, one with malformed UIDs: twelve leads of ten seconds each."""
    paths = sorted((data_dir / "ecg-formats/dicom").glob("*.dcm"))
    assert len(paths) == 5
    for path in paths:
        parsed = read_path(path)
        assert parsed.recording.leads == STANDARD_12, path.name
        assert (parsed.recording.rate_hz, parsed.recording.duration_s) == (500.0, 10.0)
        assert parsed.sex is not None
        assert 0.9 < parsed.recording.samples_mv.max() < 3.0  # no NaN


@pytest.mark.data
def test_every_image_at_hand_is_refused_as_no_ecg(data_dir: Path) -> None:
    """CT and chest images of four makers."""
    paths = sorted((data_dir / "dicom-images").rglob("*.dcm"))
    for path in paths:
        with pytest.raises(IngestError) as caught:
            read_path(path)
        assert caught.value.code == "unsupported", path.name
