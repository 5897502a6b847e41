"""The agent as a DICOM node: it takes ECG objects (C-STORE), answers C-ECHO, and nothing else. Needs the extra
``agent-dicom``.

The bytes are kept as they came, behind the preamble and the file meta information that a file needs. "Success" is said
once they are in the spool (PS3.4 annex B, PS3.7 annex C).
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from pynetdicom import AE, evt

from greenchannel.agent.ports import NOT_DURABLE, Address, take
from greenchannel.agent.spool import Spool
from greenchannel.ingest.bounds import MAX_BYTES

logger = logging.getLogger(__name__)

AE_TITLE: Final = "GREENCHANNEL"

# SOP classes of ECGs, PS3.4 table B.5-1
ECG_CLASSES: Final = {
    "1.2.840.10008.5.1.4.1.1.9.1.1": "12-lead ECG Waveform Storage",
    "1.2.840.10008.5.1.4.1.1.9.1.2": "General ECG Waveform Storage",
    "1.2.840.10008.5.1.4.1.1.9.1.3": "Ambulatory ECG Waveform Storage",
    "1.2.840.10008.5.1.4.1.1.9.1.4": "General 32-bit ECG Waveform Storage",
}
VERIFICATION: Final = "1.2.840.10008.1.1"
SYNTAXES: Final = (
    ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian,
)  # fmt: skip

SUCCESS: Final = 0x0000
OUT_OF_RESOURCES: Final = 0xA700  # the sender keeps it and comes again
CANNOT_UNDERSTAND: Final = 0xC000
_MOST_ASSOCIATIONS: Final = 8
_QUIET_S: Final = 60.0


class DicomPort:
    """The node while it listens. Raises `OSError` where the port is taken.

    Parameters
    ----------
    title
        Its own title; whoever calls another is turned away.
    callers
        Titles that may send; empty for any.
    """

    def __init__(
        self,
        spool: Spool,
        address: Address,
        *,
        title: str = AE_TITLE,
        callers: Sequence[str] = (),
        most_bytes: int = MAX_BYTES,
    ) -> None:
        entity = AE(ae_title=title)
        entity.require_called_aet = True
        entity.require_calling_aet = list(callers)
        entity.maximum_associations = _MOST_ASSOCIATIONS
        entity.network_timeout = entity.dimse_timeout = entity.acse_timeout = _QUIET_S
        entity.add_supported_context(VERIFICATION)
        for sop_class in ECG_CLASSES:
            entity.add_supported_context(sop_class, list(SYNTAXES))
        received = self._received = _Received(most_bytes)
        handlers: list[Any] = [
            (evt.EVT_C_STORE, _storing(spool, received)),
            (evt.EVT_DATA_RECV, received.more),
            # Python gives the id of an association that is gone once more.
            (evt.EVT_CONN_OPEN, received.done),
            (evt.EVT_CONN_CLOSE, received.done),
        ]
        place = (address.host, address.port)
        server: Any = entity.start_server(place, block=False, evt_handlers=handlers)
        self._server = server
        self.port = int(self._server.server_address[1])

    @property
    def underway_bytes(self) -> int:
        """Of what has come over the open associations since the last object of each."""
        return self._received.bytes

    def close(self) -> None:
        """Stop listening; what is not whole was not answered."""
        self._server.shutdown()


class _Received:
    """Counts the bytes of an association since its last object, so that none fills the memory."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes: dict[int, int] = {}

    @property
    def bytes(self) -> int:
        """Of all associations together."""
        return sum(list(self._bytes.values()))

    def more(self, event: Any) -> None:
        """More came; too much ends the association."""
        association = id(event.assoc)
        size = self._bytes[association] = self._bytes.get(association, 0) + len(event.data)
        if size > self._most_bytes + 2**20:  # what the protocol itself needs
            logger.warning("an object above %d bytes was broken off", self._most_bytes)
            self.done(event)
            event.assoc.abort()

    def done(self, event: Any) -> None:
        """An object is whole, or its association begins or has ended."""
        self._bytes.pop(id(event.assoc), None)


def _storing(spool: Spool, received: _Received) -> Callable[[Any], int]:
    def store(event: Any) -> int:
        """One C-STORE; gives its status."""
        received.done(event)
        try:
            data = event.encoded_dataset()
            name = f"{event.request.AffectedSOPInstanceUID}.dcm"
        except (AttributeError, ValueError):
            logger.exception("an object could not be taken apart")
            return CANNOT_UNDERSTAND
        try:
            take(spool, data, name=name, way="dicom")
        except NOT_DURABLE:
            logger.exception("an object could not be kept")
            return OUT_OF_RESOURCES
        return SUCCESS

    return store
