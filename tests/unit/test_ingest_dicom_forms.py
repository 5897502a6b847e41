"""DICOM ECGs in rarer forms: deflated, several multiplex groups, 12 bits in 16, 18 leads."""

import copy
import io
import tracemalloc
import zlib
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.uid import DeflatedExplicitVRLittleEndian

from greenchannel.ingest.bounds import MAX_BYTES
from greenchannel.ingest.dicom_ecg import read_dicom
from greenchannel.ingest.dicom_ecg_write import write_dicom_ecg
from greenchannel.ingest.errors import IngestError
from greenchannel.signal.leads import STANDARD_12, STANDARD_18
from greenchannel.signal.recording import Recording

META_END = b"\x08\x00\x05\x00CS"
"""Where the data set of a written ECG begins."""


def _recording(leads: tuple[str, ...] = STANDARD_12, samples: int = 50) -> Recording:
    steps = np.random.default_rng(7).integers(-900, 900, (len(leads), samples))
    return Recording(samples_mv=(steps / 400).astype(np.float32), leads=leads, rate_hz=500.0)


def _written(leads: tuple[str, ...] = STANDARD_12, samples: int = 50) -> bytes:
    return write_dicom_ecg(_recording(leads, samples), acquired=None, age_years=None, sex=None)


def _saved(dataset: pydicom.Dataset) -> bytes:
    out = io.BytesIO()
    dataset.save_as(out)
    return out.getvalue()


def _deflated_head() -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(_written()))
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    data = _saved(dataset)
    length = int.from_bytes(data[140:144], "little")
    return data[: 144 + length]


def _refusal(data: bytes) -> IngestError:
    with pytest.raises(IngestError) as caught:
        read_dicom(data)
    return caught.value


@pytest.mark.parametrize("leads", [STANDARD_12, STANDARD_18], ids=["12", "18"])
def test_a_deflated_ecg_is_read(leads: tuple[str, ...]) -> None:
    """As pydicom deflates it; the samples are those of the file as it was."""
    dataset = pydicom.dcmread(io.BytesIO(_written(leads)))
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    parsed = read_dicom(_saved(dataset))
    assert parsed.recording.leads == leads
    np.testing.assert_array_equal(parsed.recording.samples_mv, _recording(leads).samples_mv)
    assert parsed.tolerated == ()


def test_a_deflated_image_is_no_ecg() -> None:
    """The class of the object is named, as it is for an image that is not deflated."""
    path = get_testdata_file("image_dfl.dcm", download=False)
    with open(str(path), "rb") as file:
        error = _refusal(file.read())
    assert (error.code, error.got) == ("unsupported", "Secondary Capture Image Storage")


def test_a_deflated_bomb_is_refused_within_the_bound() -> None:
    """A gigabyte in a megabyte: unpacking stops at the bound."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    zeros = bytes(2**20)
    bomb = _deflated_head() + b"".join(packer.compress(zeros) for _ in range(1024)) + packer.flush()
    assert len(bomb) < 2**20 + 100_000
    tracemalloc.start()
    try:
        error = _refusal(bomb)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert error.code == "too_large"
    assert peak < 2.5 * MAX_BYTES


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (zlib.compress(_written()[_written().index(META_END) :])[2:-4][:-40], "truncated"),
        (b"\xff" * 400, "malformed"),
        (b"", "truncated"),
    ],
    ids=["cut", "no deflate stream", "nothing"],
)
def test_a_broken_deflate_stream_is_refused(body: bytes, code: str) -> None:
    """It says whether bytes are missing or wrong."""
    assert _refusal(_deflated_head() + body).code == code


def _with_groups(*changes: dict[str, Any]) -> bytes:
    """A file of several multiplex groups, each the written one with changes; ``cut`` keeps that many samples."""
    dataset = pydicom.dcmread(io.BytesIO(_written()))
    first = dataset.WaveformSequence[0]
    groups = []
    for change in changes:
        group = copy.deepcopy(first)
        for keyword, value in change.items():
            if keyword == "cut":
                group.NumberOfWaveformSamples = value
                group.WaveformData = group.WaveformData[: value * 12 * 2]
            else:
                setattr(group, keyword, value)
        groups.append(group)
    dataset.WaveformSequence = groups
    return _saved(dataset)


@pytest.mark.parametrize(
    ("changes", "samples", "left_out"),
    [
        (({"cut": 20}, {}), 50, "multiplex group 1 (RHYTHM) is left out"),
        (({}, {"cut": 20}), 50, "multiplex group 2 (RHYTHM) is left out"),
        (({"MultiplexGroupLabel": "MEDIAN BEAT"}, {"cut": 20}), 20, "multiplex group 1 (MEDIAN BEAT) is left out"),
        (({"WaveformOriginality": "DERIVED"}, {"cut": 20}), 20, "multiplex group 1 (RHYTHM) is left out"),
    ],
    ids=["longer second", "longer first", "a median beat", "a derived one"],
)  # fmt: skip
def test_of_several_groups_the_longest_strip_is_read(
    changes: tuple[dict[str, Any], ...], samples: int, left_out: str
) -> None:
    """Recorded samples go before derived ones; the others are named."""
    parsed = read_dicom(_with_groups(*changes))
    assert parsed.recording.samples_mv.shape == (12, samples)
    assert parsed.tolerated == (left_out,)


def test_twelve_bits_in_sixteen_are_read_with_and_without_their_sign() -> None:
    """Two's complement of 12 bits in the lower bits of a word is noted; sign-extended words are as any other."""
    dataset = pydicom.dcmread(io.BytesIO(_written()))
    group = dataset.WaveformSequence[0]
    raw = np.frombuffer(group.WaveformData, dtype="<i2")
    for channel in group.ChannelDefinitionSequence:
        channel.WaveformBitsStored = 12
    extended = read_dicom(_saved(dataset))
    group.WaveformData = (raw & 0xFFF).astype("<i2").tobytes()
    cut = read_dicom(_saved(dataset))
    np.testing.assert_array_equal(cut.recording.samples_mv, _recording().samples_mv)
    np.testing.assert_array_equal(extended.recording.samples_mv, _recording().samples_mv)
    assert extended.tolerated == ()
    assert cut.tolerated == ("12 bits are stored without their sign extended",)
