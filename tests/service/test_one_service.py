"""Two services on one data folder would each know half of what happens."""

import subprocess
import sys
from pathlib import Path

import pytest

from greenchannel.store.errors import FolderInUse
from greenchannel.store.sole import sole


def test_a_second_service_on_the_folder_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    """While it runs, and not a moment longer."""
    with sole(tmp_path), pytest.raises(FolderInUse, match="another service runs on"), sole(tmp_path):
        pass
    with sole(tmp_path):
        pass


def test_a_killed_service_holds_nothing(tmp_path: Path) -> None:
    """The lock ends with the process, however that ends."""
    program = (
        "import pathlib, sys, time\n"
        "from greenchannel.store.sole import sole\n"
        "with sole(pathlib.Path(sys.argv[1])):\n"
        "    print('held', flush=True)\n"
        "    time.sleep(600)\n"
    )
    words = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(FolderInUse), sole(tmp_path):
            pass
        holder.kill()
        holder.wait()
    with sole(tmp_path):
        pass
