"""One wired hub without listeners: stores, streams, services, and what runs in the background."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

from ironhub.access.policies import PolicyService
from ironhub.app.archive import write_archive
from ironhub.app.certificates import LOOPBACK_NAMES, ServerCertificate
from ironhub.app.datadir import DataDirectory
from ironhub.app.files import FileParts, open_files
from ironhub.app.heads import amqp_services, mqtt_services
from ironhub.app.jobs import wire_jobs
from ironhub.app.policies import BUILT_IN, ensure_policies
from ironhub.app.settings import Settings
from ironhub.app.transfers import wire_transfers
from ironhub.console.services import HubServices
from ironhub.core.bus import AuthoritiesChanged, Notice
from ironhub.core.clock import Clock, Entropy
from ironhub.core.errors import HubError
from ironhub.core.sealing import MasterKey
from ironhub.dialects.azure.configuration_queries import AzureConditions
from ironhub.dialects.azure.connection_string import EVENT_STREAM
from ironhub.heads.background import Background
from ironhub.identity.audience import HubNames
from ironhub.identity.gate import Gate, GateSettings
from ironhub.messaging.commands.feedback import FeedbackReader
from ironhub.messaging.commands.service import CommandService
from ironhub.messaging.methods.service import MethodService
from ironhub.messaging.sessions.backends import LiveBackends
from ironhub.messaging.sessions.ports import LiveSession
from ironhub.messaging.sessions.presence import PresenceRecorder
from ironhub.messaging.sessions.service import LiveSessions
from ironhub.messaging.telemetry.consumers import Consumers
from ironhub.messaging.telemetry.relay import Relay, RelaySettings
from ironhub.messaging.telemetry.service import TelemetryService
from ironhub.pki.service import AuthorityService
from ironhub.provisioning.bulk.service import BulkService
from ironhub.registry.service import RegistryService
from ironhub.storage.keys import open_sealer
from ironhub.storage.sqlite.blobs import content_ids
from ironhub.storage.sqlite.database import Database, open_database
from ironhub.storage.sqlite.stores import sqlite_stores
from ironhub.storage.stores import Stores
from ironhub.streams.embedded.log import EmbeddedLog, open_log
from ironhub.streams.inproc import InprocBus
from ironhub.streams.settings import LogSettings
from ironhub.twins.configurations.applying import Applier
from ironhub.twins.configurations.engine import ConfigurationEngine, ConfigurationSettings
from ironhub.twins.configurations.service import ConfigurationService
from ironhub.twins.queries.service import QueryService
from ironhub.twins.service import TwinService

log: Final = logging.getLogger(__name__)

RESTART_AFTER: Final = 1.0
"""Seconds before a task that failed is begun again."""
PROBE_INTERVAL: Final = 1.0
"""Seconds between two looks whether a disk that refused takes writes again."""
DRAIN: Final = 5.0
"""Seconds that work begun by closed connections may still take."""


class Hub:
    """The parts of one hub, each wired to the ports below it."""

    def __init__(
        self,
        settings: Settings,
        directory: DataDirectory,
        certificate: ServerCertificate,
        database: Database,
        stores: Stores,
        log: EmbeddedLog,
        files: FileParts,
        queries: QueryService,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self.settings = settings
        self.directory = directory
        self.certificate = certificate
        self.database = database
        self.stores = stores
        self.log = log
        self.clock = clock
        self.entropy = entropy
        self.names = (*settings.hostname, *LOOPBACK_NAMES)
        self.bus = InprocBus()
        self.background = Background()
        skew = GateSettings(clock_skew=settings.clock_skew)
        self.hub_names = HubNames(self.names, event_stream=EVENT_STREAM)
        self.gate = Gate(stores.devices, stores.policies, stores.authority_source, self.hub_names, clock, skew)
        self.presence = PresenceRecorder(stores.devices, clock)
        self.bus.subscribe(self._notice)  # before the sessions: nobody is judged by authorities that are gone
        self.sessions = LiveSessions(self.bus, self.presence, self._judge, self.gate.prepare, self.gate.doubts)
        self.backends = LiveBackends(self.bus, self.gate.still_admits)
        self.registry = RegistryService(stores.devices, self.bus, clock, entropy)
        self.bulk = BulkService(stores.bulk, self.bus, clock, entropy)
        self.twins = TwinService(stores.twins, self.bus, clock)
        self.configuring, self.configurations = _configurations(self, settings)
        self.commands = CommandService(stores.commands, self.bus, clock, entropy)
        self.feedback = FeedbackReader(stores.commands, self.bus, clock, entropy)
        self.methods = MethodService(self.sessions, stores.devices)
        self.relay = Relay(stores.outbox, log, RelaySettings())
        self.telemetry = TelemetryService(log)
        self.consumers = Consumers(stores.consumer_groups, clock)
        self.jobs = wire_jobs(stores, self.twins, self.methods, self.gate, self.bus, clock, settings)
        self.files = files
        self.transfers = wire_transfers(
            settings, directory, stores, self.bulk, files, self.hub_names, self.gate, clock, entropy
        )
        self.queries = queries
        self.authorities = AuthorityService(stores.authorities, self.bus, clock, entropy)
        self.policies = PolicyService(stores.policies, self.bus, entropy, needed=BUILT_IN)
        self.mqtt = mqtt_services(self)
        self.amqp = amqp_services(self)
        self.services = self._operator_services()

    @property
    def admin_token(self) -> bytes:
        """What the admin API asks for."""
        return self.directory.admin_token().encode()

    def troubles(self) -> list[str]:
        """Return what keeps the hub from storing, in words; empty: all is well."""
        troubles = []
        if (error := self.database.last_error) is not None:
            troubles.append(f"hub.db cannot be used: {error.detail or error}")
        if not self.log.stats.healthy:
            troubles.append(f"stream.db cannot be written: {self.log.stats.last_error}")
        return troubles

    def status(self) -> dict[str, object]:
        """Return what the hub says of itself."""
        return {
            "names": list(self.names),
            "connected": len(self.sessions),
            "partitions": self.log.partitions,
            "troubles": self.troubles(),
            "certificate_ends_at": self.certificate.ends_at,
        }

    async def backup(self, path: Path) -> None:
        """Write an archive of everything to `path` while the hub runs.

        The registry is copied before the log: facts that are in both are recognised when the hub is opened from it, so
        none is lost and none comes twice.
        """
        with self.files.blobs.holding():
            await write_archive(
                self.directory,
                path,
                registry=self.database.backup_to,
                stream=self.log.backup_to,
                blobs=content_ids,
            )

    def tasks(self) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        """Return what must run while the hub is open."""
        return [
            self.presence.run,
            self.commands.run,
            self.feedback.run,
            self.relay.run,
            self.configuring.run,
            self.files.collector.run,
            self._watch_disk,
            self.jobs.tidier.run,
        ]

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Devices can connect for as long as this is entered: what calls them by itself does so."""
        work = (self.jobs.runner.run, self.transfers.runner.run)
        tasks = [asyncio.create_task(_kept_running(each)) for each in work]
        try:
            yield
        finally:
            await _cancel(tasks)

    async def settle(self) -> None:
        """The sessions are over: finish what they began, write down that they went, and tell what is still to tell."""
        await self.background.drain(DRAIN)
        await self.presence.flush()
        with suppress(HubError, TimeoutError):  # what stays behind is told after the next start
            async with asyncio.timeout(DRAIN):
                while await self.relay.step():
                    pass

    def _operator_services(self) -> HubServices:
        return HubServices(
            registry=self.registry,
            bulk=self.bulk,
            twins=self.twins,
            queries=self.queries,
            configurations=self.configurations,
            commands=self.commands,
            methods=self.methods,
            jobs=self.jobs.service,
            telemetry=self.telemetry,
            consumers=self.consumers,
            authorities=self.authorities,
            sessions=self.sessions,
            policies=self.policies,
            uploads=self.files.uploads,
            blobs=self.files.blobs,
            blob_account=self.files.account,
            clock=self.clock,
            hub_names=self.names,
            ca_pem=self.directory.ca_pem(),
            status=self.status,
            backup=self.backup,
            scratch=self.directory.path,
        )

    async def _watch_disk(self) -> None:
        """Without it, a disk that recovered would count as broken until somebody happens to write."""
        while True:
            await asyncio.sleep(PROBE_INTERVAL)
            if not self.database.healthy:
                await self.database.probe()

    async def _judge(self, session: LiveSession) -> bool:
        return await self.gate.still_good(session.principal, session.chain)

    def _notice(self, notice: Notice) -> None:
        if isinstance(notice, AuthoritiesChanged):
            self.gate.forget_authorities()


