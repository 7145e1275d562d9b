"""Shared access policies: list, create, change, roll a key, delete."""

from typing import Final

from fastapi import APIRouter, Response
from pydantic import Field

from ironhub.access.model import Permission
from ironhub.access.policies import PolicyNeeded, PolicyNotFound, TooManyPolicies, WhichKey
from ironhub.console.auth import Authenticated
from ironhub.console.routes import router
from ironhub.console.shapes import ConnectionStringGiven, Given, Taken, example
from ironhub.dialects.azure.connection_string import policy_connection_string
from ironhub.identity.model import KnownPolicy, Right

routes: Final[APIRouter] = router("/policies", "policies", PolicyNotFound, PolicyNeeded, TooManyPolicies)


class PolicyTaken(Taken):
    """What a policy shall allow."""

    model_config = example(rights=["RegistryRead", "ServiceConnect"])

    rights: frozenset[Right] = Field(min_length=1)
    """RegistryWrite means reading too."""


class PolicyGiven(Given):
    """A shared access policy; its keys are in its connection string."""

    name: str
    rights: tuple[str, ...]

    @classmethod
    def of(cls, policy: KnownPolicy) -> "PolicyGiven":
        """Return what callers see of `policy`."""
        return cls(name=policy.name, rights=tuple(sorted(right.value for right in policy.rights)))


class PolicyList(Given):
    """All shared access policies, in the order in which they were created."""

    policies: tuple[PolicyGiven, ...]


@routes.get("")
async def list_policies(caller: Authenticated) -> PolicyList:
    """Return the shared access policies, without their keys."""
    policies = await caller.services.policies.list(caller.may(Permission.POLICY_READ))
    return PolicyList(policies=tuple(PolicyGiven.of(policy) for policy in policies))


@routes.put("/{name}")
async def put_policy(caller: Authenticated, name: str, taken: PolicyTaken) -> PolicyGiven:
    """Create a policy with two new keys, or change what it allows; a session that loses its right ends at once."""
    grant = caller.may(Permission.POLICY_WRITE)
    return PolicyGiven.of(await caller.services.policies.put(grant, name, taken.rights))


@routes.delete("/{name}", status_code=204)
async def delete_policy(caller: Authenticated, name: str) -> Response:
    """Forget a policy; what rested on it ends at once. The five that every hub has cannot be deleted."""
    await caller.services.policies.delete(caller.may(Permission.POLICY_WRITE), name)
    return Response(status_code=204)


@routes.post("/{name}/roll")
async def roll_policy(
    caller: Authenticated, name: str, key: WhichKey = WhichKey.PRIMARY, host: str | None = None
) -> ConnectionStringGiven:
    """Give a policy a new key and return the connection string with it; what rested on the old key ends at once."""
    rolled = await caller.services.policies.roll_key(caller.may(Permission.POLICY_WRITE), name, key)
    value = rolled.keys.primary if key is WhichKey.PRIMARY else rolled.keys.secondary
    host = host or caller.services.hub_names[0]
    return ConnectionStringGiven(connection_string=policy_connection_string(host, rolled.name, value))
