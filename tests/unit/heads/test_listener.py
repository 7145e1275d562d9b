"""One device port: real sockets on loopback, both event loops that may run a hub."""

import asyncio
import gc
import resource
import socket
import ssl
from collections.abc import Iterator

import pytest
from tests.fakes.loops import on_both_loops, on_the_hubs_loop
from tests.fakes.pki import make_authority
from tests.fakes.ports import SHORT, Stream, Talk, open_port, tls, until
from tests.fakes.tls_client import TLS1_2, TLS1_3, client_context, server_identity

from ironhub.heads.limits import ConnectionLimits
from ironhub.heads.listener import Channel, Conversation, Listener, ListenerSettings, PortTaken


@pytest.fixture(autouse=True)
def _nothing_leaks() -> Iterator[None]:
    """A transport or socket that nobody closed warns when it is collected; warnings are errors here."""
    yield
    gc.collect()


@pytest.mark.parametrize("version", [TLS1_2, TLS1_3])
@on_both_loops
async def test_a_device_is_heard_and_answered(version: ssl.TLSVersion) -> None:
    certificate = make_authority("intermediate", parent=make_authority("root")).issue("press-7")
    async with open_port() as port:
        client = await port.connect(client_context(certificate, version))
        assert await client.exchange(b"hello") == b"hello"
        assert await client.exchange(b"long" * 50_000) == b"long" * 50_000
        talk = port.talks[0]
        assert talk.channel.peer_address == "127.0.0.1"
        assert (talk.chain, talk.name) == (certificate.chain_der, "localhost")
        assert port.listener.counts.handshakes == port.listener.connections == 1
        await client.end()
        await until(lambda: talk.losses == 1)
        assert talk.heard == b"hello" + b"long" * 50_000


@on_both_loops
async def test_a_thousand_silent_strangers_are_gone_at_the_deadline() -> None:
    async with open_port(handshake_timeout=1.0) as port:
        strangers = [socket.create_connection(("127.0.0.1", port.number)) for _ in range(200)]
        for _ in range(4):
            await asyncio.sleep(0)
            strangers += [socket.create_connection(("127.0.0.1", port.number)) for _ in range(200)]
        await until(lambda: port.listener.counts.timed_out == 1000)
        await until(lambda: port.listener.connections == 0)
        for stranger in strangers:
            stranger.close()


@on_both_loops
async def test_a_flood_of_silent_strangers_does_not_lock_a_device_out() -> None:
    limits = ConnectionLimits(max_unidentified=5)
    async with open_port(limits=limits) as port:
        strangers = [await port.connect_plain() for _ in range(20)]
        client = await port.connect()
        assert await client.exchange(b"CONNECT") == b"CONNECT"
        port.talks[0].channel.identified()
        strangers += [await port.connect_plain() for _ in range(20)]
        await until(lambda: port.listener.counts.accepted == 41)
        await until(lambda: port.listener.connections <= 6)
        assert port.listener.counts.displaced >= 30
        assert await client.exchange(b"still here") == b"still here"
        for each in [*strangers, client]:
            await each.end()


@on_both_loops
async def test_a_full_port_refuses_newcomers_and_takes_them_again_later() -> None:
    async with open_port(limits=ConnectionLimits(max_connections=1)) as port:
        client = await port.connect()
        await client.exchange(b"CONNECT")
        port.talks[0].channel.identified()
        refused = await port.connect_plain()
        assert await refused.rest() == b""
        assert port.listener.counts.refused == 1
        await refused.end()
        await client.end()
        await until(lambda: port.listener.connections == 0)
        again = await port.connect()
        assert await again.exchange(b"CONNECT") == b"CONNECT"
        await again.end()


@on_both_loops
async def test_new_connections_get_the_new_certificate_and_old_ones_live_on() -> None:
    async with open_port() as port:
        old = await port.connect()
        assert await old.exchange(b"before") == b"before"
        port.listener.replace_context(tls("renewed.example"))
        new = await port.connect()
        shown = new.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        assert ssl.DER_cert_to_PEM_cert(shown).encode() in server_identity("renewed.example").chain_pem
        assert await old.exchange(b"after") == b"after"
        assert await new.exchange(b"new") == b"new"
        await old.end()
        await new.end()


@on_both_loops
async def test_closing_ends_everybody_and_lets_the_polite_finish() -> None:
    async with open_port() as port:
        clients = [await port.connect() for _ in range(5)]
        silent = [await port.connect_plain() for _ in range(5)]
        for client in clients:
            await client.exchange(b"x")
        await until(lambda: port.listener.connections == 10)
        waiting = [asyncio.ensure_future(client.rest()) for client in clients]
        await port.listener.close(SHORT)
        assert port.listener.connections == 0
        assert await asyncio.gather(*waiting) == [b""] * 5
        assert all(talk.losses == 1 for talk in port.talks)
        with pytest.raises(OSError, match=r"(?i)connect"):
            await port.connect_plain()
        for each in [*clients, *silent]:
            await each.end()


@on_both_loops
async def test_open_connections_live_on_after_the_port_is_closed() -> None:
    async with open_port() as port:
        client = await port.connect()
        await client.exchange(b"x")
        port.listener.stop_accepting()
        assert await client.exchange(b"still here") == b"still here"
        with pytest.raises(OSError, match=r"(?i)connect"):
            await port.connect_plain()
        await client.end()


@on_both_loops
async def test_a_port_in_use_is_refused_clearly() -> None:
    async with open_port() as port:
        second = Listener(tls(), Talk, ConnectionLimits(), ListenerSettings())
        with pytest.raises(PortTaken, match=str(port.number)):
            await second.start(["127.0.0.1"], port.number)
        await second.close(0)


@on_both_loops
async def test_several_addresses_are_one_port() -> None:
    talks: list[Talk] = []

    def begin(channel: Channel) -> Conversation:
        talks.append(Talk(channel))
        return talks[-1]

    listener = Listener(tls(), begin, ConnectionLimits(), ListenerSettings())
    number = await listener.start(["127.0.0.1", "::1"], 0)
    for address in ("127.0.0.1", "::1"):
        reader, writer = await asyncio.open_connection(address, number, ssl=client_context(), server_hostname="x")
        assert await Stream(reader, writer).exchange(b"x") == b"x"
        await Stream(reader, writer).end()
    await until(lambda: listener.connections == 0)
    assert [talk.channel.peer_address for talk in talks] == ["127.0.0.1", "::1"]
    await listener.close(0)


@on_both_loops
async def test_no_task_is_left_behind() -> None:
    before = asyncio.all_tasks()
    async with open_port() as port:
        client = await port.connect()
        await client.exchange(b"x")
        await client.end()
    await until(lambda: asyncio.all_tasks() == before)


@on_the_hubs_loop
async def test_no_more_file_descriptors_ends_nothing_that_is_open_and_passes() -> None:
    async with open_port() as port:
        client = await port.connect()
        assert await client.exchange(b"x") == b"x"
        strangers = [socket.socket() for _ in range(40)]
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(each.fileno() for each in strangers) + 8, hard))
            for stranger in strangers:
                stranger.connect(("127.0.0.1", port.number))
            for _ in range(50):
                assert await client.exchange(b"still here") == b"still here"
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for stranger in strangers:
                stranger.close()
        again = await port.connect()
        assert await again.exchange(b"x") == b"x"
        for each in (client, again):
            await each.end()
