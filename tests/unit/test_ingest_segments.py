"""The write-ahead files: what survives, what goes."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from greenchannel.ingest.errors import SegmentBufferFull
from greenchannel.ingest.segments import Kind, SegmentRecord, SegmentWriter, read_all


@pytest.fixture
def open_writer(tmp_path: Path) -> Iterator[Callable[..., SegmentWriter]]:
    """Makes writers on one folder and closes them in the end."""
    with ExitStack() as stack:

        def make(**bounds: int) -> SegmentWriter:
            return stack.enter_context(closing(SegmentWriter(tmp_path, **bounds)))

        yield make


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("segment-*.log"))


def _payloads(folder: Path) -> list[bytes]:
    return [record.payload for record in read_all(folder) if record.kind is Kind.FRAME]


def test_what_was_synced_is_read_back_in_order(
    tmp_path: Path, open_writer: Callable[..., SegmentWriter]
) -> None:
    """Records come back with kind, stream and payload; a second writer goes on in a new file."""
    writer = open_writer()
    assert writer.append(Kind.HELLO, "s1", b"{}") == 1
    assert writer.append(Kind.FRAME, "流", b"\x00\x01") == 2
    assert list(read_all(tmp_path)) == []
    assert writer.sync() == 2
    second = open_writer()
    second.append(Kind.FRAME, "s1", b"x")
    second.close()
    assert list(read_all(tmp_path)) == [
        SegmentRecord(kind=Kind.HELLO, stream_id="s1", payload=b"{}"),
        SegmentRecord(kind=Kind.FRAME, stream_id="流", payload=b"\x00\x01"),
        SegmentRecord(kind=Kind.FRAME, stream_id="s1", payload=b"x"),
    ]
    assert len(_files(tmp_path)) == 2


def test_a_torn_tail_costs_only_the_torn_record(
    tmp_path: Path, open_writer: Callable[..., SegmentWriter]
) -> None:
    """Cut at any byte of the last record, all the earlier ones are there."""
    writer = open_writer()
    for number in range(3):
        writer.append(Kind.FRAME, "s", bytes([number]) * 20)
    writer.close()
    (path,) = _files(tmp_path)
    whole = path.read_bytes()
    for cut in range(len(whole) * 2 // 3, len(whole)):
        path.write_bytes(whole[:cut])
        assert len(_payloads(tmp_path)) == 2
    path.write_bytes(whole[:-1] + b"\xff")
    assert len(_payloads(tmp_path)) == 2


def test_files_go_once_all_their_streams_are_finished(
    tmp_path: Path, open_writer: Callable[..., SegmentWriter]
) -> None:
    """A file with a running stream stays, and so does every later one: an end never goes before what it ends."""
    writer = open_writer(rotate_bytes=50)
    for stream in ("a", "b", "a"):
        writer.append(Kind.FRAME, stream, bytes(60))
        writer.sync()
    assert len(_files(tmp_path)) == 3
    writer.forget("a")
    assert next(path.name for path in _files(tmp_path)) == "segment-000000000002.log"
    again = open_writer(rotate_bytes=50)
    again.forget("b")
    assert _files(tmp_path) == []
    again.append(Kind.HELLO, "c", b"{}")
    again.close()
    assert [record.stream_id for record in read_all(tmp_path)] == ["c"]


def test_a_stream_that_begins_anew_is_not_finished(
    tmp_path: Path, open_writer: Callable[..., SegmentWriter]
) -> None:
    """A frame after the end keeps the file, for instance where the end was a guess."""
    writer = open_writer()
    writer.append(Kind.END, "a")
    writer.append(Kind.FRAME, "a", b"late")
    writer.forget("b")
    assert _payloads(tmp_path) == [b"late"]
    open_writer().forget("c")
    assert _payloads(tmp_path) == [b"late"]


def test_a_failed_sync_loses_nothing(
    tmp_path: Path, open_writer: Callable[..., SegmentWriter], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk refuses once; the next sync writes the same records to a new file."""
    writer = open_writer()
    writer.append(Kind.FRAME, "s", b"1")
    writer.sync()
    position = writer.append(Kind.FRAME, "s", b"2")

    def no_space(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", no_space)
        with pytest.raises(OSError, match="No space"):
            writer.sync()
        for _ in range(20):  # and again and again, while the disk is full
            with pytest.raises(OSError, match="No space"):
                writer.sync()
        assert len(_files(tmp_path)) == 1, "expected no file for each time that it was refused"
    assert writer.sync() == position
    assert set(_payloads(tmp_path)) == {b"1", b"2"}
    assert len(_files(tmp_path)) == 2


def test_a_disk_that_takes_nothing_ends_in_a_refusal_and_not_in_memory(
    open_writer: Callable[..., SegmentWriter],
) -> None:
    """Beyond the bound, `append` says so."""
    writer = open_writer(max_waiting_bytes=100)
    writer.append(Kind.FRAME, "s", bytes(60))
    with pytest.raises(SegmentBufferFull, match="not_durable"):
        writer.append(Kind.FRAME, "s", bytes(60))
    writer.sync()
    writer.append(Kind.FRAME, "s", bytes(60))


def test_an_id_or_a_payload_that_does_not_fit_is_a_mistake_of_the_caller(
    open_writer: Callable[..., SegmentWriter],
) -> None:
    """These are checked before, so it is a ValueError."""
    writer = open_writer()
    for stream, payload in (("", b""), ("x" * 256, b""), ("s", bytes(9 * 2**20))):
        with pytest.raises(ValueError, match="expected an id"):
            writer.append(Kind.FRAME, stream, payload)


def test_several_threads_may_append_while_one_syncs(
    tmp_path: Path, open_writer: Callable[..., SegmentWriter]
) -> None:
    """Every record is there once, each thread's in its order."""
    writer = open_writer(rotate_bytes=2000)

    def send(name: str) -> None:
        for number in range(100):
            writer.append(Kind.FRAME, name, number.to_bytes(2, "big"))
            if number % 10 == 0:
                writer.sync()

    threads = [threading.Thread(target=send, args=(f"s{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert writer.sync() == 400
    records = list(read_all(tmp_path))
    for index in range(4):
        mine = [int.from_bytes(r.payload, "big") for r in records if r.stream_id == f"s{index}"]
        assert mine == list(range(100))


def test_what_a_dead_process_wrote_is_synced_before_it_counts(
    tmp_path: Path, open_writer: Callable[..., SegmentWriter], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new writer brings the old files, and their names, to the disk before anything is read from them."""
    writer = open_writer(rotate_bytes=10)
    for payload in (b"1", b"2"):
        writer.append(Kind.FRAME, "s", payload)
        writer.sync()
    synced: list[int] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    open_writer()
    assert set(synced) == {path.stat().st_ino for path in [*_files(tmp_path), tmp_path]}


def test_a_folder_that_is_not_there_has_no_records(tmp_path: Path) -> None:
    """A first start reads nothing."""
    assert list(read_all(tmp_path / "absent")) == []
