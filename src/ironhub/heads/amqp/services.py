"""What every AMQP conversation of a hub shares."""

from dataclasses import dataclass, field

from ironhub.core.clock import Clock, Entropy
from ironhub.core.tally import Tally
from ironhub.dialects.azure.amqp_events import EventWriter
from ironhub.heads.background import Background
from ironhub.identity.audience import HubNames
from ironhub.identity.gate import Gate
from ironhub.messaging.commands.feedback import FeedbackReader
from ironhub.messaging.commands.service import CommandService
from ironhub.messaging.files.service import UploadService
from ironhub.messaging.methods.service import MethodService
from ironhub.messaging.sessions.backends import LiveBackends
from ironhub.messaging.sessions.service import LiveSessions
from ironhub.messaging.telemetry.consumers import Consumers
from ironhub.messaging.telemetry.model import MAX_MESSAGE
from ironhub.messaging.telemetry.service import TelemetryService
from ironhub.twins.service import TwinService
from ironhub.wire.amqp import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class AmqpSettings:
    """The bounds of one AMQP connection."""

    limits: Limits = field(default_factory=Limits)
    """What the engine holds a peer to."""
    max_body: int = MAX_MESSAGE
    """Bytes of a device's message, its body and properties together."""
    max_unstored: int = 1 << 20
    """Bytes of telemetry that wait for their commit before reading from the peer pauses."""
    max_queued: int = 64
    """Requests of one device that wait for their turn before reading from the peer pauses."""
    max_audiences: int = 1000
    """Identities and policies that one connection may hold tokens of at the same time."""
    max_requests: int = 100
    """Requests of one connection to one address ($cbs) whose answers wait."""
    max_attempts: int = 20
    """Refused links and tokens after which a peer that has shown nothing good is cut."""
    open_timeout: float = 60.0
    """Seconds that a peer which logged in at once may take until its OPEN; the engine's idle time-out begins there."""
    dismissal: float = 0.5
    """Seconds a client gets to close the connection itself when the last link that kept it open was ended."""
    takeover_delay: float = 0.5
    """Seconds a session waits when it takes over one that is younger than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AmqpServices:
    """The hub as an AMQP conversation needs it."""

    gate: Gate
    names: HubNames
    """`names.event_stream` is the entity of the built-in endpoint."""
    telemetry: TelemetryService
    consumers: Consumers
    events: EventWriter
    twins: TwinService
    commands: CommandService
    feedback: FeedbackReader
    methods: MethodService
    uploads: UploadService
    sessions: LiveSessions
    backends: LiveBackends
    clock: Clock
    entropy: Entropy
    background: Background
    created_at: float
    """When the hub was made, seconds since the epoch."""
    settings: AmqpSettings = field(default_factory=AmqpSettings)
    tally: Tally = field(default_factory=Tally)
    """"accepted", and "refused:" with the code of each refusal."""
    activity: Tally = field(default_factory=Tally)
    """"links_opened", "links_closed", "events_sent" to readers, and "rejected:" with the code of each rejection."""
