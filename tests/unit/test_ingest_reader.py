"""What kind of file it is, and the bounds."""

import io
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from greenchannel.ingest import reader
from greenchannel.ingest.bundle import bundle, content_sha256, make_zip
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.reader import files_of, read_ecg, read_path
from greenchannel.ingest.wfdb_write import write_wfdb_zip
from greenchannel.signal.recording import Recording

HEADER = b"r 1 500 4\nr.dat 16 1000/mV 16 0 0 0 0 I\n"
BODY = np.arange(4, dtype="<i2").tobytes()


def _code(files: list[tuple[str | None, bytes]]) -> str:
    with pytest.raises(IngestError) as caught:
        read_ecg(files)
    assert caught.value.expected
    return caught.value.code


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_body"),
        (b"hello, this is no ECG", "unknown_format"),
        (bytes(range(256)) * 8, "unknown_format"),
        (b"%PDF-1.7 ...", "unsupported"),
        (b"\x89PNG\r\n\x1a\n", "unsupported"),
        (b'<?xml version="1.0"?><AnnotatedECG>', "truncated"),
        (b'<?xml version="1.0"?><svg>', "unsupported"),
        (b"0       X X X", "truncated"),
        (b"PK\x03\x04garbage", "malformed"),
        (b"PK\x05\x06" + bytes(18), "empty_body"),
        (bytes(128) + b"DICM", "unsupported"),
        (HEADER, "missing_part"),
    ],
)
def test_what_is_no_ecg_is_refused_with_its_code(data: bytes, code: str) -> None:
    """The content decides, whatever the name says."""
    assert _code([("ecg.dcm", data)]) == code


def test_the_name_makes_no_difference() -> None:
    """An archive called .dcm is read as the archive it is, and a nameless one too."""
    data = make_zip(
        [("a/b/r.hea", HEADER), ("a/b/r.dat", BODY), ("__MACOSX/a/._r.hea", b"x"), (".DS_Store", b"x")]
    )
    assert read_ecg([("x.dcm", data)]).format == "wfdb"
    assert read_ecg([(None, data)]).recording.samples_mv.shape == (1, 4)


def test_an_upload_in_parts_is_read_in_any_order() -> None:
    """Header and signals may come as two parts, and an annotation file beside them changes nothing."""
    parts: list[tuple[str | None, bytes]] = [("r.dat", BODY), ("r.atr", b"\x01\x02"), ("r.hea", HEADER)]
    assert read_ecg(parts).recording.leads == ("I",)


def test_a_zip_bomb_is_refused_by_what_its_directory_announces() -> None:
    """Nothing is unpacked before the sum has been checked."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"{number}.dat", bytes(50 * 2**20))
    assert len(out.getvalue()) < 2**20
    assert _code([("x.zip", out.getvalue())]) == "too_large"


def test_a_zip_that_lies_about_its_size_yields_no_more_than_it_announces() -> None:
    """The directory says 10 bytes; the member would unpack to a megabyte; the archive is refused."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("r.hea", bytes(2**20))
    data = bytearray(out.getvalue())
    directory = data.index(b"PK\x01\x02")
    data[directory + 24 : directory + 28] = (10).to_bytes(4, "little")
    assert _code([(None, bytes(data))]) == "malformed"


def test_archives_that_are_encrypted_packed_otherwise_or_ambiguous_are_refused() -> None:
    """A flag, a method and a name are each enough."""
    data = bytearray(make_zip([("r.hea", HEADER)]))
    flagged = bytearray(data)
    flagged[flagged.index(b"PK\x01\x02") + 8] |= 1
    assert _code([(None, bytes(flagged))]) == "unsupported"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("r.hea", HEADER)
    assert _code([(None, out.getvalue())]) == "unsupported"
    assert _code([(None, make_zip([("a/r.hea", HEADER), ("b/r.hea", HEADER)]))]) == "unsupported"
    assert _code([(None, make_zip([("a.hea", HEADER), ("b.hea", HEADER)]))]) == "unsupported"
    assert _code([(None, make_zip([("r.zip", bytes(make_zip([("r.hea", HEADER)])))]))]) == "unknown_format"


def test_an_upload_beyond_the_bound_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound holds for all parts together."""
    monkeypatch.setattr(reader, "MAX_BYTES", 20)
    assert _code([("r.hea", HEADER[:15]), ("r.dat", BODY)]) == "too_large"


def test_a_path_finds_the_files_beside_it(tmp_path: Path) -> None:
    """A header, a stem and a signal file all lead to the same record."""
    (tmp_path / "r.hea").write_bytes(HEADER)
    (tmp_path / "r.dat").write_bytes(BODY)
    (tmp_path / "other.txt").write_bytes(b"x")
    for name in ("r.hea", "r", "r.dat"):
        assert read_path(tmp_path / name).recording.leads == ("I",)
        assert [part for part, _ in files_of(tmp_path / name)] == ["r.hea", "r.dat"]
    with pytest.raises(FileNotFoundError):
        read_path(tmp_path / "absent.hea")


def test_the_identity_is_the_content() -> None:
    """One file is known by its own SHA-256; parts by that of an archive which does not depend on their order."""
    import hashlib

    assert content_sha256([("a", BODY)]) == hashlib.sha256(BODY).hexdigest()
    parts: list[tuple[str | None, bytes]] = [("dir/r.hea", HEADER), ("r.dat", BODY)]
    assert content_sha256(parts) == content_sha256(parts[::-1])
    assert content_sha256(parts) != content_sha256([("r.hea", HEADER), ("r.dat", BODY[::-1])])
    assert content_sha256(parts) == hashlib.sha256(bundle(parts)).hexdigest()
    assert read_ecg([(None, bundle(parts))]).recording.leads == ("I",)


def test_the_archive_of_a_stream_is_the_same_on_every_machine() -> None:
    """Pinned: a change of these bytes would change the identity of stored strips."""
    samples_mv = (np.arange(8, dtype=np.float32) * np.float32(0.0025)).reshape(2, 4)
    recording = Recording(samples_mv=samples_mv, leads=("I", "II"), rate_hz=500.0)
    data = write_wfdb_zip(recording, lsb_mv=0.0025, age_years=61.0, sex="male", acquired=None)
    assert zlib.crc32(data) == PINNED_CRC


PINNED_CRC = 3029386711
