"""Whatever is done to a small file of any format, there is an ECG or an `IngestError`; and what is written is read."""

from typing import Any, Literal

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from greenchannel.ingest.csv_ecg_write import write_csv
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.fhir_observation_write import write_fhir
from greenchannel.ingest.parsed import ParsedEcg
from greenchannel.ingest.reader import read_ecg
from greenchannel.ingest.scaling import ranges_without_samples
from greenchannel.signal.leads import STANDARD_18
from greenchannel.signal.recording import Recording
from tests.ecg_vectors import STEPS, attachment, edf, ishne, mfer, onset, oru, three_bytes

_FEW = STEPS[:, :20]
_RECORDING = Recording(samples_mv=(_FEW / 400).astype(np.float32), leads=("II", "V1"), rate_hz=500.0)
_SAID: dict[str, Any] = {"acquired": None, "age_years": 61.0, "sex": "male", "patient_id": "p", "name": "n"}
_NOTES = onset("+0.25\x14\x14", 40) + onset("+3.75\x14\x14\0+3.9\x14x\x14", 40)
_SIGNALS = [("EDF Annotations", 20, _NOTES), ("ECG II", 10, _FEW[0].astype("<i2").tobytes())]
FILES = {
    "edf": edf(_SIGNALS, records=2, record_s="0.02", kind="EDF+D", patient="P-7 M 02-MAY-1960 W_L"),
    "bdf": edf([("II", 20, three_bytes(_FEW[0]))], records=1, bits=24, kind="24BIT"),
    "ishne": ishne(_FEW, crc=0, remark=b"remark"),
    "mfer": mfer(_FEW, block=10),
    "csv": write_csv(_RECORDING, **_SAID),
    "timed": b"time (ms);II (mV);V1 (mV)\n0;1,5;2\n2;;3\n8;1;1\n",
    "fhir": write_fhir(_RECORDING, **_SAID),
    "hl7": oru(attachment(mfer(_FEW[:, :10], block=10))),
    "waveform": oru(
        "OBX|1|CD|x&CHN||1&II^X^2.5&uV^1&0^500^-9&9~2&V1^X^2.5&uV^1&10^500", "OBX|2|MA|x&WAV||1^2~3^4"
    ),
}
_SPLICES = [
    b"\0",
    b"\xff\xff\xff\xff",
    b"\x80",
    b"9" * 30,
    b"-1",
    b"1e308",
    b"nan",
    b"\n",
    b"|",
    b"^",
    b"[" * 50,
    b" " * 40,
]


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """A valid file with bytes changed, cut out, put in or the end cut off."""
    data = bytearray(FILES[draw(st.sampled_from(sorted(FILES)))])
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, max(len(data) - 1, 0)))
        match draw(st.sampled_from(["flip", "cut", "remove", "insert"])):
            case "flip":
                data[place : place + 1] = bytes([draw(st.integers(0, 255))])
            case "cut":
                del data[place:]
            case "remove":
                del data[place : place + draw(st.integers(1, 40))]
            case _:
                data[place:place] = draw(st.sampled_from(_SPLICES) | st.binary(min_size=1, max_size=12))
    return bytes(data)


@settings(max_examples=300)
@given(spoilt())
def test_a_spoilt_file_of_any_format_is_an_ecg_or_an_ingest_error(data: bytes) -> None:
    """Nothing else comes out, and no error is longer than a page."""
    try:
        parsed = read_ecg([("file", data)])
    except IngestError as error:
        assert len(str(error)) < 1000
        return
    assert isinstance(parsed, ParsedEcg)
    assert not np.isinf(parsed.recording.samples_mv).any()


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    """Whole steps of 2.5 uV, some missing, at any rate."""
    count, samples = draw(st.integers(1, 18)), draw(st.integers(1, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    samples_mv = (rng.integers(-32767, 32768, (count, samples)) * 0.0025).astype(np.float32)
    samples_mv[rng.random((count, samples)) < draw(st.sampled_from([0.0, 0.3]))] = np.nan
    return Recording(
        samples_mv=samples_mv,
        leads=STANDARD_18[:count],
        rate_hz=draw(st.sampled_from([125.0, 257.5, 360.0, 500.0, 1000.0])),
        gaps=ranges_without_samples(samples_mv),
    )


@given(recordings(), st.sampled_from([None, 0.5, 61.0]), st.sampled_from([None, "male", "female"]))
def test_a_table_and_an_observation_give_back_what_was_written(
    recording: Recording, age_years: float | None, sex: Literal["male", "female"] | None
) -> None:
    """Samples to the last bit, leads, rate, gaps, age and sex."""
    for write in (write_csv, write_fhir):
        data = write(recording, acquired=None, age_years=age_years, sex=sex)
        parsed = read_ecg([(None, data)])
        np.testing.assert_array_equal(parsed.recording.samples_mv, recording.samples_mv)
        assert (parsed.recording.leads, parsed.recording.gaps) == (recording.leads, recording.gaps)
        assert abs(parsed.recording.rate_hz - recording.rate_hz) < 1e-9
        assert (parsed.age_years, parsed.sex) == (age_years, sex)
