"""The contract of messaging.sessions.ports.SessionStore, against every implementation."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.contracts.stores import ARM, IMPLEMENTATIONS, NOBODY, PRESS, open_stores, register

from ironhub.messaging.sessions.model import StoredSession
from ironhub.storage.stores import Stores

SUBSCRIBED = {"devices/press-7/messages/devicebound/#": 1, "$iothub/twin/res/#": 0}


@pytest.fixture(params=IMPLEMENTATIONS)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with open_stores(request.param, tmp_path) as opened:
        await register(opened, PRESS, ARM)
        yield opened


async def test_a_session_comes_back_as_it_was_left(stores: Stores) -> None:
    assert await stores.sessions.get_session(PRESS) is None
    await stores.sessions.put_session(StoredSession(PRESS, SUBSCRIBED))
    await stores.sessions.put_session(StoredSession(ARM))
    assert await stores.sessions.get_session(PRESS) == StoredSession(PRESS, SUBSCRIBED)
    assert await stores.sessions.get_session(ARM) == StoredSession(ARM, {})


async def test_the_last_put_is_what_stays(stores: Stores) -> None:
    await stores.sessions.put_session(StoredSession(PRESS, SUBSCRIBED))
    await stores.sessions.put_session(StoredSession(PRESS, {"b": 0}))
    assert await stores.sessions.get_session(PRESS) == StoredSession(PRESS, {"b": 0})


async def test_nothing_is_kept_for_who_is_gone(stores: Stores) -> None:
    await stores.sessions.put_session(StoredSession(NOBODY, SUBSCRIBED))
    await register(stores, NOBODY)
    assert await stores.sessions.get_session(NOBODY) is None


async def test_a_forgotten_session_is_gone(stores: Stores) -> None:
    await stores.sessions.put_session(StoredSession(PRESS, SUBSCRIBED))
    await stores.sessions.delete_session(PRESS)
    await stores.sessions.delete_session(PRESS)
    await stores.sessions.delete_session(NOBODY)
    assert await stores.sessions.get_session(PRESS) is None


async def test_what_the_caller_does_to_its_dictionary_does_not_reach_the_store(stores: Stores) -> None:
    mine = {"a": 1}
    await stores.sessions.put_session(StoredSession(PRESS, mine))
    mine["a"] = 0
    assert await stores.sessions.get_session(PRESS) == StoredSession(PRESS, {"a": 1})
