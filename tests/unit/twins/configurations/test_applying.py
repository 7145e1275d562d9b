import pytest
from tests.fakes.configurations import ConfiguredHub
from tests.fakes.grants import by_operator

from ironhub.access.model import Permission, PermissionDenied
from ironhub.core.errors import Unavailable
from ironhub.core.ids import identity
from ironhub.identity.model import DevicePrincipal, OperatorPrincipal, Proof
from ironhub.twins.configurations.applying import concerns
from ironhub.twins.configurations.model import Content, ContentKind, Write

PRESS, EYE, NOBODY = identity("press-7"), identity("press-7", "eye"), identity("nobody")
US = OperatorPrincipal("tester")
EDGE = Content(ContentKind.EDGE, (Write(("a",), 1, "eye"),))
APPLIED, TARGETED = {"status": "Applied"}, {"status": "Targeted"}


@pytest.fixture
async def hub() -> ConfiguredHub:
    hub = ConfiguredHub()
    await hub.register(PRESS)
    return hub


async def test_what_concerns_whom(hub: ConfiguredHub) -> None:
    device = await hub.put("device", "*")
    edge = await hub.put("edge", "*", content=EDGE)
    module = await hub.put("module", "m:*", content=Content(ContentKind.MODULE, (Write(("a",), 1),)))
    assert [concerns(each, PRESS) for each in (device, edge, module)] == [True, True, False]
    assert [concerns(each, EYE) for each in (device, edge, module)] == [False, False, True]


async def test_content_and_standing_are_one_change(hub: ConfiguredHub) -> None:
    made = await hub.put("speed", "*")
    hub.trouble.calls.clear()
    standing = await hub.applier.settle(US, PRESS, [made], {}, {"speed": made})
    assert standing == {"speed": APPLIED}
    assert hub.trouble.calls.count("put_twin") == 1
    assert await hub.applier.settle(US, PRESS, [made], standing, {"speed": made}) == standing
    assert hub.trouble.calls.count("put_twin") == 1


async def test_nothing_is_asked_where_nothing_is_wanted(hub: ConfiguredHub) -> None:
    hub.trouble.calls.clear()
    assert await hub.applier.settle(US, PRESS, [], {}, {}) == {}
    assert hub.trouble.calls == []


async def test_what_is_gone_is_not_kept(hub: ConfiguredHub) -> None:
    stored = {"gone": APPLIED}
    await hub.service_of_twins.configure(by_operator(Permission.CONFIGURATION_WRITE, PRESS), lambda _: dict(stored))
    assert await hub.applier.settle(US, PRESS, [], stored, {}) == {}
    assert await hub.standing(PRESS) == {}


async def test_a_device_that_was_deleted_meanwhile_is_passed_over(hub: ConfiguredHub) -> None:
    made = await hub.put("speed", "*")
    edge = await hub.put("edge", "*", content=EDGE)
    known = {"speed": made, "edge": edge}
    assert await hub.applier.settle(US, NOBODY, [made, edge], {}, known) == {"speed": TARGETED, "edge": TARGETED}


async def test_what_a_deployment_noted_in_its_module_stays_when_the_module_itself_is_looked_at(
    hub: ConfiguredHub,
) -> None:
    edge = await hub.put("edge", "*", content=EDGE)
    other = await hub.put("other", "*", content=Content(ContentKind.EDGE, (Write(("a",), 1, "ear"),)))
    known = {"edge": edge, "other": other}
    await hub.applier.settle(US, PRESS, [edge], {}, known)
    assert await hub.standing(EYE) == {"edge": "Applied"}
    stored = {"edge": APPLIED, "other": APPLIED}
    await hub.service_of_twins.configure(by_operator(Permission.CONFIGURATION_WRITE, EYE), lambda _: dict(stored))
    await hub.applier.settle(US, EYE, [], stored, known)
    assert await hub.standing(EYE) == {"edge": "Applied"}, "the other one does not write to this module"


async def test_a_disk_that_takes_nothing_ends_it(hub: ConfiguredHub) -> None:
    made = await hub.put("speed", "*")
    hub.trouble.only, hub.trouble.refusals = frozenset({"put_twin"}), 1
    with pytest.raises(Unavailable):
        await hub.applier.settle(US, PRESS, [made], {}, {"speed": made})
    assert await hub.standing(PRESS) == {}


async def test_a_device_applies_nothing_to_itself(hub: ConfiguredHub) -> None:
    itself = DevicePrincipal(PRESS, "g1", Proof.OWN_KEY, None)
    for content in (EDGE, Content(ContentKind.DEVICE, (Write(("a",), 1),))):
        with pytest.raises(PermissionDenied):
            await hub.applier.apply_content(itself, PRESS, content)


async def test_content_is_applied_once_and_noted_nowhere(hub: ConfiguredHub) -> None:
    for content in (EDGE, Content(ContentKind.DEVICE, (Write(("a",), 1),))):
        await hub.applier.apply_content(US, PRESS, content)
    for who in (PRESS, EYE):
        assert ((await hub.twin(who)).desired.properties, await hub.standing(who)) == ({"a": 1}, {})


async def test_a_deployment_that_loses_is_not_noted_in_its_modules_any_more(hub: ConfiguredHub) -> None:
    loser = await hub.put("loser", "*", content=EDGE)
    winner = await hub.put("winner", "*", content=Content(ContentKind.EDGE, (Write(("a",), 2, "ear"),)))
    known = {"loser": loser, "winner": winner}
    stored = await hub.applier.settle(US, PRESS, [loser], {}, known)
    assert stored == {"loser": APPLIED}
    stored = await hub.applier.settle(US, PRESS, [loser, winner], stored, known)
    assert stored == {"loser": TARGETED, "winner": APPLIED}
    assert (await hub.standing(EYE), await hub.standing(identity("press-7", "ear"))) == ({}, {"winner": "Applied"})
    assert (await hub.twin(EYE)).desired.properties == {"a": 1}


async def test_what_does_not_fit_stays_targeted_beside_what_does(hub: ConfiguredHub) -> None:
    full = {f"k{number}": "x" * 4000 for number in range(8)}
    grant = by_operator(Permission.TWIN_WRITE, PRESS)
    await hub.service_of_twins.update(grant, tags=None, desired=full, if_match=None)
    big = await hub.put("big", "*", content=Content(ContentKind.DEVICE, (Write(("more",), "x" * 4000),)))
    edge = await hub.put("edge", "*", content=EDGE)
    standing = await hub.applier.settle(US, PRESS, [big, edge], {}, {"big": big, "edge": edge})
    assert standing == {"big": TARGETED, "edge": APPLIED}
    assert await hub.standing(PRESS) == {"big": "Targeted", "edge": "Applied"}
