import asyncio
from dataclasses import replace
from typing import Any

import pytest
from tests.fakes.configurations import READ, WRITE, ConfiguredHub
from tests.fakes.grants import by_operator
from tests.fakes.trouble import settle, until

from ironhub.access.model import Permission
from ironhub.core.bus import DesiredChanged
from ironhub.core.errors import Unavailable
from ironhub.core.facts import FactKind
from ironhub.core.ids import Identity, identity
from ironhub.core.pages import Page
from ironhub.registry.model import DeviceDraft
from ironhub.registry.service import RegistryService
from ironhub.streams.inproc import InprocBus
from ironhub.twins.configurations.model import Content, ContentKind, Results, Write
from ironhub.twins.model import Section
from ironhub.twins.queries.model import Condition, QueryTooExpensive, Source

PRESS, LATHE, ARM = identity("press-7"), identity("lathe-1"), identity("press-7", "arm")
APPLIED, TARGETED = "Applied", "Targeted"


@pytest.fixture
async def hub() -> ConfiguredHub:
    hub = ConfiguredHub()
    await hub.register(PRESS, LATHE, ARM)
    await hub.place(PRESS, "b")
    await hub.facts()
    hub.heard.clear()
    return hub


async def test_whoever_meets_the_condition_is_written_and_told(hub: ConfiguredHub) -> None:
    await hub.put("speed", "b", metrics={"all": "*", "in b": "b"})
    await hub.engine.look()
    twin = await hub.twin(PRESS)
    assert twin.desired.properties == {"by": "speed"}
    assert twin.configurations == {"speed": {"status": APPLIED}}
    assert (await hub.twin(LATHE)).configurations == {}
    assert hub.heard == [DesiredChanged(PRESS, 2, {"by": "speed"})]
    assert [fact.kind for fact in await hub.facts()] == [FactKind.TWIN_UPDATED]
    found = (await hub.service.get(READ, "speed")).results
    assert found == Results(hub.clock.now(), 1, 1, 0, 0, {"all": 2, "in b": 1})


async def test_a_look_that_finds_nothing_new_writes_nothing(hub: ConfiguredHub) -> None:
    await hub.put("speed", "*")
    await hub.engine.look()
    before = await hub.twin(PRESS)
    hub.trouble.calls.clear()
    await hub.engine.look()
    assert await hub.twin(PRESS) == before
    assert "put_twin" not in hub.trouble.calls


async def test_the_highest_priority_wins_and_the_next_one_takes_over(hub: ConfiguredHub) -> None:
    await hub.put("first", "b", priority=1)
    await hub.put("tie", "b", priority=1)
    await hub.put("best", "b", priority=2)
    await hub.engine.look()
    assert await hub.standing(PRESS) == {"best": APPLIED, "first": TARGETED, "tie": TARGETED}
    assert (await hub.twin(PRESS)).desired.properties == {"by": "best"}
    assert [await hub.counts(name) for name in ("best", "first", "tie")] == [(1, 1), (1, 0), (1, 0)]
    await hub.service.delete(WRITE, "best")
    await hub.engine.look()
    assert await hub.standing(PRESS) == {"first": TARGETED, "tie": APPLIED}
    assert (await hub.twin(PRESS)).desired.properties == {"by": "tie"}
    await hub.put("first", "b", priority=9, if_match="*")
    await hub.engine.look()
    assert await hub.standing(PRESS) == {"first": APPLIED, "tie": TARGETED}
    await hub.put("first", "", if_match="*")
    await hub.engine.look()
    assert await hub.standing(PRESS) == {"tie": APPLIED}


async def test_who_does_not_meet_the_condition_any_more_keeps_what_was_written(hub: ConfiguredHub) -> None:
    await hub.put("speed", "b")
    await hub.engine.look()
    await hub.place(PRESS, None)
    await hub.place(LATHE, "b")
    await hub.engine.look()
    assert (await hub.standing(PRESS), await hub.standing(LATHE)) == ({}, {"speed": APPLIED})
    assert (await hub.twin(PRESS)).desired.properties == {"by": "speed"}
    assert await hub.counts("speed") == (1, 1)


async def test_one_made_again_under_its_name_is_written_again(hub: ConfiguredHub) -> None:
    await hub.put("speed", "b")
    await hub.engine.look()
    await hub.service.delete(WRITE, "speed")
    await hub.put("speed", "b", content=Content(ContentKind.DEVICE, (Write(("by",), "another"),)))
    await hub.engine.look()
    assert (await hub.twin(PRESS)).desired.properties == {"by": "another"}
    assert await hub.standing(PRESS) == {"speed": APPLIED}


async def test_content_of_modules_is_for_modules(hub: ConfiguredHub) -> None:
    await hub.place(ARM, "b")
    await hub.put("arms", "m:b", content=Content(ContentKind.MODULE, (Write(("grip",), 3),)))
    await hub.engine.look()
    assert (await hub.twin(ARM)).desired.properties == {"grip": 3}
    assert (await hub.standing(ARM), await hub.standing(PRESS)) == ({"arms": APPLIED}, {})
    await hub.service.delete(WRITE, "arms")
    await hub.engine.look()
    assert await hub.standing(ARM) == {}


