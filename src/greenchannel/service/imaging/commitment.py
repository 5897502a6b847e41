"""Storage commitment (PS3.4 annex J): a machine asks whether its objects are safe with us before it deletes them.

Safe is what can be read from disk and says what it said. The result goes to the address of the peer, or, where that is
not known, over the association on which it was asked.
"""

import functools
import hashlib
import socket
import threading
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import msgspec
import structlog
from sqlalchemy import Engine

from greenchannel.ingest.dicom_ecg import ECG_CLASSES
from greenchannel.service.errors import NotFound
from greenchannel.service.imaging.archive import ImageArchive
from greenchannel.service.imaging.dicom_peers import Peer, no_delay
from greenchannel.service.imaging.ecg_objects import EcgObjects
from greenchannel.store import chore_rows
from greenchannel.store.chore_rows import Chore
from greenchannel.store.engine import reading
from greenchannel.store.errors import BlobError, CommitFailed, WriterClosed
from greenchannel.store.writer import Tx

logger = structlog.get_logger(__name__)

SUCCESS: Final = 0x0000
NO_SUCH_ACTION: Final = 0x0123
INVALID: Final = 0x0115
NO_SUCH_OBJECT: Final = 0x0112
OTHER_CLASS: Final = 0x0119
CANNOT_BE_READ: Final = 0x0110
INSTANCE: Final = "1.2.840.10008.1.20.1.1"  # the well-known one of the push model
AGAIN_S: Final = (2.0, 15.0, 120.0, 600.0, 3600.0)  # after a try in vain; the last is repeated  [E]
GIVEN_UP_AFTER: Final = timedelta(days=7)  # a machine asks again after a day or so  [E]
POLL_S: Final = 1.0
PATIENCE_S: Final = 30.0  # for each answer of a peer  [E]
_AT_ONCE: Final = 100
MAX_ASKED: Final = 20_000


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a row says."""

    title: str  # of the peer
    transaction: str
    wanted: list[tuple[str, str]]  # SOP class and SOP instance of each object


class _Away(Exception):
    """Nobody listens at the address of a peer."""


class Commitment:
    """Answers requests. One of a peer whose address is known is a row until its result was taken, over restarts and
    outages; what is safe is looked up anew at each try. Any other is answered at once, over its own association."""

    def __init__(
        self, title: str, images: ImageArchive, ecgs: EcgObjects, engine: Engine, peers: Mapping[str, Peer]
    ) -> None:
        self._title = title
        self._images = images
        self._ecgs = ecgs
        self._engine = engine
        self._peers = peers
        self._writer = images.casework.writer
        self._over = threading.Event()
        self._more = threading.Event()
        self._busy: set[str] = set()  # titles of peers that are being called

    def start(self) -> None:
        """Begin with what was left."""
        threading.Thread(target=self._run, name="greenchannel-commitment", daemon=True).start()

    def asked(self, event: Any, peer: Peer) -> int:
        """An N-ACTION; gives its status. The result follows."""
        if event.action_type != 1:
            return NO_SUCH_ACTION
        try:
            said = event.action_information
            transaction = str(said.TransactionUID)
            wanted = [
                (str(item.ReferencedSOPClassUID), str(item.ReferencedSOPInstanceUID))
                for item in said.ReferencedSOPSequence
            ]
        except Exception:  # pydicom raises whatever the bytes provoke
            logger.warning("a request for commitment could not be read", peer=peer.title, exc_info=True)
            return INVALID
        if not wanted or len(wanted) > MAX_ASKED:
            return INVALID
        asked = _Asked(title=peer.title, transaction=transaction, wanted=wanted)
        if peer.host is None:
            work = threading.Thread(target=self._answer_here, args=(asked, peer, event.assoc), daemon=True)
            work.start()
            return SUCCESS
        try:
            self._writer.transact_sync(functools.partial(_keep, asked=asked))
        except (OSError, CommitFailed, WriterClosed):
            logger.exception("a request for commitment could not be kept", peer=peer.title)
            return CANNOT_BE_READ  # PS3.7 C.5.2: processing failure; the machine asks again
        self._more.set()
        return SUCCESS

    def close(self) -> None:
        """Wait for nothing more; what was not taken is reported after the next start."""
        self._over.set()
        self._more.set()

    # ------------------------------------------------------------ what is due

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                self._look()
            except Exception:
                logger.critical("commitments could not be looked up, and are again", exc_info=True)
            self._more.wait(POLL_S)
            self._more.clear()

    def _look(self) -> None:
        """One thread for each peer that is to be called: none waits for another's outage."""
        with reading(self._engine) as connection:
            due = chore_rows.due(connection, "commitment", self._images.clock.now(), _AT_ONCE)
        by_peer: dict[str, list[tuple[Chore, _Asked]]] = {}
        for chore in due:
            asked = msgspec.json.decode(chore.payload, type=_Asked)
            by_peer.setdefault(asked.title, []).append((chore, asked))
        for title in by_peer.keys() - self._busy:
            self._busy.add(title)
            threading.Thread(target=self._call, args=(title, by_peer[title]), daemon=True).start()

    def _call(self, title: str, due: list[tuple[Chore, _Asked]]) -> None:
        try:
            for number, (chore, asked) in enumerate(due):
                if self._over.is_set():
                    return
                if not self._one(chore, asked):  # to find out for each takes so long that others would wait
                    self._in_vain(title, [one for one, _ in due[number + 1 :]])
                    return
        except Exception:
            logger.critical("commitments could not be reported, and are again", peer=title, exc_info=True)
        finally:
            self._busy.discard(title)

    def _one(self, chore: Chore, asked: _Asked) -> bool:
        """Report one; False where nobody listens at the address of the peer."""
        peer, is_taken, is_there = self._peers.get(asked.title), False, True
        if peer is not None:
            try:
                result = self.result(asked.transaction, asked.wanted, peer)
                is_taken = self._report(result, peer, None)
            except _Away:
                is_there = False
                logger.warning("a peer is away; its commitments wait", peer=asked.title, exc_info=True)
            except Exception:
                logger.warning("a commitment could not be reported", peer=asked.title, exc_info=True)
        if is_taken:
            self._writer.transact_sync(functools.partial(chore_rows.done, chore_id=chore.id))
        else:
            self._in_vain(asked.title, [chore], is_known=peer is not None)
        return is_there

    def _in_vain(self, title: str, chores: list[Chore], *, is_known: bool = True) -> None:
        """They come again, but for those that have waited too long, or whose peer is none any more."""
        now = self._images.clock.now()
        over = {one.id for one in chores if not is_known or now - one.created_at > GIVEN_UP_AFTER}

        def command(tx: Tx) -> None:
            for one in chores:
                if one.id in over:
                    chore_rows.done(tx, one.id)
                else:
                    again_s = AGAIN_S[min(one.attempts, len(AGAIN_S) - 1)]
                    chore_rows.put_off(tx, one, now + timedelta(seconds=again_s))

        if chores:
            self._writer.transact_sync(command)
        for _ in over:
            logger.error("a commitment was never reported; the machine must ask again", peer=title)

    def _answer_here(self, asked: _Asked, peer: Peer, association: Any) -> None:
        try:
            if self._report(self.result(asked.transaction, asked.wanted, peer), peer, association):
                return
        except Exception:
            logger.warning("a commitment could not be reported", peer=peer.title, exc_info=True)
        logger.error("a commitment was never reported; the machine must ask again", peer=peer.title)

    def result(self, transaction: str, wanted: list[tuple[str, str]], peer: Peer) -> Any:
        """What is said of each object: a data set as PS3.4 table J.3-2 has it."""
        from pydicom.dataset import Dataset

        safe, failed = [], []
        for sop_class, sop_uid in wanted:
            one = Dataset()
            one.ReferencedSOPClassUID, one.ReferencedSOPInstanceUID = sop_class, sop_uid
            reason = self._reason(sop_class, sop_uid, peer)
            if reason is None:
                safe.append(one)
            else:
                one.FailureReason = reason
                failed.append(one)
        said = Dataset()
        said.TransactionUID = transaction
        if safe:
            said.ReferencedSOPSequence = safe
        if failed:
            said.FailedSOPSequence = failed
        return said

    def _reason(self, sop_class: str, sop_uid: str, peer: Peer) -> int | None:
        try:
            if sop_class in ECG_CLASSES:
                found = self._ecgs.class_of(sop_uid, peer.site)
                return None if found == sop_class else OTHER_CLASS
            one = self._images.instance_sync(sop_uid)
            if self._images.study_sync(one.study_uid).site != peer.site:
                return NO_SUCH_OBJECT
            if one.sop_class != sop_class:
                return OTHER_CLASS
            self._images.bytes_of_sync(sop_uid)
        except NotFound:
            return NO_SUCH_OBJECT
        except BlobError:
            return CANNOT_BE_READ
        return None

    def _report(self, result: Any, peer: Peer, association: Any) -> bool:
        from pynetdicom import AE, build_role, evt
        from pynetdicom.sop_class import StorageCommitmentPushModel  # type: ignore[attr-defined]

        kind = 2 if "FailedSOPSequence" in result else 1
        if peer.host is None or peer.port is None:
            status, _ = association.send_n_event_report(result, kind, StorageCommitmentPushModel, INSTANCE)
            return bool(status)
        # pynetdicom leaves a socket open where nobody listens.
        try:
            socket.create_connection((peer.host, peer.port), timeout=PATIENCE_S).close()
        except OSError as error:
            raise _Away(f"{peer.host}:{peer.port}") from error
        entity = AE(ae_title=self._title)
        entity.connection_timeout = entity.acse_timeout = PATIENCE_S
        entity.dimse_timeout = entity.network_timeout = PATIENCE_S
        entity.add_requested_context(StorageCommitmentPushModel)
        role = build_role(StorageCommitmentPushModel, scp_role=True)
        ours: Any = entity.associate(
            peer.host,
            peer.port,
            ae_title=peer.title,
            ext_neg=[role],
            evt_handlers=[(evt.EVT_CONN_OPEN, no_delay)],
        )
        if not ours.is_established:
            return False
        try:
            status, _ = ours.send_n_event_report(result, kind, StorageCommitmentPushModel, INSTANCE)
        finally:
            ours.release()
        return bool(status)


def _keep(tx: Tx, asked: _Asked) -> None:
    """The same request once more is the same row."""
    name = hashlib.sha256(f"{asked.title}\0{asked.transaction}".encode()).hexdigest()[:32]
    chore = Chore(
        id=f"commitment:{name}",
        kind="commitment",
        patient=None,
        next_at=tx.now,
        created_at=tx.now,
        payload=msgspec.json.encode(asked),
    )
    chore_rows.add(tx, chore)
