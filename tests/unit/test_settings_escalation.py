"""A site's own escalation file: taken whole or not at all."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from greenchannel.alerts.escalation_plan import default_settings, settings_of
from greenchannel.assembly import build, read_escalation
from greenchannel.cli.main import app
from greenchannel.settings import SettingsError, load

SITE = """
paging_tiers = ["ACT", "CRIT"]
channels = ["live"]
everybody_roles = ["first", "head"]
grace_s = 5.0
analysis_s = 10.0
waiting_s = { URG = 600.0 }
follow_up_s = 300.0
receipt_s = 20.0
repeat_s = [180.0]
[[step]]
after_s = 0
role = "first"
[[step]]
after_s = 30
role = "everybody"
"""
DEFAULT = Path(__file__).parents[2] / "alerts" / "escalation.toml"


def test_the_default_is_a_site_file_like_any_other() -> None:
    """What a site copies from is read to the very same configuration."""
    assert settings_of(DEFAULT.read_bytes()) == default_settings()


def test_a_site_file_is_found_through_the_settings(tmp_path: Path) -> None:
    """By the environment as by the settings file; the plans follow it."""
    file = tmp_path / "site.toml"
    file.write_text(SITE, encoding="utf-8")
    settings = load({"GREENCHANNEL_ESCALATION_FILE": str(file)}, data_dir=tmp_path / "data")
    assert settings.escalation_file == file
    assert [step.after_s for step in read_escalation(file).step] == [0.0, 30.0]
    assert load({}, data_dir=tmp_path).escalation_file is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "steps = [",
        SITE.replace('channels = ["live"]', ""),
        SITE + "step_s = 4\n",
        SITE.replace("after_s = 30", 'after_s = "soon"'),
        SITE.replace("after_s = 30", "after_s = 0"),
        SITE.replace('role = "everybody"', 'role = "second"'),
        SITE.replace('"ACT"', '"act"'),
        SITE.replace('["ACT", "CRIT"]', '["CRIT"]'),
        SITE.replace('["ACT", "CRIT"]', "[]"),
        SITE.replace('["first", "head"]', '["frist"]'),
        SITE.replace('["first", "head"]', "[]"),
        SITE.replace('role = "first"', 'role = "secund"'),
        SITE.replace("grace_s = 5.0", "grace_s = -1.0"),
        SITE.replace("URG = 600.0", "ACT = 600.0"),
        SITE.replace("URG = 600.0", "URG = 0.0"),
        SITE.replace("repeat_s = [180.0]", "repeat_s = []"),
        SITE.replace("receipt_s = 20.0", "receipt_s = 0.0"),
        SITE + '[[site]]\nid = "yinzhao"\n[[site.step]]\nafter_s = 0\nrole = "first"\n',
        SITE + 2 * '[[site]]\nid = "yinzhao"\n[[site.step]]\nafter_s = 0\nrole = "everybody"\n',
    ],
)
def test_half_a_site_file_keeps_the_service_from_starting(tmp_path: Path, text: str) -> None:
    """A key that is missing, misspelt or of the wrong kind is an error that names the file, never a default."""
    file = tmp_path / "site.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"site\.toml"):
        build(load({}, data_dir=tmp_path / "data", escalation_file=file))
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("command", ["serve", "engine"])
@pytest.mark.parametrize("name", ["escalation_file", "tasks_file"])
def test_a_command_says_in_one_line_what_of_a_site_file_does_not_fit(
    tmp_path: Path, command: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And ends with 2, without a trace."""
    data, file = tmp_path / "data", tmp_path / "site.toml"
    build(load({}, data_dir=data)).accounts.add_user("boss", "boss", "admin", "a long enough password")
    file.write_text("receipt_s = 20.0\nnonsense = [", encoding="utf-8")
    monkeypatch.setenv(f"GREENCHANNEL_{name.upper()}", str(file))
    done = CliRunner().invoke(
        app, [command, "--data", str(data), *(["--port", "0"] if command == "serve" else [])]
    )

    assert done.exit_code == 2, done.output
    assert "site.toml" in done.output and "expected" in done.output
    assert len(done.output.strip().splitlines()) == 1 and "Traceback" not in done.output


def test_an_absent_site_file_keeps_the_service_from_starting(tmp_path: Path) -> None:
    """The file was named, so it must be there."""
    with pytest.raises(SettingsError, match="expected an escalation file"):
        read_escalation(tmp_path / "none.toml")
