"""Query and retrieve over DICOM (PS3.4 C): a known node asks for what its own site may see, and fetches it;
also what was shared with that site.

C-FIND, C-MOVE and C-GET of the study root and the patient root, for nodes whose address is known: a title alone proves
nothing. The handlers run in threads of the associations.
"""

import itertools
from collections.abc import Iterator
from typing import Any, Final

import structlog
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.imaging.transcode import to_explicit
from greenchannel.service.errors import NotFound
from greenchannel.service.imaging.archive import ImageArchive
from greenchannel.service.imaging.dicom_node import DicomNode
from greenchannel.service.imaging.dicom_peers import Peer, no_delay
from greenchannel.service.imaging.dicom_worklist import Worklist, asked_by
from greenchannel.service.imaging.looking import Looking
from greenchannel.service.imaging.query import FILTERS
from greenchannel.service.imaging.reading_desk import ReadingDesk
from greenchannel.service.imaging.records import Hit, StoredInstance
from greenchannel.service.imaging.renaming import as_given
from greenchannel.store.errors import BlobError

logger = structlog.get_logger(__name__)

PENDING: Final = 0xFF00
CANCELLED: Final = 0xFE00
NOT_AUTHORISED: Final = 0x0124
NOT_THIS_CLASS: Final = 0xA900  # the identifier does not fit the SOP class
UNABLE: Final = 0xC000
TOO_MANY: Final = 0xA701  # out of resources: the number of matches
PAGE: Final = 200
MOST_FOUND: Final = 10_000  # results of one question  [E]
MOST_FETCHED: Final = 20_000  # objects of one request  [E]
MOST_CONTEXTS: Final = 128  # of one association (PS3.8)

_LEVELS: Final = {"PATIENT": "study", "STUDY": "study", "SERIES": "series", "IMAGE": "instance"}
_NAMES_NOTHING: Final = " *?,\\"
_UIDS: Final = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")


