"""What the stores in memory share, as the tables of one database would be."""

from dataclasses import dataclass, field

from ironhub.core.facts import Fact
from ironhub.core.ids import DeviceId, Identity
from ironhub.identity.model import KnownPolicy
from ironhub.messaging.commands.model import Command, Feedback
from ironhub.messaging.files.model import Upload
from ironhub.messaging.sessions.model import StoredSession
from ironhub.messaging.telemetry.model import ConsumerGroup
from ironhub.pki.model import Authority
from ironhub.provisioning.bulk.model import Mark
from ironhub.provisioning.transfer.model import Transfer
from ironhub.registry.model import Device, Module, Presence
from ironhub.storage.memory.jobs import Jobs
from ironhub.twins.configurations.model import Configuration, Progress
from ironhub.twins.model import Twin


@dataclass(frozen=True, slots=True)
class Lock:
    """Who holds a command. `until` None: `owner` does, until it lets go."""

    token: str
    owner: str
    until: float | None


@dataclass(slots=True)
class Queued:
    """A command in its queue, and the lock on it."""

    command: Command
    lock: Lock | None = None

    @property
    def due_at(self) -> float | None:
        """When somebody must look at it: its expiry while it waits, the end of a timed lock; None: not by itself."""
        return self.command.expires_at if self.lock is None else self.lock.until


@dataclass(slots=True)
class State:
    """Everything the stores keep."""

    devices: dict[DeviceId, Device] = field(default_factory=dict)
    modules: dict[Identity, Module] = field(default_factory=dict)
    presence: dict[Identity, Presence] = field(default_factory=dict)
    twins: dict[Identity, Twin] = field(default_factory=dict)
    commands: dict[int, Queued] = field(default_factory=dict)
    """By sequence number, ascending."""
    last_sequence_number: int = 0
    feedback: dict[int, Feedback] = field(default_factory=dict)
    last_record_id: int = 0
    sessions: dict[Identity, StoredSession] = field(default_factory=dict)
    policies: dict[str, KnownPolicy] = field(default_factory=dict)
    """By name in lower case."""
    authorities: dict[str, Authority] = field(default_factory=dict)
    configurations: dict[str, Configuration] = field(default_factory=dict)
    configuration_progress: Progress | None = None
    consumer_groups: dict[str, ConsumerGroup] = field(default_factory=dict)
    """By name in lower case."""
    uploads: dict[str, Upload] = field(default_factory=dict)
    import_marks: dict[str, Mark] = field(default_factory=dict)
    transfers: dict[str, Transfer] = field(default_factory=dict)
    outbox: dict[int, Fact] = field(default_factory=dict)
    last_fact_id: int = 0
    jobs: Jobs = field(default_factory=Jobs)

    def identity(self, identity: Identity) -> Device | Module | None:
        """The device or module, as stored."""
        return self.devices.get(identity.device_id) if identity.module_id is None else self.modules.get(identity)

    def queue(self, identity: Identity) -> list[Queued]:
        """The commands of one identity, oldest first."""
        return [queued for queued in self.commands.values() if queued.command.identity == identity]

    def forget(self, identity: Identity) -> None:
        """Delete all that is the identity's own."""
        self.presence.pop(identity, None)
        self.twins.pop(identity, None)
        self.sessions.pop(identity, None)
        self.uploads = {key: upload for key, upload in self.uploads.items() if upload.identity != identity}
        for queued in self.queue(identity):
            del self.commands[queued.command.sequence_number]
        self.feedback = {key: record for key, record in self.feedback.items() if record.identity != identity}