async def test_a_twin_that_cannot_hold_it_stays_targeted(hub: ConfiguredHub) -> None:
    grant = by_operator(Permission.TWIN_WRITE, PRESS)
    full = {f"k{number}": "x" * 4000 for number in range(8)}
    await hub.service_of_twins.update(grant, tags=None, desired=full, if_match=None)
    await hub.put("big", "b", content=Content(ContentKind.DEVICE, (Write(("more",), "x" * 4000),)))
    await hub.engine.look()
    assert await hub.standing(PRESS) == {"big": TARGETED}
    assert await hub.counts("big") == (1, 0)
    await hub.service_of_twins.update(grant, tags=None, desired={"k0": None}, if_match=None)
    await hub.engine.look()
    assert await hub.standing(PRESS) == {"big": APPLIED}


async def make_edge(hub: ConfiguredHub, who: Identity) -> None:
    registry = RegistryService(hub.stores.devices, InprocBus(), hub.clock, hub.entropy)
    await registry.put_device(by_operator(Permission.REGISTRY_WRITE, who), DeviceDraft(edge_capable=True), if_match="*")


async def test_a_deployment_writes_to_the_modules_of_edge_devices_and_makes_them(hub: ConfiguredHub) -> None:
    await make_edge(hub, PRESS)
    writes = (Write((), {"modules": {"eye": {}}}, "agent"), Write(("lens",), 2, "eye"))
    await hub.put("vision", "*", content=Content(ContentKind.EDGE, writes))
    await hub.engine.look()
    agent, eye = identity("press-7", "agent"), identity("press-7", "eye")
    assert (await hub.twin(agent)).desired.properties == {"modules": {"eye": {}}}
    assert (await hub.twin(eye)).desired.properties == {"lens": 2}
    for who in (PRESS, agent, eye):
        assert await hub.standing(who) == {"vision": APPLIED}
    assert (await hub.twin(PRESS)).desired.properties == {}
    assert await hub.standing(LATHE) == {}
    hub.trouble.calls.clear()
    await hub.engine.look()
    assert "put_twin" not in hub.trouble.calls
    assert await hub.standing(agent) == {"vision": APPLIED}
    await hub.put("newer", "*", priority=1, content=Content(ContentKind.EDGE, (Write((), {"modules": {}}, "agent"),)))
    await hub.engine.look()
    assert await hub.standing(PRESS) == {"newer": APPLIED, "vision": TARGETED}
    assert (await hub.standing(agent), await hub.standing(eye)) == ({"newer": APPLIED}, {})
    await hub.service.delete(WRITE, "newer")
    await hub.service.delete(WRITE, "vision")
    await hub.engine.look()
    assert [await hub.standing(who) for who in (PRESS, agent, eye)] == [{}, {}, {}]


async def test_a_device_configuration_and_a_deployment_apply_side_by_side(hub: ConfiguredHub) -> None:
    await make_edge(hub, PRESS)
    await hub.put("speed", "b", priority=9)
    await hub.put("vision", "b", content=Content(ContentKind.EDGE, (Write(("a",), 1, "eye"),)))
    await hub.engine.look()
    assert await hub.standing(PRESS) == {"speed": APPLIED, "vision": APPLIED}


async def test_what_devices_say_of_a_deployment_is_counted(hub: ConfiguredHub) -> None:
    await make_edge(hub, PRESS)
    await make_edge(hub, LATHE)
    await hub.put("vision", "*", content=Content(ContentKind.EDGE, (Write(("a",), 1, "eye"),)))
    await hub.engine.look()
    for who, word in ((PRESS, "good"), (LATHE, "bad")):
        eye = identity(who.device_id, "eye")
        twin = await hub.twin(eye)
        await _report(hub, eye, {"vision": word}, twin.version)
    await hub.engine.look()
    found = (await hub.service.get(READ, "vision")).results
    assert found is not None
    assert (found.reported_successful, found.reported_failed) == (1, 1)


async def _report(hub: ConfiguredHub, who: Identity, properties: dict[str, Any], version: int) -> None:
    twin = replace(await hub.twin(who), version=version + 1, reported=Section(2, properties))
    await hub.stores.twins.put_twin(twin, replacing=version)


async def test_many_twins_are_looked_at_in_batches() -> None:
    hub = ConfiguredHub(batch=7)
    everybody = [identity(f"d{number:02}") for number in range(40)]
    await hub.register(*everybody)
    for who in everybody[::3]:
        await hub.place(who, "b")
    await hub.put("all", "*")
    await hub.put("some", "b", priority=1)
    await hub.engine.look()
    assert (await hub.counts("all"), await hub.counts("some")) == ((40, 26), (14, 14))
    assert await hub.standing(everybody[3]) == {"all": TARGETED, "some": APPLIED}
    assert await hub.standing(everybody[4]) == {"all": APPLIED}
    assert await hub.stores.configurations.get_progress() is None


