"""The stores in memory as a set; what each of them does is in tests/contracts."""

from tests.contracts.stores import CREATED_AT, PRESS, register
from tests.fakes.clock import FakeEntropy

from ironhub.messaging.commands.model import Ack, CommandDraft
from ironhub.storage.memory.stores import memory_stores


async def test_each_call_makes_new_stores() -> None:
    one, other = memory_stores(FakeEntropy()), memory_stores(FakeEntropy())
    await register(one, PRESS)
    assert await other.devices.get_device(PRESS.device_id) is None


async def test_feedback_is_kept_as_long_as_asked() -> None:
    stores = memory_stores(FakeEntropy(), feedback_ttl=5.0)
    await register(stores, PRESS)
    draft = CommandDraft(body=b"", ack=Ack.FULL)
    await stores.commands.add_command(
        PRESS, draft, message_id="m", now=CREATED_AT, expires_at=CREATED_AT + 1, max_pending=1
    )
    await stores.commands.purge_commands(PRESS, now=CREATED_AT)
    (record,) = await stores.commands.list_feedback(after=0, limit=1, now=CREATED_AT)
    assert record.expires_at == CREATED_AT + 5.0
