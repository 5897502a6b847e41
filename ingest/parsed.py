"""What a reader makes of a file."""

import math
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, Literal

from greenchannel.signal.recording import Recording

Sex = Literal["male", "female"]

DAYS_A_YEAR: Final = 365.25


@dataclass(frozen=True, kw_only=True, slots=True)
class ParsedEcg:
    """One ECG with everything its file says. What the file does not say is None or empty."""

    recording: Recording

    format: str
    """``wfdb``, or the name of a row of `formats.FORMATS`."""

    age_years: float | None = None

    sex: Sex | None = None

    acquired: datetime | None = None
    """Start of the acquisition as written: without a zone where the file has none."""

    acquired_has_zone: bool = False
    """Whether `acquired` is an instant, or must take the zone of its site."""

    identifiers: dict[str, str] = field(default_factory=dict)
    """``name`` and ``patient_id`` as in the file. Never to be logged."""

    device_statements: tuple[str, ...] = ()
    """What the machine that made the file thinks of it: an opinion, not a reading."""

    filters: dict[str, float] = field(default_factory=dict)
    """``low_hz``, ``high_hz``, ``notch_hz`` as the device applied them."""

    tolerated: tuple[str, ...] = ()
    """Where the file strays from its format, or holds more than was taken; one sentence each."""


def plausible_age(text: str) -> tuple[float | None, str | None]:
    """Age in years from a word of a file, and a note where the word was not used.

    ``NaN``, ``n/a`` and nothing mean unknown without a note; some data sets write 300 for "over 89".
    """
    word = text.strip()
    try:
        age_years = float(word)
    except ValueError:
        known_blank = word.lower() in ("", "n/a", "na", "unknown", "?", "-")
        return None, None if known_blank else f"age {word[:20]!r} is not a number; taken as unknown"
    if math.isnan(age_years) or age_years == -1:
        return None, None
    if not 0 <= age_years <= 130:
        return None, f"age {word[:20]} is not within 0 to 130; taken as unknown"
    return age_years, None


def age_between(born: date | None, acquired: date | None) -> float | None:
    """Whole years from one day to the other; None where either is unknown or the span is no age."""
    if born is None or acquired is None:
        return None
    first, last = (at.date() if isinstance(at, datetime) else at for at in (born, acquired))
    days = (last - first).days
    return float(int(days / DAYS_A_YEAR)) if 0 <= days <= 130 * DAYS_A_YEAR else None


def sex_of(text: str) -> Sex | None:
    """``male`` or ``female`` for the words that files use (m, f, male, female, 男, 女); None for any other."""
    match text.strip().lower():
        case "m" | "male" | "男" | "男性":
            return "male"
        case "f" | "female" | "女" | "女性":
            return "female"
        case _:
            return None
