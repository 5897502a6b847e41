"""One piece of one ECG over the link, and what the spool knows after it."""

import base64
import hashlib
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

import msgspec

from greenchannel.agent.item import Item
from greenchannel.agent.link import Link, LinkDown
from greenchannel.agent.spool import BytesGone, Spool
from greenchannel.ingest.agent_answers import Reply, Step, Trouble, refused_for_good, trouble, trouble_of
from greenchannel.ingest.agent_pace import Pace
from greenchannel.ingest.agent_plan import poll_at
from greenchannel.ingest.packed import pack
from greenchannel.ingest.paper import paper_kind
from greenchannel.ingest.tus_headers import BODY_TYPE, VERSION

MOST_RESTARTS: Final = 5  # of one upload whose bytes do not arrive as they were sent  [E]
_SPOKEN: Final = {"Tus-Resumable": VERSION}
_MEDIA: Final = {"jpeg": "image/jpeg", "png": "image/png", "heic": "image/heic", "pdf": "application/pdf"}


class Sender:
    """Sends pieces; every confirmed one is noted in the spool before the next."""

    def __init__(self, spool: Spool, link: Link, now: Callable[[], datetime]) -> None:
        self._spool = spool
        self._link = link
        self._now = now
        self.pace = Pace()
        self._wire: tuple[int, str, bytes] | None = None  # of the ECG that is under way
        self._sure: set[int] = set()  # ECGs whose offset the server has confirmed since the last failure

    def step(self, number: int) -> Trouble | None:
        """Send the next piece, or first ask how far the server is; gives what went wrong, noting nothing of it."""
        item = self._spool.get(number)
        try:
            if item.amended:
                if item.upload_url is not None and number not in self._sure:
                    return self._find_place(item)  # it may have all of it: then it is too late
                item = self._spool.change(number, amended=False, upload_url=None, offset=0, wire_sha256="")
            wire = self._wire_form(item)
            item = self._spool.get(number)
            if item.upload_url is None:
                return self._create(item, wire)
            if number not in self._sure:
                return self._find_place(item)
            return self._piece(item, wire)
        except BytesGone as error:
            return Trouble(
                whose="refused",
                code="bytes_gone",
                en=str(error),
                zh="暂存的文件已损坏或丢失,请从设备重新导出",
            )
        except LinkDown as error:
            self._sure.discard(number)
            self.pace = self.pace.cut()
            return error.trouble

    # ------------------------------------------------------------ the steps of an upload

    def _create(self, item: Item, wire: bytes) -> Trouble | None:
        at_once = len(wire) <= self.pace.piece_bytes
        headers = {"Upload-Length": str(len(wire)), "Upload-Metadata": item.metadata, **_SPOKEN}
        if at_once:
            headers |= {"Content-Type": BODY_TYPE, **_checksum(wire)}
        reply, took_s = self._timed("POST", "/uploads", headers, wire if at_once else None)
        found = self._wrong(reply, "create", item)
        if reply.headers.get("location") and found is None:
            upload_id = urlsplit(reply.headers["location"]).path.rstrip("/").rpartition("/")[2]
            item = self._spool.change(item.number, upload_url=f"/uploads/{upload_id}", offset=0)
            self._sure.add(item.number)
            if at_once:
                self.pace = self.pace.took(len(wire), took_s)
                return self._confirmed(item, reply)
        return found

    def _find_place(self, item: Item) -> Trouble | None:
        assert item.upload_url is not None
        reply = self._link.request("HEAD", item.upload_url, _SPOKEN)
        found = self._wrong(reply, "head", item)
        if found is not None:
            return found
        self._sure.add(item.number)
        if refused_for_good(reply):
            return self._why_refused(item)
        return self._confirmed(item, reply)

    def _piece(self, item: Item, wire: bytes) -> Trouble | None:
        assert item.upload_url is not None
        piece = wire[item.offset : item.offset + self.pace.piece_bytes]
        headers = {
            "Upload-Offset": str(item.offset),
            "Content-Type": BODY_TYPE,
            **_SPOKEN,
            **_checksum(piece),
        }
        reply, took_s = self._timed("PATCH", item.upload_url, headers, piece)
        found = self._wrong(reply, "piece", item)
        if found is not None:
            return found
        self.pace = self.pace.took(len(piece), took_s)
        return self._confirmed(item, reply)

    def _why_refused(self, item: Item) -> Trouble | None:
        assert item.upload_url is not None
        reply = self._link.request("GET", item.upload_url)
        try:
            problem = msgspec.json.decode(reply.body)["problem"]
            said = Reply(
                status=int(problem["status"]),
                headers={"content-type": "application/problem+json", "greenchannel-state": "refused"},
                body=msgspec.json.encode(problem),
            )
        except (msgspec.DecodeError, KeyError, TypeError, ValueError):
            return trouble_of(reply, "states")
        return self._wrong(said, "piece", item)

    def _confirmed(self, item: Item, reply: Reply) -> Trouble | None:
        """The server said how far it is, or that it has the ECG."""
        offset, now = int(reply.headers["upload-offset"]), self._now()
        ecg_id = reply.headers.get("greenchannel-ecg-id")
        if ecg_id:
            self._spool.change(
                item.number,
                stage="taken",
                offset=item.wire_bytes,
                sent_at=now,
                ecg_id=ecg_id,
                case_id=reply.headers.get("greenchannel-case-id"),
                duplicate=reply.headers.get("greenchannel-duplicate") == "true",
                poll_at=poll_at(now, now),
                trouble=None,
                failures=0,
                due_at=None,
            )
            self._sure.discard(item.number)
            self._wire = None
            return None
        if offset > item.wire_bytes:
            return trouble("restart", "offset_mismatch")
        self._spool.change(item.number, offset=offset, trouble=None, failures=0, due_at=None)
        if offset == item.wire_bytes and offset == item.offset:  # asked once more, and still not told
            return trouble("entry", "waiting_for_server")
        return None

    # ------------------------------------------------------------ around them

    def _wrong(self, reply: Reply, step: Step, item: Item) -> Trouble | None:
        found = trouble_of(reply, step)
        if found is None:
            return None
        self._sure.discard(item.number)
        if found.whose == "smaller":
            self.pace = self.pace.cut()
        return found

    def _timed(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[Reply, float]:
        begun_s = time.monotonic()
        return self._link.request(method, path, headers, body), time.monotonic() - begun_s

    def _wire_form(self, item: Item) -> bytes:
        """The bytes that go over the wire, the same ones in every life of the agent, or else the upload begins anew."""
        if self._wire is not None and self._wire[:2] == (item.number, item.wire_sha256):
            return self._wire[2]
        data = self._spool.data(item)
        packed = pack(data)
        wire_sha256 = hashlib.sha256(packed.data).hexdigest()
        if wire_sha256 != item.wire_sha256:
            self._spool.change(
                item.number,
                encoding=packed.encoding,
                wire_bytes=len(packed.data),
                wire_sha256=wire_sha256,
                metadata=_metadata(item, packed.encoding, data),
                upload_url=None,
                offset=0,
            )
        self._wire = (item.number, wire_sha256, packed.data)
        return packed.data


def _metadata(item: Item, encoding: str, data: bytes) -> str:
    words = {
        **item.fields,
        "filename": item.name.replace("\\", "/").rpartition("/")[2][-120:],
        "sha256": item.sha256,
    }
    if encoding != "identity":
        words["encoding"] = encoding
    media = _MEDIA.get(paper_kind(data) or "")
    if media:
        words["filetype"] = media
    return ",".join(f"{key} {base64.b64encode(word.encode()).decode()}" for key, word in words.items())


def _checksum(piece: bytes) -> dict[str, str]:
    digest = base64.b64encode(hashlib.sha256(piece).digest()).decode()
    return {"Upload-Checksum": f"sha256 {digest}"}
