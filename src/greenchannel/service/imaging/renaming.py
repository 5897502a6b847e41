"""An object of a study that a person moved, as it is given to others: under the patient that it is of.

The file that is kept stays as it came; a copy that named the other patient would be filed to that one wherever it goes
(PS3.4 C.4.2 and C.4.3 let a provider set such attributes right).
"""

import io
from typing import TYPE_CHECKING, Final

from greenchannel.ingest.imaging.pixel_source import faults, read_dataset_of
from greenchannel.service.imaging.person import differences, person_of
from greenchannel.service.imaging.records import StudyText

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_PATIENT: Final = (0x0010, 0x0038)  # groups of everything that is said of the patient, and of the stay
_REFERENCES: Final = (0x00081120, 0x00081125)  # to the patient, and to the visit
_SEXES: Final = {"male": "M", "female": "F"}


def as_given(data: bytes, text: StudyText) -> bytes:
    """The bytes of an object of the study that `text` is of; as they came where nobody has moved it.

    Raises
    ------
    IngestError
        ``malformed`` and the like: it cannot be written under another patient, so it is not given.
    """
    if text.in_file is None:
        return data
    dataset, syntax = read_dataset_of(data)
    with faults("the DICOM file cannot be written under the patient it is of"):
        _rename(dataset, text)
        return _written(dataset, syntax)


def names_another(text: StudyText) -> bool:
    """Did a person move the study to a patient whom its files do not name?"""
    in_file = text.in_file
    return in_file is not None and (
        in_file.patient_id != text.patient_id or bool(differences(person_of(in_file), person_of(text)))
    )


def _rename(dataset: "Dataset", text: StudyText) -> None:
    dataset.decode()  # from the charset that it has to the one that it gets
    _forget(dataset)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientName = text.patient_name or ""
    dataset.PatientID = text.patient_id or ""
    dataset.PatientBirthDate = "" if text.birth_date is None else f"{text.birth_date:%Y%m%d}"
    dataset.PatientSex = _SEXES.get(text.sex or "", "")


def _forget(dataset: "Dataset") -> None:
    """Take away what is said of the patient, also within sequences: how he was called before, his stay, references."""
    for tag in list(dataset.keys()):
        if tag.group in _PATIENT or tag in _REFERENCES:
            del dataset[tag]
        elif dataset[tag].VR == "SQ":
            for item in dataset[tag].value or ():
                _forget(item)


def _written(dataset: "Dataset", syntax: str) -> bytes:
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = UID(syntax)
    dataset.file_meta = meta
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    return out.getvalue()
