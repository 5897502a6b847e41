"""`greenchannel rules` and `analyze --rules`: old readings repeated, and what a change of rules changes."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from greenchannel.cli.main import app
from greenchannel.ingest.dicom_ecg_write import write_dicom_ecg
from greenchannel.signal.synthesis import simulate
from greenchannel.triage.rule_set import NEWEST, RULES, versions
from greenchannel.triage.rules_page import as_json, markdown
from tests.desk_world import World, device, dicom, run, with_st
from tests.require import ROOT

runner = CliRunner()


@pytest.fixture
def blocked(tmp_path: Path) -> Path:
    """A left bundle branch block whose V1 to V3 are high, as they are."""
    strip = simulate(conduction="lbbb", stj_mv=0.35, territory="anteroseptal", seed=3).recording
    path = tmp_path / "lbbb.dcm"
    path.write_bytes(write_dicom_ecg(strip, acquired=None, age_years=61.0, sex="male"))
    return path


def analyzed(path: Path, *words: str) -> dict[str, Any]:
    """The analyze object."""
    done = runner.invoke(app, ["analyze", str(path), "--json", *words])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.output)
    return found


def test_an_old_reading_can_be_repeated_by_its_version(blocked: Path) -> None:
    """Version 1 knew a wide QRS; the newest knows the block, and each object says by which it was read."""
    old, new = analyzed(blocked, "--rules", "1"), analyzed(blocked)
    assert old["version"]["rules"] == "1"
    assert new["version"]["rules"] == NEWEST
    assert [(one["id"], one["downgraded_by"]) for one in old["findings"]] == [("STE-1", ["wide_qrs"])]
    assert "MIM-LBBB" in next(one for one in new["findings"] if one["id"] == "STE-1")["downgraded_by"]
    assert old["measurements"] == new["measurements"]


def test_an_unknown_version_is_refused_by_name(blocked: Path) -> None:
    """The message names those there are."""
    done = runner.invoke(app, ["analyze", str(blocked), "--rules", "99"])
    assert done.exit_code == 2
    assert "1 2" in done.output


def test_compare_reports_every_ecg_whose_tier_changes(blocked: Path, tmp_path: Path) -> None:
    """And no other; what cannot be read is named, and the status is 1."""
    same = tmp_path / "same.dcm"
    same.write_bytes(dicom())
    done = runner.invoke(
        app, ["rules", "compare", "1", NEWEST, str(blocked), str(same), "--json", "--jobs", "1"]
    )
    assert done.exit_code == 0, done.output
    (line,) = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert line["source"] == str(blocked)
    assert (line["old"]["tier"], line["old"]["rules"], line["new"]["rules"]) == ("URG", "1", NEWEST)
    assert line["new"]["tier"] != "URG"
    assert "MIM-LBBB" in line["new"]["findings"]
    broken = runner.invoke(app, ["rules", "compare", "1", NEWEST, str(tmp_path / "none.dcm")])
    assert broken.exit_code == 1
    assert "not_found" in broken.output or "No such file" in broken.output


def test_compare_reads_the_archive_of_a_service(blocked: Path, tmp_path: Path) -> None:
    """Every ECG of every case, and only the one whose tier changes is reported."""

    async def story(world: World, desk: Any) -> None:
        await world.send(desk, dicom(), patient_ref="A-1")
        await world.send(desk, blocked.read_bytes(), patient_ref="A-2")
        await world.send(desk, dicom("baseline_sinus"), patient_ref="A-3")

    run(tmp_path / "county", story)
    found = compared("1", NEWEST, "--data", str(tmp_path / "county"))
    assert [("MIM-LBBB" in one["new"]["findings"], one["old"]["tier"]) for one in found] == [(True, "URG")]
    same = runner.invoke(
        app, ["rules", "compare", "1", "1", "--data", str(tmp_path / "county"), "--jobs", "1"]
    )
    assert "3 ECGs, 0 changed tier, 0 not readable" in same.output


def test_compare_reads_the_archive_with_what_its_cases_know(tmp_path: Path) -> None:
    """The same ECG of a patient in shock and of one who is not: the first is a proposal by its vital signs alone."""
    levels = dict.fromkeys(("I", "II", "aVL", "aVF", "V3", "V4", "V5", "V6"), -0.15) | {"aVR": 0.2}
    drawn = write_dicom_ecg(
        with_st(simulate(seed=6).recording, levels), acquired=None, age_years=61.0, sex="male"
    )

    async def story(world: World, desk: Any) -> None:
        await world.send(desk, drawn, patient_ref="A-1", vitals={"systolic": 80})
        await world.send(desk, drawn, device("jishi"), patient_ref="B-1")

    run(tmp_path, story)
    found = compared("1", NEWEST, "--data", str(tmp_path))
    assert sorted(one["new"]["tier"] for one in found) == ["ACT", "URG"]


def compared(*words: str) -> list[dict[str, Any]]:
    """The ECGs that `rules compare` reports."""
    done = runner.invoke(app, ["rules", "compare", *words, "--json", "--jobs", "1"])
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def test_the_versions_are_listed() -> None:
    """The newest is marked."""
    done = runner.invoke(app, ["rules", "list"])
    assert [line.split()[0] for line in done.output.splitlines()] == list(versions())
    assert f"{NEWEST}  {len(RULES.rules)} rules  (in use)" in done.output


def test_the_page_in_docs_is_what_the_tables_say() -> None:
    """`python -m tools.rules_page` writes it."""
    assert (ROOT / "docs/rules.md").read_text(encoding="utf-8") == markdown(RULES)


def test_every_rule_stands_on_the_page_with_its_numbers() -> None:
    """Id, both terms, both formulas with the numbers in place, source and mark."""
    made = as_json(RULES)
    shown = {rule["id"]: rule for section in made["sections"] for rule in section["rules"]}
    assert set(shown) == set(RULES.rules)
    for row in RULES.rules.values():
        rule = shown[row.id]
        assert "{" not in rule["formula"] + rule["formula_zh"]
        for number in rule["numbers"]:
            assert number["source"]
            assert number["mark"] in made["marks"]
    text = runner.invoke(app, ["rules", "show"]).output
    assert all(f"### {name}:" in text for name in RULES.rules)
