"""Tables that leave the service: what a column is, and the same rows as CSV and as a workbook for Excel.

A cell is text, a number, an instant, or None for what is not known. An instant is written as the wall clock of the
network, since neither format has a zone; the sheet of definitions names it.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from greenchannel.viewer.words import SHOWN_ZONE, Word

BOM: Final = "\ufeff"
NOTHING_TO_SAY: Final = Word("", "")
ZONE_NAME: Final = Word("北京时间 UTC+8", "UTC+8")
_FORMULA: Final = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "＝",  # an input method for Chinese types these, and some versions of Excel run them as well
    "＋",
    "－",
    "＠",
)  # what a spreadsheet would run, or hide a formula behind
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the oldest date of a zip: equal input gives equal bytes
_HEAD_FILL: Final = "#dbe6f4"
_GAP_FILL: Final = "#fff2cc"
_GREY: Final = "#80868b"
_WIDEST: Final = 60
_MEANING_LETTERS: Final = 78  # of a line in the sheet of definitions
_LINE_PT: Final = 15
_ONE_PAGE_WIDE: Final = 230  # letters that can still be read on one A4 sheet


@dataclass(frozen=True, slots=True)
class Gap:
    """A cell without a value that says why: missing, or not asked for. In CSV it is empty."""

    word: Word
    owed: bool = False  # somebody should fill it


@dataclass(frozen=True, slots=True)
class Coded:
    """A code and what it means: programs get the code (CSV), people the words (workbook)."""

    code: str
    word: Word


Value = str | float | int | datetime | Gap | Coded | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One column."""

    id: str
    zh: str
    en: str
    kind: str = "text"  # "text", "time", "number" (one decimal), "whole", "share" (0 to 1)
    about: Word = NOTHING_TO_SAY  # for the sheet of definitions
    width: int | None = None  # in letters; None: by its kind

    def title(self, english: bool) -> str:
        """What stands above it."""
        return self.en if english else self.zh


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """One sheet."""

    id: str
    name: Word
    columns: Sequence[Column]
    rows: Sequence[Sequence[Value]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Book:
    """A workbook: tables, and what is to be known of them."""

    title: Word
    tables: Sequence[Table]
    notes: Sequence[tuple[Word, Word]] = field(default_factory=tuple)  # name and text, above the definitions


def local(at: datetime) -> datetime:
    """An instant as the network's clocks show it, without a zone; spreadsheets have none."""
    return at.astimezone(SHOWN_ZONE).replace(tzinfo=None)


def safe_text(text: str) -> str:
    """A text that no spreadsheet takes for a formula: an apostrophe stands before what looks like one."""
    return f"'{text}" if text.startswith(_FORMULA) else text


# ---------------------------------------------------------------- CSV


def csv_bytes(table: Table, *, english: bool = False, ids: bool = False) -> bytes:
    """The table by RFC 4180, in UTF-8 with the mark by which Excel knows it.

    Parameters
    ----------
    ids : the heads are the ids of the columns, for programs; else the words of the language
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([column.id if ids else safe_text(column.title(english)) for column in table.columns])
    for row in table.rows:
        writer.writerow([_csv_cell(value, column) for value, column in zip(row, table.columns, strict=True)])
    return (BOM + out.getvalue()).encode()


def _csv_cell(value: Value, column: Column) -> str:
    if value is None or isinstance(value, Gap):
        return ""
    if isinstance(value, datetime):
        return f"{local(value):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, Coded):
        return safe_text(value.code)
    if isinstance(value, str):
        return safe_text(value)
    return _number(value, column.kind)


def _number(value: float, kind: str) -> str:
    if kind == "share":
        return f"{value:.4f}"
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.10g}"


def zip_bytes(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Files in one, of no date of their own."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            entry = zipfile.ZipInfo(name, date_time=_EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return out.getvalue()


# ---------------------------------------------------------------- XLSX


def xlsx_bytes(book: Book, *, made_at: datetime, english: bool = False) -> bytes:
    """The book for Excel: dates are dates, heads stay in sight, and the last sheet says what each column means."""
    import xlsxwriter  # not before somebody asks for a workbook

    out = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(out, options) as workbook:
        workbook.set_properties({"title": book.title[english], "created": local(made_at)})
        workbook.set_size(2400, 1600)
        formats = _formats(workbook)
        for table in book.tables:
            _sheet(workbook, table, formats, english)
        _definitions(workbook, book, formats, made_at, english)
    return out.getvalue()


def _formats(workbook: Any) -> dict[str, Any]:
    plain = {"valign": "top", "font_name": "Microsoft YaHei", "font_size": 10}
    return {
        "text": workbook.add_format(plain | {"text_wrap": False}),
        "wrapped": workbook.add_format(plain | {"text_wrap": True}),
        "time": workbook.add_format(plain | {"num_format": "yyyy-mm-dd hh:mm:ss", "align": "left"}),
        "number": workbook.add_format(plain | {"num_format": "0.0"}),
        "whole": workbook.add_format(plain | {"num_format": "0"}),
        "share": workbook.add_format(plain | {"num_format": "0.0%"}),
        "head": workbook.add_format(
            plain
            | {"bold": True, "bg_color": _HEAD_FILL, "text_wrap": True, "valign": "vcenter", "border": 1}
        ),
        "title": workbook.add_format(plain | {"bold": True, "font_size": 14}),
        "owed": workbook.add_format(plain | {"bg_color": _GAP_FILL, "italic": True}),
        "none": workbook.add_format(plain | {"font_color": _GREY}),
    }


_WIDTHS: Final = {"time": 20, "number": 11, "whole": 10, "share": 10}


def _width(column: Column, english: bool, values: Iterable[Value]) -> float:
    if column.width is not None:
        return column.width
    if column.kind != "text":
        return _WIDTHS[column.kind]
    words = (value.word[english] if isinstance(value, Coded) else value for value in values)
    longest = max((_letters(word) for word in words if isinstance(word, str)), default=0)
    return min(_WIDEST, max(9, longest + 2, _letters(column.title(english)) / 2 + 2))


def _letters(text: str) -> int:
    """How wide a text is, in digits: a Chinese letter is two."""
    return sum(2 if ord(char) > 0x2E7F else 1 for char in text)


def _sheet(workbook: Any, table: Table, formats: dict[str, Any], english: bool) -> None:
    sheet = workbook.add_worksheet(table.name[english][:31])
    sheet.freeze_panes(1, 1)
    sheet.set_row(0, 32)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.repeat_rows(0)
    whole = 0.0
    for index, column in enumerate(table.columns):
        width = _width(column, english, [row[index] for row in table.rows[:500]])
        whole += width
        sheet.set_column(index, index, width)
        sheet.write_string(0, index, column.title(english), formats["head"])
    for number, row in enumerate(table.rows, start=1):
        for index, (value, column) in enumerate(zip(row, table.columns, strict=True)):
            _write(sheet, number, index, value, column, formats, english)
    if whole <= _ONE_PAGE_WIDE:
        sheet.fit_to_pages(1, 0)
    else:  # on paper it goes on to the right, with the first column again
        sheet.set_print_scale(70)
        sheet.repeat_columns(0)
    if table.rows:
        sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)


def _write(
    sheet: Any,
    row: int,
    column: int,
    value: Value,
    spec: Column,
    formats: dict[str, Any],
    english: bool,
) -> None:
    if value is None:
        return
    if isinstance(value, Gap):
        sheet.write_string(row, column, value.word[english], formats["owed" if value.owed else "none"])
    elif isinstance(value, Coded):
        sheet.write_string(row, column, value.word[english], formats["text"])
    elif isinstance(value, datetime):
        sheet.write_datetime(row, column, local(value), formats["time"])
    elif isinstance(value, str):
        # Written as a string and never run: no apostrophe is needed here.
        sheet.write_string(row, column, value, formats["text"])
    else:
        sheet.write_number(row, column, value, formats[spec.kind if spec.kind in _WIDTHS else "number"])


def _definitions(
    workbook: Any, book: Book, formats: dict[str, Any], made_at: datetime, english: bool
) -> None:
    sheet = workbook.add_worksheet("Definitions" if english else "定义")
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    for column, width in enumerate((22, 30, 26, 12, _MEANING_LETTERS + 2)):
        sheet.set_column(column, column, width)
    sheet.set_row(0, 24)
    sheet.write_string(0, 0, book.title[english], formats["title"])
    notes = [
        *book.notes,
        (Word("生成时间", "made at"), Word(*(f"{local(made_at):%Y-%m-%d %H:%M}",) * 2)),
        (Word("时间", "times"), ZONE_NAME),
        (
            Word("空单元格", "an empty cell"),
            Word("未知，既不是 0，也不是“否”", "is unknown: neither 0 nor no"),
        ),
    ]
    for row, (name, text) in enumerate(notes, start=1):
        sheet.write_string(row, 0, name[english], formats["text"])
        sheet.write_string(row, 1, text[english], formats["text"])
    start = len(notes) + 2
    heads = (
        ("Sheet", "Column", "Id", "Kind", "Meaning") if english else ("工作表", "列", "标识", "类型", "含义")
    )
    for column, head in enumerate(heads):
        sheet.write_string(start, column, head, formats["head"])
    row = start
    for table in book.tables:
        for spec in table.columns:
            row += 1
            cells = (
                table.name[english],
                spec.title(english),
                spec.id,
                KINDS[spec.kind][english],
                spec.about[english],
            )
            # Nobody computes the height of a wrapped line but Excel, and not before it is edited.
            sheet.set_row(row, _LINE_PT * max(1, -(-_letters(cells[-1]) // _MEANING_LETTERS)))
            for column, cell in enumerate(cells):
                sheet.write_string(row, column, cell, formats["wrapped"])


KINDS: Final = {
    "text": Word("文本", "text"),
    "time": Word("日期时间", "date and time"),
    "number": Word("数值", "number"),
    "whole": Word("整数", "whole number"),
    "share": Word("比例", "share"),
}


def definitions(book: Book) -> Table:
    """The meaning of every column, as a table of its own."""
    columns = (
        Column(id="table", zh="表", en="table"),
        Column(id="column", zh="列标识", en="column"),
        Column(id="zh", zh="中文名", en="Chinese"),
        Column(id="en", zh="英文名", en="English"),
        Column(id="kind", zh="类型", en="kind"),
        Column(id="about_zh", zh="含义", en="meaning, Chinese"),
        Column(id="about_en", zh="含义（英文）", en="meaning, English"),
    )
    rows = [
        (table.id, one.id, one.zh, one.en, one.kind, one.about.zh, one.about.en)
        for table in book.tables
        for one in table.columns
    ]
    return Table(id="dictionary", name=Word("数据字典", "Dictionary"), columns=columns, rows=rows)
