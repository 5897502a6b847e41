"""Fixtures for every test, and how hard Hypothesis tries."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.require import ROOT, find_chromium, find_data

SOAK = os.environ.get("GREENCHANNEL_SOAK") == "1"

# No deadline: two workers on a busy machine say nothing about the code. The same examples each time, so that a
# red run can be repeated; new ones are looked for by `make soak`.
settings.register_profile(
    "ci", derandomize=True, max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "soak", max_examples=2000, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("soak" if SOAK else "ci")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of real recordings: ``GREENCHANNEL_TEST_DATA``, or ``../shared/data`` beside the repository."""
    return find_data()


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Path of the system's Chromium, for the tests in ``tests/browser``."""
    return find_chromium()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In a soak run the laws of tests/property are tried as well, with many more examples."""
    if SOAK:
        for item in items:
            if item.path.is_relative_to(ROOT / "tests" / "property"):
                item.add_marker("soak")
