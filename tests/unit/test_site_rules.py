"""Which list of critical values a site follows, while choices change."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from greenchannel.service.site_rules import SiteRules
from greenchannel.store.accounts import Site


class Choices:
    """Accounts of one site whose list may be chosen anew."""

    def __init__(self, name: str | None) -> None:
        self.name = name
        self.read = 0
        self.meanwhile: Callable[[], None] = lambda: None

    def sites(self) -> list[Site]:
        self.read += 1
        found = [
            Site(
                id="s1",
                name_zh="一",
                name_en="one",
                kind="clinic",
                timezone="Asia/Shanghai",
                critical_list=self.name,
            )
        ]
        self.meanwhile()
        return found


def rules_over(choices: Choices) -> SiteRules:
    accounts: Any = choices
    return SiteRules(accounts, "consensus-2017")


def test_choices_are_read_once_and_again_after_a_change() -> None:
    """Not for each ECG."""
    choices = Choices("shanxi")
    rules = rules_over(choices)
    assert [rules.of("s1").version for _ in range(3)] == ["2+shanxi"] * 3
    assert (choices.read, rules.of("elsewhere").version) == (1, "2")
    choices.name = None
    rules.forget()
    assert rules.of("s1").version == "2"


def test_what_is_chosen_while_the_old_choices_are_read_holds() -> None:
    """The reader in the other thread must not keep what it found before."""
    choices = Choices(None)
    rules = rules_over(choices)
    forgetting = threading.Thread(target=rules.forget)

    def choose() -> None:
        choices.name, choices.meanwhile = "shanxi", lambda: None
        forgetting.start()

    choices.meanwhile = choose
    assert rules.of("s1").version == "2"
    forgetting.join()
    assert rules.of("s1").version == "2+shanxi"


def test_a_list_of_another_version_is_said_and_left(caplog: pytest.LogCaptureFixture) -> None:
    """An ECG is read all the same."""
    assert rules_over(Choices("a list of tomorrow")).of("s1").version == "2"
    assert "a list of tomorrow" in caplog.text
