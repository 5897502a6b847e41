"""The page goes out as its build has packed it, to who takes that; what has not changed does not go out again."""

import asyncio
import gzip
import json
import re
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from greenchannel.viewer import problems, static_page, study_entry
from tests.require import ROOT

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


SIGNED_IN = "greenchannel_session=t"
STUDY = "1.2.840.1"
BUILT = b'<!doctype html><html><head><meta charset="utf-8"></head><body><div id="app"></div></body></html>'
MANIFEST = {
    "index.html": {"file": "assets/index-1.js", "imports": ["_texts.js"], "css": ["assets/index-1.css"]},
    "_texts.js": {"file": "assets/texts-1.js"},
    "src/pages/image/StudyPage.tsx": {
        "file": "assets/StudyPage-1.js", "imports": ["index.html", "_image.js"], "dynamicImports": ["engine.ts"]
    },
    "_image.js": {"file": "assets/image-1.js", "css": ["assets/image-1.css"], "imports": ["_texts.js"]},
    "src/rest.ts": {"file": "assets/rest-1.js", "css": ["assets/rest-1.css"]},
    "engine.ts": {"file": "assets/engine-1.js"},
}  # fmt: skip


@pytest.fixture
def built(http: httpx.AsyncClient, tmp_path: Path) -> httpx.AsyncClient:
    """The same with an entry and a manifest as the build writes them."""
    (tmp_path / "index.html").write_bytes(BUILT)
    (tmp_path / "index.html.gz").write_bytes(gzip.compress(BUILT))
    (tmp_path / "manifest.json").write_text(json.dumps(MANIFEST))
    return http


def test_a_study_s_picture_stands_in_its_page_before_any_script(built: httpx.AsyncClient) -> None:
    """Asked for first of all, shown in the page itself; and the scripts of its page at once, the large one not."""
    answer, came = get(built, f"/study/{STUDY}", accept_encoding="gzip", cookie=SIGNED_IN)
    page = gzip.decompress(came).decode()
    picture = f"/dicom-web/studies/{STUDY}/thumbnail?viewport=512,512&amp;quality=75"
    assert page.index(f'as="image" fetchpriority="high" href="{picture}"') < page.index("<meta")
    assert page.index(f'src="{picture}"') < page.index('<div id="app">')
    asked = re.findall(r'href="/static/([^"]+)"', page)
    assert asked == [f"assets/{name}" for name in
                     ("StudyPage-1.js", "image-1.js", "image-1.css", "rest-1.js", "rest-1.css")]  # fmt: skip
    assert answer.headers["cache-control"] == "no-store"
    plain, same = get(built, f"/study/{STUDY}/", cookie=SIGNED_IN)
    assert same.decode() == page and "content-encoding" not in plain.headers


@pytest.mark.parametrize(
    ("path", "cookie"),
    [
        (f"/study/{STUDY}", "other=1"),
        (f"/study/{STUDY}?series=1.2", SIGNED_IN),
        ("/case/c_1", SIGNED_IN),
        ("/study/%22%3E%3Cscript%3E", SIGNED_IN),
        ("/study/" + "1" * 65, SIGNED_IN),
        ("/", SIGNED_IN),
    ],
)
def test_no_picture_where_nobody_is_signed_in_or_it_might_be_another(
    built: httpx.AsyncClient, path: str, cookie: str
) -> None:
    """Another series than the first may be wanted, and what is no study's name is never written into a page."""
    answer, came = get(built, path, cookie=cookie)
    assert (answer.status_code, came) == (200, BUILT)


def test_the_picture_in_the_page_is_the_one_that_the_script_would_ask_for() -> None:
    """Otherwise it would be fetched twice."""
    script = (ROOT / "viewer" / "web" / "src" / "state" / "dicomWeb.ts").read_text(encoding="utf-8")
    assert f"const FIRST_PX = {study_entry.FIRST_PX};" in script
    assert f"const PREVIEW_QUALITY = {study_entry.QUALITY};" in script
