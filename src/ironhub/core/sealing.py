"""Encryption at rest: data keys that can roll, wrapped under one master key.

Protects against whoever gets a copy of the files without `master.key`: disks that are thrown away, backups, snapshots.
It does not protect against whoever runs code as the hub's user.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ironhub.core.clock import Entropy
from ironhub.core.errors import CorruptStore

KEY_SIZE: Final = 32
_NONCE_SIZE: Final = 12
_HEADER: Final = struct.Struct(">BI")
_FORMAT: Final = 1


class UnknownKey(CorruptStore):
    """Something was sealed under a data key that is not here."""

    code: ClassVar[str] = "seal.unknown_key"


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key as stored: sealed under the master key, useless without it."""

    key_id: int
    wrapped: bytes


class MasterKey:
    """The one key everything else is wrapped under. 32 bytes."""

    def __init__(self, key: bytes, entropy: Entropy) -> None:
        if len(key) != KEY_SIZE:
            raise CorruptStore("the master key must have 32 bytes")
        self._cipher = AESGCM(key)
        self._entropy = entropy

    def new_data_key(self, key_id: int) -> WrappedKey:
        """Return a fresh data key, wrapped."""
        nonce = self._entropy.token_bytes(_NONCE_SIZE)
        key = self._entropy.token_bytes(KEY_SIZE)
        return WrappedKey(key_id, nonce + self._cipher.encrypt(nonce, key, _context(key_id)))

    def unwrap(self, stored: WrappedKey) -> bytes:
        """Return the raw data key. Raises CorruptStore: another master key, or a damaged record."""
        nonce, sealed = stored.wrapped[:_NONCE_SIZE], stored.wrapped[_NONCE_SIZE:]
        try:
            return self._cipher.decrypt(nonce, sealed, _context(stored.key_id))
        except (InvalidTag, ValueError) as error:
            raise CorruptStore("the data key does not open: master.key is not the one it was wrapped with") from error


class Sealer:
    """Seals with the newest data key and opens with the one that was used. AES-256-GCM with random nonces."""

    def __init__(self, keys: Mapping[int, bytes], entropy: Entropy) -> None:
        if not keys:
            raise CorruptStore("there is no data key")
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._current = max(keys)
        self._entropy = entropy

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        """Return `plaintext` encrypted; it opens only with the same `context` (what it is and where it belongs)."""
        header = _HEADER.pack(_FORMAT, self._current)
        nonce = self._entropy.token_bytes(_NONCE_SIZE)
        return header + nonce + self._ciphers[self._current].encrypt(nonce, plaintext, header + context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Return the plaintext. Raises CorruptStore: damaged, moved here from elsewhere; UnknownKey."""
        if len(sealed) < _HEADER.size + _NONCE_SIZE:
            raise CorruptStore("a sealed value is cut short")
        header, nonce, body = sealed[:5], sealed[5:17], sealed[17:]
        version, key_id = _HEADER.unpack(header)
        cipher = self._ciphers.get(key_id)
        if version != _FORMAT or cipher is None:
            raise UnknownKey(f"a value is sealed with format {version}, key {key_id}, which is not here")
        try:
            return cipher.decrypt(nonce, body, header + context)
        except InvalidTag as error:
            raise CorruptStore("a sealed value does not open: damaged, or not where it belongs") from error


def _context(key_id: int) -> bytes:
    return b"ironhub data key %d" % key_id
