"""Plain tables: a header line with lead names and units, one line a sample. `docs/formats/csv.md` has the form."""

import io
import math
import re
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.ingest.channels import (
    Channel,
    check_counts,
    leads_of_labels,
    mv_per_unit,
    recording_of,
    scaled,
)
from greenchannel.ingest.csv_table import Table, top_of, values_of
from greenchannel.ingest.errors import IngestError, shown
from greenchannel.ingest.lead_names import lead_of_name
from greenchannel.ingest.parsed import ParsedEcg, plausible_age, sex_of
from greenchannel.ingest.texts import decode_text, lines_of
from greenchannel.signal.recording import ELECTRODE_SETS, MAX_RATE_HZ

_SNIFFED_BYTES: Final = 16 * 1024
_UNITED: Final = re.compile(
    r"(?P<name>.*?)\s*(?:[(\[](?P<inside>[^)\]]*)[)\]]|[/_ ](?P<behind>[mun\u00b5\u03bc]?V))", re.IGNORECASE
)
_LONGEST_S: Final = 1e11  # as clocks count since 1970, in seconds or in milliseconds that are called so
_TIME_NAMES: Final = frozenset({"time", "t", "seconds", "zeit", "temps", "时间"})
_INDEX_NAMES: Final = frozenset({"sample", "samples", "index", "n", "no", "#", "", "序号"})
_SECONDS: Final = {
    "s": 1.0,
    "sec": 1.0,
    "seconds": 1.0,
    "ms": 1e-3,
    "us": 1e-6,
    "\u00b5s": 1e-6,
    "\u03bcs": 1e-6,
}


def looks_like_csv(data: bytes) -> bool:
    """Whether the first line that is no comment has a cell that is a lead's name."""
    if data[:1] in b"{<" or (b"\0" in data[:_SNIFFED_BYTES] and data[:2] not in (b"\xff\xfe", b"\xfe\xff")):
        return False
    head = decode_text(data[:_SNIFFED_BYTES], "utf-8")
    try:
        table = top_of(iter(io.StringIO(head, newline=None)))
    except IngestError:
        return False
    named = sum(_lead_of_column(cell) is not None for cell in table.columns)
    first = table.columns[0]
    alone = len(table.columns) == 1 and (bool(_split_unit(first)[1]) or bool(table.settings))
    return named > 1 or (named == 1 and (alone or _time_of(first) is not None))


def read_csv(data: bytes) -> ParsedEcg:
    """Make one ECG of a table.

    Raises
    ------
    IngestError
        ``malformed`` with the line and what is wrong, ``unsupported`` for units that are not of voltage,
        ``empty_body`` or ``too_large``.
    """
    lines = lines_of(data)
    table = top_of(lines)
    tolerated: list[str] = []
    names = [_split_unit(cell)[0] for cell in table.columns]
    timed = _time_of(table.columns[0])
    labels = [
        "" if index == 0 and (timed or names[0].lower() in _INDEX_NAMES) else name
        for index, name in enumerate(names)
    ]
    found = {index: lead for index, lead in leads_of_labels(labels, tolerated).items()}
    tolerated = [note for note in tolerated if not note.startswith("channel ''")]
    wanted = [0, *found] if timed else list(found)
    values, units_row = values_of(lines, table, wanted)
    check_counts(len(found), values.shape[0], 1.0)
    times_s = values[:, 0] * timed if timed else None
    rate_hz, places = _rate(table, times_s)
    channels = []
    for column, (index, lead) in zip(range(bool(timed), len(wanted)), found.items(), strict=True):
        unit = (
            _split_unit(table.columns[index])[1] or units_row.get(index, "") or table.settings.get("unit", "")
        )
        samples_mv = scaled(values[:, column], mv_per_unit(unit, lead), 0.0, lead)
        channels.append(Channel(lead, rate_hz, _placed(samples_mv, places, len(found), tolerated)))
    return _parsed(channels, table.settings, tolerated)


def _split_unit(cell: str) -> tuple[str, str]:
    match = _UNITED.fullmatch(cell)
    return (
        (cell, "") if match is None else (match["name"], (match["inside"] or match["behind"] or "").strip())
    )


def _lead_of_column(cell: str) -> str | None:
    return lead_of_name(_split_unit(cell)[0]) or lead_of_name(cell)


def _time_of(cell: str) -> float | None:
    """Seconds in the unit of a time column; None for any other column."""
    name, unit = _split_unit(cell)
    behind = re.fullmatch(r"(.*?)[_/ ](s|sec|ms|us)", name.lower())
    if behind is not None:
        name, unit = behind[1], behind[2]
    return _SECONDS.get(unit.lower() or "s") if name.strip().lower() in _TIME_NAMES else None


