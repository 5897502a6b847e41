"""XML ECGs: whatever is done to a file there is an ECG or an `IngestError`, and what is written is what is read."""

import json
from datetime import datetime, timedelta, timezone
from typing import Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.hl7_aecg import read_hl7_aecg
from greenchannel.ingest.hl7_aecg_write import write_hl7_aecg
from greenchannel.ingest.muse_xml import read_muse_xml
from greenchannel.ingest.number_lists import sample_values
from greenchannel.ingest.parsed import ParsedEcg
from greenchannel.ingest.philips_xli import unpack_xli
from greenchannel.ingest.philips_xml import read_philips_xml
from greenchannel.ingest.reader import read_ecg
from greenchannel.ingest.scaling import MISSING, int16_to_mv
from greenchannel.signal.leads import STANDARD_12, STANDARD_18
from greenchannel.signal.recording import Recording
from tests.xml_files import aecg_file, cardiosoft_file, muse_file, philips_file, schiller_file, xli_channel

FILES: Final = (aecg_file(), muse_file(), philips_file(), schiller_file(), cardiosoft_file())
MANY: Final = settings(max_examples=max(200, settings().max_examples))


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """A valid file of any kind with bytes changed, cut out, put in or doubled, or another file in their place."""
    data = draw(st.sampled_from(FILES))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        stop = at + draw(st.integers(0, 30))
        match draw(st.sampled_from(["flip", "cut", "remove", "insert", "double", "number", "mix"])):
            case "flip":
                data = data[:at] + bytes([draw(st.integers(0, 255))]) + data[at + 1 :]
            case "cut":
                data = data[:at]
            case "remove":
                data = data[:at] + data[stop:]
            case "insert":
                data = data[:at] + draw(st.binary(min_size=1, max_size=20)) + data[at:]
            case "double":
                data = data[:stop] + data[at:]
            case "number":
                word = draw(
                    st.sampled_from(
                        [b"4000000000", b"-1", b"0", b"1e308", b"nan", b"9" * 400, b"&x;", b"<", b""]
                    )
                )
                data = data.replace(draw(st.sampled_from([b"2", b"500", b"5", b"40", b"I", b"1"])), word, 1)
            case _:
                other = draw(st.sampled_from(FILES))
                data = data[:at] + other[draw(st.integers(0, len(other))) :]
    return data


@MANY
@given(spoilt())
def test_a_spoilt_xml_file_is_an_ecg_or_an_ingest_error(data: bytes) -> None:
    """Whatever was done to its bytes; nothing else is raised, and no sample is infinite."""
    try:
        parsed = read_ecg([("file", data)])
    except IngestError as error:
        assert len(str(error)) < 1000
        return
    assert isinstance(parsed, ParsedEcg)
    assert not np.isinf(parsed.recording.samples_mv).any()
    json.dumps(
        [parsed.identifiers, parsed.device_statements, parsed.filters, parsed.tolerated], allow_nan=False
    )


@MANY
@given(st.lists(st.integers(-32768, 32767), min_size=3, max_size=300))
def test_any_samples_survive_the_compression_of_philips(samples: list[int]) -> None:
    """In the arithmetic of 16 bits that the carts use."""
    assert unpack_xli(xli_channel(samples), 1, len(samples)).tolist() == [samples]


@MANY
@given(st.binary(max_size=400), st.integers(1, 4), st.integers(1, 300))
def test_any_bytes_for_the_compression_are_samples_or_an_ingest_error(
    data: bytes, channels: int, count: int
) -> None:
    """Never more than was asked for."""
    try:
        assert unpack_xli(data, channels, count).shape == (channels, count)
    except IngestError as error:
        assert error.code in ("truncated", "malformed")


@MANY
@given(
    st.lists(
        st.integers(-(10**18), 10**18) | st.integers(-999, 999) | st.floats(-1e6, 1e6),
        min_size=1,
        max_size=40,
    ),
    st.sampled_from([" ", "\n", " \t", ",", ", ", " ,\r\n"]),
    st.sampled_from(["", "1 ", "-", "_", "e", ","]),
)
def test_a_list_of_numbers_is_read_as_python_reads_them(
    numbers: list[float], between: str, wrong: str
) -> None:
    """Whole or not, however they are parted; and what is no list is refused."""
    commas = "," in between
    text = between.join(map(str, numbers))
    assert sample_values(f" {text}\n", "I", commas=commas).tolist() == [
        float(word) for word in map(str, numbers)
    ]
    if wrong and (commas or wrong != "1 "):
        with pytest.raises(IngestError):
            sample_values(
                text + between + wrong + "7" * (wrong not in ("-", ",")) + between + text, "I", commas=commas
            )


@st.composite
def strips(draw: st.DrawFn) -> NDArray[np.int16]:
    """Raw samples ``(leads, samples)`` of any value, some missing; the first lead has the first and the last one."""
    leads, samples = draw(st.sampled_from([1, 3, 12, 18])), draw(st.integers(1, 60))
    strip = (
        np.random.default_rng(draw(st.integers(0, 2**32)))
        .integers(-32767, 32768, (leads, samples))
        .astype(np.int16)
    )
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, samples))
        strip[: draw(st.integers(1, leads)), start : start + draw(st.integers(0, 10))] = MISSING
    strip[0, [0, -1]] = 17
    return strip


@given(
    strip=strips(),
    lsb_mv=st.sampled_from([0.0025, 0.00488, 0.001, 0.005, 0.01, 1 / 3]),
    rate_hz=st.sampled_from([100.0, 257.0, 360.0, 500.0, 512.5, 1000.0, 2000.0]),
    start=st.none() | st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)),  # noqa: DTZ001 - both kinds of times
    minutes=st.none() | st.integers(-720, 840),
    age_years=st.none() | st.integers(0, 1300).map(lambda n: n / 10),
    name=st.text(st.characters(exclude_categories=["C", "Z"]), max_size=8),
)
def test_a_written_annotated_ecg_is_read_as_it_was(
    strip: NDArray[np.int16],
    lsb_mv: float,
    rate_hz: float,
    start: datetime | None,
    minutes: int | None,
    age_years: float | None,
    name: str,
) -> None:
    """The same steps, leads, rate, time, age and name, with and without a zone."""
    if start is not None and minutes is not None:
        start = start.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    leads = STANDARD_18[: len(strip)]
    recording = Recording(samples_mv=int16_to_mv(strip, lsb_mv), leads=leads, rate_hz=rate_hz)
    data = write_hl7_aecg(recording, acquired=start, age_years=age_years, sex=None, name=name, lsb_mv=lsb_mv)
    parsed = read_hl7_aecg(data)
    there = parsed.recording.leads
    # A lead of which no sample is there leaves nothing to write.
    assert there == tuple(lead for lead, row in zip(leads, strip, strict=True) if (row != MISSING).any())
    np.testing.assert_allclose(
        parsed.recording.samples_mv, [recording.lead(lead) for lead in there], rtol=3e-7, atol=0
    )
    assert (parsed.recording.rate_hz, parsed.acquired, parsed.age_years) == (rate_hz, start, age_years)
    assert parsed.identifiers.get("name", "") == name
    assert parsed.tolerated == ()


def test_the_files_that_are_spoilt_are_whole() -> None:
    """Otherwise the laws above would hold for nothing."""
    assert [read_ecg([(None, data)]).tolerated for data in FILES] == [()] * len(FILES)
    assert read_muse_xml(muse_file()).recording.leads == STANDARD_12
    assert read_philips_xml(philips_file()).recording.leads == STANDARD_12
