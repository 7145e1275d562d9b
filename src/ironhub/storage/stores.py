"""All stores of one hub, whatever keeps them."""

from dataclasses import dataclass

from ironhub.access.ports import PolicyStore
from ironhub.identity.ports import AuthoritySource
from ironhub.messaging.commands.ports import CommandStore
from ironhub.messaging.files.ports import BlobIndex, UploadStore
from ironhub.messaging.jobs.ports import JobStore
from ironhub.messaging.sessions.ports import SessionStore
from ironhub.messaging.telemetry.ports import ConsumerGroupStore, Outbox
from ironhub.pki.ports import AuthorityStore
from ironhub.provisioning.bulk.ports import BulkStore
from ironhub.provisioning.transfer.ports import TransferStore
from ironhub.registry.ports import DeviceStore
from ironhub.twins.configurations.ports import ConfigurationStore
from ironhub.twins.ports import TwinStore
from ironhub.twins.queries.ports import QueryStore


@dataclass(frozen=True, slots=True)
class Stores:
    """One of each; they share their transactions, so a device deleted in one is gone in all."""

    devices: DeviceStore
    twins: TwinStore
    queries: QueryStore
    configurations: ConfigurationStore
    commands: CommandStore
    sessions: SessionStore
    bulk: BulkStore
    transfers: TransferStore
    policies: PolicyStore
    authorities: AuthorityStore
    authority_source: AuthoritySource
    """The same registered authorities, as the gate sees them."""
    outbox: Outbox
    uploads: UploadStore
    blobs: BlobIndex
    jobs: JobStore
    consumer_groups: ConsumerGroupStore
