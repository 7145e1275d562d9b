"""Microsoft's unmodified azure-storage-blob and azure-iot-device for Python against the hub's own blob store."""

from collections.abc import Iterator
from typing import Any, Final

import psutil
import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobBlock, BlobClient, BlobServiceClient, ContainerClient, ContentSettings
from tests.covers import covers
from tests.e2e.files import ask, begin_upload, container_url, noise, notifications, url_of
from tests.e2e.python_client import MQTT, Kind, new_id
from tests.fakes.running_hub import Registered, RunningHub

MEBIBYTE: Final = 1 << 20
LARGE: Final = 100 * MEBIBYTE
ALLOWED_GROWTH: Final = 48 * MEBIBYTE
"""Bytes the hub may need more while a hundred million go through it; far below what it would need to hold them."""


@pytest.fixture
def device(hub: RunningHub) -> Registered:
    """A device of this test's own."""
    return hub.create_device(new_id("press"))


def blob_client(hub: RunningHub, url: str, **options: Any) -> BlobClient:
    """The vendor's client, made of an address as its samples do."""
    client: BlobClient = BlobClient.from_blob_url(url, connection_verify=str(hub.ca_path), **options)
    return client


@pytest.fixture
def container(hub: RunningHub) -> Iterator[ContainerClient]:
    """A container of this test's own, with all rights."""
    url = container_url(hub, new_id("box"), "rwdl")
    with ContainerClient.from_container_url(url, connection_verify=str(hub.ca_path)) as client:
        yield client


@covers("py:IoTHubDeviceClient.get_storage_info_for_blob", "py:IoTHubDeviceClient.notify_blob_upload_status")
@pytest.mark.parametrize("kind", [MQTT, Kind(aio=True)], ids=str)
def test_a_device_uploads_and_back_ends_hear_what_is_stored(hub: RunningHub, device: Registered, kind: Kind) -> None:
    content = noise(3 * MEBIBYTE)
    with kind.device(hub, device.connection_string) as client:
        client.connect()
        told = client.run(client.raw.get_storage_info_for_blob("log/of day.bin"))
        assert set(told) == {"correlationId", "hostName", "containerName", "blobName", "sasToken"}
        with blob_client(hub, url_of(told)) as blob:
            blob.upload_blob(content, overwrite=True)
            assert blob.download_blob().readall() == content
        client.run(client.raw.notify_blob_upload_status(told["correlationId"], True, 200, "it came"))
    (notice,) = notifications(hub, device)
    assert (notice["blob"], notice["size"]) == (f"{device.device_id}/log/of day.bin", len(content))
    assert notice["uri"] == f"https://{hub.address}/uploads/{device.device_id}/log/of day.bin"


def test_a_success_without_a_blob_is_refused_and_may_be_told_later(hub: RunningHub, device: Registered) -> None:
    told = begin_upload(hub, device, "a.txt")
    outcome = {"correlationId": told["correlationId"], "isSuccess": True, "statusCode": 200}
    refused = ask(hub, device, "files/notifications", outcome)
    assert (refused.status_code, refused.headers["iothub-errorcode"]) == (400, "InvalidStorageEndpointOrBlob")
    with blob_client(hub, url_of(told)) as blob:
        blob.upload_blob(b"late")
    assert ask(hub, device, "files/notifications/", outcome).status_code == 204
    again = ask(hub, device, "files/notifications", outcome)
    assert again.headers["iothub-errorcode"] == "InvalidFileUploadCorrelationId"
    assert [each["size"] for each in notifications(hub, device)] == [4]


def test_ten_uploads_may_be_open_and_the_next_is_refused(hub: RunningHub, device: Registered) -> None:
    begun = [begin_upload(hub, device, f"file-{number}") for number in range(10)]
    refused = ask(hub, device, "files", {"blobName": "one-more"})
    assert refused.status_code == 403
    assert refused.headers["iothub-errorcode"] == "DeviceMaximumActiveFileUploadLimitExceeded"
    over = {"isSuccess": False, "statusCode": 500, "statusDescription": "gave up"}
    assert ask(hub, device, f"files/notifications/{begun[0]['correlationId']}", over).status_code == 204
    begin_upload(hub, device, "one-more")
    assert notifications(hub, device) == []


def test_a_hundred_million_bytes_go_through_in_bounded_memory(hub: RunningHub, device: Registered) -> None:
    content, process = noise(LARGE), psutil.Process(hub.pid)
    url = url_of(begin_upload(hub, device, "large"))
    before = process.memory_info().rss
    with blob_client(hub, url, max_single_put_size=2 * LARGE) as blob:
        blob.upload_blob(content, overwrite=True)
        assert process.memory_info().rss - before < ALLOWED_GROWTH
        assert blob.download_blob(max_concurrency=2).readall() == content
        assert process.memory_info().rss - before < ALLOWED_GROWTH


