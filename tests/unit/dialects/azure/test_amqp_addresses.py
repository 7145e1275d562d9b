"""Link addresses of Azure's AMQP clients."""

import re

import pytest

from ironhub.core.ids import Identity, identity
from ironhub.dialects.azure.amqp_addresses import (
    MAX_ADDRESS,
    Address,
    AddressUnknown,
    CbsNode,
    CommandFeedback,
    DeviceCommands,
    DeviceMethods,
    DeviceTelemetry,
    DeviceTwin,
    FileNotifications,
    HubEvents,
    ModuleInputs,
    ServiceCommands,
    StreamManagement,
    StreamPartition,
    StreamProducer,
    command_targets,
    parse_address,
)

DEVICE = identity("press-7")
MODULE = identity("press-7", "arm")
BOTH = (True, False)


def parse(text: str, *, receiver: bool) -> Address:
    return parse_address(text, receiver=receiver, event_stream="Events")


@pytest.mark.parametrize(
    "prefix", ["", "amqps://hub.example", "AMQPS://hub.example:5671", "amqp://[::1]:5672", "sb://h"]
)
@pytest.mark.parametrize(
    ("path", "directions", "address"),
    [
        ("/devices/press-7/messages/events", [False], DeviceTelemetry(DEVICE)),
        ("/devices/press-7/modules/arm/messages/events", [False], DeviceTelemetry(MODULE)),
        ("/devices/press-7/modules/arm/messages/events", [True], ModuleInputs(MODULE)),
        ("/devices/press-7/messages/deviceBound", [True], DeviceCommands(DEVICE)),
        ("/devices/press-7/modules/arm/messages/devicebound", [True], DeviceCommands(MODULE)),
        ("/devices/press-7/methods/devicebound", BOTH, DeviceMethods(DEVICE)),
        ("/devices/press-7/modules/arm/methods/deviceBound", BOTH, DeviceMethods(MODULE)),
        ("/devices/press-7/twin", BOTH, DeviceTwin(DEVICE)),
        ("/DEVICES/press-7/Modules/arm/TWIN", BOTH, DeviceTwin(MODULE)),
        ("/messages/deviceBound", [False], ServiceCommands()),
        ("/messages/serviceBound/feedback", [True], CommandFeedback()),
        ("/messages/serviceBound/fileNotifications", [True], FileNotifications()),
        ("/messages/events", BOTH, HubEvents("")),
        ("/messages/events/$management", BOTH, HubEvents("$management")),
        (
            "/messages/events/ConsumerGroups/$Default/Partitions/0",
            BOTH,
            HubEvents("ConsumerGroups/$Default/Partitions/0"),
        ),
        ("/$management", BOTH, StreamManagement()),
        ("/events/$management", BOTH, StreamManagement()),
        ("/EVENTS/consumergroups/%24Default/partitions/3", [True], StreamPartition("$Default", "3")),
        ("/events/ConsumerGroups/Line-A/Partitions/x", [True], StreamPartition("Line-A", "x")),
        ("/events", [False], StreamProducer()),
        ("/events/Partitions/1", [False], StreamProducer()),
        ("/events/publishers/press-7", [False], StreamProducer()),
        ("/$cbs", BOTH, CbsNode()),
    ],
)
def test_an_address_says_what_the_link_is_for(prefix: str, path: str, directions: list[bool], address: Address) -> None:
    for receiver in directions:
        assert parse(prefix + path, receiver=receiver) == address
        assert prefix or parse(path[1:], receiver=receiver) == address
    for receiver in {*BOTH} - {*directions}:
        try:
            other = parse(prefix + path, receiver=receiver)
        except AddressUnknown:
            continue
        assert type(other) is not type(address)


@pytest.mark.parametrize("receiver", BOTH)
@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "//devices/press-7/twin",
        "$cbs/",
        "/devices",
        "/devices/",
        "/devices//twin",
        "/devices/press-7",
        "/devices/press-7/",
        "/devices/press-7/twin/",
        "/devices/press-7/twin/more",
        "/devices/press 7/twin",
        "/devices/press%2F7/modules//twin",
        "/devices/press-7/modules/twin",
        "/devices/press-7/modules/arm",
        "/devices/" + "p" * 129 + "/twin",
        "/devices/press-7/messages",
        "/devices/press-7/../other/twin/x",
        "/messages",
        "/messages/servicebound",
        "/messages/servicebound/other",
        "/others/$management",
        "/events/ConsumerGroups/g",
        "/events/ConsumerGroups/g/Partitions",
        "/events/ConsumerGroups/g/Partitions/0/x",
        "hub.example/devices/press-7/twin",
        "https://hub.example/devices/press-7/twin",
        "/devices/press-7/twin" + "/" * MAX_ADDRESS,
        "amqps://hub.example",
    ],
)
def test_nothing_else_is_an_address(text: str, *, receiver: bool) -> None:
    with pytest.raises(AddressUnknown) as caught:
        parse(text, receiver=receiver)
    assert len(str(caught.value)) < 300
    way = "receives from" if receiver else "sends to"
    assert re.fullmatch(f"The messaging entity '.*' could not be found: no link {way} it", str(caught.value))


@pytest.mark.parametrize(
    ("sent", "device"),
    [
        ("a%23b", "a#b"),  # as the Node SDK writes it
        ("a#b", "a#b"),  # as the C SDK does
        ("a%2523b", "a%23b"),  # decoded once, never twice
        ("50%", "50%"),
        ("a%2Fb", "a%2Fb"),  # decoding gives no id: it stands for itself, and no boundary moves
        ("a%00b", "a%00b"),
        ("a%FFb", "a%FFb"),
        ("a+b", "a+b"),
        ("Press-7", "Press-7"),  # ids keep their case
        ("modules", "modules"),
    ],
)
def test_an_id_is_decoded_once_or_stands_for_itself(sent: str, device: str) -> None:
    assert parse(f"/devices/{sent}/twin", receiver=True) == DeviceTwin(identity(device))
    assert parse(f"/devices/d/modules/{sent}/twin", receiver=True) == DeviceTwin(identity("d", device))


def test_a_device_called_modules_is_no_module() -> None:
    assert parse("/devices/modules/modules/twin/twin", receiver=True) == DeviceTwin(identity("modules", "twin"))
    assert parse("/devices/modules/twin", receiver=True) == DeviceTwin(identity("modules"))


@pytest.mark.parametrize(
    ("to", "targets"),
    [
        ("/devices/press-7/messages/deviceBound", [DEVICE]),
        ("amqps://hub.example:5671/DEVICES/press-7/Messages/devicebound", [DEVICE]),
        ("devices/press-7/modules/arm/messages/devicebound", [MODULE]),
        ("/devices/a%2523b/messages/devicebound", [identity("a%23b"), identity("a%2523b")]),
        ("/devices/a%2Fb/messages/devicebound", [identity("a%2Fb")]),
        ("/devices/a%40/modules/b%40/messages/devicebound", [identity("a@", "b@"), identity("a%40", "b%40")]),
        ("/devices/a%40/modules//messages/devicebound", []),
        ("/devices/press-7/messages/devicebound/x", []),
        ("/devices/press-7/x/messages/devicebound", []),
        ("x" * (MAX_ADDRESS + 1), []),
        ("", []),
    ],
)
def test_a_command_may_mean_the_decoded_id_or_the_one_that_stands_there(to: str, targets: list[Identity]) -> None:
    assert command_targets(to) == targets
