"""How much is sent in one request: a few seconds of the link as it is, less after each cut. Pure."""

from dataclasses import dataclass, replace
from typing import Final

SMALLEST_BYTES: Final = 2 * 1024
LARGEST_BYTES: Final = 512 * 1024
PIECE_S: Final = 3.0  # of sending; what a cut costs at most  [E]
_WEIGHT: Final = 0.4  # of the newest measurement  [E]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """The link's speed, and the size of the next piece."""

    bytes_per_s: float | None = None  # None: nothing was measured
    piece_bytes: int = 16 * 1024

    def took(self, sent_bytes: int, took_s: float) -> "Pace":
        """A piece arrived, its answer included.

        The size at most doubles from one piece to the next: the first pieces go into buffers and look fast.
        """
        speed = sent_bytes / max(took_s, 1e-3)
        if self.bytes_per_s is not None:
            speed = _WEIGHT * speed + (1 - _WEIGHT) * self.bytes_per_s
        return Pace(bytes_per_s=speed, piece_bytes=_within(min(speed * PIECE_S, 2 * self.piece_bytes)))

    def cut(self) -> "Pace":
        """A piece did not arrive."""
        return replace(self, piece_bytes=_within(self.piece_bytes / 2))


def _within(size_bytes: float) -> int:
    return int(min(max(size_bytes, SMALLEST_BYTES), LARGEST_BYTES))
