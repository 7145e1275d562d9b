import pytest

from ironhub.access.model import WHOLE_HUB, Grant, Permission, PermissionDenied, WholeHub
from ironhub.core.ids import identity
from ironhub.identity.model import OperatorPrincipal

OPERATOR = OperatorPrincipal("admin")


def test_a_grant_is_good_for_its_own_permission_only() -> None:
    grant = Grant(OPERATOR, Permission.TWIN_READ, WHOLE_HUB)
    grant.require(Permission.TWIN_READ)
    with pytest.raises(PermissionDenied, match="twin:write was asked of a grant for twin:read"):
        grant.require(Permission.TWIN_WRITE)


def test_a_grant_knows_the_one_identity_it_is_for() -> None:
    assert Grant(OPERATOR, Permission.TWIN_READ, identity("d1", "m1")).identity == identity("d1", "m1")


def test_a_grant_over_the_whole_hub_is_for_no_single_identity() -> None:
    with pytest.raises(PermissionDenied, match="no single identity"):
        _ = Grant(OPERATOR, Permission.TWIN_READ, WHOLE_HUB).identity
    assert WholeHub() == WHOLE_HUB


def test_permissions_are_spelt_resource_colon_action() -> None:
    for permission in Permission:
        resource, action = permission.value.split(":")
        assert resource.isidentifier()
        assert action.isidentifier()


def test_denial_has_a_stable_code() -> None:
    assert (PermissionDenied.code, PermissionDenied.status) == ("access.denied", 403)


def test_what_concerns_the_whole_hub_needs_a_grant_for_the_whole_hub() -> None:
    Grant(OPERATOR, Permission.TWIN_READ, WHOLE_HUB).require_whole_hub(Permission.TWIN_READ)
    for grant in (
        Grant(OPERATOR, Permission.TWIN_READ, identity("d1")),
        Grant(OPERATOR, Permission.TWIN_WRITE, WHOLE_HUB),
    ):
        with pytest.raises(PermissionDenied):
            grant.require_whole_hub(Permission.TWIN_READ)


def test_a_modules_grant_is_none_for_its_device() -> None:
    assert Grant(OPERATOR, Permission.TWIN_READ, identity("d1")).device_id == "d1"
    for target in (identity("d1", "m1"), WHOLE_HUB):
        with pytest.raises(PermissionDenied):
            _ = Grant(OPERATOR, Permission.TWIN_READ, target).device_id


def test_what_concerns_more_than_one_identity_needs_a_grant_over_the_whole_hub() -> None:
    Grant(OPERATOR, Permission.REGISTRY_READ, WHOLE_HUB).require_whole_hub(Permission.REGISTRY_READ)
    with pytest.raises(PermissionDenied, match="over the whole hub was asked of a grant for one identity"):
        Grant(OPERATOR, Permission.REGISTRY_READ, identity("d1")).require_whole_hub(Permission.REGISTRY_READ)
    with pytest.raises(PermissionDenied, match="was asked of a grant for"):
        Grant(OPERATOR, Permission.TWIN_READ, WHOLE_HUB).require_whole_hub(Permission.REGISTRY_READ)


def test_a_grant_for_a_module_is_none_for_its_device() -> None:
    assert Grant(OPERATOR, Permission.REGISTRY_READ, identity("d1")).device_id == "d1"
    with pytest.raises(PermissionDenied, match="for a module"):
        _ = Grant(OPERATOR, Permission.REGISTRY_READ, identity("d1", "m1")).device_id
    with pytest.raises(PermissionDenied, match="no single identity"):
        _ = Grant(OPERATOR, Permission.REGISTRY_READ, WHOLE_HUB).device_id
