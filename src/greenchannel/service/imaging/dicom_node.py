"""The DICOM node: others store objects with us (C-STORE), ask whether we are there (C-ECHO) and whether an object is
safe (storage commitment). Off unless a port is set.

"Success" is said once an object is on disk and in its case. What else a node does is hooked in by `add_handlers`.
"""

import asyncio
import copy
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog
from sqlalchemy import Engine

from greenchannel.ingest.dicom_ecg import ECG_CLASSES
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.imaging.instance import read_instance
from greenchannel.ingest.imaging.part10 import file_of
from greenchannel.service.callers import Caller
from greenchannel.service.errors import ServiceError
from greenchannel.service.imaging.archive import ImageArchive
from greenchannel.service.imaging.commitment import Commitment
from greenchannel.service.imaging.dicom_peers import QUIET_S, Peer, careful, peers_of, title_of
from greenchannel.service.imaging.ecg_objects import EcgObjects
from greenchannel.service.intake import Intake
from greenchannel.settings import Settings
from greenchannel.store.blobs import Blobs
from greenchannel.store.errors import CommitFailed, PatientKeyMissing

logger = structlog.get_logger(__name__)

# PS3.4 table B.2-1, PS3.7 annex C
SUCCESS: Final = 0x0000
OTHER_UNDER_THIS_NAME: Final = 0x0111
OUT_OF_RESOURCES: Final = 0xA700  # the sender keeps it and comes again
CANNOT_UNDERSTAND: Final = 0xC000
NOT_TAKEN: Final = 0xC001  # somebody must look, such as an object of another patient

_TITLE_UNKNOWN: Final = (1, 1, 3)  # rejected for good, by the user of the service: PS3.8 table 9-21

MOST_ASSOCIATIONS: Final = 16  # [E]
MAX_PDU_BYTES: Final = 128 * 2**10  # what others send at once  [E]
ALL_TOGETHER: Final = 2  # objects of the largest size that may be under way at once  [E]
_ECG_WAIT_S: Final = 30.0
_PROTOCOL_BYTES: Final = 2**20


