"""The contract of twins.queries.ports.QueryStore, against every implementation.

What queries mean is in tests/conformance/test_query_cases.py and tests/properties/test_queries.py; this is about pages,
places and whole documents.
"""

from collections.abc import AsyncIterator
from pathlib import Path as FilePath

import pytest
from tests.contracts.stores import ARM, CREATED_AT, IMPLEMENTATIONS, PRESS, open_stores, register

from ironhub.core.errors import InvalidArgument
from ironhub.core.facts import Fact, FactKind
from ironhub.core.ids import Identity, device_id, module_id
from ironhub.identity.model import Remembered
from ironhub.messaging.jobs.model import Job, JobStatus, Result, TargetStatus, TwinChange
from ironhub.messaging.methods.model import MethodAnswer
from ironhub.storage.stores import Stores
from ironhub.twins.model import FIRST_VERSION, Section, Twin
from ironhub.twins.queries.model import (
    ALWAYS,
    DOCUMENT_FIELDS,
    JOB_FIELDS,
    NEVER,
    Aggregate,
    Column,
    Comparison,
    Constant,
    Measure,
    Operator,
    Path,
    Query,
    Source,
)

NAMES = ("a", "b", "c", "d", "e")
ALL = Query(Source.DEVICES)
NOWHERE = ("x", "", "{}", "[1]", '["a", 1, 2]', '["x", "d"]')


@pytest.fixture(params=IMPLEMENTATIONS)
async def stores(request: pytest.FixtureRequest, tmp_path: FilePath) -> AsyncIterator[Stores]:
    async with open_stores(request.param, tmp_path) as stores:
        yield stores


async def fill(stores: Stores) -> None:
    await register(stores, *(Identity(device_id(name)) for name in reversed(NAMES)))


async def ids_by_pages(stores: Stores, query: Query, limit: int) -> list[list[str]]:
    after, pages = None, []
    while True:
        page = await stores.queries.run(query, after=after, limit=limit)
        pages.append([row["device_id"] for row in page.items])
        after = page.after
        if after is None:
            return pages


async def test_pages_come_in_the_order_of_ids_and_each_document_once(stores: Stores) -> None:
    await fill(stores)
    assert await ids_by_pages(stores, ALL, 2) == [["a", "b"], ["c", "d"], ["e"]]
    assert await ids_by_pages(stores, ALL, 5) == [list(NAMES)]
    assert await ids_by_pages(stores, Query(Source.DEVICES, condition=Constant(False)), 5) == [[]]


async def test_who_comes_and_goes_between_pages_moves_nobody_else(stores: Stores) -> None:
    await fill(stores)
    first = await stores.queries.run(ALL, after=None, limit=2)
    await stores.devices.delete_device(device_id("b"), replacing=None)
    await register(stores, Identity(device_id("a2")), Identity(device_id("c2")))
    second = await stores.queries.run(ALL, after=first.after, limit=9)
    assert [row["device_id"] for row in second.items] == ["c", "c2", "d", "e"]


async def test_modules_follow_their_device(stores: Stores) -> None:
    other = Identity(device_id("a"), module_id("z"))
    await register(stores, PRESS, Identity(device_id("a")), ARM, other, Identity(PRESS.device_id, module_id("leg")))
    first = await stores.queries.matching(ALWAYS, Source.MODULES, after=None, limit=2)
    assert [str(identity) for identity in first.items] == ["a/z", "press-7/arm"]
    rest = await stores.queries.matching(ALWAYS, Source.MODULES, after=first.after, limit=2)
    assert ([str(identity) for identity in rest.items], rest.after) == (["press-7/leg"], None)
    assert await stores.queries.count(ALWAYS, Source.MODULES) == 3
    assert await stores.queries.count(ALWAYS) == 2


async def test_a_whole_document_has_what_is_known(stores: Stores) -> None:
    await register(stores, PRESS, ARM)
    stamp = {"$lastUpdated": 1.5}
    sections = Section(2, {"x": 1}, stamp), Section(3, {"y": [1, {"z": None}]}, stamp)
    await stores.twins.put_twin(Twin(PRESS, 3, 2, {"hall": "ä"}, *sections), replacing=FIRST_VERSION)
    await stores.devices.record_presence([Fact(FactKind.CONNECTED, PRESS, 7.0, {"model_id": "dtmi:a;1"})])
    [document] = (await stores.queries.run(ALL, after=None, limit=1)).items
    assert document == {
        "device_id": "press-7",
        "identity_etag": "e1",
        "etag_counter": 2,
        "version": 3,
        "status": "enabled",
        "status_changed_at": NEVER,
        "connected": True,
        "last_activity_at": 7.0,
        "pending_commands": 0,
        "credential_kind": "sas",
        "thumbprints": {"primary": None, "secondary": None},
        "model_id": "dtmi:a;1",
        "edge": {"capable": False},
        "parent_scopes": [],
        "tags": {"hall": "ä"},
        "sections": {
            "desired": {"version": 2, "properties": {"x": 1}, "metadata": stamp},
            "reported": {"version": 3, "properties": {"y": [1, {"z": None}]}, "metadata": stamp},
        },
        "configurations": {},
    }
    assert document.keys() <= DOCUMENT_FIELDS
    [module] = (await stores.queries.run(Query(Source.MODULES), after=None, limit=1)).items
    assert module["module_id"] == "arm"
    assert module["sections"]["desired"]["metadata"] == {"$lastUpdated": CREATED_AT}
    assert not module.keys() & {"edge", "parent_scopes", "scope", "status_reason"}


