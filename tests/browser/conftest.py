"""A real browser for each test, the demo to look at, and a county at work whose people are real browsers, too."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.people import People
from tests.served import served

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
def browser(chromium: Path) -> Iterator[Browser]:
    """One for each test. Not shared: an open Playwright leaves an event loop running in its thread."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Page:
    """A fresh desktop page."""
    return browser.new_page(viewport={"width": 1280, "height": 800}, locale="zh-CN")


@pytest.fixture
def people(browser: Browser, tmp_path: Path) -> Iterator[People]:
    """The people of a county with a running service, each to be had with a browser of their own."""
    with served(tmp_path / "county", contacts_localhost="true", delivery_poll_s=0.05) as county:
        yield People(browser=browser, county=county)


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
