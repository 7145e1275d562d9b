"""Every UploadStore keeps what it promises (messaging/files/ports.py)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.contracts.stores import ARM, CREATED_AT, IMPLEMENTATIONS, NOBODY, PRESS, open_stores, register

from ironhub.core.ids import Identity, device_id
from ironhub.identity.links import BlobAccount
from ironhub.identity.model import SymmetricKeys
from ironhub.messaging.files.model import FileLockLost, FileNotice, TooManyUploads, Upload, UploadUnknown
from ironhub.registry.model import DeviceNotFound
from ironhub.storage.stores import Stores

OTHER = Identity(device_id("press-8"))
NOW = CREATED_AT


@pytest.fixture(params=IMPLEMENTATIONS)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with open_stores(request.param, tmp_path) as opened:
        await register(opened, PRESS, OTHER, ARM)
        yield opened


def upload(number: int = 1, who: Identity = PRESS, *, ends_in: float = 60.0) -> Upload:
    return Upload(
        correlation_id=f"c{number}",
        identity=who,
        host="hub.example:8443",
        container="uploads",
        blob=f"{who.device_id}/file{number}",
        created_at=NOW,
        expires_at=NOW + ends_in,
    )


def notice(number: int = 1, *, ends_in: float = 3600.0) -> FileNotice:
    return FileNotice(
        identity=PRESS,
        blob=f"press-7/file{number}",
        uri=f"https://hub.example/uploads/press-7/file{number}",
        size=number,
        modified_at=NOW,
        enqueued_at=NOW,
        expires_at=NOW + ends_in,
    )


async def queue(stores: Stores, *notices: FileNotice) -> None:
    for number, each in enumerate(notices, 100):
        begun = upload(number)
        await stores.uploads.add_upload(begun, max_open=1000)
        await stores.uploads.end_upload(begun, each)


async def test_an_upload_is_found_by_its_own_device_only(stores: Stores) -> None:
    await stores.uploads.add_upload(upload(), max_open=10)
    assert await stores.uploads.get_upload(PRESS, "c1") == upload()
    for who in (OTHER, ARM, NOBODY):
        assert await stores.uploads.get_upload(who, "c1") is None
    assert await stores.uploads.get_upload(PRESS, "c2") is None


async def test_who_has_all_uploads_open_gets_no_more_and_others_do(stores: Stores) -> None:
    for number in range(3):
        await stores.uploads.add_upload(upload(number), max_open=3)
    with pytest.raises(TooManyUploads):
        await stores.uploads.add_upload(upload(4), max_open=3)
    assert await stores.uploads.get_upload(PRESS, "c4") is None
    await stores.uploads.add_upload(upload(5, OTHER), max_open=3)
    later = replace(upload(6), created_at=NOW + 60.0, expires_at=NOW + 120.0)
    await stores.uploads.add_upload(later, max_open=3)


async def test_nobody_unknown_uploads(stores: Stores) -> None:
    with pytest.raises(DeviceNotFound):
        await stores.uploads.add_upload(upload(1, NOBODY), max_open=3)


async def test_an_upload_ends_once_and_leaves_a_notification(stores: Stores) -> None:
    await stores.uploads.add_upload(upload(), max_open=10)
    await stores.uploads.end_upload(upload(), notice())
    with pytest.raises(UploadUnknown):
        await stores.uploads.end_upload(upload(), notice())
    (found,) = await stores.uploads.list_notifications(after=0, limit=10, now=NOW)
    assert (found.notice, found.delivery_count) == (notice(), 0)
    assert await stores.uploads.get_upload(PRESS, "c1") is None


async def test_an_upload_may_end_without_a_notification(stores: Stores) -> None:
    await stores.uploads.add_upload(upload(), max_open=10)
    await stores.uploads.end_upload(upload(), None)
    assert await stores.uploads.list_notifications(after=0, limit=10, now=NOW) == []


async def test_an_upload_goes_with_its_device(stores: Stores) -> None:
    await stores.uploads.add_upload(upload(), max_open=10)
    await stores.devices.delete_device(PRESS.device_id, replacing="e1")
    assert await stores.uploads.get_upload(PRESS, "c1") is None
    assert await stores.uploads.next_upload_due() is None


async def test_uploads_that_are_over_are_forgotten_longest_over_first(stores: Stores) -> None:
    for number, ends_in in ((1, 30.0), (2, 10.0), (3, 90.0)):
        await stores.uploads.add_upload(upload(number, ends_in=ends_in), max_open=10)
    assert await stores.uploads.next_upload_due() == NOW + 10.0
    assert await stores.uploads.expire_uploads(now=NOW + 9.0, limit=10) == []
    assert [each.correlation_id for each in await stores.uploads.expire_uploads(now=NOW + 40.0, limit=1)] == ["c2"]
    assert [each.correlation_id for each in await stores.uploads.expire_uploads(now=NOW + 40.0, limit=9)] == ["c1"]
    assert await stores.uploads.next_upload_due() == NOW + 90.0


async def test_notifications_are_handed_out_in_order_each_to_one(stores: Stores) -> None:
    await queue(stores, notice(1), notice(2), notice(3))
    first = await stores.uploads.lock_notifications(now=NOW, locked_until=NOW + 60.0, limit=2)
    assert [each.notification.notice.size for each in first] == [1, 2]
    (second,) = await stores.uploads.lock_notifications(now=NOW, locked_until=NOW + 60.0, limit=2)
    assert second.notification.notice.size == 3
    assert len({each.lock_token for each in (*first, second)}) == 3
    assert await stores.uploads.lock_notifications(now=NOW, locked_until=NOW + 60.0, limit=2) == []
    assert len(await stores.uploads.list_notifications(after=0, limit=10, now=NOW)) == 3
    await stores.uploads.complete_notification(first[0].lock_token, now=NOW + 1.0)
    left = await stores.uploads.list_notifications(after=0, limit=10, now=NOW)
    assert [each.notice.size for each in left] == [2, 3]


@pytest.mark.parametrize("after", [60.0, 61.0])
async def test_a_lock_that_ended_settles_nothing(stores: Stores, after: float) -> None:
    await queue(stores, notice())
    (held,) = await stores.uploads.lock_notifications(now=NOW, locked_until=NOW + 60.0, limit=1)
    for token in (held.lock_token, "other"):
        with pytest.raises(FileLockLost):
            await stores.uploads.complete_notification(token, now=NOW + after)
        with pytest.raises(FileLockLost):
            await stores.uploads.abandon_notification(token, now=NOW + after, max_delivery_count=10)
    assert len(await stores.uploads.list_notifications(after=0, limit=10, now=NOW)) == 1


async def test_what_is_abandoned_comes_back_counted_until_once_too_often(stores: Stores) -> None:
    await queue(stores, notice())
    for count in range(2):
        (held,) = await stores.uploads.lock_notifications(now=NOW, locked_until=NOW + 60.0, limit=1)
        assert held.notification.delivery_count == count
        await stores.uploads.abandon_notification(held.lock_token, now=NOW, max_delivery_count=2)
    assert await stores.uploads.lock_notifications(now=NOW, locked_until=NOW + 60.0, limit=1) == []
    assert await stores.uploads.list_notifications(after=0, limit=10, now=NOW) == []


async def test_locks_that_ran_out_end_and_what_expired_goes(stores: Stores) -> None:
    await queue(stores, notice(1), notice(2, ends_in=100.0))
    await stores.uploads.lock_notifications(now=NOW, locked_until=NOW + 60.0, limit=1)
    assert await stores.uploads.next_upload_due() == NOW + 60.0
    assert await stores.uploads.expire_notifications(now=NOW + 59.0, max_delivery_count=10, limit=10) == 0
    assert await stores.uploads.expire_notifications(now=NOW + 60.0, max_delivery_count=10, limit=10) == 1
    (again,) = await stores.uploads.lock_notifications(now=NOW + 60.0, locked_until=NOW + 99.0, limit=1)
    assert again.notification.delivery_count == 1
    assert await stores.uploads.expire_notifications(now=NOW + 100.0, max_delivery_count=10, limit=10) == 2
    left = await stores.uploads.list_notifications(after=0, limit=10, now=NOW)
    assert [each.notice.size for each in left] == [1]
    assert await stores.uploads.lock_notifications(now=NOW + 3600.0, locked_until=NOW + 3700.0, limit=1) == []


async def test_a_lock_that_outlives_its_notification_ends_with_it(stores: Stores) -> None:
    await queue(stores, notice(ends_in=30.0))
    await stores.uploads.lock_notifications(now=NOW, locked_until=NOW + 60.0, limit=1)
    await stores.uploads.expire_notifications(now=NOW + 60.0, max_delivery_count=10, limit=10)
    assert await stores.uploads.next_upload_due() is None


async def test_notifications_are_listed_in_pages_and_dropped(stores: Stores) -> None:
    await queue(stores, notice(1), notice(2), notice(3))
    page = await stores.uploads.list_notifications(after=0, limit=2, now=NOW)
    assert [each.notice.size for each in page] == [1, 2]
    (last,) = await stores.uploads.list_notifications(after=page[-1].record_id, limit=2, now=NOW)
    await stores.uploads.drop_notifications(page[-1].record_id)
    assert await stores.uploads.list_notifications(after=0, limit=9, now=NOW) == [last]


async def test_the_account_is_kept(stores: Stores) -> None:
    assert await stores.uploads.blob_account() is None
    for name in ("first", "second"):
        account = BlobAccount(name, SymmetricKeys(b"a" * 64, name.encode() * 8))
        await stores.uploads.put_blob_account(account)
        assert await stores.uploads.blob_account() == account