def _rate(table: Table, times_s: NDArray[np.float64] | None) -> tuple[float, NDArray[np.int64] | None]:
    """Samples per second, and the place of each row on its axis where rows are missing."""
    words = [
        table.settings[name]
        for name in ("rate", "rate_hz", "fs", "sampling_rate", "frequency")
        if name in table.settings
    ]
    said = None
    if words:
        match = re.fullmatch(r"(\d{1,6}(?:[.,]\d{1,12})?)\s*(?:hz)?", words[0].strip(), re.IGNORECASE)
        if match is None or not float(match[1].replace(",", ".")) > 0:
            raise IngestError("malformed", "the rate cannot be read", "rate=500", shown(words[0], 20))
        said = float(match[1].replace(",", "."))
    if times_s is None:
        if said is None:
            raise IngestError(
                "malformed", "the rate is not said", "a column time (s), or a line # rate=500", "neither"
            )
        return said, None
    if np.isnan(times_s).any() or np.abs(times_s).max() > _LONGEST_S:
        raise IngestError(
            "malformed", "a time is missing", "a time in each line", "none, or no time of an ECG"
        )
    steps = np.diff(times_s)
    if steps.size == 0 or not (steps > 0).all():
        if said is not None and steps.size == 0:
            return said, None
        raise IngestError("malformed", "the times do not rise", "a later time in each line", "others")
    if steps.min() < 1 / MAX_RATE_HZ / 2:
        raise IngestError(
            "malformed", "the times are too close", f"at most {MAX_RATE_HZ:g} Hz", f"{steps.min():g} s"
        )
    rate_hz = said if said is not None else _rate_of_steps(steps)
    places = np.rint((times_s - times_s[0]) * rate_hz)
    strayed = np.abs((times_s - times_s[0]) * rate_hz - places).max()
    if not (np.diff(places) >= 1).all() or strayed > 0.4:
        raise IngestError(
            "malformed", "the times are not those of one rate", f"whole steps at {rate_hz:g} Hz", "others"
        )
    check_counts(1, int(places[-1]) + 1, rate_hz)
    whole = places[-1] == places.size - 1
    return rate_hz, None if whole else places.astype(np.int64)


def _rate_of_steps(steps: NDArray[np.float64]) -> float:
    """The rate behind times that were written with few digits: a whole one, if it fits them from end to end."""
    usual = float(np.sort(steps)[(steps.size - 1) // 2])
    near = steps[np.abs(steps - usual) < 0.4 * usual]
    rate_hz = float(near.size / near.sum())
    whole = max(1.0, float(round(rate_hz)))
    drift = abs(1 / rate_hz - 1 / whole) * near.size * whole
    return whole if drift < 1.0 else rate_hz


def _placed(
    samples_mv: NDArray[np.float32], places: NDArray[np.int64] | None, leads: int, tolerated: list[str]
) -> NDArray[np.float32]:
    if places is None:
        return samples_mv
    check_counts(leads, int(places[-1]) + 1, 1.0)
    placed = np.full(int(places[-1]) + 1, np.nan, dtype=np.float32)
    placed[places] = samples_mv
    note = f"the times leave out {placed.size - samples_mv.size} samples; taken as gaps"
    if note not in tolerated:
        tolerated.append(note)
    return placed


def _parsed(channels: list[Channel], settings: dict[str, str], tolerated: list[str]) -> ParsedEcg:
    age_years, note = plausible_age(settings.get("age", settings.get("age_years", "")))
    tolerated += [note] if note else []
    acquired = None
    if settings.get("acquired"):
        try:
            acquired = datetime.fromisoformat(settings["acquired"])
        except ValueError:
            tolerated.append("the time of acquisition is not in the form of ISO 8601; ignored")
    electrode_set = settings.get("electrode_set", "standard")
    if electrode_set not in ELECTRODE_SETS:
        tolerated.append(f"electrode set {shown(electrode_set, 20)} is not known; taken as standard")
        electrode_set = "standard"
    filters = {}
    for key in ("low_hz", "high_hz", "notch_hz"):
        try:
            value = float(settings.get(key, "nan"))
        except ValueError:
            value = math.nan
        if 0 < value < math.inf:
            filters[key] = value
    zoned = acquired is not None and acquired.utcoffset() is not None
    return ParsedEcg(
        recording=recording_of(
            channels, tolerated, started_at=acquired, filters=filters, electrode_set=electrode_set
        ),
        format="csv",
        age_years=age_years,
        sex=sex_of(settings.get("sex", settings.get("gender", ""))),
        acquired=acquired,
        acquired_has_zone=zoned,
        identifiers={key: settings[key] for key in ("name", "patient_id") if settings.get(key)},
        filters=filters,
        tolerated=tuple(tolerated),
    )
