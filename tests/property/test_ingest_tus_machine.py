"""Laws of resumable upload: whatever is cut, repeated, lost or killed, the bytes at the end are those that were sent.

The machine plays the shell of the core with a disk that may lose what was not synced, and a sender who believes
nothing but answers.
"""

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from greenchannel.ingest import tus
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.tus_body import kept, take
from greenchannel.ingest.tus_headers import Checksum, Concat

START: Final = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LIMITS: Final = tus.Limits(most_bytes=10_000)


class Uploading(RuleBasedStateMachine):
    """One upload, its file and its row."""

    @initialize(content=st.binary(min_size=1, max_size=300))
    def begin(self, content: bytes) -> None:
        """The sender has something."""
        self.content = content
        self.now = START
        self.file = bytearray()  # as the operating system has it
        self.acknowledged = 0  # highest offset that any answer told
        self.upload = tus.create(
            upload_id="u",
            owner="device:d",
            length=len(content),
            metadata="",
            concat=Concat(),
            most_bytes=10_000,
            under_way=0,
            limits=LIMITS,
            now=self.now,
        )

    def _store(self, offset: int) -> None:
        """Bytes, then row: the order of the shell."""
        del self.file[offset:]
        if offset < self.upload.offset:
            self.upload = tus.settle(self.upload, offset)
        else:
            self.upload = tus.advance(self.upload, offset, self.now, LIMITS)

    @rule(
        data=st.data(),
        with_checksum=st.booleans(),
        fate=st.sampled_from(["whole", "cut", "checkpoint", "killed", "too long", "spoilt"]),
    )
    def patch(self, data: st.DataObject, with_checksum: bool, fate: str) -> None:
        """A body of any length goes on where the upload ends, and meets its fate."""
        start = self.upload.offset
        body = self.content[start : start + data.draw(st.integers(0, 120))]
        checksum = Checksum(algorithm="sha1", digest=hashlib.sha1(body).digest()) if with_checksum else None
        if fate == "too long":
            body = self.content[start:] + b"more"
        if fate == "spoilt" and body:
            body = bytes([body[0] ^ 1]) + body[1:]
            checksum = checksum or Checksum(algorithm="sha1", digest=hashlib.sha1(b"-").digest())
        patch = tus.begin(self.upload, offset=start, announced=None, checksum=checksum, now=self.now)
        whole = fate not in ("cut", "killed")
        sent = body if whole else body[: data.draw(st.integers(0, len(body)))]
        try:
            at = 0
            while at < len(sent):
                size = data.draw(st.integers(1, 50))
                patch = take(patch, sent[at : at + size])
                self.file += sent[at : at + size]
                at += size
                if fate == "checkpoint" and checksum is None and patch.end < self.upload.length:
                    self._store(patch.end)
            if fate == "killed":
                self._lose(data)
                return
            self._store(kept(patch, whole=whole))
        except IngestError as error:
            assert error.code == {"too long": "too_large", "spoilt": "checksum_mismatch"}[fate]
            self._store(start)
        if whole:
            self.acknowledged = max(self.acknowledged, self.upload.offset)

    def _lose(self, data: st.DataObject) -> None:
        """A loss of power: of what no row promised, any end is gone, or was never cut off."""
        size_bytes = data.draw(st.integers(self.upload.offset, len(self.file)))
        del self.file[size_bytes:]
        self.upload = tus.settle(self.upload, size_bytes)
        del self.file[self.upload.offset :]

    @rule(wrong=st.integers(0, 400))
    def repeat(self, wrong: int) -> None:
        """A body that goes on elsewhere is refused and changes nothing: a repeat, or a gap."""
        if wrong == self.upload.offset:
            return
        before = self.upload
        try:
            tus.begin(self.upload, offset=wrong, announced=1, checksum=None, now=self.now)
        except IngestError as error:
            assert error.code == "offset_mismatch"
        else:
            raise AssertionError("expected a refusal")
        assert self.upload == before

    @rule()
    def announced_too_long(self) -> None:
        """Refused before a byte of it is read."""
        missing = self.upload.length - self.upload.offset
        try:
            tus.begin(
                self.upload, offset=self.upload.offset, announced=missing + 1, checksum=None, now=self.now
            )
        except IngestError as error:
            assert error.code == "too_large"
        else:
            raise AssertionError("expected a refusal")

    @rule(hours=st.floats(0.0, 23.0))
    def wait(self, hours: float) -> None:
        """Each byte keeps the upload alive for a day."""
        if self.now + timedelta(hours=hours) < self.upload.expires_at:
            self.now += timedelta(hours=hours)

    @precondition(lambda self: self.upload.awaits_intake)
    @rule()
    def never_expires_when_whole(self) -> None:
        """Bytes that were all confirmed are not forgotten before it is known what became of them."""
        assert not tus.expired(self.upload, self.now + timedelta(days=999))

    @invariant()
    def nothing_acknowledged_is_lost(self) -> None:
        """The row never says less than an answer did, nor more than the file holds, and they are the sender's."""
        if not hasattr(self, "upload"):
            return
        assert self.acknowledged <= self.upload.offset <= len(self.file)
        assert self.file[: self.upload.offset] == self.content[: self.upload.offset]
        assert (self.upload.state == "complete") == (self.upload.offset == len(self.content))

    def teardown(self) -> None:
        """The sender goes on to the end, and the whole is what it had."""
        if not hasattr(self, "upload"):
            return
        patch = tus.begin(self.upload, offset=self.upload.offset, announced=None, checksum=None, now=self.now)
        rest = self.content[self.upload.offset :]
        self.file += rest
        self._store(kept(take(patch, rest), whole=True))
        assert self.upload.state == "complete" and bytes(self.file) == self.content
        assert tus.headers(self.upload, "")["Upload-Offset"] == str(len(self.content))


TestUploading = Uploading.TestCase


def test_base64_of_the_machine_is_that_of_the_wire() -> None:
    """What the machine takes for a checksum is what a header gives."""
    from greenchannel.ingest.tus_headers import parse_checksum

    digest = hashlib.sha1(b"x").digest()
    assert parse_checksum(f"sha1 {base64.b64encode(digest).decode()}") == Checksum(
        algorithm="sha1", digest=digest
    )
