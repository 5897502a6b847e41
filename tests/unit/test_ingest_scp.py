"""SCP-ECG: samples of byte vectors made from the standard, and real files against other readers."""

import struct
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.reader import read_path
from greenchannel.ingest.scp_decimation import Plans
from greenchannel.ingest.scp_ecg import read_scp
from greenchannel.ingest.scp_huffman import decode, default_table, encode
from greenchannel.ingest.scp_waveform import rate_of_interval
from greenchannel.signal.leads import STANDARD_12
from tests import scp_files as scp

HEALFORCE_FIRST = [[1, 0, 1], [1, -1, 0], [1, -1, -1], [1, 0, -1]]
HEALFORCE_SUMS = [17539, 28036, 18449]
RAMP = [0, 3, -5, 100, -200, 4000, -4000, 7, 7, 8]


def _steps(data: bytes, nv: int = 2500) -> np.ndarray:
    return np.asarray(
        np.rint(read_scp(data).recording.samples_mv.astype(np.float64) * 1e6 / nv), dtype=np.int64
    )


def _refused(data: bytes) -> IngestError:
    with pytest.raises(IngestError) as caught:
        read_scp(data)
    assert caught.value.expected
    return caught.value


def test_the_default_table_is_that_of_the_standard() -> None:
    """n ones, a zero and the sign up to 8; then ten bits that announce 8 or 16 bits."""
    values = [0, 1, -1, 8, -8, 9, -9, 127, -128, 128, -129, 32767, -32768]
    bits = "0 100 101 1111111100 1111111101".replace(" ", "")
    bits += "111111111000001001" + "111111111011110111" + "111111111001111111" + "111111111010000000"
    bits += "1111111111" + f"{128:016b}" + "1111111111" + f"{-129 & 0xFFFF:016b}"
    bits += "1111111111" + f"{32767:016b}" + "1111111111" + f"{0x8000:016b}"
    assert encode(np.array(values)) == scp.packed(bits)
    decoded, left = decode(scp.packed(bits), len(values), (default_table(),))
    assert decoded.tolist() == values
    assert left == -len(bits) % 16


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("coded", [True, False])
def test_plain_and_coded_samples_with_each_difference_are_read(order: int, coded: bool) -> None:
    """AVM nanovolts a step, microseconds between samples."""
    chunks = [
        scp.coded(v, order) if coded else scp.words(scp.differences(v, order)) for v in (RAMP, RAMP[::-1])
    ]
    bodies = {3: scp.leads([(1, 10, 1), (1, 10, 8)]), 6: scp.samples(chunks, 4880, 4000, order)}
    data = scp.record(bodies | ({2: scp.DEFAULT_TABLE} if coded else {}) | {1: scp.patient()})
    recording = read_scp(data).recording
    assert (recording.leads, recording.rate_hz) == (("I", "V6"), 250.0)
    expected = (np.array([RAMP, RAMP[::-1]]) * 4880 / 1e6).astype(np.float32)
    np.testing.assert_array_equal(recording.samples_mv, expected)
    assert read_scp(data).tolerated == ()


def test_own_tables_that_switch_are_read() -> None:
    """Two tables, codes above 16 bits, values that follow a prefix; switched on and off within a lead."""
    first = scp.table([("0", 0, 1, 0), ("10", 0, 1, 5), ("110", 6, 1, 0), ("111", 0, 0, 2)])
    second = scp.table([("1", 4, 1, 100), ("01", 0, 0, 1), ("00" + "1" * 18, 0, 1, -77)])
    bits = "0" + "10" + "110" + f"{-32 & 63:06b}" + "111" + "1" + f"{-8 & 15:04b}" + "1" + f"{7:04b}"
    bits += "00" + "1" * 18 + "01" + "111" + "01" + "10" + "0"
    data = scp.record({
        1: scp.patient(),
        2: struct.pack("<H", 2) + first + second,
        3: scp.leads([(1, 8, 1), (1, 8, 2)]),
        6: scp.samples([scp.packed(bits)] * 2),
    })  # fmt: skip
    # Each lead begins with the first table again.
    assert _steps(data).tolist() == [[0, 5, -32, 92, 107, -77, 5, 0]] * 2


