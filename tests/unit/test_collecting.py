"""The collector of a service: what stays is left out, what becomes garbage later still goes."""

import subprocess
import sys

_PROGRAM = """
import gc, weakref
from greenchannel.service import collecting

class Thing: pass

kept = [Thing() for _ in range(10_000)]
collecting.settle()
assert gc.get_freeze_count() > 10_000, gc.get_freeze_count()
thing = Thing()
thing.itself = thing
gone = weakref.ref(thing)
del thing
made = []
while gone() is not None and len(made) < 10 * collecting.YOUNG:
    made.append([])
assert gone() is None, "expected a cycle to go once enough was made"
"""


def test_what_is_there_at_the_start_is_left_out_and_later_cycles_go() -> None:
    """In a process of its own: the setting holds for all of one."""
    subprocess.run([sys.executable, "-c", _PROGRAM], check=True, timeout=60)
