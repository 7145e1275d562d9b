"""The schema as SQLAlchemy tables; migrations/ leads every older file to exactly this (a test compares them).

Devices and modules share one table, so that whatever belongs to either is deleted with it by its foreign key. A device
has the empty module id. JSON stands in text columns, instants are seconds since the epoch.
"""

from typing import Any, Final

from sqlalchemy import (
    DDL,
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
    event,
    text,
)

METADATA: Final = MetaData()


def _identity_columns() -> tuple[Column[str], Column[str]]:
    return Column("device_id", Text, nullable=False), Column("module_id", Text, nullable=False)


def _belongs_to_identity(table: str) -> ForeignKeyConstraint:
    ids, parent = ["device_id", "module_id"], ["identities.device_id", "identities.module_id"]
    return ForeignKeyConstraint(ids, parent, ondelete="CASCADE", name=f"fk_{table}_identity")


def _few(name: str, column: str, condition: str) -> Index:
    """An index that holds the few rows of which `condition` is true, for queries that ask for them."""
    return Index(name, column, sqlite_where=text(condition), postgresql_where=text(condition))


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
    Column("model_id", Text),
    PrimaryKeyConstraint("device_id", "module_id", name="pk_identities"),
    Index(
        "ix_identities_connected",
        "connected",
        sqlite_where=text("connected = 1"),
        postgresql_where=text("connected = 1"),
    ),
    _few("ix_identities_disabled", "status", "status = 'disabled'"),
    _few("ix_identities_edge", "edge_capable", "edge_capable = 1"),
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
    Column("configurations", Text),
    PrimaryKeyConstraint("device_id", "module_id", name="pk_twins"),
    _belongs_to_identity("twins"),
    Index(
        "ix_twins_configured",
        "device_id",
        "module_id",
        sqlite_where=text("configurations IS NOT NULL"),
        postgresql_where=text("configurations IS NOT NULL"),
    ),
)
"""`configurations` is null on a twin that no automatic configuration targets."""

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
"""`lock_owner` is set only under a lock that ends with a session. `due_at` is when somebody must look at the command:
its expiry while it waits, the end of the lock under a timed one, null under one without time limit."""

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

