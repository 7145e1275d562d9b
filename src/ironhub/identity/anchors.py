"""The registered authorities, read once and made ready for whoever judges by them.

Protects against authorities that are weak, revoked by their own issuer, or whose revocation list cannot be read: such
a one is refused by name, with the reason for the log, and never hides a good one of the same subject.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from OpenSSL import crypto

from ironhub.identity.certificates import (
    UNREADABLE,
    CertificateRejected,
    check_authority,
    constrains_names,
    is_valid_at,
    parse_certificate,
    sha256_thumbprint,
    was_issued_by,
)
from ironhub.identity.model import TrustedAuthority
from ironhub.identity.plain import PlainAuthority, read_plain_authority
from ironhub.identity.policy import CertificatePolicy
from ironhub.identity.revocation import RevocationList, load_revocation_list

_NO_CHECK_TIME: Final = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL's <openssl/x509_vfy.h>, which pyOpenSSL does not name."""

Issuer = tuple[bytes, bytes]
"""Who signs: a name and a key, both DER."""


class Anchor(NamedTuple):
    """A registered authority at which a path may end. The policy holds for it."""

    name: str
    """Under which it is registered."""
    der: bytes
    certificate: x509.Certificate
    loaded: crypto.X509
    """The same as OpenSSL reads it."""
    issuer: Issuer
    revocations: RevocationList | None
    sha256_thumbprint: str
    constrains_names: bool

    def is_valid(self, now: float) -> bool:
        """Tell whether `now` (seconds since the epoch) lies between its dates."""
        return is_valid_at(self.certificate, now)


class Anchors:
    """One set of registered authorities. Building it is slow, and reads and verifies all there is to them."""

    def __init__(self, authorities: Sequence[TrustedAuthority], policy: CertificatePolicy) -> None:
        self._policy = policy
        self.refused: dict[str, str] = {}
        """Authorities that admit nobody, by name, and why: for the log."""
        self.barred: set[Issuer] = set()
        """Authorities whose list cannot be read: nobody below them is admitted, by whatever path."""
        anchors = self._without_revoked([anchor for one in authorities if (anchor := self._take(one))])
        self.by_der = {anchor.der: anchor for anchor in anchors}
        self.stores: list[crypto.X509Store] = []
        """What OpenSSL searches, one after the other."""
        self._build_stores(anchors)
        self.plain = {} if policy.strict_profile else _plain_ones(anchors)
        """Those right below which OpenSSL's search would tell no more, by their name (DER)."""
        self.revocations: dict[Issuer, list[RevocationList]] = {}
        for anchor in anchors:
            if anchor.revocations is not None:
                self.revocations.setdefault(anchor.issuer, []).append(anchor.revocations)
        self.admitting = {anchor.name for anchor in anchors} - self.refused.keys()
        self.revoked = {serial for lists in self.revocations.values() for one in lists for serial in one.serials}

    def _take(self, authority: TrustedAuthority) -> Anchor | None:
        der, revocations = authority.certificate, None
        try:
            certificate, loaded = parse_certificate(der, self._policy), load_for_openssl(der)
            check_authority(certificate, self._policy)
            issuer = issuer_of(certificate)
        except CertificateRejected as error:
            self.refused[authority.name] = error.detail
            return None
        try:
            if authority.revocation_list is not None:
                revocations = load_revocation_list(authority.revocation_list, certificate, self._policy)
        except CertificateRejected as error:
            self.refused[authority.name] = error.detail
            self.barred.add(issuer)
        constrains = constrains_names(certificate)
        return Anchor(authority.name, der, certificate, loaded, issuer, revocations, sha256_thumbprint(der), constrains)

    def _without_revoked(self, anchors: list[Anchor]) -> list[Anchor]:
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

    def _build_stores(self, anchors: list[Anchor]) -> None:
        """OpenSSL looks no further than the first authority of a name, so namesakes go to stores of their own."""
        namesakes: Counter[bytes] = Counter()
        for anchor in anchors:
            subject = anchor.issuer[0]
            place = namesakes[subject]
            if place >= self._policy.max_same_name:
                self.refused[anchor.name] = f"{self._policy.max_same_name} others have the same subject"
                continue
            namesakes[subject] += 1
            if place == len(self.stores):
                self.stores.append(_empty_store(self._policy))
            self.stores[place].add_cert(anchor.loaded)


def load_for_openssl(der: bytes) -> crypto.X509:
    """Return the certificate as OpenSSL reads it. Raises CertificateRejected."""
    try:
        return crypto.load_certificate(crypto.FILETYPE_ASN1, der)
    except crypto.Error as error:
        raise CertificateRejected("not a well-formed certificate") from error


def issuer_of(certificate: x509.Certificate) -> Issuer:
    """Return who signs with this certificate. One authority may have several certificates.

    Raises:
        CertificateRejected: its name or its key cannot be read.
    """
    try:
        key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return certificate.subject.public_bytes(), key
    except UNREADABLE as error:
        raise CertificateRejected(f"not a well-formed certificate: {error}") from error


def _plain_ones(anchors: Sequence[Anchor]) -> dict[bytes, tuple[Anchor, PlainAuthority]]:
    """Where two names are alike to OpenSSL, which compares without case and spaces, it shall choose."""
    alike = Counter(anchor.loaded.subject_name_hash() for anchor in anchors)
    alone = [anchor for anchor in anchors if alike[anchor.loaded.subject_name_hash()] == 1]
    read = [(anchor, read_plain_authority(anchor.der, anchor.certificate)) for anchor in alone]
    return {plain.subject: (anchor, plain) for anchor, plain in read if plain is not None}


def _empty_store(policy: CertificatePolicy) -> crypto.X509Store:
    store = crypto.X509Store()
    strict = crypto.X509StoreFlags.X509_STRICT if policy.strict_profile else 0
    # Dates are checked by us, not there: a store keeps the first time it is given, whatever it is given later.
    store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN | crypto.X509StoreFlags.POLICY_CHECK | strict | _NO_CHECK_TIME)
    return store
