"""What the tests take for a fault of the service they ran."""

import subprocess
import sys

import pytest

from tests.served import faults_in

PASSED = "2026-11-30 01:04:26 [info     ] started                        cases=12\n"


@pytest.fixture(scope="module")
def orphan() -> str:
    """What a spawned child prints whose parent died before it wrote to the pipe."""
    code = (
        "import os; from multiprocessing.spawn import spawn_main; r, w = os.pipe(); os.close(w); "
        "import sys; sys.argv.append('--multiprocessing-fork'); spawn_main(tracker_fd=os.dup(2), pipe_handle=r)"
    )
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert child.returncode == 1 and "EOFError" in child.stderr, child.stderr
    return child.stderr


def test_a_child_orphaned_at_its_start_is_no_fault(orphan: str) -> None:
    assert faults_in(PASSED + orphan + PASSED) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("EOFError: Ran out of input", "ModuleNotFoundError: No module named 'greenchannel'"),
        ('File "<string>", line 1', 'File "/srv/greenchannel/service/reading_process.py", line 90'),
        ("pickle.load(from_parent)", "pickle.load(other)"),
    ],
)
def test_anything_else_is(orphan: str, old: str, new: str) -> None:
    assert old in orphan
    assert len(faults_in(PASSED + orphan.replace(old, new) + PASSED)) == 1


def test_a_fault_behind_an_orphan_is_seen(orphan: str) -> None:
    fault = 'Traceback (most recent call last):\n  File "a.py", line 1, in b\nValueError: no\n'
    assert faults_in(orphan + fault)[0].startswith(fault)
