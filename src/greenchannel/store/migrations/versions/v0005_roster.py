"""Shifts of single sites, from calendars, and swapped; tokens for calendar programs."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Five columns, all unknown for the shifts that are there: these stay the network's, and in force."""
    op.add_column("shifts", sa.Column("site", sa.String(length=64), nullable=True))
    op.add_column("shifts", sa.Column("uid", sa.String(length=255), nullable=True))
    op.add_column("shifts", sa.Column("occurrence", sa.BigInteger(), nullable=True))
    op.add_column("shifts", sa.Column("instead_of", sa.String(length=64), nullable=True))
    op.add_column("shifts", sa.Column("replaced_by", sa.String(length=64), nullable=True))
    op.create_index(op.f("ix_shifts_ends_at"), "shifts", ["ends_at"], unique=False)
    op.create_index(op.f("ix_shifts_instead_of"), "shifts", ["instead_of"], unique=False)
    op.create_index(op.f("ix_shifts_uid"), "shifts", ["uid"], unique=False)
    op.create_table(
        "roster_feeds",
        sa.Column("user", sa.String(length=64), nullable=False),
        sa.Column("token_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user"], ["users.id"]),
        sa.PrimaryKeyConstraint("user"),
        sa.UniqueConstraint("token_sha256"),
    )