@asynccontextmanager
async def open_hub(settings: Settings, *, clock: Clock, entropy: Entropy, patience: float = 0.0) -> AsyncIterator[Hub]:
    """Open the data directory (creating what is missing) and yield the wired hub; commits and closes at the end.

    Args:
        patience: seconds to wait for another process that holds the directory.

    Raises:
        DirectoryInUse, DirectoryUnusable, DirectoryIncomplete, CorruptStore, StoreTooNew.
    """
    async with AsyncExitStack() as stack:
        directory = DataDirectory(settings.data)
        directory.make()
        stack.enter_context(directory.locked(clock, patience=patience))
        directory.create(entropy)
        certificate = ServerCertificate(directory, settings.hostname, clock, entropy)
        database = open_database(directory.hub_database)
        stack.push_async_callback(database.close)
        sealer = await open_sealer(database, MasterKey(directory.master_key(), entropy), entropy)
        stores = sqlite_stores(database, sealer, entropy)
        if await stores.policies.list_policies():  # made when there was a log already
            directory.require_log()
        log = await open_log(directory.stream_database, sealer, clock, _log_settings(settings))
        stack.push_async_callback(log.close)
        await stores.outbox.continue_after(await log.relayed())
        await ensure_policies(stores.policies, entropy)
        await stores.devices.forget_presence(clock.now())
        files = await stack.enter_async_context(open_files(settings, directory, stores, sealer, clock, entropy))
        queries = QueryService(stores.queries, sealer, clock)
        hub = Hub(settings, directory, certificate, database, stores, log, files, queries, clock, entropy)
        await hub.gate.authorities_changed()
        stack.push_async_callback(hub.settle)
        tasks = [asyncio.create_task(_kept_running(work)) for work in hub.tasks()]
        stack.push_async_callback(_cancel, tasks)
        yield hub


def _configurations(hub: Hub, settings: Settings) -> tuple[ConfigurationEngine, ConfigurationService]:
    """What applies automatic configurations, and what changes them."""
    store, reader, applier = hub.stores.configurations, AzureConditions(), Applier(hub.twins, hub.registry)
    pace = ConfigurationSettings(interval=settings.configuration_interval)
    engine = ConfigurationEngine(store, hub.stores.queries, reader, applier, hub.clock, pace)
    return engine, ConfigurationService(store, reader, applier, engine.wake, hub.clock, hub.entropy)


def _log_settings(settings: Settings) -> LogSettings:
    return LogSettings(
        partitions=settings.partitions,
        commit_interval=settings.commit_interval,
        max_age=settings.retention_age,
        max_bytes=settings.retention_bytes,
    )


async def _kept_running(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """A bug in one of them is logged and costs a pause, not the task."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("hub_task_failed", extra={"task": work.__qualname__})
        await asyncio.sleep(RESTART_AFTER)


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
