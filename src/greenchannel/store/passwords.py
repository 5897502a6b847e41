"""Passwords under argon2id, and tokens nobody can guess.

A password is slow to check on purpose (about 90 ms): call from a thread, never from the event loop.
"""

import hashlib
import secrets
from functools import cache
from typing import Final

from pwdlib import PasswordHash

_hasher = PasswordHash.recommended()

NO_PASSWORD: Final = "!"
"""Stored in place of a hash: the person has yet to choose a password, and no password fits."""


def hash_password(password: str) -> str:
    """The argon2id hash to store; raises `ValueError` for no password at all."""
    if not password:
        raise ValueError("expected a password, got an empty one")
    return _hasher.hash(password)


def password_fits(password: str, stored: str | None) -> tuple[bool, str | None]:
    """Whether the password is right, and a newer hash to store where the parameters have moved on.

    It takes as long where `stored` is None or `NO_PASSWORD`, so that nobody can find out by a clock who has an account.
    """
    stored = None if stored == NO_PASSWORD else stored
    right, newer = _hasher.verify_and_update(password, stored or _nobodys_hash())
    return (right, newer) if stored else (False, None)


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_urlsafe(32))


def new_token() -> str:
    """256 random bits, as text for a header or a cookie."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """What is stored of a token: enough to know it again, useless to whoever reads the table."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()
