"""The list of critical values by which a site is read, where an administrator has chosen one."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """One column of the sites."""
    op.add_column("sites", sa.Column("critical_list", sa.String(length=64), nullable=True))
