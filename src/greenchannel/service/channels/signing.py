"""Signatures of webhooks in the form of Standard Webhooks: HMAC-SHA256 over ``id.timestamp.body``."""

import base64
import binascii
import hashlib
import hmac
from typing import Final
from urllib.parse import quote, unquote

_PREFIX: Final = "whsec_"
_MOST_SIGNATURES: Final = 10  # of one header: a sender that changes its secret says two


def secret_bytes(secret: str) -> bytes:
    """The key of a secret ``whsec_<base64>``; raises `ValueError` for another form, or fewer than 24 bytes."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(_PREFIX) or len(key) < 24:
        raise ValueError("expected a secret of the form whsec_ and base64 of at least 24 bytes")
    return key


def wire_id(key: str) -> str:
    """An idempotency key as it stands in ``webhook-id``: ASCII, and without the point that parts the signed text."""
    return quote(key, safe=":+").replace(".", "%2E")


def key_of(wire: str) -> str:
    """The key behind a ``webhook-id``."""
    return unquote(wire)


def sign(secret: str, webhook_id: str, timestamp_s: int, body: bytes) -> str:
    """The header ``webhook-signature`` of one message."""
    return sign_with(secret_bytes(secret), webhook_id, timestamp_s, body)


def sign_with(key: bytes, webhook_id: str, timestamp_s: int, body: bytes) -> str:
    """As `sign`, with the key itself."""
    text = f"{webhook_id}.{timestamp_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, text, hashlib.sha256)).decode()


def signed_right(secret: str, webhook_id: str, timestamp_s: int, body: bytes, signatures: str) -> bool:
    """Is one of the signatures of a header right?"""
    wanted = sign(secret, webhook_id, timestamp_s, body).encode()
    return any(
        hmac.compare_digest(wanted, given.encode()) for given in signatures.split(" ")[:_MOST_SIGNATURES]
    )
