"""Ways to spoil a file: what bad disks, cut lines and bad people do to it."""

import random
from collections.abc import Callable
from typing import Final

from greenchannel.ingest.bundle import make_zip

WORDS: Final = (
    b"\0", b"\xff", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\xfe\xff\0\xe0", b"\x80",
    b"-1", b"0", b"9" * 30, b"1e308", b"nan", b"inf", b"99999999", b"\n", b"\r\n", b"|", b"^", b"~", b"&", b"\\",
    b"[" * 200, b"{" * 200, b"<a>" * 100, b"]]>", b"<!ENTITY a \"b\">", b"&a;", b"<![CDATA[", b"\xef\xbb\xbf",
    b"\x1b$B", b"../../../etc/passwd", b"C:\\\\x", b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"DICM", b"SQ", b"UN",
    b"\x1f\x8b",
)  # fmt: skip


def _flip(data: bytearray, dice: random.Random) -> None:
    data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def _byte(data: bytearray, dice: random.Random) -> None:
    data[dice.randrange(len(data))] = dice.randrange(256)


def _over(data: bytearray, dice: random.Random) -> None:
    place, word = dice.randrange(len(data)), dice.choice(WORDS)
    data[place : place + len(word)] = word


def _insert(data: bytearray, dice: random.Random) -> None:
    place = dice.randrange(len(data) + 1)
    data[place:place] = dice.choice(WORDS) if dice.random() < 0.7 else dice.randbytes(dice.randrange(1, 40))


def _remove(data: bytearray, dice: random.Random) -> None:
    place = dice.randrange(len(data))
    del data[place : place + dice.randrange(1, 60)]


def _repeat(data: bytearray, dice: random.Random) -> None:
    place = dice.randrange(len(data))
    piece = bytes(data[place : place + dice.randrange(1, 200)])
    data[place:place] = piece * dice.choice((1, 1, 2, 50))


def _cut(data: bytearray, dice: random.Random) -> None:
    del data[dice.randrange(len(data)) :]


def _number(data: bytearray, dice: random.Random) -> None:
    """A number in text becomes another."""
    digits = [at for at, byte in enumerate(data) if 48 <= byte <= 57]
    if digits:
        place = dice.choice(digits)
        data[place : place + 1] = dice.choice((b"0", b"9", b"-", b"99999", b"1e9", b"."))


def _length(data: bytearray, dice: random.Random) -> None:
    """A field of four bytes says more than there is, or less."""
    place = dice.randrange(max(len(data) - 4, 1))
    value = dice.choice((0, 1, len(data), len(data) + 1, 2**16, 2**31 - 1, 2**32 - 1, dice.randrange(2**32)))
    data[place : place + 4] = value.to_bytes(4, dice.choice(("little", "big")))


CHANGES: Final[tuple[Callable[[bytearray, random.Random], None], ...]] = (
    _flip, _flip, _byte, _byte, _over, _insert, _remove, _repeat, _cut, _number, _number, _length, _length,
)  # fmt: skip


def spoilt(data: bytes, dice: random.Random) -> bytes:
    """`data` with one to four things wrong; mostly near its beginning, where its own words about itself stand."""
    changed = bytearray(data)
    for _ in range(dice.choice((1, 1, 1, 2, 3, 4))):
        if not changed:
            break
        head = changed[: max(len(changed) // 8, 400)] if dice.random() < 0.5 else None
        if head is None:
            dice.choice(CHANGES)(changed, dice)
        else:
            rest = changed[len(head) :]
            dice.choice(CHANGES)(head, dice)
            changed = head + rest
    found = bytes(changed)
    wrapped = dice.random()
    if wrapped < 0.04:
        return make_zip([("a", found)])
    if wrapped < 0.06:
        return make_zip([(dice.choice(("../a", "/a", "a/../b", "\\a")), found), ("b.hea", found[:300])])
    return found
