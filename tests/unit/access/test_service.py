import pytest

from ironhub.access.model import WHOLE_HUB, BlobPlace, Permission, PermissionDenied, Target
from ironhub.access.service import (
    LINK_RIGHTS_NEEDED,
    OWN_PERMISSIONS,
    RIGHTS_NEEDED,
    authorise,
    authorise_in_family,
    remember,
)
from ironhub.core.ids import DeviceId, Identity, identity
from ironhub.identity.model import (
    DevicePrincipal,
    LinkPrincipal,
    LinkRight,
    OperatorPrincipal,
    Principal,
    Proof,
    Remembered,
    Right,
    ServicePrincipal,
)

D1, D10, M1 = identity("d1"), identity("d10"), identity("d1", "m1")
DEVICE = DevicePrincipal(D1, "g", Proof.OWN_KEY, None)
OPERATOR = OperatorPrincipal("admin")


def back_end(*rights: Right, scope: str = "") -> ServicePrincipal:
    return ServicePrincipal("p", frozenset(rights), scope, 1e12)


def may(principal: Principal, permission: Permission, target: Target) -> bool:
    try:
        grant = authorise(principal, permission, target)
    except PermissionDenied:
        return False
    assert (grant.principal, grant.permission, grant.target) == (principal, permission, target)
    return True


@pytest.mark.parametrize("permission", Permission)
def test_a_device_may_act_on_itself_and_nobody_else(permission: Permission) -> None:
    assert may(DEVICE, permission, D1) == (permission in OWN_PERMISSIONS)
    for other in (D10, M1, identity("D1"), WHOLE_HUB):
        assert not may(DEVICE, permission, other)


def test_a_module_is_not_its_device() -> None:
    module = DevicePrincipal(M1, "g", Proof.OWN_KEY, None)
    assert may(module, Permission.TELEMETRY_SEND, M1)
    assert not may(module, Permission.TELEMETRY_SEND, D1)


def test_a_device_that_a_policy_admitted_may_no_more_than_others() -> None:
    device = DevicePrincipal(D1, "g", Proof.POLICY_KEY, 1.0, "iothubowner")
    assert not may(device, Permission.REGISTRY_READ, D1)
    assert not may(device, Permission.TELEMETRY_SEND, D10)


@pytest.mark.parametrize("permission", Permission)
def test_a_back_end_may_what_the_right_of_its_policy_says(permission: Permission) -> None:
    needed = RIGHTS_NEEDED.get(permission)
    for right in Right:
        assert may(back_end(right), permission, D1) == (right is needed)
    assert may(back_end(*Right), permission, WHOLE_HUB) == (needed is not None)
    assert not may(back_end(), permission, D1)


def test_nobody_acts_as_a_device_by_a_back_ends_rights() -> None:
    assert OWN_PERMISSIONS.isdisjoint(RIGHTS_NEEDED)
    assert Right.DEVICE_CONNECT not in RIGHTS_NEEDED.values()


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        ("", {D1, D10, M1}),
        ("/devices", {D1, D10, M1}),
        ("/devices/", {D1, D10, M1}),
        ("/devices/d1", {D1, M1}),
        ("/devices/d1/modules/m1", {M1}),
        ("/devices/d", set()),
        ("/devices/D1", set()),
        ("/messages/events", set()),
    ],
)
def test_a_back_ends_token_reaches_by_whole_segments(scope: str, allowed: set[Target]) -> None:
    principal = back_end(Right.SERVICE_CONNECT, scope=scope)
    assert {target for target in (D1, D10, M1) if may(principal, Permission.TWIN_READ, target)} == allowed
    assert may(principal, Permission.TWIN_READ, WHOLE_HUB) == (scope == "")


