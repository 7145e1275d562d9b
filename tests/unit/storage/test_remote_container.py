"""Containers elsewhere: which are reached at all, and that nothing else can be reached through them."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from tests.fakes.pki import SERVER_AUTH, FakeAuthority, make_authority

from ironhub.provisioning.transfer.model import ContainerInvalid
from ironhub.storage import remote_container
from ironhub.storage.remote_container import AllowedHosts, RemoteContainers, resolve_name

HOST = "acct.blob.test"
Answer = Callable[[str, bytes], bytes]


def ok(body: bytes = b"", status: str = "200 OK", length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n".encode() + body


class Store:
    """A server that remembers what it was asked and answers as a test says."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bytes]] = []
        self.answer: Answer = lambda line, body: ok(status="201 Created")
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lengths = [line.split(":")[1] for line in head.split("\r\n") if line.lower().startswith("content-length")]
        body = await reader.readexactly(int(lengths[0])) if lengths else b""
        self.asked.append((head, body))
        writer.write(self.answer(head, body))
        await writer.drain()
        writer.close()


@pytest.fixture
async def store(tmp_path: Path, authority: FakeAuthority) -> AsyncIterator[Store]:
    certificate = authority.issue(HOST, names=[HOST], usages=[SERVER_AUTH])
    (tmp_path / "s.pem").write_bytes(certificate.chain_pem)
    (tmp_path / "s.key").write_bytes(certificate.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "s.pem", tmp_path / "s.key")
    store = Store()
    server = await asyncio.start_server(store.serve, "127.0.0.1", 0, ssl=context)
    store.port = server.sockets[0].getsockname()[1]
    async with server:
        yield store


@pytest.fixture
def authority() -> FakeAuthority:
    return make_authority("Containers")


def resolving(*addresses: str) -> Callable[[str, int], Awaitable[Sequence[str]]]:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return resolve


@pytest.fixture
def containers(store: Store, authority: FakeAuthority) -> RemoteContainers:
    trusted = ssl.create_default_context(cadata=authority.pem.decode())
    allowed = AllowedHosts([f"{HOST}:{store.port}"])
    return RemoteContainers(allowed, trusted=trusted, resolve=resolving("127.0.0.1"))


async def pieces(*given: bytes) -> AsyncIterator[bytes]:
    for piece in given:
        yield piece


def uri(store: Store) -> str:
    return f"https://{HOST}:{store.port}/box?sv=1&sig=secret"


async def test_a_blob_is_written_in_blocks_and_appears_with_their_list(
    store: Store, containers: RemoteContainers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_container, "BLOCK", 4)
    await containers.open(uri(store)).write("a b.txt", pieces(b"12", b"345", b"6789"))
    lines = [head.splitlines()[0] for head, _ in store.asked]
    assert [body for _, body in store.asked[:-1]] == [b"1234", b"5678", b"9"]
    assert lines[0].startswith("PUT /box/a%20b.txt?comp=block&blockid=MDAwMDAwMDA%3D&sv=1&sig=secret ")
    assert lines[-1].startswith("PUT /box/a%20b.txt?comp=blocklist&sv=1&sig=secret ")
    assert store.asked[-1][1].count(b"<Latest>") == 3
    assert f"Host: {HOST}:{store.port}" in store.asked[0][0]


async def test_a_blob_is_measured_and_read_from_any_byte_on(store: Store, containers: RemoteContainers) -> None:
    def answer(head: str, body: bytes) -> bytes:
        if head.startswith("HEAD"):
            return ok(length=10)
        return ok(b"456789", status="206 Partial Content") if "Range: bytes=4-" in head.title() else ok(b"0123456789")

    store.answer = lambda head, body: answer(head.replace("range: bytes", "Range: bytes"), body)
    container = containers.open(uri(store))
    assert await container.size("x") == 10
    assert b"".join([piece async for piece in container.read("x", start=0)]) == b"0123456789"
    assert [piece async for piece in container.read("x", start=10)] == []


async def test_what_a_stranger_answers_is_not_repeated(store: Store, containers: RemoteContainers) -> None:
    store.answer = lambda head, body: ok(b"inner secret", status="403 Forbidden")
    container = containers.open(uri(store))
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: container.size("x"),
        lambda: container.write("x", pieces(b"1")),
        lambda: anext(aiter(container.read("x", start=0))),
    ]
    for call in calls:
        with pytest.raises(ContainerInvalid) as refusal:
            await call()
        assert "403" in str(refusal.value)
        assert "secret" not in str(refusal.value) + refusal.value.detail


