"""SCP-ECG: what is said of patient, time and device, what is tolerated, and what is refused."""

import struct
import time
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.scp_ecg import looks_like_scp, read_scp
from greenchannel.ingest.scp_sections import checksum
from tests import scp_files as scp

CHINA = timezone(timedelta(hours=8))

DAY = scp.tag(25, struct.pack("<HBB", 2026, 5, 1))
CLOCK = scp.tag(26, bytes((16, 5, 9)))


def _refused(data: bytes) -> IngestError:
    with pytest.raises(IngestError) as caught:
        read_scp(data)
    assert caught.value.expected
    return caught.value


def _said(*tags: bytes, version: int = 20, **more: bytes) -> bytes:
    bodies = {1: scp.patient(*tags), 3: scp.leads([(1, 2, 1)]), 6: scp.samples([scp.words([1, 2])])}
    return scp.record(bodies | {int(key[1:]): body for key, body in more.items()}, version)


def test_patient_time_and_filters_are_read() -> None:
    """Names as family^given, the instant with its zone, the pass band and the notch."""
    parsed = read_scp(_said(
        scp.tag(0, b"Kim\0"), scp.tag(1, b"Jo\0"), scp.tag(2, b"p-1\0"), scp.tag(4, struct.pack("<HB", 30, 2)),
        scp.tag(8, b"\2"), DAY, CLOCK, scp.tag(27, b"\5\0"), scp.tag(28, b"\x96\0"), scp.tag(29, b"\2"),
        scp.tag(34, struct.pack("<hH", 480, 0)),
    ))  # fmt: skip
    assert parsed.identifiers == {"name": "Kim^Jo", "patient_id": "p-1"}
    assert (parsed.age_years, parsed.sex, parsed.tolerated) == (2.5, "female", ())
    assert (parsed.acquired, parsed.acquired_has_zone) == (datetime(2026, 5, 1, 16, 5, 9, tzinfo=CHINA), True)
    assert parsed.recording.started_at == parsed.acquired
    assert parsed.filters == {"low_hz": 0.05, "high_hz": 150.0, "notch_hz": 50.0}
    assert (parsed.recording.low_cut_hz, parsed.recording.high_cut_hz) == (0.05, 150.0)


def test_what_is_not_said_is_unknown() -> None:
    """No zone, an age without a unit, a sex that was not told, zeros."""
    parsed = read_scp(_said(
        scp.tag(4, b"\0\0\0"), scp.tag(8, b"\x09"), DAY, CLOCK, scp.tag(27, b"\0\0"), scp.tag(28, b"\0\0"),
        scp.tag(34, struct.pack("<hH", 0x7FFF, 0)),
    ))  # fmt: skip
    assert (parsed.age_years, parsed.sex, parsed.filters, parsed.identifiers) == (None, None, {}, {})
    assert parsed.acquired == datetime(2026, 5, 1, 16, 5, 9)  # noqa: DTZ001 - as written
    assert not parsed.acquired_has_zone
    assert parsed.recording.started_at is None


def test_the_age_follows_from_the_date_of_birth() -> None:
    """Whole years at the acquisition."""
    born = scp.tag(5, struct.pack("<HBB", 1953, 8, 8))
    assert read_scp(_said(born, DAY, CLOCK)).age_years == 72.0
    assert read_scp(_said(born)).age_years is None
    assert read_scp(_said(scp.tag(5, struct.pack("<HBB", 2030, 8, 8)), DAY, CLOCK)).age_years is None


def test_odd_dates_and_zones_are_noted() -> None:
    """None of them hides the ECG."""
    for tags in (
        (scp.tag(25, struct.pack("<HBB", 2026, 13, 1)), CLOCK),
        (DAY, scp.tag(26, bytes((24, 0, 0)))),
        (DAY,),
    ):
        parsed = read_scp(_said(*tags))
        assert parsed.acquired is None
        assert "unknown" in parsed.tolerated[0]
    parsed = read_scp(_said(DAY, CLOCK, scp.tag(34, struct.pack("<hH", 2000, 0))))
    assert not parsed.acquired_has_zone
    assert "zone" in parsed.tolerated[0]
    parsed = read_scp(_said(scp.tag(4, struct.pack("<HB", 300, 1))))
    assert (parsed.age_years, len(parsed.tolerated)) == (None, 1)