def test_long_leads_are_decoded_whole() -> None:
    """Against bits read one by one, for lengths around the strides of the decoder."""
    for count in (1, 2, 63, 64, 65, 127, 128, 129, 3000):
        values = scp.wave(count, count)
        data = scp.record({
            1: scp.patient(), 2: scp.DEFAULT_TABLE, 3: scp.leads([(1, count, 2)]),
            6: scp.samples([scp.coded(values, 2)], difference=2),
        })  # fmt: skip
        assert _steps(data).tolist() == [values]


def test_the_reference_beat_is_put_back_at_beats_of_its_kind() -> None:
    """Fiducial upon fiducial, in units of its own."""
    data, whole = scp.with_reference(1)
    assert _steps(data).tolist() == [whole]


def test_samples_that_were_left_out_between_protected_areas_come_back() -> None:
    """The rate is that of the reference beat; what is a plateau comes back as it was, ramps within a step's height."""
    data, whole = scp.with_reference(4)
    recording = read_scp(data).recording
    assert recording.rate_hz == 500.0
    found = recording.samples_mv[0] * 400
    assert np.abs(found - whole).max() <= 4
    for first, last in ((61, 100), (181, 220), (301, 340)):
        np.testing.assert_allclose(found[first - 1 : last], whole[first - 1 : last], atol=1e-3)


def test_between_stored_samples_lies_a_straight_line() -> None:
    """Half a run at each end repeats its value; what makes no whole run was stored as it is, or as one."""
    single, one_more, _ = Plans(14, ((8, 9),), 4)
    assert single.stored == 2 + 2 + 1
    values = np.array([0, 8, 50, 60, 100])
    assert single.apply(values).tolist() == [0, 0, 0, 2, 4, 6, 8, 8, 50, 60, 100, 100, 100, 100]
    single, one_more = Plans(6, (), 4)
    assert (single.stored, one_more.stored) == (3, 2)
    assert single.apply(np.array([1, 2, 3])).tolist() == [1, 1, 1, 1, 2, 3]
    assert one_more.apply(np.array([1, 2])).tolist() == [1, 1, 1, 1, 2, 2]


def test_differences_beyond_16_bits_are_meant_modulo_their_range() -> None:
    """Devices compute in 16 bits."""
    values = [-30000, 30000, -30000, 30000]
    wrapped = [((d + 32768) % 65536) - 32768 for d in scp.differences(values, 2)]
    assert _steps(scp.simple([scp.words(wrapped)], 4, (1,), difference=2)).tolist() == [values]


def test_leads_that_begin_and_end_apart_are_put_on_one_axis() -> None:
    """NaN where a lead was not recorded; where none was, a gap."""
    spans = [(11, 14, 1), (13, 16, 2), (19, 20, 3)]
    chunks = [scp.words([1, 2, 3, 4]), scp.words([5, 6, 7, 8]), scp.words([9, 10])]
    data = scp.record({1: scp.patient(), 3: scp.leads(spans), 6: scp.samples(chunks, nv=1000)})
    recording = read_scp(data).recording
    nan = np.nan
    expected = [
        [1, 2, 3, 4, nan, nan, nan, nan, nan, nan],
        [nan, nan, 5, 6, 7, 8, nan, nan, nan, nan],
        [nan, nan, nan, nan, nan, nan, nan, nan, 9, 10],
    ]
    np.testing.assert_allclose(recording.samples_mv * 1000, expected, rtol=1e-6)
    assert recording.gaps == ((6, 8),)


def test_eight_stored_leads_become_twelve() -> None:
    """III, aVR, aVL and aVF follow from I and II."""
    rows = np.arange(16).reshape(8, 2) * 10
    data = scp.simple([scp.words(row.tolist()) for row in rows], 2, (1, 2, 3, 4, 5, 6, 7, 8))
    parsed = read_scp(data)
    assert parsed.recording.leads == STANDARD_12
    one, two = rows[0] / 400, rows[1] / 400
    np.testing.assert_allclose(parsed.recording.lead("III"), two - one, rtol=1e-6)
    np.testing.assert_allclose(parsed.recording.lead("aVR"), -(one + two) / 2, rtol=1e-6)
    np.testing.assert_allclose(parsed.recording.lead("aVL"), one - two / 2, rtol=1e-6)
    np.testing.assert_allclose(parsed.recording.lead("aVF"), two - one / 2, rtol=1e-6)
    assert "calculated" in parsed.tolerated[0]


