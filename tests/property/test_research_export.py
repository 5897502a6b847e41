"""What leaves for research leads back to nobody."""

import io
import re
import zipfile
from collections import Counter
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenchannel.alerts.quality.record import CaseRecord, RecordAlert
from greenchannel.alerts.quality.research import age_band, coded, for_research
from greenchannel.viewer.export_research import dictionary_json, research_book, research_json, research_zip
from tests.form_records import DAY, told, transfer

KEY = b"the key of an export, 32 bytes.."
QUASI = ("site_code", "year", "age_band", "sex", "arrival_mode")
SECRET_SITES = ("clinic-yinzhao", "clinic-jishi", "clinic-far-away")
DATE = re.compile(r"(19|20)\d\d-\d\d|\d\d:\d\d")


@st.composite
def records(draw: st.DrawFn) -> list[CaseRecord]:
    """A few to many cases, some of them alike."""
    count = draw(st.integers(0, 40))
    found = []
    for number in range(count):
        fmc = DAY + timedelta(minutes=draw(st.integers(0, 3 * 365 * 24 * 60)))
        record = transfer(
            f"case-secret-{number}",
            fmc=fmc,
            without=tuple(draw(st.sets(st.sampled_from(["FMC", "SPOKE_DOOR", "WIRE", "ECG1_ACQ"])))),
            site=draw(st.sampled_from(SECRET_SITES)),
            age_years=draw(st.sampled_from([None, 18.0, 61.0, 62.0, 89.5, 90.0, 97.0, 104.0])),
            sex=draw(st.sampled_from(["male", "female", None])),
            arrival_mode=draw(st.sampled_from([1, 2, 3, None])),
            alerts=(
                RecordAlert(
                    alert_id="alert-secret", tier="ACT", rules=("STE-1",), opened_at=fmc, end="cancelled"
                ),
            ),
        )
        if draw(st.booleans()):
            day = fmc.replace(hour=0, minute=0)
            record.times["ONSET"] = told(day, 6, 8, f"{day:%Y-%m-%d} 6-8")
        found.append(record)
    return found


@given(records())
def test_no_row_stands_alone(cases: list[CaseRecord]) -> None:
    """Every combination of what may give a patient away belongs to at least five, and every case is accounted for."""
    found = for_research(cases, KEY)
    cells = Counter(tuple(getattr(row, name) for name in QUASI) for row in found.rows)

    assert all(count >= 5 for count in cells.values())
    assert len(found.rows) + found.left_out == len(cases)


@given(records())
def test_no_id_no_person_no_place_and_no_date_leaves(cases: list[CaseRecord]) -> None:
    """Whatever file it is: none of them is in it."""
    found = for_research(cases, KEY)
    with zipfile.ZipFile(io.BytesIO(research_zip(found, DAY))) as archive:
        texts = [archive.read(name).decode("utf-8-sig") for name in archive.namelist() if "xlsx" not in name]
    cells = [str(cell) for table in research_book(found).tables for row in table.rows for cell in row]
    rows = msgspec.json.encode(research_json(found)["cases"]).decode()
    unwanted = ["secret", "dr-li", "dr-wang", "d-1", "Yinzhao", *SECRET_SITES]

    assert [word for word in unwanted for text in (*texts, *cells, rows) if word in text] == []
    assert [cell for cell in (*cells, rows) if DATE.search(cell)] == []


@given(records(), st.integers(1, 400 * 24 * 60))
def test_neither_the_hour_nor_the_day_changes_a_minute(cases: list[CaseRecord], shift_min: int) -> None:
    """The same cases at another time of the week have the same minutes: none of them tells when it was."""
    shift = timedelta(minutes=shift_min)
    later = [
        msgspec.structs.replace(
            case,
            times={
                name: msgspec.structs.replace(
                    time, at=time.at + shift, earliest=time.earliest + shift, latest=time.latest + shift
                )
                for name, time in case.times.items()
            },
        )
        for case in cases
    ]
    minutes = {row.case_code: (row.minutes, row.zero) for row in for_research([*cases, *_crowd()], KEY).rows}
    shifted = {row.case_code: (row.minutes, row.zero) for row in for_research([*later, *_crowd()], KEY).rows}

    both = minutes.keys() & shifted.keys()
    assert {code: minutes[code] for code in both} == {code: shifted[code] for code in both}


def _crowd() -> list[CaseRecord]:
    return [transfer(f"crowd-{number}", age_years=None, sex=None, arrival_mode=None) for number in range(10)]


def test_an_onset_told_as_a_day_has_no_minutes() -> None:
    """How far its midnight lies from the first contact would be the hour of the day."""
    cases = [transfer(f"c-{number}") for number in range(5)]
    for case in cases:
        case.times["ONSET"] = told(DAY.replace(hour=0), 0, 24, "2026-05-04")
    row = for_research(cases, KEY).rows[0]

    assert "ONSET" not in row.minutes
    assert row.told_as_day == ("ONSET",)
    assert (row.minutes["FMC"], row.minutes["WIRE"], row.zero) == (0.0, 92.0, "FMC")


def test_another_key_gives_other_codes() -> None:
    """Two exports cannot be joined without their keys."""
    cases = [transfer(f"c-{number}") for number in range(5)]
    first, second = (for_research(cases, key) for key in (KEY, KEY[::-1]))

    assert {row.case_code for row in first.rows}.isdisjoint(row.case_code for row in second.rows)
    assert coded(KEY, "site", "c-1") != coded(KEY, "case", "c-1")


def test_a_short_key_is_refused() -> None:
    """A key that can be guessed is none."""
    with pytest.raises(ValueError, match="at least 16 bytes, got 3"):
        for_research([], b"abc")


@pytest.mark.parametrize(
    ("years", "band"), [(None, None), (0.4, "0-4"), (61, "60-64"), (89.9, "85-89"), (90, "90+"), (104, "90+")]
)
def test_ages_over_89_are_one(years: float | None, band: str | None) -> None:
    """The oldest of a county is known to everybody."""
    assert age_band(years, 5) == band


def test_a_rare_combination_is_made_coarser_and_counted() -> None:
    """One old woman among men: her site is given up, then her age is widened, until she is not alone or left out."""
    cases = [transfer(f"c-{number}") for number in range(9)]
    found = for_research([*cases, transfer("rare", age_years=96.0, sex="female")], KEY)

    assert (len(found.rows), found.left_out) == (9, 1)
    assert found.made_coarser["site_code"] >= 1


def test_the_dictionary_explains_every_column_and_code() -> None:
    """Whoever gets the file alone can read it."""
    found = for_research([transfer(f"c-{number}") for number in range(5)], KEY)
    columns = {one["id"]: one for one in dictionary_json(found)["columns"]}

    assert list(columns) == [one.id for one in research_book(found).tables[0].columns]
    assert columns["diagnosis"]["codes"]["STEMI"]["en"] == "STEMI"
