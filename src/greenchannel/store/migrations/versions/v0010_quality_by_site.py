"""The records of one site are found without reading those of all."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """One index."""
    op.create_index("ix_quality_records_site_began_at", "quality_records", ["site", "began_at"], unique=False)
