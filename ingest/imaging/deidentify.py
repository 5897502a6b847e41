"""An image that can leave the house: names, numbers, dates, texts and private elements out, pixels unchanged.

The Basic Application Level Confidentiality Profile of DICOM PS3.15, Annex E, as the table `deidentify.toml` has it, and
a little stricter. Pixels are not changed: what is burned into them stays, so that such images are refused unless
somebody has looked at them.
"""

import hashlib
import hmac
import io
import re
from collections import Counter
from importlib.resources import files
from typing import Any, Final, Literal

import msgspec
import pydicom
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from greenchannel.ingest.errors import IngestError, shown
from greenchannel.ingest.imaging.instance import read_instance
from greenchannel.ingest.imaging.own_words import FREE_TEXT, OwnWords, texts_in

YesNo = Literal["yes", "no", "unknown"]
DICOM_ROOT: Final = "1.2.840.10008."
DUMMY: Final = "REMOVED"
METHOD: Final = "PS3.15 2024b Annex E Basic Profile, pixels unchanged"  # at most 64 letters
_PARTS: Final = ("BodyPartExamined", "StudyDescription", "SeriesDescription")
_OURS: Final = frozenset(
    {"PatientID", "PatientName", "DeidentificationMethod", "DeidentificationMethodCodeSequence"}
)


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Elements or kinds of elements that are treated alike."""

    keywords: frozenset[str]
    source: str
    mark: Literal["S", "K", "E", "O"]


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table `deidentify.toml`."""

    emptied_instants: Rule
    emptied_names: Rule
    removed_kinds: Rule
    replaced_uids: Rule
    dummies: Rule
    emptied: Rule
    removed: Rule
    removed_groups: Rule
    own_names: Rule
    own_numbers: Rule
    refused_classes: Rule
    burned_in_modalities: Rule
    burned_in_classes: Rule
    burned_in_types: Rule
    face_parts: Rule


PROFILE: Final = msgspec.toml.decode(
    (files("greenchannel") / "ingest/imaging/deidentify.toml").read_text(encoding="utf-8"), type=Profile
)


class Privacy(msgspec.Struct, frozen=True, kw_only=True):
    """What a person should know before an image is shown or given to outsiders."""

    burned_in: YesNo  # does the picture itself carry text? "unknown" is no answer, and nothing was looked for in pixels
    burned_in_reason: str  # which header said so
    private_elements: int
    private_creators: tuple[str, ...]
    face: bool  # a face can be rebuilt from slices of this part


class Deidentified(msgspec.Struct, frozen=True, kw_only=True):
    """An image without its patient, and what was done to it; no identifier of the old one."""

    data: bytes
    sop_uid: str  # the new one
    removed: int
    emptied: int
    dummies: int
    uids: int
    private: int
    by_keyword: dict[str, int]  # elements that were changed or removed
    texts_left: tuple[
        str, ...
    ]  # keywords of texts that the profile leaves, with their sequences: somebody should look
    privacy: Privacy  # of the original


def privacy_of(image: Dataset) -> Privacy:
    """Warnings for one image, from its header alone."""
    private = [element for element in image.iterall() if element.tag.is_private]
    creators = {str(one.value)[:64] for one in private if one.tag.is_private_creator}
    burned_in, reason = _burned_in(image)
    said = " ".join(
        str(image.get(name) or "") for name in ("BodyPartExamined", "StudyDescription", "SeriesDescription")
    )
    return Privacy(
        burned_in=burned_in,
        burned_in_reason=reason,
        private_elements=len(private),
        private_creators=tuple(sorted(creators)),
        face=image.get("Modality") in ("CT", "MR", "PT")
        and any(part in said.upper() for part in PROFILE.face_parts.keywords),
    )


