"""The first schema: identities and all that belongs to one, policies, authorities, facts, data keys."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make all tables."""
    _identities()
    _twins()
    _commands()
    _feedback()
    _sessions()
    _tables_of_the_hub()


def downgrade() -> None:
    """There is nothing before it."""
    raise NotImplementedError("restore a backup instead: an older hub refuses a newer database")


def _ids() -> tuple[sa.Column[Any], sa.Column[Any]]:
    return _text("device_id"), _text("module_id")


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=False)


def _number(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, nullable=False)


def _instant(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Float, nullable=False)


def _identity_key(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["device_id", "module_id"],
        ["identities.device_id", "identities.module_id"],
        ondelete="CASCADE",
        name=f"fk_{table}_identity",
    )


def _identities() -> None:
    op.create_table(
        "identities",
        *_ids(),
        _text("generation_id"),
        _text("etag"),
        _text("credential_kind"),
        sa.Column("sealed_keys", sa.LargeBinary),
        sa.Column("primary_thumbprint", sa.Text),
        sa.Column("secondary_thumbprint", sa.Text),
        _instant("created_at"),
        _text("status"),
        sa.Column("status_reason", sa.Text),
        sa.Column("status_changed_at", sa.Float),
        _number("edge_capable"),
        sa.Column("scope", sa.Text),
        _text("parent_scopes"),
        sa.Column("managed_by", sa.Text),
        _number("connected"),
        sa.Column("presence_changed_at", sa.Float),
        sa.Column("last_activity_at", sa.Float),
        sa.PrimaryKeyConstraint("device_id", "module_id", name="pk_identities"),
        sqlite_with_rowid=False,
    )
    online = sa.text("connected = 1")
    op.create_index(
        "ix_identities_connected", "identities", ["connected"], sqlite_where=online, postgresql_where=online
    )


def _twins() -> None:
    op.create_table(
        "twins",
        *_ids(),
        _number("version"),
        _number("etag_counter"),
        _text("tags"),
        _number("desired_version"),
        _text("desired"),
        _text("desired_metadata"),
        _number("reported_version"),
        _text("reported"),
        _text("reported_metadata"),
        sa.PrimaryKeyConstraint("device_id", "module_id", name="pk_twins"),
        _identity_key("twins"),
    )


def _commands() -> None:
    op.create_table(
        "commands",
        sa.Column("sequence_number", sa.Integer, primary_key=True),
        *_ids(),
        _text("message_id"),
        sa.Column("body", sa.LargeBinary, nullable=False),
        _instant("enqueued_at"),
        _instant("expires_at"),
        _text("ack"),
        _text("correlation_id"),
        _text("user_id"),
        _text("content_type"),
        _text("content_encoding"),
        _text("properties"),
        _number("delivery_count"),
        sa.Column("lock_token", sa.Text),
        sa.Column("lock_owner", sa.Text),
        sa.Column("locked_until", sa.Float),
        sa.Column("due_at", sa.Float),
        _identity_key("commands"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_commands_queue", "commands", ["device_id", "module_id", "sequence_number"])
    op.create_index("ix_commands_due", "commands", ["due_at"])
    op.create_index("ix_commands_owner", "commands", ["lock_owner"])


def _feedback() -> None:
    op.create_table(
        "feedback",
        sa.Column("record_id", sa.Integer, primary_key=True),
        *_ids(),
        _text("generation_id"),
        _text("message_id"),
        _text("outcome"),
        _instant("at"),
        _instant("expires_at"),
        _identity_key("feedback"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_feedback_identity", "feedback", ["device_id", "module_id"])
    op.create_index("ix_feedback_expiry", "feedback", ["expires_at"])


def _sessions() -> None:
    op.create_table(
        "sessions",
        *_ids(),
        _text("subscriptions"),
        sa.PrimaryKeyConstraint("device_id", "module_id", name="pk_sessions"),
        _identity_key("sessions"),
    )


def _tables_of_the_hub() -> None:
    op.create_table(
        "policies",
        sa.Column("position", sa.Integer, primary_key=True),
        _text("name_key"),
        _text("name"),
        sa.Column("sealed_keys", sa.LargeBinary, nullable=False),
        _text("rights"),
    )
    op.create_index("ix_policies_name_key", "policies", ["name_key"], unique=True)
    op.create_table(
        "authorities",
        sa.Column("name", sa.Text, primary_key=True),
        _text("sha256_thumbprint"),
        sa.Column("certificate", sa.LargeBinary, nullable=False),
        _text("verification_code"),
        _instant("created_at"),
        _text("etag"),
        _number("verified"),
        sa.Column("revocation_list", sa.LargeBinary),
    )
    op.create_index("ix_authorities_thumbprint", "authorities", ["sha256_thumbprint"], unique=True)
    op.create_table(
        "outbox",
        sa.Column("fact_id", sa.Integer, primary_key=True),
        _text("kind"),
        *_ids(),
        _instant("at"),
        _text("data"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "data_keys",
        sa.Column("key_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "probes",
        sa.Column("probe_id", sa.Integer, primary_key=True, autoincrement=False),
        _number("times"),
    )
    op.execute("INSERT INTO probes (probe_id, times) VALUES (1, 0)")
