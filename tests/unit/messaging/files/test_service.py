"""Uploads: each device under its own name, told of as what is really stored."""

import pytest
from tests.fakes.clock import START
from tests.fakes.files import SmallFiles
from tests.fakes.grants import by_device, by_operator

from ironhub.access.model import Permission, PermissionDenied
from ironhub.core.errors import InvalidArgument, Unavailable
from ironhub.core.ids import Identity, identity
from ironhub.messaging.files.blobs import BlobNameInvalid
from ironhub.messaging.files.model import (
    FileLockLost,
    FileMissing,
    FileSettings,
    Outcome,
    TooManyUploads,
    UploadExpired,
    UploadUnknown,
)
from ironhub.messaging.files.ports import NewContent

PRESS, OTHER, ARM = identity("press-7"), identity("press-8"), identity("press-7", "arm")
OK, FAILED = Outcome(True, 200, "ok"), Outcome(False, 500, "no")
UPLOAD, NOTIFIED = Permission.FILE_UPLOAD, Permission.FILE_NOTIFICATION_READ
SETTINGS = FileSettings(max_open=2, link_ttl=60.0, notification_ttl=100.0, lock_duration=10.0, max_delivery_count=2)


@pytest.fixture
async def files() -> SmallFiles:
    made = SmallFiles(uploads=SETTINGS)
    await made.register(PRESS, OTHER, ARM)
    return made


async def begin(files: SmallFiles, who: Identity = PRESS, name: str = "a.txt") -> str:
    return (await files.uploads.begin(by_device(UPLOAD, who), name, host="hub:443")).upload.correlation_id


async def queued(files: SmallFiles) -> list[int]:
    found = await files.uploads.notifications(by_operator(NOTIFIED), after=0, limit=10)
    return [each.notice.size for each in found]


async def test_a_device_writes_under_its_own_name_where_it_reached_the_hub(files: SmallFiles) -> None:
    offer = await files.uploads.begin(by_device(UPLOAD, PRESS), "log/a.txt", host="hub:443")
    upload = offer.upload
    assert (upload.host, upload.container, upload.blob) == ("hub:443", "uploads", "press-7/log/a.txt")
    assert upload.expires_at == START + 60.0
    assert "sp=rw" in offer.token


@pytest.mark.parametrize("name", ["../press-8/a", "/a", "", "a/..", "a\\..\\b", ".", "x" * 1020])
async def test_no_name_leads_elsewhere(files: SmallFiles, name: str) -> None:
    with pytest.raises(BlobNameInvalid):
        await begin(files, name=name)


async def test_a_module_has_no_files(files: SmallFiles) -> None:
    with pytest.raises(PermissionDenied):
        await begin(files, ARM)


async def test_what_is_told_is_what_is_stored(files: SmallFiles) -> None:
    correlation_id = await begin(files)
    with pytest.raises(FileMissing):
        await files.uploads.end(by_device(UPLOAD, PRESS), correlation_id, OK)
    await files.put("press-7/a.txt", b"12345")
    await files.uploads.end(by_device(UPLOAD, PRESS), correlation_id, OK)
    (found,) = await files.uploads.notifications(by_operator(NOTIFIED), after=0, limit=10)
    assert found.notice.size == 5
    assert found.notice.uri == "https://hub:443/uploads/press-7/a.txt"
    with pytest.raises(UploadUnknown):
        await files.uploads.end(by_device(UPLOAD, PRESS), correlation_id, OK)


async def test_nobody_ends_anothers_upload(files: SmallFiles) -> None:
    correlation_id = await begin(files)
    await files.put("press-7/a.txt", b"12345")
    with pytest.raises(UploadUnknown):
        await files.uploads.end(by_device(UPLOAD, OTHER), correlation_id, OK)
    assert await queued(files) == []


async def test_only_so_many_are_open_and_their_time_ends(files: SmallFiles) -> None:
    first = await begin(files)
    await begin(files)
    with pytest.raises(TooManyUploads):
        await begin(files)
    await begin(files, OTHER)
    files.clock.advance(60.0)
    with pytest.raises(UploadExpired):
        await files.uploads.end(by_device(UPLOAD, PRESS), first, OK)
    assert await files.uploads.sweep(10) == 3
    await begin(files)
    assert files.uploads.tally.counts["expired"] == 3


