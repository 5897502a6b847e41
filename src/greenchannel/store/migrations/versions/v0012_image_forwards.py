"""Images that are sent on: what waits, what was taken, what was refused."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """One table, and an index by which new objects are found."""
    op.create_table(
        "image_forwards",
        sa.Column("destination", sa.String(length=64), nullable=False),
        sa.Column("sop_uid", sa.String(length=64), nullable=False),
        sa.Column("study_uid", sa.String(length=64), nullable=False),
        sa.Column("patient", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("receipt", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("destination", "sop_uid"),
    )
    for column in ("study_uid", "patient"):
        op.create_index(op.f(f"ix_image_forwards_{column}"), "image_forwards", [column], unique=False)
    op.create_index(
        "ix_image_forwards_destination_state_next_at",
        "image_forwards",
        ["destination", "state", "next_at"],
        unique=False,
    )
    op.create_index("ix_image_studies_last_at", "image_studies", ["last_at"], unique=False)
