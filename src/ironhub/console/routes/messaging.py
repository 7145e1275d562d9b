"""Commands, their feedback, and direct methods."""

import json
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from ironhub.access.model import Permission
from ironhub.console.auth import Authenticated
from ironhub.console.routes import router
from ironhub.console.shapes.messaging import (
    CommandGiven,
    FeedbackGiven,
    FeedbackList,
    MethodGiven,
    MethodTaken,
    NewCommand,
    PurgedGiven,
    QueueGiven,
)
from ironhub.core.ids import identity
from ironhub.messaging.commands.model import CommandTooLarge, ExpiryInvalid, QueueFull
from ironhub.messaging.methods.model import (
    DeviceConnectionLost,
    DeviceNotOnline,
    MethodAnswerInvalid,
    MethodTimeout,
    TooManyCalls,
)
from ironhub.registry.model import DeviceNotFound, ModuleNotFound

routes: Final[APIRouter] = router(
    "",
    "messaging",
    DeviceNotFound,
    ModuleNotFound,
    QueueFull,
    CommandTooLarge,
    ExpiryInvalid,
    DeviceNotOnline,
    DeviceConnectionLost,
    MethodTimeout,
    MethodAnswerInvalid,
    TooManyCalls,
)


@routes.post("/devices/{device_id}/methods")
async def invoke_method(
    caller: Authenticated, device_id: str, method: MethodTaken, module: str | None = None
) -> MethodGiven:
    """Call a direct method of a connected device and return its own answer."""
    grant = caller.may(Permission.METHOD_INVOKE, identity(device_id, module))
    given = await caller.services.methods.invoke(grant, method.call())
    return MethodGiven(status=given.status, payload=json.loads(given.payload))


@routes.post("/devices/{device_id}/commands", status_code=201)
async def send_command(
    caller: Authenticated, device_id: str, new: NewCommand, module: str | None = None
) -> CommandGiven:
    """Queue a command; the device gets it as soon as it is connected and listens."""
    grant = caller.may(Permission.COMMAND_SEND, identity(device_id, module))
    command = await caller.services.commands.send(grant, new.draft(caller.services.clock.now()))
    return CommandGiven.of(command)


@routes.get("/devices/{device_id}/commands")
async def count_commands(caller: Authenticated, device_id: str, module: str | None = None) -> QueueGiven:
    """Return how many commands wait, or are in the device's hands."""
    grant = caller.may(Permission.COMMAND_PURGE, identity(device_id, module))
    return QueueGiven(pending=await caller.services.commands.pending(grant))


@routes.delete("/devices/{device_id}/commands")
async def purge_commands(caller: Authenticated, device_id: str, module: str | None = None) -> PurgedGiven:
    """Remove everything from the queue."""
    grant = caller.may(Permission.COMMAND_PURGE, identity(device_id, module))
    return PurgedGiven(purged=await caller.services.commands.purge(grant))


@routes.get("/feedback")
async def list_feedback(
    caller: Authenticated, after: int = 0, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> FeedbackList:
    """Return feedback records with ids above `after`, in order."""
    grant = caller.may(Permission.FEEDBACK_READ)
    records = await caller.services.commands.feedback(grant, after=after, limit=limit)
    return FeedbackList(feedback=tuple(FeedbackGiven.of(record) for record in records))


@routes.delete("/feedback", status_code=204)
async def drop_feedback(caller: Authenticated, up_to: int) -> Response:
    """Forget the feedback records with ids up to and including `up_to`."""
    grant = caller.may(Permission.FEEDBACK_READ)
    await caller.services.commands.drop_feedback(grant, up_to=up_to)
    return Response(status_code=204)
