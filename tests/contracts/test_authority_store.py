"""The contract of pki.ports.AuthorityStore and identity.ports.AuthoritySource, against every implementation."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.contracts.stores import CREATED_AT, IMPLEMENTATIONS, open_stores

from ironhub.identity.model import TrustedAuthority
from ironhub.pki.model import Authority, AuthorityEtagMismatch, AuthorityExists, AuthorityNotFound
from ironhub.storage.stores import Stores

PLANT = Authority("plant", b"\x30\x00", "CODE", CREATED_AT, "e1")
SHIP = Authority("ship", b"\x30\x01", "EDOC", CREATED_AT + 0.5, "e1", verified=True, revocation_list=b"\x30\x02")


@pytest.fixture(params=IMPLEMENTATIONS)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with open_stores(request.param, tmp_path) as opened:
        yield opened


async def test_an_authority_comes_back_as_it_was_put(stores: Stores) -> None:
    for authority in (SHIP, PLANT):
        await stores.authorities.put_authority(authority, replacing=None)
    assert await stores.authorities.get_authority("plant") == PLANT
    assert await stores.authorities.get_authority("Plant") is None
    assert await stores.authorities.list_authorities() == (PLANT, SHIP)


async def test_only_who_was_verified_is_trusted(stores: Stores) -> None:
    assert list(await stores.authority_source.trusted_authorities()) == []
    for authority in (SHIP, PLANT):
        await stores.authorities.put_authority(authority, replacing=None)
    trusted = TrustedAuthority("ship", b"\x30\x01", b"\x30\x02")
    assert list(await stores.authority_source.trusted_authorities()) == [trusted]
    await stores.authorities.put_authority(replace(PLANT, verified=True, etag="e2"), replacing="e1")
    admitted = TrustedAuthority("plant", b"\x30\x00")
    assert list(await stores.authority_source.trusted_authorities()) == [admitted, trusted]


async def test_neither_a_name_nor_a_certificate_is_taken_twice(stores: Stores) -> None:
    await stores.authorities.put_authority(PLANT, replacing=None)
    await stores.authorities.put_authority(SHIP, replacing=None)
    for again in (replace(PLANT, certificate=b"other"), replace(PLANT, name="other")):
        with pytest.raises(AuthorityExists):
            await stores.authorities.put_authority(again, replacing=None)
    with pytest.raises(AuthorityExists):
        await stores.authorities.put_authority(replace(PLANT, certificate=SHIP.certificate), replacing="e1")
    assert await stores.authorities.list_authorities() == (PLANT, SHIP)


async def test_a_change_needs_the_stored_etag(stores: Stores) -> None:
    await stores.authorities.put_authority(PLANT, replacing=None)
    for stale in (replace(PLANT, etag="e2"), replace(SHIP, etag="e2")):
        with pytest.raises(AuthorityEtagMismatch):
            await stores.authorities.put_authority(stale, replacing="e0")
    renewed = replace(PLANT, etag="e2", certificate=b"new")
    await stores.authorities.put_authority(renewed, replacing="e1")
    assert await stores.authorities.list_authorities() == (renewed,)


async def test_a_deleted_authority_is_gone(stores: Stores) -> None:
    await stores.authorities.put_authority(SHIP, replacing=None)
    await stores.authorities.delete_authority("ship")
    assert list(await stores.authority_source.trusted_authorities()) == []
    with pytest.raises(AuthorityNotFound):
        await stores.authorities.delete_authority("ship")
    await stores.authorities.put_authority(replace(SHIP, name="other"), replacing=None)