class DicomNode:
    """Listens while the desk serves."""

    def __init__(
        self, settings: Settings, images: ImageArchive, intake: Intake, engine: Engine, ecgs: Blobs
    ) -> None:
        self._settings = settings
        self._images = images
        self._intake = intake
        self.peers: Mapping[str, Peer] = peers_of(settings.dicom_callers)
        self.title = settings.dicom_title
        self.port: int | None = None
        """Where it listens; None while it does not."""
        self._more_contexts: list[tuple[Any, Sequence[Any] | None]] = []
        self._more_handlers: list[tuple[Any, ...]] = []
        self._received = Received(settings.max_image_bytes)
        objects = EcgObjects(engine, ecgs, images.casework.writer)
        self._commitment = Commitment(self.title, images, objects, engine, self.peers)
        self._sent: dict[int, Counter[str]] = {}
        self._lock = threading.Lock()
        self._server: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def add_handlers(
        self,
        contexts: Sequence[Any],
        handlers: Sequence[tuple[Any, ...]],
        syntaxes: Sequence[Any] | None = None,
    ) -> None:
        """Let the node answer more, before it starts.

        Parameters
        ----------
        contexts
            SOP classes that are accepted beside storage, as UIDs.
        handlers
            ``(event, function)`` as pynetdicom takes them; they run in a thread of the association. `peer_of` says
            who calls.
        syntaxes
            Transfer syntaxes of these contexts; None: the uncompressed ones.
        """
        self._more_contexts += [(context, syntaxes) for context in contexts]
        self._more_handlers += handlers

    def peer_of(self, event: Any) -> Peer:
        """Who calls; only those that are known are accepted."""
        return self.peers[title_of(event)]

    # ------------------------------------------------------------ life

    async def start(self) -> None:
        """Listen, where a port is set. Raises `OSError` where it is taken."""
        if self._settings.dicom_port is None:
            return
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._listen, self._settings.dicom_port)
        logger.info("DICOM node ready", title=self.title, port=self.port, callers=sorted(self.peers))

    async def stop(self) -> None:
        """Listen no more; what is not whole was not answered."""
        if self._server is not None:
            await asyncio.to_thread(self._server.shutdown)
            await asyncio.to_thread(self._commitment.close)
        self._server = self.port = None

    def _listen(self, port: int) -> None:
        from pynetdicom import AE, AllStoragePresentationContexts, _config, evt
        from pynetdicom.sop_class import StorageCommitmentPushModel, Verification  # type: ignore[attr-defined]

        _config.LOG_HANDLER_LEVEL = "none"  # it would describe every message, whether that is logged or not
        entity = AE(ae_title=self.title)
        entity.require_called_aet = True
        # Nobody is known: nobody may call. An empty list would let in everybody.
        entity.require_calling_aet = sorted(self.peers) or ["-"]
        entity.maximum_associations = MOST_ASSOCIATIONS
        entity.maximum_pdu_size = MAX_PDU_BYTES
        entity.network_timeout = entity.dimse_timeout = entity.acse_timeout = QUIET_S
        entity.add_supported_context(Verification)
        entity.add_supported_context(StorageCommitmentPushModel)
        syntaxes = storable_syntaxes()
        for context in AllStoragePresentationContexts:
            assert context.abstract_syntax is not None
            # Both roles: whoever fetches by C-GET is the one who stores.
            entity.add_supported_context(context.abstract_syntax, syntaxes, scu_role=True, scp_role=True)
        for uid, its_syntaxes in self._more_contexts:
            entity.add_supported_context(uid, *(() if its_syntaxes is None else (list(its_syntaxes),)))
        handlers: list[Any] = [
            (evt.EVT_CONN_OPEN, careful),
            (evt.EVT_REQUESTED, self._called),
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_N_ACTION, self._commit),
            (evt.EVT_DATA_RECV, self._received.more),
            (evt.EVT_CONN_CLOSE, self._closed),
            (evt.EVT_RELEASED, self._released),
            *self._more_handlers,
        ]
        self._server = entity.start_server(
            (self._settings.dicom_host, port), block=False, evt_handlers=handlers
        )
        self._server.contexts = SharedContexts(self._server.contexts)
        self.port = int(self._server.server_address[1])
        self._commitment.start()

    # ------------------------------------------------------------ what others ask; threads of the associations

    def _called(self, event: Any) -> None:
        """A title of which we know where it lives is not taken from elsewhere; pynetdicom knows the titles."""
        association = event.assoc
        title = str(association.requestor.primitive.calling_ae_title).strip()
        address = str(association.requestor.address_info.address)
        peer = self.peers.get(title)
        if peer is not None and not peer.calls_from(address):
            logger.warning("a call from another address was refused", title=title, address=address)
            association.acse.send_reject(*_TITLE_UNKNOWN)
            association.kill()

    def _store(self, event: Any) -> Any:
        self._received.whole(event)
        try:
            request = event.request
            sop_class = str(request.AffectedSOPClassUID)
            data = file_of(
                request.DataSet.getvalue(),
                sop_class=sop_class,
                sop_uid=str(request.AffectedSOPInstanceUID),
                transfer_syntax=str(event.context.transfer_syntax),
            )
        except (AttributeError, ValueError):
            logger.exception("an object could not be taken apart")
            return CANNOT_UNDERSTAND
        peer = self.peer_of(event)
        try:
            if sop_class in ECG_CLASSES:
                return self._store_ecg(data, peer)
            got = self._images.receive_sync(data, source=peer.actor, site_id=peer.site, way="dicom")
        except IngestError as error:
            status = OUT_OF_RESOURCES if error.code in ("disk_full", "not_durable") else CANNOT_UNDERSTAND
            return _status(status, f"{error.code}: {error.message}")
        except (ServiceError, PatientKeyMissing) as error:
            return _status(NOT_TAKEN, getattr(error, "code", "patient_erased"))
        except (OSError, CommitFailed):
            logger.exception("an object could not be kept")
            return OUT_OF_RESOURCES
        if got.state == "conflict":
            return _status(OTHER_UNDER_THIS_NAME, "other_bytes: kept aside for a person")
        if got.state == "new":
            with self._lock:
                self._sent.setdefault(id(event.assoc), Counter())[got.study_uid] += 1
        return SUCCESS

    def _store_ecg(self, data: bytes, peer: Peer) -> int:
        """An ECG goes the way of ECGs, and is read."""
        assert self._loop is not None
        caller = Caller(
            kind="device",
            id=peer.actor.removeprefix("device:"),
            name=peer.title,
            role="device",
            sites=frozenset({peer.site}),
        )
        taking = self._images.receive_ecg(data, read_instance(data), caller, site_id=peer.site)
        asyncio.run_coroutine_threadsafe(taking, self._loop).result(_ECG_WAIT_S)
        return SUCCESS

    def _commit(self, event: Any) -> tuple[int, None]:
        return self._commitment.asked(event, self.peer_of(event)), None

    def _released(self, event: Any) -> None:
        """The sender has said good-bye: several objects of a study in one association are all of it."""
        with self._lock:
            sent = self._sent.pop(id(event.assoc), Counter())
        whole: dict[str, int | None] = {study: None for study, count in sent.items() if count > 1}
        if whole:
            try:
                peer = self.peer_of(event)
                self._images.finish_sync(whole, source=peer.actor, site_id=peer.site)
            except CommitFailed:
                logger.exception("a study was not settled; it is when it has become quiet")

    def _closed(self, event: Any) -> None:
        self._received.whole(event)
        with self._lock:
            self._sent.pop(id(event.assoc), None)


class SharedContexts(list[Any]):
    """What the node accepts, of which pynetdicom makes a deep copy for each association: thousands of UIDs, checked
    one by one, take 0.2 s of processor time. Each gets contexts of its own; UIDs, which never change, are shared."""

    def __deepcopy__(self, memo: Any) -> list[Any]:
        return [_own(one) for one in self]


def _own(context: Any) -> Any:
    found = copy.copy(context)
    found.__dict__.update({name: list(one) for name, one in vars(context).items() if isinstance(one, list)})
    return found


class Received:
    """Counts the bytes of an association since its last object, so that none fills the memory, nor all together."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes: dict[int, int] = {}

    def more(self, event: Any) -> None:
        """More came; too much ends the association."""
        association = id(event.assoc)
        size = self._bytes[association] = self._bytes.get(association, 0) + len(event.data)
        all_of_them = list(self._bytes.values())
        largest = size == max(all_of_them) and sum(all_of_them) > ALL_TOGETHER * self._most_bytes
        if size > self._most_bytes + _PROTOCOL_BYTES or largest:
            logger.warning("an object was broken off", size_bytes=size, most_bytes=self._most_bytes)
            self.whole(event)
            event.assoc.abort()

    def whole(self, event: Any) -> None:
        """An object is whole, or its association has ended."""
        self._bytes.pop(id(event.assoc), None)


def storable_syntaxes() -> list[str]:
    """Every transfer syntax in which objects are kept; what no decoder here reads is kept too, and marked."""
    from pynetdicom import ALL_TRANSFER_SYNTAXES

    return [str(uid) for uid in ALL_TRANSFER_SYNTAXES]


def _status(status: int, comment: str) -> Any:
    from pydicom.dataset import Dataset

    said = Dataset()
    said.Status = status
    said.ErrorComment = comment.encode("ascii", "replace").decode()[:64]
    return said
