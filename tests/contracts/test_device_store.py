"""The contract of registry.ports.DeviceStore and identity.ports.IdentitySource, against every implementation."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.contracts.stores import (
    ARM,
    CREATED_AT,
    IMPLEMENTATIONS,
    NOBODY,
    PRESS,
    SAS,
    device,
    fact,
    facts_of,
    module,
    open_stores,
    register,
)

from ironhub.core.facts import Fact, FactKind
from ironhub.core.ids import Identity, identity
from ironhub.identity.model import CredentialKind, Credentials, KnownIdentity, SymmetricKeys, Thumbprints
from ironhub.messaging.commands.model import Ack, CommandDraft
from ironhub.messaging.sessions.model import StoredSession
from ironhub.registry.model import (
    MAX_MODULES_PER_DEVICE,
    DeviceExists,
    DeviceNotFound,
    DeviceStatus,
    EtagMismatch,
    ModuleExists,
    ModuleNotFound,
    Presence,
    TooManyModules,
)
from ironhub.storage.stores import Stores
from ironhub.twins.model import FIRST_VERSION, Twin, initial_twin

FULL = replace(
    device(),
    credentials=Credentials(CredentialKind.SELF_SIGNED, thumbprints=Thumbprints("a" * 40, None)),
    status=DeviceStatus.DISABLED,
    status_reason="stolen; ''\"\u2014 \x00",
    status_changed_at=CREATED_AT + 0.25,
    edge_capable=True,
    scope="ms-azure-iot-edge://press-7-1",
    parent_scopes=("one", "two"),
)


@pytest.fixture(params=IMPLEMENTATIONS)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with open_stores(request.param, tmp_path) as opened:
        yield opened


async def test_a_device_comes_back_as_it_was_put(stores: Stores) -> None:
    await stores.devices.put_device(FULL, replacing=None)
    assert await stores.devices.get_device(PRESS.device_id) == FULL


async def test_ids_are_case_sensitive(stores: Stores) -> None:
    await register(stores, PRESS)
    assert await stores.devices.get_device(identity("PRESS-7").device_id) is None


@pytest.mark.parametrize(
    "credentials",
    [
        SAS,
        Credentials(CredentialKind.SAS, keys=SymmetricKeys(b"\x00" * 16, b"\xff" * 64)),
        Credentials(CredentialKind.SELF_SIGNED, thumbprints=Thumbprints("a" * 64, "b" * 40)),
        Credentials(CredentialKind.SELF_SIGNED, thumbprints=Thumbprints(None, None)),
        Credentials(CredentialKind.CERTIFICATE_AUTHORITY),
        Credentials(CredentialKind.NONE),
    ],
)
async def test_the_gate_sees_every_kind_of_credential(stores: Stores, credentials: Credentials) -> None:
    await stores.devices.put_device(replace(device(), credentials=credentials), replacing=None)
    assert await stores.devices.known_identity(PRESS) == KnownIdentity(PRESS, "g1", True, credentials)


async def test_nobody_is_known_who_is_not_registered(stores: Stores) -> None:
    await register(stores, PRESS)
    assert await stores.devices.known_identity(NOBODY) is None
    assert await stores.devices.known_identity(ARM) is None
    assert await stores.devices.get_device(NOBODY.device_id) is None
    assert await stores.devices.get_module(ARM) is None


async def test_a_device_is_created_once(stores: Stores) -> None:
    await register(stores, PRESS)
    with pytest.raises(DeviceExists):
        await stores.devices.put_device(
            replace(device(), etag="e2"), replacing=None, facts=[fact(FactKind.DEVICE_CREATED)]
        )
    assert await stores.devices.get_device(PRESS.device_id) == device()
    assert await facts_of(stores) == []


async def test_a_change_needs_the_stored_etag(stores: Stores) -> None:
    await register(stores, PRESS)
    for wrong in ("e0", "", "E1"):
        with pytest.raises(EtagMismatch):
            await stores.devices.put_device(device(etag="e2"), replacing=wrong, facts=[fact(FactKind.DEVICE_CREATED)])
    with pytest.raises(EtagMismatch):
        await stores.devices.put_device(device(NOBODY), replacing="e1")
    assert await stores.devices.get_device(PRESS.device_id) == device()
    await stores.devices.put_device(replace(FULL, etag="e2"), replacing="e1")
    assert await stores.devices.get_device(PRESS.device_id) == replace(FULL, etag="e2")
    assert await facts_of(stores) == []


async def test_a_change_is_seen_by_the_gate_at_once(stores: Stores) -> None:
    await register(stores, PRESS, ARM)
    for asked in (PRESS, ARM):
        known = await stores.devices.known_identity(asked)
        assert known is not None
        assert known.enabled
    await stores.devices.put_device(replace(device(etag="e2"), status=DeviceStatus.DISABLED), replacing="e1")
    for asked in (PRESS, ARM):
        known = await stores.devices.known_identity(asked)
        assert known is not None
        assert not known.enabled
    await stores.devices.delete_module(ARM, replacing=None)
    assert await stores.devices.known_identity(ARM) is None
    await stores.devices.delete_device(PRESS.device_id, replacing=None)
    assert await stores.devices.known_identity(PRESS) is None


async def test_a_fact_is_stored_with_its_change(stores: Stores) -> None:
    created, deleted = fact(FactKind.DEVICE_CREATED), fact(FactKind.DEVICE_DELETED)
    await stores.devices.put_device(device(), replacing=None, facts=[created])
    await stores.devices.put_module(module(), replacing=None, facts=[created._replace(identity=ARM)])
    await stores.devices.delete_module(ARM, replacing=None, facts=[deleted._replace(identity=ARM)])
    await stores.devices.delete_device(PRESS.device_id, replacing=None, facts=[deleted])
    assert await facts_of(stores) == [
        created,
        created._replace(identity=ARM),
        deleted._replace(identity=ARM),
        deleted,
    ]


async def test_presence_and_pending_commands_are_not_written_by_a_put(stores: Stores) -> None:
    pretended = replace(device(), presence=Presence(True, 1.0, 2.0), pending_commands=7)
    await stores.devices.put_device(pretended, replacing=None)
    assert await stores.devices.get_device(PRESS.device_id) == device()
    await stores.devices.record_presence([fact(FactKind.CONNECTED, at=CREATED_AT + 1)])
    await stores.devices.put_device(device(etag="e2"), replacing="e1")
    found = await stores.devices.get_device(PRESS.device_id)
    assert found is not None
    assert found.presence == Presence(True, CREATED_AT + 1, CREATED_AT + 1)


async def test_deleting_a_device_needs_the_right_etag_if_one_is_named(stores: Stores) -> None:
    await register(stores, PRESS)
    with pytest.raises(EtagMismatch):
        await stores.devices.delete_device(PRESS.device_id, replacing="e2", facts=[fact(FactKind.DEVICE_DELETED)])
    with pytest.raises(DeviceNotFound):
        await stores.devices.delete_device(NOBODY.device_id, replacing=None)
    await stores.devices.delete_device(PRESS.device_id, replacing="e1")
    assert await stores.devices.get_device(PRESS.device_id) is None
    assert await facts_of(stores) == []


async def test_a_deleted_device_leaves_nothing_for_the_next_of_its_name(stores: Stores) -> None:
    neighbour, its_arm = identity("press-70"), identity("press-70", "arm")
    await register(stores, PRESS, ARM, neighbour, its_arm)
    for owner in (PRESS, ARM, neighbour, its_arm):
        await _leave_traces(stores, owner)
    await stores.devices.delete_device(PRESS.device_id, replacing=None)
    await register(stores, PRESS, ARM)
    for owner in (PRESS, ARM):
        assert await stores.twins.get_twin(owner) == initial_twin(owner, CREATED_AT)
        assert await stores.sessions.get_session(owner) is None
        assert await stores.commands.count_commands(owner) == 0
    assert await stores.devices.get_device(PRESS.device_id) == device()
    records = await stores.commands.list_feedback(after=0, limit=100, now=CREATED_AT)
    assert {record.identity for record in records} == {neighbour, its_arm}
    assert await stores.commands.count_commands(neighbour) == 1
    assert await stores.commands.count_commands(its_arm) == 1


async def test_a_deleted_module_leaves_its_device_alone(stores: Stores) -> None:
    await register(stores, PRESS, ARM)
    for owner in (PRESS, ARM):
        await _leave_traces(stores, owner)
    await stores.devices.delete_module(ARM, replacing="e1")
    assert await stores.twins.get_twin(ARM) is None
    assert await stores.commands.count_commands(ARM) == 0
    assert await stores.commands.count_commands(PRESS) == 1
    assert await stores.sessions.get_session(PRESS) is not None


async def test_pages_lead_through_all_devices_in_order(stores: Stores) -> None:
    ids = ["a", "B", "a.1", "a-1", "z", "Z", "0", "_", "b", "a:1"]
    for text in ids:
        await register(stores, identity(text), identity(text, "m"))
    after, found = None, list[str]()
    while True:
        page = await stores.devices.list_devices(after=after, limit=3)
        assert len(page.items) <= 3
        found += [item.device_id for item in page.items]
        after = page.after
        if after is None:
            break
    assert found == sorted(ids)
    exact = await stores.devices.list_devices(after=None, limit=len(ids))
    assert exact.after is None
    beyond = await stores.devices.list_devices(after="zz", limit=3)
    assert (beyond.items, beyond.after) == ((), None)


async def test_devices_are_counted_and_modules_are_not(stores: Stores) -> None:
    assert await stores.devices.count_devices() == (0, 0)
    await register(stores, PRESS, ARM, NOBODY)
    await stores.devices.put_device(replace(device(etag="e2"), status=DeviceStatus.DISABLED), replacing="e1")
    assert await stores.devices.count_devices() == (2, 1)


async def test_a_module_comes_back_as_it_was_put(stores: Stores) -> None:
    await register(stores, PRESS)
    managed = replace(module(), managed_by="iotEdge")
    await stores.devices.put_module(managed, replacing=None)
    assert await stores.devices.get_module(ARM) == managed
    changed = replace(managed, etag="e2", credentials=Credentials(CredentialKind.NONE))
    await stores.devices.put_module(changed, replacing="e1")
    assert await stores.devices.list_modules(PRESS.device_id) == (changed,)
    assert await stores.devices.known_identity(ARM) == KnownIdentity(ARM, "g2", True, changed.credentials)


async def test_a_module_needs_its_device_and_is_created_once(stores: Stores) -> None:
    with pytest.raises(DeviceNotFound):
        await stores.devices.put_module(module(), replacing=None, facts=[fact(FactKind.DEVICE_CREATED)])
    await register(stores, PRESS, ARM)
    with pytest.raises(ModuleExists):
        await stores.devices.put_module(module(etag="e2"), replacing=None)
    with pytest.raises(EtagMismatch):
        await stores.devices.put_module(module(etag="e2"), replacing="e0")
    with pytest.raises(EtagMismatch):
        await stores.devices.put_module(module(NOBODY_ARM), replacing="e0")
    assert await stores.devices.get_module(ARM) == module()
    assert await facts_of(stores) == []


NOBODY_ARM = identity("nobody", "arm")


async def test_deleting_a_module_is_conditional_too(stores: Stores) -> None:
    await register(stores, PRESS, ARM)
    with pytest.raises(EtagMismatch):
        await stores.devices.delete_module(ARM, replacing="e2")
    for missing in (identity("press-7", "leg"), NOBODY_ARM):
        with pytest.raises(ModuleNotFound):
            await stores.devices.delete_module(missing, replacing=None)
    assert await stores.devices.list_modules(PRESS.device_id) == (module(),)


async def test_a_device_has_so_many_modules_and_no_more(stores: Stores) -> None:
    await register(stores, PRESS)
    own = [identity("press-7", f"m{number:02}") for number in range(MAX_MODULES_PER_DEVICE)]
    await register(stores, *reversed(own))
    with pytest.raises(TooManyModules):
        await stores.devices.put_module(module(), replacing=None)
    assert [found.identity for found in await stores.devices.list_modules(PRESS.device_id)] == own
    assert await stores.devices.list_modules(NOBODY.device_id) == ()


async def test_who_came_and_went_is_stored_with_the_facts(stores: Stores) -> None:
    await register(stores, PRESS, ARM)
    changes = [
        fact(FactKind.CONNECTED, PRESS, at=CREATED_AT + 1),
        fact(FactKind.CONNECTED, NOBODY, at=CREATED_AT + 1),
        fact(FactKind.CONNECTED, ARM, at=CREATED_AT + 2),
        fact(FactKind.DISCONNECTED, PRESS, at=CREATED_AT + 3),
    ]
    await stores.devices.record_presence(changes)
    await stores.devices.record_presence([])
    assert await facts_of(stores) == [changes[0], changes[2], changes[3]]
    assert await _presence(stores, PRESS) == Presence(False, CREATED_AT + 3, CREATED_AT + 3)
    assert await _presence(stores, ARM) == Presence(True, CREATED_AT + 2, CREATED_AT + 2)
    listed = (await stores.devices.list_devices(after=None, limit=1)).items[0]
    assert listed.presence == Presence(False, CREATED_AT + 3, CREATED_AT + 3)


async def test_the_model_that_was_announced_last_stays_when_its_device_goes(stores: Stores) -> None:
    await register(stores, PRESS)
    for kind, data, known in (
        (FactKind.CONNECTED, {"model_id": "dtmi:a;1"}, "dtmi:a;1"),
        (FactKind.DISCONNECTED, {}, "dtmi:a;1"),
        (FactKind.CONNECTED, {}, ""),
        (FactKind.CONNECTED, {"model_id": "dtmi:a;2"}, "dtmi:a;2"),
    ):
        await stores.devices.record_presence([Fact(kind, PRESS, CREATED_AT, data)])
        assert (await _presence(stores, PRESS)).model_id == known
    assert await stores.devices.forget_presence(CREATED_AT + 1) == 1
    stored = await stores.devices.get_device(PRESS.device_id)
    assert stored is not None
    await stores.devices.put_device(replace(stored, etag="e2", presence=Presence()), replacing="e1")
    assert (await _presence(stores, PRESS)).model_id == "dtmi:a;2"


async def test_of_visits_between_two_writes_every_fact_is_told_and_the_last_state_is_stored(stores: Stores) -> None:
    await register(stores, PRESS, ARM)
    for models, known in ((("dtmi:a;1",), "dtmi:a;1"), (("dtmi:a;2", ""), ""), (("", "dtmi:a;3"), "dtmi:a;3")):
        visits = [
            Fact(kind, PRESS, CREATED_AT + number, data)
            for number, model in enumerate(models)
            for kind, data in ((FactKind.CONNECTED, {"model_id": model}), (FactKind.DISCONNECTED, {}))
        ]
        last = visits[-1].at
        await stores.devices.record_presence([*visits, fact(FactKind.CONNECTED, ARM)])
        assert await facts_of(stores) == [*visits, fact(FactKind.CONNECTED, ARM)]
        await stores.outbox.drop_facts((await stores.outbox.pending_facts(1000))[-1][0])
        assert await _presence(stores, PRESS) == Presence(False, last, last, known)
        assert await stores.devices.forget_presence(CREATED_AT) == 1
        await stores.outbox.drop_facts((await stores.outbox.pending_facts(1000))[-1][0])


@pytest.mark.parametrize("missing", [0, 1])
async def test_what_a_storm_brings_is_told_in_order(stores: Stores, missing: int) -> None:
    fleet = [identity(f"d{number:03}") for number in range(90)]
    await register(stores, *fleet)
    storm = [
        fact(kind, each, at=CREATED_AT + 0.1 * number)
        for number, each in enumerate([*fleet[::2], *reversed(fleet)])
        for kind in (FactKind.DISCONNECTED, FactKind.CONNECTED)
    ]
    await stores.devices.record_presence([*storm, *[fact(FactKind.CONNECTED, NOBODY)] * missing])
    assert await facts_of(stores) == storm
    last = {change.identity: change.at for change in storm}
    devices = (await stores.devices.list_devices(after=None, limit=100)).items
    assert [found.presence for found in devices] == [Presence(True, last[each], last[each]) for each in fleet]


async def test_a_hub_that_starts_knows_that_nobody_is_connected(stores: Stores) -> None:
    await register(stores, PRESS, ARM, NOBODY)
    await stores.devices.record_presence([fact(FactKind.CONNECTED, each) for each in (PRESS, ARM)])
    last = (await stores.outbox.pending_facts(10))[-1][0]
    await stores.outbox.drop_facts(last)
    at = CREATED_AT + 9
    assert await stores.devices.forget_presence(at) == 2
    assert await stores.devices.forget_presence(at + 1) == 0
    assert await _presence(stores, ARM) == Presence(False, at, CREATED_AT)
    assert await _presence(stores, NOBODY) == Presence()
    assert await facts_of(stores) == [Fact(FactKind.DISCONNECTED, each, at, {}) for each in (PRESS, ARM)]


async def test_pending_commands_are_counted_where_they_wait(stores: Stores) -> None:
    await register(stores, PRESS, ARM)
    await _queue(stores, ARM)
    await _queue(stores, ARM)
    found = await stores.devices.get_module(ARM)
    assert found is not None
    assert found.pending_commands == 2
    (listed,) = await stores.devices.list_modules(PRESS.device_id)
    assert listed.pending_commands == 2
    its_device = await stores.devices.get_device(PRESS.device_id)
    assert its_device is not None
    assert its_device.pending_commands == 0


async def test_no_key_shows_in_a_repr(stores: Stores) -> None:
    assert "pppp" not in repr(stores)
    assert "pppp" not in repr(stores.devices)


async def _presence(stores: Stores, owner: Identity) -> Presence:
    if owner.module_id is not None:
        found = await stores.devices.get_module(owner)
        assert found is not None
        return found.presence
    its_device = await stores.devices.get_device(owner.device_id)
    assert its_device is not None
    return its_device.presence


async def _queue(stores: Stores, owner: Identity, ack: Ack = Ack.NONE) -> None:
    await stores.commands.add_command(
        owner,
        CommandDraft(body=b"x", ack=ack),
        message_id="m",
        now=CREATED_AT,
        expires_at=CREATED_AT + 60,
        max_pending=50,
    )


async def _leave_traces(stores: Stores, owner: Identity) -> None:
    """A twin, a session, a feedback record and a command."""
    await stores.twins.put_twin(Twin(owner, version=3, tags={"a": 1}), replacing=FIRST_VERSION)
    await stores.sessions.put_session(StoredSession(owner, {"t": 1}))
    await stores.devices.record_presence([fact(FactKind.CONNECTED, owner)])
    await _queue(stores, owner, Ack.FULL)
    await stores.commands.purge_commands(owner, now=CREATED_AT)
    await _queue(stores, owner)
