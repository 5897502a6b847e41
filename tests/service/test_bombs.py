"""Bombs, entities, ways out and lengths that lie: refused by every door, with a reason, in little time and memory."""

import time
import tracemalloc
from functools import cache
from pathlib import Path
from typing import Final

import httpx
import pytest
from typer.testing import CliRunner

from greenchannel.cli.main import app
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.paper import paper_kind, read_paper
from greenchannel.ingest.reader import read_ecg
from tests.bombs import BOMBS
from tests.service.bad_place import Place, refused

MOST_S: Final = 2.0  # of the processor, and of this thread alone
MOST_MB: Final = 200.0
# The service itself takes 175 before it decodes images; its threads keep some of what they once needed.
MOST_SERVICE_MB: Final = 400.0
ESCAPED: Final = Path("/tmp/greenchannel-escaped.hea")


@cache
def bomb(name: str) -> bytes:
    return BOMBS[name][0]()


def _by_reader(data: bytes) -> str:
    try:
        if paper_kind(data) is not None:
            read_paper(data)
        else:
            read_ecg([(None, data)])
    except IngestError as error:
        assert error.message and len(str(error)) < 1000
        return error.code
    return "taken"


@pytest.mark.parametrize("name", BOMBS)
def test_the_reader_refuses_it_in_little_time_and_memory(name: str) -> None:
    """With one of the codes of its row, and nothing is written beside it."""
    data = bomb(name)
    began = time.thread_time()
    code = _by_reader(data)
    took_s = time.thread_time() - began
    tracemalloc.start()  # apart from the time: tracing makes all allocations a few times slower
    try:
        again, peak_mb = _by_reader(data), tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()
    assert code == again and code in BOMBS[name][1]
    assert took_s < MOST_S * 2, "a machine that others use too takes up to twice as long"
    assert peak_mb < MOST_MB
    assert not ESCAPED.exists()


@pytest.mark.parametrize("name", BOMBS)
def test_convert_says_why_and_writes_nothing(name: str, tmp_path: Path) -> None:
    """By the command line: status 1, one line, no file."""
    source, target = tmp_path / "in", tmp_path / "out.dcm"
    source.write_bytes(bomb(name))
    began = time.thread_time()
    done = CliRunner().invoke(app, ["convert", str(source), str(target)])
    assert time.thread_time() - began < MOST_S * 2
    assert done.exit_code == 1 and done.exception.__class__ is SystemExit
    assert "expected" in done.output and len(done.output) < 1500
    assert not target.exists() and not ESCAPED.exists()


@pytest.mark.parametrize("door", ["upload", "form", "tus"])
def test_the_service_refuses_all_of_them(place: Place, door: str) -> None:
    """As a body, in a form and resumable: a problem document with a code of its row, the service as before."""
    wrong = {}
    for name, (_, codes) in BOMBS.items():
        answer = _sent(place, door, bomb(name))
        code = refused(answer, 400, 413, 415, 422)["code"] if answer.is_error else "taken"
        if code not in codes:
            wrong[name] = code
    assert wrong == {}
    assert not ESCAPED.exists()
    assert place.service.rss_mb() < MOST_SERVICE_MB
    assert place.seq() > 0
    assert place.service.faults() == []


def _sent(place: Place, door: str, data: bytes) -> httpx.Response:
    if door == "upload":
        return place.http.post("/api/v1/ecgs", content=data, headers=place.device())
    if door == "form":
        return place.http.post("/api/v1/ecgs", files={"file": ("a.dcm", data)}, headers=place.device())
    tus = {
        "Tus-Resumable": "1.0.0",
        "Upload-Length": str(len(data)),
        "Content-Type": "application/offset+octet-stream",
    }
    return place.http.post("/api/v1/uploads", content=data, headers=place.device() | tus)
