"""The hub as its protocol heads need it."""

from typing import TYPE_CHECKING

from ironhub.dialects.azure.amqp_events import EventWriter
from ironhub.heads.amqp.services import AmqpServices
from ironhub.heads.mqtt.services import MqttServices

if TYPE_CHECKING:
    from ironhub.app.hub import Hub


def mqtt_services(hub: "Hub") -> MqttServices:
    """Return what MQTT conversations share."""
    return MqttServices(
        gate=hub.gate,
        telemetry=hub.telemetry,
        twins=hub.twins,
        commands=hub.commands,
        methods=hub.methods,
        sessions=hub.sessions,
        store=hub.stores.sessions,
        clock=hub.clock,
        entropy=hub.entropy,
        background=hub.background,
    )


def amqp_services(hub: "Hub") -> AmqpServices:
    """Return what AMQP conversations share."""
    return AmqpServices(
        gate=hub.gate,
        names=hub.hub_names,
        telemetry=hub.telemetry,
        consumers=hub.consumers,
        events=EventWriter(hub.names[0]),
        twins=hub.twins,
        commands=hub.commands,
        feedback=hub.feedback,
        methods=hub.methods,
        uploads=hub.files.uploads,
        sessions=hub.sessions,
        backends=hub.backends,
        clock=hub.clock,
        entropy=hub.entropy,
        background=hub.background,
        created_at=hub.certificate.made_at,
    )
