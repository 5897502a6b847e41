"""By which an ECG is found again."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """One table."""
    op.create_table(
        "ecg_prints",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("ecg_id", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("patient", sa.String(length=64), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("print", sa.LargeBinary(), nullable=False),
        sa.Column("shape", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("ecg_id"),
        sqlite_autoincrement=True,  # no id is given twice
    )
    op.create_index("ix_ecg_prints_site_received_at", "ecg_prints", ["site", "received_at"], unique=False)
    op.create_index(op.f("ix_ecg_prints_patient"), "ecg_prints", ["patient"], unique=False)
