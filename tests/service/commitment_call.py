"""A request for storage commitment at the DICOM node of a running service, as a machine makes it."""

from typing import Any

from pydicom.dataset import Dataset
from pynetdicom import AE, build_role, evt
from pynetdicom.sop_class import CTImageStorage, StorageCommitmentPushModel  # type: ignore[attr-defined]

from greenchannel.service.desk import Desk
from greenchannel.service.imaging.commitment import INSTANCE
from greenchannel.service.imaging.dicom_peers import no_delay
from tests.imaging_files import ROOT_UID

NO_DELAY: list[Any] = [(evt.EVT_CONN_OPEN, no_delay)]


def ask(desk: Desk, *uids: str, transaction: int = 77) -> int:
    """An N-ACTION of the van for CT slices; the status of its answer."""
    asked = Dataset()
    asked.TransactionUID = f"{ROOT_UID}.{transaction}"
    asked.ReferencedSOPSequence = []
    for uid in uids:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = CTImageStorage, uid
        asked.ReferencedSOPSequence.append(item)
    entity = AE(ae_title="CTVAN")
    entity.add_requested_context(StorageCommitmentPushModel)
    association: Any = entity.associate(
        "127.0.0.1",
        desk.dicom.port or 0,
        ae_title="GREENCHANNEL",
        ext_neg=[build_role(StorageCommitmentPushModel, scu_role=True)],
        evt_handlers=NO_DELAY,
    )
    status, _ = association.send_n_action(asked, 1, StorageCommitmentPushModel, INSTANCE)
    association.release()
    return int(status.Status)