class QueryRetrieve:
    """Answers C-FIND, C-MOVE and C-GET at the node that it is hooked into."""

    def __init__(
        self,
        images: ImageArchive,
        readings: ReadingDesk,
        node: DicomNode,
        looking: Looking,
        worklist: Worklist,
    ) -> None:
        self._images = images
        self._readings = readings
        self._node = node
        self._looking = looking
        self._worklist = worklist

    def hook(self) -> None:
        """Let the node answer; before it starts."""
        from pynetdicom import evt, sop_class

        models = [f"{root}RootQueryRetrieveInformationModel" for root in ("Patient", "Study")]
        contexts = [
            getattr(sop_class, f"{model}{verb}") for model in models for verb in ("Find", "Move", "Get")
        ]
        contexts.append(sop_class.ModalityWorklistInformationFind)  # type: ignore[attr-defined]
        handlers = [
            (evt.EVT_C_FIND, self._find),
            (evt.EVT_C_MOVE, self._move),
            (evt.EVT_C_GET, self._get),
        ]
        self._node.add_handlers(contexts, handlers)

    # ------------------------------------------------------------ searching

    def _find(self, event: Any) -> Iterator[tuple[Any, Dataset | None]]:
        peer = self._node.peer_of(event)
        if peer.host is None:
            yield NOT_AUTHORISED, None
            return
        asked: Dataset = event.identifier
        if asked_by(event):
            steps = self._worklist.find(asked, site=peer.site, title=peer.title, actor=peer.actor)
            yield from ((PENDING, step) for step in steps)
            return
        level = _LEVELS.get(str(asked.get("QueryRetrieveLevel", "")))
        if level is None:
            yield NOT_THIS_CLASS, None
            return
        filters, found = filters_of(asked), 0
        try:
            seen: set[str] = set()
            for hit in self._hits(level, filters, peer, MOST_FOUND):
                if event.is_cancelled:
                    yield CANCELLED, None
                    return
                if asked.QueryRetrieveLevel == "PATIENT":
                    if hit.study.patient in seen:
                        continue
                    seen.add(hit.study.patient)
                found += 1
                yield PENDING, self._answer(asked, hit)
        except IngestError as error:
            yield _status(NOT_THIS_CLASS if error.code == "bad_field" else UNABLE, error), None
        finally:  # what was told before it was cancelled or broken off was seen
            self._looking.searched(peer.actor, filters, found)

    def _hits(self, level: str, filters: dict[str, str], peer: Peer, most: int) -> Iterator[Hit]:
        sites = frozenset({peer.site})
        shared = self._readings.shared_with(sites)
        for offset in range(0, most, PAGE):
            page = self._images.search_sync(
                level, filters, limit=PAGE, offset=offset, sites=sites, shared=shared
            )
            yield from page
            if len(page) < PAGE:
                return

    def _answer(self, asked: Dataset, hit: Hit) -> Dataset:
        """What was asked for, as far as it is known; the rest without a value."""
        known = dataset_of(hit)
        answer = Dataset()
        for element in asked:
            if element.keyword and element.keyword in known:
                answer.add(known[element.keyword])
            elif element.tag.group > 2:
                answer.add_new(element.tag, element.VR, None if element.VR != "SQ" else [])
        answer.SpecificCharacterSet = "ISO_IR 192"
        answer.QueryRetrieveLevel = asked.QueryRetrieveLevel
        answer.RetrieveAETitle = self._node.title
        answer.InstanceAvailability = "ONLINE"
        return answer

    # ------------------------------------------------------------ fetching

    def _wanted(self, event: Any) -> list[StoredInstance]:
        """The objects that are asked for; none where nothing is named, and none of another site.

        Raises `IngestError` where they are more than one request may fetch: a part would be taken for the whole.
        """
        peer = self._node.peer_of(event)
        asked = filters_of(event.identifier)
        # What is only wildcards names nothing: it would be all there is.
        filters = {
            name: asked[name] for name in (*_UIDS, "PatientID") if asked.get(name, "").strip(_NAMES_NOTHING)
        }
        # A fetch is of one patient: a part of a number is searched by, and names nobody (PS3.4 C.4.2.1.4).
        if not filters or not {"*", "?"}.isdisjoint(filters.get("PatientID", "")):
            return []
        hits = list(
            itertools.islice(self._hits("instance", filters, peer, MOST_FETCHED + PAGE), MOST_FETCHED + 1)
        )
        if len(hits) > MOST_FETCHED:
            logger.warning("more objects are asked for than are given at once", title=peer.title)
            raise IngestError(
                "too_large", "too many objects are asked for", f"at most {MOST_FETCHED} objects"
            )
        for study in {hit.study.study_uid: hit.study for hit in hits}.values():
            self._looking.looked(peer.actor, "look_image_files", study)
        return [hit.instance for hit in hits if hit.instance is not None]

    def _get(self, event: Any) -> Iterator[Any]:
        if self._node.peer_of(event).host is None:
            yield 1
            yield NOT_AUTHORISED, None
            return
        try:
            instances = self._wanted(event)
        except IngestError as error:
            yield 1
            yield _status(TOO_MANY, error), None
            return
        yield len(instances)
        accepted = {
            (str(one.abstract_syntax), str(one.transfer_syntax[0])) for one in event.assoc.accepted_contexts
        }
        yield from self._objects(event, instances, accepted)

    def _move(self, event: Any) -> Iterator[Any]:
        caller = self._node.peer_of(event)
        target = self._node.peers.get(str(event.move_destination or "").strip())
        if caller.host is None or target is None or target.host is None or target.site != caller.site:
            yield None, None  # the destination is unknown, to this caller
            return
        from pynetdicom import build_context, evt

        instances = self._wanted(event)
        kinds = dict.fromkeys((one.sop_class, one.transfer_syntax) for one in instances)
        contexts = [build_context(sop_class, syntax) for sop_class, syntax in list(kinds)[:MOST_CONTEXTS]]
        yield (
            target.host,
            target.port,
            {"contexts": contexts, "evt_handlers": [(evt.EVT_CONN_OPEN, no_delay)]},
        )
        yield len(instances)
        yield from self._objects(event, instances)

    def _objects(
        self, event: Any, instances: list[StoredInstance], accepted: set[tuple[str, str]] | None = None
    ) -> Iterator[Any]:
        """As they came, of a study that was moved under its patient; decoded where the one who asks takes no other
        (`accepted`: SOP classes and syntaxes).

        One whose bytes cannot be had is named among those that failed: all went well is not said of it.
        """
        for one in instances:
            if event.is_cancelled:
                yield CANCELLED, None
                return
            try:
                text = self._images.study_sync(one.study_uid).text
                data = as_given(self._images.bytes_of_sync(one.sop_uid), text)
            except (NotFound, BlobError, OSError, IngestError) as error:  # erased meanwhile, gone or damaged
                reason = type(error).__name__
                logger.warning("an object that was asked for cannot be had", sop_uid=one.sop_uid, why=reason)
                yield PENDING, _without_bytes(one)
                continue
            if accepted is not None and (one.sop_class, one.transfer_syntax) not in accepted:
                try:
                    data = to_explicit(data)
                except IngestError:
                    logger.warning(
                        "an object cannot be given in the syntax that is taken", sop_uid=one.sop_uid
                    )
            yield PENDING, dcmread(DicomBytesIO(data), force=True)


