"""Measure the TLS engines on this machine: `python tools/measure_tls.py`. One core, no sockets, a client in memory."""

import argparse
import gc
import ssl
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from tests.fakes.pki import SERVER_AUTH, make_authority, self_signed

from ironhub.wire.tls import Context, Engine, ServerIdentity, TlsSettings, make_context


class Client:
    """A device in memory, with a self-signed P-256 certificate."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname="localhost")

    def step(self, data: bytes) -> bytes:
        """Go on with the handshake."""
        self._incoming.write(data)
        with suppress(ssl.SSLWantReadError):
            self._tls.do_handshake()
        return self._outgoing.read()

    def encrypt(self, data: bytes) -> bytes:
        """Return one record."""
        self._tls.write(data)
        return self._outgoing.read()


def client_context(version: ssl.TLSVersion) -> ssl.SSLContext:
    """Return a client that shows a certificate and trusts anybody."""
    device = self_signed("press-7")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "device.pem").write_bytes(device.pem + device.key_pem)
        context.load_cert_chain(Path(folder) / "device.pem")
    return context


def server_context(engine: str) -> Context:
    """Return the engine's context with a P-256 certificate."""
    server = make_authority("measured").issue("localhost", names=["localhost"], usages=[SERVER_AUTH])
    return make_context([ServerIdentity(server.chain_pem, server.key_pem)], TlsSettings(engine=engine))


def shake_hands(server: Context, client: ssl.SSLContext) -> tuple[Engine, Client, float]:
    """Return both ends and the seconds of CPU the server took."""
    peer, spent = Client(client), 0.0
    begun = time.process_time()
    engine = server.new_engine()
    spent += time.process_time() - begun
    flight = peer.step(b"")
    while flight:
        begun = time.process_time()
        engine.receive(flight)
        answer = engine.to_send()
        spent += time.process_time() - begun
        flight = peer.step(answer)
    return engine, peer, spent


def echo_cost(engine: Engine, peer: Client, count: int) -> float:
    """Return microseconds of CPU for one record of 100 bytes in and out."""
    records = [peer.encrypt(b"x" * 100) for _ in range(count)]
    begun = time.process_time()
    for record in records:
        engine.send(engine.receive(record))
        engine.to_send()
    return (time.process_time() - begun) / count * 1e6


def resident() -> int:
    """Return this process's resident bytes."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def idle_cost(server: Context, client: ssl.SSLContext, count: int) -> float:
    """Return resident KiB per engine that has handled one message."""
    kept: list[Engine] = []
    for number in range(200 + count):
        if number == 200:  # what the process takes once is there by then
            kept.clear()
            before = resident()
        engine, peer, _ = shake_hands(server, client)
        echo_cost(engine, peer, 1)
        kept.append(engine)
    return (resident() - before) / count / 1024


def measure(name: str, version: ssl.TLSVersion) -> str:
    """Return one line of the table."""
    server, client = server_context(name), client_context(version)
    idle = idle_cost(server, client, 3000)
    handshake = sum(shake_hands(server, client)[2] for _ in range(500)) / 500 * 1e6
    engine, peer, _ = shake_hands(server, client)
    echo = min(echo_cost(engine, peer, 10_000) for _ in range(3))
    return f"{name:8} {version.name:8} {handshake:9.0f} us {echo:7.2f} us {idle:8.1f} KiB"


def main() -> None:
    """Print the table; each line is measured in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine")
    parser.add_argument("--version")
    chosen = parser.parse_args()
    if chosen.engine:
        print(measure(chosen.engine, ssl.TLSVersion[chosen.version]))
        return
    print(f"{'engine':8} {'version':8} {'handshake':>12} {'echo':>10} {'idle':>12}")
    for engine in ("ssl", "openssl"):
        for version in ("TLSv1_3", "TLSv1_2"):
            subprocess.run([sys.executable, __file__, "--engine", engine, "--version", version], check=True)


if __name__ == "__main__":
    main()
