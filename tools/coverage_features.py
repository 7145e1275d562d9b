"""What docs/reference/coverage.md lists: classes of the vendor's SDKs, features without a method, and what is missing.

The tests say what works (tests/covers.py); here stands only what cannot be learnt from them.
"""

from typing import Final, NamedTuple


class Section(NamedTuple):
    """One class of an SDK."""

    language: str
    """py or node, as markers name it."""
    name: str
    """As markers name the class."""
    package: str
    title: str


SECTIONS: Final = (
    Section("py", "IoTHubRegistryManager", "azure-iot-hub", "Registry, twins, methods, queries"),
    Section("py", "IoTHubJobManager", "azure-iot-hub", "Jobs"),
    Section("py", "IoTHubConfigurationManager", "azure-iot-hub", "Configurations"),
    Section("py", "DigitalTwinClient", "azure-iot-hub", "Digital twins"),
    Section("py", "IoTHubHttpRuntimeManager", "azure-iot-hub", "Feedback over HTTPS"),
    Section("node", "Registry", "azure-iothub", "Registry, twins, queries, configurations, import and export"),
    Section("node", "Client", "azure-iothub", "Methods, commands, feedback, file notifications"),
    Section("node", "JobClient", "azure-iothub", "Jobs"),
    Section("node", "Twin", "azure-iothub", "Twin objects"),
    Section("node", "DigitalTwinClient", "azure-iothub", "Digital twins"),
    Section("py", "EventHubConsumerClient", "azure-eventhub", "Reading telemetry (synchronous and asyncio)"),
    Section("node", "EventHubConsumerClient", "@azure/event-hubs", "Reading telemetry"),
    Section("py", "IoTHubDeviceClient", "azure-iot-device", "Devices (synchronous and asyncio)"),
    Section("py", "IoTHubModuleClient", "azure-iot-device", "Modules (synchronous and asyncio)"),
    Section("node", "DeviceClient", "azure-iot-device", "Devices (`Client`)"),
    Section("node", "ModuleClient", "azure-iot-device", "Modules"),
    Section("node", "DeviceTwin", "azure-iot-device", "Twin objects of devices"),
)

FEATURES: Final = {
    "mqtt": "MQTT over TLS",
    "websockets": "MQTT over WebSocket",
    "http": "HTTPS",
    "amqp": "AMQP",
    "amqp-websockets": "AMQP over WebSocket",
    "sas-keys": "Two keys of one's own",
    "token-renewal": "Tokens renewed while connected",
    "x509-thumbprint": "A self-signed certificate, known by its thumbprint",
    "x509-authority": "A certificate below a proven authority",
    "reconnect": "The hub goes and comes back",
    "command-feedback": "Commands whose sender is told of their end",
    "security-messages": "Security messages",
    "model-id": "Plug and Play: the device announces its model",
}
"""What no method names, by the name that markers give it."""

FEATURE_LANGUAGES: Final = ("py", "node")

_TOKENS: Final = "signs in at Entra ID: no such sign-in here; use a connection string"
_SDK: Final = "broken in the SDK itself: it reads a list as an object"
_EDGE: Final = "needs the IoT Edge runtime on the device"

NOT_YET: Final = {
    "py:feature.amqp": "the SDK has no such transport",
    "py:feature.amqp-websockets": "the SDK has no such transport",
    "py:feature.http": "the SDK has no such transport",
    "py:IoTHubJobManager.query_scheduled_jobs": _SDK,
    "py:IoTHubModuleClient.receive_message_on_input": _EDGE,
    **{
        f"py:{name}.from_token_credential": _TOKENS
        for name in (
            "IoTHubRegistryManager",
            "IoTHubJobManager",
            "IoTHubConfigurationManager",
            "DigitalTwinClient",
            "IoTHubHttpRuntimeManager",
        )
    },
}
"""What is known not to work, and why."""

LOCAL: Final = frozenset(
    {
        "node:Client.setRetryPolicy",
        "node:DeviceClient.setRetryPolicy",
        "node:DeviceClient.setTransportOptions",
        "node:DeviceTwin.setRetryPolicy",
        "node:EventHubConsumerClient.createEventProcessorForAllPartitions",
        "node:EventHubConsumerClient.createEventProcessorForSinglePartition",
        "node:ModuleClient.setRetryPolicy",
        "node:ModuleClient.setTransportOptions",
        "node:Twin.toJSON",
        "py:IoTHubDeviceClient.connected",
        "py:IoTHubDeviceClient.on_background_exception",
        "py:IoTHubModuleClient.connected",
        "py:IoTHubModuleClient.on_background_exception",
    }
)
"""Methods that ask the hub for nothing."""
