"""What clients are told of our errors over AMQP."""

import pytest

from ironhub.access.model import PermissionDenied
from ironhub.core.errors import HubError, InvalidArgument, Unavailable
from ironhub.dialects.azure.amqp_addresses import AddressUnknown
from ironhub.dialects.azure.amqp_errors import (
    EntityNotFound,
    GroupNotFound,
    LinkRedirected,
    PartitionNotFound,
    ReaderStolen,
    StreamReadOnly,
    link_error,
    redirect_address,
)
from ironhub.dialects.azure.errors import error_text
from ironhub.identity.model import AuthenticationFailed
from ironhub.messaging.commands.model import CommandTooLarge, ExpiryInvalid, LockLost, QueueFull
from ironhub.messaging.files.model import FileLockLost
from ironhub.messaging.telemetry.consumers import (
    ConsumerGroupNotFound,
    ReaderEpochNeeded,
    ReaderEpochTooLow,
    TooManyReaders,
)
from ironhub.messaging.telemetry.model import MessageTooLarge
from ironhub.registry.model import DeviceExists, DeviceNotFound
from ironhub.wire.amqp.decode import decode


@pytest.mark.parametrize(
    ("error", "condition"),
    [
        (AddressUnknown("x"), "amqp:not-found"),
        (DeviceNotFound("x"), "amqp:not-found"),
        (ConsumerGroupNotFound("x"), "amqp:not-found"),
        (EntityNotFound("sb://h/e"), "amqp:not-found"),
        (PartitionNotFound("sb://h/e/ConsumerGroups/g/Partitions/9"), "amqp:not-found"),
        (GroupNotFound("sb://h/e/ConsumerGroups/g"), "amqp:not-found"),
        (StreamReadOnly("x"), "amqp:unauthorized-access"),
        (AuthenticationFailed("x"), "amqp:unauthorized-access"),
        (PermissionDenied("x"), "amqp:unauthorized-access"),
        (QueueFull("x"), "amqp:resource-limit-exceeded"),
        (TooManyReaders("x"), "amqp:resource-limit-exceeded"),
        (CommandTooLarge("x"), "amqp:link:message-size-exceeded"),
        (MessageTooLarge("x"), "amqp:link:message-size-exceeded"),
        (LockLost("x"), "com.microsoft:message-lock-lost"),
        (FileLockLost("x"), "com.microsoft:message-lock-lost"),
        (ExpiryInvalid("x"), "com.microsoft:argument-out-of-range"),
        (InvalidArgument("x"), "com.microsoft:argument-error"),
        (DeviceExists("x"), "com.microsoft:device-already-exists"),
        (ReaderEpochTooLow("x"), "amqp:link:stolen"),
        (ReaderEpochNeeded("x"), "amqp:link:stolen"),
        (ReaderStolen(newer=2, own=1), "amqp:link:stolen"),
        (Unavailable("x"), "amqp:internal-error"),
        (HubError("x"), "amqp:internal-error"),
    ],
)
def test_each_error_has_the_condition_that_clients_act_on(error: HubError, condition: str) -> None:
    told = link_error(error)
    assert (told.condition, told.description) == (condition, error_text(error))
    assert told.info is None


@pytest.mark.parametrize("kind", [EntityNotFound, PartitionNotFound, GroupNotFound])
def test_an_unknown_entity_is_told_in_the_sentence_that_clients_look_for(kind: type[EntityNotFound]) -> None:
    told = link_error(kind("sb://h/events/ConsumerGroups/x"))
    assert told.description.startswith("The messaging entity 'sb://h/events/ConsumerGroups/x' could not be found.")


def test_a_reader_learns_which_epoch_has_its_partition() -> None:
    assert "epoch of '0'" in str(ReaderStolen(newer=0, own=0))
    assert "with epoch '0'" in str(ReaderStolen(newer=0, own=0))
    assert "without an epoch" in str(ReaderStolen(newer=3, own=None))


def test_a_redirect_names_the_other_address() -> None:
    address = redirect_address("hub.example", 5671, "events", "ConsumerGroups/$Default/Partitions/0")
    assert address == "amqps://hub.example:5671/events/ConsumerGroups/$Default/Partitions/0"
    told = link_error(LinkRedirected("hub.example", 5671, address), tracking="t-1")
    assert told.condition == "amqp:link:redirect"
    assert decode(told.info or b"")[0] == {
        "hostname": "hub.example",
        "network-host": "hub.example",
        "port": 5671,
        "address": address,
        "com.microsoft:tracking-id": "t-1",
    }


def test_the_stream_itself_is_an_address_too() -> None:
    assert redirect_address("h", 1, "events", "") == "amqps://h:1/events"