def deidentify(data: bytes, *, key: bytes, burned_in_seen: bool = False) -> Deidentified:
    """Take the patient out of one image.

    Parameters
    ----------
    data : a DICOM file
    key : secret of the export, at least 16 bytes. Under one key the same patient and the same UIDs come out alike, so
        that series and studies stay together; who does not have it cannot find the way back.
    burned_in_seen : somebody has looked and lets this image go though its pixels may carry text

    Raises
    ------
    IngestError
        As `read_instance` does; ``unsupported`` also where it is a text itself, or pixels may carry names.
    """
    if len(key) < 16:
        raise ValueError(f"expected a key of at least 16 bytes, got {len(key)}")
    image = _opened(data)
    sop_class = str(image.get("SOPClassUID") or "")
    if not sop_class or any(sop_class.startswith(one) for one in PROFILE.refused_classes.keywords):
        raise IngestError(
            "unsupported",
            "this object is not given away without its patient",
            expected="an image",
            got=shown(sop_class),
        )
    privacy = privacy_of(image)
    if privacy.burned_in == "yes" and not burned_in_seen:
        raise IngestError(
            "unsupported",
            "the picture may carry the patient's name; somebody must look at it first",
            expected="an image without burned-in text",
            got=privacy.burned_in_reason,
        )
    person = _pseudonym(
        str(image.get("PatientID") or "") + "\n" + str(image.get("IssuerOfPatientID") or ""), key
    )
    own = OwnWords(image, names=PROFILE.own_names.keywords, numbers=PROFILE.own_numbers.keywords)
    done = _Doing(key, own)
    done.clean(image)
    _mark(image, person)
    written = _written(image, done)
    return Deidentified(
        data=written,
        sop_uid=str(image.SOPInstanceUID),
        removed=done.count["X"],
        emptied=done.count["Z"],
        dummies=done.count["D"],
        uids=done.count["U"],
        private=done.count["private"],
        by_keyword=dict(sorted(done.keywords.items())),
        texts_left=tuple(sorted(set(texts_in(image, but=_OURS, dummy=DUMMY)))),
        privacy=privacy,
    )


class _Doing:
    """One walk through an image, with what it did."""

    def __init__(self, key: bytes, own: OwnWords) -> None:
        self._key = key
        self._own = own
        self.count: Counter[str] = Counter()
        self.keywords: Counter[str] = Counter()

    def clean(self, dataset: Dataset) -> None:
        for element in list(dataset):
            action = _action(element)
            if action == "keep" and self._own.stand_in(element):
                action = "D"
            if action == "keep":
                if element.VR == "SQ":
                    for item in element.value or ():
                        self.clean(item)
                continue
            self.count[action] += 1
            self.keywords[element.keyword or ("private" if action == "private" else str(element.tag))] += 1
            self._do(dataset, element, action)

    def _do(self, dataset: Dataset, element: DataElement, action: str) -> None:
        if action == "U":
            several = element.value if element.VM > 1 else [element.value]
            new = [self.uid(str(one)) for one in several]
            element.value = new if len(new) > 1 else new[0]
        elif action == "D" and element.VR in FREE_TEXT:
            element.value = DUMMY
        elif action in ("Z", "D") and element.VR != "SQ":
            element.value = None
        elif action == "Z":
            element.value = Sequence([])
        else:
            del dataset[element.tag]

    def uid(self, old: str) -> str:
        """Another UID for this one, always the same under one key (PS3.5 B.2: 2.25 and 128 bits)."""
        if not old:
            return old
        digest = hmac.new(self._key, b"uid\n" + old.strip().encode(), hashlib.sha256).digest()
        return f"2.25.{int.from_bytes(digest[:16], 'big')}"


