from collections.abc import Sequence

import pytest
from tests.fakes.clock import START
from tests.fakes.configurations import READ, WRITE, ConfiguredHub
from tests.fakes.grants import by_device, by_operator

from ironhub.access.model import Permission, PermissionDenied
from ironhub.core.errors import InvalidArgument
from ironhub.core.ids import identity
from ironhub.registry.model import DeviceNotFound
from ironhub.twins.configurations.errors import (
    ConfigurationContentImmutable,
    ConfigurationContentInvalid,
    ConfigurationEtagMismatch,
    ConfigurationExists,
    ConfigurationInvalid,
    ConfigurationMetricInvalid,
    ConfigurationNotFound,
    ConfigurationTargetInvalid,
)
from ironhub.twins.configurations.model import ConfigurationDraft, Content, ContentKind, Write
from ironhub.twins.configurations.service import Verdicts
from ironhub.twins.model import TwinInvalid, TwinNotFound

PRESS, NOBODY = identity("press-7"), identity("nobody")
DEVICE, MODULE, EDGE = (
    Content(ContentKind.DEVICE, (Write(("a",), 1),)),
    Content(ContentKind.MODULE, (Write(("a",), 1),)),
    Content(ContentKind.EDGE, (Write(("a",), 1, "eye"),)),
)


@pytest.fixture
async def hub() -> ConfiguredHub:
    hub = ConfiguredHub()
    await hub.register(PRESS)
    return hub


async def test_a_configuration_is_made_changed_and_deleted(hub: ConfiguredHub) -> None:
    made = await hub.put("speed", "b", labels={"by": "plant"}, metrics={"m": "*"})
    assert (made.priority, made.schema_version, made.created_at, made.updated_at) == (0, "1.0", START + 1, START + 1)
    assert await hub.service.get(READ, "speed") == made
    changed = await hub.put("speed", "c", if_match=made.etag, priority=4)
    assert (changed.target, changed.priority, changed.labels, changed.metrics) == ("c", 4, made.labels, made.metrics)
    assert (changed.content, changed.created_at, changed.updated_at) == (made.content, START + 1, START + 2)
    assert changed.etag != made.etag
    assert list(await hub.service.list(READ)) == [changed]
    with pytest.raises(ConfigurationEtagMismatch):
        await hub.service.delete(WRITE, "speed", if_match=made.etag)
    await hub.service.delete(WRITE, "speed", if_match="*")
    with pytest.raises(ConfigurationNotFound):
        await hub.service.get(READ, "speed")


async def test_a_change_needs_the_etag_and_the_same_content(hub: ConfiguredHub) -> None:
    made = await hub.put("speed", "b", content=DEVICE)
    with pytest.raises(ConfigurationExists):
        await hub.put("speed", "b")
    with pytest.raises(ConfigurationEtagMismatch):
        await hub.put("speed", "b", if_match="stale")
    with pytest.raises(ConfigurationEtagMismatch):
        await hub.put("nobody", "b", if_match="e")
    with pytest.raises(ConfigurationNotFound):
        await hub.put("nobody", "b", if_match="*")
    with pytest.raises(ConfigurationContentImmutable):
        await hub.put("speed", "b", if_match="*", content=EDGE)
    again = await hub.put("speed", "b", if_match="*", content=DEVICE)
    assert again.etag != made.etag


