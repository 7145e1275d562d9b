"""Names of the stream's parts, and who may use it."""

import pytest
from tests.fakes.amqp_head import AmqpHub

from ironhub.access.model import Permission, PermissionDenied
from ironhub.heads.amqp.events.access import entity_not_found, host_of, partition_number, reader_grant
from ironhub.identity.model import AuthenticationFailed, Right


def test_partitions_are_called_by_their_number_and_no_other_way() -> None:
    assert [partition_number(text, 12) for text in ("0", "7", "11")] == [0, 7, 11]
    for text in ("12", "", "07", "-1", "1.0", "٣", "1" * 5000):
        assert partition_number(text, 12) is None


async def test_a_grant_comes_from_a_credential_of_the_connection() -> None:
    hub = AmqpHub()
    stranger = await hub.connected()
    with pytest.raises(AuthenticationFailed):
        reader_grant(stranger.conversation)
    without = await hub.connected(await hub.policy_token("registry", Right.REGISTRY_READ))
    with pytest.raises(PermissionDenied):
        reader_grant(without.conversation)
    peer = await hub.backend()
    credential, grant = reader_grant(peer.conversation)
    grant.require_whole_hub(Permission.TELEMETRY_READ)
    assert credential.principal.policy == "service"


async def test_the_token_for_the_part_that_is_read_is_taken_before_others() -> None:
    hub = AmqpHub()
    part = "sb://hub.example/events/ConsumerGroups/alerts"
    peer = await hub.connected(
        await hub.policy_token("service"), await hub.policy_token("service", resource=part), await hub.policy_token("b")
    )
    credential, _ = reader_grant(peer.conversation, "ConsumerGroups/alerts/Partitions/0")
    assert credential.principal.scope.lower() == "/messages/events/consumergroups/alerts"


async def test_the_host_is_the_one_that_was_dialled_if_it_is_ours() -> None:
    hub = AmqpHub()
    hub.amqp.names.replace(["a.example", "hub.example"])
    peer = await hub.backend()
    assert host_of(peer.conversation) == "hub.example"
    assert str(entity_not_found(peer.conversation, "other")) == (
        "The messaging entity 'sb://hub.example/other' could not be found."
    )
    hub.amqp.names.replace(["a.example"])
    assert host_of(peer.conversation) == "a.example"
