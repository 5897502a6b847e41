"""Whether the number of a patient in a file is one. Pure.

Many machines fill it in by themselves where nobody did. Such a number would lead all patients of a day into one case,
so it counts as none: every ECG is a case of its own then, and a person may join them.
"""

import re
from typing import Final

from greenchannel.ingest.fields import MAX_REF

LEAST: Final = 3  # letters and digits  [E]
_FILLERS: Final = frozenset(
    {
        "unknown", "anonymous", "anonymized", "anonymised", "none", "null", "nil", "n/a", "test", "demo", "default",
        "patient", "noname", "noid", "temp", "123", "1234", "12345", "123456", "1234567", "12345678", "123456789",
        "未知", "无名氏", "匿名", "测试", "无",
    }
)  # fmt: skip
_SIGNS: Final = re.compile(r"[\W_]+")


def usable_ref(word: str | None) -> str | None:
    """The number as it may be sent; None where it is none, or a filler."""
    ref = (word or "").strip()
    signs = _SIGNS.sub("", ref).casefold()
    if len(signs) < LEAST or len(ref) > MAX_REF or not ref.isprintable():
        return None
    if signs in _FILLERS or ref.casefold() in _FILLERS or len(set(signs)) == 1:
        return None
    return ref
