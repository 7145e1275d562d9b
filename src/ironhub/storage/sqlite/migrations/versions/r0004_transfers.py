"""Import and export jobs."""

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""


def downgrade() -> None:
    """Nothing leads back."""
    raise NotImplementedError("restore a backup instead: an older hub refuses a newer database")
