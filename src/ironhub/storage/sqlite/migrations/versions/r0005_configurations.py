"""Automatic device configurations, which of them each twin has, and the model that each device announced."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "configurations",
        sa.Column("configuration_id", sa.Text, primary_key=True),
        sa.Column("etag", sa.Text, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("updated_at", sa.Float, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("results", sa.Text),
    )
    op.create_table(
        "configuration_progress",
        sa.Column("progress_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.add_column("identities", sa.Column("model_id", sa.Text))
    op.add_column("twins", sa.Column("configurations", sa.Text))
    configured = sa.text("configurations IS NOT NULL")
    op.create_index(
        "ix_twins_configured",
        "twins",
        ["device_id", "module_id"],
        sqlite_where=configured,
        postgresql_where=configured,
    )


def downgrade() -> None:
    """Nothing leads back."""
    raise NotImplementedError("restore a backup instead: an older hub refuses a newer database")
