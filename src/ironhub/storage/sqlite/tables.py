"""The schema as SQLAlchemy tables; migrations/ leads every older file to exactly this (a test compares them).

Devices and modules share one table, so that whatever belongs to either is deleted with it by its foreign key. A device
has the empty module id. JSON stands in text columns, instants are seconds since the epoch.
"""

from typing import Any, Final

from sqlalchemy import (
    Column,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

METADATA: Final = MetaData()


def _identity_columns() -> tuple[Column[str], Column[str]]:
    return Column("device_id", Text, nullable=False), Column("module_id", Text, nullable=False)


def _belongs_to_identity(table: str) -> ForeignKeyConstraint:
    ids, parent = ["device_id", "module_id"], ["identities.device_id", "identities.module_id"]
    return ForeignKeyConstraint(ids, parent, ondelete="CASCADE", name=f"fk_{table}_identity")


IDENTITIES: Final = Table(
    "identities",
    METADATA,
    *_identity_columns(),
    Column("generation_id", Text, nullable=False),
    Column("etag", Text, nullable=False),
    Column("credential_kind", Text, nullable=False),
    Column("sealed_keys", LargeBinary),
    Column("primary_thumbprint", Text),
    Column("secondary_thumbprint", Text),
    Column("created_at", Float, nullable=False),
    Column("status", Text, nullable=False),
    Column("status_reason", Text),
    Column("status_changed_at", Float),
    Column("edge_capable", Integer, nullable=False),
    Column("scope", Text),
    Column("parent_scopes", Text, nullable=False),
    Column("managed_by", Text),
    Column("connected", Integer, nullable=False),
    Column("presence_changed_at", Float),
    Column("last_activity_at", Float),
    PrimaryKeyConstraint("device_id", "module_id", name="pk_identities"),
    Index(
        "ix_identities_connected",
        "connected",
        sqlite_where=text("connected = 1"),
        postgresql_where=text("connected = 1"),
    ),
    sqlite_with_rowid=False,
)

TWINS: Final = Table(
    "twins",
    METADATA,
    *_identity_columns(),
    Column("version", Integer, nullable=False),
    Column("etag_counter", Integer, nullable=False),
    Column("tags", Text, nullable=False),
    Column("desired_version", Integer, nullable=False),
    Column("desired", Text, nullable=False),
    Column("desired_metadata", Text, nullable=False),
    Column("reported_version", Integer, nullable=False),
    Column("reported", Text, nullable=False),
    Column("reported_metadata", Text, nullable=False),
    PrimaryKeyConstraint("device_id", "module_id", name="pk_twins"),
    _belongs_to_identity("twins"),
)

COMMANDS: Final = Table(
    "commands",
    METADATA,
    Column("sequence_number", Integer, primary_key=True),
    *_identity_columns(),
    Column("message_id", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("enqueued_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("ack", Text, nullable=False),
    Column("correlation_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("content_encoding", Text, nullable=False),
    Column("properties", Text, nullable=False),
    Column("delivery_count", Integer, nullable=False),
    Column("lock_token", Text),
    Column("lock_owner", Text),
    Column("locked_until", Float),
    Column("due_at", Float),
    _belongs_to_identity("commands"),
    Index("ix_commands_queue", "device_id", "module_id", "sequence_number"),
    Index("ix_commands_due", "due_at"),
    Index("ix_commands_owner", "lock_owner"),
    sqlite_autoincrement=True,
)
"""`lock_owner` is set only under a lock without time limit. `due_at` is when somebody must look at the command: its
expiry while it waits, the end of the lock under a timed one, null under one without time limit."""

FEEDBACK: Final = Table(
    "feedback",
    METADATA,
    Column("record_id", Integer, primary_key=True),
    *_identity_columns(),
    Column("generation_id", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    _belongs_to_identity("feedback"),
    Index("ix_feedback_identity", "device_id", "module_id"),
    Index("ix_feedback_expiry", "expires_at"),
    sqlite_autoincrement=True,
)

SESSIONS: Final = Table(
    "sessions",
    METADATA,
    *_identity_columns(),
    Column("subscriptions", Text, nullable=False),
    PrimaryKeyConstraint("device_id", "module_id", name="pk_sessions"),
    _belongs_to_identity("sessions"),
)

POLICIES: Final = Table(
    "policies",
    METADATA,
    Column("position", Integer, primary_key=True),
    Column("name_key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("sealed_keys", LargeBinary, nullable=False),
    Column("rights", Text, nullable=False),
    Index("ix_policies_name_key", "name_key", unique=True),
)

AUTHORITIES: Final = Table(
    "authorities",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("sha256_thumbprint", Text, nullable=False),
    Column("certificate", LargeBinary, nullable=False),
    Column("verification_code", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("etag", Text, nullable=False),
    Column("verified", Integer, nullable=False),
    Column("revocation_list", LargeBinary),
    Index("ix_authorities_thumbprint", "sha256_thumbprint", unique=True),
)

OUTBOX: Final = Table(
    "outbox",
    METADATA,
    Column("fact_id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    *_identity_columns(),
    Column("at", Float, nullable=False),
    Column("data", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""Not tied to the identity: the fact that a device was deleted outlives it."""

DATA_KEYS: Final = Table(
    "data_keys",
    METADATA,
    Column("key_id", Integer, primary_key=True, autoincrement=False),
    Column("wrapped", LargeBinary, nullable=False),
)

PROBES: Final = Table(
    "probes",
    METADATA,
    Column("probe_id", Integer, primary_key=True, autoincrement=False),
    Column("times", Integer, nullable=False),
)
"""One row that is written to find out whether the disk takes writes again."""

Row = tuple[Any, ...]
