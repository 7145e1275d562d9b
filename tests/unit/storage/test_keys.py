"""How the data keys get from the store into the sealer."""

import pytest
from tests.fakes.clock import FakeEntropy

from ironhub.core.errors import CorruptStore
from ironhub.core.sealing import KEY_SIZE, MasterKey
from ironhub.storage.keys import FIRST_KEY, open_sealer
from ironhub.storage.memory.data_keys import MemoryDataKeyStore


async def test_the_first_start_makes_a_key_and_the_next_one_finds_it() -> None:
    store, entropy = MemoryDataKeyStore(), FakeEntropy()
    master = MasterKey(b"m" * KEY_SIZE, entropy)
    sealed = (await open_sealer(store, master, entropy)).seal(b"secret", b"here")
    (key,) = await store.data_keys()
    assert key.key_id == FIRST_KEY
    assert (await open_sealer(store, master, entropy)).open(sealed, b"here") == b"secret"
    assert list(await store.data_keys()) == [key]


async def test_values_under_an_older_key_open_and_new_ones_use_the_newest() -> None:
    store, entropy = MemoryDataKeyStore(), FakeEntropy()
    master = MasterKey(b"m" * KEY_SIZE, entropy)
    older = (await open_sealer(store, master, entropy)).seal(b"old", b"here")
    await store.add_data_key(master.new_data_key(2))
    rolled = await open_sealer(store, master, entropy)
    assert rolled.open(older, b"here") == b"old"
    assert rolled.seal(b"new", b"here")[1:5] == (2).to_bytes(4, "big")


async def test_another_master_key_opens_nothing() -> None:
    store, entropy = MemoryDataKeyStore(), FakeEntropy()
    await open_sealer(store, MasterKey(b"m" * KEY_SIZE, entropy), entropy)
    with pytest.raises(CorruptStore):
        await open_sealer(store, MasterKey(b"n" * KEY_SIZE, entropy), entropy)
