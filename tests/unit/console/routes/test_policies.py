"""Tests of console/routes/policies.py."""

from tests.unit.console.conftest import Desk


async def test_policies_are_listed_without_their_keys(desk: Desk) -> None:
    policies = (await desk.ok("GET", "/policies"))["policies"]
    assert [policy["name"] for policy in policies][:2] == ["iothubowner", "service"]
    assert policies[1] == {"name": "service", "rights": ["ServiceConnect"]}


async def test_a_key_is_rolled_and_given_as_a_connection_string(desk: Desk) -> None:
    async def stored() -> str:
        given: str = (await desk.ok("GET", "/connection-string?policy=service"))["connection_string"]
        return given

    before = await stored()
    rolled = (await desk.ok("POST", "/policies/service/roll"))["connection_string"]
    assert rolled != before
    assert await stored() == rolled
    secondary = (await desk.ok("POST", "/policies/service/roll?key=secondary&host=here"))["connection_string"]
    assert secondary.startswith("HostName=here;SharedAccessKeyName=service;SharedAccessKey=")
    assert await stored() == rolled
    assert await desk.refused("POST", "/policies/nobody/roll") == (404, "policy.not_found")
    assert await desk.refused("POST", "/policies/service/roll?key=third") == (400, "argument.invalid")


async def test_a_policy_is_made_changed_and_deleted(desk: Desk) -> None:
    made = await desk.ok("PUT", "/policies/reader", json={"rights": ["RegistryRead"]})
    assert made == {"name": "reader", "rights": ["RegistryRead"]}
    before = await desk.ok("GET", "/connection-string?policy=reader")
    changed = await desk.ok("PUT", "/policies/reader", json={"rights": ["ServiceConnect", "DeviceConnect"]})
    assert changed["rights"] == ["DeviceConnect", "ServiceConnect"]
    assert await desk.ok("GET", "/connection-string?policy=reader") == before
    assert await desk.ok("DELETE", "/policies/reader") is None
    assert await desk.refused("DELETE", "/policies/reader") == (404, "policy.not_found")
    assert await desk.refused("DELETE", "/policies/service") == (409, "policy.needed")


async def test_a_policy_without_a_known_right_is_refused(desk: Desk) -> None:
    for rights in ([], ["Everything"], "RegistryRead", None):
        assert await desk.refused("PUT", "/policies/x", json={"rights": rights}) == (400, "argument.invalid")