async def test_a_restart_goes_on_where_the_last_batch_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = ConfiguredHub(batch=5)
    everybody = [identity(f"d{number:02}") for number in range(20)]
    await hub.register(*everybody)
    await hub.put("all", "*")
    hub.trouble.only = frozenset({"put_twin"})
    put_progress, stored = hub.stores.configurations.put_progress, []

    async def put_and_fail(progress: Any) -> None:
        await put_progress(progress)
        stored.append(progress)
        if len(stored) == 2:
            hub.trouble.refusals = 100

    monkeypatch.setattr(hub.stores.configurations, "put_progress", put_and_fail)
    with pytest.raises(Unavailable):
        await hub.engine.look()
    assert [progress.after for progress in stored] == [everybody[4], everybody[9]]
    hub.trouble.refusals = 0
    hub.trouble.calls.clear()
    hub.engine = hub.new_engine(5)
    await hub.engine.look()
    assert hub.trouble.calls.count("put_twin") == 10
    assert await hub.counts("all") == (20, 20)


async def test_a_condition_that_takes_too_long_changes_nothing_and_holds_up_no_other(
    hub: ConfiguredHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hub.put("speed", "b")
    await hub.engine.look()
    matching = hub.stores.queries.matching

    async def refuse(condition: Condition, source: Source, **arguments: Any) -> Page[Identity]:
        if "'b'" in repr(condition):
            raise QueryTooExpensive("it takes too long")
        return await matching(condition, source, **arguments)

    monkeypatch.setattr(hub.stores.queries, "matching", refuse)
    await hub.place(PRESS, None)
    await hub.put("all", "*", priority=0)
    await hub.engine.look()
    assert await hub.standing(PRESS) == {"all": APPLIED, "speed": TARGETED}
    assert await hub.standing(LATHE) == {"all": APPLIED}
    assert await hub.counts("speed") == (1, 1), "results of a look that could not be made are not kept"


async def test_a_condition_that_an_older_hub_understood_targets_nobody(hub: ConfiguredHub) -> None:
    made = await hub.put("speed", "b")
    await hub.stores.configurations.put_configuration(
        replace(made, target="?", metrics={"bad": "?"}), replacing=made.etag
    )
    await hub.engine.look()
    assert await hub.standing(PRESS) == {}
    assert await hub.counts("speed") == (0, 0)


async def test_it_looks_when_it_is_woken_until_cancelled(hub: ConfiguredHub) -> None:
    running = asyncio.create_task(hub.engine.run())
    try:
        await hub.put("speed", "b")
        await _until_results(hub, "speed")
        await hub.put("other", "*", priority=1)
        await _until_results(hub, "other")
        assert await hub.standing(PRESS) == {"other": APPLIED, "speed": TARGETED}
    finally:
        running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_disk_that_refuses_is_tried_again(hub: ConfiguredHub) -> None:
    hub.trouble.only = frozenset({"put_twin"})
    hub.trouble.refusals = 2
    await hub.put("speed", "b")
    running = asyncio.create_task(hub.engine.run())
    await _until_results(hub, "speed")
    running.cancel()
    assert await hub.standing(PRESS) == {"speed": APPLIED}


async def _until_results(hub: ConfiguredHub, name: str) -> None:
    stored = hub.stores.configurations._state.configurations  # type: ignore[attr-defined]  # the memory store's own
    await until(lambda: stored[name].results is not None)


async def test_what_has_begun_is_ended_before_it_stops(hub: ConfiguredHub) -> None:
    await hub.put("speed", "*")
    hub.trouble.only = frozenset({"put_twin"})
    hub.trouble.calls.clear()
    hub.trouble.stick()
    running = asyncio.create_task(hub.engine.run())
    await until(lambda: hub.trouble.calls.count("put_twin") == 2)
    running.cancel()
    await settle()
    assert not running.done()
    hub.trouble.unstick()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await hub.standing(PRESS) == await hub.standing(LATHE) == {"speed": APPLIED}


async def test_a_change_while_it_looks_is_taken_up_on_the_way_and_looked_for_from_the_beginning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hub = ConfiguredHub(batch=2)
    everybody = [identity(f"d{number}") for number in range(8)]
    await hub.register(*everybody)
    await hub.put("first", "*")
    put_progress, looks = hub.stores.configurations.put_progress, []

    async def put_and_change(progress: Any) -> None:
        await put_progress(progress)
        looks.append(progress)
        if len(looks) == 1:
            await hub.put("second", "*", priority=1)

    monkeypatch.setattr(hub.stores.configurations, "put_progress", put_and_change)
    await hub.engine.look()
    assert [await hub.standing(who) for who in everybody] == [{"first": TARGETED, "second": APPLIED}] * 8
    assert (await hub.counts("first"), await hub.counts("second")) == ((8, 0), (8, 8))
    assert [progress.after for progress in looks if progress].count(everybody[1]) == 2
