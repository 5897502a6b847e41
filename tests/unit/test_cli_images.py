"""`greenchannel images`: a folder without its patients, and a report that names nobody."""

import json
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file
from typer.testing import CliRunner

from greenchannel.cli.main import app


def ct() -> Path:
    """pydicom's own CT slice."""
    path = get_testdata_file("CT_small.dcm", download=False)
    assert path is not None
    return Path(str(path))


def test_a_folder_is_written_without_its_patient_and_with_a_report(tmp_path: Path) -> None:
    """Names of files may be names of patients: none is told, and the new ones are the new UIDs."""
    source = tmp_path / "Wang Xiaoming"
    source.mkdir()
    (source / "Wang.dcm").write_bytes(ct().read_bytes())
    done = CliRunner().invoke(app, ["images", "deidentify", str(source), "--out", str(tmp_path / "out")])
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    (one,) = report["written"]

    assert done.exit_code == 0, done.output
    assert one["elements"]["PatientName"] == 1
    assert one["private"] > 0
    assert "Wang" not in json.dumps(report)
    assert (tmp_path / "out" / one["file"]).read_bytes().count(b"CompressedSamples") == 0


def test_what_cannot_go_is_left_out_and_said(tmp_path: Path) -> None:
    """The rest is written; the exit status tells a script."""
    (tmp_path / "broken.dcm").write_bytes(b"no image")
    done = CliRunner().invoke(
        app, ["images", "deidentify", str(ct()), str(tmp_path / "broken.dcm"), "--out", str(tmp_path / "out")]
    )
    report = json.loads((tmp_path / "out" / "report.json").read_text())

    assert done.exit_code == 1
    assert len(report["written"]) == 1
    assert report["refused"][0]["code"] == "unknown_format"


def test_one_key_gives_the_same_names_again(tmp_path: Path) -> None:
    """So that a later export joins an earlier one."""
    (tmp_path / "key").write_text("0123456789abcdef0123")
    for name in ("a", "b"):
        CliRunner().invoke(
            app,
            [
                "images",
                "deidentify",
                str(ct()),
                "--out",
                str(tmp_path / name),
                "--key-file",
                str(tmp_path / "key"),
            ],
        )

    assert {path.name for path in (tmp_path / "a").iterdir()} == {
        path.name for path in (tmp_path / "b").iterdir()
    }


def test_detectors_say_why_they_did_not_look() -> None:
    """One slice of something else is not analysed, and the banner stands over it."""
    done = CliRunner().invoke(app, ["images", "detect", str(ct())])

    assert done.exit_code == 0, done.output
    assert "未经验证，仅用于排序" in done.output
    assert "head_blood: not analysed" in done.output


@pytest.mark.data
def test_the_real_head_is_looked_at(data_dir: Path) -> None:
    """Nothing raised is not told as an answer about the patient."""
    done = CliRunner().invoke(app, ["images", "detect", str(data_dir / "dicom-images" / "head-ct-ge")])

    assert "head_blood: order unchanged; this does not mean that nothing is there" in done.output
