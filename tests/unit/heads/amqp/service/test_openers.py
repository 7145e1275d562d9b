import pytest
from tests.fakes.amqp_head import AmqpHub

from ironhub.dialects.azure.amqp_addresses import CommandFeedback, FileNotifications, ServiceCommands
from ironhub.heads.amqp.service.openers import OPENERS


def test_commands_are_sent_and_the_others_received() -> None:
    assert set(OPENERS) == {ServiceCommands, CommandFeedback, FileNotifications}
    assert [kind for kind, openers in OPENERS.items() if openers.sender] == [ServiceCommands]
    assert [kind for kind, openers in OPENERS.items() if openers.receiver] == [CommandFeedback, FileNotifications]


@pytest.mark.parametrize(
    "address",
    ["/messages/devicebound", "messages/deviceBound", "amqps://hub.example/messages/devicebound"],
)
async def test_the_address_may_be_written_in_all_the_ways_that_clients_write_it(address: str) -> None:
    peer = await AmqpHub().backend()
    link = peer.client.sender(address)
    await peer.settle()
    assert link.is_open


async def test_there_is_no_link_in_the_wrong_direction() -> None:
    peer = await AmqpHub().backend()
    links = [
        peer.client.receiver("/messages/devicebound"),
        peer.client.sender("/messages/servicebound/feedback"),
        peer.client.sender("/messages/servicebound/filenotifications"),
    ]
    await peer.settle()
    assert [link.refusal for link in links] == ["amqp:not-found"] * 3
