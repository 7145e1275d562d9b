"""What a persistent MQTT session keeps between connections."""

from dataclasses import dataclass, field

from ironhub.core.ids import Identity


@dataclass(frozen=True, slots=True)
class StoredSession:
    """The subscriptions of one identity: topic filter → granted QoS (0 or 1)."""

    identity: Identity
    subscriptions: dict[str, int] = field(default_factory=dict)
