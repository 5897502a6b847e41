"""Results of a search as DICOM JSON: the attributes of PS3.18 tables 10.6.3-3 to 10.6.3-5, as far as they are known."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from pydicom.datadict import dictionary_VR, tag_for_keyword

from greenchannel.ingest.imaging.dicom_json import person
from greenchannel.service.imaging.records import Hit

Json = dict[str, Any]
Get = Callable[[Any], Any]

_OF_STUDY: Final[Mapping[str, Get]] = {
    "SpecificCharacterSet": lambda study: "ISO_IR 192",
    "StudyDate": lambda study: study.study_date,
    "StudyTime": lambda study: study.study_time,
    "AccessionNumber": lambda study: study.text.accession,
    "InstanceAvailability": lambda study: "ONLINE",
    "ModalitiesInStudy": lambda study: study.modalities,
    "ReferringPhysicianName": lambda study: study.text.referrer,
    "StudyDescription": lambda study: study.text.description,
    "PatientName": lambda study: study.text.patient_name,
    "PatientID": lambda study: study.text.patient_id,
    "PatientBirthDate": lambda study: _day(study.text.birth_date),
    "PatientSex": lambda study: {"male": "M", "female": "F"}.get(study.text.sex or ""),
    "StudyInstanceUID": lambda study: study.study_uid,
    "StudyID": lambda study: None,
    "NumberOfStudyRelatedInstances": lambda study: study.instances + study.made_here,
}
_OF_SERIES: Final[Mapping[str, Get]] = {
    "Modality": lambda series: series.modality,
    "SeriesDescription": lambda series: series.text.description,
    "BodyPartExamined": lambda series: series.body_part,
    "SeriesInstanceUID": lambda series: series.series_uid,
    "SeriesNumber": lambda series: series.number,
    "NumberOfSeriesRelatedInstances": lambda series: series.instances,
}
_OF_INSTANCE: Final[Mapping[str, Get]] = {
    "SOPClassUID": lambda instance: instance.sop_class,
    "SOPInstanceUID": lambda instance: instance.sop_uid,
    "InstanceNumber": lambda instance: instance.number,
    "AvailableTransferSyntaxUID": lambda instance: instance.transfer_syntax,
    "Rows": lambda instance: instance.facts.rows,
    "Columns": lambda instance: instance.facts.cols,
    "BitsAllocated": lambda instance: instance.facts.bits_allocated,
    "NumberOfFrames": lambda instance: instance.facts.frames,
}
_URL: Final[Mapping[str, Get]] = {"RetrieveURL": lambda url: url}
_COUNT: Final[Mapping[str, Get]] = {
    "NumberOfStudyRelatedSeries": lambda count: count
}  # of searched studies alone


class _Column(NamedTuple):
    part: int  # of a hit
    tag: str
    vr: str
    unknown: Json  # without a value
    get: Get


def _columns(*tables: Mapping[str, Get]) -> tuple[_Column, ...]:
    """What a row has, in the order of the tags (PS3.18 F.2.2)."""
    found = []
    for part, table in enumerate(tables):
        for keyword, get in table.items():
            tag = tag_for_keyword(keyword)
            assert tag is not None
            vr = dictionary_VR(tag)
            found.append(_Column(part, f"{tag:08X}", vr, {"vr": vr}, get))
    return tuple(sorted(found, key=lambda column: column.tag))


_LEVELS: Final = {
    "study": _columns(_OF_STUDY, {}, {}, _URL, _COUNT),
    "series": _columns(_OF_STUDY, _OF_SERIES, {}, _URL, _COUNT),
    "instance": _columns(_OF_STUDY, _OF_SERIES, _OF_INSTANCE, _URL, _COUNT),
}


def rows_of(hits: Sequence[Hit], base: str) -> bytes:
    """All results as a JSON array; `base` is the address of the DICOMweb service."""
    return msgspec.json.encode([row_of(hit, base) for hit in hits])


def row_of(hit: Hit, base: str) -> Json:
    """One result."""
    study, series, instance = hit.study, hit.series, hit.instance
    url, level = f"{base}/studies/{study.study_uid}", "study"
    if series is not None:
        url, level = f"{url}/series/{series.series_uid}", "series"
    if instance is not None:
        url, level = f"{url}/instances/{instance.sop_uid}", "instance"
    parts = (study, series, instance, url, hit.series_count)
    row: Json = {}
    for part, tag, vr, unknown, get in _LEVELS[level]:
        value = get(parts[part])
        if value is None or value == "":
            row[tag] = unknown
        elif type(value) is tuple:
            row[tag] = {"vr": vr, "Value": value} if value else unknown
        else:
            row[tag] = {"vr": vr, "Value": (person(value) if vr == "PN" else value,)}
    return row


def _day(day: Any) -> str | None:
    return None if day is None else f"{day:%Y%m%d}"