@pytest.mark.parametrize(
    ("scope", "reads"),
    [
        ("", True),
        ("/messages", True),
        ("/messages/events", True),
        ("/messages/events/ConsumerGroups/$Default/Partitions/0", True),
        ("/messages/events2", False),
        ("/messages/devicebound", False),
        ("/devices", False),
    ],
)
def test_a_token_for_the_event_stream_reads_it_and_nothing_else(scope: str, *, reads: bool) -> None:
    principal = back_end(*Right, scope=scope)
    assert may(principal, Permission.TELEMETRY_READ, WHOLE_HUB) == reads
    assert may(principal, Permission.FEEDBACK_READ, WHOLE_HUB) == (scope == "")
    assert may(principal, Permission.TELEMETRY_READ, D1) == (scope in {"", "/devices"})


def test_a_denial_tells_the_log_who_asked_for_what() -> None:
    with pytest.raises(PermissionDenied, match="twin:write is not allowed here") as caught:
        authorise(DEVICE, Permission.TWIN_WRITE, D10)
    assert "d10" in caught.value.detail


@pytest.mark.parametrize("permission", Permission)
def test_an_operator_may_everything_but_act_as_a_device(permission: Permission) -> None:
    assert may(OPERATOR, permission, D1) == (permission not in OWN_PERMISSIONS)
    assert may(OPERATOR, permission, WHOLE_HUB) == (permission not in OWN_PERMISSIONS)


class Family:
    """The device d1 is an edge device above d10."""

    async def is_parent(self, parent: DeviceId, child: DeviceId) -> bool:
        return (parent, child) == ("d1", "d10")


async def may_in_family(principal: DevicePrincipal, permission: Permission, target: Identity) -> bool:
    try:
        grant = await authorise_in_family(principal, permission, target, Family())
    except PermissionDenied:
        return False
    assert (grant.principal, grant.permission, grant.target) == (principal, permission, target)
    return True


@pytest.mark.parametrize("permission", Permission)
async def test_a_module_calls_methods_of_its_own_family_and_does_nothing_else_to_it(permission: Permission) -> None:
    module = DevicePrincipal(M1, "g", Proof.OWN_KEY, None)
    for relative in (D1, M1, identity("d1", "m2"), D10, identity("d10", "m1")):
        assert await may_in_family(module, permission, relative) == (permission is Permission.METHOD_INVOKE)
    for other in (identity("d2"), identity("d2", "m1"), identity("D1")):
        assert not await may_in_family(module, permission, other)


async def test_neither_a_device_nor_a_module_below_reaches_its_family() -> None:
    below = DevicePrincipal(identity("d10", "m1"), "g", Proof.OWN_KEY, None)
    assert not await may_in_family(below, Permission.METHOD_INVOKE, D1)
    assert not await may_in_family(DEVICE, Permission.METHOD_INVOKE, D1)
    assert not await may_in_family(DEVICE, Permission.METHOD_INVOKE, M1)
    assert not await may_in_family(DEVICE, Permission.METHOD_INVOKE, D10)


@pytest.mark.parametrize("permission", Permission)
def test_a_link_opens_what_it_names_and_for_what_it_allows(permission: Permission) -> None:
    box, file = BlobPlace("box"), BlobPlace("box", "d1/log.txt")
    to_blob = LinkPrincipal("box", "d1/log.txt", frozenset(LinkRight), 1e12)
    to_box = LinkPrincipal("box", None, frozenset(LinkRight), 1e12)
    opens = permission in LINK_RIGHTS_NEEDED
    assert may(to_blob, permission, file) is may(to_box, permission, file) is may(to_box, permission, box) is opens
    for other in (box, BlobPlace("box", "d10/log.txt"), BlobPlace("other", "d1/log.txt"), D1, WHOLE_HUB):
        assert not may(to_blob, permission, other)
    for other in (BlobPlace("other"), D1, WHOLE_HUB):
        assert not may(to_box, permission, other)
    assert not may(LinkPrincipal("box", None, frozenset(), 1e12), permission, box)


def test_who_set_something_going_is_remembered_without_a_secret() -> None:
    creator = ServicePrincipal("owner", frozenset(Right), "/devices", 1e12, "digest")
    assert remember(creator) == Remembered("owner", True, "/devices", "digest")
    assert remember(OPERATOR) == Remembered("admin", False)
    with pytest.raises(PermissionDenied):
        remember(DEVICE)
