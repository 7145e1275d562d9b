"""Certificates that devices show: known by thumbprint, or issued below a registered authority.

Protects against certificates that nobody registered, that expired or were revoked, and chains built to cost much:
lengths and sizes are bounded, and of a chain no more signatures are checked than it has certificates, from the
authority downwards, so that a forged one costs a single check for each authority of the name it borrows.
"""

import hashlib
import hmac
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from OpenSSL import crypto
from OpenSSL._util import lib

from ironhub.identity.certificates import (
    UNREADABLE,
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
from ironhub.identity.policy import CertificatePolicy
from ironhub.identity.revocation import RevocationList, load_revocation_list

_SHA1_DIGITS: Final = 40
_MAX_REMEMBERED: Final = 256
_NO_CHECK_TIME: Final = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL's <openssl/x509_vfy.h>, which pyOpenSSL does not name."""


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
        self.refused: dict[str, str] = {}
        """Authorities that admit nobody, by name, and why: for the log."""
        self._barred: set[_Issuer] = set()
        """Authorities whose list cannot be read: nobody below them is admitted, by whatever path."""
        anchors = self._without_revoked([anchor for one in authorities if (anchor := self._load(one))])
        self._anchors = {anchor.der: anchor for anchor in anchors}
        self._above: dict[bytes, _Sent] = {}
        self._stores = self._build_stores(anchors)
        self._revocations: dict[_Issuer, list[RevocationList]] = {}
        for anchor in anchors:
            if anchor.revocations is not None:
                self._revocations.setdefault(_issuer_of(anchor.certificate), []).append(anchor.revocations)
        self._admitting = {anchor.name for anchor in anchors} - self.refused.keys()
        self._revoked = {serial for lists in self._revocations.values() for one in lists for serial in one.serials}

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
        check_device(device.certificate, self._policy)
        name = common_name(device.certificate)
        if name is None:
            raise CertificateRejected("the device's certificate has no common name, or several")
        # 2. A path of signatures to a registered authority, valid now (6.1.3, 6.1.4). Every step of it was sent as is.
        path = self._find_path(device, [sent[der] for der in chain[1:]], now)
        *below, top = path
        if below[:1] != [chain[0]] or top not in self._anchors or any(der not in sent for der in below):
            raise CertificateRejected("a certificate that reads differently when it is written again")
        if len(below) - 1 > self._policy.max_intermediates:
            raise CertificateRejected(f"{len(below) - 1} authorities on the way to a registered one")
        # 3. Our policy for each authority on the way; the registered one was checked when this judge was built.
        certificates = [*(sent[der].certificate for der in below), self._anchors[top].certificate]
        for der in below[1:]:
            if der not in self._above:
                check_authority(sent[der].certificate, self._policy)
        if self._policy.strict_profile or any(constrains_names(issuer) for issuer in certificates[1:]):
            check_plain_names(device.certificate)
        # 4. Revocation (6.3), by the lists that operators registered with their authorities.
        for certificate, issuer in pairwise(certificates):
            self._check_revocation(certificate, issuer, now)
        self._remember({der: sent[der] for der in below[1:]})
        digests = [sha256_thumbprint(der) for der in path]
        serials = tuple(certificate.serial_number for certificate in certificates)
        return AdmittedChain(name, digests[0], self._anchors[top].name, tuple(digests[1:]), serials)

    def puts_in_doubt(self, authority: str, serials: tuple[int, ...]) -> bool:
        """Tell, in a microsecond, whether a chain that was good before may not be any more; `judge` decides.

        Serial numbers are compared whoever gave them out: it is only about whom to judge first.
        """
        return authority not in self._admitting or not self._revoked.isdisjoint(serials)

    def _read(self, der: bytes) -> "_Sent":
        seen = self._above.get(der)
        if seen is not None:
            return seen
        certificate = parse_certificate(der, self._policy)
        try:
            loaded = crypto.load_certificate(crypto.FILETYPE_ASN1, der)
        except crypto.Error as error:
            raise CertificateRejected("not a well-formed certificate") from error
        return _Sent(certificate, loaded)

    def _remember(self, admitted: dict[bytes, "_Sent"]) -> None:
        """All devices of a plant send the same intermediates; only what proved good is kept, so nobody can fill it."""
        if admitted.keys() - self._above.keys() and len(self._above) < _MAX_REMEMBERED:
            self._above |= admitted

    def _find_path(self, device: "_Sent", above: list["_Sent"], now: float) -> list[bytes]:
        """What is not valid now is left out before the search, so it cannot hide a renewed one of the same name."""
        if not device.is_valid(now):
            raise CertificateRejected("the device's certificate is expired, or not valid yet")
        others = [one.loaded for one in above if one.is_valid(now)]
        detail = "no authority is registered"
        for store in self._stores:
            try:
                path = crypto.X509StoreContext(store, device.loaded, others).get_verified_chain()
            except crypto.X509StoreContextError as error:
                detail = str(error)
                lib.ERR_clear_error()  # what is left in the thread's queue would end somebody's TLS session
                continue
            written = [crypto.dump_certificate(crypto.FILETYPE_ASN1, step) for step in path]
            anchor = self._anchors.get(written[-1])
            if anchor is None or is_valid_at(anchor.certificate, now):
                return written
            detail = f"authority {anchor.name} is expired, or not valid yet"
        raise CertificateRejected(f"no path to a registered authority: {detail}")

    def _check_revocation(self, certificate: x509.Certificate, issuer: x509.Certificate, now: float) -> None:
        if not self._revocations and not self._barred:
            return
        who = _issuer_of(issuer)
        if who in self._barred:
            raise CertificateRejected("the authority's revocation list cannot be read: register another")
        lists = self._revocations.get(who, ())
        if any(certificate.serial_number in one.serials for one in lists):
            raise CertificateRejected(f"revoked by its authority: serial number {certificate.serial_number:x}")
        if lists and not self._policy.stale_revocation_lists and not any(one.is_fresh(now) for one in lists):
            raise CertificateRejected("the authority's revocation list is not of this time: register a newer one")

    def _load(self, authority: TrustedAuthority) -> "_Anchor | None":
        try:
            certificate = parse_certificate(authority.certificate, self._policy)
            check_authority(certificate, self._policy)
        except CertificateRejected as error:
            self.refused[authority.name] = error.detail
            return None
        revocations = None
        try:
            if authority.revocation_list is not None:
                revocations = load_revocation_list(authority.revocation_list, certificate, self._policy)
        except CertificateRejected as error:
            self.refused[authority.name] = error.detail
            self._barred.add(_issuer_of(certificate))
        return _Anchor(authority.name, authority.certificate, certificate, revocations)

    def _without_revoked(self, anchors: list["_Anchor"]) -> list["_Anchor"]:
        """A registered intermediate ends every path, so what its own issuer revoked must not get that far."""
        revoked = {
            below.name
            for above in anchors
            for below in anchors
            if above.revocations is not None
            and below.certificate.serial_number in above.revocations.serials
            and was_issued_by(below.certificate, above.certificate)
        }
        self.refused |= dict.fromkeys(revoked, "revoked by its own issuer")
        return [anchor for anchor in anchors if anchor.name not in revoked]

    def _build_stores(self, anchors: list["_Anchor"]) -> list[crypto.X509Store]:
        """OpenSSL looks no further than the first authority of a name, so namesakes go to stores of their own."""
        stores: list[crypto.X509Store] = []
        namesakes: Counter[bytes] = Counter()
        for anchor in anchors:
            subject = anchor.certificate.subject.public_bytes()
            place = namesakes[subject]
            if place >= self._policy.max_same_name:
                self.refused[anchor.name] = f"{self._policy.max_same_name} others have the same subject"
                continue
            namesakes[subject] += 1
            if place == len(stores):
                stores.append(self._empty_store())
            stores[place].add_cert(crypto.load_certificate(crypto.FILETYPE_ASN1, anchor.der))
        return stores

    def _empty_store(self) -> crypto.X509Store:
        store = crypto.X509Store()
        strict = crypto.X509StoreFlags.X509_STRICT if self._policy.strict_profile else 0
        # Dates are checked here, not there: a store keeps the first time it is given, whatever it is given later.
        wanted = crypto.X509StoreFlags.PARTIAL_CHAIN | crypto.X509StoreFlags.POLICY_CHECK | strict
        store.set_flags(wanted | _NO_CHECK_TIME)
        return store


def was_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Tell whether `issuer` has the name that `certificate` gives, and made its signature."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (*UNREADABLE, InvalidSignature):
        return False
    return True


class _Sent(NamedTuple):
    certificate: x509.Certificate
    loaded: crypto.X509

    def is_valid(self, now: float) -> bool:
        return is_valid_at(self.certificate, now)


class _Anchor(NamedTuple):
    name: str
    der: bytes
    certificate: x509.Certificate
    revocations: RevocationList | None


_Issuer = tuple[bytes, bytes]


def _issuer_of(certificate: x509.Certificate) -> _Issuer:
    """Who signs: a name and a key. One authority may have several certificates."""
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return certificate.subject.public_bytes(), key
