"""`greenchannel user|device|site`: what the pages of administration do, from a shell; who did it is written down."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from greenchannel.cli.main import app
from greenchannel.clock import SystemClock
from greenchannel.store.access import AccessLog
from greenchannel.store.accounts import Accounts
from greenchannel.store.engine import migrate, open_engine
from greenchannel.store.one_time_codes import OneTimeCodes


@pytest.fixture
def data(tmp_path: Path) -> Path:
    engine = open_engine(f"sqlite:///{tmp_path / 'greenchannel.sqlite'}")
    migrate(engine)
    accounts = Accounts(engine)
    accounts.add_site("s1", "东村卫生室", "East Village", "clinic")
    accounts.add_user("boss", "管理员", "admin", "a password")
    accounts.add_device("d1", "s1", "12 leads")
    engine.dispose()
    return tmp_path


def run(data: Path, *words: str, given: str = "") -> Result:
    return CliRunner().invoke(app, [*words, "--data", str(data)], input=given)


def test_codes_of_the_command_line_are_those_of_the_pages(data: Path) -> None:
    """An invitation makes a person and lets the person in; a pairing code gives the device its token."""
    invited = run(data, "user", "invite", "li", "--role", "clinic", "--name", "李医生", "--site", "s1")
    paired = run(data, "device", "pair", "d1")
    assert (invited.exit_code, paired.exit_code) == (0, 0), invited.output + paired.output
    engine = open_engine(f"sqlite:///{data / 'greenchannel.sqlite'}")
    codes, now = OneTimeCodes(engine), SystemClock().now()
    try:
        assert codes.come_in(invited.stdout, "a password", now).name == "李医生"
        assert codes.pair(paired.stdout, now)[0].id == "d1"
        said = [(one.action, one.detail) for one in reversed(AccessLog(engine).newest_of("admin:"))]
    finally:
        engine.dispose()
    assert said == [("admin:user_add", "li: clinic"), ("admin:user_code", "li"), ("admin:device_code", "d1")]


def test_sites_and_people_are_changed_and_put_back(data: Path) -> None:
    """What is not said stays; the last administrator cannot be disabled."""
    changed = run(
        data, "site", "change", "s1", "--phone", "0000-1", "--town", "东村镇", "--fallback-phone", "120"
    )
    assert (changed.exit_code, changed.stdout) == (0, "s1: fallback_phone, phone, town changed\n")
    assert run(data, "site", "disable", "s1").exit_code == run(data, "site", "enable", "s1").exit_code == 0
    refused = run(data, "user", "disable", "boss")
    assert refused.exit_code == 1 and "最后一位管理员" in refused.output
    added = run(data, "user", "add", "wu", "--role", "admin", "--password-stdin", given="a password\n")
    assert added.exit_code == 0, added.output
    assert run(data, "user", "disable", "boss").exit_code == 0
    assert run(data, "user", "enable", "boss").exit_code == 0
    assert run(data, "user", "change", "wu", "--role", "quality").stdout == "wu (quality)\n"
    assert run(data, "user", "password", "wu", "--password-stdin", given="another one\n").exit_code == 0
    engine = open_engine(f"sqlite:///{data / 'greenchannel.sqlite'}")
    try:
        accounts = Accounts(engine)
        assert accounts.check_password("wu", "another one") is not None
        site = accounts.site("s1")
        assert site is not None and (site.town, site.phone, site.disabled) == ("东村镇", "0000-1", False)
        assert "0000-1" not in str(AccessLog(engine).newest_of("admin:"))
    finally:
        engine.dispose()
