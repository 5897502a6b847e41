"""The time-stamped annotation lists of EDF+ and BDF+: when each record began, and what the device wrote."""

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.ingest.texts import decode_text

# EDF+ 2.2.4: +onset, maybe 0x15 and a duration, 0x14, texts that end in 0x14 each, a zero byte
_LIST: Final = re.compile(
    rb"([+-]\d{1,9}(?:\.\d{0,9})?)(?:\x15\d{1,9}(?:\.\d{0,9})?)?\x14((?:[^\x00\x14]{0,4096}\x14){0,100})"
)
_MAX_BYTES: Final = 256 * 2**10
_MAX_STATEMENTS: Final = 100


def onsets_of(signal: bytes, records: int) -> NDArray[np.float64] | None:
    """Seconds of each record after the start of the file, from the first annotations signal; None where one is missing.

    Parameters
    ----------
    signal
        The bytes of that signal, of all records in turn.
    """
    width = len(signal) // records
    onsets = np.empty(records, dtype=np.float64)
    for record in range(records):
        first = _LIST.match(signal, record * width, (record + 1) * width)
        # The list that keeps the time begins with an empty text.
        if first is None or not first[2].startswith(b"\x14"):
            return None
        onsets[record] = float(first[1])
    return onsets


def annotations_of(signals: bytes) -> tuple[str, ...]:
    """Every text of the annotations, each once, in their order; at most a hundred."""
    found: dict[str, None] = {}
    # Most of such a signal is filling.
    for entry in _LIST.finditer(re.sub(rb"\0{2,}", b"\0", signals)[:_MAX_BYTES]):
        for text in entry[2].split(b"\x14"):
            words = decode_text(text).strip()
            if words:
                found[words] = None
        if len(found) >= _MAX_STATEMENTS:
            break
    return tuple(found)[:_MAX_STATEMENTS]