@pytest.mark.parametrize(
    ("code", "charset", "name"),
    [
        (0x00, "ascii", "Kim"), (0x01, "latin-1", "Müller"), (0x13, "iso8859-5", "Иванов"),
        (0x27, "gb2312", "王小测"), (0x07, "utf-16-le", "王小测"), (0x37, "utf-8", "王小测"),
        (0x1F, "euc_jp", "山田"), (0x2F, "euc_kr", "김"),
    ],
)  # fmt: skip
def test_text_is_read_in_its_character_set(code: int, charset: str, name: str) -> None:
    """By the language code in the description of the device."""
    raw = name.encode(charset) + (b"\0\0" if code == 0x07 else b"\0")
    parsed = read_scp(_said(scp.tag(0, raw), scp.device(code)))
    assert (parsed.identifiers, parsed.tolerated) == ({"name": name}, ())


def test_text_in_an_undeclared_character_set_is_read_as_what_it_is() -> None:
    """Devices write GBK or UTF-8 and declare ASCII."""
    for charset in ("utf-8", "gb18030"):
        parsed = read_scp(_said(scp.tag(0, "王小测".encode(charset) + b"\0")))
        assert parsed.identifiers == {"name": "王小测"}
        assert charset in parsed.tolerated[0]


def test_statements_are_kept_word_for_word() -> None:
    """Section 8; where it has none, the coded ones of section 11."""
    when = struct.pack("<BHBBBBB", 0, 2026, 5, 1, 16, 5, 9)
    texts = (b"Sinus rhythm\0", b"Normal ECG\0", b"Sinus rhythm\0")
    section8 = when + b"\3" + b"".join(struct.pack("<BH", 1 + i, len(t)) + t for i, t in enumerate(texts))
    section11 = when + b"\1" + struct.pack("<BHB", 1, 9, 1) + b"MI\0ACUTE"
    assert read_scp(_said(s8=section8, s11=section11)).device_statements == ("Sinus rhythm", "Normal ECG")
    assert read_scp(_said(s11=section11)).device_statements == ("MI ACUTE",)
    parsed = read_scp(_said(s8=section8[:-5]))
    assert parsed.device_statements == ("Sinus rhythm", "Normal ECG")
    assert parsed.tolerated == ("the device's statements are cut off",)


def test_pacing_spikes_are_read_from_their_milliseconds() -> None:
    """They become indices of samples; those of version 3 stand elsewhere and are not read."""
    section7 = struct.pack("<BBHH", 1, 3, 800, 800) + bytes(16)
    section7 += b"".join(struct.pack("<HH", ms, 0) for ms in (4, 0, 29999)) + bytes(18)
    bodies = {1: scp.patient(), 3: scp.leads([(1, 9, 1)]), 6: scp.samples([scp.words(range(9))]), 7: section7}
    assert read_scp(scp.record(bodies)).recording.pace_spikes == (0, 2)
    assert read_scp(scp.record(bodies, version=30)).recording.pace_spikes == ()


def _valid() -> bytes:
    return scp.record({
        1: scp.patient(scp.tag(0, b"Kim\0"), DAY, CLOCK), 2: scp.DEFAULT_TABLE,
        3: scp.leads([(1, 60, 1), (1, 60, 2)]),
        6: scp.samples([scp.coded(scp.wave(1, 60), 2), scp.coded(scp.wave(2, 60), 2)], difference=2),
    })  # fmt: skip


