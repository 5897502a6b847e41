"""`greenchannel analyze` as a program that other programs call."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from greenchannel.cli.analyze import expand
from greenchannel.cli.main import app
from greenchannel.county.devices import LSB_MV, simulated
from greenchannel.ingest import reader
from greenchannel.ingest.dicom_ecg_write import write_dicom_ecg
from greenchannel.ingest.wfdb_write import write_wfdb_zip
from tests.require import ROOT

INFARCTION = "extensive_anterior_high_lateral_stemi"


def run(*words: str | Path, said: str | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "greenchannel", *map(str, words)],
        capture_output=True,
        text=True,
        input=said,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "200"},
    )


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def ecgs(tmp_path: Path) -> Path:
    """A folder with an infarction, a quiet heart and a file that is none."""
    folder = tmp_path / "ecgs"
    folder.mkdir()
    sick = simulated(INFARCTION, seed=1)
    (folder / "a.dcm").write_bytes(write_dicom_ecg(sick, acquired=None, age_years=61.0, sex="male"))
    quiet = simulated("baseline_sinus", seed=2)
    (folder / "b.zip").write_bytes(
        write_wfdb_zip(quiet, lsb_mv=LSB_MV, age_years=None, sex=None, acquired=None)
    )
    (folder / "c.zip").write_bytes(b"not an archive")
    return folder


def test_each_file_is_one_line_of_json_in_the_order_given(ecgs: Path) -> None:
    """A file that cannot be read has its line too, the rest are analysed, and the status is 1."""
    done = run("analyze", ecgs / "c.zip", ecgs / "a.dcm", ecgs / "no.dcm", ecgs / "b.zip", "--json")
    found = lines(done.stdout)

    assert done.returncode == 1
    assert [Path(one["source"]).name for one in found] == ["c.zip", "a.dcm", "no.dcm", "b.zip"]
    assert [one.get("error", {}).get("code") for one in found] == ["unknown_format", None, "not_found", None]
    assert found[1]["tier"] == "ACT"
    assert found[1]["patient"] == {"age_years": 61.0, "sex": "male"}
    assert found[3]["patient"] == {"age_years": None, "sex": None}


def test_a_fault_of_ours_in_one_file_costs_no_other_file(
    ecgs: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It has its line with the kind of the fault alone; the trace goes to the log; the status is 1."""
    read = reader.read_ecg

    def stumbles(files: Any) -> Any:
        if files[0][1][:2] == b"PK":
            raise ZeroDivisionError("a name that must not be printed")
        return read(files)

    monkeypatch.setattr(reader, "read_ecg", stumbles)
    done = CliRunner().invoke(app, ["analyze", str(ecgs), "--json", "--jobs", "1"])
    found = lines(done.stdout)

    assert done.exit_code == 1
    assert [one.get("tier") for one in found] == ["ACT", None, None]
    assert found[1]["error"] == {"code": "internal_error", "message": "ZeroDivisionError"}
    assert "must not be printed" not in done.stdout
    assert "Traceback" in caplog.text and "b.zip" in caplog.text


