"""The lines of a plain table: comments, the header line, and columns of numbers."""

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.texts import number_of

_DELIMITERS: Final = ("\t", ";", ",")
_SETTING: Final = re.compile(r"\s*([\w ]{1,24}?)\s*[=:](.*)")
_MISSING: Final = frozenset({"", "NAN", "NA", "N/A", "NULL", "-"})
_MAX_VALUES: Final = 12_000_000
_MAX_CAREFUL: Final = 500_000
"""Cells in stretches that hold more than plain numbers: each of them takes its time."""
_ROWS_AT_ONCE: Final = 1024
_MAX_LINE: Final = 10_000
_MAX_CELL: Final = 60
_MAX_COLUMNS: Final = 128


@dataclass(slots=True)
class Table:
    """The top of a file."""

    columns: list[str] = field(default_factory=list)
    delimiter: str = ","
    settings: dict[str, str] = field(default_factory=dict)  # of the comment lines, names in lower case
    line: int = 0  # of the header, from 1


def top_of(lines: Iterator[str]) -> Table:
    """Comments and the header line; `lines` then stands behind it."""
    table = Table()
    for table.line, line in enumerate(lines, start=1):
        if len(line) > _MAX_LINE:
            raise IngestError(
                "malformed", "the header line is too long", f"{_MAX_LINE} characters", f"{len(line)}"
            )
        bare = line.strip()
        if bare.startswith(("#", "%", "//")):
            setting = _SETTING.fullmatch(bare.lstrip("#%/"))
            if setting is not None:
                table.settings[setting[1].lower().replace(" ", "_")] = setting[2].strip(" \t,;")
        elif bare:
            table.delimiter = max(_DELIMITERS, key=line.count)
            table.columns = [
                cell.strip().strip('"').strip()[:_MAX_CELL]
                for cell in line.strip("\r\n").split(table.delimiter)
            ]
            while len(table.columns) > 1 and not table.columns[-1]:
                table.columns.pop()
            if len(table.columns) > _MAX_COLUMNS:
                raise IngestError(
                    "malformed", "there are too many columns", f"{_MAX_COLUMNS}", f"{len(table.columns)}"
                )
            return table
    raise IngestError("malformed", "there is no header line", "lead names with units, as I (mV)", "nothing")


def values_of(
    lines: Iterator[str], table: Table, wanted: list[int]
) -> tuple[NDArray[np.float64], dict[int, str]]:
    """The wanted columns, shape ``(rows, columns)``, and the units where the second line holds them."""
    parts: list[NDArray[np.float64]] = []
    units: dict[int, str] = {}
    line, held, careful = table.line, 0, 0
    while chunk := list(islice(lines, _ROWS_AT_ONCE)):
        if max(map(len, chunk)) > _MAX_LINE:
            raise IngestError("malformed", "a line is too long", f"{_MAX_LINE} characters", "more")
        if not parts and not units:
            cells = _cells(chunk[0], table)
            if _is_units(cells):
                units = {index: cell.strip().strip("()[]") for index, cell in enumerate(cells)}
                chunk[0] = ""
        part = _quick(chunk, table, wanted)
        if part is None:
            careful += len(chunk) * len(wanted)
            part = _careful(chunk, table, wanted, line)
        parts.append(part)
        line += len(chunk)
        held += part.size
        if held > _MAX_VALUES:
            raise IngestError("too_large", "the table has too many cells", f"at most {_MAX_VALUES}", "more")
        if careful > _MAX_CAREFUL:
            raise IngestError(
                "too_large",
                "too much of the table is not plain numbers",
                f"at most {_MAX_CAREFUL} cells",
                "more",
            )
    return (np.concatenate(parts) if parts else np.empty((0, len(wanted)))), units


def _cells(line: str, table: Table) -> list[str]:
    return line.rstrip("\r\n").replace('"', "").split(table.delimiter)


def _quick(chunk: list[str], table: Table, wanted: list[int]) -> NDArray[np.float64] | None:
    """Lines that are numbers and nothing else; None where any of them is not."""
    bare = (line.replace('"', "") for line in chunk)
    rows = [line.replace(",", ".") for line in bare] if table.delimiter != "," else list(bare)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            part = np.loadtxt(rows, delimiter=table.delimiter, usecols=wanted, comments=None, ndmin=2)
        except (ValueError, UserWarning, DeprecationWarning):
            return None
    return part if np.isfinite(part).all() else None


def _careful(chunk: list[str], table: Table, wanted: list[int], line: int) -> NDArray[np.float64]:
    """Any lines: comments left out, missing samples as NaN, and an error that names its line."""
    rows = []
    for text in chunk:
        line += 1
        bare = text.strip(" \r\n")
        if not bare or bare.startswith(("#", "%", "//")):
            continue
        cells = _cells(text, table)
        if len(cells) <= max(wanted):
            raise IngestError(
                "malformed", f"line {line} is too short", f"{len(table.columns)} cells", f"{len(cells)}"
            )
        picked = [
            cells[index].replace(",", ".") if table.delimiter != "," else cells[index] for index in wanted
        ]
        rows.append([number_of(cell, _MISSING, f"line {line}") for cell in picked])
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(wanted))


def _is_units(cells: list[str]) -> bool:
    words = [cell.strip().strip("()[]").lower() for cell in cells]
    return any(words) and all(re.fullmatch(r"|s|ms|[mun\u00b5\u03bc]?v", word) for word in words)
