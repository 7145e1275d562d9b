"""The walk against the plainest statement of what it does: everybody who matches or has something, in order."""

import pytest
from tests.fakes.configurations import ConfiguredHub

from ironhub.core.ids import Identity, identity
from ironhub.twins.configurations.model import Target
from ironhub.twins.configurations.walk import Walk, behind, place_of
from ironhub.twins.model import FIRST_VERSION, Twin
from ironhub.twins.queries.evaluate import meets
from ironhub.twins.queries.model import ALWAYS, Source

NAMES = [identity(f"d{number}") for number in range(9)]
MODULES = [identity("d2", "a"), identity("d2", "b"), identity("d5", "a")]
HAS = {"old": {"status": "Applied"}}


@pytest.mark.parametrize("batch", [1, 2, 3, 50])
@pytest.mark.parametrize("after", [None, NAMES[2], MODULES[0], MODULES[2], NAMES[8]])
async def test_everybody_is_visited_once_and_in_order(batch: int, after: Identity | None) -> None:
    hub = ConfiguredHub()
    await hub.register(*NAMES, *MODULES)
    for who in (NAMES[1], NAMES[2], MODULES[1]):
        await hub.place(who, "b")
    for who in (NAMES[2], NAMES[7], MODULES[2]):
        stored = await hub.twin(who)
        twin = Twin(who, max(stored.version, FIRST_VERSION) + 1, tags=stored.tags, configurations=HAS)
        await hub.stores.twins.put_twin(twin, replacing=stored.version)
    made = {name: await hub.put(name, "*") for name in ("devices", "modules", "halls")}
    targets = {
        "devices": Target(Source.DEVICES, ALWAYS),
        "modules": Target(Source.MODULES, ALWAYS),
        "halls": hub.reader.target("m:b"),
    }
    walk = Walk(
        [(made[name], target) for name, target in targets.items()],
        hub.stores.queries,
        hub.stores.configurations,
        after,
        batch,
    )
    visits = []
    while some := await walk.next():
        assert len(some) <= batch
        visits += some
    everybody = sorted((*NAMES, *MODULES), key=place_of)
    assert [visit.identity for visit in visits] == [
        who for who in everybody if after is None or place_of(who) > place_of(after)
    ]
    for visit in visits:
        wanted = {"modules"} if visit.identity.module_id else {"devices"}
        wanted |= {"halls"} if visit.identity == MODULES[1] else set()
        assert visit.matching == wanted
        assert visit.configurations == (HAS if visit.identity in (NAMES[2], NAMES[7], MODULES[2]) else {})
    assert walk.failed == frozenset()


@pytest.mark.parametrize("source", [Source.DEVICES, Source.MODULES])
def test_behind_somebody_is_whoever_comes_later(source: Source) -> None:
    some = NAMES if source is Source.DEVICES else MODULES
    for after in (*NAMES, *MODULES):
        condition = behind(ALWAYS, source, after)
        for who in some:
            document = {"device_id": who.device_id} | ({"module_id": who.module_id} if who.module_id else {})
            later = who.device_id > after.device_id if source is Source.DEVICES else place_of(who) > place_of(after)
            assert meets(condition, document) is later
