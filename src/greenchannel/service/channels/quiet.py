"""Keeps the libraries that send from writing addresses into the log: tokens and numbers stand in them."""

import logging
from typing import Final

TALKATIVE: Final = ("apprise", "urllib3", "requests", "httpx", "httpcore", "pywebpush", "py_vapid")


def hush() -> None:
    """What these libraries say goes nowhere; what became of a delivery is said by ourselves, in codes."""
    for name in TALKATIVE:
        logger = logging.getLogger(name)
        logger.propagate = False
        logger.setLevel(logging.CRITICAL + 1)
        if not any(isinstance(handler, logging.NullHandler) for handler in logger.handlers):
            logger.addHandler(logging.NullHandler())
