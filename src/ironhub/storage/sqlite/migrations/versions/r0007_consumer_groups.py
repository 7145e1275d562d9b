"""Consumer groups of the built-in endpoint."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "consumer_groups",
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("name_key", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_index("ix_consumer_groups_name_key", "consumer_groups", ["name_key"], unique=True)


def downgrade() -> None:
    """Nothing leads back."""
    raise NotImplementedError("restore a backup instead: an older hub refuses a newer database")
