"""File notifications, blobs, and links to containers."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from ironhub.access.model import BlobPlace, Permission
from ironhub.console.auth import Authenticated
from ironhub.console.routes import router
from ironhub.console.shapes.files import (
    BlobGiven,
    BlobList,
    DeliveryGiven,
    DeliveryList,
    LinkGiven,
    NewLink,
    NotificationGiven,
    NotificationList,
)
from ironhub.console.shapes.instants import shown_instant
from ironhub.dialects.azure.blob_sas import encode_link
from ironhub.messaging.files.blobs import BlobNameInvalid, BlobNotFound, check_container
from ironhub.messaging.files.model import FileLockLost

routes: Final[APIRouter] = router("/files", "files", BlobNotFound, BlobNameInvalid, FileLockLost)

Limit = Annotated[int, Query(ge=1, le=1000)]
Few = Annotated[int, Query(ge=1, le=100)]


@routes.get("/notifications")
async def list_notifications(caller: Authenticated, after: int = 0, limit: Limit = 100) -> NotificationList:
    """Return file notifications with ids above `after`, in order, without taking them."""
    grant = caller.may(Permission.FILE_NOTIFICATION_READ)
    found = await caller.services.uploads.notifications(grant, after=after, limit=limit)
    return NotificationList(notifications=tuple(NotificationGiven.of(each) for each in found))


@routes.post("/notifications/receive")
async def receive_notifications(caller: Authenticated, limit: Few = 1) -> DeliveryList:
    """Take the oldest file notifications; each comes back unless it is completed before its lock ends."""
    grant = caller.may(Permission.FILE_NOTIFICATION_READ)
    held = await caller.services.uploads.receive(grant, limit=limit)
    return DeliveryList(deliveries=tuple(DeliveryGiven.of(each) for each in held))


@routes.post("/notifications/locks/{lock_token}/complete", status_code=204)
async def complete_notification(caller: Authenticated, lock_token: str) -> Response:
    """Forget a file notification that was received."""
    await caller.services.uploads.complete(caller.may(Permission.FILE_NOTIFICATION_READ), lock_token)
    return Response(status_code=204)


@routes.post("/notifications/locks/{lock_token}/abandon", status_code=204)
async def abandon_notification(caller: Authenticated, lock_token: str) -> Response:
    """Give a file notification back that was received."""
    await caller.services.uploads.abandon(caller.may(Permission.FILE_NOTIFICATION_READ), lock_token)
    return Response(status_code=204)


@routes.delete("/notifications", status_code=204)
async def drop_notifications(caller: Authenticated, up_to: int) -> Response:
    """Forget the file notifications with ids up to and including `up_to`."""
    await caller.services.uploads.drop(caller.may(Permission.FILE_NOTIFICATION_READ), up_to=up_to)
    return Response(status_code=204)


@routes.get("/containers/{container}/blobs")
async def list_blobs(
    caller: Authenticated, container: str, prefix: str = "", after: str | None = None, limit: Limit = 100
) -> BlobList:
    """Return a page of a container's blobs, ordered by name."""
    grant = caller.may(Permission.BLOB_LIST, BlobPlace(container))
    page = await caller.services.blobs.list_page(grant, prefix=prefix, after=after, limit=limit)
    return BlobList(blobs=tuple(BlobGiven.of(blob) for blob in page.items), after=page.after)


@routes.delete("/containers/{container}/blobs", status_code=204)
async def delete_blob(caller: Authenticated, container: str, name: str) -> Response:
    """Delete a blob."""
    await caller.services.blobs.delete(caller.may(Permission.BLOB_DELETE, BlobPlace(container, name)))
    return Response(status_code=204)


@routes.post("/containers/{container}/link")
async def make_link(caller: Authenticated, container: str, new: NewLink) -> LinkGiven:
    """Return a link to a container of the hub's own store; a container is there as soon as something is in it."""
    caller.may(Permission.BLOB_SHARE, BlobPlace(check_container(container)))
    services = caller.services
    ends_at = services.clock.now() + new.hours * 3600.0
    token = encode_link(services.blob_account, container, None, new.permissions, expires_at=ends_at)
    host = new.host or services.hub_names[0]
    url = f"https://{host}/{container}?{token}"
    return LinkGiven(url=url, account=services.blob_account.name, expires_at=shown_instant(ends_at))
