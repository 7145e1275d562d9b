"""app/heads.py"""

from pathlib import Path

from tests.fakes.clock import FakeEntropy

from ironhub.app.heads import amqp_services, mqtt_services
from ironhub.app.hub import open_hub
from ironhub.app.settings import Settings
from ironhub.app.system import SystemClock
from ironhub.dialects.azure.connection_string import EVENT_STREAM


async def test_both_protocols_reach_the_same_services(tmp_path: Path) -> None:
    given = Settings(data=tmp_path / "data", hostname=("hub.example",))
    async with open_hub(given, clock=SystemClock(), entropy=FakeEntropy()) as hub:
        mqtt, amqp = mqtt_services(hub), amqp_services(hub)
        shared = ("gate", "telemetry", "twins", "commands", "methods", "sessions", "clock", "entropy", "background")
        for name in shared:
            assert getattr(mqtt, name) is getattr(amqp, name) is getattr(hub, name)
        assert mqtt.store is hub.stores.sessions
        assert (amqp.names, amqp.backends, amqp.consumers) == (hub.hub_names, hub.backends, hub.consumers)
        assert amqp.names.event_stream == EVENT_STREAM
        assert amqp.events.hub_name == "hub.example"
        assert amqp.created_at < hub.clock.now()
