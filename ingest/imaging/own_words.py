"""The patient's own names and numbers, looked for in texts that would otherwise stay."""

import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise, permutations
from typing import Any, Final

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

FREE_TEXT: Final = frozenset({"LO", "LT", "SH", "ST", "UC", "UT"})
CODES: Final = frozenset({"CodeValue", "LongCodeValue", "URNCodeValue"})
_SEARCHED: Final = FREE_TEXT | {"CS", "UR", "IS", "DS"}
_CODED: Final = re.compile(r"[A-Z0-9 _]{0,16}")  # PS3.5 6.2: what a CS may hold
_WORD_MIN: Final = 3  # letters of a name that count where they stand alone in a free text
_CODED_WORD_MIN: Final = 4  # and in a coded value, where CT and MR are no names
_NUMBER_MIN: Final = 4  # characters: shorter ones are everywhere
_RUN_MIN: Final = 6  # so long ones are found within longer words, too
# [K] what is a person's number whoever the patient is: a mobile number and an identity card number of the mainland
_ANYBODY: Final = re.compile(
    r"(?<![0-9])(?:1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4}|[1-9][0-9]{16}[0-9Xx])(?![0-9])"
)


class OwnWords:
    """What names this patient: every name and number that the header states as the patient's."""

    def __init__(self, image: Dataset, *, names: frozenset[str], numbers: frozenset[str]) -> None:
        self._orders: set[tuple[str, ...]] = set()
        self._runs: set[str] = set()
        self._words: set[str] = set()
        self._numbers: set[str] = set()
        for element in image.iterall():
            if element.keyword in names:
                for one in _values(element):
                    for written in str(one).split("="):
                        self._name(written)
            elif element.keyword in numbers:
                self._numbers.update(filter(None, (_run(str(one)) for one in _values(element))))
        self._numbers = {one for one in self._numbers if len(one) >= _NUMBER_MIN}
        self._runs |= {one for one in self._numbers if len(one) >= _RUN_MIN}

    def _name(self, written: str) -> None:
        words = tuple(_split(written))[:5]
        if not words:
            return
        together = "".join(words)
        if not together.isascii():  # written without blanks: 王^小明 is 王小明
            self._runs |= {together} if len(together) > 1 else set()
            return
        self._words.update(word for word in words if len(word) >= _WORD_MIN and not word.isdigit())
        for some in permutations(words, min(len(words), 2)):
            self._orders.add(some)
            self._runs |= {"".join(some)} if len("".join(some)) >= _RUN_MIN else set()

    def stand_in(self, element: DataElement) -> bool:
        """Whether this element, which would stay, names the patient or carries somebody's number."""
        if element.VR not in _SEARCHED:
            return False
        return any(self._named(str(one), element) for one in _values(element))

    def _named(self, text: str, element: DataElement) -> bool:
        if element.VR in ("IS", "DS"):
            return text.strip() in self._runs & self._numbers
        words, run = list(_split(text)), _run(text)
        if any(one in run for one in self._runs) or not self._numbers.isdisjoint(words):
            return True
        if any(len(order) > 1 and pair == order for pair in pairwise(words) for order in self._orders):
            return True
        if element.VR == "CS":
            return any(
                order[0] in words
                for order in self._orders
                if len(order) == 1 and len(order[0]) >= _CODED_WORD_MIN
            )
        return not self._words.isdisjoint(words) or (
            element.keyword not in CODES and _ANYBODY.search(unicodedata.normalize("NFKC", text)) is not None
        )


def texts_in(dataset: Dataset, *, but: frozenset[str], dummy: str, within: str = "") -> Iterable[str]:
    """The places of what somebody may have typed, nested ones as ``ProcedureCodeSequence.CodeMeaning``."""
    for element in dataset:
        place = within + element.keyword
        if element.keyword in but:
            continue
        if element.VR == "SQ":
            for item in element.value or ():
                yield from texts_in(item, but=but, dummy=dummy, within=f"{place}.")
        elif any(str(one) not in ("", dummy) for one in _values(element)) and _typed(element):
            yield place


def _typed(element: DataElement) -> bool:
    if element.VR == "CS":  # a code that no code can be
        return not all(_CODED.fullmatch(str(one)) for one in _values(element))
    if element.keyword in CODES or element.keyword.startswith("CodingScheme"):
        return False
    return element.VR in FREE_TEXT or element.VR == "UR"


def _values(element: DataElement) -> list[Any]:
    value = element.value
    if value is None:
        return []
    return list(value) if element.VM > 1 else [value]


def _split(text: str) -> Iterable[str]:
    return re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).casefold())


def _run(text: str) -> str:
    return "".join(_split(text))
