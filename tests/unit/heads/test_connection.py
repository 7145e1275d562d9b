"""One accepted connection: its deadlines, its bounds and its end, on real sockets and both event loops."""

import asyncio
import gc
import logging
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from OpenSSL import SSL
from tests.fakes.loops import on_both_loops
from tests.fakes.pki import self_signed
from tests.fakes.ports import LONG, PATIENCE, SHORT, Port, Stream, Talk, open_port, until
from tests.fakes.tls_client import TLS1_2, MemoryClient, client_context, key_of_a_thief

from ironhub.heads.connection import Connection
from ironhub.heads.limits import ConnectionLimits
from ironhub.heads.listener import Channel, Conversation


@pytest.fixture(autouse=True)
def _nothing_leaks() -> Iterator[None]:
    """A transport or socket that nobody closed warns when it is collected; warnings are errors here."""
    yield
    gc.collect()


@on_both_loops
async def test_without_a_certificate_the_chain_is_empty() -> None:
    async with open_port() as port:
        client = await port.connect()
        assert await client.exchange(b"hello") == b"hello"
        assert port.talks[0].chain == ()
        await client.end()


@pytest.mark.parametrize("kind", ["self-signed", "expired", "RSA 1024"])
@on_both_loops
async def test_odd_certificates_reach_the_conversation(kind: str) -> None:
    certificate = {
        "self-signed": lambda: self_signed("press-7"),
        "expired": lambda: self_signed("press-7", not_before=0.0, not_after=1e9),
        "RSA 1024": lambda: self_signed("press-7", key="rsa1024"),
    }[kind]()
    async with open_port() as port:
        client = await port.connect(client_context(certificate))
        assert await client.exchange(b"hello") == b"hello"
        assert port.talks[0].chain == (certificate.der,)
        await client.end()


@on_both_loops
async def test_a_certificate_without_its_key_gets_an_alert_and_no_conversation() -> None:
    stolen = self_signed("press-7")
    async with open_port() as port:
        with pytest.raises(ssl.SSLError, match=r"(?i)decrypt.error"):
            await port.connect(client_context(stolen, TLS1_2, key_pem=key_of_a_thief(stolen)))
        await until(lambda: port.listener.connections == 0)
        assert port.talks == []
        assert port.listener.counts.tls_failures == 1


