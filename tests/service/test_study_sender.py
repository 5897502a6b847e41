"""A van sends a study: whatever the line and the power do, it is there once and whole."""

import asyncio
import random
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from greenchannel.agent.link import Link, LinkDown
from greenchannel.agent.study_sender import NoStudy, StudyRefused, StudySender
from greenchannel.cli.main import app
from greenchannel.ingest.agent_answers import Reply, trouble
from tests.imaging_files import ROOT_UID, ct
from tests.service.viewer_house import House, house


class PowerCut(BaseException):
    """Nothing of the process is left."""


class BadLink(Link):
    """Cuts so many requests, before they arrive or after: then only the answer is lost. And once the power."""

    cuts = 10
    power_at: int | None = None
    requests = 0
    dice = random.Random(5)

    def request(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Reply:
        self.requests += 1
        if self.requests == self.power_at:
            raise PowerCut
        cut = self.cuts > 0 and self.dice.random() < 0.8
        if cut and self.dice.random() < 0.5:
            self.cuts -= 1
            raise LinkDown(trouble("link", "no_network"))
        reply = super().request(method, path, headers, body)
        if cut:
            self.cuts -= 1
            raise LinkDown(trouble("link", "no_network"))
        return reply


def study(folder: Path, count: int, size: int = 64) -> Path:
    """A folder as a machine leaves it."""
    (folder / "DICOM").mkdir(parents=True)
    for number in range(1, count + 1):
        (folder / "DICOM" / f"I{number}").write_bytes(ct(number, size=size))
    (folder / "README.TXT").write_text("a viewer for windows")
    return folder


def link(here: House, folder: Path, kind: type[Link] = Link) -> Link:
    token = folder / "token"
    token.write_text(here.tokens["ecg-1"])
    made = kind(here.origin, token)
    LINKS.append(made)
    return made


LINKS: list[Link] = []


@pytest.fixture(autouse=True)
def hung_up() -> Iterator[None]:
    """Every link is closed at the end."""
    yield
    while LINKS:
        LINKS.pop().close()


def test_ten_cuts_and_one_power_cut_lose_and_double_nothing(tmp_path: Path) -> None:
    """The second start goes on with what the first had confirmed; a third knows that it is done."""
    source = study(tmp_path / "van", 40)

    async def play() -> None:
        async with house(tmp_path / "house") as here:
            bad = link(here, tmp_path, BadLink)
            assert isinstance(bad, BadLink)
            bad.power_at = 9
            waits: list[float] = []
            first = StudySender(link=bad, folder=tmp_path / "spool", wait=waits.append)
            with pytest.raises(PowerCut):
                await asyncio.to_thread(first.send, source)
            second = StudySender(link=bad, folder=tmp_path / "spool", wait=waits.append)
            said = await asyncio.to_thread(second.send, source)
            asked = bad.requests
            again = await asyncio.to_thread(second.send, source)

            assert (bad.cuts, bad.requests, again) == (0, asked, said)
            assert len(waits) == 10
            assert (said["new"] + said["duplicate"], said["refused"]) == (40, [])
            kept = await here.desk.images.study(f"{ROOT_UID}.1")
            assert (kept.instances, kept.completeness) == (40, "complete")
            for number in (1, 40):
                assert await here.desk.images.bytes_of(f"{ROOT_UID}.1.1.{number}") == ct(number, size=64)
            assert list((tmp_path / "spool").glob("*.zip")) == []

    asyncio.run(play())


def test_what_is_refused_is_said_and_not_tried_for_ever(tmp_path: Path) -> None:
    """A case that is not there, and a folder without images."""
    source = study(tmp_path / "van", 2)
    (tmp_path / "empty").mkdir()

    async def play() -> None:
        async with house(tmp_path / "house") as here:
            sender = StudySender(link=link(here, tmp_path), folder=tmp_path / "spool")
            with pytest.raises(StudyRefused) as raised:
                await asyncio.to_thread(sender.send, source, case_id="c_nowhere")
            assert raised.value.problem["code"] == "not_found"
            with pytest.raises(NoStudy):
                await asyncio.to_thread(sender.send, tmp_path / "empty")

    asyncio.run(play())


def test_the_command_says_what_became_of_it(tmp_path: Path) -> None:
    """`greenchannel agent send-study`, in both languages, with an exit status for scripts."""
    source = study(tmp_path / "van", 3)

    async def play() -> None:
        async with house(tmp_path / "house") as here:
            link(here, tmp_path)
            given = ["agent", "send-study", str(source), "--server", here.origin]
            given += ["--token-file", str(tmp_path / "token"), "--spool", str(tmp_path / "spool")]
            done = await asyncio.to_thread(CliRunner().invoke, app, given)
            assert done.exit_code == 0, done.output
            assert "new 3, here already 0, not taken 0" in done.output

    asyncio.run(play())


def test_without_its_token_nothing_is_tried(tmp_path: Path) -> None:
    """A mistyped path is no broken line, which would be waited for without end."""
    source = study(tmp_path / "van", 1)
    given = [
        "agent",
        "send-study",
        str(source),
        "--server",
        "http://127.0.0.1:9",
        "--spool",
        str(tmp_path / "s"),
    ]
    done = CliRunner().invoke(app, [*given, "--token-file", str(tmp_path / "none")])
    assert done.exit_code == 2 and "token-file" in done.output
    assert not (tmp_path / "s").exists()
