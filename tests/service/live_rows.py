"""What a client of the fan-out has on its board."""

import json
from typing import Any

from greenchannel.viewer.live import Client

Rows = dict[str, Any]


async def rows_of(client: Client, rows: Rows) -> tuple[Rows, int]:
    """The rows after all that waits, up to the snapshot or the first mark; and the number it says."""
    rows = dict(rows)
    while True:
        message = json.loads(await client.next())
        if message["type"] == "snapshot":
            return {row["case_id"]: row for row in message["cases"]}, int(message["seq"])
        if message["type"] == "mark":
            return rows, int(message["seq"])
        rows[message["case_id"]] = message["row"]
