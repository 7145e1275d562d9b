"""A small hub with what every protocol head needs: gate, live sessions, log and registry, all in memory."""

from collections.abc import Sequence

from tests.fakes.grants import by_operator
from tests.fakes.services import SmallHub

from ironhub.access.model import Permission
from ironhub.core.ids import Identity
from ironhub.heads.background import Background
from ironhub.identity.audience import HubNames, device_resource
from ironhub.identity.gate import Gate
from ironhub.identity.sas import make_sas_token
from ironhub.messaging.commands.service import CommandService
from ironhub.messaging.methods.service import MethodService
from ironhub.messaging.sessions.ports import LiveSession
from ironhub.messaging.sessions.presence import PresenceRecorder
from ironhub.messaging.sessions.service import LiveSessions
from ironhub.messaging.telemetry.model import Logged
from ironhub.messaging.telemetry.service import TelemetryService
from ironhub.registry.model import DeviceDraft, DeviceStatus
from ironhub.registry.service import RegistryService
from ironhub.streams.inproc import MemoryLog
from ironhub.streams.settings import LogSettings
from ironhub.twins.service import TwinService

HOST = "hub.example"


class HeadHub(SmallHub):
    """A hub without a head; must be made in a running loop."""

    def __init__(self, names: HubNames, *, partitions: int = 1) -> None:
        super().__init__()
        stores = self.stores
        self.gate = Gate(stores.devices, stores.policies, stores.authority_source, names, self.clock)
        self.presence = PresenceRecorder(self.devices, self.clock)
        self.sessions = LiveSessions(self.bus, self.presence, self._judge)
        self.log = MemoryLog(self.clock, LogSettings(partitions=partitions))
        self.registry = RegistryService(self.devices, self.bus, self.clock, self.entropy)
        self.telemetry = TelemetryService(self.log)
        self.twin_service = TwinService(self.twins, self.bus, self.clock)
        self.command_service = CommandService(self.commands, self.bus, self.clock, self.entropy)
        self.method_service = MethodService(self.sessions, stores.devices)
        self.background = Background()

    async def token(self, who: Identity, *, life: float = 3600.0) -> str:
        """Return a good SAS token of `who`."""
        known = await self.stores.devices.known_identity(who)
        assert known is not None
        assert known.credentials.keys is not None
        expiry = int(self.clock.now() + life)
        return make_sas_token(device_resource(HOST, who), known.credentials.keys.primary, expiry)

    async def logged(self) -> Sequence[Logged]:
        """Return everything in the log."""
        return (await self.log.read(0, 0)).entries

    async def disable(self, who: Identity) -> None:
        """Disable the device, through the registry."""
        grant = by_operator(Permission.REGISTRY_WRITE, who)
        await self.registry.put_device(grant, DeviceDraft(status=DeviceStatus.DISABLED), if_match="*")

    async def _judge(self, session: LiveSession) -> bool:
        return await self.gate.still_good(session.principal, session.chain)
