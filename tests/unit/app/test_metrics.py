"""app/metrics.py"""

from pathlib import Path

from tests.fakes.clock import FakeEntropy
from tests.fakes.grants import by_operator

from ironhub import __version__
from ironhub.access.model import Permission
from ironhub.app.hub import open_hub
from ironhub.app.metrics import hub_health
from ironhub.app.settings import Settings
from ironhub.app.system import SystemClock
from ironhub.core.errors import HubError
from ironhub.core.ids import identity
from ironhub.heads.limits import ConnectionLimits
from ironhub.registry.model import DeviceDraft

PRESS = identity("press-7")


class Reader:
    """Reads with a consumer group."""

    name = "r"

    def stolen(self, *, newer: int, own: int | None) -> None:
        """Nobody steals here."""

    def ended(self, error: HubError) -> None:
        """The group stays."""


async def test_what_is_counted_is_read(tmp_path: Path) -> None:
    async with open_hub(Settings(data=tmp_path / "data"), clock=SystemClock(), entropy=FakeEntropy()) as hub:
        await hub.registry.put_device(by_operator(Permission.REGISTRY_WRITE, PRESS), DeviceDraft(), if_match=None)
        grant = by_operator(Permission.TWIN_WRITE, PRESS)
        await hub.twins.update(grant, tags={"hall": "b"}, desired=None, if_match=None)
        hub.mqtt.tally.add("accepted")
        hub.amqp.tally.add("accepted")
        hub.amqp.tally.add("refused:identity.unauthorized")
        hub.amqp.activity.add("links_opened", 3)
        hub.amqp.activity.add("links_closed")
        hub.amqp.activity.add("events_sent", 7)
        hub.amqp.activity.add("rejected:message.malformed", 2)
        reading = by_operator(Permission.TELEMETRY_READ)
        await hub.consumers.enter(reading, "$Default", 0, Reader())
        partition = hub.log.partition_of(PRESS.device_id)
        assert await hub.log.wait(partition, 1, 10.0)
        sources = hub_health(hub, [], ConnectionLimits())
        readings = sources.read()
        assert readings.version == __version__
        assert readings.twin_changes == {"tags": 1}
        assert readings.connects["accepted"] == 2
        assert readings.connects["refused:identity.unauthorized"] == 1
        assert readings.amqp_connects == {"accepted": 1, "refused:identity.unauthorized": 1}
        assert (readings.amqp_links, readings.events_sent) == (2, 7)
        assert readings.amqp_rejected == {"message.malformed": 2}
        assert readings.event_readers == {"$default": 1}
        assert readings.messages_stored == 2
        assert readings.bytes_stored > 0
        assert readings.commits >= 1
        assert readings.stores == {"hub": True, "stream": True}
        assert readings.connections == {"open": 0, "unidentified": 0, "sessions": 0, "backends": 0}
        assert readings.tasks >= 1
        assert (readings.jobs, readings.job_devices) == (0, {})
        assert list(sources.ready()) == []
