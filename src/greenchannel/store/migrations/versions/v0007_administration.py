"""What administrators enter: a site's town and fallback number, codes that are good once."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Two columns of the sites, one table."""
    for name in ("town", "fallback_phone"):
        op.add_column("sites", sa.Column(name, sa.Text(), nullable=True))
    op.create_table(
        "one_time_codes",
        sa.Column("code_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=96), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("code_sha256"),
    )
    op.create_index(op.f("ix_one_time_codes_subject"), "one_time_codes", ["subject"], unique=False)
    op.create_index(op.f("ix_one_time_codes_expires_at"), "one_time_codes", ["expires_at"], unique=False)
