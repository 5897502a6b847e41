"""The doctors at the hub of a simulated county: they answer at once, late, or never."""

import asyncio
import contextlib
from collections import Counter
from typing import Any, Final

import httpx
import websockets

from greenchannel.county.client import Client, Refusal
from greenchannel.county.fast_clock import FastClock
from greenchannel.county.plan import reaction

AGAIN_S: Final = 0.5  # real seconds until a board that was cut is asked for again
READING: Final = "模拟阅图,不作诊断 simulated reading, no diagnosis"
ADVICE: Final = "模拟建议 simulated advice"


class Doctors:
    """Whoever is on duty, behind one live board.

    Parameters
    ----------
    client
        Of a doctor who has signed in.
    clock
        Whose seconds the reactions count.
    seed
        Of the reactions: the n-th alert that is seen gets the n-th.
    """

    def __init__(self, client: Client, clock: FastClock, seed: int) -> None:
        self._client, self._clock, self._seed = client, clock, seed
        self._seen: set[str] = set()
        self._answering: set[asyncio.Task[None]] = set()
        self.kinds: Counter[str] = Counter()
        """Alerts by the kind of reaction that they got or will get."""
        self.answered: set[str] = set()
        """Ids of alerts whose answer the service has confirmed."""

    async def work(self) -> None:
        """Look at the board until cancelled."""
        after: int | None = None
        try:
            while True:
                with contextlib.suppress(OSError, websockets.WebSocketException):
                    async with self._client.live(after) as messages:
                        async for message in messages:
                            self._look(message)
                            after = int(message["seq"])
                await asyncio.sleep(AGAIN_S)
        finally:
            for task in self._answering:
                task.cancel()
            await asyncio.gather(*self._answering, return_exceptions=True)

    def _look(self, message: dict[str, Any]) -> None:
        rows = message.get("cases", [message["row"]] if "row" in message else [])
        for row in rows:
            alert = row["alert"]
            if alert is None or alert["state"] != "open" or alert["alert_id"] in self._seen:
                continue
            react = reaction(self._seed, len(self._seen))
            self._seen.add(alert["alert_id"])
            self.kinds[react.kind] += 1
            if react.after_s is not None:
                work = self._answer(alert["alert_id"], row["ecg_id"], row["tier"], react.after_s)
                task = asyncio.create_task(work)
                self._answering.add(task)
                task.add_done_callback(self._answering.discard)

    async def _answer(self, alert_id: str, ecg_id: str, tier: str, after_s: float) -> None:
        """Acknowledge, then sign. Somebody else may have been quicker, and the service away for long."""
        await self._clock.sleep(after_s)
        with contextlib.suppress(Refusal, httpx.TransportError):
            await self._client.act(f"/alerts/{alert_id}/ack")
            self.answered.add(alert_id)
            await self._client.act(f"/ecgs/{ecg_id}/reading", text=READING, tier=tier, advice=ADVICE)
