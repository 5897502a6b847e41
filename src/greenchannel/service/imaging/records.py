"""Studies, series and objects as the archive gives them out, opened: what names a patient is in them."""

from datetime import date, datetime
from typing import Any, Literal

import msgspec

from greenchannel.ingest.imaging.instance import ImageInstance
from greenchannel.store.image_rows import InstanceRow, SeriesRow, StudyRow

Completeness = Literal["complete", "partial", "unknown"]


class InFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whom the files of a study name, where a person found that it is of somebody else; the files stay as they are."""

    patient_id: str | None = None
    patient_name: str | None = None
    sex: str | None = None
    birth_date: date | None = None
    age_years: float | None = None


class StudyText(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is sealed of a study: the first object's word stands."""

    patient_id: str | None = None
    patient_name: str | None = None
    sex: str | None = None
    birth_date: date | None = None
    age_years: float | None = None
    accession: str | None = None
    description: str | None = None
    body_part: str | None = None
    referrer: str | None = None
    institution: str | None = None
    station: str | None = None
    priority: str | None = None
    reasons: tuple[str, ...] = ()
    charset: str | None = (
        None  # in which these are assumed to be; "?": they may be in another than the file says
    )
    text_key: str | None = (
        None  # 32 bytes as hexadecimal digits: of what people write of it (`reading_words`)
    )
    in_file: InFile | None = (
        None  # given: a person moved the study, and what is said of the patient above is so since
    )


class SeriesText(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is sealed of a series."""

    description: str | None = None
    protocol: str | None = None
    laterality: str | None = None
    view_position: str | None = None
    station: str | None = None


class Facts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of a picture; lengths in mm. None of it tells who the patient is."""

    rows: int | None = None
    cols: int | None = None
    frames: int | None = None
    photometric: str | None = None
    samples: int | None = None
    bits_allocated: int | None = None
    bits_stored: int | None = None
    spacing: tuple[float, float] | None = None
    slice_thickness: float | None = None
    orientation: tuple[float, ...] | None = None
    position: tuple[float, float, float] | None = None
    windows: tuple[tuple[float, float], ...] = ()
    contrast: str = "unknown"
    decodable: bool = False
    undecodable: str | None = None
    burned_in: str = "unknown"
    private_tags: int = 0


class ImageStudy(msgspec.Struct, frozen=True, kw_only=True):
    """One study."""

    study_uid: str
    site: str
    case_id: str
    patient: str  # pseudonym
    study_date: str | None  # YYYYMMDD, by the machine's own clock
    study_time: str | None
    study_at: datetime | None  # aware; None: unknown
    modalities: tuple[str, ...]
    instances: int
    expected: int | None
    expected_by: str | None
    settled: bool
    received_at: datetime
    last_at: datetime
    text: StudyText
    made_here: int = 0  # reports of ours that lie in it as objects, beside `instances`

    @property
    def completeness(self) -> Completeness:
        """Whether all of it is here; "unknown" where nobody has said how many there should be."""
        if self.expected is None:
            return "unknown"
        return "complete" if self.instances >= self.expected else "partial"


class ImageSeries(msgspec.Struct, frozen=True, kw_only=True):
    """One series."""

    study_uid: str
    series_uid: str
    modality: str | None
    number: int | None
    body_part: str | None
    instances: int
    text: SeriesText


class StoredInstance(msgspec.Struct, frozen=True, kw_only=True):
    """One object."""

    sop_uid: str
    study_uid: str
    series_uid: str
    patient: str
    sha256: str  # of the bytes as they came
    size_bytes: int
    number: int | None
    sop_class: str
    transfer_syntax: str
    received_at: datetime
    facts: Facts
    made_here: bool = False  # a report of ours, and no image


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one object that was sent."""

    study_uid: str
    series_uid: str
    sop_uid: str
    sop_class: str
    case_id: str
    sha256: str
    state: Literal["new", "duplicate", "conflict"]
    """"conflict": another object is here under its identifier; that one stays, this one is in quarantine."""


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """One result of a search, with the levels above its own."""

    study: ImageStudy
    series: ImageSeries | None = None
    instance: StoredInstance | None = None
    series_count: int | None = None  # of the study, where studies were searched


# ---------------------------------------------------------------- from objects, from rows


def study_text(one: ImageInstance) -> dict[str, Any]:
    """What is to be sealed of a study."""
    said = StudyText(
        patient_id=one.patient_id,
        patient_name=one.patient_name,
        sex=one.sex,
        birth_date=one.birth_date,
        age_years=one.age_years,
        accession=one.accession,
        description=one.study_description,
        body_part=one.body_part,
        referrer=one.referrer,
        institution=one.institution,
        station=one.station,
        priority=one.priority,
        reasons=one.reasons,
        charset=one.charset_assumed or ("?" if one.charset_doubtful else None),
    )
    built: dict[str, Any] = msgspec.to_builtins(said)
    return built


def series_text(one: ImageInstance) -> dict[str, Any]:
    """What is to be sealed of a series."""
    said = SeriesText(
        description=one.series_description,
        protocol=one.protocol,
        laterality=one.laterality,
        view_position=one.view_position,
        station=one.station,
    )
    built: dict[str, Any] = msgspec.to_builtins(said)
    return built


def facts_of(one: ImageInstance) -> bytes:
    """The facts of a picture as they are kept."""
    return msgspec.json.encode(Facts(**{name: getattr(one, name) for name in Facts.__struct_fields__}))


def study_of(row: StudyRow, text: dict[str, Any]) -> ImageStudy:
    """A study of its row and its opened text."""
    return study_with(row, msgspec.convert(text, StudyText))


def study_with(row: StudyRow, text: StudyText) -> ImageStudy:
    """As `study_of`, of a text that was read already."""
    return ImageStudy(
        study_uid=row.study_uid,
        site=row.site,
        case_id=row.case_id,
        patient=row.patient,
        study_date=row.study_date,
        study_time=row.study_time,
        study_at=row.study_at,
        modalities=tuple(one for one in row.modalities.split("\\") if one),
        instances=row.instances,
        expected=row.expected,
        expected_by=row.expected_by,
        settled=row.state == "settled",
        received_at=row.received_at,
        last_at=row.last_at,
        text=text,
        made_here=row.made_here,
    )


def series_of(row: SeriesRow, text: dict[str, Any]) -> ImageSeries:
    """A series of its row and its opened text."""
    return series_with(row, msgspec.convert(text, SeriesText))


def series_with(row: SeriesRow, text: SeriesText) -> ImageSeries:
    """As `series_of`, of a text that was read already."""
    return ImageSeries(
        study_uid=row.study_uid,
        series_uid=row.series_uid,
        modality=row.modality,
        number=row.number,
        body_part=row.body_part,
        instances=row.instances,
        text=text,
    )


def instance_of(row: InstanceRow) -> StoredInstance:
    """An object of its row."""
    return StoredInstance(
        sop_uid=row.sop_uid,
        study_uid=row.study_uid,
        series_uid=row.series_uid,
        patient=row.patient,
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        number=row.number,
        sop_class=row.sop_class,
        transfer_syntax=row.transfer_syntax,
        received_at=row.received_at,
        facts=msgspec.json.decode(row.facts, type=Facts),
        made_here=row.made_here,
    )