CONFIGURATIONS: Final = Table(
    "configurations",
    METADATA,
    Column("configuration_id", Text, primary_key=True),
    Column("etag", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("document", Text, nullable=False),
    Column("results", Text),
)
"""`document` is what callers wrote, `results` what the newest look at all twins found; both JSON."""

CONFIGURATION_PROGRESS: Final = Table(
    "configuration_progress",
    METADATA,
    Column("progress_id", Integer, primary_key=True, autoincrement=False),
    Column("document", Text, nullable=False),
)
"""One row while a look at all twins is under way."""

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

JOBS: Final = Table(
    "jobs",
    METADATA,
    Column("job_number", Integer, primary_key=True),
    Column("job_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("work", Text, nullable=False),
    Column("condition", Text, nullable=False),
    Column("creator", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("starts_at", Float, nullable=False),
    Column("max_execution_time", Float, nullable=False),
    Column("started_at", Float),
    Column("ended_at", Float),
    Column("error_code", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("total", Integer, nullable=False),
    Column("pending", Integer, nullable=False),
    Column("running", Integer, nullable=False),
    Column("succeeded", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("cancelled", Integer, nullable=False),
    Column("walked_to", Text),
    Column("collected", Integer, nullable=False),
    Column("due_at", Float),
    Column("settle_at", Float),
    Index("ix_jobs_job_id", "job_id", unique=True),
    Index("ix_jobs_kind", "kind", "job_number"),
    Index("ix_jobs_status", "status", "kind", "job_number"),
    Index("ix_jobs_due", "due_at"),
    Index("ix_jobs_settle", "settle_at"),
    Index("ix_jobs_ended", "ended_at"),
    sqlite_autoincrement=True,
)
"""`due_at` is the start of a job that has not started, else null. `settle_at` is the end of a job some of whose targets
may not have their end yet, else null. The counts are those of its targets by status."""

JOB_DEVICES: Final = Table(
    "job_devices",
    METADATA,
    Column("job_number", Integer, nullable=False),
    Column("device_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
    Column("started_at", Float),
    Column("ended_at", Float),
    Column("answer_status", Integer),
    Column("answer_payload", LargeBinary),
    Column("error_code", Text, nullable=False),
    Column("error", Text, nullable=False),
    PrimaryKeyConstraint("job_number", "device_id", name="pk_job_devices"),
    Index("ix_job_devices_status", "job_number", "status", "device_id"),
    Index("ix_job_devices_device", "device_id", "job_number"),
)
"""Not tied to the device: what a job did to it outlives it. `answer_payload` is JSON text; null where none was kept."""

DEVICE_COUNTS: Final = Table(
    "device_counts",
    METADATA,
    Column("counts_id", Integer, primary_key=True, autoincrement=False),
    Column("devices", Integer, nullable=False),
    Column("enabled", Integer, nullable=False),
)
"""One row, kept true by these triggers in each transaction that changes `identities`, whoever wrote it."""

for _trigger in (
    """CREATE TRIGGER count_created AFTER INSERT ON identities WHEN NEW.module_id = '' BEGIN
    UPDATE device_counts SET devices = devices + 1, enabled = enabled + (NEW.status = 'enabled'); END""",
    """CREATE TRIGGER count_deleted AFTER DELETE ON identities WHEN OLD.module_id = '' BEGIN
    UPDATE device_counts SET devices = devices - 1, enabled = enabled - (OLD.status = 'enabled'); END""",
    """CREATE TRIGGER count_enabled AFTER UPDATE OF status ON identities
    WHEN NEW.module_id = '' AND NEW.status <> OLD.status BEGIN
    UPDATE device_counts SET enabled = enabled + (NEW.status = 'enabled') - (OLD.status = 'enabled'); END""",
):
    event.listen(DEVICE_COUNTS, "after_create", DDL(_trigger))  # type: ignore[no-untyped-call]  # SQLAlchemy gives it no types

IMPORT_MARKS: Final = Table(
    "import_marks",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("at", Float, nullable=False),
    Column("data", Text, nullable=False),
    Index("ix_import_marks_at", "at"),
)
"""How far each import got, written in the transaction of the rows it tells of."""

TRANSFERS: Final = Table(
    "transfers",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("job_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("started_at", Float),
    Column("ended_at", Float),
    Column("progress", Integer, nullable=False),
    Column("failure", Text, nullable=False),
    Column("sealed_request", LargeBinary, nullable=False),
    Index("ix_transfers_job_id", "job_id", unique=True),
    Index("ix_transfers_ended_at", "ended_at"),
    sqlite_autoincrement=True,
)
"""Import and export jobs. A request holds links that open somebody's storage, so it is sealed."""

UPLOADS: Final = Table(
    "uploads",
    METADATA,
    Column("correlation_id", Text, primary_key=True),
    *_identity_columns(),
    Column("host", Text, nullable=False),
    Column("container", Text, nullable=False),
    Column("blob", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    _belongs_to_identity("uploads"),
    Index("ix_uploads_identity", "device_id", "module_id"),
    Index("ix_uploads_expiry", "expires_at"),
)

FILE_NOTIFICATIONS: Final = Table(
    "file_notifications",
    METADATA,
    Column("record_id", Integer, primary_key=True),
    *_identity_columns(),
    Column("blob", Text, nullable=False),
    Column("uri", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("modified_at", Float, nullable=False),
    Column("enqueued_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("delivery_count", Integer, nullable=False),
    Column("lock_token", Text),
    Column("locked_until", Float),
    Column("due_at", Float, nullable=False),
    Index("ix_file_notifications_lock", "lock_token"),
    Index("ix_file_notifications_due", "due_at"),
    sqlite_autoincrement=True,
)
"""Not tied to the identity: the file outlives its device. `due_at`: the expiry, or the end of the lock."""

BLOBS: Final = Table(
    "blobs",
    METADATA,
    Column("container", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("etag", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("modified_at", Float, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("content_md5", Text, nullable=False),
    Column("headers", Text, nullable=False),
    PrimaryKeyConstraint("container", "name", name="pk_blobs"),
    sqlite_with_rowid=False,
)

BLOB_CONTENTS: Final = Table(
    "blob_contents",
    METADATA,
    Column("content_id", Text, primary_key=True),
    Column("container", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("block_id", Text),
    Column("state", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("due_at", Float),
    Index("ix_blob_contents_blob", "container", "name", "state", "block_id"),
    Index("ix_blob_contents_due", "due_at"),
    Index(
        "ix_blob_contents_writing",
        "state",
        sqlite_where=text("state = 'writing'"),
        postgresql_where=text("state = 'writing'"),
    ),
)
"""One file each. `state`: writing, staged (waits as a block), committed (part of its blob), dropped. `due_at`: when the
file may go, null as long as it may not."""

BLOB_PIECES: Final = Table(
    "blob_pieces",
    METADATA,
    Column("container", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("content_id", Text, nullable=False),
    Column("block_id", Text),
    Column("size", Integer, nullable=False),
    PrimaryKeyConstraint("container", "name", "position", name="pk_blob_pieces"),
    sqlite_with_rowid=False,
)
"""What a blob is made of, in order; a block may stand in it more than once."""

BLOB_ACCOUNT: Final = Table(
    "blob_account",
    METADATA,
    Column("account_id", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("sealed_keys", LargeBinary, nullable=False),
)
"""One row: under which name and keys the hub's own blobs are reached."""

CONSUMER_GROUPS: Final = Table(
    "consumer_groups",
    METADATA,
    Column("position", Integer, primary_key=True),
    Column("name_key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Index("ix_consumer_groups_name_key", "name_key", unique=True),
)
"""What operators created; the default group is in none."""

Row = tuple[Any, ...]
