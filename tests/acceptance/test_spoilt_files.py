"""Ten thousand spoilt files of all kinds, under bounds: each is read, or refused with a reason, in time."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pytest

from tests.fuzz_seeds import seeds
from tests.fuzz_worker import MOST_S, take
from tests.require import ROOT

MOST_MB: Final = 300
LIMIT_S: Final = 1800  # for the whole run, against a machine that stands still


@pytest.mark.parametrize("name", sorted(seeds()))
def test_every_seed_is_taken_before_it_is_spoilt(name: str) -> None:
    """Or spoiling it would try nothing but the first check."""
    assert take(seeds()[name]) in ("read", "picture")


def _worker(*arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz_worker", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    told: dict[str, Any] = json.loads(done.stdout)
    print(json.dumps(told))
    return told


def _assert_survived(told: dict[str, Any], count: int) -> None:
    assert told["failures"] == []
    assert told["files"] == count == sum(told["outcomes"].values())
    assert told["kinds"] >= len(seeds())
    assert told["slowest_s"] < MOST_S, told["slowest"]
    assert told["peak_mb"] < MOST_MB
    assert told["outcomes"].keys() >= {"read", "picture", "malformed", "truncated", "unsupported"}


def test_some_hundred_spoilt_files_of_all_kinds_do_no_harm(tmp_path: Path) -> None:
    """A sample of the long run, the same each time."""
    _assert_survived(_worker("--count", "800", "--keep", str(tmp_path)), 800)


@pytest.mark.soak
@pytest.mark.data
@pytest.mark.parametrize("seed", [1, 2])
def test_ten_thousand_spoilt_files_of_all_kinds_do_no_harm(tmp_path: Path, data_dir: Path, seed: int) -> None:
    """No crash, none above two seconds, no more than 300 MB; files of devices among them."""
    given = ("--count", "10000", "--seed", str(seed), "--data", str(data_dir), "--keep", str(tmp_path))
    _assert_survived(_worker(*given), 10_000)


@pytest.mark.soak
def test_a_fuzzer_that_sees_the_code_finds_nothing_either(tmp_path: Path) -> None:
    """Ten thousand files that atheris makes towards new branches of the readers, under the same bounds."""
    if find_spec("atheris") is None:
        pytest.skip("atheris is not installed: pip install 'greenchannel[fuzz]'")
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz_coverage", "--runs", "10000", "--corpus", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
    failed = [path.name for path in tmp_path.glob("failed-*")]
    assert (done.returncode, failed) == (0, []), done.stderr[-3000:]
    print(done.stderr[-300:])
    assert "stat::number_of_executed_units: 10000" in done.stderr
