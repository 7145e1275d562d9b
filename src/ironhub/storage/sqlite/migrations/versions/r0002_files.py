"""Uploads, stored blobs and file notifications."""

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""


def downgrade() -> None:
    """Nothing leads back."""
    raise NotImplementedError("restore a backup instead: an older hub refuses a newer database")
