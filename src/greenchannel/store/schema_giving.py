"""Tables of images that are sent on, of those that are asked for, and of what is still to be done for others."""

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table

from greenchannel.store.schema import Instant, metadata

image_forwards = Table(  # what is to be sent on to a hospital's archive, and what became of it
    "image_forwards",
    metadata,
    Column("destination", String(64), primary_key=True),
    Column("sop_uid", String(64), primary_key=True),
    Column("study_uid", String(64), nullable=False, index=True),
    Column("patient", String(64), nullable=False, index=True),
    Column("state", String(16), nullable=False),  # "waiting", "sent", "refused"
    Column("attempts", Integer, nullable=False),
    Column("next_at", Instant, nullable=False),  # not before
    Column("reason", String(200)),  # why the newest attempt failed
    Column("receipt", String(64)),  # what the other side answered
    Column("created_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Index("ix_image_forwards_destination_state_next_at", "destination", "state", "next_at"),
)

image_orders = Table(  # which images are asked for: the worklist of the van and of the X-ray room
    "image_orders",
    metadata,
    Column("accession", String(16), primary_key=True),
    Column("accession_mac", LargeBinary(16), nullable=False),
    Column("study_uid", String(64), nullable=False, unique=True),
    Column("site", String(64), nullable=False),
    Column("case_id", String(64), nullable=False, index=True),
    Column("patient", String(64), nullable=False, index=True),
    Column("state", String(16), nullable=False),  # "ordered", "cancelled"
    Column("ordered_at", Instant, nullable=False),
    Column("actor", String(96), nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # who, what and why, as JSON
    Index("ix_image_orders_site_state_ordered_at", "site", "state", "ordered_at"),
)

image_chores = Table(  # what is to be done soon and outside a command; a row is there until it is done
    "image_chores",
    metadata,
    Column("id", String(160), primary_key=True),
    Column("kind", String(16), nullable=False),  # "report", "commitment"
    Column("patient", String(64), index=True),  # NULL: of several, or of none
    Column("attempts", Integer, nullable=False),  # that have ended
    Column("next_at", Instant, nullable=False),  # not before
    Column("created_at", Instant, nullable=False),
    Column("payload", LargeBinary, nullable=False),  # as JSON; names nobody
    Index("ix_image_chores_kind_next_at", "kind", "next_at"),
)

ecg_objects = (
    Table(  # under which identifier an ECG came that is a DICOM object: what its bytes say, once read
        "ecg_objects",
        metadata,
        Column("ecg_id", String(64), primary_key=True),
        Column("sop_uid", String(64), index=True),  # NULL: it is no DICOM object
        Column("sop_class", String(64)),
    )
)
