"""Vital signs as clinics send them: those that rules know are read as numbers or refused, the rest is kept as it is."""

from collections.abc import Mapping
from typing import Any, Final

from greenchannel.ingest.errors import IngestError, shown

RANGES: Final[dict[str, tuple[float, float]]] = {
    **dict.fromkeys(("systolic_mmhg", "systolic", "sbp", "sbp_mmhg"), (20.0, 350.0)),
    **dict.fromkeys(("diastolic_mmhg", "diastolic", "dbp", "dbp_mmhg"), (10.0, 250.0)),
    **dict.fromkeys(("potassium_mmol_l", "potassium"), (0.5, 15.0)),
    **dict.fromkeys(("heart_rate", "hr"), (0.0, 400.0)),
    "spo2": (0.0, 100.0),
}
"""Key → lowest and highest value that can be. Beyond them it is a slip of the pen.  [E]"""

FLAGS: Final = frozenset({"shock", "earlier_infarction", "troponin_raised", "digoxin", "symptoms"})
"""Keys that are yes or no."""

_YES: Final = frozenset({"yes", "true", "1", "y", "是", "有"})
_NO: Final = frozenset({"no", "false", "0", "n", "否", "无"})


def normal(vitals: Mapping[str, Any]) -> dict[str, Any]:
    """The vital signs with the known ones as numbers: ``"80"`` is 80, ``"yes"`` is 1.

    Raises
    ------
    IngestError
        ``bad_field`` where a known one is no number, or none that can be.
    """
    return {key: _value(key, value) for key, value in vitals.items()}


def _value(key: str, value: Any) -> Any:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if key in FLAGS:
        word = str(value).strip().lower()
        if word in _YES or word in _NO:
            return int(word in _YES)
        raise _refused(key, "yes or no", value)
    if key not in RANGES:
        return value
    low, high = RANGES[key]
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise _refused(key, "a number", value) from None
    if isinstance(value, bool) or not low <= number <= high:
        raise _refused(key, f"a number from {low:g} to {high:g}", value)
    return int(number) if number.is_integer() else number


def _refused(key: str, expected: str, value: Any) -> IngestError:
    return IngestError("bad_field", f"the vital sign {key} cannot be taken", expected, shown(value))
