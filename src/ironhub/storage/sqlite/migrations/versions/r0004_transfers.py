"""Import and export jobs, how far each import got, and how many devices there are."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TRIGGERS = (
    """CREATE TRIGGER count_created AFTER INSERT ON identities WHEN NEW.module_id = '' BEGIN
    UPDATE device_counts SET devices = devices + 1, enabled = enabled + (NEW.status = 'enabled'); END""",
    """CREATE TRIGGER count_deleted AFTER DELETE ON identities WHEN OLD.module_id = '' BEGIN
    UPDATE device_counts SET devices = devices - 1, enabled = enabled - (OLD.status = 'enabled'); END""",
    """CREATE TRIGGER count_enabled AFTER UPDATE OF status ON identities
    WHEN NEW.module_id = '' AND NEW.status <> OLD.status BEGIN
    UPDATE device_counts SET enabled = enabled + (NEW.status = 'enabled') - (OLD.status = 'enabled'); END""",
)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "device_counts",
        sa.Column("counts_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("devices", sa.Integer, nullable=False),
        sa.Column("enabled", sa.Integer, nullable=False),
    )
    op.execute(
        "INSERT INTO device_counts (counts_id, devices, enabled) "
        "SELECT 1, COUNT(*), COUNT(CASE WHEN status = 'enabled' THEN 1 END) FROM identities WHERE module_id = ''"
    )
    for trigger in _TRIGGERS:
        op.execute(trigger)
    _imports()
    _transfers()


def downgrade() -> None:
    """Nothing leads back."""
    raise NotImplementedError("restore a backup instead: an older hub refuses a newer database")


def _imports() -> None:
    op.create_table(
        "import_marks",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
    )
    op.create_index("ix_import_marks_at", "import_marks", ["at"])


def _transfers() -> None:
    op.create_table(
        "transfers",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("started_at", sa.Float),
        sa.Column("ended_at", sa.Float),
        sa.Column("progress", sa.Integer, nullable=False),
        sa.Column("failure", sa.Text, nullable=False),
        sa.Column("sealed_request", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_transfers_job_id", "transfers", ["job_id"], unique=True)
    op.create_index("ix_transfers_ended_at", "transfers", ["ended_at"])