def test_the_checksum_is_crc_ccitt() -> None:
    """The check value of CRC-16/CCITT-FALSE, and the same as bit by bit."""
    assert checksum(b"123456789") == 0x29B1 == scp.crc(b"123456789")


def test_wrong_checksums_are_tolerated_where_everything_else_fits() -> None:
    """Each is noted by its section."""
    data = bytearray(_valid())
    data[data.index(b"Kim")] = ord("T")
    parsed = read_scp(bytes(data))
    assert parsed.identifiers == {"name": "Tim"}
    assert parsed.tolerated == (
        "the checksum of the record does not match",
        "the checksum of section 1 does not match",
    )


def test_samples_with_a_wrong_checksum_that_do_not_end_with_their_bits_are_refused() -> None:
    """A count of 20 where the bits hold 60: with a right checksum a habit, with a wrong one damage."""
    chunk = scp.coded(scp.wave(1, 60), 2)
    bodies = {
        1: scp.patient(), 2: scp.DEFAULT_TABLE, 3: scp.leads([(1, 20, 1)]),
        6: scp.samples([chunk], difference=2),
    }  # fmt: skip
    data = bytearray(scp.record(bodies))
    assert read_scp(bytes(data)).tolerated == ("there are more data than samples",)
    data[-1] ^= 1
    assert _refused(bytes(data)).code == "malformed"


def test_a_file_in_a_larger_one_and_a_wrong_length_are_noted() -> None:
    """Bytes behind the record, and a record that announces more than there is."""
    data = _valid()
    assert "more than the record announces" in read_scp(data + bytes(7)).tolerated[0]
    longer = data[:2] + struct.pack("<I", len(data) + 1) + data[6:]
    assert "announces" in read_scp(longer).tolerated[0]


def test_a_version_without_signature_is_known_by_its_pointers() -> None:
    """The first pointer of version 1.0 points to itself."""
    data = bytearray(_valid())
    data[16:22] = bytes(6)
    assert looks_like_scp(bytes(data))
    assert "signature" in read_scp(bytes(data)).tolerated[0]
    assert not looks_like_scp(bytes(400))
    assert not looks_like_scp(b"DICM" * 100)


_SECTION_1 = {1: scp.patient()}
_LEADS = {3: scp.leads([(1, 2, 1)])}
_TWO = {6: scp.samples([scp.words([1, 2])])}


@pytest.mark.parametrize(
    ("bodies", "code"),
    [
        (_SECTION_1 | _TWO, "malformed"),
        (_SECTION_1 | _LEADS, "malformed"),
        (_SECTION_1 | _LEADS | {12: bytes(100)}, "unsupported"),
        (_SECTION_1 | _LEADS | {6: scp.samples([scp.words([1])])}, "truncated"),
        (_SECTION_1 | _LEADS | {6: scp.samples([scp.words([1, 2])])[:-1]}, "truncated"),
        (_SECTION_1 | _LEADS | {6: scp.samples([scp.words([1, 2])], nv=0)}, "malformed"),
        (_SECTION_1 | _LEADS | {6: scp.samples([scp.words([1, 2])], interval_us=0)}, "malformed"),
        (_SECTION_1 | _LEADS | {6: scp.samples([scp.words([1, 2])], interval_us=7)}, "malformed"),
        (_SECTION_1 | _LEADS | {6: scp.samples([scp.words([1, 2])], difference=3)}, "malformed"),
        (_SECTION_1 | _LEADS | {6: scp.samples([scp.words([1, 2])], bimodal=1)}, "malformed"),
        (_SECTION_1 | _TWO | {3: scp.leads([(5, 2, 1)])}, "malformed"),
        (_SECTION_1 | _TWO | {3: scp.leads([(1, 2, 1)])[:-1]}, "malformed"),
        (_SECTION_1 | _TWO | {3: b"\0\0"}, "malformed"),
        (_SECTION_1 | _TWO | {3: scp.leads([(1, 2, 200)])}, "malformed"),
        (_SECTION_1 | _TWO | {3: scp.leads([(1, 2, 1)], subtracted=True)}, "malformed"),
        (_SECTION_1 | _TWO | _LEADS | {2: struct.pack("<H", 17)}, "too_large"),
        (_SECTION_1 | _TWO | _LEADS | {2: struct.pack("<HH", 1, 9)}, "malformed"),
        (_SECTION_1 | _TWO | _LEADS | {2: struct.pack("<H", 1) + scp.table([("1" * 8, 0, 1, 5)])}, "malformed"),
        (_SECTION_1 | _TWO | _LEADS | {2: struct.pack("<H", 1) + scp.table([("0", 0, 0, 2)])}, "malformed"),
        (_SECTION_1 | _TWO | _LEADS | {2: struct.pack("<H", 1) + scp.table([("0", 40, 1, 0)])}, "malformed"),
    ],
)  # fmt: skip
def test_what_breaks_the_format_is_refused_with_its_reason(bodies: dict[int, bytes], code: str) -> None:
    """Missing and cut sections, no unit, codes that lead nowhere, forms that are not read."""
    assert _refused(scp.record(bodies)).code == code


