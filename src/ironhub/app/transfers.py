"""Wires import and export jobs: the store, the containers they may reach, and what does them."""

import ssl
from dataclasses import dataclass

from ironhub.app.containers import AzureLines, HubContainers
from ironhub.app.datadir import DataDirectory
from ironhub.app.files import FileParts
from ironhub.app.settings import Settings, SettingsInvalid
from ironhub.core.clock import Clock, Entropy
from ironhub.identity.audience import HubNames
from ironhub.identity.gate import Gate
from ironhub.provisioning.bulk.service import BulkService
from ironhub.provisioning.transfer.runner import TransferRunner
from ironhub.provisioning.transfer.service import TransferService
from ironhub.storage.remote_container import AllowedHosts, RemoteContainers
from ironhub.storage.spools import FileSpools
from ironhub.storage.stores import Stores

SPOOLS = "imports"
"""Where in the data directory the errors of an import lie until it ends."""


@dataclass(frozen=True, slots=True)
class TransferParts:
    """What a hub has for import and export jobs."""

    service: TransferService
    runner: TransferRunner


def wire_transfers(
    settings: Settings,
    directory: DataDirectory,
    stores: Stores,
    bulk: BulkService,
    files: FileParts,
    names: HubNames,
    gate: Gate,
    clock: Clock,
    entropy: Entropy,
) -> TransferParts:
    """Return the parts, wired. Raises SettingsInvalid: the authority cannot be read."""
    remote = RemoteContainers(AllowedHosts(settings.transfer_hosts), trusted=trusted_authorities(settings))
    containers = HubContainers(files.blobs, files.links, names.__contains__, remote)
    service = TransferService(stores.transfers, containers, clock, entropy)
    runner = TransferRunner(
        stores.transfers,
        bulk,
        containers,
        AzureLines(),
        FileSpools(directory.path / SPOOLS),
        gate.recall,
        clock,
        service.changed,
    )
    return TransferParts(service, runner)


def trusted_authorities(settings: Settings) -> ssl.SSLContext | None:
    """Return who may vouch for the hosts; None: the system's own. Raises SettingsInvalid."""
    if settings.transfer_ca is None:
        return None
    try:
        return ssl.create_default_context(cafile=settings.transfer_ca)
    except (OSError, ssl.SSLError) as error:
        raise SettingsInvalid(f"transfer_ca: {settings.transfer_ca} cannot be read: {error}") from error
