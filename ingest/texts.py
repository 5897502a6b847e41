"""Words and numbers in files of text: which charset they are in, and columns of numbers without large lists."""

import codecs
import io
import re
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.ingest.errors import IngestError, shown

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LOOKED_AT: Final = 2000
_AT_ONCE: Final = 20_000
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_UNSEEN: Final = re.compile("[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")
_JOINERS: Final = "\u200c\u200d"


def charset_of(data: bytes, declared: str | None = None) -> tuple[str, int]:
    """Which charset `data` is in, and how many bytes its mark takes: by its mark, as declared, UTF-8 or GB18030
    where it is that, else Latin-1, which everything is."""
    for mark, charset in _BOMS:
        if data.startswith(mark):
            return charset, len(mark)
    for known in (declared, "utf-8"):
        if known is not None and _decodes(data, known):
            return known, 0
    return ("gb18030" if _is_chinese(data) else "latin-1"), 0


def _decodes(data: bytes, charset: str) -> bool:
    try:
        data.decode(charset)
    except (UnicodeDecodeError, LookupError):
        return False
    return True


def _is_chinese(data: bytes) -> bool:
    """Western text often decodes as GB18030 too, but then into characters that hardly anybody uses."""
    if not _decodes(data, "gb18030"):
        return False
    wide = [char for char in data.decode("gb18030") if char > "\x7f"][:_LOOKED_AT]
    common = sum(_is_common(char) for char in wide)
    return 2 * common > len(wide)


def _is_common(char: str) -> bool:
    try:
        char.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def decode_text(data: bytes, declared: str | None = None) -> str:
    """`data` as text, in the charset that `charset_of` finds."""
    charset, skipped = charset_of(data, declared)
    return data[skipped:].decode(charset, errors="replace")


def lines_of(data: bytes) -> Iterator[str]:
    """The lines of `data`, one at a time, with any line end."""
    charset, skipped = charset_of(data)
    stream = io.BytesIO(data)
    stream.seek(skipped)
    return iter(io.TextIOWrapper(stream, encoding=charset, errors="replace", newline=None))


def seen(text: str) -> str:
    """`text` without the marks that show nothing and come along when it is copied: of direction, of no width.

    A mark of direction turns around what stands beside it on a page or in a message, and makes another number of a
    patient's. Joiners stay, which some scripts and signs need, but where there is nothing else.
    """
    kept = _UNSEEN.sub("", text)
    return kept if kept.strip(_JOINERS + " \t\r\n") else ""


def one_line(text: str) -> str:
    """`text` without control characters or line breaks, so that it can stand in a line of a file."""
    return _CONTROLS.sub(" ", text).strip()


def numbers_of(words: list[str], missing: frozenset[str], where: str) -> NDArray[np.float64]:
    """The numbers that `words` are, of which those in `missing` are NaN; blanks around each are allowed.

    Parameters
    ----------
    missing
        Words in the stead of a number, in capitals.
    where
        What holds these numbers, for the error.

    Raises
    ------
    IngestError
        ``malformed`` for a word that is no finite number.
    """
    values = np.empty(len(words), dtype=np.float64)
    for start in range(0, len(words), _AT_ONCE):
        chunk = words[start : start + _AT_ONCE]
        try:
            part = np.array(list(map(float, chunk)))
        except ValueError:
            part = None
        # float() takes 1_000 and the names of infinity and of no number, which must be looked at one by one
        if part is None or not np.isfinite(part).all() or "_" in "".join(chunk):
            part = np.array([number_of(word, missing, where) for word in chunk])
        values[start : start + len(chunk)] = part
    return values


def number_of(word: str, missing: frozenset[str], where: str) -> float:
    """One number, or NaN for a word in `missing`; raises ``malformed`` for any other word, and for infinities."""
    if not word and "" in missing:
        return float("nan")
    try:
        value = float(word)
    except ValueError:
        if word.strip().upper() in missing:
            return float("nan")
        raise IngestError(
            "malformed", f"there is no number in {where}", "a number", shown(word, 30)
        ) from None
    if value - value != 0 or "_" in word:
        if word.strip().upper() in missing:
            return float("nan")
        raise IngestError("malformed", f"there is no finite number in {where}", "a number", shown(word, 30))
    return value
