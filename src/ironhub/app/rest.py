"""Wires the vendor's REST calls to the services of one hub."""

from ironhub.app.hub import Hub
from ironhub.heads.http.azure.application import AzureHttp
from ironhub.heads.http.azure.blobs import BlobCalls
from ironhub.heads.http.azure.bulk import BulkCalls
from ironhub.heads.http.azure.calls import CallGroup
from ironhub.heads.http.azure.commands import CommandCalls
from ironhub.heads.http.azure.configurations import ConfigurationCalls
from ironhub.heads.http.azure.device_messages import DeviceMessageCalls
from ironhub.heads.http.azure.digital_twins import DigitalTwinCalls
from ironhub.heads.http.azure.feedback import FeedbackCalls
from ironhub.heads.http.azure.files import FileCalls
from ironhub.heads.http.azure.identities import IdentityCalls
from ironhub.heads.http.azure.jobs import JobCalls
from ironhub.heads.http.azure.links import BlobLinks
from ironhub.heads.http.azure.queries import QueryCalls
from ironhub.heads.http.azure.transfers import TransferCalls
from ironhub.heads.http.azure.twins import TwinCalls
from ironhub.registry.family import DeviceFamily


def call_groups(hub: Hub) -> list[CallGroup]:
    """Return all calls that are served on the HTTPS port."""
    return [
        IdentityCalls(hub.registry, hub.sessions),
        BulkCalls(hub.bulk),
        TransferCalls(hub.transfers.service),
        TwinCalls(hub.twins, hub.registry),
        QueryCalls(hub.queries),
        JobCalls(hub.jobs.service),
        ConfigurationCalls(hub.configurations),
        DigitalTwinCalls(hub.twins, hub.registry, hub.methods),
        CommandCalls(hub.commands, hub.methods, DeviceFamily(hub.stores.devices)),
        FeedbackCalls(hub.feedback),
        DeviceMessageCalls(hub.telemetry, hub.commands),
        FileCalls(hub.files.uploads),
        BlobCalls(hub.files.blobs, BlobLinks(hub.files.links), max_body=hub.settings.blob_max_size),
    ]


def azure_http(hub: Hub) -> AzureHttp:
    """Return what answers them."""
    return AzureHttp(
        call_groups(hub),
        gate=hub.gate,
        clock=hub.clock,
        entropy=hub.entropy,
        background=hub.background,
        links=BlobLinks(hub.files.links),
    )
