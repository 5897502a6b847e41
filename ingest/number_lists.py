"""Samples written as lists of numbers, parted by blanks or commas: tens of thousands in a resting ECG."""

import re
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.ingest.errors import IngestError

MAX_XML_VALUES: Final = 4_000_000
"""Leads times samples of one XML file: 18 leads of seven minutes at 500 Hz.  [O]"""

_BLANKS: Final = " \t\r\n"
_NO_NUMBER: Final = re.compile(r"[^0-9eE+\-., \t\r\n]")
_SEPARATORS: Final = {None: re.compile(r"[ \t\r\n]+"), ",": re.compile(",")}
# No list of all numbers is made, only of those in a piece of this many characters.
_PIECE: Final = 2**16
# Whole numbers of more characters are left to the slower way, which knows no overflow.
_MOST_DIGITS: Final = 15

# Kinds of characters by their code.
_OTHER, _DIGIT, _SIGN, _BLANK, _COMMA = range(5)
_KINDS: Final = np.array(
    [
        _DIGIT if char in "0123456789" else _SIGN if char in "+-" else _BLANK if char in _BLANKS
        else _COMMA if char == "," else _OTHER
        for char in map(chr, range(256))
    ],
    dtype=np.uint8,
)  # fmt: skip


def too_many(count: int) -> IngestError:
    """The error for more samples than are taken."""
    return IngestError(
        "too_large", "the number of samples is out of bounds", f"at most {MAX_XML_VALUES} in all", str(count)
    )


def sample_values(text: str, lead: str, *, commas: bool) -> NDArray[np.float64]:
    """Numbers parted by blanks, or by commas of which one may end the list; shape ``(samples,)``.

    Raises
    ------
    IngestError
        ``malformed`` where anything else stands there; ``too_large``.
    """
    words = text.strip(_BLANKS)
    words = words.removesuffix(",") if commas else words
    if not words:
        return np.zeros(0)
    parts = []
    count = 0
    try:
        if commas and words.endswith(","):
            raise ValueError("a number is missing")
        for piece in _pieces(words, "," if commas else None):
            parts.append(_numbers(piece, "," if commas else None))
            count += len(parts[-1])
            if count > MAX_XML_VALUES:
                raise too_many(count)
    except ValueError as error:
        raise IngestError(
            "malformed", f"the samples of lead {lead} are no list", "numbers", "other text"
        ) from error
    values = np.concatenate(parts)
    if not np.isfinite(values).all():
        raise IngestError("malformed", f"the samples of lead {lead} are no list", "finite numbers", "others")
    return values


def _numbers(piece: str, separator: str | None) -> NDArray[np.float64]:
    """The numbers of one piece; raises ValueError where there is anything else."""
    values = _whole_numbers(piece, separator)
    if values is not None:
        return values
    # Letters would let float() take "nan" and "inf", and _ is taken between digits.
    if _NO_NUMBER.search(piece):
        raise ValueError("no number")
    return np.array([float(word) for word in piece.split(separator)])


def _whole_numbers(piece: str, separator: str | None) -> NDArray[np.float64] | None:
    """The same in a ninth of the time, or None where not all is plain whole numbers between single separators."""
    if not piece.isascii():
        return None
    text = np.frombuffer(piece.encode("ascii"), dtype=np.uint8)
    kinds = _KINDS[text]
    if (kinds == _OTHER).any():
        return None
    count = len(_starts(kinds))
    if separator is not None:
        text, kinds = text[kinds != _BLANK], kinds[kinds != _BLANK]
        lone = (kinds[1:] == _COMMA) & (kinds[:-1] == _COMMA)
        if not len(kinds) or lone.any() or kinds[0] == _COMMA or kinds[-1] == _COMMA:
            return None
    elif (kinds == _COMMA).any():
        return None
    starts = _starts(kinds)
    sign, digit = kinds == _SIGN, kinds == _DIGIT
    wrong = (sign[:-1] & ~digit[1:]).any() or (digit[:-1] & sign[1:]).any() or sign[-1:].any()
    # Where two numbers stand between two commas, they have become one without their blanks.
    if wrong or len(starts) != count or not count:
        return None
    stops = np.flatnonzero((sign | digit)[:-1] & ~(sign | digit)[1:]) + 1
    if (np.append(stops, len(kinds))[:count] - starts).max() > _MOST_DIGITS:
        return None
    values = np.fromstring(text.tobytes().decode("ascii"), dtype=np.int64, sep=separator or " ")
    return values.astype(np.float64) if len(values) == count else None


def _starts(kinds: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Where numbers begin."""
    within = (kinds == _DIGIT) | (kinds == _SIGN)
    begins = within.copy()
    begins[1:] &= ~within[:-1]
    return np.flatnonzero(begins)


def _pieces(words: str, separator: str | None) -> Iterator[str]:
    """`words` in pieces of some 64 KiB that end where a number does, so that no list of all of them is made."""
    at = 0
    while at < len(words):
        cut = _SEPARATORS[separator].search(words, min(at + _PIECE, len(words)))
        stop = cut.start() if cut is not None else len(words)
        yield words[at:stop]
        # A separator at the very end has been taken off, so that there is a number behind this one.
        at = cut.end() if cut is not None else stop
