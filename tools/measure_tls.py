"""Measure the device listener with each TLS engine on this machine: `PYTHONPATH=src:. python tools/measure_tls.py`.

The clients are a process of their own: in the server's, their handshakes would warm caches of a shared OpenSSL, and the
engine on the `ssl` module then looks twice as fast as it is. CPU is the server's, user and system.
"""

import argparse
import asyncio
import gc
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvloop
from tests.fakes.pki import SERVER_AUTH, make_authority, self_signed
from tests.fakes.tls_client import client_context

from ironhub.heads.limits import ConnectionLimits
from ironhub.heads.listener import Channel, Listener, ListenerSettings
from ironhub.wire.tls import ServerIdentity, TlsSettings, make_context

ECHOES = 20_000
CONNECTIONS = 2_000
VERSIONS = {"TLSv1.3": ssl.TLSVersion.TLSv1_3, "TLSv1.2": ssl.TLSVersion.TLSv1_2}


class Echo:
    """Sends back what it hears."""

    __slots__ = ("_channel",)

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        channel.identified()

    def receive(self, data: bytes) -> None:
        """Send it back."""
        self._channel.send(data)

    def lost(self) -> None:
        """Nothing to do."""

    def resumed(self) -> None:
        """Nothing to do."""


class PlainEcho(asyncio.Protocol):
    """The same without TLS and without a listener of ours: what the kernel and the event loop cost."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Send it back."""
        self._transport.write(data)  # type: ignore[attr-defined]  # a TCP transport has it


def be_a_client(version: str, port: int, doing: str) -> None:
    """Do one thing as fast as the server lets us; tell when it is done; go when told."""
    context = None if version == "plain" else client_context(self_signed("press-7"), VERSIONS[version])
    peers = [open_peer(context, port) for _ in range(CONNECTIONS if doing == "connect" else 1)]
    print("ready", flush=True)
    sys.stdin.readline()
    if doing == "echo":
        for _ in range(ECHOES):
            exchange(peers[0], b"x" * 100)
        print("done", flush=True)
        sys.stdin.readline()


def open_peer(context: ssl.SSLContext | None, port: int) -> socket.socket:
    """Return a connection over which one byte went both ways."""
    peer = socket.create_connection(("127.0.0.1", port))
    if context is not None:
        peer = context.wrap_socket(peer, server_hostname="localhost")
    exchange(peer, b"x")
    return peer


def exchange(peer: socket.socket, data: bytes) -> None:
    """Send and read as much back."""
    peer.sendall(data)
    missing = len(data)
    while missing:
        missing -= len(peer.recv(missing))


@contextmanager
def clients(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process that runs `be_a_client`."""
    command = [sys.executable, __file__, "--client", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        tell(process)


def tell(process: subprocess.Popen[str]) -> None:
    """Let the clients go on."""
    if process.stdin is not None:
        process.stdin.write("\n")
        process.stdin.flush()


async def hear(process: subprocess.Popen[str]) -> None:
    """Wait until the clients say something, and serve them meanwhile."""
    if process.stdout is not None:
        await asyncio.to_thread(process.stdout.readline)


def resident() -> int:
    """Return this process's resident bytes."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


async def measure(port: int, version: str) -> str:
    """Return CPU per echo, CPU per connection and memory per idle connection."""
    with clients(version, str(port), "echo") as process:
        await hear(process)
        begun = time.process_time()
        tell(process)
        await hear(process)
        echo = (time.process_time() - begun) / ECHOES * 1e6
    pages, begun = resident(), time.process_time()
    with clients(version, str(port), "connect") as process:
        await hear(process)
        connect = (time.process_time() - begun) / CONNECTIONS * 1e6
        idle = (resident() - pages) / CONNECTIONS / 1024
    return f"{echo:7.1f} us {connect:9.0f} us {idle:8.1f} KiB"


async def serve(engine: str, version: str) -> None:
    """Measure one line of the table."""
    if engine == "plain":
        server = await asyncio.get_running_loop().create_server(PlainEcho, "127.0.0.1", 0)
        figures = await measure(server.sockets[0].getsockname()[1], "plain")
        server.close()
    else:
        hub = make_authority("measured").issue("localhost", names=["localhost"], usages=[SERVER_AUTH])
        context = make_context([ServerIdentity(hub.chain_pem, hub.key_pem)], TlsSettings(engine=engine))
        limits = ConnectionLimits(max_connections=CONNECTIONS + 10, max_unidentified=CONNECTIONS)
        listener = Listener(context, Echo, limits, ListenerSettings())
        figures = await measure(await listener.start(["127.0.0.1"], 0), version)
        await listener.close(1.0)
    print(f"{engine:8} {version:8} {figures}", flush=True)


def main() -> None:
    """Print the table; each line is measured in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--client", nargs=3)
    parser.add_argument("--line", nargs=2)
    chosen = parser.parse_args()
    if chosen.client:
        be_a_client(chosen.client[0], int(chosen.client[1]), chosen.client[2])
    elif chosen.line:
        uvloop.run(serve(*chosen.line))
    else:
        print(f"{'engine':8} {'version':8} {'echo':>10} {'connection':>12} {'idle':>12}", flush=True)
        for line in [("plain", "-"), *((engine, version) for engine in ("ssl", "openssl") for version in VERSIONS)]:
            subprocess.run([sys.executable, __file__, "--line", *line], check=True)


if __name__ == "__main__":
    main()
