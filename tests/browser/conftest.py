"""A real browser for each test, and the demo to look at."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

# What Chromium must leave out on a machine without a network, or as root.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture
def page(chromium: Path) -> Iterator[Page]:
    """A fresh desktop page. Not shared: an open Playwright leaves an event loop running in its thread."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=ARGUMENTS)
        yield browser.new_page(viewport={"width": 1280, "height": 800}, locale="zh-CN")
        browser.close()


@pytest.fixture
def demo() -> Iterator[str]:
    """The demo on a free port, at twice its pace; gives its address."""
    command = [sys.executable, "-m", "greenchannel", "demo", "--port", "0", "--speed", "2", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if found := re.search(r"http://\S+", line):
                    yield found[0].rstrip("/")
                    break
            else:
                pytest.fail("the demo ended without an address")
            assert process.poll() is None, "the demo ended while it was looked at"
        finally:
            process.terminate()
            process.communicate(timeout=20)
