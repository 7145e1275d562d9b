"""Uploads, stored blobs and file notifications."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _uploads()
    _file_notifications()
    _blobs()
    _blob_contents()


def downgrade() -> None:
    """Nothing leads back."""
    raise NotImplementedError("restore a backup instead: an older hub refuses a newer database")


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=False)


def _number(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, nullable=False)


def _instant(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Float, nullable=False)


def _uploads() -> None:
    op.create_table(
        "uploads",
        sa.Column("correlation_id", sa.Text, primary_key=True),
        *map(_text, ("device_id", "module_id", "host", "container", "blob")),
        _instant("created_at"),
        _instant("expires_at"),
        sa.ForeignKeyConstraint(
            ["device_id", "module_id"],
            ["identities.device_id", "identities.module_id"],
            ondelete="CASCADE",
            name="fk_uploads_identity",
        ),
    )
    op.create_index("ix_uploads_identity", "uploads", ["device_id", "module_id"])
    op.create_index("ix_uploads_expiry", "uploads", ["expires_at"])


def _file_notifications() -> None:
    op.create_table(
        "file_notifications",
        sa.Column("record_id", sa.Integer, primary_key=True),
        *map(_text, ("device_id", "module_id", "blob", "uri")),
        _number("size"),
        *map(_instant, ("modified_at", "enqueued_at", "expires_at")),
        _number("delivery_count"),
        sa.Column("lock_token", sa.Text),
        sa.Column("locked_until", sa.Float),
        _instant("due_at"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_file_notifications_lock", "file_notifications", ["lock_token"])
    op.create_index("ix_file_notifications_due", "file_notifications", ["due_at"])


def _blobs() -> None:
    op.create_table(
        "blobs",
        _text("container"),
        _text("name"),
        _number("size"),
        _text("etag"),
        _instant("created_at"),
        _instant("modified_at"),
        *map(_text, ("content_type", "content_md5", "headers")),
        sa.PrimaryKeyConstraint("container", "name", name="pk_blobs"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "blob_pieces",
        _text("container"),
        _text("name"),
        _number("position"),
        _text("content_id"),
        sa.Column("block_id", sa.Text),
        _number("size"),
        sa.PrimaryKeyConstraint("container", "name", "position", name="pk_blob_pieces"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "blob_account",
        sa.Column("account_id", sa.Integer, primary_key=True, autoincrement=False),
        _text("name"),
        sa.Column("sealed_keys", sa.LargeBinary, nullable=False),
    )


def _blob_contents() -> None:
    op.create_table(
        "blob_contents",
        sa.Column("content_id", sa.Text, primary_key=True),
        _text("container"),
        _text("name"),
        sa.Column("block_id", sa.Text),
        _text("state"),
        _number("size"),
        sa.Column("due_at", sa.Float),
    )
    op.create_index("ix_blob_contents_blob", "blob_contents", ["container", "name", "state", "block_id"])
    op.create_index("ix_blob_contents_due", "blob_contents", ["due_at"])
    writing = sa.text("state = 'writing'")
    op.create_index(
        "ix_blob_contents_writing", "blob_contents", ["state"], sqlite_where=writing, postgresql_where=writing
    )
