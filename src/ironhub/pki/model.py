"""Authorities that operators register so that devices with certificates below them are admitted."""

from dataclasses import dataclass
from typing import ClassVar

from ironhub.core.errors import HubError


@dataclass(frozen=True, slots=True)
class Authority:
    """One registered CA certificate, root or intermediate. Only a verified one admits devices."""

    name: str
    certificate: bytes
    """DER."""
    verification_code: str
    """What the operator must put into the CN of a certificate signed by this CA, to prove possession of its key."""
    created_at: float
    etag: str
    verified: bool = False
    revocation_list: bytes | None = None
    """The CA's own CRL, DER; None: nothing is revoked."""


class AuthorityNotFound(HubError):
    """No CA is registered under this name."""

    code: ClassVar[str] = "authority.not_found"
    status: ClassVar[int] = 404
    next_step: ClassVar[str] = "List the registered authorities (`ironhub ca list`)."


class AuthorityExists(HubError):
    """A CA of this name, or this very certificate, is registered already."""

    code: ClassVar[str] = "authority.exists"
    status: ClassVar[int] = 409
    next_step: ClassVar[str] = "Choose another name, or delete the one that is there."


class AuthorityEtagMismatch(HubError):
    """Somebody else changed it since the caller read it."""

    code: ClassVar[str] = "authority.etag_mismatch"
    status: ClassVar[int] = 412
    next_step: ClassVar[str] = "Read it again and retry."


class CertificateRefused(HubError):
    """The certificate or revocation list is not what is needed here; the message says what is wrong with it."""

    code: ClassVar[str] = "authority.certificate_refused"
    status: ClassVar[int] = 400
    next_step: ClassVar[str] = "Give a PEM or DER file of the kind that the message asks for."
