"""What both engines do alike: cut records, bound the handshake, keep OpenSSL's buffers small."""

from abc import ABC, abstractmethod
from typing import Final

from ironhub.wire.tls.model import RECORD_HEADER, SLICE, TlsFailed, TlsSettings
from ironhub.wire.tls.records import whole_records

_SHORTEST: Final = RECORD_HEADER + 1


class RecordEngine(ABC):
    """The common half of an engine. OpenSSL only ever holds whole records, so it is empty between two calls."""

    __slots__ = ("_heard", "_ready", "_rest", "handshake_done", "peer_closed")

    def __init__(self) -> None:
        self.handshake_done = False
        self.peer_closed = False
        self._rest = b""
        """The beginning of a record whose end has not come."""
        self._ready = b""
        """Ciphertext taken out of OpenSSL before `to_send` asked for it."""
        self._heard = 0

    def receive(self, data: bytes | memoryview) -> bytes:
        """See `Engine.receive`. A lone short record, which is nearly all there is, takes the first way."""
        size = len(data)
        if (
            _SHORTEST <= size <= SLICE
            and size == RECORD_HEADER + (data[3] << 8 | data[4])
            and self.handshake_done
            and not self._rest
        ):
            return self._decrypt_record(data)
        return self._receive_any(data)

    def send(self, plaintext: bytes) -> None:
        """See `Engine.send`."""
        if not self.handshake_done:
            raise TlsFailed("nothing can be sent before the handshake is done")
        if len(plaintext) <= SLICE:
            if plaintext:
                self._encrypt(plaintext)
            return
        pieces = [self.to_send()]
        for start in range(0, len(plaintext), SLICE):
            self._encrypt(plaintext[start : start + SLICE])
            pieces.append(self._take())
        self._ready = b"".join(pieces)

    def to_send(self) -> bytes:
        """See `Engine.to_send`."""
        if not self._ready:
            return self._take()
        ready = self._ready + self._take()
        self._ready = b""
        return ready

    def _receive_any(self, data: bytes | memoryview) -> bytes:
        if self.peer_closed:
            return b""
        joined = self._rest + data if self._rest else data
        edge = whole_records(joined)
        self._rest = bytes(joined[edge:])
        if self.handshake_done:
            return self._decrypt_all(joined[:edge])
        return self._shake_hands(joined[:edge])

    def _shake_hands(self, records: bytes | memoryview) -> bytes:
        """Feed the handshake; what follows it in the same records is plaintext already."""
        for start in range(0, len(records), SLICE):
            piece = records[start : start + SLICE]
            if not self.handshake_done:  # a client may send its first large message right behind the handshake
                self._count(len(piece))
            self._feed(piece)
            if not self.handshake_done and self._step():
                self._check_chain()
                self.handshake_done = True
        if not self.handshake_done:
            self._count(0)
            return b""
        plaintext = self._drain()
        self._settle()
        return plaintext

    def _count(self, size: int) -> None:
        """Bound what the handshake takes, with the beginning of a record that waits for its end."""
        self._heard += size
        waiting = 0 if size else len(self._rest)
        if self._heard + waiting > self._settings.max_handshake:
            raise TlsFailed(f"the handshake took more than {self._settings.max_handshake} bytes")

    def _decrypt_all(self, records: bytes | memoryview) -> bytes:
        if len(records) <= SLICE:
            self._feed(records)
            return self._drain()
        pieces = []
        for start in range(0, len(records), SLICE):
            self._feed(records[start : start + SLICE])
            pieces.append(self._drain())
        return b"".join(pieces)

    def _check_chain(self) -> None:
        count = self._chain_length()
        if count > self._settings.max_chain:
            raise TlsFailed(f"the client sent {count} certificates, at most {self._settings.max_chain} are taken")

    # What an implementation adds.

    @property
    @abstractmethod
    def _settings(self) -> TlsSettings:
        """What the context was made with."""

    @abstractmethod
    def _feed(self, records: bytes | memoryview) -> None:
        """Give ciphertext to OpenSSL."""

    @abstractmethod
    def _step(self) -> bool:
        """Go on with the handshake; True once it is done."""

    @abstractmethod
    def _settle(self) -> None:
        """Let go of what only the handshake needed."""

    @abstractmethod
    def _decrypt_record(self, record: bytes | memoryview) -> bytes:
        """Feed one record of at most SLICE bytes and return its plaintext."""

    @abstractmethod
    def _drain(self) -> bytes:
        """Return all the plaintext there is."""

    @abstractmethod
    def _encrypt(self, plaintext: bytes) -> None:
        """Turn 1 to SLICE bytes into a record."""

    @abstractmethod
    def _take(self) -> bytes:
        """Take the ciphertext out of OpenSSL."""

    @abstractmethod
    def _chain_length(self) -> int:
        """How many certificates the client sent."""
