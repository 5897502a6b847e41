"""The built page: files of ``viewer/static``, and index.html for every address that the page itself resolves."""

import asyncio
import html
from importlib.resources import files
from importlib.resources.abc import Traversable
from mimetypes import guess_type
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from starlette.responses import HTMLResponse, Response

from greenchannel.viewer.problems import Problem

router = APIRouter(include_in_schema=False)

_FOLDER: Final = ("viewer", "static")
_FOREVER: Final = "public, max-age=31536000, immutable"  # their names carry their content's hash
_NOT_BUILT: Final = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>绿色通道</title>
<h1>页面尚未构建</h1><p>The page has not been built. Run <code>make setup</code>, or install the package from a
wheel. The interface for programs works: see <a href="/docs">/docs</a>.</p></html>"""


def page_folder() -> Traversable:
    """Where the built page lies."""
    folder: Traversable = files("greenchannel")
    for part in _FOLDER:
        folder = folder / part
    return folder


@router.get("/static/{path:path}")
async def asset(path: str) -> Response:
    """One file of the page."""
    return await asyncio.to_thread(_asset, path)


@router.get("/sw.js")
async def worker() -> Response:
    """The page's worker, which shows push messages; at the root, so that all addresses of the page are its own."""
    return await asyncio.to_thread(_asset, "sw.js")


def _asset(path: str) -> Response:
    target: Traversable = page_folder()
    for part in path.split("/"):
        if part in {"", ".", ".."} or "\\" in part or "\0" in part:
            raise Problem(404, "there is no such file")
        target = target / part
    if not target.is_file():
        raise Problem(404, "there is no such file")
    kind, _ = guess_type(path)
    caching = _FOREVER if path.startswith("assets/") else "no-cache"
    return Response(
        target.read_bytes(),
        media_type=kind or "application/octet-stream",
        headers={"Cache-Control": caching},
    )


def index() -> Response:
    """The page's entry; a plain sentence where it has not been built."""
    entry = page_folder() / "index.html"
    text = entry.read_text(encoding="utf-8") if entry.is_file() else _NOT_BUILT
    return HTMLResponse(text, headers={"Cache-Control": "no-cache"})


def add_fallback(app: FastAPI) -> None:
    """Answer `GET` of every address that nothing else answers with the page; those of the interface stay 404."""

    @app.get("/{path:path}", include_in_schema=False)
    async def page(path: str) -> Response:
        if path.startswith("api/") or "." in path.rpartition("/")[2]:
            raise Problem(404, "there is no such address", got=f"/{path}"[:120])
        return await asyncio.to_thread(index)


def listing(schema: dict[str, Any]) -> str:
    """All calls of the interface as one plain page that needs nothing from elsewhere."""
    rows = []
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            text = operation.get("description", "")
            rows.append(
                f"<tr><td><code>{method.upper()}</code><td><code>{html.escape(path)}</code>"
                f"<td>{html.escape(operation.get('summary', ''))}<td>{html.escape(text)}"
            )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>greenchannel: interface</title>'
        f"<h1>{html.escape(schema['info']['title'])} {html.escape(schema['info']['version'])}</h1>"
        '<p>Schema: <a href="/openapi.json">/openapi.json</a>. WebSockets: <code>/api/v1/live</code> and '
        "<code>/api/v1/stream</code>; see docs/wire-protocol.md.</p>"
        f"<table><tr><th>call<th>address<th>meaning<th>{''.join(rows)}</table></html>"
    )
