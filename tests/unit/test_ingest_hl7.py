"""HL7 v2 ORU^R01 with an ECG in it: attachments, waveform segments, charsets, patients."""

from datetime import UTC, datetime

import numpy as np
import pytest

from greenchannel.ingest.bundle import make_zip
from greenchannel.ingest.dicom_ecg_write import write_dicom_ecg
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.reader import read_ecg
from greenchannel.signal.recording import Recording
from tests.ecg_vectors import STEPS, attachment, mfer, oru

MV = (STEPS * 0.0025).astype(np.float32)
FIVE = [row[:5].tolist() for row in STEPS]
CHN = "OBX|1|CD|93000&CHN||1&II^X^2.5&uV^1&0^500^-2048&2047~2&V1^X^2.5&uV^1&10^500"
WAV = "OBX|2|{kind}|93000&WAV||{data}"


def _refused(data: bytes, code: str) -> IngestError:
    with pytest.raises(IngestError) as caught:
        read_ecg([(None, data)])
    assert caught.value.code == code
    return caught.value


@pytest.mark.parametrize("charset", ["UNICODE UTF-8", "GB 18030-2000"])
@pytest.mark.parametrize("framed", [True, False])
def test_an_attached_file_is_read_with_what_the_message_says(charset: str, framed: bool) -> None:
    """The message's patient comes first; its texts stand beside those of the file."""
    data = oru(attachment(mfer()), "OBX|2|TX|18844-1||ST\\S\\抬高~前壁", charset=charset)
    parsed = read_ecg([(None, b"\x0b" + data + b"\x1c\r" if framed else data)])
    np.testing.assert_array_equal(parsed.recording.samples_mv, MV)
    assert (parsed.format, parsed.age_years, parsed.sex) == ("mfer", 65.0, "male")
    assert parsed.identifiers == {"name": "王 力生", "patient_id": "P-7"}
    assert parsed.device_statements == ("窦性心律", "ST^抬高", "前壁")
    assert parsed.tolerated == ()


def test_a_charset_that_is_not_what_the_header_says_is_found_out() -> None:
    """GB18030 bytes under a header that says UTF-8."""
    data = oru(attachment(mfer()), charset="GB 18030-2000").replace(b"GB 18030-2000", b"UNICODE UTF-8")
    parsed = read_ecg([(None, data)])
    assert parsed.identifiers["name"] == "王 力生"
    assert parsed.tolerated == ("the message is not in UNICODE UTF-8, which it names; read as gb18030",)


def test_two_names_for_one_patient_are_noted() -> None:
    """The message is taken, and nobody's name stands in the note."""
    dicom = write_dicom_ecg(
        Recording(samples_mv=MV, leads=("II", "V1"), rate_hz=500.0), acquired=None, age_years=None, sex="female",
        patient_id="other", name="Somebody^Else",
    )  # fmt: skip
    parsed = read_ecg([(None, oru(attachment(dicom)))])
    assert parsed.identifiers["patient_id"] == "P-7"
    assert parsed.sex == "male"
    assert parsed.acquired == datetime(2026, 5, 1, 8, 5, 9, tzinfo=UTC)
    assert parsed.acquired_has_zone
    (note,) = parsed.tolerated
    assert note == "the message and the ECG in it name the patient differently; the message is taken"


def test_a_report_beside_the_ecg_is_left_out() -> None:
    """A PDF comes first; the ECG behind it is read, whatever its lines of base64 are broken with."""
    broken = attachment(mfer(), 2).replace("AAAA", "AA\\X0D\\\\X0A\\AA", 1)
    parsed = read_ecg([(None, oru(attachment(b"%PDF-1.7 ...", 1), broken))])
    assert parsed.format == "mfer"
    assert parsed.tolerated == ("attachment 1 is not read (unsupported); left out",)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("MA", "~".join(f"{a}^{b + 10}" for a, b in zip(*FIVE, strict=True))),
        (
            "NA",
            "^".join(str(a) for a in FIVE[0])
            + "\rOBX|3|NA|93000&WAV||"
            + "^".join(str(b + 10) for b in FIVE[1]),
        ),
    ],
)
def test_waveforms_of_chapter_7_are_read(kind: str, data: str) -> None:
    """Channel definitions with sensitivity and baseline; numbers of all channels together, or of each by itself."""
    time = "OBX|4|TS|93000&TIM||20260501160510.5+0800"
    parsed = read_ecg([(None, oru(CHN, WAV.format(kind=kind, data=data), time))])
    np.testing.assert_array_equal(parsed.recording.samples_mv, MV[:, :5])
    assert (parsed.format, parsed.recording.leads, parsed.recording.rate_hz) == ("hl7v2", ("II", "V1"), 500.0)
    assert parsed.recording.started_at == datetime(2026, 5, 1, 8, 5, 10, 500000, tzinfo=UTC)


