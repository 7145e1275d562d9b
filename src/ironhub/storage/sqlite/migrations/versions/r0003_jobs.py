"""Scheduled jobs and what became of each device."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _jobs()
    _job_devices()


def downgrade() -> None:
    """Nothing leads back."""
    raise NotImplementedError("restore a backup instead: an older hub refuses a newer database")


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=False)


def _number(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, nullable=False)


def _instant(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Float, nullable=False)


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("job_number", sa.Integer, primary_key=True),
        *map(_text, ("job_id", "kind", "status", "work", "condition", "creator")),
        *map(_instant, ("created_at", "starts_at", "max_execution_time")),
        sa.Column("started_at", sa.Float),
        sa.Column("ended_at", sa.Float),
        *map(_text, ("error_code", "reason")),
        *map(_number, ("total", "pending", "running", "succeeded", "failed", "cancelled")),
        sa.Column("walked_to", sa.Text),
        _number("collected"),
        sa.Column("due_at", sa.Float),
        sa.Column("settle_at", sa.Float),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_jobs_job_id", "jobs", ["job_id"], unique=True)
    op.create_index("ix_jobs_kind", "jobs", ["kind", "job_number"])
    op.create_index("ix_jobs_status", "jobs", ["status", "kind", "job_number"])
    op.create_index("ix_jobs_due", "jobs", ["due_at"])
    op.create_index("ix_jobs_settle", "jobs", ["settle_at"])
    op.create_index("ix_jobs_ended", "jobs", ["ended_at"])


def _job_devices() -> None:
    op.create_table(
        "job_devices",
        _number("job_number"),
        *map(_text, ("device_id", "status")),
        *map(_instant, ("created_at", "updated_at")),
        sa.Column("started_at", sa.Float),
        sa.Column("ended_at", sa.Float),
        sa.Column("answer_status", sa.Integer),
        sa.Column("answer_payload", sa.LargeBinary),
        *map(_text, ("error_code", "error")),
        sa.PrimaryKeyConstraint("job_number", "device_id", name="pk_job_devices"),
    )
    op.create_index("ix_job_devices_status", "job_devices", ["job_number", "status", "device_id"])
    op.create_index("ix_job_devices_device", "job_devices", ["device_id", "job_number"])
