"""kill -9 between sending and noting it: the receiver gets the same key again, and nothing else twice."""

from typing import Final

KILLS: Final = 5