# ---------------------------------------------------------------- pure


def filters_of(asked: Dataset) -> dict[str, str]:
    """The attributes of an identifier that are searched by, as `ImageArchive.search` takes them."""
    filters = {}
    for element in asked:
        if element.keyword not in FILTERS or element.value in (None, ""):
            continue
        value = element.value
        many = (
            value
            if not isinstance(value, str) and hasattr(value, "__iter__") and element.VR != "PN"
            else [value]
        )
        filters[element.keyword] = "\\".join(str(one) for one in many)
    return filters


def dataset_of(hit: Hit) -> Dataset:
    """A result with what is known of it."""
    study, text = hit.study, hit.study.text
    known: dict[str, Any] = {
        "StudyDate": study.study_date,
        "StudyTime": study.study_time,
        "AccessionNumber": text.accession,
        "ModalitiesInStudy": list(study.modalities),
        "ReferringPhysicianName": text.referrer,
        "StudyDescription": text.description,
        "PatientName": text.patient_name,
        "PatientID": text.patient_id,
        "PatientBirthDate": None if text.birth_date is None else f"{text.birth_date:%Y%m%d}",
        "PatientSex": {"male": "M", "female": "F"}.get(text.sex or ""),
        "StudyInstanceUID": study.study_uid,
        "NumberOfStudyRelatedInstances": study.instances + study.made_here,
    }
    if hit.series is not None:
        known |= {
            "Modality": hit.series.modality,
            "SeriesDescription": hit.series.text.description,
            "BodyPartExamined": hit.series.body_part,
            "SeriesInstanceUID": hit.series.series_uid,
            "SeriesNumber": hit.series.number,
            "NumberOfSeriesRelatedInstances": hit.series.instances,
        }
    if hit.instance is not None:
        known |= {
            "SOPClassUID": hit.instance.sop_class,
            "SOPInstanceUID": hit.instance.sop_uid,
            "InstanceNumber": hit.instance.number,
            "Rows": hit.instance.facts.rows,
            "Columns": hit.instance.facts.cols,
            "NumberOfFrames": hit.instance.facts.frames,
        }
    dataset = Dataset()
    for keyword, value in known.items():
        if value is not None:
            setattr(dataset, keyword, value)
    return dataset


def _without_bytes(one: StoredInstance) -> Dataset:
    """What cannot be sent, as it has no transfer syntax: the node counts it as failed, under its name."""
    nothing = Dataset()
    nothing.SOPClassUID, nothing.SOPInstanceUID = one.sop_class, one.sop_uid
    return nothing


def _status(code: int, error: IngestError) -> Dataset:
    said = Dataset()
    said.Status = code
    said.ErrorComment = f"{error.code}: {error.expected or error.message}"[:64]
    return said
