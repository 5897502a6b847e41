"""What a test needs from outside the repository, and what happens where it is missing.

A missing need skips the test and says why. Where the environment variable ``GREENCHANNEL_REQUIRE`` names it
(``GREENCHANNEL_REQUIRE="chromium data"``, as continuous integration does) the test fails instead, so that nothing
can be skipped there unseen.
"""

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NEEDS = frozenset({"chromium", "data", "dcmtk", "orthanc"})


def require_or_skip(need: str, *, present: bool, reason: str) -> None:
    """Skip the running test where `need` is not present; fail it where the environment insists.

    Parameters
    ----------
    need
        One of `NEEDS`.
    present
        Whether it was found.
    reason
        What was looked for and where, for the report.
    """
    if need not in NEEDS:
        raise ValueError(f"expected one of {sorted(NEEDS)}, got {need!r}")
    if present:
        return
    required = os.environ.get("GREENCHANNEL_REQUIRE", "").replace(",", " ").split()
    if need in required:
        pytest.fail(f"{need} is required here: {reason}", pytrace=False)
    pytest.skip(f"needs {need}: {reason}")


def find_data() -> Path:
    """Folder of the real recordings; the running test is skipped or fails where there is none."""
    folder = Path(os.environ.get("GREENCHANNEL_TEST_DATA") or ROOT.parent / "shared" / "data").resolve()
    require_or_skip(
        "data",
        present=folder.is_dir(),
        reason="no folder of recordings; set GREENCHANNEL_TEST_DATA to one",
    )
    return folder


def find_chromium() -> Path:
    """Chromium of the system; the running test is skipped or fails where there is none."""
    found = (
        os.environ.get("GREENCHANNEL_CHROMIUM")
        or shutil.which("chromium")
        or shutil.which("chromium-browser")
    )
    require_or_skip(
        "chromium",
        present=found is not None,
        reason="no chromium on the PATH; install it or set GREENCHANNEL_CHROMIUM",
    )
    return Path(found or "")
