"""The hub's own authority and the certificate its listeners show: made on the first start, renewed before it ends."""

from collections.abc import Sequence
from typing import Final

from ironhub.app.datadir import DataDirectory
from ironhub.core.clock import Clock, Entropy
from ironhub.pki.issuing import (
    BACKDATED,
    KeyPair,
    begins_at,
    belong_together,
    covers_names,
    ends_at,
    issue_server_certificate,
    make_authority,
    needs_renewal,
)
from ironhub.wire.tls import Context, ServerIdentity, TlsSettings, make_context

LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "::1")


class ServerCertificate:
    """The files under `pki/`, and when they must change."""

    def __init__(self, directory: DataDirectory, hostnames: Sequence[str], clock: Clock, entropy: Entropy) -> None:
        """Make what is missing, or does not cover every name. Raises InvalidArgument: a name cannot be."""
        self._directory = directory
        self._names = (*hostnames, *LOOPBACK_NAMES)
        self._clock = clock
        self._entropy = entropy
        if not directory.ca_certificate.is_file():
            self._write_authority(make_authority(now=clock.now(), entropy=entropy))
        self.renew_if_due()

    @property
    def made_at(self) -> float:
        """When the hub's authority was made, and so the hub, seconds since the epoch."""
        return begins_at(self._directory.ca_certificate.read_bytes()) + BACKDATED

    @property
    def ends_at(self) -> float:
        """When the certificate ends, seconds since the epoch."""
        return ends_at(self._directory.server_certificate.read_bytes())

    def renew_if_due(self) -> bool:
        """Issue a new certificate when the present one nears its end, or lacks a name; tells whether it did.

        Also when it has no key: whoever is killed between writing the one and the other leaves them unlike.
        """
        present = self._directory.server_certificate
        if self._is_whole() and self._is_good(present.read_bytes()):
            return False
        authority = KeyPair(self._directory.ca_certificate.read_bytes(), self._directory.ca_key.read_bytes())
        issued = issue_server_certificate(authority, self._names, now=self._clock.now(), entropy=self._entropy)
        self._directory.write_private(self._directory.server_key, issued.key)
        self._directory.write_private(present, issued.certificate + authority.certificate)
        return True

    def _is_whole(self) -> bool:
        certificate, key = self._directory.server_certificate, self._directory.server_key
        if not certificate.is_file() or not key.is_file():
            return False
        return belong_together(KeyPair(certificate.read_bytes(), key.read_bytes()))

    def _is_good(self, pem: bytes) -> bool:
        return not needs_renewal(pem, self._clock.now()) and covers_names(pem, self._names)

    def context(self, engine: str) -> Context:
        """Return a TLS context that shows the certificate as it is in the files."""
        chain = self._directory.server_certificate.read_bytes()
        key = self._directory.server_key.read_bytes()
        return make_context([ServerIdentity(chain, key)], TlsSettings(engine=engine))

    def _write_authority(self, authority: KeyPair) -> None:
        self._directory.write_private(self._directory.ca_key, authority.key)
        self._directory.write_private(self._directory.ca_certificate, authority.certificate)
