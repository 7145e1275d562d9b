"""What every TLS engine does: `wire.tls.Engine` and `wire.tls.Context`, one suite for all of them."""

import ssl
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from OpenSSL import SSL
from tests.fakes.old_certificates import ECDSA_SHA256, tlv
from tests.fakes.pki import SERVER_AUTH, FakeCertificate, make_authority, self_signed
from tests.fakes.tls_client import TLS1_2, TLS1_3, MemoryClient, client_context, key_of_a_thief, server_identity

from ironhub.wire.tls import (
    BadCertificate,
    BadTlsSettings,
    Context,
    Engine,
    EngineName,
    ServerIdentity,
    TlsFailed,
    TlsSettings,
    TlsVersion,
    make_context,
)

ENGINES = [name.value for name in EngineName]
VERSIONS = [TLS1_2, TLS1_3]


@pytest.fixture(params=ENGINES)
def engine_name(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def context(engine_name: str) -> Context:
    return make_context([server_identity()], TlsSettings(engine=engine_name))


@pytest.fixture(params=VERSIONS, ids=lambda version: version.name)
def version(request: pytest.FixtureRequest) -> ssl.TLSVersion:
    chosen: ssl.TLSVersion = request.param
    return chosen


def connect(
    context: Context, certificate: FakeCertificate | None = None, version: ssl.TLSVersion = TLS1_3
) -> tuple[Engine, MemoryClient]:
    """Return both ends of an open connection."""
    engine, client = context.new_engine(), MemoryClient(client_context(certificate, version))
    client.shake_hands(engine)
    assert engine.handshake_done
    return engine, client


def authority_chain() -> FakeCertificate:
    return make_authority("intermediate", parent=make_authority("root")).issue("press-7")


def version_1() -> FakeCertificate:
    """X.509 version 1: no extension, not even a version number."""
    key, name = ec.generate_private_key(ec.SECP256R1()), self_signed("press-7").certificate.subject.public_bytes()
    body = tlv(
        0x30,
        tlv(0x02, b"\x07"),
        ECDSA_SHA256,
        name,
        tlv(0x30, tlv(0x17, b"200101000000Z"), tlv(0x17, b"490101000000Z")),
        name,
        key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    )
    signature = key.sign(body, ec.ECDSA(hashes.SHA256()))
    return FakeCertificate(
        x509.load_der_x509_certificate(tlv(0x30, body, ECDSA_SHA256, tlv(0x03, b"\x00", signature))), key
    )


CERTIFICATES = {
    "self-signed": lambda: self_signed("press-7"),
    "expired": lambda: self_signed("press-7", not_before=0.0, not_after=1e9),
    "not yet valid": lambda: self_signed("press-7", not_before=4e9, not_after=4.1e9),
    "RSA 2048": lambda: self_signed("press-7", key="rsa"),
    "RSA 1024": lambda: self_signed("press-7", key="rsa1024"),
    "Ed25519": lambda: self_signed("press-7", key="ed25519"),
    "for servers only": lambda: self_signed("press-7", usages=[SERVER_AUTH]),
    "an authority nobody knows": lambda: make_authority("unknown").issue("press-7"),
    "a chain": authority_chain,
    "X.509 version 1": version_1,
}


@pytest.mark.parametrize("kind", CERTIFICATES)
def test_any_certificate_whose_key_is_held_completes_the_handshake(
    context: Context, kind: str, version: ssl.TLSVersion
) -> None:
    certificate = CERTIFICATES[kind]()
    engine, client = connect(context, certificate, version)
    assert engine.peer_chain == certificate.chain_der
    assert engine.receive(client.encrypt(b"hello")) == b"hello"


def test_without_a_certificate_the_chain_is_empty(context: Context, version: ssl.TLSVersion) -> None:
    engine, client = connect(context, None, version)
    assert engine.peer_chain == ()
    assert engine.receive(client.encrypt(b"hello")) == b"hello"


def test_a_certificate_without_its_key_does_not_complete_the_handshake(
    context: Context, version: ssl.TLSVersion
) -> None:
    stolen = self_signed("press-7")
    client = MemoryClient(client_context(stolen, version, key_pem=key_of_a_thief(stolen)))
    engine = context.new_engine()
    with pytest.raises(TlsFailed):
        client.shake_hands(engine)
    assert not engine.handshake_done
    with pytest.raises(ssl.SSLError, match=r"(?i)decrypt.error"):  # the alert that RFC 8446 6.2 names
        client.decrypt(engine.to_send()) if version is TLS1_3 else client.step(engine.to_send())


def test_the_server_sends_its_chain_and_asks_no_authority_of_the_client(context: Context) -> None:
    _, client = connect(context, None, TLS1_2)
    assert client.tls.getpeercert(binary_form=True) is not None
    assert client.tls.version() == "TLSv1.2"


def test_both_directions_carry_what_was_sent(context: Context, version: ssl.TLSVersion) -> None:
    engine, client = connect(context, self_signed("press-7"), version)
    for payload in (b"x", b"y" * 100, b"z" * 5000, b"long" * 50_000):
        assert engine.receive(client.encrypt(payload)) == payload
        engine.send(payload)
        assert client.decrypt(engine.to_send()) == payload
    assert engine.to_send() == b""


def test_empty_plaintext_sends_nothing(context: Context) -> None:
    engine, _ = connect(context)
    engine.to_send()
    engine.send(b"")
    assert engine.to_send() == b""


def test_what_was_sent_in_pieces_leaves_in_order(context: Context) -> None:
    engine, client = connect(context)
    engine.send(b"a")
    engine.send(b"b" * 10_000)
    engine.send(b"c")
    assert client.decrypt(engine.to_send()) == b"a" + b"b" * 10_000 + b"c"


def test_a_memoryview_is_as_good_as_bytes(context: Context) -> None:
    engine, client = connect(context)
    assert engine.receive(memoryview(client.encrypt(b"short"))) == b"short"
    assert engine.receive(memoryview(client.encrypt(b"long" * 5000))) == b"long" * 5000


def test_plaintext_that_comes_with_the_end_of_the_handshake_is_returned(context: Context) -> None:
    engine, client = context.new_engine(), MemoryClient(client_context(self_signed("press-7"), TLS1_3))
    engine.receive(client.step())
    last_flight = client.step(engine.to_send())
    assert engine.receive(last_flight + client.encrypt(b"CONNECT")) == b"CONNECT"
    assert engine.handshake_done
    engine.send(b"CONNACK")
    assert client.decrypt(engine.to_send()) == b"CONNACK"


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_how_the_stream_is_cut_never_changes_the_plaintext(engine_name: str, data: st.DataObject) -> None:
    context = make_context([server_identity()], TlsSettings(engine=engine_name))
    sizes = data.draw(st.lists(st.sampled_from([1, 3, 100, 4096, 9000, 16_384, 20_000]), min_size=1, max_size=4))
    engine, client = connect(context)
    stream = b"".join(client.encrypt(bytes([index]) * size) for index, size in enumerate(sizes))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    pieces = [engine.receive(stream[a:b]) for a, b in pairwise([0, *cuts, len(stream)])]
    assert b"".join(pieces) == b"".join(bytes([index]) * size for index, size in enumerate(sizes))


def test_a_handshake_byte_by_byte_completes(context: Context, version: ssl.TLSVersion) -> None:
    engine, client = context.new_engine(), MemoryClient(client_context(authority_chain(), version))
    flight = client.step()
    while flight:
        for byte in flight:
            assert engine.receive(bytes([byte])) == b""
        flight = client.step(engine.to_send())
    assert engine.handshake_done
    assert len(engine.peer_chain) == 2


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(garbage=st.binary(max_size=200))
def test_any_bytes_are_waited_for_or_refused(engine_name: str, garbage: bytes) -> None:
    engine = make_context([server_identity()], TlsSettings(engine=engine_name)).new_engine()
    try:
        assert engine.receive(garbage) == b""
    except TlsFailed:
        engine.to_send()
    assert not engine.handshake_done


def test_plain_http_is_refused_at_once(context: Context) -> None:
    with pytest.raises(TlsFailed, match=r"(?i)http.request"):
        context.new_engine().receive(b"GET / HTTP/1.1\r\n\r\n")


def test_a_record_that_was_changed_is_refused_with_an_alert(context: Context, version: ssl.TLSVersion) -> None:
    engine, client = connect(context, None, version)
    record = bytearray(client.encrypt(b"hello"))
    record[-1] ^= 1
    with pytest.raises(TlsFailed):
        engine.receive(bytes(record))
    with pytest.raises(ssl.SSLError, match=r"(?i)bad.record.mac"):
        client.decrypt(engine.to_send())


def test_a_changed_record_among_good_ones_is_refused(context: Context) -> None:
    engine, client = connect(context)
    records = client.encrypt(b"a" * 40_000)
    with pytest.raises(TlsFailed):
        engine.receive(records[:-1] + bytes([records[-1] ^ 1]))


def test_bytes_that_are_no_record_after_the_handshake_are_refused(context: Context) -> None:
    engine, _ = connect(context)
    with pytest.raises(TlsFailed):
        engine.receive(b"GET / HTTP/1.1\r\n\r\n")


def test_a_version_below_the_least_is_refused_with_an_alert(engine_name: str) -> None:
    context = make_context([server_identity()], TlsSettings(engine=engine_name, min_version=TlsVersion.TLS1_3))
    engine, client = context.new_engine(), MemoryClient(client_context(None, TLS1_2))
    with pytest.raises(TlsFailed):
        engine.receive(client.step())
    with pytest.raises(ssl.SSLError, match=r"(?i)protocol.version"):
        client.step(engine.to_send())


def test_the_greatest_version_holds(engine_name: str) -> None:
    context = make_context([server_identity()], TlsSettings(engine=engine_name, max_version=TlsVersion.TLS1_2))
    client_settings = client_context(None, TLS1_2)
    client_settings.maximum_version = TLS1_3
    engine, client = context.new_engine(), MemoryClient(client_settings)
    client.shake_hands(engine)
    assert engine.version is TlsVersion.TLS1_2


def test_the_version_is_known_after_the_handshake(context: Context, version: ssl.TLSVersion) -> None:
    assert context.new_engine().version is None
    engine, _ = connect(context, None, version)
    assert engine.version == {TLS1_2: TlsVersion.TLS1_2, TLS1_3: TlsVersion.TLS1_3}[version]


@pytest.mark.parametrize("name", ["localhost", "press.example", "127.0.0.1", "unter_strich"])
def test_the_name_asked_for_is_told_and_never_refused(context: Context, name: str, version: ssl.TLSVersion) -> None:
    engine, client = context.new_engine(), MemoryClient(client_context(None, version), name)
    client.shake_hands(engine)
    # The standard library's client sends no name for an IP address, as most do (RFC 6066 3).
    assert engine.server_name == (None if name == "127.0.0.1" else name)


def test_no_name_is_none(context: Context) -> None:
    engine, client = context.new_engine(), MemoryClient(client_context(), None)
    client.shake_hands(engine)
    assert engine.server_name is None


def test_each_name_gets_its_certificate_and_strangers_the_first(engine_name: str, version: ssl.TLSVersion) -> None:
    identities = [server_identity(name) for name in ("hub.example", "dps.example", "*.field.example")]
    context = make_context(identities, TlsSettings(engine=engine_name))
    expected = {"hub.example": 0, "dps.example": 1, "DPS.example": 1, "a.field.example": 2, "else.example": 0, None: 0}
    for name, index in expected.items():
        engine, client = context.new_engine(), MemoryClient(client_context(self_signed("d"), version), name)
        client.shake_hands(engine)
        shown = client.tls.getpeercert(binary_form=True)
        assert shown is not None
        assert ssl.DER_cert_to_PEM_cert(shown).encode() in identities[index].chain_pem
        assert len(engine.peer_chain) == 1  # asked for, whichever certificate is shown


@pytest.mark.parametrize(
    ("offered", "agreed"), [(["mqtt"], "mqtt"), (["h2", "http/1.1", "mqtt"], "http/1.1"), (["h2"], None), ([], None)]
)
def test_a_protocol_is_agreed_on_if_both_know_it(engine_name: str, offered: list[str], agreed: str | None) -> None:
    context = make_context([server_identity()], TlsSettings(engine=engine_name, alpn=("http/1.1", "mqtt")))
    client_settings = client_context()
    if offered:
        client_settings.set_alpn_protocols(offered)
    engine, client = context.new_engine(), MemoryClient(client_settings)
    client.shake_hands(engine)
    assert engine.alpn == agreed == client.tls.selected_alpn_protocol()


def test_a_resumed_session_shows_the_whole_chain_again(context: Context, version: ssl.TLSVersion) -> None:
    certificate = authority_chain()
    shared = client_context(certificate, version)
    first, client = context.new_engine(), MemoryClient(shared)
    client.shake_hands(first)
    first.send(b"tickets, if any, come before this")
    client.decrypt(first.to_send())
    again = context.new_engine()
    resuming = MemoryClient(shared)
    if client.tls.session is not None:
        resuming.tls.session = client.tls.session
    resuming.shake_hands(again)
    assert not resuming.tls.session_reused
    assert again.peer_chain == certificate.chain_der


def test_close_tells_the_peer(context: Context, version: ssl.TLSVersion) -> None:
    engine, client = connect(context, None, version)
    engine.send(b"last words")
    engine.close()
    engine.close()
    assert client.decrypt(engine.to_send()) == b"last words"
    with pytest.raises(TlsFailed):
        engine.send(b"after the end")


def test_close_before_the_handshake_says_nothing(context: Context) -> None:
    engine = context.new_engine()
    engine.close()
    assert engine.to_send() == b""
    with pytest.raises(TlsFailed):
        engine.send(b"too early")


def test_the_peers_close_is_noticed(context: Context, version: ssl.TLSVersion) -> None:
    engine, client = connect(context, None, version)
    assert engine.receive(client.encrypt(b"bye") + client.goodbye()) == b"bye"
    assert engine.peer_closed
    assert engine.receive(b"more") == b""


def test_the_peers_lone_close_is_noticed(context: Context) -> None:
    engine, client = connect(context)
    assert engine.receive(client.goodbye()) == b""
    assert engine.peer_closed


def test_a_handshake_that_never_ends_is_bounded(engine_name: str) -> None:
    context = make_context([server_identity()], TlsSettings(engine=engine_name, max_handshake=3000))
    engine = context.new_engine()
    endless = b"\x16\x03\x01\x40\x00" + bytes(2995)  # the beginning of a record of 16 KiB
    assert engine.receive(endless) == b""
    with pytest.raises(TlsFailed, match="3000 bytes"):
        engine.receive(b"\x00")


def test_what_follows_the_handshake_in_the_same_bytes_is_not_counted_with_it(
    engine_name: str, version: ssl.TLSVersion
) -> None:
    """A client may send its first large message right behind the handshake, and one read may bring all of it."""
    engine = make_context([server_identity()], TlsSettings(engine=engine_name, max_handshake=8000)).new_engine()
    client = MemoryClient(client_context(None, version))
    flight = client.step()
    while not client.done:
        engine.receive(flight)
        flight = client.step(engine.to_send())
    large = b"x" * 200_000
    assert engine.receive(flight + client.encrypt(large)) == large


def test_more_certificates_than_allowed_are_refused(engine_name: str, version: ssl.TLSVersion) -> None:
    context = make_context([server_identity()], TlsSettings(engine=engine_name, max_chain=1))
    with pytest.raises(TlsFailed, match="at most 1"):
        MemoryClient(client_context(authority_chain(), version)).shake_hands(context.new_engine())
    connect(context, self_signed("press-7"), version)


def test_a_chain_of_many_bytes_is_refused(engine_name: str) -> None:
    context = make_context([server_identity()], TlsSettings(engine=engine_name, max_handshake=2000))
    large = self_signed("press-7", names=[f"name-{number}.example" for number in range(200)])
    with pytest.raises(TlsFailed, match="2000 bytes"):
        MemoryClient(client_context(large)).shake_hands(context.new_engine())


def test_a_key_of_another_certificate_is_refused(engine_name: str) -> None:
    one, other = server_identity("one.example"), server_identity("other.example")
    with pytest.raises(BadCertificate, match="does not belong"):
        make_context([ServerIdentity(one.chain_pem, other.key_pem)], TlsSettings(engine=engine_name))


def test_no_certificate_at_all_is_refused(engine_name: str) -> None:
    with pytest.raises(BadCertificate, match="at least one"):
        make_context([], TlsSettings(engine=engine_name))


def test_a_certificate_too_weak_for_the_library_is_refused(engine_name: str) -> None:
    weak = self_signed("localhost", key="rsa1024", usages=[SERVER_AUTH])
    with pytest.raises(BadCertificate, match="OpenSSL refuses"):
        make_context([ServerIdentity(weak.chain_pem, weak.key_pem)], TlsSettings(engine=engine_name))


def test_ciphers_that_do_not_exist_are_refused(engine_name: str) -> None:
    with pytest.raises(BadTlsSettings, match="NO-SUCH"):
        make_context([server_identity()], TlsSettings(engine=engine_name, ciphers="NO-SUCH-CIPHER"))


def test_a_context_belongs_to_one_thread(context: Context) -> None:
    context.new_engine()
    context.new_engine()
    with ThreadPoolExecutor(1) as elsewhere, pytest.raises(RuntimeError, match="belongs to the thread"):
        elsewhere.submit(context.new_engine).result()


def test_a_context_names_its_engine(context: Context, engine_name: str) -> None:
    assert context.engine_name == engine_name


def test_renegotiation_is_refused(context: Context) -> None:
    """RFC 5746 knows attacks, we know no use: the client that asks gets no new handshake and the connection ends."""
    settings_of_client = SSL.Context(SSL.TLS_CLIENT_METHOD)
    settings_of_client.set_max_proto_version(SSL.TLS1_2_VERSION)
    client = SSL.Connection(settings_of_client)
    client.set_connect_state()
    engine = context.new_engine()
    for _ in range(3):
        try:
            client.do_handshake()
        except SSL.WantReadError:
            engine.receive(client.bio_read(65_536))
            client.bio_write(engine.to_send())
    assert engine.handshake_done
    client.renegotiate()
    with pytest.raises(SSL.WantReadError):
        client.do_handshake()
    assert engine.receive(client.bio_read(65_536)) == b""
    client.bio_write(engine.to_send())
    with pytest.raises(SSL.Error, match="no renegotiation"):
        client.do_handshake()
