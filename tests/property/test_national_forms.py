"""Whatever a record holds, its forms are filled without inventing anything."""

import csv
import io
from datetime import datetime
from xml.etree import ElementTree

import pytest

from greenchannel.alerts.quality.form_checks import check, gaps
from greenchannel.alerts.quality.national_form import fields, filled_share, form_of, forms, owners
from greenchannel.viewer.export_form import form_book, form_json, form_table, form_xml
from greenchannel.viewer.export_table import csv_bytes
from tests.form_records import DAY
from tests.quality_records import records

SOME = list(records(11, 400))


@pytest.mark.parametrize("form", list(forms()))
def test_every_answer_is_in_the_record(form: str) -> None:
    """A time of the form is a time of the record, of its own milestone or of the one that it names."""
    for record in SOME:
        for cell in form_of(record, form).cells:
            if cell.spec.milestone is None or not cell.known:
                continue
            time = record.times[cell.stands_in or cell.spec.milestone]
            assert (cell.told, cell.source, cell.corrected) == (time.told, time.source, time.corrected)
            assert cell.value == (None if time.told is not None else time.at)


@pytest.mark.parametrize("form", list(forms()))
def test_what_is_missing_is_asked_for_and_is_somebodys_gap(form: str) -> None:
    """States, gaps, problems and the share count the same things."""
    by_owner = gaps(SOME, form)
    listed = {(gap.case_id, gap.field) for found in by_owner.values() for gap in found}
    counted = set()
    for record in SOME:
        filled = form_of(record, form)
        missing = {cell.spec.id for cell in filled.cells if cell.state == "missing"}
        counted |= {(record.case_id, field) for field in missing}
        assert all(cell.asked and cell.spec.required and not cell.known for cell in filled.missing)
        assert {one.fields[0] for one in check(record, form) if one.code == "missing"} == missing
        share = filled_share(record, form)
        assert share.required - share.filled == len(share.missing) == len(missing & _times(form))
        assert max(share.by_service, share.without_typing) <= share.filled
        assert {one.owner for one in check(record, form)} <= owners().keys()

    assert listed == counted
    assert sum(len(found) for found in by_owner.values()) == len(listed)


def _times(form: str) -> set[str]:
    return {field.id for field in fields(form) if field.kind == "time" and field.required}


@pytest.mark.parametrize("form", list(forms()))
def test_one_more_time_never_makes_the_form_emptier(form: str) -> None:
    """Taking a time away from a record takes no answer of another field that is not of it."""
    for record in SOME[:100]:
        whole = filled_share(record, form)
        for name in list(record.times):
            fewer = type(record)(
                **{one: getattr(record, one) for one in record.__struct_fields__ if one != "times"},
                times={key: time for key, time in record.times.items() if key != name},
            )
            assert filled_share(fewer, form).filled <= whole.filled


@pytest.mark.parametrize("form", list(forms()))
def test_every_kind_of_file_says_the_same(form: str) -> None:
    """CSV, JSON and XML have the same answers in the same fields."""
    rows = csv.reader(
        io.StringIO(csv_bytes(form_table(form, SOME, {}), ids=True).decode("utf-8-sig"), newline="")
    )
    heads, *lines = rows
    cases = list(ElementTree.fromstring(form_xml(form, SOME, DAY)))
    assert len(lines) == len(cases) == len(SOME)
    for record, line, case in zip(SOME, lines, cases, strict=True):
        in_csv = dict(zip(heads, line, strict=True))
        in_xml = {one.get("id"): one.text or "" for one in case}
        in_json = {one["id"]: one for one in form_json(record, form)["fields"]}
        assert list(in_xml) == list(in_json) == [field.id for field in fields(form)]
        assert {name: in_csv[name] for name in in_json} == in_xml
        known = {name for name, one in in_json.items() if one["state"] == "known"}
        assert known == {name for name, text in in_xml.items() if text}


@pytest.mark.parametrize("form", list(forms()))
def test_a_row_has_a_cell_for_every_column(form: str) -> None:
    """In every table of the workbook, and no instant is without its zone."""
    for table in form_book(form, SOME, {}).tables:
        for row in table.rows:
            assert len(row) == len(table.columns)
            assert all(cell.tzinfo is not None for cell in row if isinstance(cell, datetime))
