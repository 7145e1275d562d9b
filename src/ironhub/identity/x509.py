"""Certificates that devices show: known by thumbprint, or issued below a registered authority.

Protects against certificates that nobody registered, that expired or were revoked, and chains built to cost much:
lengths and sizes are bounded, and of a chain no more signatures are checked than it has certificates, from the
authority downwards, so that a forged one costs a single check for each authority of the name it borrows.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from cryptography import x509
from OpenSSL import crypto
from OpenSSL._util import lib

from ironhub.identity.anchors import Anchors, Issuer, issuer_of, load_for_openssl
from ironhub.identity.certificates import (
    CertificateRejected,
    check_authority,
    check_device,
    check_key,
    check_plain_names,
    common_name,
    constrains_names,
    is_valid_at,
    parse_certificate,
    sha256_thumbprint,
)
from ironhub.identity.model import Thumbprints, TrustedAuthority
from ironhub.identity.plain import has_signed, may_have_issued, read_plain_device
from ironhub.identity.policy import CertificatePolicy

_SHA1_DIGITS: Final = 40
_MAX_REMEMBERED: Final = 256


class AdmittedChain(NamedTuple):
    """A path from a device's certificate to a registered authority, every step of it checked."""

    common_name: str
    """Of the device's certificate: there is exactly one."""
    sha256_thumbprint: str
    """Of the device's certificate."""
    authority: str
    """The name under which the authority at the other end is registered."""
    issuers: tuple[str, ...]
    """SHA-256 thumbprints of the certificates above the device's, nearest first."""
    serials: tuple[int, ...]
    """The serial numbers of all of them, the device's first."""


def match_thumbprints(der: bytes, known: Thumbprints, policy: CertificatePolicy, now: float) -> str:
    """Return the SHA-256 thumbprint of a certificate that is one of the two `known`, and valid at `now`.

    Nothing above it is looked at, nor its names and usages: the operator pinned this very certificate.

    Raises:
        CertificateRejected: another certificate, not valid at this time, not well-formed, or a key too weak.

    Source: Azure IoT Hub, "Authenticate identities with X.509 certificates": either slot, dates hold.
    """
    sha256 = sha256_thumbprint(der)
    sha1 = hashlib.sha1(der, usedforsecurity=False).hexdigest()  # what the operator stored; Azure takes both
    same = False
    for slot in known:
        expected = (slot or "").lower()
        shown = sha1 if len(expected) == _SHA1_DIGITS else sha256
        same |= hmac.compare_digest(shown.encode(), expected.encode())
    if not same:
        raise CertificateRejected("another certificate: its thumbprint is not registered")
    certificate = parse_certificate(der, policy)
    check_key(certificate, policy)
    if not is_valid_at(certificate, now):
        raise CertificateRejected("the certificate is expired, or not valid yet")
    return sha256