@pytest.mark.parametrize(
    "garbage", [b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\x10\x0c\x00\x04MQTT" + bytes(900)]
)
@on_both_loops
async def test_what_is_no_tls_gets_an_alert_then_the_end(garbage: bytes) -> None:
    async with open_port() as port:
        client = await port.connect_plain()
        client.writer.write(garbage * 50)
        alert = await client.rest()
        assert alert == b"" or alert[0] == 21  # TLS 1.2 record of type alert; OpenSSL has none for plain HTTP
        assert port.talks == []
        assert port.listener.counts.tls_failures == 1
        await client.end()


@on_both_loops
async def test_an_alert_arrives_although_the_peer_sent_more_than_was_read() -> None:
    async with open_port() as port:
        client, memory = await port.connect_plain(), MemoryClient(client_context(None, TLS1_2))
        client.writer.write(memory.step())
        while not memory.done:
            client.writer.write(memory.step(await client.reader.read(65_536)))
        record = memory.encrypt(b"x")
        client.writer.write(record[:-1] + bytes([record[-1] ^ 1]) + bytes(2_000_000))
        assert (await client.rest())[0] == 21
        await client.end()


@pytest.mark.parametrize("shortest", ["handshake_timeout", "first_byte_timeout", "connect_timeout"])
@on_both_loops
async def test_a_silent_stranger_is_cut_at_the_first_deadline(shortest: str) -> None:
    bounds: dict[str, Any] = {shortest: SHORT}
    async with open_port(**bounds) as port:
        client = await port.connect_plain()
        assert await client.rest() == b""
        await until(lambda: port.listener.connections == 0)
        assert port.listener.counts.timed_out == 1
        await client.end()


@on_both_loops
async def test_a_handshake_that_drips_is_cut_at_its_deadline() -> None:
    async with open_port(handshake_timeout=SHORT) as port:
        client = await port.connect_plain()
        hello = MemoryClient(client_context()).step()
        with suppress(ConnectionError):
            for byte in hello * 100:
                client.writer.write(bytes([byte]))
                await client.writer.drain()
                await asyncio.sleep(0.001)
                if client.reader.at_eof() or port.listener.counts.timed_out:
                    break
        assert port.listener.counts.timed_out == 1
        await client.end()


@on_both_loops
async def test_a_peer_that_says_nothing_inside_tls_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ironhub")
    async with open_port(handshake_timeout=SHORT / 2, first_byte_timeout=SHORT) as port:
        client = await port.connect()
        await client.rest()
        await until(lambda: port.listener.connections == 0)
        assert [record.__dict__["step"] for record in caplog.records if "step" in record.__dict__] == ["first_byte"]
        assert port.talks[0].losses == 1
        await client.end()


@on_both_loops
async def test_a_peer_that_talks_but_never_identifies_itself_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ironhub")
    async with open_port(handshake_timeout=SHORT / 2, first_byte_timeout=SHORT / 2, connect_timeout=SHORT) as port:
        client = await port.connect()
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                await client.exchange(b"x")
        assert [record.__dict__["step"] for record in caplog.records if "step" in record.__dict__] == ["connect"]
        await client.end()


@on_both_loops
async def test_an_identified_peer_has_no_deadline() -> None:
    async with open_port(handshake_timeout=SHORT, first_byte_timeout=SHORT, connect_timeout=SHORT) as port:
        client, witness = await port.connect(), await port.connect_plain()
        assert await client.exchange(b"CONNECT") == b"CONNECT"
        port.talks[0].channel.identified()
        port.talks[0].channel.identified()
        assert port.listener.limits.unidentified == 1
        await witness.rest()  # its deadlines have passed, and the device's would have
        assert await client.exchange(b"still here") == b"still here"
        await witness.end()
        await client.end()


@on_both_loops
async def test_close_lets_the_last_words_arrive() -> None:
    async with open_port() as port:
        client = await port.connect()
        await client.exchange(b"x")
        channel = port.talks[0].channel
        channel.send(b"refused, because" * 1000)
        channel.close()
        channel.close()
        channel.send(b"too late")
        assert await client.rest() == b"refused, because" * 1000
        await client.end()
        await until(lambda: port.talks[0].losses == 1)


@on_both_loops
async def test_after_close_nothing_more_is_heard() -> None:
    async with open_port() as port:
        client = await port.connect()
        await client.exchange(b"x")
        port.talks[0].channel.close()
        with suppress(ConnectionError):
            client.writer.write(b"one more thing")
        await client.rest()
        assert port.talks[0].heard == b"x"
        await client.end()


@on_both_loops
async def test_who_does_not_let_go_after_close_is_cut() -> None:
    async with open_port(close_timeout=SHORT) as port:
        client, memory = await port.connect_plain(), MemoryClient(client_context())
        client.writer.write(memory.step())
        client.writer.write(memory.step(await client.reader.read(65_536)) + memory.encrypt(b"x"))
        await until(lambda: bool(port.talks) and port.talks[0].heard == b"x")
        port.talks[0].channel.close()
        await until(lambda: port.talks[0].losses == 1)
        await client.end()


@on_both_loops
async def test_abort_cuts_at_once_and_may_be_said_again() -> None:
    async with open_port() as port:
        client = await port.connect()
        await client.exchange(b"x")
        channel = port.talks[0].channel
        channel.abort()
        channel.abort()
        channel.send(b"nobody reads this")
        channel.close()
        await until(lambda: port.talks[0].losses == 1)
        for harmless in (channel.abort, channel.close, channel.pause_reading, channel.resume_reading):
            harmless()
        channel.send(b"nobody reads this")
        channel.identified()
        assert channel.peer_address == "127.0.0.1"
        assert channel.peer_chain == ()
        assert channel.server_name is None  # what TLS needed is let go of
        await client.end()


@on_both_loops
async def test_a_peer_that_ends_without_goodbye_is_lost_once() -> None:
    async with open_port() as port:
        client, memory = await port.connect_plain(), MemoryClient(client_context())
        client.writer.write(memory.step())
        client.writer.write(memory.step(await client.reader.read(65_536)) + memory.encrypt(b"x"))
        await until(lambda: bool(port.talks) and port.talks[0].heard == b"x")
        client.writer.write_eof()
        await until(lambda: port.talks[0].losses == 1)
        await client.end()


@on_both_loops
async def test_a_peer_that_says_goodbye_is_answered_and_lost_once() -> None:
    async with open_port() as port:
        client, memory = await port.connect_plain(), MemoryClient(client_context())
        client.writer.write(memory.step())
        client.writer.write(memory.step(await client.reader.read(65_536)))
        client.writer.write(memory.encrypt(b"DISCONNECT") + memory.goodbye())
        await client.rest()
        assert port.talks[0].heard == b"DISCONNECT"
        await client.end()
        await until(lambda: port.talks[0].losses == 1)


@on_both_loops
async def test_a_paused_peer_waits_and_loses_nothing() -> None:
    async with open_port() as port:
        client = await port.connect()
        await client.exchange(b"x")
        talk = port.talks[0]
        talk.channel.pause_reading()
        talk.channel.pause_reading()
        client.writer.write(b"y" * 1000)
        witness = await port.connect()
        assert await witness.exchange(b"z") == b"z"
        assert talk.heard == b"x"
        talk.channel.resume_reading()
        async with asyncio.timeout(PATIENCE):
            assert await client.reader.readexactly(1000) == b"y" * 1000
        await client.end()
        await witness.end()


async def most_in_a_turn(talk: Talk, total: int) -> int:
    """Return the most bytes that came in one turn of the loop until `total` have come."""
    most = 0
    async with asyncio.timeout(PATIENCE):
        while len(talk.heard) < total:
            before = len(talk.heard)
            await asyncio.sleep(0)
            most = max(most, len(talk.heard) - before)
    return most


@on_both_loops
async def test_who_keeps_the_socket_full_is_read_once_in_a_turn() -> None:
    async with open_port() as port:
        memory = MemoryClient(client_context())
        client = await unread(port, memory)
        talk = port.talks[0]
        talk.echo = False
        talk.channel.pause_reading()
        records, sent = memory.encrypt(b"y" * 3_000_000), 0
        with suppress(BlockingIOError):
            while sent < len(records):
                sent += client.send(records[sent : sent + 100_000])
        talk.channel.resume_reading()
        most = await most_in_a_turn(talk, sent * 9 // 10)
        client.close()
        assert most <= 262_144 < sent // 2


async def unread(port: Port, memory: MemoryClient) -> socket.socket:
    """Return a client that has shaken hands, sent b"x" and reads nothing from then on."""
    loop = asyncio.get_running_loop()
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setblocking(False)
    await loop.sock_connect(client, ("127.0.0.1", port.number))
    await loop.sock_sendall(client, memory.step())
    while not memory.done:
        await loop.sock_sendall(client, memory.step(await loop.sock_recv(client, 65_536)))
    await loop.sock_sendall(client, memory.encrypt(b"x"))
    await until(lambda: bool(port.talks) and port.talks[0].heard == b"x")
    return client


@on_both_loops
async def test_a_peer_that_does_not_read_is_not_read_and_goes_on_when_it_reads_again() -> None:
    async with open_port(high_water=10_000, low_water=1000) as port:
        loop, memory = asyncio.get_running_loop(), MemoryClient(client_context())
        client = await unread(port, memory)
        talk = port.talks[0]
        sent = 1
        while not talk.channel.congested:
            talk.channel.send(b"x" * 50_000)
            sent += 50_000
            await asyncio.sleep(0)
        with suppress(BlockingIOError):
            client.send(memory.encrypt(b"do you hear me?"))
        witness = await port.connect()
        assert await witness.exchange(b"z") == b"z"
        assert talk.heard == b"x"
        received = 0
        while received < sent:
            async with asyncio.timeout(PATIENCE):
                received += len(memory.decrypt(await loop.sock_recv(client, 65_536)))
        await until(lambda: talk.heard == b"xdo you hear me?")
        assert talk.resumptions == 1
        client.close()
        await witness.end()


@on_both_loops
async def test_a_peer_that_never_reads_is_cut_at_the_cap(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ironhub")
    async with open_port(high_water=10_000, low_water=1000, max_queued=100_000) as port:
        client = await unread(port, MemoryClient(client_context()))
        talk = port.talks[0]
        for _ in range(1000):
            talk.channel.send(b"x" * 50_000)
            await asyncio.sleep(0)
            if port.listener.counts.overflowed:
                break
        await until(lambda: talk.losses == 1)
        assert port.listener.counts.overflowed == 1
        assert "peer_reads_too_slowly" in caplog.text
        client.close()


class Faulty(Talk):
    """A conversation with a mistake in one method."""

    fault = ""

    def receive(self, data: bytes) -> None:
        if self.fault == "receive":
            raise ZeroDivisionError
        super().receive(data)

    def lost(self) -> None:
        super().lost()
        if self.fault == "lost":
            raise ZeroDivisionError


@pytest.mark.parametrize("fault", ["open", "receive", "lost"])
@on_both_loops
async def test_a_conversation_with_a_mistake_costs_only_itself(fault: str, caplog: pytest.LogCaptureFixture) -> None:
    talks: list[Faulty] = []

    def begin(channel: Channel) -> Conversation:
        talks.append(Faulty(channel))
        if len(talks) == 1:
            talks[0].fault = fault
            if fault == "open":
                raise ZeroDivisionError
        return talks[-1]

    async with open_port(make=begin) as port:
        faulty = await port.connect()
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await faulty.exchange(b"x")
        await faulty.end()
        await until(lambda: port.listener.connections == 0)
        good = await port.connect()
        assert await good.exchange(b"hello") == b"hello"
        await good.end()
    assert "ZeroDivisionError" in caplog.text


@on_both_loops
async def test_a_mistake_when_the_peer_reads_again_costs_only_that_conversation(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Stumbling(Talk):
        def resumed(self) -> None:
            raise ZeroDivisionError

    talks: list[Stumbling] = []

    def begin(channel: Channel) -> Conversation:
        talks.append(Stumbling(channel))
        return talks[-1]

    async with open_port(make=begin, high_water=10_000, low_water=1000) as port:
        client = await port.connect()
        await client.exchange(b"x")
        while not talks[0].channel.congested:
            talks[0].channel.send(b"x" * 500_000)
        await client.rest()
        await until(lambda: talks[0].losses == 1)
        assert "ZeroDivisionError" in caplog.text
        await client.end()


@on_both_loops
async def test_small_answers_are_not_held_back() -> None:
    """TCP_NODELAY: an acknowledgement of four bytes must not wait for the peer's delayed ACK."""
    seen: list[int] = []

    def begin(channel: Channel) -> Conversation:
        transport: asyncio.Transport = channel._transport  # type: ignore[attr-defined]  # nobody else asks for it
        seen.append(transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        return Talk(channel)

    async with open_port(make=begin) as port:
        client = await port.connect()
        await client.exchange(b"x")
        await client.end()
    assert seen[0] != 0


@on_both_loops
async def test_what_tls_refuses_to_send_ends_the_connection() -> None:
    async with open_port() as port:
        client = await port.connect()
        await client.exchange(b"x")
        connection = port.talks[0].channel
        assert isinstance(connection, Connection)
        engine = connection._engine
        assert engine is not None
        engine.close()
        connection.send(b"after the goodbye")
        await until(lambda: port.talks[0].losses == 1)
        await client.end()


@on_both_loops
async def test_a_peer_that_reads_again_after_close_wakes_nobody() -> None:
    async with open_port(high_water=10_000, low_water=1000, close_timeout=LONG) as port:
        loop, memory = asyncio.get_running_loop(), MemoryClient(client_context())
        client = await unread(port, memory)
        talk = port.talks[0]
        while not talk.channel.congested:
            talk.channel.send(b"x" * 50_000)
            await asyncio.sleep(0)
        talk.channel.pause_reading()
        talk.channel.close()
        async with asyncio.timeout(PATIENCE):
            while data := await loop.sock_recv(client, 65_536):
                memory.decrypt(data)
        client.close()
        await until(lambda: talk.losses == 1)
        assert talk.resumptions == 0


@on_both_loops
async def test_there_is_no_conversation_with_who_gets_no_place() -> None:
    async with open_port(limits=ConnectionLimits(max_per_address=1)) as port:
        first, refused = await port.connect_plain(), await port.connect_plain()
        assert await refused.rest() == b""
        assert (port.listener.counts.refused, port.talks) == (1, [])
        await port.listener.close(0)  # the first has said nothing, so there is nobody to say goodbye to
        assert await first.rest() == b""
        for each in (first, refused):
            await each.end()


@on_both_loops
async def test_the_oldest_stranger_makes_room() -> None:
    async with open_port(limits=ConnectionLimits(max_unidentified=1)) as port:
        oldest = await port.connect_plain()
        newest = await port.connect()
        assert await oldest.rest() == b""
        assert port.listener.counts.displaced == 1
        assert await newest.exchange(b"x") == b"x"
        for each in (oldest, newest):
            await each.end()


@on_both_loops
async def test_what_tls_answers_by_itself_is_sent() -> None:
    """A client that wants to renegotiate gets a warning at once, not with the next answer of the conversation."""
    wishes = SSL.Context(SSL.TLS_CLIENT_METHOD)
    wishes.set_max_proto_version(SSL.TLS1_2_VERSION)
    memory = SSL.Connection(wishes)
    memory.set_connect_state()
    talks: list[Talk] = []

    def begin(channel: Channel) -> Conversation:
        talks.append(Talk(channel, echo=False))
        return talks[-1]

    async with open_port(make=begin) as port:
        client = await port.connect_plain()
        await shake_hands(memory, client)
        memory.send(b"x")
        client.writer.write(memory.bio_read(65_536))
        await until(lambda: talks[0].heard == b"x")
        memory.renegotiate()
        with pytest.raises(SSL.Error, match="no renegotiation"):
            await shake_hands(memory, client)
        await client.end()


async def shake_hands(memory: SSL.Connection, client: Stream) -> None:
    """Go through a handshake. Raises what the server's answer makes of it."""
    while True:
        try:
            return memory.do_handshake()
        except SSL.WantReadError:
            with suppress(SSL.WantReadError):
                client.writer.write(memory.bio_read(65_536))
            async with asyncio.timeout(PATIENCE):
                memory.bio_write(await client.reader.read(65_536))
