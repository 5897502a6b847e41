"""A watched folder: what is complete goes into the spool, and then stays or is moved, as the clinic wants it."""

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from greenchannel.agent.ports import NOT_DURABLE
from greenchannel.agent.spool import Spool
from greenchannel.ingest import agent_watch
from greenchannel.ingest.agent_watch import Looked, Ready, Seen
from greenchannel.ingest.bounds import MAX_BYTES
from greenchannel.ingest.bundle import bundle
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.fields import parse_fields
from greenchannel.ingest.reader import files_of

MOST_SIDECAR_BYTES: Final = 64 * 1024
_NOT_HERE: Final = frozenset(
    {"filename", "filetype", "sha256", "encoding", "seen_at"}
)  # the agent's own words


class Watcher:
    """Looks at one folder, again and again.

    Parameters
    ----------
    done
        Folder to which files are moved once they are in the spool; None leaves them where they are.
    steady_s
        A clock that only goes forward.
    """

    def __init__(
        self,
        spool: Spool,
        folder: Path,
        *,
        done: Path | None,
        steady_s: Callable[[], float],
        settle_s: float = agent_watch.SETTLE_S,
    ) -> None:
        self._spool = spool
        self._folder = Path(folder)
        self._done = done
        self._steady_s = steady_s
        self._settle_s = settle_s
        self._looked: dict[str, Looked] = {}
        self.trouble: str | None = None  # why the folder cannot be read

    def look(self) -> int:
        """One look; gives how many ECGs were taken."""
        try:
            seen = self._seen()
        except OSError as error:
            self.trouble = f"{error.strerror or error}: {self._folder}"
            return 0
        self.trouble = None
        now_s = self._steady_s()
        self._looked = agent_watch.look(self._looked, seen, now_s)
        self._spool.forget_sightings({self._path(name) for name in seen})
        taken = 0
        try:
            for one in agent_watch.ready(self._looked, now_s, self._settle_s):
                if any(self._is_new(name) for name in one.names):
                    taken += self._take(one)
        except NOT_DURABLE as error:  # the files stay where they are, and are looked at again
            self.trouble = f"暂存空间写不进去 nothing can be kept in the spool: {error}"
        return taken

    # ------------------------------------------------------------ one look

    def _seen(self) -> dict[str, Seen]:
        """Every file in the folder and below, but for where the taken ones go."""
        found: dict[str, Seen] = {}
        for place, folders, files in os.walk(self._folder, onerror=_raise):
            here = Path(place)
            folders[:] = [name for name in folders if not name.startswith(".") and here / name != self._done]
            for name in files:
                path = here / name
                with contextlib.suppress(OSError):  # gone since, or held by whoever writes it
                    stat = path.stat()
                    if path.is_file():
                        found[path.relative_to(self._folder).as_posix()] = Seen(
                            stat.st_size, stat.st_mtime_ns
                        )
        return found

    def _is_new(self, name: str) -> bool:
        seen = self._looked[name].seen
        return self._spool.sighting(self._path(name)) != (seen.size_bytes, seen.mtime_ns)

    def _path(self, name: str) -> str:
        return str(self._folder / name)

    # ------------------------------------------------------------ one ECG

    def _take(self, one: Ready) -> bool:
        first = self._folder / one.names[0]
        try:
            data, name = self._read(one, first)
            fields, note = self._sidecar(one.sidecar)
            if not self._as_looked(one):
                return False  # it was written to meanwhile: the next look will see
        except OSError:
            return False  # held by whoever writes it, or gone
        _, new = self._spool.add(data, name=name, way="folder", fields=fields, note=note)
        names = [*one.names, *([] if one.sidecar is None else [one.sidecar])]
        for each in names:
            seen = self._looked[each].seen
            self._spool.note_sighting(self._path(each), seen.size_bytes, seen.mtime_ns)
        if self._done is not None:
            for each in names:
                self._move(each)
        return new

    def _read(self, one: Ready, first: Path) -> tuple[bytes, str]:
        if first.stat().st_size > MAX_BYTES:
            # The server would not take it; its beginning is kept, and says so.
            with first.open("rb") as file:
                return file.read(MAX_BYTES + 1), first.name
        if first.suffix.lower() != agent_watch.HEADER:
            return first.read_bytes(), first.name
        try:
            files = files_of(first)
            return bundle(files), first.name if len(files) == 1 else f"{first.stem}.zip"
        except IngestError:
            return first.read_bytes(), first.name

    def _as_looked(self, one: Ready) -> bool:
        names = [*one.names, *([] if one.sidecar is None else [one.sidecar])]
        for name in names:
            stat = (self._folder / name).stat()
            if Seen(stat.st_size, stat.st_mtime_ns) != self._looked[name].seen:
                return False
        return True

    def _sidecar(self, name: str | None) -> tuple[dict[str, str], str | None]:
        """What stands beside an ECG; a sidecar that cannot be read must not keep it."""
        if name is None:
            return {}, None
        path = self._folder / name
        if path.stat().st_size > MOST_SIDECAR_BYTES:
            return {}, f"{path.name} is too large for a sidecar; sent without it"
        try:
            return sidecar_fields(path.read_bytes())
        except ValueError as error:
            return {}, f"{path.name} cannot be read ({error}); sent without it"

    def _move(self, name: str) -> None:
        assert self._done is not None
        source, target = self._folder / name, self._done / name
        target.parent.mkdir(parents=True, exist_ok=True)
        number = 1
        while target.exists():
            target = (self._done / name).with_name(f"{source.stem}-{number}{source.suffix}")
            number += 1
        with contextlib.suppress(OSError):  # held: it stays, and is known by its sighting
            shutil.move(source, target)


def sidecar_fields(content: bytes) -> tuple[dict[str, str], str | None]:
    """The fields in a sidecar as they go over the wire, and what was odd about it.

    Raises
    ------
    ValueError
        It is no JSON object.
    """
    try:
        found = msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"), type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)[:100]) from error
    fields: dict[str, str] = {}
    odd: list[str] = []
    for key, value in found.items():
        word = _word(value)
        if key in _NOT_HERE or word is None:
            continue
        try:
            known = parse_fields({key: word})
        except IngestError as error:
            odd.append(str(error))
            continue
        if any(getattr(known, name) is not None for name in known.__slots__):
            fields[key] = word
    return fields, "; ".join(odd) or None


def _word(value: Any) -> str | None:
    match value:
        case None | "":
            return None
        case bool():
            return "yes" if value else "no"
        case str():
            return value
        case dict():
            return msgspec.json.encode(value).decode()
        case _:
            return str(value)


def _raise(error: OSError) -> None:
    raise error
