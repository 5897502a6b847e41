"""What a service that has stopped leaves behind in its process."""

import asyncio
import os
from pathlib import Path

from tests.service.viewer_house import house


def open_files(folder: Path) -> list[str]:
    """Files below a folder that this process has open."""
    here = Path("/proc/self/fd")
    links = [os.readlink(here / name) for name in os.listdir(here) if (here / name).is_symlink()]
    return [link for link in links if link.startswith(str(folder))]


def test_a_stopped_service_holds_no_file_of_its_folder(tmp_path: Path) -> None:
    """Its database's connections are closed: a process that starts many services does not run out of files."""

    async def run() -> None:
        async with house(tmp_path):
            assert any("sqlite" in name for name in open_files(tmp_path))

    asyncio.run(run())

    assert open_files(tmp_path) == []
