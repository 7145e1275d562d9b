"""The stores in SQLite as a set: everything outlives the process."""

from pathlib import Path

from tests.contracts.stores import ARM, CREATED_AT, KEYS, PRESS, fact, facts_of, module, register, stores_over

from ironhub.core.facts import FactKind
from ironhub.identity.model import KnownPolicy, Right
from ironhub.messaging.commands.model import Ack, CommandDraft, Outcome
from ironhub.messaging.sessions.model import StoredSession
from ironhub.pki.model import Authority
from ironhub.registry.model import Presence
from ironhub.storage.sqlite.database import open_database
from ironhub.storage.stores import Stores
from ironhub.twins.model import FIRST_VERSION, Twin

TWIN = Twin(ARM, FIRST_VERSION + 1, tags={"a": 1})
POLICY = KnownPolicy("owner", KEYS, frozenset(Right))
AUTHORITY = Authority("plant", b"der", "CODE", CREATED_AT, "e1", verified=True)


async def fill(stores: Stores) -> None:
    """Something of each kind."""
    await register(stores, PRESS, ARM)
    await stores.twins.put_twin(TWIN, replacing=FIRST_VERSION)
    await stores.sessions.put_session(StoredSession(ARM, {"t": 1}))
    await stores.policies.put_policy(POLICY)
    await stores.authorities.put_authority(AUTHORITY, replacing=None)
    await stores.devices.record_presence([fact(FactKind.CONNECTED)])
    for message_id in ("one", "two"):
        await stores.commands.add_command(
            ARM,
            CommandDraft(body=b"go", ack=Ack.FULL),
            message_id=message_id,
            now=CREATED_AT,
            expires_at=CREATED_AT + 60,
            max_pending=9,
        )
    first, _ = await stores.commands.lock_commands(ARM, now=CREATED_AT, locked_until=None, owner="s", limit=9)
    await stores.commands.complete_command(ARM, first.lock_token, now=CREATED_AT, outcome=Outcome.SUCCESS)


async def test_all_is_there_after_a_restart(tmp_path: Path) -> None:
    database = open_database(tmp_path / "hub.db")
    await fill(await stores_over(database))
    await database.close()
    database = open_database(tmp_path / "hub.db")
    stores = await stores_over(database)
    found = await stores.devices.get_module(ARM)
    assert found is not None
    assert (found.etag, found.credentials, found.pending_commands) == (module().etag, module().credentials, 1)
    assert await stores.twins.get_twin(ARM) == TWIN
    assert await stores.sessions.get_session(ARM) == StoredSession(ARM, {"t": 1})
    assert await stores.policies.known_policy("Owner") == POLICY
    assert await stores.authorities.get_authority("plant") == AUTHORITY
    assert await facts_of(stores) == [fact(FactKind.CONNECTED)]
    (record,) = await stores.commands.list_feedback(after=0, limit=9, now=CREATED_AT)
    assert (record.message_id, record.outcome) == ("one", Outcome.SUCCESS)
    assert await stores.commands.lock_commands(ARM, now=CREATED_AT, locked_until=None, owner="t", limit=9) == []
    assert await stores.commands.release_commands(None, now=CREATED_AT) == 1
    (again,) = await stores.commands.lock_commands(ARM, now=CREATED_AT, locked_until=None, owner="t", limit=9)
    assert again.command.message_id == "two"
    its_device = await stores.devices.get_device(PRESS.device_id)
    assert its_device is not None
    assert its_device.presence == Presence(True, CREATED_AT, CREATED_AT)
    await database.close()
