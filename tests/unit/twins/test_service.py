import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.fakes.clock import START
from tests.fakes.grants import by_device, by_operator
from tests.fakes.services import SmallHub
from tests.fakes.trouble import settle, until

from ironhub.access.model import Permission, PermissionDenied
from ironhub.core.bus import DesiredChanged
from ironhub.core.errors import Unavailable
from ironhub.core.facts import Fact, FactKind
from ironhub.core.ids import identity
from ironhub.twins import service
from ironhub.twins.configurations.model import Write
from ironhub.twins.model import ModuleTwinNotFound, Twin, TwinInvalid, TwinNotFound, TwinVersionConflict, etag_of
from ironhub.twins.service import TwinService

PRESS, ARM, NOBODY = identity("press-7"), identity("press-7", "arm"), identity("nobody")
READ, WRITE = by_operator(Permission.TWIN_READ, PRESS), by_operator(Permission.TWIN_WRITE, PRESS)
REPORT, READ_OWN = by_device(Permission.TWIN_REPORT, PRESS), by_device(Permission.TWIN_READ_OWN, PRESS)


@pytest.fixture
async def hub() -> SmallHub:
    hub = SmallHub()
    await hub.register(PRESS, ARM)
    await hub.facts()
    return hub


@pytest.fixture
def twins(hub: SmallHub) -> TwinService:
    return TwinService(hub.twins, hub.bus, hub.clock)


async def test_a_twin_nobody_wrote_to_is_the_initial_one(twins: TwinService) -> None:
    twin = await twins.read(READ)
    assert (twin.version, etag_of(twin), twin.desired.metadata) == (2, "AAAAAAAAAAE=", {"$lastUpdated": START})
    assert await twins.read_own(READ_OWN) == twin


async def test_a_report_changes_the_reported_properties_and_the_version_but_not_the_etag(
    hub: SmallHub, twins: TwinService
) -> None:
    hub.clock.advance(5)
    twin = await twins.report(REPORT, {"fan": {"speed": 3}, "gone": None})
    assert (twin.version, twin.etag_counter, twin.reported.version, twin.desired.version) == (3, 1, 2, 1)
    assert twin.reported.properties == {"fan": {"speed": 3}}
    assert await twins.read(READ) == twin
    metadata = {"$lastUpdated": START + 5, "fan": {"$lastUpdated": START + 5, "speed": {"$lastUpdated": START + 5}}}
    reported = {"properties": {"fan": {"speed": 3}, "gone": None}, "version": 2, "metadata": metadata}
    data = {"version": 3, "etag": "AAAAAAAAAAE=", "reported": reported}
    assert await hub.facts() == [Fact(FactKind.TWIN_UPDATED, PRESS, START + 5, data)]
    assert hub.heard == []


async def test_an_update_merges_tags_and_desired_properties_and_the_device_is_told(
    hub: SmallHub, twins: TwinService
) -> None:
    await twins.update(WRITE, tags={"hall": 1, "row": 2}, desired={"speed": 1, "mode": "auto"}, if_match=None)
    twin = await twins.update(WRITE, tags={"hall": None}, desired={"speed": None, "n": {"m": 1}}, if_match="*")
    assert (twin.version, twin.etag_counter, twin.desired.version, twin.reported.version) == (4, 3, 3, 1)
    assert (twin.tags, twin.desired.properties) == ({"row": 2}, {"mode": "auto", "n": {"m": 1}})
    assert hub.heard == [
        DesiredChanged(PRESS, 2, {"speed": 1, "mode": "auto"}),
        DesiredChanged(PRESS, 3, {"speed": None, "n": {"m": 1}}),
    ]
    fact = (await hub.facts())[-1]
    assert fact.kind is FactKind.TWIN_UPDATED
    assert fact.data["tags"] == {"hall": None}
    assert fact.data["desired"]["properties"] == {"speed": None, "n": {"m": 1}}
    assert set(fact.data["desired"]["metadata"]) == {"$lastUpdated", "$lastUpdatedVersion", "n"}


async def test_an_update_of_tags_only_is_no_news_for_the_device(hub: SmallHub, twins: TwinService) -> None:
    twin = await twins.update(WRITE, tags={"hall": 1}, desired=None, if_match=None)
    assert (twin.version, twin.desired.version, hub.heard) == (3, 1, [])
    assert set((await hub.facts())[0].data) == {"version", "etag", "tags"}