async def test_groups_have_pages_of_their_own(stores: Stores) -> None:
    await fill(stores)
    place = Path(("device_id",))
    columns = (Column("device_id", place), Column("n", Aggregate(Measure.COUNT)))
    query = Query(Source.DEVICES, columns, group_by=(place,))
    assert await ids_by_pages(stores, query, 3) == [["a", "b", "c"], ["d", "e"]]


async def test_groups_that_begin_alike_are_told_apart_on_every_page(stores: Stores) -> None:
    await fill(stores)
    for name in NAMES:
        twin = Twin(Identity(device_id(name)), 3, tags={"long": "x" * 4000 + name})
        await stores.twins.put_twin(twin, replacing=FIRST_VERSION)
    query = Query(Source.DEVICES, (Column("long", Path(("tags", "long"))),), group_by=(Path(("tags", "long")),))
    after, found = None, set()
    for _ in NAMES:
        page = await stores.queries.run(query, after=after, limit=1)
        found.add(page.items[0]["long"][-1])
        after = page.after
        assert after is None or len(after) < 200
    assert (found, after) == (set(NAMES), None)


@pytest.mark.parametrize("after", NOWHERE)
async def test_a_place_that_is_none_is_refused(stores: Stores, after: str) -> None:
    place = Path(("device_id",))
    grouped = Query(Source.DEVICES, (Column("id", place),), group_by=(place,))
    for query in (ALL, grouped, Query(Source.JOBS)):
        with pytest.raises(InvalidArgument):
            await stores.queries.run(query, after=after, limit=1)


async def test_what_a_job_did_is_found(stores: Stores) -> None:
    job = Job(
        job_id="j1",
        work=TwinChange(tags={"a": 1}),
        condition="*",
        creator=Remembered("root", False),
        created_at=1.0,
        starts_at=1.0,
        max_execution_time=60.0,
        status=JobStatus.QUEUED,
    )
    stored = await stores.jobs.add_job(job, max_active=5, max_scheduled=5)
    await stores.jobs.start_jobs(now=2.0, limit=1)
    names = [device_id(name) for name in NAMES]
    await stores.jobs.add_targets(stored.number, names, at=3.0, walked_to=None, collected=True)
    await stores.jobs.begin_targets(stored.number, at=4.0, limit=2)
    ended = [
        Result(names[0], TargetStatus.SUCCEEDED, MethodAnswer(200, b'{"ok": true}')),
        Result(names[1], TargetStatus.FAILED, None, "method.timeout", "no answer"),
    ]
    await stores.jobs.finish_targets(stored.number, ended, at=5.0)
    done = Comparison(Operator.EQUAL, Path(("target_status",)), Constant("succeeded"))
    [row] = (await stores.queries.run(Query(Source.JOBS, condition=done), after=None, limit=9)).items
    assert row == {
        "device_id": "a",
        "job_id": "j1",
        "job_kind": "twin_update",
        "target_status": "succeeded",
        "created_at": 3.0,
        "started_at": 4.0,
        "ended_at": 5.0,
        "updated_at": 5.0,
        "outcome": {"status": 200, "payload": {"ok": True}},
    }
    failed = Comparison(Operator.EQUAL, Path(("device_id",)), Constant("b"))
    [row] = (await stores.queries.run(Query(Source.JOBS, condition=failed), after=None, limit=9)).items
    assert row["error"] == {"code": "method.timeout", "description": "no answer"}
    assert row.keys() <= JOB_FIELDS
    assert await ids_by_pages(stores, Query(Source.JOBS), 2) == [["a", "b"], ["c", "d"], ["e"]]
    late = Comparison(Operator.GREATER, Path(("ended_at",)), Constant(4.5))
    assert await ids_by_pages(stores, Query(Source.JOBS, condition=late), 9) == [["a", "b"]]
