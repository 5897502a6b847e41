"""Lead names, their order on the body and the chains that make leads neighbours.

Names are those of the wire: ``I II III aVR aVL aVF V1…V9 V3R V4R V5R`` and ``X Y Z``.
"""

from typing import Final

LIMB: Final = ("I", "II", "III", "aVR", "aVL", "aVF")
PRECORDIAL: Final = ("V1", "V2", "V3", "V4", "V5", "V6")
POSTERIOR: Final = ("V7", "V8", "V9")
RIGHT: Final = ("V3R", "V4R", "V5R")
VECTOR: Final = ("X", "Y", "Z")

STANDARD_12: Final = LIMB + PRECORDIAL
STANDARD_18: Final = STANDARD_12 + POSTERIOR + RIGHT
ALL: Final = STANDARD_18 + VECTOR

# Clinical specification STE-2. −aVR may bridge I and II; it is not itself a qualifying lead.
CABRERA_CHAIN: Final = ("aVL", "I", "-aVR", "II", "aVF", "III")
CHEST_CHAIN: Final = ("V5R", "V4R", "V3R", "V1", "V2", "V3", "V4", "V5", "V6", "V7", "V8", "V9")

_CANONICAL: Final = {name.upper(): name for name in ALL}


def canonical(name: str) -> str | None:
    """The wire name of a lead written in any case (``"avr"`` → ``"aVR"``), or None where it is not known."""
    return _CANONICAL.get(name.strip().upper())