def test_unknown_leads_are_left_out_and_minus_avr_is_turned() -> None:
    """Both are noted or read; a lead that comes twice counts once."""
    chunks = [scp.words([400, 800])] * 4
    parsed = read_scp(scp.simple(chunks, 2, (1, 65, 200, 1)))
    assert parsed.recording.leads == ("I", "aVR")
    assert parsed.recording.samples_mv.tolist() == [[1.0, 2.0], [-1.0, -2.0]]
    assert len(parsed.tolerated) == 2


def test_the_rate_is_the_whole_number_that_the_field_stands_for() -> None:
    """300 Hz are 3333.33 us; writers round or cut. Other intervals count as they are."""
    assert [rate_of_interval(us) for us in (2000, 3333, 2777, 2778, 8000, 1000, 16000)] == [
        500.0, 300.0, 360.0, 360.0, 125.0, 1000.0, 62.5,
    ]  # fmt: skip


@pytest.mark.data
def test_the_example_of_hl7_equals_its_dicom_twin(data_dir: Path) -> None:
    """Mortara ELI 250, Huffman and second differences: every sample of every lead, and what is said of the patient.

    PyPI ecgdatakit 2.0.3 and BioSig 2.5.0 read the same samples (largest difference 6e-8 mV, their rounding).
    """
    ours = read_path(data_dir / "ecg-formats/scp/ecgtoolkit_Example.scp")
    twin = read_path(data_dir / "ecg-formats/dicom/ecgtoolkit_Example.dcm")
    assert sorted(ours.recording.leads) == sorted(twin.recording.leads) == sorted(STANDARD_12)
    for lead in STANDARD_12:
        np.testing.assert_array_equal(ours.recording.lead(lead), twin.recording.lead(lead))
    assert (ours.recording.rate_hz, ours.recording.duration_s) == (500.0, 10.0)
    assert (ours.age_years, ours.sex, ours.acquired) == (twin.age_years, twin.sex, twin.acquired)
    assert ours.identifiers == twin.identifiers
    assert ours.tolerated == ()


@pytest.mark.data
def test_a_heal_force_file_is_read_as_its_own_decoder_reads_it(data_dir: Path) -> None:
    """Steps as healforcescpecg (KaibinBao, MIT) gives them: first and last rows, extremes and sums of each stream.

    The file says 9,524 nV a step, a little less than the 0.01 mV of that decoder's comment.
    """
    path = data_dir / "ecg-formats/scp/healforce_62.SCP"
    parsed = read_path(path)
    assert parsed.recording.leads == ("I", "II", "III")
    assert (parsed.recording.rate_hz, parsed.recording.samples_mv.shape) == (150.0, (3, 4500))
    steps = np.rint(parsed.recording.samples_mv / 0.009524).astype(int)
    assert steps[:, :4].T.tolist() == HEALFORCE_FIRST
    assert steps.sum(axis=1).tolist() == HEALFORCE_SUMS
    assert (steps.min(axis=1).tolist(), steps.max(axis=1).tolist()) == ([-80, -13, -25], [56, 114, 156])
    # Einthoven: I + III = II, to the rounding and the filter of each lead
    assert np.std(steps[0] - steps[1] + steps[2]) < 3
    assert parsed.acquired == datetime(2019, 8, 8, 0, 4, 10)  # noqa: DTZ001 - as written
    assert parsed.identifiers == {"patient_id": "00000"}
    assert len(parsed.tolerated) == 1
    for size in (20, 100, 200, 500, 20_000):
        assert _refused(path.read_bytes()[:size]).code in ("truncated", "malformed", "unsupported")
    spoilt = bytearray(path.read_bytes())
    spoilt[488 + 16 + 3] = 0xFF  # 65,430 Hz
    assert _refused(bytes(spoilt)).code == "malformed"
