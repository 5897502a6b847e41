"""Images: studies, series, objects, and the words by which patients are found among them."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Four tables."""
    op.create_table(
        "image_studies",
        sa.Column("study_uid", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("patient", sa.String(length=64), nullable=False),
        sa.Column("study_date", sa.String(length=8), nullable=True),
        sa.Column("study_time", sa.String(length=16), nullable=True),
        sa.Column("study_at", sa.BigInteger(), nullable=True),
        sa.Column("modalities", sa.Text(), nullable=False),
        sa.Column("number_mac", sa.LargeBinary(length=16), nullable=True),
        sa.Column("accession_mac", sa.LargeBinary(length=16), nullable=True),
        sa.Column("instances", sa.Integer(), nullable=False),
        sa.Column("expected", sa.Integer(), nullable=True),
        sa.Column("expected_by", sa.String(length=16), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=96), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("study_uid"),
    )
    for column in ("case_id", "patient", "accession_mac", "received_at"):
        op.create_index(op.f(f"ix_image_studies_{column}"), "image_studies", [column], unique=False)
    op.create_index("ix_image_studies_site_study_date", "image_studies", ["site", "study_date"], unique=False)
    op.create_index("ix_image_studies_study_date", "image_studies", ["study_date"], unique=False)
    op.create_index("ix_image_studies_number_mac", "image_studies", ["number_mac"], unique=False)
    op.create_index("ix_image_studies_state_last_at", "image_studies", ["state", "last_at"], unique=False)
    op.create_table(
        "image_series",
        sa.Column("study_uid", sa.String(length=64), nullable=False),
        sa.Column("series_uid", sa.String(length=64), nullable=False),
        sa.Column("patient", sa.String(length=64), nullable=False),
        sa.Column("modality", sa.String(length=16), nullable=True),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("body_part", sa.String(length=64), nullable=True),
        sa.Column("instances", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("study_uid", "series_uid"),
    )
    op.create_index(op.f("ix_image_series_patient"), "image_series", ["patient"], unique=False)
    op.create_index("ix_image_series_series_uid", "image_series", ["series_uid"], unique=False)
    op.create_index(
        "ix_image_series_modality_study_uid", "image_series", ["modality", "study_uid"], unique=False
    )
    op.create_table(
        "image_instances",
        sa.Column("sop_uid", sa.String(length=64), nullable=False),
        sa.Column("study_uid", sa.String(length=64), nullable=False),
        sa.Column("series_uid", sa.String(length=64), nullable=False),
        sa.Column("patient", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("sop_class", sa.String(length=64), nullable=False),
        sa.Column("transfer_syntax", sa.String(length=64), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("facts", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sop_uid"),
    )
    op.create_index(op.f("ix_image_instances_patient"), "image_instances", ["patient"], unique=False)
    op.create_index(
        "ix_image_instances_study_uid_series_uid",
        "image_instances",
        ["study_uid", "series_uid"],
        unique=False,
    )
    op.create_table(
        "image_names",
        sa.Column("mac", sa.LargeBinary(length=16), nullable=False),
        sa.Column("patient", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("mac", "patient"),
    )
    op.create_index(op.f("ix_image_names_patient"), "image_names", ["patient"], unique=False)
