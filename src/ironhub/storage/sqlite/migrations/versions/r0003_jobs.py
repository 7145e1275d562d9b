"""Scheduled jobs and what became of each device."""

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""


def downgrade() -> None:
    """Nothing leads back."""
    raise NotImplementedError("restore a backup instead: an older hub refuses a newer database")
