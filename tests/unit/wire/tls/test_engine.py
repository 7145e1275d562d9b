"""What both engines share, on one of them: records are cut, the handshake and the buffers are bounded."""

import pytest
from tests.fakes.pki import make_authority, self_signed
from tests.fakes.tls_client import TLS1_2, MemoryClient, client_context, server_identity

from ironhub.wire.mqtt import COMPILED
from ironhub.wire.tls.engine import RecordEngine
from ironhub.wire.tls.model import SLICE, TlsFailed, TlsSettings
from ironhub.wire.tls.openssl import OpensslContext, OpensslEngine


def connected(settings: TlsSettings | None = None) -> tuple[OpensslEngine, MemoryClient]:
    engine = OpensslContext([server_identity()], settings or TlsSettings()).new_engine()
    client = MemoryClient(client_context(self_signed("press-7")))
    client.shake_hands(engine)
    return engine, client


@pytest.mark.parametrize("size", [1, SLICE - 30, SLICE, SLICE + 1, 16_384, 100_000])
def test_messages_of_every_size_pass_both_ways(size: int) -> None:
    engine, client = connected()
    assert engine.receive(client.encrypt(b"x" * size)) == b"x" * size
    engine.send(b"")
    engine.send(b"y" * size)
    assert client.decrypt(engine.to_send()) == b"y" * size


def test_a_record_in_pieces_is_kept_until_it_is_whole() -> None:
    engine, client = connected()
    record = client.encrypt(b"x" * 300)
    assert [engine.receive(record[:100]), engine.receive(record[100:200])] == [b"", b""]
    assert engine.receive(record[200:] + record[:0]) == b"x" * 300


class Transparent(RecordEngine):
    """An engine whose ciphertext is the plaintext: shows what is handed on, and when."""

    __slots__ = ("fed",)

    def __init__(self) -> None:
        super().__init__()
        self.handshake_done = True
        self.fed = b""

    @property
    def _settings(self) -> TlsSettings:
        return TlsSettings()

    def _feed(self, records: bytes | memoryview) -> None:
        self.fed += bytes(records)

    def _step(self) -> bool:
        return True

    def _settle(self) -> None:
        """Nothing to let go of."""

    def _decrypt_record(self, record: bytes | memoryview) -> bytes:
        return bytes(record)

    def _drain(self) -> bytes:
        drained, self.fed = self.fed, b""
        return drained

    def _encrypt(self, plaintext: bytes) -> None:
        self.fed += plaintext

    def _take(self) -> bytes:
        return self._drain()

    def _chain_length(self) -> int:
        return 0


@pytest.mark.skipif(COMPILED, reason="compiled classes have no children that are not")
def test_the_end_of_a_record_that_looks_like_a_record_is_not_taken_for_one() -> None:
    lookalike = bytes([23, 3, 3, 0, 4]) + b"abcd"
    record = bytes([23, 3, 3, 0, 3 + len(lookalike)]) + b"..." + lookalike
    engine = Transparent()
    assert engine.receive(lookalike) == lookalike
    assert engine.receive(record[:8]) == b""
    assert engine.receive(record[8:]) == record


def test_a_long_handshake_is_fed_in_slices() -> None:
    chain = self_signed("press-7", names=[f"name-{number}.example" for number in range(400)])
    engine = OpensslContext([server_identity()], TlsSettings()).new_engine()
    client = MemoryClient(client_context(chain, TLS1_2))
    client.shake_hands(engine)
    assert engine.peer_chain == chain.chain_der
    assert len(chain.der) > SLICE


def test_bounds_hold_and_after_the_end_nothing_is_taken() -> None:
    with pytest.raises(TlsFailed, match="more than 300 bytes"):
        connected(TlsSettings(max_handshake=300))
    long_chain = make_authority("intermediate", parent=make_authority("root")).issue("press-7")
    engine = OpensslContext([server_identity()], TlsSettings(max_chain=1)).new_engine()
    with pytest.raises(TlsFailed, match="sent 2 certificates"):
        MemoryClient(client_context(long_chain)).shake_hands(engine)
    engine, client = connected()
    engine.receive(client.goodbye())
    assert engine.receive(b"more") == b""


def test_nothing_is_sent_before_the_handshake_is_done() -> None:
    with pytest.raises(TlsFailed, match="before the handshake"):
        OpensslContext([server_identity()], TlsSettings()).new_engine().send(b"x")


def test_an_engine_has_no_dictionary_that_would_make_it_larger() -> None:
    engine, _ = connected()
    assert isinstance(engine, RecordEngine)
    assert not hasattr(engine, "__dict__")
