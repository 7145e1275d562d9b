"""Automatic device configurations."""

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""


def downgrade() -> None:
    """Nothing leads back."""
    raise NotImplementedError("restore a backup instead: an older hub refuses a newer database")
