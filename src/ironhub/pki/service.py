"""Registered authorities: from an operator's CA certificate to an anchor that devices are admitted by.

Protects against somebody else's authority being let in: only who holds its private key can get it verified, by having
it sign a certificate for a code that nobody could know before.
"""

import asyncio
import hmac
import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from cryptography import x509

from ironhub.access.model import Grant, Permission
from ironhub.core.bus import AuthoritiesChanged, Bus
from ironhub.core.clock import Clock, Entropy
from ironhub.core.errors import InvalidArgument
from ironhub.identity.certificates import (
    CertificateRejected,
    check_authority,
    common_name,
    is_valid_at,
    was_issued_by,
)
from ironhub.identity.policy import DEFAULT_POLICY, CertificatePolicy
from ironhub.identity.revocation import RevocationList, load_revocation_list
from ironhub.pki.model import Authority, AuthorityNotFound, CertificateRefused
from ironhub.pki.ports import AuthorityStore
from ironhub.pki.reading import read_certificate, read_revocation_list

CODE_SIZE: Final = 24
"""Bytes; the code is 48 upper-case hex digits, as Azure IoT Hub gives, and fits into a common name (64)."""
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,127}\Z")


class AuthorityService:
    """What operators do with authorities. Every call needs a grant over the whole hub."""

    def __init__(
        self,
        store: AuthorityStore,
        bus: Bus,
        clock: Clock,
        entropy: Entropy,
        policy: CertificatePolicy = DEFAULT_POLICY,
    ) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._entropy = entropy
        self._policy = policy

    async def list(self, grant: Grant) -> Sequence[Authority]:
        """Return all, ordered by name."""
        grant.require_whole_hub(Permission.AUTHORITY_READ)
        return await self._store.list_authorities()

    async def get(self, grant: Grant, name: str) -> Authority:
        """Return one. Raises AuthorityNotFound."""
        grant.require_whole_hub(Permission.AUTHORITY_READ)
        return await self._found(name)

    async def register(self, grant: Grant, name: str, content: bytes) -> Authority:
        """Store a CA certificate (PEM or DER), root or intermediate. It admits nobody until `verify`.

        Raises:
            InvalidArgument: `name` is not 1 to 128 letters, digits and . _ - beginning with a letter or digit.
            CertificateRefused: not a CA's, too weak, or not valid now.
            AuthorityExists: the name or the certificate is there already.
        """
        grant.require_whole_hub(Permission.AUTHORITY_WRITE)
        if not _NAME.match(name):
            raise InvalidArgument("an authority's name has 1 to 128 letters, digits and . _ -, a letter or digit first")
        der, certificate = read_certificate(content, self._policy)
        self._check(certificate)
        code = self._entropy.token_bytes(CODE_SIZE).hex().upper()
        authority = Authority(name, der, code, self._clock.now(), self._etag())
        await self._store.put_authority(authority, replacing=None)
        return authority

    async def verify(self, grant: Grant, name: str, content: bytes) -> Authority:
        """Take the proof that the operator holds the CA's private key; from here on it admits devices.

        Args:
            content: PEM or DER of a certificate issued by the CA, its common name the verification code.

        Raises:
            AuthorityNotFound, AuthorityEtagMismatch.
            CertificateRefused: the proof proves nothing.

        Source: Azure IoT Hub, "Verify X.509 CA certificates", proof of possession.
        """
        grant.require_whole_hub(Permission.AUTHORITY_WRITE)
        authority = await self._found(name)
        _, authority_certificate = read_certificate(authority.certificate, self._policy)
        # 1. The CA is still good, and the proof is of this time.
        self._check(authority_certificate)
        _, proof = read_certificate(content, self._policy)
        if not is_valid_at(proof, self._clock.now()):
            raise CertificateRefused("the proof is expired, or not valid yet")
        # 2. It was made for this registration.
        shown = (common_name(proof) or "").encode()
        if not hmac.compare_digest(shown, authority.verification_code.encode()):
            raise CertificateRefused("the proof's common name is not the verification code")
        # 3. With the CA's private key.
        if not was_issued_by(proof, authority_certificate):
            raise CertificateRefused("the proof was not issued by this CA")
        return await self._change(authority, replace(authority, verified=True, etag=self._etag()))

    async def set_revocation_list(self, grant: Grant, name: str, content: bytes) -> Authority:
        """Take the CA's newest revocation list (PEM or DER); sessions of what it revokes end at once.

        Raises:
            AuthorityNotFound, AuthorityEtagMismatch.
            CertificateRefused: not this CA's, not of this time, not complete, or older than the stored one.
        """
        grant.require_whole_hub(Permission.AUTHORITY_WRITE)
        authority = await self._found(name)
        der = read_revocation_list(content)
        if der == authority.revocation_list:
            return authority
        given = await self._load_list(authority, der)
        if not given.is_fresh(self._clock.now()):
            raise CertificateRefused("the revocation list is not of this time: its next update is overdue, or to come")
        if authority.revocation_list is not None:
            stored = await self._load_list(authority, authority.revocation_list)
            if given.number <= stored.number or given.this_update < stored.this_update:
                raise CertificateRefused(
                    f"the revocation list is not newer than the stored one, number {stored.number}"
                )
        return await self._change(authority, replace(authority, revocation_list=der, etag=self._etag()))

    async def delete(self, grant: Grant, name: str) -> None:
        """Forget it; sessions that rest on it end at once. Raises AuthorityNotFound."""
        grant.require_whole_hub(Permission.AUTHORITY_WRITE)
        await self._store.delete_authority(name)
        self._bus.publish(AuthoritiesChanged())

    async def _found(self, name: str) -> Authority:
        authority = await self._store.get_authority(name)
        if authority is None:
            raise AuthorityNotFound(f"no authority {name[:128]!r} is registered")
        return authority

    async def _change(self, before: Authority, after: Authority) -> Authority:
        await self._store.put_authority(after, replacing=before.etag)
        self._bus.publish(AuthoritiesChanged())
        return after

    async def _load_list(self, authority: Authority, der: bytes) -> RevocationList:
        _, issuer = read_certificate(authority.certificate, self._policy)
        try:
            return await asyncio.to_thread(load_revocation_list, der, issuer, self._policy)
        except CertificateRejected as error:
            raise CertificateRefused(error.detail) from error

    def _check(self, certificate: x509.Certificate) -> None:
        try:
            check_authority(certificate, self._policy)
        except CertificateRejected as error:
            raise CertificateRefused(error.detail) from error
        if not is_valid_at(certificate, self._clock.now()):
            raise CertificateRefused("the CA certificate is expired, or not valid yet")

    def _etag(self) -> str:
        return b64encode(self._entropy.token_bytes(9)).decode()