async def test_a_desired_patch_that_changes_nothing_is_told_so_that_no_version_is_missed(
    hub: SmallHub, twins: TwinService
) -> None:
    await twins.update(WRITE, tags=None, desired={"speed": 1}, if_match=None)
    await twins.update(WRITE, tags=None, desired={"speed": 1}, if_match=None)
    await twins.replace(WRITE, tags=None, desired={"speed": 1}, if_match=None)
    assert hub.heard == [
        DesiredChanged(PRESS, 2, {"speed": 1}),
        DesiredChanged(PRESS, 3, {"speed": 1}),
        DesiredChanged(PRESS, 4, {}),
    ]


async def test_a_replacement_leaves_exactly_what_is_given_and_tells_the_device_the_way_there(
    hub: SmallHub, twins: TwinService
) -> None:
    await twins.update(WRITE, tags={"hall": 1}, desired={"speed": 1, "fan": {"a": 1, "b": [1]}}, if_match=None)
    await twins.report(REPORT, {"seen": True})
    await hub.facts()
    twin = await twins.replace(WRITE, tags={"row": 2}, desired={"fan": {"b": [1], "c": 2}}, if_match=None)
    assert (twin.tags, twin.desired.properties) == ({"row": 2}, {"fan": {"b": [1], "c": 2}})
    assert hub.heard[-1] == DesiredChanged(PRESS, 3, {"speed": None, "fan": {"a": None, "c": 2}})
    fact = (await hub.facts())[0]
    assert fact.kind is FactKind.TWIN_REPLACED
    assert fact.data["tags"] == {"row": 2}
    assert fact.data["desired"]["metadata"] == twin.desired.metadata
    reported = {"properties": {"seen": True}, "version": 2, "metadata": twin.reported.metadata}
    assert fact.data["reported"] == reported
    emptied = await twins.replace(WRITE, tags=None, desired=None, if_match=None)
    assert (emptied.tags, emptied.desired.properties, emptied.desired.version) == ({}, {}, 4)
    assert emptied.reported == twin.reported


async def test_the_etag_that_was_read_guards_the_write(twins: TwinService) -> None:
    etag = etag_of(await twins.update(WRITE, tags={"n": 1}, desired=None, if_match=None))
    await twins.report(REPORT, {"device": "says"})  # no concern of the back end's
    await twins.update(WRITE, tags={"n": 2}, desired=None, if_match=etag)
    for change in (twins.update, twins.replace):
        with pytest.raises(TwinVersionConflict, match="another etag"):
            await change(WRITE, tags={"n": 3}, desired=None, if_match=etag)
    assert (await twins.read(READ)).tags == {"n": 2}


async def test_of_writers_with_the_same_etag_one_wins_and_the_others_are_told(twins: TwinService) -> None:
    etag = etag_of(await twins.read(READ))
    attempts = [twins.update(WRITE, tags={str(number): 1}, desired=None, if_match=etag) for number in range(20)]
    results = await asyncio.gather(*attempts, return_exceptions=True)
    won = [result for result in results if isinstance(result, Twin)]
    assert len(won) == 1
    assert all(isinstance(result, TwinVersionConflict) for result in results if not isinstance(result, Twin))
    assert (await twins.read(READ)).tags == won[0].tags


async def test_a_hundred_writers_at_once_lose_no_update_and_write_once_each(hub: SmallHub, twins: TwinService) -> None:
    hub.trouble.calls.clear()
    writers = [twins.update(WRITE, tags=None, desired={f"k{number}": number}, if_match=None) for number in range(75)]
    devices = [twins.report(REPORT, {f"k{number}": number}) for number in range(75)]
    await asyncio.gather(*writers, *devices)
    twin = await twins.read(READ)
    everything = {f"k{number}": number for number in range(75)}
    assert twin.desired.properties == twin.reported.properties == everything
    assert (twin.version, twin.desired.version, twin.reported.version) == (152, 76, 76)
    assert hub.trouble.calls.count("put_twin") == 150
    versions = [notice.version for notice in hub.heard if isinstance(notice, DesiredChanged)]
    assert versions == list(range(2, 77))
    assert twins.__dict__["_turns"] == {}


class Elsewhere:
    """Another node that writes to the same twin just before ours does."""

    def __init__(self, hub: SmallHub, times: int) -> None:
        self._store = hub.stores.twins
        self.left = times

    async def get_twin(self, who: Any) -> Twin | None:
        return await self._store.get_twin(who)

    async def put_twin(self, twin: Twin, *, replacing: int, facts: Any = (), receipt: Any = None) -> None:
        if self.left:
            self.left -= 1
            other = await self._store.get_twin(twin.identity)
            assert other is not None
            tags = {**other.tags, f"other{self.left}": 1}
            await self._store.put_twin(replace(other, version=other.version + 1, tags=tags), replacing=other.version)
        await self._store.put_twin(twin, replacing=replacing, facts=facts, receipt=receipt)


