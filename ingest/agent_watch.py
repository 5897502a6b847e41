"""Which files of a watched folder are complete. Pure: what a look saw goes in, what may be taken comes out.

A file is complete when two looks, some seconds apart, saw the same size and time, and every file that belongs to it is
complete as well: the signal files of a WFDB header, and the sidecar with what is known of the patient. A JSON file may
be an ECG or a sidecar, which its name does not tell; whoever reads files says which of them are no ECG.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final, NamedTuple

SETTLE_S: Final = 2.0  # between two looks that agree; some file systems keep times to two seconds  [E]
ALONE_S: Final = (
    30.0  # a signal file without its header, a sidecar without its ECG: looked at as it is then  [E]
)
SIDECAR: Final = ".json"
HEADER: Final = ".hea"
SIGNALS: Final = frozenset({".dat", ".mat"})

# What copying programs, browsers and offices write before a file has its name.  [O]
_UNFINISHED: Final = frozenset(
    {".tmp", ".temp", ".part", ".partial", ".crdownload", ".download", ".swp", ".lock"}
)


class Seen(NamedTuple):
    """A file as one look saw it."""

    size_bytes: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Looked:
    """A file over several looks."""

    seen: Seen
    since_s: float  # of a clock that only goes forward: when it was first seen like this


class Ready(NamedTuple):
    """An ECG that may be taken: its files, the first of which names it, and its sidecar."""

    names: tuple[str, ...]
    sidecar: str | None


def look(before: Mapping[str, Looked], seen: Mapping[str, Seen], now_s: float) -> dict[str, Looked]:
    """The looks so far and the newest one; names are relative to the folder, with ``/``."""
    looked = {}
    for name, now in seen.items():
        old = before.get(name)
        looked[name] = old if old is not None and old.seen == now else Looked(now, now_s)
    return looked


def ready(
    looked: Mapping[str, Looked],
    now_s: float,
    settle_s: float = SETTLE_S,
    *,
    no_ecgs: Collection[str] = (),
) -> list[Ready]:
    """What is complete, the oldest first.

    A file that is empty, hidden, or has the name of something unfinished is none; so is one with ``NAME.lock`` beside
    it.

    Parameters
    ----------
    no_ecgs
        JSON files that are no ECG by what stands in them: each waits for the ECG beside which it belongs.
    """
    names = {name for name in looked if not _unfinished(name)}
    locked = {name[: -len(".lock")] for name in looked if name.lower().endswith(".lock")}

    def settled(name: str) -> bool:
        one = looked[name]
        return one.seen.size_bytes > 0 and now_s - one.since_s >= settle_s and name not in locked

    sidecars = {owner: name for owner in names if (name := _sidecar(owner, names)) is not None}
    found = []
    for name in sorted(names - set(sidecars.values()), key=lambda name: (looked[name].seen.mtime_ns, name)):
        parts = _parts(name, names)
        if _belongs_to_header(name, names) or name in no_ecgs:
            continue
        waits = _belongs_to_another(name) and now_s - looked[name].since_s < ALONE_S
        sidecar = sidecars.get(name)
        whole = [*parts, *([] if sidecar is None else [sidecar])]
        if not waits and all(settled(part) for part in whole):
            found.append(Ready(parts, sidecar))
    return found


def alone(looked: Mapping[str, Looked], now_s: float, no_ecgs: Collection[str]) -> list[str]:
    """Of the JSON files that are no ECG, those beside which none has come for `ALONE_S`."""
    names = {name for name in looked if not _unfinished(name)}
    return sorted(
        name
        for name in names.intersection(no_ecgs)
        if now_s - looked[name].since_s >= ALONE_S and not owners(name, names)
    )


def owners(sidecar: str, names: Collection[str]) -> set[str]:
    """Whose sidecar it is: ``a.json`` belongs to ``a.dcm`` and to ``a.pdf`` alike."""
    known = set(names)
    return {name for name in known if not _unfinished(name) and _sidecar(name, known) == sidecar}


def may_own(sidecar: str, name: str) -> bool:
    """Could it be the sidecar of a file of this name?"""
    return _sidecar(name, {name, sidecar}) == sidecar


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _belongs_to_another(name: str) -> bool:
    """Is it, by its name, a signal file or the sidecar ``a.dcm.json`` of an ECG that may still be on its way?"""
    return _suffix(name) in SIGNALS or (_suffix(name) == SIDECAR and _suffix(_stem(name)) != "")


def _unfinished(name: str) -> bool:
    last = PurePosixPath(name).name
    return last.startswith((".", "~$")) or _suffix(name) in _UNFINISHED


def _stem(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))


def _sidecar(owner: str, names: set[str]) -> str | None:
    """``a.dcm.json`` or ``a.json`` beside ``a.dcm``; a JSON file has none."""
    if _suffix(owner) == SIDECAR or _belongs_to_header(owner, names):
        return None
    for name in (owner + SIDECAR, _stem(owner) + SIDECAR):
        if name in names:
            return name
        alike = [
            other for other in names if other.casefold() == name.casefold()
        ]  # sticks of old systems shout
        if len(alike) == 1:
            return alike[0]
    return None


def _belongs_to_header(name: str, names: set[str]) -> bool:
    return _suffix(name) in SIGNALS and any(
        _suffix(other) == HEADER and _stem(name) == _stem(other) for other in names
    )


def _parts(name: str, names: set[str]) -> tuple[str, ...]:
    if _suffix(name) != HEADER:
        return (name,)
    return (
        name,
        *sorted(other for other in names if _suffix(other) in SIGNALS and _stem(other) == _stem(name)),
    )
