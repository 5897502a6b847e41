"""Python's collector of reference cycles, set for a process that lives long and answers quickly.

Its full passes look at everything that lives: all modules, tables and cases, half a million objects in 50 to 100 ms,
during which no frame is taken and no alert is told. What is there once a process has started stays for its life; it
is left out, and passes over the rest are short. They also come less often than by Python's default, since frames of a
stream make hundreds of short-lived objects a second; but they must come, or what hangs on a cycle stays.
"""

import gc
from typing import Final

YOUNG: Final = (
    50_000  # objects more than were freed, before the young are looked at; Python's default is 700  [E]
)
OLDER: Final = (20, 50)  # looks at the younger ones before one at the next; Python's default is 10, 10  [E]


def settle() -> None:
    """Call once all is there that stays for the life of this process. Calling again leaves out what came since."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, *OLDER)
