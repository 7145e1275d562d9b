"""Containers of this hub, opened by the link in their address and for what it allows."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.fakes.clock import FakeClock, FakeEntropy

from ironhub.app.containers import AzureLines, HubContainers
from ironhub.core.errors import InvalidArgument
from ironhub.core.ids import identity
from ironhub.core.sealing import Sealer
from ironhub.dialects.azure.blob_sas import encode_link
from ironhub.identity.links import BlobAccount, LinkGate
from ironhub.identity.model import SymmetricKeys
from ironhub.messaging.files.keeper import BlobKeeper
from ironhub.provisioning.transfer.model import ContainerInvalid
from ironhub.storage.blobs.contents import FileContents
from ironhub.storage.memory.stores import memory_stores
from ironhub.storage.remote_container import AllowedHosts, RemoteContainers

CLOCK, ENTROPY = FakeClock(), FakeEntropy()
ACCOUNT = BlobAccount("ironhub1", SymmetricKeys(b"p" * 64, b"s" * 64))


@pytest.fixture
async def containers(tmp_path: Path) -> HubContainers:
    """The containers of a hub that is called hub.example."""
    contents = FileContents(tmp_path / "blobs", Sealer({1: b"k" * 32}, ENTROPY))
    keeper = BlobKeeper(memory_stores(ENTROPY).blobs, contents, CLOCK, ENTROPY)
    await keeper.open()
    gate = LinkGate(ACCOUNT, CLOCK)
    return HubContainers(keeper, gate, {"hub.example"}.__contains__, RemoteContainers(AllowedHosts(["far.test"])))


def uri(rights: str, *, container: str = "box", path: str = "/box", ends: float = 60.0) -> str:
    link = encode_link(ACCOUNT, container, None, rights, expires_at=CLOCK.now() + ends)
    return f"https://hub.example:8443{path}?{link}"


async def pieces(*given: bytes) -> AsyncIterator[bytes]:
    for piece in given:
        yield piece


async def test_a_blob_is_written_measured_and_read_from_any_byte_on(containers: HubContainers) -> None:
    for path in ("/box", "/ironhub1/box"):
        box = containers.open(uri("rw", path=path))
        await box.write("devices.txt", pieces(b"one\n", b"two\n"))
        assert await box.size("devices.txt") == 8
        assert b"".join([piece async for piece in box.read("devices.txt", start=4)]) == b"two\n"
        assert [piece async for piece in box.read("devices.txt", start=8)] == []


async def test_a_link_opens_what_it_allows_and_nothing_else(containers: HubContainers) -> None:
    reader, writer = containers.open(uri("r")), containers.open(uri("w"))
    with pytest.raises(ContainerInvalid):
        await reader.write("x", pieces(b"1"))
    await writer.write("x", pieces(b"1"))
    with pytest.raises(ContainerInvalid):
        await writer.size("x")
    with pytest.raises(ContainerInvalid):
        await reader.size("nothing")
    with pytest.raises(ContainerInvalid):
        await writer.write("a/../b", pieces(b"1"))
    with pytest.raises(ContainerInvalid):
        await anext(aiter(reader.read("nothing", start=0)))


@pytest.mark.parametrize(
    "bad",
    [
        uri("r", container="other"),
        uri("r", ends=-1.0),
        uri("r").replace("sig=", "sig=A"),
        uri("r", path="/box/more/still"),
        uri("r", path="/"),
        uri("r").replace("https", "http"),
        "https://hub.example/box",
        "https://[hub.example/box",
        "https://elsewhere.test/box?sig=s",
    ],
)
def test_other_addresses_are_refused(containers: HubContainers, bad: str) -> None:
    with pytest.raises(ContainerInvalid):
        containers.open(bad)


def test_other_hosts_are_reached_if_they_are_allowed(containers: HubContainers) -> None:
    assert containers.open("https://far.test/box?sig=s") is not None


def test_lines_are_the_vendors() -> None:
    lines = AzureLines()
    row = lines.decode(b'{"id":"a"}')
    assert row.identity == identity("a")
    assert b'"id":"a"' in lines.encode_error(row, 1, InvalidArgument("no"))
    assert b'"id":""' in lines.encode_error(None, 1, InvalidArgument("no"))
