"""messaging/commands/holder.py, over the product's own service."""

import pytest
from tests.fakes.grants import by_device, by_operator
from tests.fakes.services import SmallHub

from ironhub.access.model import Permission
from ironhub.core.errors import Unavailable
from ironhub.core.ids import identity
from ironhub.messaging.commands.holder import Holder
from ironhub.messaging.commands.model import CommandDraft
from ironhub.messaging.commands.service import CommandService

PRESS = identity("press-7")
RECEIVE = by_device(Permission.COMMAND_RECEIVE, PRESS)


@pytest.fixture
async def hub() -> SmallHub:
    hub = SmallHub()
    await hub.register(PRESS)
    return hub


@pytest.fixture
def commands(hub: SmallHub) -> CommandService:
    return CommandService(hub.commands, hub.bus, hub.clock, hub.entropy)


@pytest.fixture
def holder(hub: SmallHub, commands: CommandService) -> Holder:
    return Holder(commands, hub.entropy)


async def send(commands: CommandService) -> None:
    await commands.send(by_operator(Permission.COMMAND_SEND, PRESS), CommandDraft(body=b"go"))


@pytest.mark.parametrize("kind", ["hold", "receive"])
async def test_what_a_session_held_goes_back_to_the_next(
    hub: SmallHub, commands: CommandService, holder: Holder, kind: str
) -> None:
    other = Holder(commands, hub.entropy)
    await send(commands)
    assert len(await getattr(holder, kind)(RECEIVE, limit=5)) == 1
    assert await other.hold(RECEIVE, limit=5) == []
    await other.release(RECEIVE)
    assert await other.hold(RECEIVE, limit=5) == []
    await holder.release(RECEIVE)
    assert len(await other.hold(RECEIVE, limit=5)) == 1


async def test_who_never_held_anything_does_not_trouble_the_store(hub: SmallHub, holder: Holder) -> None:
    assert await holder.receive(RECEIVE, limit=5) == []
    hub.trouble.calls.clear()
    await holder.release(RECEIVE)
    assert (holder.may_hold, hub.trouble.calls) == (False, [])


async def test_one_that_held_something_once_may_hold_it_still(commands: CommandService, holder: Holder) -> None:
    await send(commands)
    await holder.hold(RECEIVE, limit=1)
    assert await holder.hold(RECEIVE, limit=1) == []
    assert holder.may_hold


async def test_what_failed_may_have_been_stored_all_the_same(hub: SmallHub, holder: Holder) -> None:
    hub.trouble.only, hub.trouble.refusals = frozenset({"lock_commands"}), 1
    with pytest.raises(Unavailable):
        await holder.hold(RECEIVE, limit=1)
    assert holder.may_hold
    hub.trouble.calls.clear()
    await holder.release(RECEIVE)
    assert hub.trouble.calls == ["release_commands"]