def test_staged_blocks_become_a_blob(hub: RunningHub, device: Registered) -> None:
    content = noise(10 * MEBIBYTE + 17)
    url = url_of(begin_upload(hub, device, "blocks"))
    with blob_client(hub, url, max_single_put_size=MEBIBYTE, max_block_size=MEBIBYTE) as blob:
        blob.upload_blob(content, overwrite=True, max_concurrency=3)
        committed, waiting = blob.get_block_list("all")
        assert ([block.size for block in committed], waiting) == ([MEBIBYTE] * 10 + [17], [])
        assert blob.download_blob(offset=MEBIBYTE - 5, length=10).readall() == content[MEBIBYTE - 5 : MEBIBYTE + 5]
        assert blob.download_blob(offset=10 * MEBIBYTE).readall() == content[10 * MEBIBYTE :]
        assert blob.download_blob(max_concurrency=3).readall() == content
        with pytest.raises(HttpResponseError) as caught:
            blob.download_blob(offset=len(content))
        assert caught.value.status_code == 416


def test_blocks_one_by_one_in_an_order_of_their_own(container: ContainerClient) -> None:
    blob = container.get_blob_client("parts")
    for name in ("one", "two", "three"):
        blob.stage_block(name, name.encode())
    committed, waiting = blob.get_block_list("all")
    assert (committed, len(waiting)) == ([], 3)
    assert not blob.exists()
    with pytest.raises(HttpResponseError, match="InvalidBlockList"):
        blob.commit_block_list([BlobBlock("one"), BlobBlock("four")])
    blob.commit_block_list([BlobBlock("three"), BlobBlock("one"), BlobBlock("three")])
    assert blob.download_blob().readall() == b"threeonethree"


def test_properties_metadata_and_conditions(container: ContainerClient) -> None:
    blob = container.get_blob_client("a b/\u00fc?#%.txt")
    settings = ContentSettings(content_type="text/plain", cache_control="no-store", content_language="de")
    made = blob.upload_blob(b"first", metadata={"Line": "7"}, content_settings=settings, validate_content=True)
    with pytest.raises(ResourceExistsError):
        blob.upload_blob(b"second")
    shown = blob.get_blob_properties()
    assert (shown.size, shown.etag, shown.metadata) == (5, made["etag"], {"line": "7"})
    assert (shown.content_settings.content_type, shown.content_settings.cache_control) == ("text/plain", "no-store")
    changed = blob.upload_blob(b"second", overwrite=True, etag=made["etag"], match_condition=_if_same())
    with pytest.raises(HttpResponseError) as caught:
        blob.upload_blob(b"third", overwrite=True, etag=made["etag"], match_condition=_if_same())
    assert caught.value.status_code == 412
    assert blob.get_blob_properties().etag == changed["etag"]
    assert blob.get_blob_properties().creation_time == shown.creation_time


def test_an_empty_blob(container: ContainerClient) -> None:
    blob = container.upload_blob("empty", b"")
    assert blob.download_blob().readall() == b""
    assert blob.get_blob_properties().size == 0


def test_a_container_is_listed_in_pages_and_by_folders(container: ContainerClient) -> None:
    names = ["a", "b/1", "b/2", "b/c/3", "d <&>"]
    for name in names:
        container.upload_blob(name, name.encode())
    assert container.exists()
    assert [blob.name for blob in container.list_blobs(results_per_page=2)] == names
    assert [blob.size for blob in container.list_blobs(name_starts_with="b/")] == [3, 3, 5]
    assert sorted(each.name for each in container.walk_blobs()) == ["a", "b/", "d <&>"]
    assert [each.name for each in container.walk_blobs("b/", results_per_page=1)] == ["b/1", "b/2", "b/c/"]
    container.delete_blob("a")
    with pytest.raises(ResourceNotFoundError):
        container.delete_blob("a")
    assert not container.get_blob_client("a").exists()


def test_clients_of_an_emulator_find_the_same_blobs(hub: RunningHub, container: ContainerClient) -> None:
    """`/account/container/blob`: what from_blob_url needs of a blob that lies directly in its container."""
    container.upload_blob("devices.txt", b"{}")
    sas = container_url(hub, container.container_name, "r").partition("?")[2]
    account = hub.call("POST", "/files/containers/any-box/link", json={})["account"]
    url = f"https://{hub.address}/{account}/{container.container_name}/devices.txt?{sas}"
    with blob_client(hub, url) as blob:
        assert blob.download_blob().readall() == b"{}"
    service = BlobServiceClient(f"https://{hub.address}/{account}", credential=sas, connection_verify=str(hub.ca_path))
    with service, service.get_blob_client(container.container_name, "devices.txt") as blob:
        assert blob.download_blob().readall() == b"{}"


def _if_same() -> Any:
    from azure.core import MatchConditions

    return MatchConditions.IfNotModified
