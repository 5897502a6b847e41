"""Tables that leave the service: CSV and workbooks that open well, and nothing in them that runs."""

import csv
import io
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from xml.etree import ElementTree

import openpyxl
import pytest

from greenchannel.viewer.export_cases import cases_book, cases_table, times_table
from greenchannel.viewer.export_form import form_book, form_json, form_table, form_xml
from greenchannel.viewer.export_table import (
    Book,
    Coded,
    Column,
    Gap,
    Table,
    csv_bytes,
    definitions,
    safe_text,
    xlsx_bytes,
    zip_bytes,
)
from greenchannel.viewer.words import Word
from tests.form_records import DAY, time, told, transfer

SITES = {"clinic-yinzhao": Word("阴赵卫生院", "Yinzhao clinic")}
COLUMNS = (
    Column(id="name", zh="名称", en="name", about=Word("说明", "what it is")),
    Column(id="at", zh="时间", en="time", kind="time"),
    Column(id="minutes", zh="分钟", en="minutes", kind="whole"),
    Column(id="share", zh="比例", en="share", kind="share"),
)


def table(*rows: tuple[object, ...]) -> Table:
    return Table(id="t", name=Word("表", "Sheet"), columns=COLUMNS, rows=rows)  # type: ignore[arg-type]


def rows_of(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def opened(data: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(data))


# ---------------------------------------------------------------- CSV


def test_a_csv_begins_with_the_mark_by_which_excel_knows_chinese() -> None:
    """Without it Excel reads UTF-8 as the code page of the machine."""
    data = csv_bytes(table())

    assert data == "\ufeff名称,时间,分钟,比例\r\n".encode()


def test_a_time_is_the_wall_clock_of_the_network() -> None:
    """16:05 in Henan, whatever zone it came in."""
    came = datetime(2026, 5, 4, 3, 5, tzinfo=timezone(timedelta(hours=-5)))

    assert rows_of(csv_bytes(table(("a", came, 3.0, 0.5))))[1] == ["a", "2026-05-04 16:05:00", "3", "0.5000"]


def test_what_is_not_known_is_empty_and_never_zero() -> None:
    """Nothing, and a gap with its reason, are empty in CSV."""
    assert (
        rows_of(csv_bytes(table((None, Gap(Word("缺失", "missing"), owed=True), None, None))))[1] == [""] * 4
    )


@pytest.mark.parametrize(
    "text", ["=1+1", "+86 138", "-2", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("x")', "＝1+1", "＠A1"]
)
def test_a_formula_is_text(text: str) -> None:
    """A name that begins like a formula does not run in the spreadsheet of the committee."""
    shown = rows_of(csv_bytes(table((text, None, None, None))))[1][0]

    assert shown.startswith("'")
    assert shown.endswith(text)


def test_a_code_is_for_programs_and_its_words_for_people() -> None:
    """CSV has the code, the workbook what it means in its language."""
    coded = table((Coded("2", Word("转院", "transfer")), None, None, None))
    book = Book(title=Word("书", "book"), tables=(coded,))

    assert rows_of(csv_bytes(coded))[1][0] == "2"
    assert opened(xlsx_bytes(book, made_at=DAY))["表"]["A2"].value == "转院"
    assert opened(xlsx_bytes(book, made_at=DAY, english=True))["Sheet"]["A2"].value == "transfer"


def test_a_negative_number_stays_a_number() -> None:
    """Only texts can be formulas."""
    assert rows_of(csv_bytes(table(("a", None, -3.0, None))))[1][2] == "-3"


def test_quotes_commas_and_line_breaks_survive() -> None:
    """RFC 4180: what went in comes out."""
    text = 'he said "a,b"\nand more'

    assert rows_of(csv_bytes(table((text, None, None, None))))[1][0] == text
    assert safe_text("安全") == "安全"


# ---------------------------------------------------------------- workbooks


def test_a_workbook_has_dates_numbers_and_texts_of_their_kinds() -> None:
    """Excel can sort and count them; a formula stays the text that it is."""
    book = Book(title=Word("书", "book"), tables=(table(("=1+1", DAY, 49.0, 0.25)),))
    sheet = opened(xlsx_bytes(book, made_at=DAY))["表"]
    row = [cell.value for cell in sheet[2]]

    assert row == ["=1+1", datetime(2026, 5, 4, 16, 0), 49, 0.25]  # noqa: DTZ001  a sheet has no zones
    assert sheet["A2"].data_type == "s"
    assert (sheet["B2"].number_format, sheet["D2"].number_format) == ("yyyy-mm-dd hh:mm:ss", "0.0%")
    assert sheet.freeze_panes == "B2"


def test_the_last_sheet_says_what_each_column_means() -> None:
    """Whoever opens the file alone can read it."""
    book = Book(title=Word("书", "book"), tables=(table(),))
    words = [
        [cell.value for cell in row] for row in opened(xlsx_bytes(book, made_at=DAY))["定义"].iter_rows()
    ]

    assert ["表", "名称", "name", "文本", "说明"] in words
    assert any("北京时间" in str(cell) for row in words for cell in row)


def test_both_languages_have_their_heads() -> None:
    """The same rows under English names."""
    book = Book(title=Word("书", "book"), tables=(table(),))

    assert opened(xlsx_bytes(book, made_at=DAY, english=True)).sheetnames == ["Sheet", "Definitions"]
    assert rows_of(csv_bytes(table(), english=True))[0] == ["name", "time", "minutes", "share"]
    assert rows_of(csv_bytes(table(), ids=True))[0] == ["name", "at", "minutes", "share"]


def test_an_owed_cell_is_shaded_and_says_so() -> None:
    """A gap is seen at a glance."""
    sheet = opened(xlsx_bytes(form_book("cpc_stemi", [transfer()], SITES), made_at=DAY))["国家表单"]
    heads = {cell.value: cell.column for cell in sheet[1]}
    cell = sheet.cell(2, heads["肌钙蛋白抽血完成时间*"])

    assert (cell.value, cell.fill.fgColor.rgb) == ("缺失", "FFFFF2CC")


def test_equal_input_gives_equal_bytes() -> None:
    """A file that is made twice can be compared."""
    book = form_book("cpc_stemi", [transfer()], SITES)

    assert xlsx_bytes(book, made_at=DAY) == xlsx_bytes(book, made_at=DAY)
    assert zip_bytes([("a.csv", b"1")]) == zip_bytes([("a.csv", b"1")])
    with zipfile.ZipFile(io.BytesIO(zip_bytes([("a.csv", b"1")]))) as archive:
        assert archive.read("a.csv") == b"1"


# ---------------------------------------------------------------- the form


def test_the_form_as_csv_has_a_row_a_case_with_the_site_by_name() -> None:
    """The wire at 17:32, the minutes computed, the share at the end."""
    heads, row = rows_of(csv_bytes(form_table("cpc_stemi", [transfer()], SITES), ids=True))
    said = dict(zip(heads, row, strict=True))

    assert said["site"] == said["referring_site"] == "阴赵卫生院"
    assert said["wire_at"] == "2026-05-04 17:32:00"
    assert said["door_to_wire_min"] == "26"
    assert said["troponin_drawn_at"] == said["call_at"] == ""
    assert "consult_called_at=ALERT_SENT" in said["stands_in"]


def test_a_told_day_is_written_as_it_was_told() -> None:
    """No hour is made up for the file."""
    record = transfer()
    record.times["ONSET"] = told(DAY.replace(hour=0), 6, 8, "2026-05-04 6-8")
    heads, row = rows_of(csv_bytes(form_table("cpc_stemi", [record], SITES), ids=True))

    assert dict(zip(heads, row, strict=True))["onset_at"] == "2026-05-04 6-8"
    times = {one[1]: one for one in times_table([record]).rows}
    assert (times["ONSET"][3], times["ONSET"][6]) == (None, "2026-05-04 6-8")


def test_the_xml_holds_every_field_with_its_state() -> None:
    """An unknown field is there and empty; a corrected one says so."""
    record = transfer()
    record.times["WIRE"] = time(DAY + timedelta(minutes=92), "quality", entered=True, corrected=True)
    root = ElementTree.fromstring(form_xml("cpc_stemi", [record], DAY))
    found = {one.get("id"): one for one in root.iter("field")}

    assert (found["wire_at"].text, found["wire_at"].get("corrected")) == ("2026-05-04 17:32:00", "true")
    assert (found["outcome"].text, found["outcome"].get("state")) == (None, "missing")


def test_the_json_of_one_case_keeps_every_value_that_was_said() -> None:
    """The form shows the standing value; the first is beside it."""
    said = {"WIRE": [{"at": "2026-05-04T17:31:00+08:00"}, {"at": "2026-05-04T17:32:00+08:00"}]}
    form = form_json(transfer(), "cpc_stemi", said)
    wire = next(one for one in form["fields"] if one["id"] == "wire_at")

    assert len(wire["values"]) == 2
    assert (form["filled"]["required_times"], form["filled"]["without_typing"]) == (26, 18)
    assert {one["code"] for one in form["problems"]} == {"missing"}


# ---------------------------------------------------------------- the registry


def test_the_registry_has_a_row_a_case_in_the_order_they_were_opened() -> None:
    """Minutes only where both times are known."""
    records = [transfer("c-2", fmc=DAY + timedelta(days=1), without=("WIRE",)), transfer("c-1")]
    heads, first, second = rows_of(csv_bytes(cases_table(records, SITES), ids=True))
    one, two = (dict(zip(heads, row, strict=True)) for row in (first, second))

    assert (one["case_id"], one["FMC_TO_WIRE_min"], one["DIDO_min"]) == ("c-1", "92", "29")
    assert (two["case_id"], two["FMC_TO_WIRE_min"]) == ("c-2", "")


def test_every_column_of_every_export_is_in_the_dictionary() -> None:
    """No column goes without a word."""
    book = cases_book([transfer()], SITES)
    listed = {(row[0], row[1]) for row in definitions(book).rows}

    assert listed == {(table.id, column.id) for table in book.tables for column in table.columns}


def test_no_table_has_a_column_twice() -> None:
    """A column is found by its id."""
    for book in (cases_book([transfer()], SITES), form_book("single_disease", [transfer()], SITES)):
        for one in book.tables:
            ids = [column.id for column in one.columns]
            assert sorted(set(ids)) == sorted(ids)


def test_made_at_is_said_in_the_file() -> None:
    """When the numbers were counted."""
    made = datetime(2026, 6, 1, 1, 30, tzinfo=UTC)
    sheet = opened(xlsx_bytes(cases_book([], SITES), made_at=made))["定义"]

    assert "2026-06-01 09:30" in [cell.value for row in sheet.iter_rows() for cell in row]
