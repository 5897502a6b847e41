"""Reports of ours as objects of their study, what is still to be done for others, and under which name ECGs came."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0013"


def upgrade() -> None:
    """Two tables, and two columns that tell our own objects from those that came."""
    op.create_table(
        "image_chores",
        sa.Column("id", sa.String(length=160), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("patient", sa.String(length=64), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_image_chores_patient"), "image_chores", ["patient"], unique=False)
    op.create_index("ix_image_chores_kind_next_at", "image_chores", ["kind", "next_at"], unique=False)
    op.add_column("image_studies", sa.Column("made_here", sa.Integer(), nullable=False, server_default="0"))
    op.add_column(
        "image_instances", sa.Column("made_here", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_table(
        "ecg_objects",
        sa.Column("ecg_id", sa.String(length=64), nullable=False),
        sa.Column("sop_uid", sa.String(length=64), nullable=True),
        sa.Column("sop_class", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("ecg_id"),
    )
    op.create_index(op.f("ix_ecg_objects_sop_uid"), "ecg_objects", ["sop_uid"], unique=False)