async def test_a_failure_is_told_to_nobody_and_its_blocks_go(files: SmallFiles) -> None:
    correlation_id = await begin(files)
    await files.index.begin_content(NewContent("c1", "uploads", "press-7/a.txt"))
    await files.index.stage_block("c1", "YQ==", size=1, now=START, due_at=START + 900, max_staged=9)
    await files.uploads.end(by_device(UPLOAD, PRESS), correlation_id, FAILED)
    assert await queued(files) == []
    assert [piece.content_id for piece in await files.index.due_contents(now=START, limit=9)] == ["c1"]


async def test_a_store_that_fails_on_the_way_keeps_nobody_from_giving_up(files: SmallFiles) -> None:
    correlation_id = await begin(files)

    async def broken(container: str, blob: str) -> None:
        raise Unavailable("no")

    files.depot.give_up = broken  # type: ignore[method-assign]  # the store below it is out of order
    await files.uploads.end(by_device(UPLOAD, PRESS), correlation_id, FAILED)


async def test_nobody_is_told_where_that_is_switched_off() -> None:
    files = SmallFiles(uploads=FileSettings(notifications=False))
    await files.register(PRESS)
    correlation_id = await begin(files)
    await files.put("press-7/a.txt", b"12345")
    await files.uploads.end(by_device(UPLOAD, PRESS), correlation_id, OK)
    assert await queued(files) == []


async def test_the_queue_is_taken_settled_and_comes_back(files: SmallFiles) -> None:
    grant = by_operator(NOTIFIED)
    for name in ("a", "b"):
        correlation_id = await begin(files, name=name)
        await files.put(f"press-7/{name}", name.encode() * (1 + (name == "b")))
        await files.uploads.end(by_device(UPLOAD, PRESS), correlation_id, OK)
    held = await files.uploads.receive(grant, limit=2)
    await files.uploads.complete(grant, held[0].lock_token)
    await files.uploads.abandon(grant, held[1].lock_token)
    with pytest.raises(FileLockLost):
        await files.uploads.complete(grant, held[0].lock_token)
    (again,) = await files.uploads.receive(grant)
    assert again.notification.delivery_count == 1
    files.clock.advance(10.0)
    await files.uploads.sweep(10)
    assert await queued(files) == []


async def test_the_queue_can_be_dropped_and_is_bounded_in_what_it_hands_out(files: SmallFiles) -> None:
    grant = by_operator(NOTIFIED)
    correlation_id = await begin(files)
    await files.put("press-7/a.txt", b"12345")
    await files.uploads.end(by_device(UPLOAD, PRESS), correlation_id, OK)
    for limit in (0, 101):
        with pytest.raises(InvalidArgument):
            await files.uploads.receive(grant, limit=limit)
    await files.uploads.drop(grant, up_to=1)
    assert await queued(files) == []


async def test_a_device_reads_no_notifications_and_an_operator_uploads_nothing(files: SmallFiles) -> None:
    grant = by_device(UPLOAD, PRESS)
    for call in (
        files.uploads.notifications(grant, after=0, limit=1),
        files.uploads.receive(grant),
        files.uploads.complete(grant, "x"),
        files.uploads.abandon(grant, "x"),
        files.uploads.drop(grant, up_to=1),
        files.uploads.begin(by_operator(NOTIFIED), "a", host="hub"),
        files.uploads.end(by_operator(NOTIFIED), "c", OK),
    ):
        with pytest.raises(PermissionDenied):
            await call
    one_only = by_operator(NOTIFIED, PRESS)
    with pytest.raises(PermissionDenied):
        await files.uploads.receive(one_only)


async def test_who_waits_is_told_of_what_comes_and_of_what_comes_back(files: SmallFiles) -> None:
    grant, told = by_operator(NOTIFIED), list[int]()
    files.uploads.arrivals.subscribe(lambda: told.append(1))
    correlation_id = await begin(files)
    await files.put("press-7/a.txt", b"12345")
    assert told == []
    await files.uploads.end(by_device(UPLOAD, PRESS), correlation_id, OK)
    assert len(told) == 1
    [held] = await files.uploads.receive(grant)
    await files.uploads.abandon(grant, held.lock_token)
    assert len(told) == 2
    await files.uploads.receive(grant)
    await files.uploads.sweep(10)
    assert len(told) == 2
    files.clock.advance(10.0)
    await files.uploads.sweep(10)
    assert len(told) == 3
