"""Images that are asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """One table."""
    op.create_table(
        "image_orders",
        sa.Column("accession", sa.String(length=16), nullable=False),
        sa.Column("accession_mac", sa.LargeBinary(length=16), nullable=False),
        sa.Column("study_uid", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("patient", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("ordered_at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=96), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("accession"),
        sa.UniqueConstraint("study_uid"),
    )
    for column in ("case_id", "patient"):
        op.create_index(op.f(f"ix_image_orders_{column}"), "image_orders", [column], unique=False)
    op.create_index(
        "ix_image_orders_site_state_ordered_at", "image_orders", ["site", "state", "ordered_at"], unique=False
    )