def test_a_file_that_may_not_be_opened_is_told_and_the_rest_are_read(
    ecgs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one whose name says nothing, so that its first bytes would have to."""
    shut = ecgs / "nameless"
    shut.write_bytes(b"")
    opened = Path.open

    def refuses(path: Path, *given: Any, **more: Any) -> Any:
        if path == shut:
            raise PermissionError(13, "Permission denied")
        return opened(path, *given, **more)

    monkeypatch.setattr(Path, "open", refuses)
    assert list(expand([ecgs])) == [ecgs / name for name in ("a.dcm", "b.zip", "c.zip", "nameless")]


def test_a_folder_means_the_ecgs_in_it_and_more_processes_change_nothing(ecgs: Path) -> None:
    """The pool's answers are those of one process, in the same order."""
    for number in range(4):
        (ecgs / f"d{number}.dcm").write_bytes((ecgs / "a.dcm").read_bytes())
    (ecgs / "notes.txt").write_text("not an ECG")
    one, two = (run("analyze", ecgs, "--json", "--jobs", jobs) for jobs in ("1", "2"))

    assert one.stdout == two.stdout
    assert [Path(found["source"]).name for found in lines(one.stdout)] == [
        "a.dcm", "b.zip", "c.zip", "d0.dcm", "d1.dcm", "d2.dcm", "d3.dcm",
    ]  # fmt: skip


def test_options_override_the_file(ecgs: Path) -> None:
    """Age, sex and chest pain of the command line stand before what the file says."""
    done = run("analyze", ecgs / "a.dcm", "--age", "33", "--sex", "female", "--chest-pain", "yes", "--json")

    assert (done.returncode, done.stderr) == (0, "")
    assert lines(done.stdout)[0]["patient"] == {"age_years": 33.0, "sex": "female"}


def test_a_person_reads_both_languages_and_never_the_word_normal(ecgs: Path) -> None:
    """Without --json the summary names tier, rule and evidence, and that nobody has reviewed it."""
    done = run("analyze", ecgs / "a.dcm", ecgs / "b.zip")

    assert done.returncode == 0, done.stderr
    assert "自动分析（未审核）" in done.stdout and "没有规则触发，不能排除心肌梗死" in done.stdout
    assert "STE-1" in done.stdout and "ST at J" in done.stdout
    assert "正常" not in done.stdout and "normal" not in done.stdout


@pytest.mark.parametrize("name", ["out.png", "out.pdf"])
def test_the_plot_is_written(ecgs: Path, tmp_path: Path, name: str) -> None:
    """As PNG or PDF by its name."""
    done = run("analyze", ecgs / "a.dcm", "--json", "--plot", tmp_path / name)

    assert done.returncode == 0, done.stderr
    assert (tmp_path / name).read_bytes()[:4] in {b"\x89PNG", b"%PDF"}


@pytest.mark.parametrize(
    "words",
    [("--age", "-1"), ("--sex", "x"), ("--plot", "out.gif"), ("--chest-pain", "maybe"), ("--jobs", "0")],
)
def test_a_wrong_option_is_said_before_anything_is_read(ecgs: Path, words: tuple[str, str]) -> None:
    """Status 2, as the shells know it."""
    done = run("analyze", ecgs / "a.dcm", *words)

    assert (done.returncode, done.stdout) == (2, "")


def test_administration_needs_no_running_service(tmp_path: Path) -> None:
    """Site, device, person, shift: entered, listed, taken away; the chains are walked."""
    data = ("--data", tmp_path / "data")

    assert run("user", "list", *data).returncode == 2
    assert "greenchannel user add" in run("serve", *data, "--port", "0").stderr
    assert run("site", "add", "yz", "--zh", "阴赵", "--en", "Yinzhao", *data).returncode == 0
    device = run("device", "add", "e1", "--site", "yz", *data)
    assert len(device.stdout.strip()) >= 32 and device.stdout.count("\n") == 1
    added = run("user", "add", "boss", "--role", "admin", "--password-stdin", *data, said="secret words\n")
    assert added.returncode == 0, added.stderr
    assert (
        run("user", "add", "boss", "--role", "admin", "--password-stdin", *data, said="x\n").returncode == 1
    )
    assert run("user", "add", "two", "--role", "king", "--password-stdin", *data, said="x\n").returncode == 1
    said = "other words\n"
    assert (
        run("user", "add", "wang", "--role", "cardiologist", "--password-stdin", *data, said=said).returncode
        == 0
    )
    now = datetime.now(UTC)
    shift = run(
        *("roster", "add", "wang", "--role", "first"),
        *("--from", f"{now - timedelta(days=1):%Y-%m-%dT%H:%M+00:00}"),
        *("--to", f"{now + timedelta(days=20):%Y-%m-%dT%H:%M+00:00}"),
        *data,
    )
    assert shift.returncode == 0, shift.stderr
    assert shift.stdout.strip() in run("roster", "list", *data).stdout
    covered = run("roster", "check", "--role", "first", *data)
    assert (covered.returncode, covered.stdout) == (0, "")
    nobody = run("roster", "check", "--hours", "24", *data)
    assert nobody.returncode == 1
    assert [line.split("\t")[0] for line in nobody.stdout.splitlines()] == ["second", "head"]
    assert run("roster", "check", "--role", "king", *data).returncode == 2
    assert "boss\tadmin" in run("user", "list", *data).stdout
    assert run("device", "disable", "e1", *data).returncode == 0
    assert "disabled" in run("device", "list", *data).stdout
    verified = run("audit", "verify", *data)
    assert verified.returncode == 0 and verified.stdout.count("unbroken") == 2
    doctor = run("doctor", *data)
    assert "BAD  administrator" not in doctor.stdout


def test_a_synthetic_ecg_can_be_read_again(tmp_path: Path) -> None:
    """Both formats, twelve and eighteen leads; a wrong scenario names the right ones."""
    assert (
        run("simulate", "ecg", tmp_path / "a.zip", "--leads", "18", "--scenario", INFARCTION).returncode == 0
    )
    found = lines(run("analyze", tmp_path / "a.zip", "--json").stdout)[0]
    assert len(found["leads"]) == 18
    wrong = run("simulate", "ecg", tmp_path / "b.dcm", "--scenario", "no")
    assert wrong.returncode == 2 and INFARCTION in wrong.stderr.replace("\n", "")
