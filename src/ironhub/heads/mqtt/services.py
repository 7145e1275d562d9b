"""What every MQTT conversation of a hub shares."""

from dataclasses import dataclass, field

from ironhub.core.clock import Clock, Entropy
from ironhub.core.tally import Tally
from ironhub.heads.background import Background
from ironhub.heads.mqtt.parked import ParkedReplies
from ironhub.identity.gate import Gate
from ironhub.messaging.commands.service import CommandService
from ironhub.messaging.methods.service import MethodService
from ironhub.messaging.sessions.ports import SessionStore
from ironhub.messaging.sessions.service import LiveSessions
from ironhub.messaging.telemetry.model import MAX_MESSAGE
from ironhub.messaging.telemetry.service import TelemetryService
from ironhub.twins.service import TwinService
from ironhub.wire.mqtt import SessionLimits


@dataclass(frozen=True, kw_only=True)
class MqttSettings:
    """The bounds of one MQTT session."""

    limits: SessionLimits = field(default_factory=SessionLimits)
    """What the wire session holds a peer to."""
    max_body: int = MAX_MESSAGE
    """Bytes of a message's body and properties together."""
    max_subscriptions: int = 50
    """Topic filters that one session keeps."""
    max_unstored: int = 1 << 20
    """Bytes of telemetry that wait for their commit before reading from the device pauses."""
    max_queued: int = 64
    """Requests that wait for their turn before reading from the device pauses."""
    takeover_delay: float = 0.5
    """Seconds a connection waits for its CONNACK when it takes over one that is younger than this: two clients of
    one id would otherwise fight at full speed."""


@dataclass(frozen=True, kw_only=True)
class MqttServices:
    """The hub as an MQTT conversation needs it."""

    gate: Gate
    telemetry: TelemetryService
    twins: TwinService
    commands: CommandService
    methods: MethodService
    sessions: LiveSessions
    store: SessionStore
    clock: Clock
    entropy: Entropy
    background: Background
    parked: ParkedReplies = field(default_factory=ParkedReplies)
    settings: MqttSettings = field(default_factory=MqttSettings)
    tally: Tally = field(default_factory=Tally)
    """"accepted", and "refused:" with the code of each refusal."""
