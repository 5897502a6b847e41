"""Storage commitment (PS3.4 annex J): a machine asks whether its objects are safe with us before it deletes them.

Safe is what can be read from disk and says what it said. The result goes to the address of the peer, or, where that is
not known, over the association on which it was asked.
"""

import threading
from typing import Any, Final

import structlog

from greenchannel.ingest.dicom_ecg import ECG_CLASSES
from greenchannel.service.errors import NotFound
from greenchannel.service.imaging.archive import ImageArchive
from greenchannel.service.imaging.dicom_peers import Peer, no_delay
from greenchannel.service.imaging.ecg_objects import EcgObjects
from greenchannel.store.errors import BlobError

logger = structlog.get_logger(__name__)

SUCCESS: Final = 0x0000
NO_SUCH_ACTION: Final = 0x0123
INVALID: Final = 0x0115
NO_SUCH_OBJECT: Final = 0x0112
OTHER_CLASS: Final = 0x0119
CANNOT_BE_READ: Final = 0x0110
INSTANCE: Final = "1.2.840.10008.1.20.1.1"  # the well-known one of the push model
RETRY_S: Final = (0.0, 2.0, 15.0, 120.0)  # a machine asks again after a day or so  [E]
MAX_ASKED: Final = 20_000


class Commitment:
    """Answers requests, each in a thread of its own."""

    def __init__(self, title: str, images: ImageArchive, ecgs: EcgObjects) -> None:
        self._title = title
        self._images = images
        self._ecgs = ecgs
        self._over = threading.Event()

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
        work = threading.Thread(
            target=self._answer, args=(transaction, wanted, peer, event.assoc), daemon=True
        )
        work.start()
        return SUCCESS

    def close(self) -> None:
        """Wait for nothing more."""
        self._over.set()

    def _answer(self, transaction: str, wanted: list[tuple[str, str]], peer: Peer, association: Any) -> None:
        result = self.result(transaction, wanted, peer)
        for wait_s in RETRY_S:
            if self._over.wait(wait_s):
                return
            try:
                if self._report(result, peer, association):
                    return
            except Exception:
                logger.warning("a commitment could not be reported", peer=peer.title, exc_info=True)
            if peer.host is None:
                break  # the association is gone: there is no other way
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
        entity = AE(ae_title=self._title)
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
