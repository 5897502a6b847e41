"""Whether the agent's folders are apart: it must never send or move away what it keeps itself."""

import os
from pathlib import Path

_APART = (
    ("spool", "watch"),
    ("watch", "spool"),
    ("done", "watch"),
    ("done", "spool"),
    ("token-file", "watch"),
)


def mixed_up(*, spool: Path, watch: Path | None, done: Path | None, token_file: Path) -> str | None:
    """Which of the folders lies in another, or the token where it would be sent as an ECG, in both languages.

    None where they are apart. Links are followed, folders need not be there yet, and nothing is touched.
    """
    folders = {"spool": spool, "watch": watch, "done": done, "token-file": token_file}
    for inner, outer in _APART:
        lower, upper = folders[inner], folders[outer]
        if lower is not None and upper is not None and _lies_in(lower, upper):
            return (
                f"--{inner} 应在 --{outer} 之外，实际为 {_told(lower)}，位于 {_told(upper)} 之内；未作任何改动\n"
                f"expected --{inner} outside of --{outer}, got {_told(lower)}, which is in {_told(upper)}; "
                "nothing was touched"
            )
    return None


def _lies_in(lower: Path, upper: Path) -> bool:
    """Is it the other, or below it?"""
    place, top = Path(os.path.realpath(lower)), Path(os.path.realpath(upper))
    return any(each == top or _is_same(each, top) for each in (place, *place.parents))


def _is_same(one: Path, other: Path) -> bool:
    """The same folder under two names, as where capitals make no difference."""
    try:
        return one.samefile(other)
    except OSError:  # one of them is not there
        return False


def _told(path: Path) -> str:
    """The path as it was said, and where it leads."""
    real = os.path.realpath(path)
    return str(path) if real == str(path) else f"{path} ({real})"