async def test_nothing_is_read_of_an_answer_that_says_it_is_endless(store: Store, containers: RemoteContainers) -> None:
    store.answer = lambda head, body: b"HTTP/1.1 201 Created\r\nContent-Length: 1000000000000\r\n\r\n" + b"x" * 10_000
    await containers.open(uri(store)).write("x", pieces(b"1"))
    assert len(store.asked) == 2


async def test_no_redirect_is_followed(store: Store, containers: RemoteContainers) -> None:
    there = f"302 Found\r\nLocation: https://{HOST}:{store.port}/elsewhere"
    store.answer = lambda head, body: ok(status=there)
    with pytest.raises(ContainerInvalid, match="302"):
        await containers.open(uri(store)).size("x")
    assert len(store.asked) == 1


async def test_a_certificate_for_another_name_is_not_taken(store: Store, authority: FakeAuthority) -> None:
    trusted = ssl.create_default_context(cadata=authority.pem.decode())
    allowed = AllowedHosts([f"other.test:{store.port}"])
    containers = RemoteContainers(allowed, trusted=trusted, resolve=resolving("127.0.0.1"))
    with pytest.raises(ContainerInvalid, match="cannot be reached"):
        await containers.open(f"https://other.test:{store.port}/box?sig=s").size("x")
    assert store.asked == []


@pytest.mark.parametrize(
    "bad",
    [
        "http://acct.blob.core.windows.net/box?sig=s",
        "https://acct.blob.core.windows.net.evil.test/box?sig=s",
        "https://blob.core.windows.net/box?sig=s",
        "https://evil.test/box?sig=s#.blob.core.windows.net",
        "https://acct.blob.core.windows.net@evil.test/box?sig=s",
        "https://acct.blob.core.windows.net:8443/box?sig=s",
        "https://acct.blob.core.windows.net/?sig=s",
        "https://acct.blob.core.windows.net/box",
        "https://127.0.0.1/box?sig=s",
        "https://[::1]/box?sig=s",
        "https://[::1/box?sig=s",
        "https://169.254.169.254/latest?sig=s",
        "https://a.blob.core.windows.net:99999/box?sig=s",
        "https://\u0430.blob.core.windows.net/box?sig=s",
        "file:///etc/passwd?sig=s",
        "",
    ],
)
def test_other_addresses_are_refused_before_anything_is_asked(bad: str) -> None:
    with pytest.raises(ContainerInvalid):
        RemoteContainers(AllowedHosts(["*.blob.core.windows.net"])).open(bad)


@pytest.mark.parametrize(
    "private",
    [
        *("127.0.0.1", "10.1.2.3", "169.254.169.254", "192.168.0.1", "224.0.0.1", "::1", "fd00::1"),
        *("::ffff:10.1.2.3", "::127.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "fe80::1%eth0"),
    ],
)
async def test_a_public_name_that_leads_into_a_private_network_is_not_dialled(private: str) -> None:
    """One private address among public ones is enough: whoever made that name meant it."""
    for addresses in ((private,), ("8.8.8.8", private), ()):
        containers = RemoteContainers(AllowedHosts(["*.blob.test"]), resolve=resolving(*addresses))
        with pytest.raises(ContainerInvalid, match="no address"):
            await containers.open(f"https://{HOST}/box?sig=s").size("x")


async def test_a_name_that_is_unknown_is_no_address() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        raise OSError

    with pytest.raises(ContainerInvalid, match="no address"):
        await RemoteContainers(AllowedHosts([HOST]), resolve=resolve).open(f"https://{HOST}/box?sig=s").size("x")


async def test_the_system_resolves_its_own_name() -> None:
    assert set(await resolve_name("localhost", 443)) & {"127.0.0.1", "::1"}


def test_a_listed_host_is_one_host_on_one_port() -> None:
    allowed = AllowedHosts(["store.plant:9000", "near.plant", "*.far.test"])
    assert allowed.allows("store.plant", 9000)
    assert not allowed.allows("store.plant", 443)
    assert allowed.is_listed("near.plant", 443)
    assert not allowed.allows("near.plant", 444)
    assert allowed.allows("a.far.test", 443)
    assert not allowed.is_listed("a.far.test", 443)
    assert not allowed.allows("far.test", 443)
