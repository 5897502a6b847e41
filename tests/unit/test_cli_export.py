"""`greenchannel export`: files from a data folder, and a note of each."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner, Result

from greenchannel.alerts.golden import published_case
from greenchannel.alerts.order import NATIONAL_ZONE
from greenchannel.cli.main import app
from greenchannel.store.access import AccessLog
from greenchannel.store.engine import open_engine
from tests.desk_world import World, run

DAY = date(2026, 3, 1)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder with the published case."""
    folder = tmp_path_factory.mktemp("export")

    async def story(world: World, desk: Any) -> None:
        await desk.enter_history(
            "yinzhao",
            lambda case_id, patient: published_case(
                DAY, NATIONAL_ZONE, case_id=case_id, site="yinzhao", patient=patient
            ),
        )

    run(folder, story)
    yield folder


def told(data: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["export", *words, "--data", str(data)])


def done(data: Path, *words: str) -> Result:
    result = told(data, *words)
    assert result.exit_code == 0, result.output
    return result


def test_the_published_case_fills_its_form_and_invents_nothing(data: Path, tmp_path: Path) -> None:
    """29 and 49 minutes; who saw the patient first in the hospital is missing, and stays so."""
    done(data, "form", "--out", str(tmp_path / "form.json"))
    (case,) = json.loads((tmp_path / "form.json").read_text())["cases"]
    fields = {one["id"]: one for one in case["fields"]}

    assert (fields["door_to_wire_min"]["value"], fields["fmc_to_wire_min"]["value"]) == (29, 49)
    unknown = ["onset_at", "ecg1_at", "spoke_door_at", "spoke_out_at", "cath_called_at", "cath_ready_at"]
    assert [(name, fields[name]["state"], fields[name]["value"]) for name in unknown] == [
        (name, "missing", None) for name in unknown
    ]
    assert fields["fmc_to_ecg_min"]["value"] is None


def test_every_kind_of_file_is_made(data: Path, tmp_path: Path) -> None:
    """By the ending of its name; the numbers are those of the case."""
    for words in (
        ("form", "f.csv"),
        ("form", "f.xml"),
        ("form", "f.xlsx"),
        ("cases", "c.csv"),
        ("cases", "c.xlsx"),
        ("metrics", "m.csv"),
        ("metrics", "m.xlsx"),
        ("research", "r.zip"),
        ("research", "r.json"),
    ):
        done(data, words[0], "--out", str(tmp_path / words[1]))
    (row,) = csv.DictReader(io.StringIO((tmp_path / "c.csv").read_text("utf-8-sig")))
    metrics = list(csv.DictReader(io.StringIO((tmp_path / "m.csv").read_text("utf-8-sig"))))
    door = next(one for one in metrics if one["指标标识"] == "china.d2w" and one["口径"] == "all")

    assert row["导丝通过"] == "2026-03-01 16:54:00"
    assert (door["均值（分）"], door["达标例数"]) == ("29", "1")
    assert openpyxl.load_workbook(tmp_path / "m.xlsx").sheetnames == ["指标", "按月", "指标定义", "定义"]
    assert json.loads((tmp_path / "r.json").read_text())["cases"] == [], "one case stands alone"
    with zipfile.ZipFile(tmp_path / "r.zip") as archive:
        assert "dictionary.json" in archive.namelist()


def test_a_month_is_a_pdf_or_its_numbers(data: Path, tmp_path: Path) -> None:
    """The month of the case has it, the next has none."""
    done(data, "report", "--month", "2026-03", "--out", str(tmp_path / "m.pdf"))
    done(data, "report", "--month", "2026-03", "--out", str(tmp_path / "m.json"))
    later = done(data, "report", "--month", "2026-04", "--out", str(tmp_path / "n.json"))

    assert (tmp_path / "m.pdf").read_bytes().startswith(b"%PDF-")
    assert json.loads((tmp_path / "m.json").read_text())["cases"] == 1
    assert "0 cases" in later.output


def test_a_timeline_has_every_value_with_its_source(data: Path, tmp_path: Path) -> None:
    """Of one case by its id; a case that is not there is said."""
    done(data, "cases", "--out", str(tmp_path / "c.csv"))
    (row,) = csv.DictReader(io.StringIO((tmp_path / "c.csv").read_text("utf-8-sig")))
    done(data, "timeline", row["病例号"], "--out", str(tmp_path / "t.json"))
    wire = next(
        one for one in json.loads((tmp_path / "t.json").read_text())["milestones"] if one["id"] == "WIRE"
    )

    assert wire["values"][0]["source"] == "published_report"
    assert told(data, "timeline", "none", "--out", str(tmp_path / "t.json")).exit_code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("cases", "--out", "a.doc"), ".csv, .xlsx"),
        (("form", "--out", "a.csv", "--form", "other"), "cpc_stemi"),
        (("cases", "--out", "a.csv", "--table", "people"), "times"),
        (("cases", "--out", "a.csv", "--from", "yesterday"), "yesterday"),
        (("metrics", "--out", "a.csv", "--standard", "other"), "esc_2017"),
        (("report", "--out", "a.pdf", "--month", "May"), "2026-05"),
    ],
)
def test_what_cannot_be_made_is_refused_in_words(words: tuple[str, ...], said: str, data: Path) -> None:
    """What was expected, and nothing is written."""
    result = told(data, *words)

    assert result.exit_code == 2
    assert said in result.output.replace("\n", " ")
    assert not Path(words[2]).exists()


def test_what_nobody_has_is_refused_and_no_empty_file_is_written(data: Path, tmp_path: Path) -> None:
    """A file without a case says that there was none; a slip of the pen is no answer."""
    out = tmp_path / "none.csv"
    for words in (("--site", "yinzhoa"), ("--diagnosis", "stemi")):
        assert told(data, "cases", "--out", str(out), *words).exit_code == 2
        assert not out.exists()
    done(data, "cases", "--out", str(out), "--site", "yinzhao", "--diagnosis", "NSTEMI")


def test_every_export_is_noted(data: Path, tmp_path: Path) -> None:
    """Somebody with a shell took it, and how many cases."""
    done(data, "cases", "--out", str(tmp_path / "c.csv"))
    engine = open_engine(f"sqlite:///{data / 'greenchannel.sqlite'}")
    try:
        newest = AccessLog(engine).newest_of("export_")[0]
    finally:
        engine.dispose()

    assert (newest.actor, newest.action, newest.detail) == (
        "service:cli",
        "export_cases",
        "csv cases cases=1",
    )
