"""All tables. SQLAlchemy Core, so that PostgreSQL is a second dialect and not a second implementation.

Instants are stored as microseconds since 1970 in UTC (`Instant`): exact, sortable and equal on every database.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
)

from greenchannel.clock import check_aware

metadata = MetaData()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant_us(instant: datetime) -> int:
    """The instant as it is stored: whole microseconds since 1970."""
    return (check_aware(instant) - _EPOCH) // timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """An aware datetime as whole microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> int | None:
        return None if value is None else instant_us(value)

    def process_result_value(self, value: int | None, dialect: Any) -> datetime | None:
        return None if value is None else _EPOCH + timedelta(microseconds=value)


# ---------------------------------------------------------------- the log

log = Table(
    "log",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("stream", String(96), nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("clock", String(64), nullable=False),
    Column("actor", String(96), nullable=False),
    Column("type", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),  # the event as canonical JSON
    Column("hash", LargeBinary(32), nullable=False),  # over the hash before and the stored bytes
    UniqueConstraint("stream", "version", name="uq_log_stream_version"),
)

log_head = Table(  # one row; appends serialise on it
    "log_head",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
)

access_log = Table(  # who looked at which patient; a hash chain of its own, its end in access_head
    "access_log",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("actor", String(96), nullable=False),
    Column("action", String(64), nullable=False),
    Column("case_id", String(64), index=True),
    Column("detail", Text),
    Column("hash", LargeBinary(32), nullable=False),
)

access_head = Table(  # one row, as log_head
    "access_head",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
)

# ---------------------------------------------------------------- work that must happen

deadlines = Table(
    "deadlines",
    metadata,
    # derived from what it is for, so it can be set twice without harm
    Column("id", String(128), primary_key=True),
    Column("due_at", Instant, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("stream", String(96), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("done_at", Instant),
    Index("ix_deadlines_done_at_due_at", "done_at", "due_at"),  # the few that are not done, in order
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("scope", String(160), primary_key=True),  # who and which route
    Column("key", String(200), primary_key=True),
    Column("request_sha256", LargeBinary(32), nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("at", Instant, nullable=False, index=True),
)

# ---------------------------------------------------------------- how people are reached, and what is to be sent

contacts = Table(
    "contacts",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("person", String(64), ForeignKey("users.id"), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("slot", String(64), nullable=False),  # "" where a channel has one address; of several a keyed hash
    Column("form", String(32), nullable=False),  # "webhook", "webpush", or the scheme of an apprise URL
    Column("sealed", LargeBinary, nullable=False),  # the address: phone numbers and tokens are secrets
    Column("by_person", Boolean, nullable=False),  # entered by the person, so held to stricter rules
    Column("enabled", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("person", "channel", "slot", name="uq_contacts_person_channel_slot"),
)

outbox = Table(  # one row a delivery, written with the event that asks for it
    "outbox",
    metadata,
    Column("key", String(200), primary_key=True),  # the same for every attempt, whatever crashes in between
    Column(
        "ref", String(32), nullable=False, unique=True
    ),  # stands for the key where nobody may learn from it
    Column("kind", String(32), nullable=False),
    Column("person", String(64), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("case_id", String(64)),
    Column("alert_id", String(64), index=True),
    Column("facts", LargeBinary, nullable=False),  # JSON: tier, site, step; no names
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("fence", Integer, nullable=False),  # rises with each attempt: only its own may report on it
    Column("called_off", Boolean, nullable=False),  # while an attempt was under way
    Column("reason", String(64)),  # a code: why it was not sent
    Column("receipt", String(16)),  # what the other side said of it later
    Column("created_at", Instant, nullable=False),
    Column("next_at", Instant, nullable=False),  # by the service's clock
    Column("lease_until_us", BigInteger),  # by the database's clock
    Column("ended_at", Instant),
    Index("ix_outbox_state_channel_next_at", "state", "channel", "next_at"),
)

# ---------------------------------------------------------------- ECGs, blobs, the vault

ecgs = Table(  # where the bytes of an ECG are, and the key that makes "the same again" one thing
    "ecgs",
    metadata,
    Column("ecg_id", String(64), primary_key=True),
    Column("case_id", String(64), nullable=False, index=True),
    Column("site", String(64), nullable=False),
    Column("patient", String(64), nullable=False, index=True),
    Column("sha256", String(64), nullable=False, index=True),
    Column("received_at", Instant, nullable=False),
    Column("analysis_sha256", String(64)),
)

ecg_prints = Table(  # by which an ECG is found again in another format, and its QRS compared with other patients'
    "ecg_prints",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),  # in the order of arrival
    Column("ecg_id", String(64), nullable=False, unique=True),
    Column("site", String(64), nullable=False),
    Column("patient", String(64), nullable=False, index=True),
    Column("received_at", Instant, nullable=False),
    Column("print", LargeBinary, nullable=False),  # of the samples
    Column("shape", LargeBinary),  # of the median beat; NULL: not read, or nothing to compare by
    Index("ix_ecg_prints_site_received_at", "site", "received_at"),
    sqlite_autoincrement=True,  # an id of an erased ECG is never given again: a look goes on behind the last
)

analyses = Table(  # a cache under the content's hash: the whole analyze object
    "analyses",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

patients = Table(
    "patients",
    metadata,
    Column("patient", String(64), primary_key=True),  # the pseudonym, random
    Column("site", String(64), nullable=False),
    Column("ref_mac", LargeBinary(32)),  # keyed hash of the site's patient_ref; NULL where none was given
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("site", "ref_mac", name="uq_patients_site_ref"),
)

patient_keys = Table(  # destroying the row destroys the patient's readable data
    "patient_keys",
    metadata,
    Column("patient", String(64), primary_key=True),
    Column("wrapped_key", LargeBinary, nullable=False),
)

personal_data = Table(
    "personal_data",
    metadata,
    Column("patient", String(64), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

blob_keys = Table(  # one stored blob; each patient it belongs to holds its key under the patient's own
    "blob_keys",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("patient", String(64), primary_key=True, index=True),
    Column("file", String(96), nullable=False, index=True),  # name of the file that this key opens
    Column("wrapped_key", LargeBinary, nullable=False),
)

# ---------------------------------------------------------------- uploads that are under way

uploads = Table(  # by the tus protocol; the bytes are files of their own
    "uploads",
    metadata,
    Column("upload_id", String(64), primary_key=True),
    Column("owner", String(96), nullable=False, index=True),  # the actor who began it
    Column("caller", LargeBinary, nullable=False),  # who that was and what they might do then, as JSON
    Column("length_bytes", BigInteger, nullable=False),
    Column("durable_bytes", BigInteger, nullable=False),  # never more than the file has on disk
    Column("sealed_metadata", LargeBinary, nullable=False),  # may hold a name
    Column("concat", Text, nullable=False),  # "", "partial", or "final;" and the ids of its parts
    Column("state", String(16), nullable=False),
    Column("answer", LargeBinary),  # what became of it, as JSON
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
)

# ---------------------------------------------------------------- ambulances

ambulance_devices = Table(  # which receiver drives for which case now
    "ambulance_devices",
    metadata,
    Column("device", String(64), primary_key=True),
    Column("case_id", String(64), nullable=False, index=True),
    Column("bound_at", Instant, nullable=False),
    Column("bound_by", String(96), nullable=False),
)

ambulance_positions = Table(  # kept for a day, never in the log: a track is where a patient lives
    "ambulance_positions",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),  # in the order in which they came
    Column("case_id", String(64), nullable=False),
    Column("source", String(96), nullable=False),  # the actor that sent it
    Column("raw_at", Instant, nullable=False),
    Column("at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False, index=True),
    Column("lat", Float, nullable=False),
    Column("lon", Float, nullable=False),
    Column("accuracy_m", Float),
    Column("offset_s", Float),
    Column("uncertainty_s", Float),
    Column("unused", String(16)),  # why it was not used
    UniqueConstraint("case_id", "source", "raw_at", name="uq_ambulance_positions_case_source_raw_at"),
)

# ---------------------------------------------------------------- what is counted, made anew from the log at will

quality_records = Table(
    "quality_records",
    metadata,
    Column("case_id", String(64), primary_key=True),
    Column("site", String(64), nullable=False),
    Column("began_at", Instant, nullable=False, index=True),
    Column("body", LargeBinary, nullable=False),  # the whole record
    Index("ix_quality_records_site_began_at", "site", "began_at"),  # a clinic's own among those of a province
)

quality_numbers = Table(  # apart, so that all of them are read without the bodies between
    "quality_numbers",
    metadata,
    Column("case_id", String(64), primary_key=True),
    Column("numbers", LargeBinary, nullable=False),
    Column("labels", LargeBinary, nullable=False),
)

quality_head = Table(  # one row: which events are in
    "quality_head",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("layout", Text, nullable=False),  # how numbers and bodies are written
)

# ---------------------------------------------------------------- images; what names a patient is sealed under his key

image_studies = Table(
    "image_studies",
    metadata,
    Column("study_uid", String(64), primary_key=True),
    Column("site", String(64), nullable=False),
    Column("case_id", String(64), nullable=False, index=True),
    Column("patient", String(64), nullable=False, index=True),
    Column(
        "study_date", String(8)
    ),  # YYYYMMDD by the clock of the machine, as QIDO asks for it; NULL: unknown
    Column("study_time", String(16)),
    Column("study_at", Instant),
    Column("modalities", Text, nullable=False),  # of its series, joined by a backslash
    Column("number_mac", LargeBinary(16)),  # of the patient's number, the same at every site; NULL: none
    Column("accession_mac", LargeBinary(16), index=True),
    Column("instances", Integer, nullable=False),  # that came
    Column(
        "made_here", Integer, nullable=False, server_default="0"
    ),  # beside them: our own reports as objects
    Column("expected", Integer),  # how many there should be; NULL: nobody has said
    Column("expected_by", String(16)),  # "sender", "header", "numbers"
    Column("state", String(16), nullable=False),  # "receiving", "settled"
    Column("received_at", Instant, nullable=False, index=True),
    Column("last_at", Instant, nullable=False),
    Column("actor", String(96), nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # names, numbers and free text, as JSON
    Index("ix_image_studies_site_study_date", "site", "study_date"),
    Index("ix_image_studies_study_date", "study_date"),
    Index("ix_image_studies_number_mac", "number_mac"),
    Index("ix_image_studies_state_last_at", "state", "last_at"),
    Index("ix_image_studies_last_at", "last_at"),
    Index("ix_image_studies_site_received_at", "site", "received_at"),
)

image_series = Table(
    "image_series",
    metadata,
    Column("study_uid", String(64), primary_key=True),
    Column("series_uid", String(64), primary_key=True),
    Column("patient", String(64), nullable=False, index=True),
    Column("modality", String(16)),
    Column("number", Integer),
    Column("body_part", String(64)),
    Column("instances", Integer, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # free text, as JSON
    Index("ix_image_series_series_uid", "series_uid"),
    Index("ix_image_series_modality_study_uid", "modality", "study_uid"),
)

image_instances = Table(
    "image_instances",
    metadata,
    Column("sop_uid", String(64), primary_key=True),
    Column("study_uid", String(64), nullable=False),
    Column("series_uid", String(64), nullable=False),
    Column("patient", String(64), nullable=False, index=True),
    Column("sha256", String(64), nullable=False),  # of the bytes as they came
    Column("content_sha256", String(64), nullable=False),  # without the head of the file
    Column("size_bytes", BigInteger, nullable=False),
    Column("number", Integer),
    Column("sop_class", String(64), nullable=False),
    Column("transfer_syntax", String(64), nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("facts", LargeBinary, nullable=False),  # of the picture, none of the patient, as JSON
    Column("made_here", Boolean, nullable=False, server_default=false()),  # a report of ours, and no image
    Index("ix_image_instances_study_uid_series_uid", "study_uid", "series_uid"),
)

image_names = Table(  # beginnings of the words of names, each as a keyed hash: what a search by name goes by
    "image_names",
    metadata,
    Column("mac", LargeBinary(16), primary_key=True),
    Column("patient", String(64), primary_key=True, index=True),
)

# ---------------------------------------------------------------- people, devices, sites, shifts

sites = Table(
    "sites",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("kind", String(16), nullable=False),  # "clinic" or "hub"
    Column("distance_km", Float),
    Column("phone", Text),
    Column("timezone", String(64), nullable=False),
    Column("disabled", Boolean, nullable=False, default=False),
    Column("lat", Float),  # WGS 84; NULL: nobody has said where it is
    Column("lon", Float),
    Column("radius_m", Float),  # of its fence; NULL: the usual one
    Column("town", Text),
    Column("fallback_phone", Text),  # whom the site telephones where no doctor answers; NULL: the hub
    Column("critical_list", String(64)),  # of critical values; NULL: as configured
)

users = Table(
    "users",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", String(32), nullable=False),
    Column("all_sites", Boolean, nullable=False),  # else those in user_sites, which may be none
    Column("password_hash", Text, nullable=False),
    Column("disabled", Boolean, nullable=False, default=False),
)

user_sites = Table(
    "user_sites",
    metadata,
    Column("user", String(64), ForeignKey("users.id"), primary_key=True),
    Column("site", String(64), ForeignKey("sites.id"), primary_key=True),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_sha256", LargeBinary(32), primary_key=True),
    Column("user", String(64), ForeignKey("users.id"), nullable=False, index=True),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
)

devices = Table(
    "devices",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("site", String(64), ForeignKey("sites.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("token_sha256", LargeBinary(32), nullable=False, unique=True),
    Column("disabled", Boolean, nullable=False, default=False),
)

one_time_codes = (
    Table(  # given out by an administrator: a device is paired with one, a person comes in with one
        "one_time_codes",
        metadata,
        Column("code_sha256", LargeBinary(32), primary_key=True),
        Column("kind", String(16), nullable=False),  # "device" or "user"
        Column("subject", String(64), nullable=False, index=True),  # id of the device or the user
        Column("created_at", Instant, nullable=False),
        Column("created_by", String(96), nullable=False),  # an actor
        Column("expires_at", Instant, nullable=False, index=True),
        Column("used_at", Instant),
        Column(
            "withdrawn_at", Instant
        ),  # a newer one of the same subject has taken its place, or it was taken back
    )
)

shifts = Table(
    "shifts",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("role", String(32), nullable=False),  # "first", "second", "head"
    Column("person", String(64), ForeignKey("users.id"), nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False, index=True),
    Column("site", String(64)),  # NULL: of the whole network
    Column("uid", String(255), index=True),  # of the calendar's event it came from; NULL: entered here
    Column(
        "occurrence", Instant
    ),  # which repeat of that event, by its first planned beginning; NULL: the only one
    Column("instead_of", String(64), index=True),  # the shift whose part it is since a swap
    Column("replaced_by", String(64)),  # not in force any more: the shift that was given away instead of it
)

roster_feeds = (
    Table(  # a person's own token for a calendar program, which can neither sign in nor send a cookie
        "roster_feeds",
        metadata,
        Column("user", String(64), ForeignKey("users.id"), primary_key=True),
        Column("token_sha256", LargeBinary(32), nullable=False, unique=True),
        Column("created_at", Instant, nullable=False),
    )
)
