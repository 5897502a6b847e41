"""`greenchannel user contact`: addresses go in and do not come out."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from greenchannel.cli.main import app
from greenchannel.store.accounts import Accounts
from greenchannel.store.engine import migrate, open_engine
from tests.receiver import receiver


@pytest.fixture
def data(tmp_path: Path) -> Path:
    engine = open_engine(f"sqlite:///{tmp_path / 'greenchannel.sqlite'}")
    migrate(engine)
    Accounts(engine).add_user("chen", "陈医生", "cardiologist", "a password")
    engine.dispose()
    return tmp_path


def run(data: Path, *words: str, given: str = "") -> Result:
    return CliRunner().invoke(app, ["user", "contact", *words, "--data", str(data)], input=given)


def test_an_address_is_entered_listed_tested_and_removed(data: Path) -> None:
    """Its secret is printed once; a test says what became of it."""
    with receiver() as gateway:
        url = f"{gateway.base}/t0ken"
        added = run(data, "add", "chen", "sms", "--to", "13800009999", "--address-stdin", given=url + "\n")
        assert added.exit_code == 0, added.output
        assert re.search(r"^whsec_\S+$", added.stdout, re.MULTILINE)
        tested = run(data, "test", "chen")
        assert (tested.exit_code, tested.stdout) == (0, "sms\tok\n")
        gateway.statuses = [410]
        failed = run(data, "test", "chen")
        assert failed.exit_code == 1 and "gone" in failed.stdout and "地址已失效" in failed.stdout
        assert [one.json["data"]["to"] for one in gateway.requests] == ["13800009999"] * 2

    listed = run(data, "list")
    assert re.fullmatch(r"k_\w+\tchen\tsms\twebhook\tadministrator\t\n", listed.stdout)
    assert "t0ken" not in listed.stdout + added.stdout + failed.stdout
    contact = listed.stdout.split("\t")[0]
    assert run(data, "remove", contact).exit_code == 0
    assert run(data, "list", "chen").stdout == ""
    assert run(data, "remove", contact).exit_code == 1
    assert run(data, "test", "chen").exit_code == 1


@pytest.mark.parametrize(
    ("words", "given"),
    [
        (("add", "chen", "pigeon", "--address-stdin"), "https://a.example"),
        (("add", "chen", "sms", "--address-stdin"), ""),
        (("add", "nobody", "sms", "--address-stdin"), "https://a.example"),
        (("add", "chen", "sms", "--address-stdin"), "https://a.example\nwhsec_short"),
    ],
)
def test_what_does_not_fit_is_a_sentence(data: Path, words: tuple[str, ...], given: str) -> None:
    """What was expected, and a status that is not 0."""
    done = run(data, *words, given=given)

    assert done.exit_code == 1 and "expected" in done.stderr