async def test_what_another_node_wrote_meanwhile_is_merged_with(hub: SmallHub) -> None:
    twins = TwinService(Elsewhere(hub, 3), hub.bus, hub.clock)
    twin = await twins.update(WRITE, tags={"ours": 1}, desired=None, if_match=None)
    assert twin.tags == {"ours": 1, "other0": 1, "other1": 1, "other2": 1}
    assert twin.version == 6


async def test_a_twin_that_never_stands_still_is_a_conflict_in_the_end(
    hub: SmallHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MAX_ATTEMPTS", 5)
    twins = TwinService(Elsewhere(hub, 1000), hub.bus, hub.clock)
    with pytest.raises(TwinVersionConflict, match="5 times"):
        await twins.report(REPORT, {"a": 1})


@pytest.mark.parametrize(
    "tags", [{"a b": 1}, {"a": {"b": 2**60}}, {"a": "x" * 4000, "b": "x" * 4000, "c": "x" * 300}, []]
)
async def test_what_breaks_a_rule_changes_nothing(hub: SmallHub, twins: TwinService, tags: Any) -> None:
    before = await twins.read(READ)
    for change in (twins.update, twins.replace):
        with pytest.raises(TwinInvalid):
            await change(WRITE, tags=tags, desired={"fine": 1}, if_match=None)
    if tags and "c" not in tags:
        with pytest.raises(TwinInvalid):
            await twins.report(REPORT, tags)
    assert await twins.read(READ) == before
    assert (await hub.facts(), hub.heard) == ([], [])


async def test_a_section_that_would_grow_over_its_bound_is_refused(twins: TwinService) -> None:
    for number in range(8):
        await twins.report(REPORT, {f"k{number}": "x" * 4000})
    with pytest.raises(TwinInvalid, match="reported would have"):
        await twins.report(REPORT, {"k8": "x" * 4000})
    await twins.report(REPORT, {"k0": None, "k8": "x" * 4000})


async def test_the_news_of_a_small_change_of_a_large_twin_are_small(hub: SmallHub, twins: TwinService) -> None:
    await twins.report(REPORT, {f"k{number}": 0 for number in range(2000)})
    await hub.facts()
    await twins.report(REPORT, {"k7": 1})
    [fact] = await hub.facts()
    assert len(json.dumps(fact.data)) < 300


async def test_what_the_caller_changes_afterwards_is_not_stored_nor_told(hub: SmallHub, twins: TwinService) -> None:
    patch: Any = {"list": [{"a": 1}], "object": {"b": 2}}
    await twins.report(REPORT, patch)
    await twins.update(WRITE, tags=patch, desired=patch, if_match=None)
    await twins.replace(WRITE, tags=patch, desired=patch, if_match=None)
    was = json.dumps(patch)
    seen = [await twins.read(READ), await hub.facts(), list(hub.heard)]
    before = repr(seen)
    patch["list"][0]["a"] = patch["object"]["b"] = "changed"
    patch["more"] = 1
    assert repr(seen) == before
    assert json.dumps((await twins.read(READ)).tags) == was


async def test_modules_have_twins_of_their_own_and_strangers_none(twins: TwinService) -> None:
    await twins.report(by_device(Permission.TWIN_REPORT, ARM), {"a": 1})
    assert (await twins.read(READ)).reported.properties == {}
    assert (await twins.read(by_operator(Permission.TWIN_READ, ARM))).reported.properties == {"a": 1}
    with pytest.raises(TwinNotFound):
        await twins.read(by_operator(Permission.TWIN_READ, NOBODY))
    with pytest.raises(TwinNotFound):
        await twins.update(by_operator(Permission.TWIN_WRITE, NOBODY), tags={}, desired=None, if_match=None)


async def test_a_module_that_is_missing_is_told_apart_from_a_device_that_is(twins: TwinService) -> None:
    for missing, told in ((identity("press-7", "leg"), ModuleTwinNotFound), (NOBODY, TwinNotFound)):
        with pytest.raises(TwinNotFound) as caught:
            await twins.read(by_operator(Permission.TWIN_READ, missing))
        assert type(caught.value) is told


async def test_each_operation_needs_its_own_grant(twins: TwinService) -> None:
    calls: list[Callable[[], Awaitable[Twin]]] = [
        lambda: twins.read(WRITE),
        lambda: twins.read_own(READ),
        lambda: twins.report(READ_OWN, {}),
        lambda: twins.update(READ, tags=None, desired=None, if_match=None),
        lambda: twins.replace(REPORT, tags=None, desired=None, if_match=None),
    ]
    for call in calls:
        with pytest.raises(PermissionDenied):
            await call()


async def test_a_caller_who_hangs_up_half_way_leaves_no_change_untold(hub: SmallHub, twins: TwinService) -> None:
    for change in (twins.update, twins.replace):
        hub.heard.clear()
        hub.trouble.only = frozenset({"put_twin"})
        hub.trouble.stick()
        call = asyncio.create_task(change(WRITE, tags=None, desired={"speed": 9}, if_match=None))
        await settle()
        call.cancel()
        await asyncio.wait([call])
        hub.trouble.unstick()
        await until(lambda: hub.heard)
        assert (await twins.read(READ)).desired.properties == {"speed": 9}
    assert twins.__dict__["_turns"] == {}


async def test_when_the_store_refuses_nothing_is_told_and_the_next_writer_gets_through(
    hub: SmallHub, twins: TwinService
) -> None:
    hub.trouble.only, hub.trouble.refusals = frozenset({"put_twin"}), 1
    first = twins.update(WRITE, tags=None, desired={"speed": 1}, if_match=None)
    second = twins.update(WRITE, tags=None, desired={"speed": 2}, if_match=None)
    refused, stored = await asyncio.gather(first, second, return_exceptions=True)
    assert isinstance(refused, Unavailable)
    assert isinstance(stored, Twin)
    assert hub.heard == [DesiredChanged(PRESS, 2, {"speed": 2})]


async def test_changes_are_counted_by_section(twins: TwinService) -> None:
    await twins.report(REPORT, {"a": 1})
    await twins.update(WRITE, tags={"hall": "b"}, desired=None, if_match=None)
    await twins.replace(WRITE, tags=None, desired={"a": 2}, if_match=None)
    assert twins.tally.counts == {"reported": 1, "tags": 2, "desired": 1}


async def test_desired_properties_are_edited_as_they_stand(hub: SmallHub, twins: TwinService) -> None:
    await twins.update(WRITE, tags=None, desired={"n": 1}, if_match=None)
    hub.heard.clear()
    twin = await twins.edit_desired(WRITE, lambda stored: {"n": stored.desired.properties["n"] + 1, "gone": None})
    assert (twin.desired.properties, twin.etag_counter, twin.version) == ({"n": 2}, 3, 4)
    assert hub.heard == [DesiredChanged(PRESS, 3, {"n": 2})]
    assert (await hub.facts())[-1].data["desired"]["properties"] == {"n": 2, "gone": None}


async def test_an_edit_that_changes_nothing_stores_nothing(hub: SmallHub, twins: TwinService) -> None:
    assert (await twins.edit_desired(WRITE, lambda _: {})).version == 2
    with pytest.raises(TwinVersionConflict):
        await twins.edit_desired(WRITE, lambda _: {}, if_match="stale")
    with pytest.raises(TwinInvalid):
        await twins.edit_desired(WRITE, lambda _: {"a b": 1})
    assert (hub.heard, await hub.facts()) == ([], [])


async def test_a_configuration_is_written_and_noted_in_one_change(hub: SmallHub, twins: TwinService) -> None:
    grant = by_operator(Permission.CONFIGURATION_WRITE, PRESS)
    applied = {"speed": {"status": "Applied"}}
    twin = await twins.configure(grant, lambda stored: stored | applied, [Write(("a", "b"), 1)])
    assert (twin.desired.properties, twin.configurations, twin.version) == ({"a": {"b": 1}}, applied, 3)
    assert hub.heard == [DesiredChanged(PRESS, 2, {"a": {"b": 1}})]
    assert len(await hub.facts()) == 1
    assert await twins.configure(grant, lambda stored: stored, [Write(("a", "b"), 1)]) == twin
    noted = await twins.configure(grant, lambda _: {})
    assert (noted.configurations, noted.etag_counter, noted.version) == ({}, twin.etag_counter, 4)
    assert (len(hub.heard), await hub.facts()) == (1, [])
    with pytest.raises(PermissionDenied):
        await twins.configure(WRITE, lambda _: {})
    with pytest.raises(PermissionDenied):
        await twins.edit_desired(grant, lambda _: {})
