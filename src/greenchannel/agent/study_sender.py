"""A study from a van: its files become one archive in a folder of ours, and that goes over the line as far as it goes.

What is known stands on disk before anything is sent: after a power cut the same command goes on where the server is.
"""

import base64
import hashlib
import json
import os
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from greenchannel.agent.durable import make_folder, sync_folder, write_durable
from greenchannel.agent.link import Link, LinkDown
from greenchannel.ingest.agent_answers import Reply
from greenchannel.ingest.agent_pace import Pace
from greenchannel.ingest.dicom_ecg import looks_like_dicom
from greenchannel.ingest.tus_headers import BODY_TYPE, VERSION

FIRST_WAIT_S: Final = 1.0
MOST_WAIT_S: Final = 60.0
MOST_RESTARTS: Final = 5  # of an upload that the server does not know any more  [E]
_SPOKEN: Final = {"Tus-Resumable": VERSION}
_HEAD_BYTES: Final = 136
_LATER: Final = frozenset({408, 409, 423, 425, 429, 460})  # and all of 500: it is tried again


class StudyRefused(Exception):
    """The server takes it not, and would not take it later; `problem` is its document, {} where there is none."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(problem.get("detail") or f"status {status}")
        self.problem = problem


class NoStudy(Exception):
    """There is no DICOM file in the folder."""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What stands on disk of one study."""

    archive: str  # name in the folder
    length: int
    sha256: str
    words: dict[str, str]
    upload: str | None = None  # path of the upload
    study: dict[str, Any] | None = None  # what became of it; None: it is under way