def _action(element: DataElement) -> str:
    tag, keyword, kind = element.tag, element.keyword, element.VR
    if tag.is_private:
        return "private"
    if (tag.group & 0xFF00) in (0x5000, 0x6000) and tag.group % 2 == 0:
        return "X"
    if keyword in PROFILE.emptied_instants.keywords or keyword in PROFILE.emptied_names.keywords:
        return "Z"
    if kind == "UI":
        if keyword in PROFILE.replaced_uids.keywords:
            return "U"
        several = element.value if element.VM > 1 else [element.value]
        return "keep" if all(not one or str(one).startswith(DICOM_ROOT) for one in several) else "U"
    if keyword in PROFILE.removed.keywords or kind in PROFILE.removed_kinds.keywords or not keyword:
        return "X"
    if keyword in PROFILE.emptied.keywords:
        return "Z"
    if keyword in PROFILE.dummies.keywords:
        return "D"
    return "keep"


def _opened(data: bytes) -> FileDataset:
    read_instance(data)  # refuses what is no object of a study, and what is packed to burst
    try:
        image = pydicom.dcmread(io.BytesIO(data))
        image.decode()  # texts under the character set that the file names, before anything is taken out
        for _ in image.iterall():  # pydicom reads elements late: what is broken shows here
            pass
    except Exception as error:
        # Its text may quote a patient's name; its kind can't.
        kind = f"a {type(error).__name__}"
        raise IngestError("malformed", "this DICOM file cannot be read", "a DICOM file", kind) from error
    return image


def _burned_in(image: Dataset) -> tuple[YesNo, str]:
    stated = str(image.get("BurnedInAnnotation") or "").upper()
    if stated in ("YES", "NO"):
        return ("yes", "BurnedInAnnotation: YES") if stated == "YES" else ("no", "BurnedInAnnotation: NO")
    types = " ".join(str(one) for one in _several(image.get("ImageType")))
    usual = usually_burned_in(
        sop_class=str(image.get("SOPClassUID") or ""),
        modality=str(image.get("Modality") or ""),
        described=f"{types} {image.get('SeriesDescription') or ''}",
    )
    return ("unknown", "BurnedInAnnotation is not stated") if usual is None else ("yes", usual)


def usually_burned_in(*, sop_class: str, modality: str, described: str) -> str | None:
    """The header that tells of a picture into which text is usually printed; None: none does.

    `described` is the type of the image and the description of its series.
    """
    if any(sop_class.startswith(one) for one in PROFILE.burned_in_classes.keywords):
        return f"SOPClassUID: {sop_class}"
    if modality in PROFILE.burned_in_modalities.keywords:
        return f"Modality: {modality}"
    for word in sorted(PROFILE.burned_in_types.keywords):
        if re.search(rf"\b{re.escape(word)}\b", described.upper()):
            return f"ImageType or SeriesDescription: {word}"
    return None


def _several(value: Any) -> list[Any]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)


def _pseudonym(who: str, key: bytes) -> str:
    return (
        "ANON-" + hmac.new(key, b"person\n" + who.strip().encode(), hashlib.sha256).hexdigest()[:12].upper()
    )


def _mark(image: Dataset, person: str) -> None:
    image.PatientID = person
    image.PatientName = person
    image.PatientIdentityRemoved = "YES"
    image.DeidentificationMethod = METHOD
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator = "113100", "DCM"
    code.CodeMeaning = "Basic Application Confidentiality Profile"
    image.DeidentificationMethodCodeSequence = Sequence([code])
    image.LongitudinalTemporalInformationModified = "REMOVED"


def _written(image: FileDataset, done: _Doing) -> bytes:
    syntax = image.file_meta.get("TransferSyntaxUID") if hasattr(image, "file_meta") else None
    if syntax is None:
        raise IngestError("malformed", "this DICOM file does not say its transfer syntax")
    meta = FileMetaDataset()  # sender, receiver and private information of the old one stay behind
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID = image.SOPClassUID
    if not image.get("SOPInstanceUID"):
        image.SOPInstanceUID = UID(done.uid("missing"))
    meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
    image.file_meta = meta
    image.preamble = b"\0" * 128
    out = io.BytesIO()
    image.save_as(out, enforce_file_format=True)
    return out.getvalue()
