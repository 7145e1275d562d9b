"""The query language, case by case, in both stores."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.conformance.query_cases import FINDS, MODULES, REFUSED, SHOWS, Refused, Shown
from tests.contracts.stores import CREATED_AT, IMPLEMENTATIONS, SAS, open_stores

from ironhub.core.facts import Fact, FactKind
from ironhub.core.ids import Identity, device_id, module_id
from ironhub.dialects.azure.query import parse_condition, parse_query
from ironhub.dialects.azure.query_rows import encode_rows
from ironhub.identity.model import CredentialKind, Credentials, Thumbprints
from ironhub.registry.model import Device, DeviceStatus, Module
from ironhub.storage.stores import Stores
from ironhub.twins.model import FIRST_VERSION, Properties, Section, Twin
from ironhub.twins.queries.model import Query, QueryInvalid, Source

AT = CREATED_AT
THUMBPRINT = Credentials(CredentialKind.SELF_SIGNED, None, Thumbprints("ab" * 20, None))
TAGS: dict[str, Properties] = {
    "a": {"hall": "B2", "floor": 2, "ok": True, "list": ["x", 1], "note": "O'Brien"},
    "b": {"hall": "B3", "floor": 3, "ok": False, "list": []},
    "c": {"hall": 2, "floor": "2"},
    "e": {
        "hall": "b2",
        "deep": {"a": {"b": "z"}},
        "k 1": 1,
        "x-y": 7,
        'q"k': "v",
        "b\\s": "w",
        "ä": "ü",
        "from": 1,
        "select": 2,
        "in": 3,
    },
}


def plain(name: str) -> Device:
    return Device(device_id(name), "g1", "e1", SAS, AT)


DEVICES = (
    plain("a"),
    Device(device_id("b"), "g1", "e1", SAS, AT, DeviceStatus.DISABLED, "worn", AT - 1e9),
    Device(device_id("c"), "g1", "e1", SAS, AT, edge_capable=True, scope="s-c"),
    plain("d"),
    Device(device_id("e"), "g1", "e1", THUMBPRINT, AT, parent_scopes=("s-c", "s-x")),
)


def twin_of(name: str) -> Twin:
    """The twin of a device; an unwritten section is as it was born."""
    born = {"$lastUpdated": AT}
    desired = reported = Section(metadata=born)
    if name == "a":
        stamp = {**born, "interval": {**born, "$lastUpdatedVersion": 2}}
        desired, reported = Section(2, {"interval": 5}, stamp), Section(2, {"fw": "1.2.0", "temp": 20.5}, born)
    if name == "b":
        desired, reported = Section(2, {}, born), Section(4, {"fw": "1.10.0", "temp": -3}, born)
    configurations = {"plant 1": {"status": "Applied"}, "other": {"status": "Targeted"}} if name == "b" else {}
    return Twin(Identity(device_id(name)), 3, 2, TAGS[name], desired, reported, configurations)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=IMPLEMENTATIONS)
async def stores(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stores]:
    async with open_stores(request.param, Path(tmp_path_factory.mktemp("cases"))) as stores:
        for device in DEVICES:
            await stores.devices.put_device(device, replacing=None)
        for name in TAGS:
            await stores.twins.put_twin(twin_of(name), replacing=FIRST_VERSION)
        for name in "ab":
            await stores.devices.put_module(
                Module(device_id(name), module_id("m"), "g2", "e1", SAS, AT), replacing=None
            )
        twin = Twin(Identity(device_id("a"), module_id("m")), 3, tags={"hall": "B2"})
        await stores.twins.put_twin(twin, replacing=FIRST_VERSION)
        await stores.devices.record_presence([Fact(FactKind.CONNECTED, Identity(device_id("a")), AT, {})])
        yield stores


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("condition", FINDS)
async def test_a_condition_finds_its_devices(stores: Stores, condition: str) -> None:
    query = parse_query(f"SELECT deviceId FROM devices WHERE {condition}")
    page = await stores.queries.run(query, after=None, limit=100)
    assert "".join(row["deviceId"] for row in page.items) == FINDS[condition]
    assert await stores.queries.count(parse_condition(condition)) == len(FINDS[condition])


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("condition", MODULES)
async def test_a_condition_finds_its_modules(stores: Stores, condition: str) -> None:
    parsed = parse_condition(condition, Source.MODULES)
    page = await stores.queries.matching(parsed, Source.MODULES, after=None, limit=100)
    assert " ".join(map(str, page.items)) == MODULES[condition]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", SHOWS, ids=lambda case: case.text)
async def test_a_query_shows_its_rows(stores: Stores, case: Shown) -> None:
    query = parse_query(case.text)
    page = await stores.queries.run(query, after=None, limit=query.top or 100)
    assert encode_rows(query, page.items) == case.rows


@pytest.mark.asyncio(loop_scope="module")
async def test_no_document_holds_a_key(stores: Stores) -> None:
    page = await stores.queries.run(Query(Source.DEVICES), after=None, limit=100)
    held = repr(page.items)
    assert len(page.items) == len(DEVICES)
    assert SAS.keys is not None
    assert not any(repr(key)[2:18] in held for key in SAS.keys)
    assert "keys" not in held


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.text[:60])
def test_what_is_none_of_the_language_is_refused_where_it_goes_wrong(case: Refused) -> None:
    with pytest.raises(QueryInvalid, match=r"\ASQL query parse failed: ") as refused:
        parse_query(case.text)
    place = re.search(r"line (\d+), column (\d+)", str(refused.value))
    assert place is not None
    assert (int(place[1]), int(place[2])) == (case.line, case.column), str(refused.value)
    assert len(str(refused.value)) < 400


def test_there_are_enough_cases() -> None:
    assert len(FINDS) + len(MODULES) + len(SHOWS) + len(REFUSED) >= 250
