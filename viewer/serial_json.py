"""Two ECGs of one patient side by side: the comparison as it goes over the wire, with words for each difference."""

import math
from collections.abc import Mapping
from typing import Any, Final

from greenchannel.signal import serial
from greenchannel.signal.serial import Comparison, LeadChange, MeasuredBeat
from greenchannel.triage.comparison import INTERVALS
from greenchannel.triage.quantities import quantity
from greenchannel.viewer.words import Word

Json = dict[str, Any]

REASONS: Final[dict[str, Word]] = {
    "electrode_sets_differ": Word("电极位置不同，不能比较", "the electrodes were at other places"),
    "reversed_leads": Word("其中一份疑似导联接反，不能比较", "one of the two has leads that seem swapped"),
    "no_beat": Word("其中一份没有可用的中位心搏", "one of the two has no median beat"),
    "no_common_lead": Word("没有两份都可用的导联", "no lead is usable in both"),
    "not_analysed": Word("其中一份没有自动分析", "one of the two was not analysed"),
}
"""Why two recordings are not compared."""

_SHAPES: Final[dict[str, Word]] = {
    "t_polarity": Word("T 波方向改变", "T turned over"),
    "qrs_shape": Word("QRS 形态改变", "QRS of another shape"),
    "st_t_shape": Word("ST-T 形态改变", "ST-T of another shape"),
}
_ST: Final = ("stj_mv", "st60_mv", "st80_mv")
_DIGITS: Final = 4


def not_compared(reason: str) -> Json:
    """The answer where nothing can be compared: every key is there."""
    return {
        "compared": False,
        "reason": {"code": reason, **REASONS[reason]._asdict()},
        "shift_ms": None,
        "intervals": {},
        "leads": {},
        "differences": [],
        "limits": _limits(),
    }


def comparison(earlier: MeasuredBeat, later: MeasuredBeat) -> Json:
    """Later against earlier, lead by lead, with what changed by more than measuring error."""
    found = serial.compare(earlier, later)
    if not found.compared:
        return not_compared(found.reason or "no_beat")
    order = {lead: index for index, lead in enumerate(later.leads)}
    names = sorted(found.leads, key=order.__getitem__)
    return {
        "compared": True,
        "reason": None,
        "shift_ms": _rounded(found.shift_ms),
        "intervals": _intervals(found, earlier, later),
        "leads": {name: _lead(name, found.leads[name], earlier, later) for name in names},
        "differences": _differences(found, names, earlier, later),
        "limits": _limits(),
    }


def beat(measured: MeasuredBeat | None) -> Json | None:
    """A median beat to draw: mV, lead by lead; positions in seconds from its first sample."""
    if measured is None:
        return None
    return {
        "rate_hz": serial.RATE_HZ,
        "r_s": serial.R_AT / serial.RATE_HZ,
        "qrs_on_s": measured.qrs_on / serial.RATE_HZ,
        "qrs_off_s": measured.qrs_off / serial.RATE_HZ,
        "samples_mv": {
            lead: [None if math.isnan(value) else value for value in row]
            for lead, row in zip(measured.leads, measured.beat_mv.tolist(), strict=True)
        },
    }


def _limits() -> Json:
    """By how much a value must change to count; amplitudes also by a share of the larger of the two."""
    return {"amplitude_mv": serial.AMPLITUDE_MV, "share": serial.RELATIVE, "interval": serial.INTERVAL}


def _lead(name: str, change: LeadChange, earlier: MeasuredBeat, later: MeasuredBeat) -> Json:
    return {
        "values": {
            key: {
                "earlier": _value(earlier, name, key),
                "later": _value(later, name, key),
                "change": _rounded(by),
            }
            for key, by in change.change_mv.items()
        },
        "aligned_mv": {key: _rounded(by) for key, by in change.aligned_mv.items()},
        "t_polarity_changed": change.t_polarity_changed,
        "qrs_correlation": _rounded(change.qrs_correlation),
        "st_t_correlation": _rounded(change.st_t_correlation),
        "rms_mv": _rounded(change.rms_mv),
        "exceeds": change.exceeds,
    }


def _intervals(found: Comparison, earlier: MeasuredBeat, later: MeasuredBeat) -> Json:
    return {
        key: {
            "earlier": earlier.intervals.get(key),
            "later": later.intervals.get(key),
            "change": _rounded(by),
            "exceeds": key in found.exceeds,
        }
        for key, by in found.changes.items()
    }


def _differences(
    found: Comparison, names: list[str], earlier: MeasuredBeat, later: MeasuredBeat
) -> list[Json]:
    """What changed by more than measuring error: the heart as a whole first, then the leads in their order."""
    lines = [
        _line(None, key, earlier.intervals.get(key), later.intervals.get(key), by)
        for key, by in found.changes.items()
        if key in found.exceeds
    ]
    for name in names:
        change = found.leads[name]
        for key in _plain(change.exceeds):
            if key in _SHAPES:
                word = _SHAPES[key]
                lines.append(_words(name, key, None, None, None, word.zh, word.en))
            else:
                pair = _value(earlier, name, key), _value(later, name, key)
                lines.append(_line(name, key, *pair, change.change_mv.get(key)))
    return lines


def _plain(exceeds: tuple[str, ...]) -> list[str]:
    """One line for the level of ST: J where it moved, otherwise the first that did."""
    levels = [key for key in exceeds if key in _ST]
    return [key for key in exceeds if key not in levels[1:]]


def _line(lead: str | None, key: str, old: float | None, new: float | None, by: float | None) -> Json:
    row = quantity(INTERVALS.get(key, key))
    head = "" if lead is None else f"{lead} "
    if old is None or new is None or by is None:
        return _words(lead, key, old, new, by, f"{head}{row.zh} 改变", f"{head}{row.en} changed")
    sign = f"{by:+.{row.digits}f} {row.unit}".rstrip().replace("-", "−")
    pair = f"{_written(row.written(old), row.unit)} → {row.written(new)}".replace("-", "−")
    return _words(
        lead, key, old, new, by, f"{head}{row.zh} {sign}（{pair}）", f"{head}{row.en} {sign} ({pair})"
    )


def _written(value: str, unit: str) -> str:
    return value.removesuffix(unit).rstrip() if unit else value


def _words(
    lead: str | None, key: str, old: float | None, new: float | None, by: float | None, zh: str, en: str
) -> Json:
    numbers: Mapping[str, float | None] = {"earlier": old, "later": new, "change": by}
    return {
        "lead": lead,
        "quantity": INTERVALS.get(key, key),
        **{name: _rounded(value) for name, value in numbers.items()},
        "zh": zh,
        "en": en,
    }


def _value(measured: MeasuredBeat, lead: str, key: str) -> float | None:
    values = measured.amplitudes.get(key)
    if values is None or lead not in measured.leads:
        return None
    value = float(values[measured.leads.index(lead)])
    return None if math.isnan(value) else _rounded(value)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
