"""`greenchannel simulate`: what it prints, writes and refuses."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from greenchannel.cli.simulate import app
from greenchannel.county.plan import STREAM
from greenchannel.county.truth import TruthBook, read_truth
from greenchannel.ingest.reader import read_path

PLAN = ("--clinics", "6", "--ecgs", "6", "--seed", "4", "--begin", "2026-05-01T08:00:00+08:00")


def run(*args: str) -> tuple[int, str]:
    """Exit status, and what was printed."""
    done = CliRunner().invoke(app, ["simulate", *args])
    return done.exit_code, done.output


def test_a_plan_is_printed_alike_each_time() -> None:
    """One JSON object an ECG; the hash of the bytes is among what does not change."""
    status, first = run("plan", *PLAN)
    again = run("plan", *PLAN)[1]

    lines = [json.loads(line) for line in first.splitlines()]
    assert status == 0 and first == again
    assert sorted(line["number"] for line in lines) == list(range(6))
    assert len({line["sha256"] for line in lines}) == 6


def test_clinics_leave_their_files_in_folders_for_agents(tmp_path: Path) -> None:
    """A folder a clinic, streams left out; each file is read, and what the clinic knows lies beside it."""
    status, said = run(
        "clinics", *PLAN, "--folders", str(tmp_path / "in"), "--truth", str(tmp_path / "t"), "--speed", "1e6"
    )
    truth = list(read_truth(tmp_path / "t"))

    assert status == 0 and "6 left in folders" in said
    assert STREAM not in {line["way"] for line in truth}
    for line in truth:
        names = sorted(path.name for path in (tmp_path / "in" / line["site"]).iterdir())
        ecg = next(name for name in names if not name.endswith(".json") or line["way"] == "fhir")
        read = read_path(tmp_path / "in" / line["site"] / ecg)
        assert list(read.recording.leads) == line["leads"]
        assert line["confirmed_at"] is None and line["sent_at"] is not None
        if line["way"] != "fhir":
            said_beside = json.loads((tmp_path / "in" / line["site"] / f"{ecg}.json").read_text())
            assert said_beside["patient_ref"] == line["patient_ref"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("clinics", "--truth", "t"), "either --server or --folders"),
        (("clinics", "--truth", "t", "--server", "http://x"), "expected --keys"),
        (("clinics", "--truth", "t", "--folders", "f", "--link", "dsl"), "got 'dsl'"),
        (("plan", "--ways", "fax"), "got fax"),
        (("plan", "--begin", "yesterday"), "got yesterday"),
        (("link", "--to", "https://x"), "expected an address such as"),
        (("ecg", "out.pdf"), "ending in .dcm or .zip"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    args: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says what was expected and what came."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    status, output = run(*args)

    assert status == 2 and said in " ".join(output.replace("│", " ").split())


def test_a_truth_file_is_never_written_over(tmp_path: Path) -> None:
    """And a last line that a crash cut off is passed over."""
    path = tmp_path / "truth.jsonl"
    with TruthBook(path) as book:
        book.write({"number": 1}, sent_at="2026-05-01T08:00:00.000Z")
    with path.open("a", encoding="utf-8") as out:
        out.write('{"number": 2, "se')

    assert [line["number"] for line in read_truth(path)] == [1]
    assert next(read_truth(path))["confirmed_at"] is None
    with pytest.raises(FileExistsError):
        TruthBook(path)
    status, said = run("clinics", *PLAN, "--folders", str(tmp_path / "in"), "--truth", str(path))
    assert status == 2 and "not there yet" in said