@pytest.mark.parametrize(
    ("error", "name", "draft"),
    [
        (ConfigurationInvalid, "Speed", ConfigurationDraft(content=DEVICE)),
        (ConfigurationInvalid, "speed", ConfigurationDraft(content=DEVICE, priority=-1)),
        (ConfigurationContentInvalid, "speed", ConfigurationDraft()),
        (ConfigurationContentInvalid, "speed", ConfigurationDraft(content=Content(ContentKind.DEVICE, ()))),
        (ConfigurationTargetInvalid, "speed", ConfigurationDraft(content=DEVICE, target="?")),
        (ConfigurationTargetInvalid, "speed", ConfigurationDraft(content=DEVICE, target="m:b")),
        (ConfigurationTargetInvalid, "speed", ConfigurationDraft(content=EDGE, target="m:b")),
        (ConfigurationTargetInvalid, "speed", ConfigurationDraft(content=MODULE, target="b")),
        (ConfigurationMetricInvalid, "speed", ConfigurationDraft(content=DEVICE, metrics={"m": "?"})),
    ],
)
async def test_what_cannot_be_is_refused(
    hub: ConfiguredHub, error: type[Exception], name: str, draft: ConfigurationDraft
) -> None:
    with pytest.raises(error):
        await hub.service.put(WRITE, name, draft, if_match=None)
    assert list(await hub.service.list(READ)) == []


async def test_words_are_tried_without_storing_anything(hub: ConfiguredHub) -> None:
    assert await hub.service.test(READ, "b", {"good": "*"}) == Verdicts(None, {})
    assert await hub.service.test(READ, None, {}) == Verdicts(None, {})
    told = await hub.service.test(READ, "?", {"good": "*", "bad": "?"})
    assert told == Verdicts("nobody understands ?", {"bad": "nobody understands ?"})
    with pytest.raises(InvalidArgument):
        await hub.service.test(READ, None, {str(number): "*" for number in range(6)})


async def test_content_is_applied_to_one_device_once(hub: ConfiguredHub) -> None:
    grant = by_operator(Permission.CONFIGURATION_WRITE, PRESS)
    await hub.service.apply(grant, [DEVICE, EDGE])
    for who in (PRESS, identity("press-7", "eye")):
        twin = await hub.twin(who)
        assert (twin.desired.properties, twin.configurations) == ({"a": 1}, {})


@pytest.mark.parametrize(
    ("error", "contents"),
    [
        (ConfigurationContentInvalid, []),
        (ConfigurationContentInvalid, [MODULE]),
        (ConfigurationContentInvalid, [DEVICE, Content(ContentKind.EDGE, ())]),
        (TwinNotFound, [DEVICE]),
        (DeviceNotFound, [EDGE]),
    ],
)
async def test_what_cannot_be_applied_changes_nothing(
    hub: ConfiguredHub, error: type[Exception], contents: Sequence[Content]
) -> None:
    with pytest.raises(error):
        await hub.service.apply(by_operator(Permission.CONFIGURATION_WRITE, NOBODY), contents)


async def test_content_that_does_not_fit_is_refused(hub: ConfiguredHub) -> None:
    grant = by_operator(Permission.CONFIGURATION_WRITE, PRESS)
    for number in range(8):
        await hub.service.apply(grant, [Content(ContentKind.DEVICE, (Write((f"k{number}",), "x" * 4000),))])
    with pytest.raises(TwinInvalid):
        await hub.service.apply(grant, [Content(ContentKind.DEVICE, (Write(("more",), "x" * 4000),))])


async def test_whoever_has_no_right_over_the_whole_hub_gets_nowhere(hub: ConfiguredHub) -> None:
    one = by_operator(Permission.CONFIGURATION_WRITE, PRESS)
    read_one = by_operator(Permission.CONFIGURATION_READ, PRESS)
    other = by_device(Permission.TWIN_REPORT, PRESS)
    for grant in (one, other):
        with pytest.raises(PermissionDenied):
            await hub.service.put(grant, "speed", ConfigurationDraft(content=DEVICE), if_match=None)
        with pytest.raises(PermissionDenied):
            await hub.service.delete(grant, "speed")
    for grant in (read_one, other):
        with pytest.raises(PermissionDenied):
            await hub.service.get(grant, "speed")
        with pytest.raises(PermissionDenied):
            await hub.service.list(grant)
        with pytest.raises(PermissionDenied):
            await hub.service.test(grant, "*", {})
    with pytest.raises(PermissionDenied):
        await hub.service.apply(other, [DEVICE])
    with pytest.raises(PermissionDenied):
        await hub.service.apply(WRITE, [DEVICE])
