"""What makes queries over devices and twins fast: indexes that hold the few devices that are often asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the indexes."""
    _partial("ix_identities_disabled", "status", "status = 'disabled'")
    _partial("ix_identities_edge", "edge_capable", "edge_capable = 1")


def downgrade() -> None:
    """Nothing leads back."""
    raise NotImplementedError("restore a backup instead: an older hub refuses a newer database")


def _partial(name: str, column: str, condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, "identities", [column], sqlite_where=where, postgresql_where=where)
