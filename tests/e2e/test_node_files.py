"""Microsoft's unmodified Node device SDK and @azure/storage-blob against the hub's own blob store."""

import hashlib
from collections.abc import Iterator

import pytest
from tests.covers import covers
from tests.e2e.files import begin_upload, container_url, notifications, url_of
from tests.e2e.node_process import NodeError, NodeProcess
from tests.e2e.python_client import new_id
from tests.fakes.running_hub import RunningHub

MEBIBYTE = 1 << 20


@pytest.fixture(scope="module")
def storage(_node_sdks: None, hub: RunningHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A Node process with the storage SDK that trusts the shared hub."""
    log = tmp_path_factory.mktemp("node") / "blobs.log"
    process = NodeProcess("blobs.js", log, NODE_EXTRA_CA_CERTS=str(hub.ca_path))
    yield process
    process.close()


@pytest.fixture(scope="module")
def devices(_node_sdks: None, hub: RunningHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A Node process with the device SDK; its uploads trust what the process trusts."""
    log = tmp_path_factory.mktemp("node") / "devices.log"
    process = NodeProcess("device.js", log, NODE_EXTRA_CA_CERTS=str(hub.ca_path))
    yield process
    process.close()


def content(seed: str, size: int) -> bytes:
    """What the script makes of a seed."""
    block = hashlib.sha512(seed.encode()).digest()
    return (block * (size // len(block) + 1))[:size]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@covers("node:DeviceClient.uploadToBlob")
@pytest.mark.parametrize("size", [17, 9 * MEBIBYTE])
def test_a_device_over_mqtt_uploads_a_file(hub: RunningHub, devices: NodeProcess, size: int) -> None:
    device, handle = hub.create_device(new_id("press")), new_id("client")
    options = {"ca": hub.ca_pem}
    text = device.connection_string
    devices.ask("open", handle=handle, connectionString=text, transport="mqtt", module=False, options=options)
    try:
        devices.ask("upload", handle=handle, name="log/day.bin", size=size)
    finally:
        devices.ask("close", handle=handle)
    (notice,) = notifications(hub, device)
    assert (notice["blob"], notice["size"]) == (f"{device.device_id}/log/day.bin", size)


@covers("node:DeviceClient.getBlobSharedAccessSignature", "node:DeviceClient.notifyBlobUploadStatus")
def test_a_device_uploads_by_itself_and_tells_of_it(
    hub: RunningHub, devices: NodeProcess, storage: NodeProcess
) -> None:
    device, handle = hub.create_device(new_id("press")), new_id("client")
    text, options = device.connection_string, {"ca": hub.ca_pem}
    devices.ask("open", handle=handle, connectionString=text, transport="mqtt", module=False, options=options)
    try:
        told = devices.ask("beginUpload", handle=handle, name="a.bin")
        storage.ask("put", url=url_of(told), seed="noise", size=100)
        devices.ask("endUpload", handle=handle, correlationId=told["correlationId"], success=True, status=200)
    finally:
        devices.ask("close", handle=handle)
    assert [each["size"] for each in notifications(hub, device)] == [100]


@pytest.mark.parametrize("action", ["put", "putInBlocks"])
def test_what_was_uploaded_is_downloaded_whole_and_in_part(hub: RunningHub, storage: NodeProcess, action: str) -> None:
    size = 9 * MEBIBYTE + 5
    url = url_of(begin_upload(hub, hub.create_device(new_id("press")), "day.bin"))
    given = {} if action == "put" else {"block": 4 * MEBIBYTE}
    storage.ask(action, url=url, seed="noise", size=size, **given)
    wanted = content("noise", size)
    assert storage.ask("digest", url=url) == {"size": size, "digest": digest(wanted)}
    part = wanted[4 * MEBIBYTE - 3 : 4 * MEBIBYTE + 4]
    assert storage.ask("digest", url=url, offset=4 * MEBIBYTE - 3, count=7) == {"size": 7, "digest": digest(part)}
    shown = storage.ask("properties", url=url)
    assert (shown["contentLength"], shown["blobType"]) == (size, "BlockBlob")


def test_blocks_are_put_together_as_the_list_says(hub: RunningHub, storage: NodeProcess) -> None:
    url = url_of(begin_upload(hub, hub.create_device(new_id("press")), "parts"))
    assert storage.ask("stage", url=url, ids=["one", "two"], commit=["two", "one"]) == ["two", "one"]
    assert storage.ask("digest", url=url)["digest"] == digest(b"twoone")


def test_a_container_is_listed_and_emptied(hub: RunningHub, storage: NodeProcess) -> None:
    url = container_url(hub, new_id("box"), "rwdl")
    names = ["a", "b/1", "b/2", "c"]
    for name in names:
        storage.ask("upload", url=url, name=name, text=name)
    assert storage.ask("list", url=url, prefix="", page=2) == names
    assert storage.ask("list", url=url, prefix="b/", page=2) == ["b/1", "b/2"]
    storage.ask("remove", url=url, name="b/1")
    assert storage.ask("list", url=url, prefix="", page=10) == ["a", "b/2", "c"]


def test_what_a_link_does_not_allow_is_refused(hub: RunningHub, storage: NodeProcess) -> None:
    box = new_id("box")
    with pytest.raises(NodeError, match="not allowed"):
        storage.ask("upload", url=container_url(hub, box, "rl"), name="a", text="a")
    storage.ask("upload", url=container_url(hub, box, "w"), name="a", text="a")
    with pytest.raises(NodeError, match="not allowed"):
        storage.ask("list", url=container_url(hub, box, "rw"), prefix="", page=10)
