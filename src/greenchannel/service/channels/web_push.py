"""Web Push: enciphered for one browser, signed with the service's own key (VAPID), handed to its push service."""

import os
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from greenchannel.alerts.delivery import Outcome, Refused, number
from greenchannel.alerts.messages import Message
from greenchannel.service.channels.outgoing import Outgoing
from greenchannel.store.contacts import Address, Contact

_TOKEN_S: Final = 12 * 3600  # for how long one signature is good; push services allow a day


class VapidKey:
    """The key under which this service is known to push services; made on first use, readable by its owner alone."""

    def __init__(self, path: Path, subject: str) -> None:
        self._path = path
        self._subject = subject
        self._key: ec.EllipticCurvePrivateKey | None = None

    def _private(self) -> ec.EllipticCurvePrivateKey:
        if self._key is None:
            if not self._path.exists():
                self._make()
            found = serialization.load_pem_private_key(self._path.read_bytes(), password=None)
            if not isinstance(found, ec.EllipticCurvePrivateKey):
                raise ValueError(f"expected a key of the curve P-256 in {self._path}")
            self._key = found
        return self._key

    def _make(self) -> None:
        pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        temporary = self._path.with_name(f".{self._path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        try:
            with suppress(FileExistsError):  # another process was first; its key is the one
                os.link(temporary, self._path)
        finally:
            temporary.unlink()

    @property
    def public(self) -> str:
        """The public key as a page gives it to `PushManager.subscribe`: base64url of the uncompressed point."""
        from py_vapid.utils import b64urlencode

        point = (
            self._private()
            .public_key()
            .public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        )
        return str(b64urlencode(point))

    def authorization(self, endpoint: str) -> str:
        """The header for one push service."""
        from py_vapid import Vapid02

        parts = urlsplit(endpoint)
        claims = {
            "sub": self._subject,
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": int(time.time()) + _TOKEN_S,  # read by the push service's clock, so it is this machine's
        }
        return str(Vapid02(self._private()).sign(claims)["Authorization"])


def payload(message: Message) -> bytes:
    """What the browser's worker gets: enough to show, close and report; no name, no id of a case."""
    shown: dict[str, Any] = {
        "kind": message.kind,
        "title": message.title,
        "body": message.text,
        "tag": message.tag,
        "ref": message.ref,
        "silent": message.silent,
        "close": message.kind == "alert_stop",
    }
    return msgspec.json.encode(shown)


async def send(
    outgoing: Outgoing,
    vapid: VapidKey,
    contact: Contact,
    address: Address,
    message: Message,
    timeout_s: float,
) -> Outcome:
    """One message to one browser."""
    from pywebpush import WebPusher, WebPushException

    keys = {"p256dh": address.p256dh or "", "auth": address.auth or ""}
    try:
        body = bytes(WebPusher({"endpoint": address.url, "keys": keys}).encode(payload(message))["body"])
        authorization = vapid.authorization(address.url)
    except (WebPushException, ValueError):
        return Refused(reason="bad_address")
    headers = {
        "authorization": authorization,
        "content-encoding": "aes128gcm",
        "content-type": "application/octet-stream",
        "ttl": str(int(number("push_ttl_s"))),
        "urgency": "high" if message.urgent or message.kind in ("test", "alert_stop") else "normal",
        "topic": message.tag,  # of one tag a push service keeps the newest alone
    }
    return await outgoing.post(address.url, headers, body, private=not contact.by_person, timeout_s=timeout_s)
