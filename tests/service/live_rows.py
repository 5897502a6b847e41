"""What a client of the fan-out has on its board."""

import json
from typing import Any

from greenchannel.viewer.live import Client

Rows = dict[str, Any]


async def rows_of(client: Client, rows: Rows) -> tuple[Rows, int]:
    """The rows after all that waits, which ends with a snapshot or a mark; and the number that says.

    The fan-out sets marks of its own every few seconds: one may stand in the middle of what waits.
    """
    rows = dict(rows)
    while True:
        message = json.loads(await client.next())
        if message["type"] == "snapshot":
            rows = {row["case_id"]: row for row in message["cases"]}
        elif message["type"] != "mark":
            rows[message["case_id"]] = message["row"]
            continue
        if not client._waiting:
            return rows, int(message["seq"])
