"""A device on AMQP as the head's tests see it: its links by what they are for, over the head in memory."""

import itertools
from collections.abc import Callable
from typing import Any, Final

from tests.fakes.amqp_client import AmqpClient, ClientLink, Received
from tests.fakes.amqp_head import AmqpHub, Peer
from tests.fakes.grants import by_operator

from ironhub.access.model import Permission
from ironhub.core.ids import Identity, identity
from ironhub.core.strict_json import decode_json
from ironhub.messaging.commands.model import CommandDraft
from ironhub.wire.amqp import encode
from ironhub.wire.amqp.properties import decode_properties, properties_section
from ironhub.wire.amqp.sections import annotations_section, application_section, data_section, encode_message

PRESS: Final = identity("press-7")
ARM: Final = identity("press-7", "arm")
LATHE: Final = identity("lathe-1")
CORRELATION: Final = "com.microsoft:channel-correlation-id"
_numbers: Final = itertools.count(1)


def path_of(who: Identity, rest: str) -> str:
    """Return a link address of `who`."""
    module = f"/modules/{who.module_id}" if who.module_id else ""
    return f"/devices/{who.device_id}{module}/{rest}"


class Device:
    """One connection on which tokens were put; every step waits until the hub has nothing more to do."""

    def __init__(self, hub: AmqpHub, peer: Peer) -> None:
        self.hub = hub
        self.peer = peer

    @classmethod
    async def connected(cls, hub: AmqpHub, *identities: Identity) -> "Device":
        """Return a new connection that shows the tokens of `identities`."""
        return cls(hub, await hub.connected(*[await hub.token(who) for who in identities]))

    @property
    def client(self) -> AmqpClient:
        """What it says and hears."""
        return self.peer.client

    @property
    def is_cut(self) -> bool:
        """Whether the hub has closed the connection."""
        return self.peer.channel.closed

    async def settle(self) -> None:
        """Let the hub do what it has to do, and hear it."""
        await self.peer.settle()

    async def sends(self, rest: str, who: Identity = PRESS, *, pair: str = "", **more: Any) -> ClientLink:
        """Attach a link to send on, e.g. to "messages/events"."""
        link = self.client.sender(path_of(who, rest), properties=_pairing(pair), **more)
        await self.settle()
        return link

    async def receives(self, rest: str, who: Identity = PRESS, *, pair: str = "", **more: Any) -> ClientLink:
        """Attach a link to receive on, e.g. from "messages/devicebound"."""
        link = self.client.receiver(path_of(who, rest), properties=_pairing(pair), **more)
        await self.settle()
        return link

    async def together(self, *steps: Callable[[], object]) -> None:
        """Say in one piece what the steps say."""
        pieces: list[bytes] = []
        self.client.send, send = pieces.append, self.client.send
        for step in steps:
            step()
        self.client.send = send
        send(b"".join(pieces))
        await self.settle()

    async def transfer(self, link: ClientLink, payload: bytes, **more: Any) -> int:
        """Send one message; returns its delivery id."""
        delivery_id = self.client.transfer(link, payload, **more)
        await self.settle()
        return delivery_id


def twin_request(operation: str, resource: str = "", body: bytes = b" ", correlation: str = "") -> bytes:
    """Return a request as the Node SDK writes it."""
    annotations = [("operation", encode.string(operation))]
    if resource:
        annotations.append(("resource", encode.string(resource)))
    return encode_message(
        message_annotations=annotations_section(annotations),
        properties=properties_section(correlation_id=encode.string(correlation or f"c{next(_numbers)}")),
        body=data_section(body),
    )


def get_twin(correlation: str = "") -> bytes:
    """Return the request for the own twin."""
    return twin_request("GET", correlation=correlation)


def patch_twin(body: bytes, correlation: str = "") -> bytes:
    """Return the request to change the reported properties."""
    return twin_request("PATCH", "/properties/reported", body, correlation)


def observe_twin(operation: str = "PUT") -> bytes:
    """Return the request to be told of desired properties (DELETE: no more)."""
    return twin_request(operation, "/notifications/twin/properties/desired")


def method_answer(call: Received, status: int, body: bytes) -> bytes:
    """Return what a device answers to a call."""
    return encode_message(
        properties=properties_section(correlation_id=decode_properties(call.message.properties).correlation_id_raw),
        application_properties=application_section([("IoThub-status", encode.int_(status))]),
        body=data_section(body),
    )


def status_of(reply: Received) -> tuple[object, object]:
    """Return the status and the correlation id of an answer."""
    return reply.annotations["status"], decode_properties(reply.message.properties).correlation_id


def json_of(reply: Received) -> Any:
    """Return the body of an answer or notice."""
    return decode_json(reply.body)


async def send_command(hub: AmqpHub, body: bytes, who: Identity = PRESS, **fields: Any) -> None:
    """Queue a command."""
    await hub.amqp.commands.send(by_operator(Permission.COMMAND_SEND, who), CommandDraft(body=body, **fields))


async def waiting_commands(hub: AmqpHub, who: Identity = PRESS) -> int:
    """How many commands wait or are held."""
    return await hub.stores.commands.count_commands(who)


def _pairing(pair: str) -> list[tuple[str, bytes]]:
    return [(CORRELATION, encode.string(pair))] if pair else []
