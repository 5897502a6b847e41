"""A watched folder: what is complete goes into the spool, and then stays or is moved, as the clinic wants it."""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

from greenchannel.agent.item import Item
from greenchannel.agent.ports import NOT_DURABLE
from greenchannel.agent.sidecar import is_no_ecg, read_sidecar
from greenchannel.agent.spool import Spool
from greenchannel.ingest import agent_watch
from greenchannel.ingest.agent_watch import Looked, Ready, Seen
from greenchannel.ingest.bounds import MAX_BYTES
from greenchannel.ingest.bundle import bundle
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.reader import files_of

# So long after its ECG was moved away a sidecar may still come; later it may be that of another under the same name.
MOST_LATE: Final = timedelta(minutes=10)  # [E]


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
        self._no_ecgs: dict[str, Seen] = {}  # JSON files, as they were when they were looked into
        self.trouble: str | None = None  # why the folder cannot be read

    def look(self) -> int:
        """One look; gives how many ECGs were taken."""
        try:
            seen = self._seen()
        except OSError as error:
            self.trouble = f"{error.strerror or error}: {self._folder}"
            return 0
        now_s = self._steady_s()
        self._looked = agent_watch.look(self._looked, seen, now_s)
        self._spool.forget_sightings({self._path(name) for name in seen})
        taken, trouble = 0, None
        try:
            found = self._ready(now_s)
            late = {one.sidecar for one in found if one.sidecar is not None and self._is_new(one.sidecar)}
            for one in found:
                if any(self._is_new(name) for name in one.names):
                    taken += self._take(one)
                elif one.sidecar is not None and one.sidecar in late:
                    self._amend(one.sidecar, {self._path(one.names[0])})
            trouble = self._look_at_alone(now_s)
        except NOT_DURABLE as error:  # the files stay where they are, and are looked at again
            trouble = f"暂存空间写不进去 nothing can be kept in the spool: {error}"
        self.trouble = trouble
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
            known = self._known(self._path(one.names[0]), data)
            fields, note = self._beside(one, again=known is not None)
            if not self._as_looked(one):
                return False  # it was written to meanwhile: the next look will see
        except OSError:
            return False  # held by whoever writes it, or gone
        if known is not None:
            self._spool.left_again(known.number, data, fields, note)
        else:
            item, new = self._spool.add(data, name=name, way="folder", fields=fields, note=note)
            self._spool.note_source(self._path(one.names[0]), item.number)
        for each in one.names:
            self._put_by(each)
        if one.sidecar is not None:
            self._put_by(one.sidecar)
        return known is None and new

    def _beside(self, one: Ready, *, again: bool) -> tuple[dict[str, str], str | None]:
        """What stands beside an ECG. Where the machine has written another ECG over one that was taken from there, a
        sidecar that was taken with that one is the last patient's."""
        if one.sidecar is None:
            return {}, None
        if not again and not self._is_new(one.sidecar) and self._is_of_the_last(one):
            name = Path(one.sidecar).name
            return (
                {},
                f"{name} 是上一份心电图的，未随附发送 {name} belongs to the ECG before it; sent without it",
            )
        return read_sidecar(self._folder / one.sidecar)

    def _is_of_the_last(self, one: Ready) -> bool:
        """Was another ECG taken from this path, after its sidecar had been written?"""
        assert one.sidecar is not None
        try:
            last = self._spool.get(self._spool.sources().get(self._path(one.names[0]), 0))
        except KeyError:
            return False
        return self._looked[one.sidecar].seen.mtime_ns <= last.found_at.timestamp() * 1e9

    def _known(self, path: str, data: bytes) -> Item | None:
        """The ECG that was taken from there, where the file is still the same."""
        try:
            item = self._spool.get(self._spool.sources().get(path, 0))
        except KeyError:
            return None
        return item if item.sha256 == hashlib.sha256(data).hexdigest() else None

    def _put_by(self, name: str) -> None:
        """A file was taken as it stands there, and is moved where that is wanted; a sidecar with its last ECG."""
        seen = self._looked[name].seen
        self._spool.note_sighting(self._path(name), seen.size_bytes, seen.mtime_ns)
        others = agent_watch.owners(name, self._looked)
        if self._done is not None and not any((self._folder / other).exists() for other in others):
            self._move(name)

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

    # ------------------------------------------------------------ what stands beside it

    def _ready(self, now_s: float) -> list[Ready]:
        """What is complete. A JSON file that has no partner is looked into, once: is it an ECG?"""
        kept = {name: seen for name, seen in self._no_ecgs.items() if self._is_as(name, seen)}
        found = agent_watch.ready(self._looked, now_s, self._settle_s, no_ecgs=kept)
        for one in found:
            name = one.names[0]
            if name.lower().endswith(agent_watch.SIDECAR) and self._is_new(name):
                with contextlib.suppress(OSError):  # held by whoever writes it, or gone
                    if is_no_ecg(self._folder / name):
                        kept[name] = self._looked[name].seen
        self._no_ecgs = kept
        return [one for one in found if one.names[0] not in kept]

    def _is_as(self, name: str, seen: Seen) -> bool:
        return name in self._looked and self._looked[name].seen == seen

    def _amend(self, name: str, owners: set[str]) -> bool:
        """A sidecar came after its ECGs were taken; gives whether it was read and put by."""
        try:
            fields, note = read_sidecar(self._folder / name)
        except OSError:
            return False
        sources = self._spool.sources()
        for owner in owners & sources.keys():
            with contextlib.suppress(KeyError):  # forgotten since
                self._spool.amend(sources[owner], fields, note)
        self._put_by(name)
        return True

    def _look_at_alone(self, now_s: float) -> str | None:
        """Sidecars without an ECG beside them: of one that was moved away just now, or to be told; gives the words."""
        left = []
        for name in agent_watch.alone(self._looked, now_s, self._no_ecgs):
            if not self._is_new(name):
                continue
            owners = {
                path
                for path, number in self._spool.sources().items()
                if agent_watch.may_own(self._path(name), path) and self._is_fresh(number)
            }
            if not owners or not self._amend(name, owners):
                left.append(name)
        if not left:
            return None
        return f"旁边没有心电图文件，未发送 no ECG stands beside it, not sent: {', '.join(left[:5])}"

    def _is_fresh(self, number: int) -> bool:
        try:
            item: Item = self._spool.get(number)
        except KeyError:
            return False
        return self._spool.now() - item.found_at <= MOST_LATE

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


def _raise(error: OSError) -> None:
    raise error
