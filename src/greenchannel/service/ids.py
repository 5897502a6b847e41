"""Names for new things: random, so that nobody learns anything from them."""

import secrets


def new_id(kind: str) -> str:
    """A fresh id: ``c_`` case, ``e_`` ECG, ``a_`` alert, ``g_`` green channel."""
    return f"{kind}_{secrets.token_hex(8)}"
