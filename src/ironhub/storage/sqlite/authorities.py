"""Registered certificate authorities in SQLite."""

import hashlib
from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, delete, insert, select, update

from ironhub.identity.model import TrustedAuthority
from ironhub.pki.model import Authority, AuthorityEtagMismatch, AuthorityExists, AuthorityNotFound
from ironhub.storage.sqlite.database import Database
from ironhub.storage.sqlite.errors import Clash
from ironhub.storage.sqlite.statements import Values, names, sql
from ironhub.storage.sqlite.tables import AUTHORITIES, Row
from ironhub.storage.sqlite.transaction import Transaction

_COLUMNS: Final = names(AUTHORITIES, "sha256_thumbprint")
_SELECT: Final = select(*(AUTHORITIES.c[name] for name in _COLUMNS))
_IS_NAMED: Final = AUTHORITIES.c.name == bindparam("named")
GET: Final = sql(_SELECT.where(_IS_NAMED))
LIST: Final = sql(_SELECT.order_by(AUTHORITIES.c.name))
INSERT: Final = sql(insert(AUTHORITIES), *names(AUTHORITIES))
UPDATE: Final = sql(
    update(AUTHORITIES).where(_IS_NAMED, AUTHORITIES.c.etag == bindparam("replacing")), *names(AUTHORITIES, "name")
)
DELETE: Final = sql(delete(AUTHORITIES).where(_IS_NAMED))


class SqliteAuthorityStore:
    """An AuthorityStore, and the AuthoritySource over the same, over the authorities table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get_authority(self, name: str) -> Authority | None:
        """Return it, or None."""
        row = await self._database.read(lambda tx: tx.one(GET, {"named": name}))
        return None if row is None else _authority(row)

    async def list_authorities(self) -> tuple[Authority, ...]:
        """Return all, ordered by name."""
        rows = await self._database.read(lambda tx: tx.all(LIST, {}))
        return tuple(_authority(row) for row in rows)

    async def put_authority(self, authority: Authority, *, replacing: str | None) -> None:
        """Store it if `replacing` (None: nothing) is the stored etag. Raises AuthorityExists, AuthorityEtagMismatch."""
        values = _values(authority) | {"named": authority.name, "replacing": replacing}

        def work(tx: Transaction) -> None:
            if replacing is None:
                tx.change(INSERT, values)
            elif not tx.change(UPDATE, values):
                raise AuthorityEtagMismatch(f"the authority {authority.name} has another etag, or is gone")

        try:
            await self._database.write(work)
        except Clash:
            raise AuthorityExists(f"the name {authority.name}, or this certificate, is registered already") from None

    async def delete_authority(self, name: str) -> None:
        """Delete it durably. Raises AuthorityNotFound."""
        if not await self._database.write(lambda tx: tx.change(DELETE, {"named": name})):
            raise AuthorityNotFound(f"no authority {name} is registered")

    async def trusted_authorities(self) -> Sequence[TrustedAuthority]:
        """Return every registered CA whose possession was proven, with its revocation list."""
        return [
            TrustedAuthority(authority.name, authority.certificate, authority.revocation_list)
            for authority in await self.list_authorities()
            if authority.verified
        ]


def _values(authority: Authority) -> Values:
    return {
        "name": authority.name,
        "sha256_thumbprint": hashlib.sha256(authority.certificate).hexdigest(),
        "certificate": authority.certificate,
        "verification_code": authority.verification_code,
        "created_at": authority.created_at,
        "etag": authority.etag,
        "verified": int(authority.verified),
        "revocation_list": authority.revocation_list,
    }


def _authority(row: Row) -> Authority:
    name, certificate, verification_code, created_at, etag, verified, revocation_list = row
    return Authority(name, certificate, verification_code, created_at, etag, bool(verified), revocation_list)
