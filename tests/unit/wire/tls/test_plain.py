import pytest

from ironhub.wire.tls import Engine, EngineSource, PlainContext, TlsFailed


def test_bytes_pass_as_they_are() -> None:
    source: EngineSource = PlainContext()
    engine: Engine = source.new_engine()
    assert engine.handshake_done
    assert not engine.peer_closed
    assert engine.receive(memoryview(b"hello")) == b"hello"
    assert engine.to_send() == b""
    engine.send(b"one")
    assert engine.to_send() == b"one"
    engine.send(b"one")
    engine.send(b"two")
    assert engine.to_send() == b"onetwo"
    assert engine.to_send() == b""


def test_nobody_has_shown_or_agreed_on_anything() -> None:
    engine = PlainContext().new_engine()
    assert engine.peer_chain == ()
    assert (engine.server_name, engine.alpn, engine.version) == (None, None, None)


def test_nothing_is_sent_after_the_end() -> None:
    engine = PlainContext().new_engine()
    engine.close()
    engine.close()
    assert engine.to_send() == b""
    with pytest.raises(TlsFailed):
        engine.send(b"late")
