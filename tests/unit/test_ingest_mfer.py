"""MFER files, made from the standard: there is no sample of a device."""

from datetime import datetime

import numpy as np
import pytest

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.reader import read_ecg
from tests.ecg_vectors import STEPS, mfer, tag

MV = (STEPS * 0.0025).astype(np.float32)


def _refused(data: bytes, code: str) -> IngestError:
    with pytest.raises(IngestError) as caught:
        read_ecg([(None, data)])
    assert caught.value.code == code
    return caught.value


@pytest.mark.parametrize("little", [True, False])
@pytest.mark.parametrize("block", [1, 100, 500])
def test_blocks_of_either_byte_order_are_read(little: bool, block: int) -> None:
    """Sequences of blocks of channels, with the resolution's exponent, are the samples that went in."""
    parsed = read_ecg([("x.mwf", mfer(little=little, block=block))])
    np.testing.assert_array_equal(parsed.recording.samples_mv, MV)
    assert (parsed.format, parsed.recording.leads, parsed.recording.rate_hz) == ("mfer", ("II", "V1"), 500.0)
    assert parsed.acquired == datetime(2026, 5, 1, 16, 5, 9, 250000)  # noqa: DTZ001 - as written
    assert (parsed.age_years, parsed.sex) == (65.0, "male")
    assert parsed.identifiers == {"name": "王 力生", "patient_id": "P-7"}
    assert parsed.device_statements == ("窦性心律",)
    assert parsed.filters == {"low_hz": 0.05, "high_hz": 150.0}
    assert parsed.tolerated == ()


@pytest.mark.parametrize(
    ("interval", "rate_hz"),
    [((1, -3, 4), 250.0), ((0, 0, 1000), 1000.0), ((0, 1, 50), 500.0), ((1, -6, 2000), 500.0)],
)
def test_the_rate_is_an_interval_or_a_frequency(interval: tuple[int, int, int], rate_hz: float) -> None:
    """Unit, exponent and mantissa."""
    assert read_ecg([(None, mfer(interval=interval))]).recording.rate_hz == rate_hz


def test_numbers_that_mean_nothing_are_no_samples() -> None:
    """MWF_NUL; and an offset is added in steps, and said."""
    steps = STEPS.copy()
    steps[:, :3] = -32768
    null = tag(0x12, (-32768).to_bytes(2, "little", signed=True))
    assert read_ecg([(None, mfer(steps, extra=null))]).recording.gaps == ((0, 3),)
    parsed = read_ecg([(None, mfer(extra=tag(0x0D, (40).to_bytes(2, "little"))))])
    np.testing.assert_allclose(parsed.recording.samples_mv, MV + 0.1, atol=1e-6)
    assert parsed.tolerated == (
        "an offset of 40 steps is added to II",
        "an offset of 40 steps is added to V1",
    )


def test_frames_follow_each_other_and_the_dominant_beat_is_left_out() -> None:
    """Two waveforms of one layout are one strip; one of the kind 9 is no rhythm."""
    one = mfer().removesuffix(b"\x80\x00")
    wave = one[one.index(b"\x1e\x84") :]
    twice = read_ecg([(None, one + wave + b"\x80\x00")])
    np.testing.assert_array_equal(twice.recording.samples_mv, np.concatenate([MV, MV], axis=1))
    beat = tag(0x08, b"\x09\x00") + wave
    parsed = read_ecg([(None, one + beat)])
    np.testing.assert_array_equal(parsed.recording.samples_mv, MV)
    assert parsed.tolerated == ("the dominant beat is left out",)


def test_a_file_may_begin_with_its_byte_order() -> None:
    """The preamble is left out by some, and unknown tags do not hinder."""
    data = mfer(extra=tag(0x5A, b"private"))
    parsed = read_ecg([(None, data[data.index(b"\x01\x01\x01") :])])
    np.testing.assert_array_equal(parsed.recording.samples_mv, MV)
    assert parsed.tolerated == ("tag 90 is not known here; ignored",)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (mfer()[:-40], "truncated"),
        (mfer()[: mfer().index(b"\x1e\x84")], "empty_body"),
        (mfer(beat=True), "empty_body"),
        (mfer(sensitivity=None), "malformed"),
        (mfer(sensitivity=(1, 0, 1)), "unsupported"),
        (mfer(interval=(1, 0, 0)), "malformed"),
        (mfer(interval=(2, 0, 1)), "malformed"),
        (mfer(extra=tag(0x0E, b"\x01\x00")), "unsupported"),
        (mfer(extra=tag(0x0A, b"\x09")), "unsupported"),
        (mfer(extra=tag(0x06, b"\xff\xff\xff\x7f")), "too_large"),
        (mfer(extra=tag(0x06, b"\xff\x00")), "truncated"),
        (mfer(extra=tag(0x04, b"\x00")), "malformed"),
        (mfer(codes=(160, 143)), "malformed"),
    ],
)
def test_what_cannot_be_read_exactly_is_refused(data: bytes, code: str) -> None:
    """No scale, no rate, compression, sizes that are only announced, channels that are no ECG."""
    _refused(data, code)


@pytest.mark.parametrize(
    ("inside", "code"),
    [
        (b"\x67\x80" * 1000, "malformed"),
        (b"\x04\x01\x01" * 100_001, "malformed"),
        (b"\x67\x84\xff\xff\xff\xff", "truncated"),
        (b"\x67\x85\x01\x01\x01\x01\x01", "malformed"),
    ],
)
def test_tags_without_end_are_refused(inside: bytes, code: str) -> None:
    """Nested for ever, too many, or longer than the file."""
    _refused(b"\x01\x01\x01\x04\x01\x01" + inside, code)
