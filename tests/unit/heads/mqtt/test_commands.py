"""heads/mqtt/commands.py"""

import pytest
from tests.fakes.grants import by_operator
from tests.fakes.mqtt_head import MqttHub, packet_id, published
from tests.fakes.mqtt_packets import puback

from ironhub.access.model import Permission
from ironhub.core.ids import identity
from ironhub.messaging.commands.model import Ack, CommandDraft, Outcome

PRESS = identity("press-7")
COMMANDS = "devices/press-7/messages/devicebound/#"


@pytest.fixture
async def hub() -> MqttHub:
    small = MqttHub()
    await small.register(PRESS)
    return small


async def send(hub: MqttHub, body: bytes, **fields: object) -> None:
    draft = CommandDraft(body=body, **fields)  # type: ignore[arg-type]  # passed through
    await hub.mqtt.commands.send(by_operator(Permission.COMMAND_SEND, PRESS), draft)


async def waiting(hub: MqttHub) -> int:
    return await hub.stores.commands.count_commands(PRESS)


async def test_a_command_is_published_and_completed_by_its_puback(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS, (COMMANDS, 1))
    await send(hub, b"stop", ack=Ack.FULL, properties={"a b": "c/d"})
    await hub.settle()
    (message,) = peer.hear()
    topic, payload = published(message)
    assert topic.startswith("devices/press-7/messages/devicebound/%24.mid=")
    assert "a%20b=c%2Fd" in topic
    assert payload == b"stop"
    assert await waiting(hub) == 1
    peer.say(puback(packet_id(message)))
    await hub.settle()
    assert await waiting(hub) == 0
    (record,) = await hub.mqtt.commands.feedback(by_operator(Permission.FEEDBACK_READ), after=0, limit=10)
    assert record.outcome is Outcome.SUCCESS


async def test_a_command_waits_for_a_device_that_does_not_listen(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS)
    await send(hub, b"stop")
    await hub.settle()
    assert peer.hear() == []
    peer.subscribe((COMMANDS, 1))
    await hub.settle()
    assert [first for first, _ in peer.hear()] == [0x90, 0x32]


async def test_with_qos_0_a_command_is_complete_when_it_is_sent(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS, (COMMANDS, 0))
    await send(hub, b"stop")
    await hub.settle()
    assert [first for first, _ in peer.hear()] == [0x30]
    assert await waiting(hub) == 0


async def test_what_was_not_acknowledged_comes_again_on_the_next_connection_without_subscribe(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS, (COMMANDS, 1))
    await send(hub, b"stop")
    await hub.settle()
    assert len(peer.hear()) == 1
    peer.conversation.lost()
    again = hub.dial()
    again.say(await hub.hello(PRESS))
    await hub.settle()
    _, message = again.hear()
    assert message[0] == 0x3A  # DUP, QoS 1
    assert published(message)[1] == b"stop"


async def test_commands_come_in_order_and_no_more_at_a_time_than_the_window(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS, (COMMANDS, 1))
    for number in range(40):
        await send(hub, b"%d" % number)
    await hub.settle()
    bodies = []
    while messages := peer.hear():
        assert len(messages) <= hub.mqtt.settings.limits.send_window
        bodies += [published(message)[1] for message in messages]
        peer.say(*(puback(packet_id(message)) for message in messages))
        await hub.settle()
    assert bodies == [b"%d" % number for number in range(40)]
    assert await waiting(hub) == 0


async def test_a_command_whose_topic_no_packet_can_hold_is_dead_lettered(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS, (COMMANDS, 1))
    await send(hub, b"", ack=Ack.NEGATIVE, properties={"k": "/" * 30_000})
    await send(hub, b"next")
    await hub.settle()
    assert [published(message)[1] for message in peer.hear()] == [b"next"]
    (record,) = await hub.mqtt.commands.feedback(by_operator(Permission.FEEDBACK_READ), after=0, limit=10)
    assert record.outcome is Outcome.REJECTED


async def test_a_command_purged_while_the_device_took_it_is_no_error(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS, (COMMANDS, 1))
    await send(hub, b"stop")
    await hub.settle()
    (message,) = peer.hear()
    await hub.mqtt.commands.purge(by_operator(Permission.COMMAND_PURGE, PRESS))
    peer.say(puback(packet_id(message)))
    await hub.settle()
    assert not peer.channel.closed


async def test_a_completion_that_cannot_be_stored_ends_the_session_and_the_command_comes_again(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS, (COMMANDS, 1))
    await send(hub, b"stop")
    await hub.settle()
    (message,) = peer.hear()
    hub.trouble.refusals = 1000
    peer.say(puback(packet_id(message)))
    await hub.settle()
    assert peer.channel.closed
    hub.trouble.refusals = 0
    assert await waiting(hub) == 1


async def test_a_command_fetched_for_a_connection_that_just_ended_goes_back(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS, (COMMANDS, 1))
    await send(hub, b"stop")
    peer.conversation.lost()
    await hub.settle()
    again = await hub.connected(PRESS)
    await hub.settle()
    assert await waiting(hub) == 1
    assert not again.channel.closed


async def test_a_session_that_never_held_a_command_has_nothing_to_give_back(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS, (COMMANDS, 1))
    hub.trouble.calls.clear()
    peer.conversation.lost()
    await hub.settle()
    assert "release_commands" not in hub.trouble.calls


async def test_a_fetch_whose_answer_was_lost_is_given_back(hub: MqttHub) -> None:
    peer = await hub.connected(PRESS, (COMMANDS, 1))
    hub.trouble.only, hub.trouble.refusals = frozenset({"lock_commands"}), 1
    hub.trouble.calls.clear()
    await send(hub, b"stop")
    await hub.settle()
    assert peer.channel.closed
    assert "release_commands" in hub.trouble.calls
