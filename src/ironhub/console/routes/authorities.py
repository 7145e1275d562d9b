"""Certificate authorities that vouch for devices: register, prove, list, revoke below, delete."""

import hashlib
from base64 import b64decode
from typing import Final

from fastapi import APIRouter, Response
from pydantic import Field

from ironhub.access.model import Permission
from ironhub.console.auth import Authenticated
from ironhub.console.routes import router
from ironhub.console.shapes import Given, Taken, example
from ironhub.console.shapes.instants import shown_instant
from ironhub.core.errors import InvalidArgument
from ironhub.pki.model import (
    Authority,
    AuthorityEtagMismatch,
    AuthorityExists,
    AuthorityNotFound,
    CertificateRefused,
)
from ironhub.pki.reading import pem_of

routes: Final[APIRouter] = router(
    "/authorities", "authorities", AuthorityNotFound, AuthorityExists, AuthorityEtagMismatch, CertificateRefused
)

MAX_FILE: Final = 1_000_000
"""Characters of base64; a larger revocation list belongs to a CA that should be split."""


class FileTaken(Taken):
    """The content of a PEM or DER file, base64."""

    model_config = example(content_base64="LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t")

    content_base64: str = Field(max_length=MAX_FILE)

    def content(self) -> bytes:
        """Return the bytes of the file. Raises InvalidArgument."""
        try:
            return b64decode(self.content_base64, validate=True)
        except ValueError:
            raise InvalidArgument("content_base64 is no base64") from None


class NewAuthority(FileTaken):
    """A CA certificate to be registered."""

    model_config = example(name="plant-2", content_base64="LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t")

    name: str = Field(min_length=1, max_length=128)


class AuthorityGiven(Given):
    """A registered CA."""

    name: str
    verified: bool
    """Only a verified one admits devices."""
    verification_code: str
    """Common name of the certificate that proves possession of the CA's key."""
    has_revocation_list: bool
    certificate_pem: str
    sha256_thumbprint: str
    """Of the certificate, lower-case hex."""
    revocation_list_sha256: str | None
    """Of the stored list (DER), lower-case hex."""
    created_at: str
    etag: str

    @classmethod
    def of(cls, authority: Authority) -> "AuthorityGiven":
        """Return what callers see of `authority`."""
        listed = authority.revocation_list
        return cls(
            name=authority.name,
            verified=authority.verified,
            verification_code=authority.verification_code,
            has_revocation_list=listed is not None,
            certificate_pem=pem_of(authority.certificate),
            sha256_thumbprint=hashlib.sha256(authority.certificate).hexdigest(),
            revocation_list_sha256=None if listed is None else hashlib.sha256(listed).hexdigest(),
            created_at=shown_instant(authority.created_at),
            etag=authority.etag,
        )


class AuthorityList(Given):
    """All registered CAs, ordered by name."""

    authorities: tuple[AuthorityGiven, ...]


@routes.get("")
async def list_authorities(caller: Authenticated) -> AuthorityList:
    """Return all registered CAs."""
    grant = caller.may(Permission.AUTHORITY_READ)
    found = await caller.services.authorities.list(grant)
    return AuthorityList(authorities=tuple(AuthorityGiven.of(authority) for authority in found))


@routes.post("", status_code=201)
async def register_authority(caller: Authenticated, new: NewAuthority) -> AuthorityGiven:
    """Register a CA certificate; it admits nobody until possession of its key is proven."""
    grant = caller.may(Permission.AUTHORITY_WRITE)
    return AuthorityGiven.of(await caller.services.authorities.register(grant, new.name, new.content()))


@routes.get("/{name}")
async def read_authority(caller: Authenticated, name: str) -> AuthorityGiven:
    """Return one registered CA."""
    grant = caller.may(Permission.AUTHORITY_READ)
    return AuthorityGiven.of(await caller.services.authorities.get(grant, name))


@routes.post("/{name}/proof")
async def verify_authority(caller: Authenticated, name: str, proof: FileTaken) -> AuthorityGiven:
    """Take the certificate, issued by this CA to the verification code, that proves possession of its key."""
    grant = caller.may(Permission.AUTHORITY_WRITE)
    return AuthorityGiven.of(await caller.services.authorities.verify(grant, name, proof.content()))


@routes.put("/{name}/revocation-list")
async def put_revocation_list(caller: Authenticated, name: str, crl: FileTaken) -> AuthorityGiven:
    """Take the CA's own revocation list; sessions of what it revokes end at once."""
    grant = caller.may(Permission.AUTHORITY_WRITE)
    return AuthorityGiven.of(await caller.services.authorities.set_revocation_list(grant, name, crl.content()))


@routes.delete("/{name}", status_code=204)
async def delete_authority(caller: Authenticated, name: str) -> Response:
    """Forget a CA; sessions that rest on it end at once."""
    grant = caller.may(Permission.AUTHORITY_WRITE)
    await caller.services.authorities.delete(grant, name)
    return Response(status_code=204)
