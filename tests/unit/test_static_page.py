"""The page goes out as its build has packed it, to who takes that; what has not changed does not go out again."""

import asyncio
import gzip
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from greenchannel.viewer import problems, static_page

SCRIPT = b"console.log('page');" * 100
PACKED = gzip.compress(SCRIPT, mtime=0)  # the same in every process
PAGE = b"<!doctype html><title>page</title>" + b" " * 900


@pytest.fixture
def http(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> httpx.AsyncClient:
    """A small page, its script packed twice, its manifest not at all."""
    (tmp_path / "assets").mkdir()
    script = tmp_path / "assets" / "index-1.js"
    script.write_bytes(SCRIPT)
    (tmp_path / "assets" / "index-1.js.br").write_bytes(b"brotli's work")
    (tmp_path / "assets" / "index-1.js.gz").write_bytes(PACKED)
    (tmp_path / "index.html").write_bytes(PAGE)
    (tmp_path / "index.html.gz").write_bytes(gzip.compress(PAGE))
    (tmp_path / "app.webmanifest").write_bytes(b"{}")
    (tmp_path / "sw.js").write_bytes(b"self;")
    monkeypatch.setattr(static_page, "page_folder", lambda: tmp_path)
    app = FastAPI()
    problems.install(app)
    app.include_router(static_page.router)
    static_page.add_fallback(app)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://page")


def get(http: httpx.AsyncClient, path: str, **headers: str) -> tuple[httpx.Response, bytes]:
    """One answer, and its body as it came over the line."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def ask() -> tuple[httpx.Response, bytes]:
        async with http.stream("GET", path, headers={"accept-encoding": "identity"} | named) as answer:
            return answer, b"".join([part async for part in answer.aiter_raw()])

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("accepted", "encoding", "body"),
    [
        ("gzip, deflate, br, zstd", "br", b"brotli's work"),
        ("gzip, deflate", "gzip", PACKED),
        ("br;q=0, gzip;q=0.5", "gzip", PACKED),
        ("identity", None, SCRIPT),
        ("", None, SCRIPT),
    ],
)
def test_a_packed_file_goes_to_who_takes_it(
    http: httpx.AsyncClient, accepted: str, encoding: str | None, body: bytes
) -> None:
    """The smaller packing that the reader takes; a cache keeps them apart, and for ever."""
    answer, came = get(http, "/static/assets/index-1.js", accept_encoding=accepted)
    assert answer.headers.get("content-encoding") == encoding
    assert gzip.decompress(came) == SCRIPT if encoding == "gzip" else came == body
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["vary"] == "Accept-Encoding"
    assert "immutable" in answer.headers["cache-control"]


def test_the_page_of_every_address_is_packed_and_asked_for_anew_each_time(http: httpx.AsyncClient) -> None:
    """`no-cache` with a validator: what has not changed costs no body."""
    answer, came = get(http, "/clinic", accept_encoding="gzip")
    assert gzip.decompress(came) == PAGE and answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-cache"
    same, nothing = get(http, "/case/c_1", accept_encoding="gzip", if_none_match=answer.headers["etag"])
    assert (same.status_code, nothing) == (304, b"")
    other, _ = get(http, "/clinic", if_none_match='"other"')
    assert other.status_code == 200


def test_the_worker_stands_at_the_root_and_the_manifest_has_its_kind(http: httpx.AsyncClient) -> None:
    """A browser takes a worker only as a script, and never from a cache that outlives a build."""
    worker, _ = get(http, "/sw.js")
    assert worker.headers["content-type"].startswith("text/javascript")
    assert worker.headers["cache-control"] == "no-cache"
    manifest, _ = get(http, "/static/app.webmanifest")
    assert manifest.headers["content-type"].startswith("application/manifest+json")


def test_a_study_is_a_page_though_its_name_has_dots(http: httpx.AsyncClient) -> None:
    """A UID looks like the name of a file; any other address that does is none of the page."""
    study, came = get(http, "/study/1.2.840.113619.2.5")
    assert (study.status_code, came) == (200, PAGE)
    other, _ = get(http, "/case/robots.txt")
    assert other.status_code == 404


@pytest.mark.parametrize(
    "path", ["/static/assets/none.js", "/static/%2e%2e/x.js", "/static/assets//index-1.js"]
)
def test_what_is_not_of_the_page_is_not_there(http: httpx.AsyncClient, path: str) -> None:
    """No way leads out of the folder."""
    answer, _ = get(http, path)
    assert answer.status_code == 404
