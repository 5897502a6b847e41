"""Values of a DICOM data set as they may be used: each that is not there, or cannot be read, is None."""

import re
import struct
import zlib
from datetime import date, time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

MAX_TEXT: Final = 1024  # of a reason or a description, in characters  [E]
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]+")

# What pydicom lets out when its input is broken; it parses values when they are asked for, so it may come anywhere.
PYDICOM_RAISES: Final = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, OSError, RuntimeError, TypeError,
    ValueError, struct.error, zlib.error, NotImplementedError, RecursionError, MemoryError,
)  # fmt: skip


def in_charset(text: str, codec: str | None) -> str:
    """Text that was read as Latin-1, in the charset that it is in; as it was read where it cannot be."""
    if codec is None or text.isascii():
        return text
    try:
        return text.encode("latin-1").decode(codec)
    except UnicodeError:
        return text


class Getter:
    """Values of one data set; None for each that is not there or cannot be read."""

    def __init__(self, dataset: "Dataset", codec: str | None = None) -> None:
        """`codec`: of the texts, where it is another than Latin-1, as which they were read."""
        self._dataset = dataset
        self._codec = codec

    def within(self, codec: str | None) -> "Getter":
        """The same values, their texts in this charset."""
        return Getter(self._dataset, codec)

    def _value(self, name: str) -> Any:
        try:
            return self._dataset.get(name)
        except Exception as error:
            if isinstance(error, PYDICOM_RAISES) or type(error).__module__.startswith("pydicom"):
                return None
            raise

    def raw_text(self, name: str) -> str:
        """Text as it was read, several values with backslashes between; "" where there is none."""
        value = self._value(name)
        if value is None:
            return ""
        if not isinstance(value, str) and hasattr(value, "__iter__") and not hasattr(value, "components"):
            value = "\\".join(str(one) for one in value)
        return str(value)

    def text(self, name: str, most: int = MAX_TEXT) -> str | None:
        """Text of at most so many characters, without control characters; several values with backslashes between."""
        found = _CONTROL.sub(" ", in_charset(self.raw_text(name), self._codec)).strip()
        return found[:most] or None

    def code(self, name: str) -> str | None:
        """A code in capitals."""
        found = self.text(name, 64)
        return None if found is None else found.upper()

    def numbers(self, name: str) -> tuple[float, ...] | None:
        """All values as numbers; None where one is none."""
        value = self._value(name)
        try:
            given = list(value) if hasattr(value, "__iter__") and not isinstance(value, str) else [value]
            found = tuple(float(one) for one in given if one is not None and one != "")
        except (TypeError, ValueError):
            return None
        return found if found and all(abs(one) < 1e9 for one in found) else None  # no NaN either

    def number(self, name: str) -> float | None:
        """The first value as a number."""
        found = self.numbers(name)
        return None if found is None else found[0]

    def whole(self, name: str) -> int | None:
        """The first value as a whole number."""
        found = self.number(name)
        return None if found is None else int(found)

    def day(self, name: str) -> date | None:
        """A date, also as files of before 1993 write it (``1995.07.20``)."""
        match = re.fullmatch(r"(\d{4})[.\-/]?(\d{2})[.\-/]?(\d{2})", self.text(name) or "")
        try:
            return None if match is None else date(int(match[1]), int(match[2]), int(match[3]))
        except ValueError:
            return None

    def clock(self, name: str) -> time | None:
        """A time of the wall clock, with its minutes at least."""
        match = re.fullmatch(
            r"(\d{2}):?(\d{2})?:?(\d{2})?(?:\.(\d{1,6}))?\d*", (self.text(name) or "").strip()
        )
        try:
            if match is None or match[2] is None:
                return None  # the hour alone is no time
            return time(
                int(match[1]),
                int(match[2]),
                min(int(match[3] or 0), 59),
                int((match[4] or "0").ljust(6, "0")),
            )
        except ValueError:
            return None

    def items(self, name: str) -> "list[Getter]":
        """The items of a sequence."""
        value = self._value(name)
        try:
            return [Getter(item, self._codec) for item in value or ()]
        except TypeError:
            return []