def test_waveforms_of_the_waveform_content_module_are_read() -> None:
    """Each lead is an OBX of its own; its rate and resolution stand in OBX below it."""
    parts = []
    for place, (code, row) in enumerate(
        (("131330^MDC_ECG_ELEC_POTL_II", FIVE[0]), ("131331^X", FIVE[1])), start=1
    ):
        at = f"1.1.1.{place}"
        numbers = "^".join("" if number == row[2] else str(number) for number in row)
        parts += [
            f"OBX|{3 * place}|NA|{code}^MDC|{at}|{numbers}|266418^MDC_DIM_MICRO_VOLT^MDC",
            f"OBX|{3 * place + 1}|NM|0^MDC_ATTR_SAMP_RATE^MDC|{at}.1|500|264608^MDC_DIM_PER_SEC^MDC",
            f"OBX|{3 * place + 2}|NM|0^MDC_ATTR_NU_MSMT_RES^MDC|{at}.2|2.5",
        ]
    parsed = read_ecg([(None, oru(*parts))])
    expected = MV[:, :5].copy()
    expected[:, 2] = np.nan
    np.testing.assert_array_equal(parsed.recording.samples_mv, expected)
    assert parsed.recording.started_at == datetime(2026, 5, 1, 8, 5, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (oru(), "unsupported"),
        (oru(attachment(b"%PDF-1.7")), "unsupported"),
        (oru(attachment(mfer()[:-40])), "truncated"),
        (oru("OBX|1|ED|x||a^b^c^Base64^not base64!"), "malformed"),
        (oru("OBX|1|ED|x||a^b^c^Hex^0g"), "malformed"),
        (oru("OBX|1|ED|x||a^b^c^Zip^AAAA"), "unsupported"),
        (oru("OBX|1|ED|x||a^b"), "empty_body"),
        (oru(attachment(oru(attachment(mfer())))), "unsupported"),
        (oru(attachment(make_zip([("m.hl7", oru(attachment(mfer())))]))), "unsupported"),
        (oru(attachment(mfer())).replace(b"ORU^R01", b"ADT^A01"), "unsupported"),
        (oru(CHN, WAV.format(kind="MA", data="1^2~3")), "malformed"),
        (oru(CHN, WAV.format(kind="MA", data="1^2~3^x")), "malformed"),
        (oru(CHN, WAV.format(kind="NA", data="1^2")), "malformed"),
        (oru(CHN.replace("uV", "mmHg"), WAV.format(kind="MA", data="1^2")), "unsupported"),
        (oru(CHN.replace("^500", "^"), WAV.format(kind="MA", data="1^2")), "malformed"),
        (b"MSH|^~\\&|x", "malformed"),
    ],
)
def test_messages_without_an_exact_ecg_are_refused(data: bytes, code: str) -> None:
    """No ECG, a broken one, a message in a message, numbers without unit or rate."""
    assert _refused(data, code).expected


def test_an_attachment_may_be_text() -> None:
    """A table or XML in the encoding A, with HL7's escapes, and bytes in Hex."""
    table = "# rate=500\\X0A\\II (mV),V1 (mV)\\.br\\1,2\\.br\\"
    assert read_ecg([(None, oru(f"OBX|1|ED|x||a^b^c^A^{table}"))]).recording.samples_mv.tolist() == [
        [1.0],
        [2.0],
    ]
    assert read_ecg([(None, oru(f"OBX|1|ED|x||a^b^c^Hex^{mfer().hex()}"))]).format == "mfer"


def test_more_numbers_than_an_ecg_has_are_refused_before_they_are_read() -> None:
    """A field of separators alone takes no time and no memory."""
    _refused(oru(WAV.format(kind="NA", data="^" * 2_000_001)), "too_large")
