"""WFDB records of several segments, and the packed formats."""

from pathlib import Path

import numpy as np
import pytest
import wfdb
from numpy.typing import NDArray

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.reader import files_of, read_ecg, read_path
from greenchannel.ingest.wfdb_signals import decode, packed_bytes, samples_in


def _word(*samples: int) -> int:
    return sum((sample & 0x3FF) << (10 * place) for place, sample in enumerate(samples))


def _310(samples: list[int]) -> bytes:
    out = b""
    for place in range(0, len(samples), 3):
        a, b, c = ((sample & 0x3FF) for sample in [*samples[place : place + 3], 0, 0][:3])
        out += ((a << 1) | (c & 0x1F) << 11).to_bytes(2, "little")
        out += ((b << 1) | (c >> 5) << 11).to_bytes(2, "little")
    return out[: packed_bytes(310, len(samples))]


def _311(samples: list[int]) -> bytes:
    groups = (samples[place : place + 3] for place in range(0, len(samples), 3))
    return b"".join(_word(*group).to_bytes(4, "little") for group in groups)[
        : packed_bytes(311, len(samples))
    ]


SAMPLES = [0, 1, -1, 511, -511, 300, -300, 17]


@pytest.mark.parametrize(("number", "pack"), [(310, _310), (311, _311)])
@pytest.mark.parametrize("count", [8, 7, 6])
def test_ten_bits_are_unpacked_at_any_end(tmp_path: Path, number: int, pack: object, count: int) -> None:
    """signal(5): three samples in four bytes; the wfdb package reads the same."""
    samples = SAMPLES[:count]
    body = (_310 if pack is _310 else _311)(samples)
    assert decode(number, memoryview(body), count).tolist() == samples
    assert samples_in(number, len(body)) - count in (0, 1)  # two samples of format 310 take as much as three
    (tmp_path / "r.hea").write_text(f"r 1 500 {count}\nr.dat {number} 100/mV 10 0 {samples[0]} 0 0 II\n")
    (tmp_path / "r.dat").write_bytes(body)
    theirs = wfdb.rdrecord(str(tmp_path / "r"), physical=False)
    assert theirs.d_signal is not None
    assert theirs.d_signal[:, 0].tolist() == samples
    np.testing.assert_allclose(read_path(tmp_path / "r.hea").recording.samples_mv[0], np.array(samples) / 100)


def test_differences_are_summed_from_the_initial_value(tmp_path: Path) -> None:
    """Format 8: the first difference is taken from the header's initial value, as the wfdb package does."""
    steps = np.array([[0, 0], [5, -3], [127, -128], [-100, 2]], dtype=np.int8)
    (tmp_path / "r.hea").write_text(
        "r 2 500 4\nr.dat 8 200/mV 12 0 100 0 0 II\nr.dat 8 200(4)/mV 12 0 -7 0 0 V1\n"
    )
    (tmp_path / "r.dat").write_bytes(steps.tobytes())
    theirs = wfdb.rdrecord(str(tmp_path / "r")).p_signal
    assert theirs is not None
    ours = read_path(tmp_path / "r.hea").recording.samples_mv
    np.testing.assert_allclose(ours, theirs.T, rtol=1e-6)
    np.testing.assert_allclose(ours[0], np.array([100, 105, 232, 132]) / 200, rtol=1e-6)


def _segments() -> tuple[list[tuple[str | None, bytes]], NDArray[np.int16]]:
    steps = np.random.default_rng(4).integers(-900, 900, (10, 2)).astype("<i2")
    line = "{0}.dat 16 1000/mV 16 0 0 0 0 {1}\n"
    files: list[tuple[str | None, bytes]] = [
        ("m.hea", b"m/4 2 500 14 16:05:09 1/5/2026\nm_0000 0\nm_a 6\n~ 4\nm_b 4\n# 61 M\n"),
        ("m_0000.hea", ("m_0000 2 500 0\n" + line.format("~", "II") + line.format("~", "V1")).encode()),
        ("m_a.hea", ("m_a 2 500 6\n" + line.format("m_a", "II") + line.format("m_a", "V1")).encode()),
        ("m_b.hea", ("m_b 1 500 4\n" + line.format("m_b", "V1")).encode()),
        ("m_a.dat", steps[:6].tobytes()),
        ("m_b.dat", np.ascontiguousarray(steps[6:, 1]).tobytes()),
    ]
    return files, steps


def test_segments_of_varying_layout_are_one_recording(tmp_path: Path) -> None:
    """A gap between them, a lead that ends: the same as the wfdb package makes of it."""
    files, steps = _segments()
    recording = read_ecg(files).recording
    assert (recording.leads, recording.samples_mv.shape, recording.gaps) == (
        ("II", "V1"),
        (2, 14),
        ((6, 10),),
    )
    np.testing.assert_array_equal(recording.samples_mv[1, 10:], (steps[6:, 1] / 1000).astype(np.float32))
    assert np.isnan(recording.samples_mv[0, 6:]).all()
    for name, data in files:
        (tmp_path / str(name)).write_bytes(data.replace(b"~.dat", b"~"))
    theirs = wfdb.rdrecord(str(tmp_path / "m")).p_signal
    assert theirs is not None
    parsed = read_path(tmp_path / "m.hea")
    np.testing.assert_allclose(parsed.recording.samples_mv, theirs.T, rtol=1e-6)
    assert (parsed.age_years, parsed.sex) == (61.0, "male")
    assert len(files_of(tmp_path / "m.hea")) == len(files)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ((b"m_b 4", b"m_b 5"), "malformed"),
        ((b"m_b 4", b"m_c 4"), "missing_part"),
        ((b"m_b 4", b"../m_b 4"), "malformed"),
        ((b"m/4", b"m/5"), "malformed"),
        ((b"m_a 6", b"m_a 99999999999"), "too_large"),
        ((b"m_b 4", b"~ 40000000"), "too_large"),
        ((b"m_a 6\n", b"m 6\n"), "missing_part"),
        ((b"500 14", b"250 14"), "malformed"),
    ],
)
def test_segments_that_do_not_fit_are_refused(change: tuple[bytes, bytes], code: str) -> None:
    """Other lengths, other rates, parts that were not sent, a record within itself."""
    files, _ = _segments()
    with pytest.raises(IngestError) as caught:
        read_ecg([("m.hea", (files[0][1] or b"").replace(*change)), ("m.hea.hea", b""), *files[1:]])
    assert caught.value.code == code


@pytest.mark.data
def test_a_header_that_names_its_file_as_record_is_read_and_noted(data_dir: Path) -> None:
    """E00015 of the CinC challenge; the samples are those of the wfdb package reading the mended header."""
    parsed = read_path(data_dir / "cinc-12lead" / "malformed_header" / "E00015.hea")
    assert parsed.tolerated == ("the record line names a file (E00015.mat) instead of a record",)
    raw = np.frombuffer(
        (data_dir / "cinc-12lead" / "malformed_header" / "E00015.mat").read_bytes()[24:], "<i2"
    )
    np.testing.assert_allclose(parsed.recording.samples_mv, raw.reshape(-1, 12).T / 4880, rtol=1e-6)
    assert (parsed.age_years, parsed.sex) == (67.0, "male")
