"""Types of the service's HTTP interface for the page, from the service's own OpenAPI.

::

    python viewer/web/openapi_types.py            write src/openapi.d.ts
    python viewer/web/openapi_types.py --check    fail where the file is not what the service says now

The page's calls are checked against them by the compiler: a path that is not served, or a body that would be refused,
does not build.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx

from greenchannel.assembly import build
from greenchannel.settings import Settings
from greenchannel.viewer.app import create_app
from greenchannel.viewer.web import build_page

TYPES = build_page.WEB / "src" / "openapi.d.ts"
HEAD = "// Written by `python viewer/web/openapi_types.py` from the service's OpenAPI. Do not edit.\n"


def service_schema() -> dict[str, Any]:
    """The OpenAPI document that the service hands out."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(build(Settings(data_dir=Path(folder), port=0)))

        async def ask() -> dict[str, Any]:
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
                answer = await http.get("/openapi.json")
                answer.raise_for_status()
                schema: dict[str, Any] = answer.json()
                return schema

        return asyncio.run(ask())


def types_of(schema: dict[str, Any]) -> str:
    """The document as TypeScript; in the order of names, so that a new route moves no other."""
    build_page.install_packages()
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder) / "openapi.json", Path(folder) / "openapi.d.ts"
        source.write_text(json.dumps(schema), encoding="utf-8")
        # A field with a default may be left out of what the page sends.
        options = ("--alphabetize", "--default-non-nullable=false", "--output", str(made))
        build_page.tool("openapi-typescript/bin/cli.js", str(source), *options)
        return HEAD + made.read_text(encoding="utf-8")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Types of the HTTP interface for the page.")
    parser.add_argument(
        "--check", action="store_true", help="change nothing; fail where the file is not current"
    )
    given = parser.parse_args(arguments)
    wanted = types_of(service_schema())
    held = TYPES.read_text(encoding="utf-8") if TYPES.exists() else ""
    if held == wanted:
        print("types are up to date")
        return 0
    if given.check:
        print(
            f"{TYPES.name} is not what the service says: run python viewer/web/openapi_types.py",
            file=sys.stderr,
        )
        return 1
    TYPES.write_text(wanted, encoding="utf-8")
    print(f"{TYPES.name} written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
