"""What the admin API needs of a hub. `app` fills it in."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from ironhub.access.policies import PolicyService
from ironhub.core.clock import Clock
from ironhub.identity.links import BlobAccount
from ironhub.messaging.commands.service import CommandService
from ironhub.messaging.files.keeper import BlobKeeper
from ironhub.messaging.files.service import UploadService
from ironhub.messaging.jobs.service import JobService
from ironhub.messaging.methods.service import MethodService
from ironhub.messaging.sessions.service import LiveSessions
from ironhub.messaging.telemetry.consumers import Consumers
from ironhub.messaging.telemetry.service import TelemetryService
from ironhub.pki.service import AuthorityService
from ironhub.provisioning.bulk.service import BulkService
from ironhub.registry.service import RegistryService
from ironhub.twins.configurations.service import ConfigurationService
from ironhub.twins.queries.service import QueryService
from ironhub.twins.service import TwinService


@dataclass(frozen=True, slots=True, kw_only=True)
class HubServices:
    """The services of one wired hub, as the admin API calls them."""

    registry: RegistryService
    bulk: BulkService
    twins: TwinService
    queries: QueryService
    configurations: ConfigurationService
    commands: CommandService
    methods: MethodService
    jobs: JobService
    telemetry: TelemetryService
    consumers: Consumers
    authorities: AuthorityService
    sessions: LiveSessions
    policies: PolicyService
    uploads: UploadService
    blobs: BlobKeeper
    blob_account: BlobAccount
    clock: Clock
    hub_names: tuple[str, ...]
    """The names the hub answers under; the first stands in connection strings."""
    ca_pem: str
    """The certificate that clients must trust."""
    status: Callable[[], dict[str, object]]
    """What the hub says of itself: JSON values only, no secrets."""
    backup: Callable[[Path], Awaitable[None]]
    """Writes an archive of the data directory, consistent at one instant, to a path."""
    scratch: Path
    """A directory as private as the data and on its disk, where an archive is built before it is sent."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set it when the hub is about to stop: answers that would never end, end."""