class ChainJudge:
    """Judges chains against one set of authorities. Build another when the set changes; building is the slow part.

    For one thread at a time.
    """

    def __init__(self, authorities: Sequence[TrustedAuthority], policy: CertificatePolicy) -> None:
        self._policy = policy
        self._anchors = Anchors(authorities, policy)
        self._above: dict[bytes, _Sent] = {}

    @property
    def refused(self) -> dict[str, str]:
        """Authorities that admit nobody, by name, and why: for the log."""
        return self._anchors.refused

    def judge(self, chain: Sequence[bytes], now: float) -> AdmittedChain:
        """Return who `chain` (DER, the device's first, the rest in any order) was issued to, and by whom.

        Raises:
            CertificateRejected: no registered authority vouches for it at `now` (seconds since the epoch).

        Source: RFC 5280, 6.1, with a registered authority, root or not, as trust anchor; policy.py on top.
        """
        # 1. Bounds, and the device's own certificate: nothing costly yet.
        if not 1 <= len(chain) <= self._policy.max_sent:
            raise CertificateRejected(f"{len(chain)} certificates")
        sent = {der: self._read(der) for der in chain}
        device = sent[chain[0]]
        check_device(device, self._policy)
        name = common_name(device)
        if name is None:
            raise CertificateRejected("the device's certificate has no common name, or several")
        if not is_valid_at(device, now):
            raise CertificateRejected("the device's certificate is expired, or not valid yet")
        # 2. A path of signatures to a registered authority, valid now (6.1.3, 6.1.4). Every step of it was sent as is.
        path = self._step_up(chain, device, name, now) or self._find_path(chain, sent, now)
        *below, top = path
        if below[:1] != [chain[0]] or top not in self._anchors.by_der or any(der not in sent for der in below):
            raise CertificateRejected("a certificate that reads differently when it is written again")
        if len(below) - 1 > self._policy.max_intermediates:
            raise CertificateRejected(f"{len(below) - 1} authorities on the way to a registered one")
        # 3. Our policy for each authority on the way; the registered one was checked when this judge was built.
        anchor, above = self._anchors.by_der[top], [sent[der] for der in below[1:]]
        for der, certificate in zip(below[1:], above, strict=True):
            if der not in self._above:
                check_authority(certificate, self._policy)
        if self._policy.strict_profile or anchor.constrains_names or any(map(constrains_names, above)):
            check_plain_names(device)
        # 4. Revocation (6.3), by the lists that operators registered with their authorities.
        certificates = [device, *above, anchor.certificate]
        if self._anchors.revocations or self._anchors.barred:
            for certificate, issuer in zip(certificates[:-1], [*map(issuer_of, above), anchor.issuer], strict=True):
                self._check_revocation(certificate, issuer, now)
        self._remember(below[1:], above)
        own, *issuers = [sha256_thumbprint(der) for der in below]
        serials = tuple(certificate.serial_number for certificate in certificates)
        return AdmittedChain(name, own, anchor.name, (*issuers, anchor.sha256_thumbprint), serials)

    def puts_in_doubt(self, authority: str, serials: tuple[int, ...]) -> bool:
        """Tell, in a microsecond, whether a chain that was good before may not be any more; `judge` decides.

        Serial numbers are compared whoever gave them out: it is only about whom to judge first.
        """
        return authority not in self._anchors.admitting or not self._anchors.revoked.isdisjoint(serials)

    def _read(self, der: bytes) -> x509.Certificate:
        seen = self._above.get(der)
        return parse_certificate(der, self._policy) if seen is None else seen.certificate

    def _load(self, der: bytes) -> crypto.X509:
        seen = self._above.get(der)
        return load_for_openssl(der) if seen is None else seen.loaded

    def _remember(self, ders: Sequence[bytes], certificates: Sequence[x509.Certificate]) -> None:
        """All devices of a plant send the same intermediates; only what proved good is kept, so nobody can fill it."""
        for der, certificate in zip(ders, certificates, strict=True):
            if der not in self._above and len(self._above) < _MAX_REMEMBERED:
                self._above[der] = _Sent(certificate, load_for_openssl(der))

    def _step_up(self, chain: Sequence[bytes], device: x509.Certificate, name: str, now: float) -> list[bytes] | None:
        """Return the path when it is one plain step, else None. A wrong signature is final, as it is for OpenSSL."""
        if not self._anchors.plain or any(der not in self._anchors.by_der for der in chain[1:]):
            return None
        shown = read_plain_device(chain[0], device)
        found = None if shown is None else self._anchors.plain.get(shown.issuer)
        if shown is None or found is None or not found[0].is_valid(now):
            return None
        anchor, authority = found
        if not may_have_issued(authority, shown, name):
            return None
        if not has_signed(authority, shown):
            raise CertificateRejected("no path to a registered authority: the signature is not its own")
        return [chain[0], anchor.der]

    def _find_path(self, chain: Sequence[bytes], sent: Mapping[bytes, x509.Certificate], now: float) -> list[bytes]:
        """What is not valid now is left out before the search, so it cannot hide a renewed one of the same name."""
        loaded = {der: self._load(der) for der in sent}
        others = [loaded[der] for der in chain[1:] if is_valid_at(sent[der], now)]
        detail = "no authority is registered"
        for store in self._anchors.stores:
            try:
                path = crypto.X509StoreContext(store, loaded[chain[0]], others).get_verified_chain()
            except crypto.X509StoreContextError as error:
                detail = str(error)
                lib.ERR_clear_error()  # what is left in the thread's queue would end somebody's TLS session
                continue
            written = [crypto.dump_certificate(crypto.FILETYPE_ASN1, step) for step in path]
            anchor = self._anchors.by_der.get(written[-1])
            if anchor is None or anchor.is_valid(now):
                return written
            detail = f"authority {anchor.name} is expired, or not valid yet"
        raise CertificateRejected(f"no path to a registered authority: {detail}")

    def _check_revocation(self, certificate: x509.Certificate, issuer: Issuer, now: float) -> None:
        if issuer in self._anchors.barred:
            raise CertificateRejected("the authority's revocation list cannot be read: register another")
        lists = self._anchors.revocations.get(issuer, ())
        if any(certificate.serial_number in one.serials for one in lists):
            raise CertificateRejected(f"revoked by its authority: serial number {certificate.serial_number:x}")
        if lists and not self._policy.stale_revocation_lists and not any(one.is_fresh(now) for one in lists):
            raise CertificateRejected("the authority's revocation list is not of this time: register a newer one")


class _Sent(NamedTuple):
    certificate: x509.Certificate
    loaded: crypto.X509
