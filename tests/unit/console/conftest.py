"""A hub's services in memory, and the admin API over them."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.fakes.clock import FakeClock, FakeEntropy
from tests.fakes.conditions import WordyConditions
from tests.fakes.files import ACCOUNT
from tests.fakes.sessions import FakeSession
from tests.fakes.streams import stored

from ironhub.access.policies import PolicyService
from ironhub.app.cli.inprocess import InProcessTransport
from ironhub.app.policies import BUILT_IN, ensure_policies
from ironhub.console.api import make_admin_app
from ironhub.console.services import HubServices
from ironhub.core.ids import identity
from ironhub.core.sealing import KEY_SIZE, Sealer
from ironhub.dialects.azure.configuration_queries import AzureConditions
from ironhub.messaging.commands.service import CommandService
from ironhub.messaging.files.keeper import BlobKeeper
from ironhub.messaging.files.service import UploadService
from ironhub.messaging.jobs.service import JobService
from ironhub.messaging.methods.service import MethodService
from ironhub.messaging.sessions.ports import LiveSession
from ironhub.messaging.sessions.presence import PresenceRecorder
from ironhub.messaging.sessions.service import LiveSessions
from ironhub.messaging.telemetry.consumers import Consumers
from ironhub.messaging.telemetry.model import Encoding, Entry, Origin, Source
from ironhub.messaging.telemetry.service import TelemetryService
from ironhub.pki.service import AuthorityService
from ironhub.provisioning.bulk.service import BulkService
from ironhub.registry.service import RegistryService
from ironhub.storage.blobs.own import OwnDepot
from ironhub.storage.memory.contents import MemoryContents
from ironhub.storage.memory.stores import memory_stores
from ironhub.streams.inproc import InprocBus, MemoryLog
from ironhub.streams.settings import LogSettings
from ironhub.twins.configurations.applying import Applier
from ironhub.twins.configurations.service import ConfigurationService
from ironhub.twins.queries.service import QueryService
from ironhub.twins.service import TwinService

TOKEN = "ab" * 32


@dataclass
class Desk:
    """What a test of the admin API needs."""

    services: HubServices
    client: httpx.AsyncClient
    log: MemoryLog
    clock: FakeClock

    async def ok(self, method: str, path: str, **arguments: Any) -> Any:
        """Call, expect success, and return the decoded answer (None: empty)."""
        response = await self.client.request(method, f"/api/v1{path}", **arguments)
        assert response.is_success, response.text
        return response.json() if response.content else None

    async def refused(self, method: str, path: str, **arguments: Any) -> tuple[int, str]:
        """Call, expect a refusal in the one shape, and return its status and code."""
        response = await self.client.request(method, f"/api/v1{path}", **arguments)
        error = response.json()["error"]
        assert set(error) == {"code", "message", "next_step"}
        assert error["message"]
        assert error["next_step"]
        return response.status_code, error["code"]

    async def tell(self, device: str, bodies: Sequence[bytes], *, source: Source = Source.TELEMETRY) -> None:
        """Store telemetry of a device."""
        origin = Origin(identity(device), source, Encoding.AZURE_TOPIC)
        entries = [Entry(origin, b"n=1", body) for body in bodies]
        await stored(self.log, self.log.partition_of(identity(device).device_id), entries)

    def connect(self, device: str) -> FakeSession:
        """Connect a device."""
        session = FakeSession(identity(device))
        self.services.sessions.enter(session, judged_at=self.services.sessions.notices)
        return session


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """The admin API of an empty hub, called with the right token."""
    clock, entropy, bus = FakeClock(), FakeEntropy(), InprocBus()
    stores = memory_stores(entropy)
    await ensure_policies(stores.policies, entropy)
    log = MemoryLog(clock, LogSettings())
    sessions = LiveSessions(bus, PresenceRecorder(stores.devices, clock), _good)
    registry = RegistryService(stores.devices, bus, clock, entropy)
    twins = TwinService(stores.twins, bus, clock)
    applier = Applier(twins, registry)
    keeper = BlobKeeper(stores.blobs, MemoryContents(), clock, entropy)
    depot = OwnDepot(stores.blobs, ACCOUNT, clock, "uploads")
    services = HubServices(
        uploads=UploadService(stores.uploads, depot, clock, entropy),
        blobs=keeper,
        blob_account=ACCOUNT,
        bulk=BulkService(stores.bulk, bus, clock, entropy),
        registry=registry,
        twins=twins,
        configurations=ConfigurationService(
            stores.configurations, AzureConditions(), applier, lambda: None, clock, entropy
        ),
        queries=QueryService(stores.queries, Sealer({1: b"k" * KEY_SIZE}, entropy), clock),
        commands=CommandService(stores.commands, bus, clock, entropy),
        methods=MethodService(sessions, stores.devices),
        jobs=JobService(stores.jobs, WordyConditions(stores.devices), bus, clock),
        telemetry=TelemetryService(log),
        consumers=Consumers(stores.consumer_groups, clock),
        authorities=AuthorityService(stores.authorities, bus, clock, entropy),
        sessions=sessions,
        policies=PolicyService(stores.policies, bus, entropy, needed=BUILT_IN),
        clock=clock,
        hub_names=("hub.example", "localhost"),
        ca_pem="-----BEGIN CERTIFICATE-----\n",
        status=lambda: {"troubles": []},
        backup=_backup,
        scratch=tmp_path,
    )
    app = make_admin_app(services, TOKEN.encode())
    headers = {"Authorization": f"Bearer {TOKEN}"}
    transport = InProcessTransport(app)
    async with httpx.AsyncClient(base_url="http://hub", headers=headers, transport=transport) as client:
        yield Desk(services, client, log, clock)
    await log.close()


async def _good(_: LiveSession) -> bool:
    return True


async def _backup(path: Path) -> None:
    path.write_bytes(b"everything" * 100_000)
