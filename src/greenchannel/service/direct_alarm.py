"""The auditor's own voice: one address, reached from a thread of its own, past outbox, event loop and database.

An ``http`` or ``https`` address is a webhook, signed in the form of Standard Webhooks; any other is an address of the
apprise library (``mailto://…``, ``dingtalk://…``). The address is a secret and stands in no log.
"""

import base64
import queue
import threading
import time
from typing import Final

import httpx
import msgspec
import structlog

from greenchannel.service.channels.signing import sign_with

logger = structlog.get_logger(__name__)

WAITS_S: Final = (0.0, 2.0, 10.0, 30.0, 60.0)  # before each attempt
MOST_WAITING: Final = 100
TIMEOUT_S: Final = 10.0


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to say. The key is the same for a repeat, so that a receiver shows it once."""

    key: str
    text: str


def signature(secret: str, key: str, at_s: int, body: bytes) -> str:
    """The header ``webhook-signature`` of Standard Webhooks; a secret may be ``whsec_`` and base64, or plain text."""
    raw = base64.b64decode(secret[6:]) if secret.startswith("whsec_") else secret.encode()
    return sign_with(raw, key, at_s, body)


class DirectAlarm:
    """Says what it is told, in order, each until it was taken or its attempts have ended."""

    def __init__(self, url: str | None, secret: str | None, waits_s: tuple[float, ...] = WAITS_S) -> None:
        self._url = url
        self._secret = secret
        self._waits_s = waits_s
        self._waiting: queue.Queue[Said] = queue.Queue(MOST_WAITING)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def say(self, key: str, text: str) -> None:
        """Hand over one thing to say; never waits, never raises. Nothing happens where no address is set."""
        if self._url is None or self._stop.is_set():
            return
        try:
            self._waiting.put_nowait(Said(key=key, text=text))
        except queue.Full:
            logger.critical("too many alarms wait, one is not sent", key=key)
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="greenchannel-alarm", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Say nothing more."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                said = self._waiting.get(timeout=1.0)
            except queue.Empty:
                continue
            self._until_taken(said)

    def _until_taken(self, said: Said) -> None:
        for wait_s in self._waits_s:
            if self._stop.wait(wait_s):
                return
            try:
                self._send(said)
            except Exception as error:  # noqa: BLE001 - a library's; its text may hold the address
                logger.error("the auditor's alarm was not taken", key=said.key, error=type(error).__name__)
            else:
                return
        logger.critical("the auditor's alarm was given up", key=said.key, attempts=len(self._waits_s))

    def _send(self, said: Said) -> None:
        assert self._url is not None
        if self._url.startswith(("http://", "https://")):
            self._post(said)
            return
        import apprise

        told = apprise.Apprise()
        if not told.add(self._url) or not told.notify(title="greenchannel", body=said.text):
            raise ConnectionError

    def _post(self, said: Said) -> None:
        assert self._url is not None
        at_s = int(time.time())
        body = msgspec.json.encode({"type": "auditor_alarm", "text": said.text})
        headers = {
            "Content-Type": "application/json",
            "webhook-id": said.key,
            "webhook-timestamp": str(at_s),
            "webhook-signature": signature(self._secret or "", said.key, at_s, body),
        }
        answer = httpx.post(self._url, content=body, headers=headers, timeout=TIMEOUT_S, trust_env=False)
        if not answer.is_success:
            raise ConnectionError
