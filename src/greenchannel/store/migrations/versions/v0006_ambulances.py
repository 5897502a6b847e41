"""Where sites are, and where ambulances were."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Three columns of the sites, two tables."""
    for name in ("lat", "lon", "radius_m"):
        op.add_column("sites", sa.Column(name, sa.Float(), nullable=True))
    op.create_table(
        "ambulance_devices",
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("bound_at", sa.BigInteger(), nullable=False),
        sa.Column("bound_by", sa.String(length=96), nullable=False),
        sa.PrimaryKeyConstraint("device"),
    )
    op.create_index(op.f("ix_ambulance_devices_case_id"), "ambulance_devices", ["case_id"], unique=False)
    op.create_table(
        "ambulance_positions",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=96), nullable=False),
        sa.Column("raw_at", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("lon", sa.Float(), nullable=False),
        sa.Column("accuracy_m", sa.Float(), nullable=True),
        sa.Column("offset_s", sa.Float(), nullable=True),
        sa.Column("uncertainty_s", sa.Float(), nullable=True),
        sa.Column("unused", sa.String(length=16), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("case_id", "source", "raw_at", name="uq_ambulance_positions_case_source_raw_at"),
    )
    op.create_index(
        op.f("ix_ambulance_positions_received_at"), "ambulance_positions", ["received_at"], unique=False
    )
