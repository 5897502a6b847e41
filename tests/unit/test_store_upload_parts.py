"""The files of uploads under way: gone on with at any byte, enciphered, never longer than promised."""

import errno
import itertools
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenchannel.store.upload_parts import Parts, PartShort

KEY = bytes(range(32))


def parts(folder: Path) -> Parts:
    return Parts(folder / "uploads", lambda upload_id: KEY)


@given(content=st.binary(min_size=1, max_size=200), cuts=st.lists(st.integers(0, 200), max_size=6))
def test_any_cutting_gives_the_whole(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, cuts: list[int]
) -> None:
    """Written over several openings at any bytes, it reads as one; on disk stands something else."""
    here = parts(tmp_path_factory.mktemp("parts"))
    here.make("u")
    borders = sorted({0, *(min(cut, len(content)) for cut in cuts), len(content)})
    for start, end in itertools.pairwise(borders):
        with here.opened("u", start) as file:
            file.write(content[start:end])
            file.sync()
    assert here.read("u", len(content)) == content and here.size("u") == len(content)


def test_a_file_is_its_owners_alone_and_does_not_show_what_it_holds(tmp_path: Path) -> None:
    """Another upload has another key, and bytes that were not promised go at the next opening."""
    here = parts(tmp_path)
    here.make("u")
    with here.opened("u", 0) as file:
        file.write(b"a patient's name, and more")
        file.sync()
    path = tmp_path / "uploads" / "u.part"
    assert b"patient" not in path.read_bytes() and stat.S_IMODE(path.stat().st_mode) == 0o600
    with here.opened("u", 9):
        pass
    assert path.stat().st_size == 9 and here.read("u", 9) == b"a patient"
    with pytest.raises(FileExistsError):
        here.make("u")


def test_fewer_bytes_than_promised_are_told(tmp_path: Path) -> None:
    """With how many there are; a file that is gone has none."""
    here = parts(tmp_path)
    here.make("u")
    with pytest.raises(PartShort) as short, here.opened("u", 3):
        pass
    assert short.value.size_bytes == 0
    for action in (lambda: here.read("none", 1), lambda: here.opened("none", 1).__enter__()):
        with pytest.raises(PartShort):
            action()
    here.cut("none", 0)
    assert sorted(here.ids()) == ["none", "u"]


def test_parts_are_joined_in_their_order(tmp_path: Path) -> None:
    """One may come twice; removing twice does no harm."""
    here = parts(tmp_path)
    for name, content in (("a", b"12345"), ("b", b"67")):
        here.make(name)
        with here.opened(name, 0) as file:
            file.write(content)
    here.join("c", [("b", 2), ("a", 5), ("b", 2)])
    assert here.read("c", 9) == b"671234567"
    for _ in range(2):
        here.remove("c")
    assert here.size("c") == 0


def test_a_write_that_the_disk_takes_in_pieces_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A system call may write less than it was given; a full disk is an error, and closing still works."""
    here, whole = parts(tmp_path), os.pwrite
    here.make("u")

    def one_byte(descriptor: int, data: Any, offset: int) -> int:
        return whole(descriptor, bytes(data[:1]), offset)

    def full(descriptor: int, data: Any, offset: int) -> int:
        raise OSError(errno.ENOSPC, "full")

    with here.opened("u", 0) as file:
        monkeypatch.setattr(os, "pwrite", one_byte)
        file.write(b"abc")
        monkeypatch.setattr(os, "pwrite", full)
        with pytest.raises(OSError, match="full"):
            file.write(b"d")
        assert file.offset == 3
    monkeypatch.undo()
    assert here.read("u", 3) == b"abc"
    with pytest.raises(ValueError, match="closed"):
        file.sync()
