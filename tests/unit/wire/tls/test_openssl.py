"""What only the engine on cryptography's OpenSSL does; the rest is in contracts/test_tls_engine.py."""

from tests.fakes.pki import self_signed
from tests.fakes.tls_client import MemoryClient, client_context, server_identity

from ironhub.wire.tls.model import TlsSettings
from ironhub.wire.tls.openssl import OpensslContext, _lib


def test_an_error_somebody_else_left_behind_ends_nobodys_connection() -> None:
    """OpenSSL's errors are a queue of the thread: without care a stale one is taken for the next engine's."""
    engine = OpensslContext([server_identity()], TlsSettings()).new_engine()
    client = MemoryClient(client_context(self_signed("press-7")))
    client.shake_hands(engine)
    records = client.encrypt(b"a" * 20_000), client.encrypt(b"b")
    for record, expected in zip(records, (b"a" * 20_000, b"b"), strict=True):
        leave_an_error()
        assert engine.receive(record[:3]) == b""
        assert engine.receive(record[3:]) == expected
    leave_an_error()
    assert engine.receive(client.goodbye()) == b""
    assert engine.peer_closed
    leave_an_error()
    engine.close()
    _lib.ERR_clear_error()


def leave_an_error() -> None:
    _lib.ERR_put_error(_lib.ERR_LIB_EVP, 0, 100, b"test.c", 1)
    assert _lib.ERR_peek_error() != 0


def test_a_flight_longer_than_the_buffer_is_taken_whole() -> None:
    engine = OpensslContext([server_identity()], TlsSettings()).new_engine()
    client = MemoryClient(client_context(self_signed("press-7")))
    client.shake_hands(engine)
    for _ in range(20):
        engine.send(b"x" * 4000)
    assert client.decrypt(engine.to_send()) == b"x" * 80_000