def test_numbers_that_are_only_announced_allocate_nothing() -> None:
    """Four thousand million samples, 255 leads, 65,535 beats, leads an age apart."""
    huge = {3: scp.leads([(1, 0xFFFFFFFF, 1)])}
    assert _refused(scp.record(_SECTION_1 | _TWO | huge)).code == "too_large"
    assert _refused(scp.record(_SECTION_1 | _TWO | {3: scp.leads([(1, 2, 1)] * 255)})).code == "malformed"
    apart = {3: scp.leads([(1, 2, 1), (0xFFFFFFF0, 0xFFFFFFF1, 2)]), 6: scp.samples([scp.words([1, 2])] * 2)}
    assert _refused(scp.record(_SECTION_1 | apart)).code == "too_large"
    beats = struct.pack("<HHH", 400, 10, 0xFFFF)
    data = _SECTION_1 | {3: scp.leads([(1, 2, 1)], subtracted=True), 4: beats, 5: _TWO[6]} | _TWO
    assert _refused(scp.record(data)).code == "too_large"
    many = struct.pack("<HHH", 400, 10, 9) + struct.pack("<HIII", 0, 1, 2, 2) * 9
    assert _refused(scp.record(data | {4: many})).code == "malformed"


def test_a_cut_file_is_truncated_and_says_so() -> None:
    """Sections that reach beyond the end are known by their pointers."""
    data = _valid()
    for size in (20, 200, len(data) - 90, len(data) - 60, len(data) - 20):
        assert _refused(data[:size]).code == "truncated", size
    assert "of" in str(_refused(data[:-20]).got)


@pytest.mark.parametrize("kind", ["coded", "plain", "reference"])
@settings(max_examples=100)
@given(st.data())
def test_spoilt_files_are_read_or_refused_but_nothing_else(kind: str, data: st.DataObject) -> None:
    """Any truncation, changed bytes, bytes put in: an ECG or an IngestError, soon."""
    valid = {
        "coded": _valid(),
        "plain": scp.simple([scp.words(scp.wave(3, 30))], 30, (1,), difference=1),
        "reference": scp.with_reference(4)[0],
    }[kind]
    spoilt = bytearray(valid)
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(spoilt) - 1))
        match data.draw(st.sampled_from(["set", "cut", "insert"])):
            case "set":
                spoilt[at] = data.draw(st.integers(0, 255))
            case "cut":
                del spoilt[at + 1 :]
            case _:
                spoilt[at:at] = data.draw(st.binary(max_size=4))
    began = time.monotonic()
    try:
        parsed = read_scp(bytes(spoilt))
    except IngestError as error:
        assert error.expected
    else:
        assert parsed.format == "scp_ecg"
    assert time.monotonic() - began < 2  # a bound against endless work, not a measure of speed
