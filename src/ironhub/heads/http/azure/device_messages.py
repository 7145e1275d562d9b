"""What devices and modules do over HTTPS: send telemetry, and fetch and settle commands (azure-device-api 2.2 to 2.4).

Each request is admitted by itself: a connection that is kept open carries no right from one request to the next.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from ironhub.access.model import Permission
from ironhub.core.errors import HubError
from ironhub.dialects.azure.http_messages import (
    HttpMessage,
    decode_batch,
    decode_properties,
    encode_delivery,
    is_batch,
)
from ironhub.heads.http.azure.calls import Call, Door, Handler, Route
from ironhub.heads.http.messages import Response
from ironhub.messaging.commands.model import LockLost
from ironhub.messaging.commands.service import CommandService
from ironhub.messaging.telemetry.model import MAX_MESSAGE, Encoding, Entry, MessageTooLarge
from ironhub.messaging.telemetry.service import TelemetryService, Uplink

BYTES: Final = "application/octet-stream"
MAX_AT_ONCE: Final = 32_768
"""Bytes of a batch that is decoded while everybody waits."""
_DONE: Final = Response(204)


class DeviceMessageCalls:
    """Telemetry in and commands out, for who polls instead of being connected."""

    def __init__(self, telemetry: TelemetryService, commands: CommandService) -> None:
        self._telemetry = telemetry
        self._commands = commands

    def routes(self) -> Sequence[Route]:
        """Return what it serves."""
        waiting = "messages/devicebound"
        calls: dict[tuple[str, str], Handler] = {
            ("POST", "messages/events"): self._send,
            ("GET", waiting): self._receive,
            ("DELETE", f"{waiting}/{{lock}}"): self._settle,
            ("POST", f"{waiting}/{{lock}}/abandon"): self._abandon,
        }
        owners = "/devices/{device}", "/devices/{device}/modules/{module}"
        return [
            Route(method, f"{owner}/{path}", handler, Door.DEVICE)
            for (method, path), handler in calls.items()
            for owner in owners
        ]

    async def _send(self, call: Call) -> Response:
        """Answered once it is on disk, like a PUBACK."""
        uplink = self._telemetry.uplink(call.may(Permission.TELEMETRY_SEND), Encoding.JSON)
        messages = await _messages(call)
        if sum(len(message.body) + len(message.properties) for message in messages) > MAX_MESSAGE:
            raise MessageTooLarge(f"the request has more than {MAX_MESSAGE} bytes of bodies and properties")
        if messages:
            await _stored(uplink, [Entry(uplink.origin, properties, body) for properties, body in messages])
        return _DONE

    async def _receive(self, call: Call) -> Response:
        for delivery in await self._commands.receive(call.may(Permission.COMMAND_RECEIVE), limit=1):
            return Response(200, delivery.command.body, encode_delivery(delivery), BYTES)
        return _DONE

    async def _settle(self, call: Call) -> Response:
        """Completed, or rejected where the address ends in `reject`, which may have no value."""
        grant, lock = call.may(Permission.COMMAND_RECEIVE), _lock(call)
        if call.query.get("reject", "false").lower() == "false":
            await self._commands.complete(grant, lock)
        else:
            await self._commands.reject(grant, lock)
        return _DONE

    async def _abandon(self, call: Call) -> Response:
        await self._commands.abandon(call.may(Permission.COMMAND_RECEIVE), _lock(call))
        return _DONE


async def _messages(call: Call) -> list[HttpMessage]:
    head, body = call.request.head, call.request.body
    if not is_batch(head.headers.get("content-type", "")):
        return [HttpMessage(decode_properties(head.fields, head.path), body)]
    if len(body) <= MAX_AT_ONCE:
        return decode_batch(body)
    return await asyncio.to_thread(decode_batch, body)  # a bomb keeps its own sender waiting, and nobody else


async def _stored(uplink: Uplink, entries: list[Entry]) -> None:
    """Wait until `entries` are on disk. Raises Unavailable: none of them is."""
    outcome: asyncio.Future[HubError | None] = asyncio.get_running_loop().create_future()

    def stored(error: HubError | None) -> None:
        if not outcome.done():
            outcome.set_result(error)

    uplink.send(entries, stored)
    if (error := await outcome) is not None:
        raise error


def _lock(call: Call) -> str:
    """The lock that the address names; a condition that names another one is not met."""
    lock = call.values["lock"]
    if call.if_match not in (None, "*", lock):
        raise LockLost("If-Match names another lock than the address")
    return lock
