"""All stores of one hub over one database file."""

from ironhub.core.clock import Entropy
from ironhub.core.sealing import Sealer
from ironhub.identity.model import KnownIdentity
from ironhub.storage.feedback import FEEDBACK_TTL
from ironhub.storage.sqlite.authorities import SqliteAuthorityStore
from ironhub.storage.sqlite.blobs import SqliteBlobIndex
from ironhub.storage.sqlite.bulk import SqliteBulkStore
from ironhub.storage.sqlite.commands import SqliteCommandStore
from ironhub.storage.sqlite.configurations import SqliteConfigurationStore
from ironhub.storage.sqlite.consumer_groups import SqliteConsumerGroupStore
from ironhub.storage.sqlite.database import Database
from ironhub.storage.sqlite.devices import SqliteDeviceStore
from ironhub.storage.sqlite.identity_cache import IdentityCache
from ironhub.storage.sqlite.jobs import SqliteJobStore
from ironhub.storage.sqlite.outbox import SqliteOutbox
from ironhub.storage.sqlite.policies import SqlitePolicyStore
from ironhub.storage.sqlite.queries.store import SqliteQueryStore
from ironhub.storage.sqlite.sessions import Remembered, SqliteSessionStore
from ironhub.storage.sqlite.transfers import SqliteTransferStore
from ironhub.storage.sqlite.twins import SqliteTwinStore
from ironhub.storage.sqlite.uploads import SqliteUploadStore
from ironhub.storage.stores import Stores


def sqlite_stores(
    database: Database, sealer: Sealer, entropy: Entropy, *, feedback_ttl: float = FEEDBACK_TTL
) -> Stores:
    """Return the stores over `database`; make one set of them per process: each caches what it read.

    Args:
        sealer: over the database's own data keys (`storage.keys.open_sealer`).
        entropy: for lock tokens.
        feedback_ttl: seconds a feedback record is kept.
    """
    authorities = SqliteAuthorityStore(database)
    sessions: IdentityCache[Remembered] = IdentityCache()
    known: IdentityCache[KnownIdentity] = IdentityCache()
    return Stores(
        devices=SqliteDeviceStore(database, sealer, known, sessions_cache=sessions),
        twins=SqliteTwinStore(database),
        queries=SqliteQueryStore(database),
        configurations=SqliteConfigurationStore(database),
        commands=SqliteCommandStore(database, entropy, feedback_ttl=feedback_ttl),
        sessions=SqliteSessionStore(database, sessions),
        bulk=SqliteBulkStore(database, sealer, (known, sessions)),
        transfers=SqliteTransferStore(database, sealer),
        policies=SqlitePolicyStore(database, sealer),
        authorities=authorities,
        authority_source=authorities,
        outbox=SqliteOutbox(database),
        uploads=SqliteUploadStore(database, sealer, entropy),
        blobs=SqliteBlobIndex(database),
        jobs=SqliteJobStore(database),
        consumer_groups=SqliteConsumerGroupStore(database),
    )
