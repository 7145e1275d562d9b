"""The log as it is stored, as a stream of lines."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from ironhub.access.model import Permission
from ironhub.console.auth import Authenticated
from ironhub.console.following import LogReader, Start, decode_start
from ironhub.console.routes import router
from ironhub.console.shapes.instants import shown_instant
from ironhub.console.themes import FACTS, TELEMETRY, Theme, kind_of, theme_of
from ironhub.core.ids import device_id
from ironhub.core.strict_json import encode_json
from ironhub.dialects.azure.events import decode_event, event_json
from ironhub.messaging.telemetry.model import Logged

routes: Final[APIRouter] = router("/events", "events")

From = Annotated[str, Query(alias="from", description="earliest, latest, or a number of seconds ago", max_length=32)]
Count = Annotated[int | None, Query(ge=1, description="End after so many.")]
Kinds = Annotated[tuple[Theme, ...], Query(description="What to tell of.", max_length=len(Theme))]
Timeout = Annotated[float | None, Query(ge=0, description="End after so many seconds.")]


@routes.get("", response_class=StreamingResponse)
async def stream_events(
    caller: Authenticated,
    start: From = "latest",
    device: str | None = None,
    count: Count = None,
    timeout: Timeout = None,
    follow: Annotated[bool, Query(description="Wait for more at the end of the log.")] = True,
    facts: Annotated[bool, Query(description="Also twin changes and devices that come and go.")] = False,
    kind: Kinds = (),
) -> StreamingResponse:
    """Return telemetry as lines of JSON, oldest first, as soon as it is stored; where to begin is settled at once.

    With `kind`, which may be given more than once, exactly these kinds of events instead of telemetry.
    """
    grant = caller.may(Permission.TELEMETRY_READ)
    beginning: Start = decode_start(start, caller.services.clock.now())
    reader = LogReader(
        caller.services.telemetry,
        grant,
        caller.services.clock,
        device=None if device is None else device_id(device),
        themes=frozenset(kind) or (TELEMETRY | FACTS if facts else TELEMETRY),
        stopping=caller.services.stopping,
    )
    await reader.seek(beginning)
    entries = reader.read(count=count, timeout=timeout, follow=follow)
    return StreamingResponse(_lines(entries, caller.services.hub_names[0]), media_type="application/x-ndjson")


async def _lines(entries: AsyncIterator[Logged], hub_name: str) -> AsyncIterator[bytes]:
    async for logged in entries:
        yield encode_json(event_given(logged, hub_name)) + b"\n"


def event_given(logged: Logged, hub_name: str) -> dict[str, Any]:
    """Return one entry of the log as the admin API gives it."""
    event = event_json(decode_event(logged, hub_name))
    who = logged.entry.origin.identity
    return {
        "device_id": who.device_id,
        "module_id": who.module_id,
        "kind": kind_of(logged.entry) or theme_of(logged.entry),
        "enqueued_at": shown_instant(logged.enqueued_at),
        "partition": logged.partition,
        "sequence_number": logged.sequence_number,
        "body": event["body"],
        "properties": event["properties"],
        "system_properties": event["systemProperties"],
    }
