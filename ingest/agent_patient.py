"""Whether the number of a patient in a file is one. Pure.

Many machines fill it in by themselves where nobody did: with a word, with a counter that begins anew, with the path of
the recording. Such a number would lead all patients of a day into one case, so it counts as none: every ECG is a case
of its own then, and a person may join them.
"""

import itertools
import re
import unicodedata
from typing import Final

from greenchannel.ingest.fields import MAX_REF

LEAST: Final = 3  # letters and digits  [E]
COUNTER_DIGITS: Final = 4  # a number padded with zeros of so many digits or fewer is a counter's  [E]
RUN_DIGITS: Final = 3  # so many digits in a row, each the next, and nothing else are typed, not given  [E]
_FILLERS: Final = frozenset(
    {
        "unknown", "unnamed", "unidentified", "anonymous", "anonymized", "anonymised", "anon", "deidentified",
        "removed", "deleted", "redacted", "withheld", "hidden", "blank", "empty", "missing", "unspecified", "undefined",
        "none", "null", "nil", "nan", "na", "test", "testing", "demo", "sample", "example", "default", "dummy",
        "patient", "testpatient", "patienttest", "demopatient", "patientid", "noname", "noid", "nopatient", "temp",
        "emergency",
        "未知", "不详", "未填", "无名氏", "匿名", "已删除", "测试", "演示", "急诊", "无",
    }
)  # fmt: skip
_SIGNS: Final = re.compile(r"[\W_]+")
_WORD_AND_COUNTER: Final = re.compile(r"([^\W\d_]+)(\d*)")
_PATH: Final = re.compile(r"[/\\]")


def usable_ref(word: str | None) -> str | None:
    """The number as it may be sent; None where it is none, or one that a machine fills in."""
    ref = (word or "").strip()
    signs = _SIGNS.sub("", unicodedata.normalize("NFKC", ref)).casefold()
    if len(signs) < LEAST or len(ref) > MAX_REF or not ref.isprintable():
        return None
    is_filler = len(set(signs)) == 1 or _is_word(signs) or _is_counter(signs) or _is_run(signs)
    return None if is_filler or _PATH.search(ref) else ref


def _is_word(signs: str) -> bool:
    """A word for nobody, also with a small number behind it (``TEST01``)."""
    found = _WORD_AND_COUNTER.fullmatch(signs)
    return found is not None and found[1] in _FILLERS and len(found[2].lstrip("0")) <= COUNTER_DIGITS


def _is_counter(signs: str) -> bool:
    """Zeros and a small number (``0000000017``), as a device counts its recordings."""
    return signs.isdecimal() and signs[0] == "0" and len(signs.lstrip("0")) <= COUNTER_DIGITS


def _is_run(signs: str) -> bool:
    """Digits in their order, up or down, from wherever (``123456``, ``1234567890``, ``987654``)."""
    if not signs.isdecimal() or len(signs) < RUN_DIGITS:
        return False
    steps = {(int(after) - int(before)) % 10 for before, after in itertools.pairwise(signs)}
    return steps in ({1}, {9})