@dataclass(kw_only=True)
class StudySender:
    """Sends one study after the other.

    Parameters
    ----------
    folder
        Of our own; archives under way lie in it.
    wait
        Called with the seconds before the next try.
    """

    link: Link
    folder: Path
    wait: Callable[[float], None] = time.sleep
    say: Callable[[str], None] = lambda text: None

    def send(self, source: Path, **words: str) -> dict[str, Any]:
        """Send the DICOM files of a folder, or an archive, and say what became of it; waits out every cut.

        Raises
        ------
        NoStudy
            There is nothing to send.
        StudyRefused
            The server does not want it.
        OSError
            The folder cannot be read, or ours cannot be written.
        """
        make_folder(self.folder)
        files = list(_files(source))
        if not files:
            raise NoStudy(f"expected DICOM files in {source}, there are none")
        note = self.folder / f"{_key(files, words)}.json"
        known = self._known(note) or self._begin(note, source, files, words)
        if known.study is not None:
            return known.study
        return self._through(note, known)

    # ------------------------------------------------------------ on disk

    def _known(self, note: Path) -> Known | None:
        try:
            known = msgspec.json.decode(note.read_bytes(), type=Known)
        except (OSError, msgspec.DecodeError):
            return None
        archive = self.folder / known.archive
        whole = known.study is not None or (archive.is_file() and archive.stat().st_size == known.length)
        return known if whole else None

    def _begin(self, note: Path, source: Path, files: list[Path], words: dict[str, str]) -> Known:
        path = self.folder / f"{note.stem}.zip"
        unfinished = path.with_suffix(".making")
        if source.is_file():
            unfinished.write_bytes(source.read_bytes())
        else:
            with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
                for number, file in enumerate(files):
                    info = zipfile.ZipInfo(
                        f"{number:05}.dcm"
                    )  # no names of files, no times: they may tell somebody
                    info.compress_type = zipfile.ZIP_DEFLATED
                    archive.writestr(info, file.read_bytes())
        with unfinished.open("rb+") as file_:
            os.fsync(file_.fileno())
        os.replace(unfinished, path)
        sync_folder(self.folder)
        known = Known(
            archive=path.name,
            length=path.stat().st_size,
            sha256=_sha256(path),
            words={"content": "images"} | words,
        )
        self._note(note, known)
        return known

    @staticmethod
    def _note(note: Path, known: Known) -> None:
        write_durable(note, msgspec.json.encode(known))

    # ------------------------------------------------------------ over the line

    def _through(self, note: Path, known: Known) -> dict[str, Any]:
        pace, wait_s, restarts = Pace(), FIRST_WAIT_S, 0
        offset: int | None = None  # None: the server is to be asked
        with (self.folder / known.archive).open("rb") as archive:
            while True:
                try:
                    if known.upload is None:
                        known = self._create(note, known)
                        offset = 0
                    elif offset is None:
                        reply = self._ask("HEAD", known.upload)
                        offset = int(reply.headers["upload-offset"])
                        if "greenchannel-state" in reply.headers:
                            return self._finished(note, known)
                    else:
                        archive.seek(offset)
                        piece, begun_s = archive.read(pace.piece_bytes), time.monotonic()
                        reply = self._ask("PATCH", known.upload, piece, offset)
                        pace = pace.took(len(piece), time.monotonic() - begun_s)
                        offset = int(reply.headers["upload-offset"])
                        self.say(f"{offset / known.length:.0%}")
                        if offset == known.length or "greenchannel-state" in reply.headers:
                            return self._finished(note, known)
                    wait_s = FIRST_WAIT_S
                except _Gone:
                    restarts += 1
                    if restarts > MOST_RESTARTS:
                        raise StudyRefused(410, {}) from None
                    known, offset = msgspec.structs.replace(known, upload=None), None
                    self._note(note, known)
                except (LinkDown, _Later) as error:
                    self.say(str(error))
                    pace, offset = pace.cut(), None
                    self.wait(wait_s)
                    wait_s = min(2 * wait_s, MOST_WAIT_S)

    def _create(self, note: Path, known: Known) -> Known:
        words = known.words | {"sha256": known.sha256}
        said = ",".join(f"{key} {base64.b64encode(word.encode()).decode()}" for key, word in words.items())
        headers = {"Upload-Length": str(known.length), "Upload-Metadata": said, **_SPOKEN}
        reply = _checked(self.link.request("POST", "/uploads", headers))
        upload_id = urlsplit(reply.headers.get("location", "")).path.rstrip("/").rpartition("/")[2]
        if not upload_id:
            raise _Later("the server named no upload")
        known = msgspec.structs.replace(known, upload=f"/uploads/{upload_id}")
        self._note(note, known)
        return known

    def _ask(self, method: str, path: str, piece: bytes | None = None, offset: int = 0) -> Reply:
        headers = dict(_SPOKEN)
        if piece is not None:
            digest = base64.b64encode(hashlib.sha256(piece).digest()).decode()
            headers |= {"Upload-Offset": str(offset), "Content-Type": BODY_TYPE}
            headers["Upload-Checksum"] = f"sha256 {digest}"
        reply = _checked(self.link.request(method, path, headers, piece))
        if not reply.headers.get("upload-offset", "").isdigit():
            raise _Later("an answer that is none of the server's")
        return reply

    def _finished(self, note: Path, known: Known) -> dict[str, Any]:
        """Ask what became of it; the archive goes once that is on disk."""
        assert known.upload is not None
        reply = _checked(self.link.request("GET", known.upload, _SPOKEN))
        try:
            said = json.loads(reply.body)
            state, study, problem = said["state"], said["study"], said["problem"]
        except (ValueError, KeyError, TypeError):
            raise _Later("an answer that is none of the server's") from None
        if state == "refused":
            raise StudyRefused(int(problem["status"]), problem)
        if study is None:
            raise _Later("the server has all of it, and is not ready with it yet")
        self._note(note, msgspec.structs.replace(known, study=study))
        (self.folder / known.archive).unlink(missing_ok=True)
        return dict(study)


class _Later(Exception):
    """Not now; the next try may succeed."""


class _Gone(Exception):
    """The server does not know the upload any more."""


def _checked(reply: Reply) -> Reply:
    if reply.headers.get("greenchannel-state") == "refused":
        return reply  # why, the upload says
    if reply.status in (404, 410):
        raise _Gone
    if reply.status in _LATER or reply.status >= 500 or "tus-resumable" not in reply.headers:
        raise _Later(f"status {reply.status}")
    if reply.status >= 400:
        try:
            problem = json.loads(reply.body)
        except ValueError:
            problem = {}
        raise StudyRefused(reply.status, problem if isinstance(problem, dict) else {})
    return reply


def _files(source: Path) -> Iterator[Path]:
    """The DICOM files of a folder and of those within it, in order; an archive as it is."""
    if source.is_file():
        yield source
        return
    for path in sorted(source.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                if looks_like_dicom(file.read(_HEAD_BYTES)):
                    yield path


def _key(files: list[Path], words: dict[str, str]) -> str:
    """The same for the same files and words, so that a second start goes on with the first."""
    digest = hashlib.sha256()
    for path in files:
        found = path.stat()
        digest.update(f"{path.resolve()}\0{found.st_size}\0{found.st_mtime_ns}\n".encode())
    digest.update(json.dumps(words, sort_keys=True).encode())
    return digest.hexdigest()[:24]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
