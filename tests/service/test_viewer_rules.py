"""The rules and the names of quantities over HTTP."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from greenchannel.triage.quantities import QUANTITIES
from greenchannel.triage.rule_set import NEWEST, rule_set, versions
from greenchannel.triage.rules_page import as_json
from tests.require import ROOT
from tests.service.viewer_house import House, ecg_file, house

Story = Callable[[House], Awaitable[None]]
RULES = "/api/v1/rules"


def tell(story: Story, folder: Path) -> None:
    async def run() -> None:
        async with house(folder) as here:
            await story(here)

    asyncio.run(run())


def test_every_version_is_read_by_everybody_who_is_known(tmp_path: Path) -> None:
    """A village doctor, a quality officer, an admin and a device; nobody without a name."""

    async def story(here: House) -> None:
        people = [await here.person(name) for name in ("cardiologist", "village", "quality", "boss")]
        for headers in (*people, here.device()):
            listed = (await here.http.get(RULES, headers=headers)).json()
            assert listed["newest"] == NEWEST
            assert [one["version"] for one in listed["versions"]] == list(versions())
            for one in listed["versions"]:
                got = await here.http.get(one["rules"], headers=headers)
                assert got.status_code == 200, got.text
                assert got.json() == as_json(rule_set(one["version"]))
        for path in (RULES, f"{RULES}/{NEWEST}", "/api/v1/quantities"):
            assert (await here.http.get(path)).status_code == 401

    tell(story, tmp_path)


@pytest.mark.parametrize("version", ["0", "99", "newest", "..%2f..", "%00", "x" * 500])
def test_an_unknown_version_is_answered_by_those_there_are(version: str, tmp_path: Path) -> None:
    """404, with the versions that can be asked for."""

    async def story(here: House) -> None:
        answer = await here.http.get(f"{RULES}/{version}", headers=here.device())
        assert answer.status_code == 404, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        if "%2f" not in version:
            assert answer.json()["expected"].startswith(f"one of {' '.join(versions())} 2+")

    tell(story, tmp_path)


def test_a_version_with_a_list_of_critical_values_has_its_page(tmp_path: Path) -> None:
    """By the name that the readings of a site with that list carry."""

    async def story(here: House) -> None:
        answer = await here.http.get(f"{RULES}/2%2Bshanxi", headers=here.device())
        assert (answer.status_code, answer.json()["version"]) == (200, "2+shanxi")

    tell(story, tmp_path)


def test_what_a_reader_holds_is_not_sent_again(tmp_path: Path) -> None:
    """304 for the same tag; two versions never have the same one."""

    async def story(here: House) -> None:
        tags = set()
        for path in (RULES, "/api/v1/quantities", *(f"{RULES}/{one}" for one in versions())):
            first = await here.http.get(path, headers=here.device())
            tag = first.headers["etag"]
            assert "no-store" not in first.headers["cache-control"]
            tags.add(tag)
            for held in (tag, f'"other", W/{tag}'):
                again = await here.http.get(path, headers=here.device() | {"If-None-Match": held})
                assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
            other = await here.http.get(path, headers=here.device() | {"If-None-Match": '"other"'})
            assert other.status_code == 200
        assert len(tags) == 2 + len(versions())

    tell(story, tmp_path)


def test_every_quantity_has_its_name_in_both_languages(tmp_path: Path) -> None:
    """As the table has it, and for each quantity that the rules show of an infarction."""

    async def story(here: House) -> None:
        got = (await here.http.get("/api/v1/quantities", headers=here.device())).json()["quantities"]
        assert [one["key"] for one in got] == list(QUANTITIES)
        assert all(one["zh"] and one["en"] and one["digits"] >= 0 for one in got)
        sent = await here.http.post("/api/v1/ecgs", content=ecg_file(st_mv=0.4), headers=here.device())
        ecg = (await here.http.get(f"/api/v1/ecgs/{sent.json()['ecg_id']}", headers=here.device())).json()
        shown: set[str] = {
            one["quantity"] for finding in ecg["analysis"]["findings"] for one in finding["evidence"]
        }
        assert "stj_mv" in shown
        assert shown <= set(QUANTITIES)

    tell(story, tmp_path)


def test_the_row_says_by_which_rules_an_ecg_was_read(tmp_path: Path) -> None:
    """So that a finding leads to the rule as it was then."""

    async def story(here: House) -> None:
        await here.http.post("/api/v1/ecgs", content=ecg_file(st_mv=0.4), headers=here.device())
        row = (await here.http.get("/api/v1/cases", headers=here.device())).json()["cases"][0]
        assert [one["rules_version"] for one in row["ecgs"]] == [NEWEST]

    tell(story, tmp_path)


_LEAD = re.compile(r"(I{1,3}|aV[RLF]|V\d\d?R?)([–-]V\d)?")


def _words(phrase: str) -> bool:
    """Whether a phrase says more than names of leads."""
    return any(not _LEAD.fullmatch(part) for part in re.split(r"[ ,;]+", phrase) if part)


def test_the_page_has_chinese_words_for_the_leads_of_every_rule() -> None:
    """The tables name leads in English; what is more than names of leads stands in the page's catalogue."""
    catalogue = (ROOT / "viewer/web/src/texts.ts").read_text(encoding="utf-8")
    phrases: set[Any] = {row.leads for name in versions() for row in rule_set(name).rules.values()}

    missing = {one for one in phrases if _words(one) and not re.search(rf'"?{re.escape(one)}"?: ', catalogue)}
    assert missing == set()
