import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from tests.fakes.grants import by_operator
from tests.fakes.services import SmallHub
from tests.fakes.trouble import settle, troubled, until

from ironhub.access.model import Permission, PermissionDenied
from ironhub.core.bus import CredentialsChanged
from ironhub.core.errors import HubError, InvalidArgument, Unavailable
from ironhub.core.ids import Identity, identity
from ironhub.identity.model import CredentialKind, Credentials, SymmetricKeys
from ironhub.provisioning.bulk.model import BulkResult, DefinedTwice, Row, RowMode, TooManyRows
from ironhub.provisioning.bulk.service import MARK_AGE, BulkService
from ironhub.registry.model import (
    DeviceDraft,
    DeviceExists,
    DeviceNotFound,
    DeviceStatus,
)

PRESS, ARM, OTHER, GATEWAY = identity("press-7"), identity("press-7", "arm"), identity("other"), identity("gw-1")
KEYS = Credentials(CredentialKind.SAS, keys=SymmetricKeys(b"p" * 32, b"s" * 32))
WRITE = by_operator(Permission.REGISTRY_WRITE)
DISABLED = DeviceDraft(status=DeviceStatus.DISABLED)


@pytest.fixture
def hub() -> SmallHub:
    return SmallHub()


@pytest.fixture
def bulk(hub: SmallHub) -> BulkService:
    return BulkService(troubled(hub.stores.bulk, hub.trouble), hub.bus, hub.clock, hub.entropy)


def row(who: Identity = PRESS, mode: RowMode = RowMode.CREATE, **fields: Any) -> Row:
    return Row(identity=who, mode=mode, **fields)


async def errors(bulk: BulkService, *rows: Row | HubError) -> list[type[HubError]]:
    """Apply the rows and return what went wrong."""
    return [type(each.error) for each in (await bulk.apply(WRITE, rows)).errors]


async def test_a_row_that_fails_is_told_and_stops_nobody(hub: SmallHub, bulk: BulkService) -> None:
    unreadable = InvalidArgument("no row")
    result = await bulk.apply(WRITE, [row(), unreadable, row(), row(OTHER, RowMode.UPDATE), row(OTHER)])
    assert result.done == 2
    told = [(each.number, each.identity, type(each.error)) for each in result.errors]
    assert told == [(1, None, InvalidArgument), (2, PRESS, DeviceExists), (3, OTHER, DeviceNotFound)]
    assert await hub.stores.devices.count_devices() == (2, 2)


async def test_too_many_rows_and_names_that_come_twice_change_nothing(hub: SmallHub, bulk: BulkService) -> None:
    with pytest.raises(TooManyRows):
        await bulk.apply(WRITE, [row()] * 3, max_rows=2)
    with pytest.raises(DefinedTwice):
        await bulk.apply(WRITE, [row(), row(ARM), row()], distinct=True)
    with pytest.raises(DefinedTwice):
        await bulk.new_keys(WRITE, [PRESS, PRESS], secondary=False)
    assert await hub.stores.devices.count_devices() == (0, 0)


async def test_a_dry_run_tells_nobody(hub: SmallHub, bulk: BulkService) -> None:
    await bulk.apply(WRITE, [row()])
    result = await bulk.apply(WRITE, [row(mode=RowMode.DELETE), row(OTHER), row(OTHER)], dry_run=True)
    assert (result.done, [each.number for each in result.errors]) == (2, [2])
    assert hub.heard == []
    assert await hub.stores.devices.count_devices() == (1, 1)


async def test_an_import_remembers_where_it_is_and_what_became_of_its_newest_rows(
    hub: SmallHub, bulk: BulkService
) -> None:
    assert await bulk.import_mark(WRITE, "plant") is None

    def notes(result: BulkResult) -> dict[str, Any]:
        return {"failed": [each.number for each in result.errors]}

    result = await bulk.continue_import(WRITE, [row(), row()], name="plant", position=2, notes=notes)
    assert result.done == 1
    mark = await bulk.import_mark(WRITE, "plant")
    assert mark is not None
    assert (mark.position, mark.data) == (2, {"failed": [1]})
    hub.clock.advance(MARK_AGE + 1)
    await bulk.forget_import(WRITE, "another")
    assert await bulk.import_mark(WRITE, "plant") is None


async def test_who_hangs_up_has_changed_it_all_the_same_and_it_is_told(hub: SmallHub, bulk: BulkService) -> None:
    await bulk.apply(WRITE, [row()])
    hub.trouble.stick()
    task = asyncio.create_task(bulk.apply(WRITE, [row(mode=RowMode.DELETE)]))
    await settle()
    task.cancel()
    await asyncio.wait([task])
    hub.trouble.unstick()
    await until(lambda: hub.heard)
    assert hub.heard == [CredentialsChanged(PRESS, whole_device=True)]


async def test_a_disk_that_refuses_changes_and_tells_nothing(hub: SmallHub, bulk: BulkService) -> None:
    hub.trouble.refusals = 1
    with pytest.raises(Unavailable):
        await bulk.apply(WRITE, [row()])
    assert hub.heard == []


async def test_a_grant_for_one_device_or_for_reading_opens_no_bulk_call(bulk: BulkService) -> None:
    grants = [by_operator(Permission.REGISTRY_WRITE, PRESS), by_operator(Permission.REGISTRY_READ)]
    for grant in grants:
        calls: Sequence[Any] = [
            bulk.apply(grant, [row()]),
            bulk.continue_import(grant, [row()], name="x", position=1, notes=lambda result: {}),
            bulk.new_keys(grant, [PRESS], secondary=False),
            bulk.import_mark(grant, "x"),
            bulk.forget_import(grant, "x"),
            bulk.page(grant, after=None),
        ]
        for call in calls:
            with pytest.raises(PermissionDenied):
                await call


async def test_pages_are_bounded(bulk: BulkService) -> None:
    await bulk.apply(WRITE, [row(), row(ARM), row(OTHER)])
    page = await bulk.page(by_operator(Permission.TRANSFER_READ), after=None, limit=0)
    assert [each.owner.identity for each in page] == [OTHER]
