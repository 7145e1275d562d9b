"""Uploads into an account that is not the hub's own: azurite, the vendor's emulator, in a process of its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import BlobClient
from tests.e2e.conftest import StartHub
from tests.e2e.files import ask, begin_upload, notifications
from tests.e2e.python_client import new_id
from tests.e2e.storage_emulator import KEY, NAME, Emulator, emulated, free_port


@pytest.fixture(scope="module")
def emulator(_node_sdks: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """The account, with the container that uploads go into."""
    with emulated(tmp_path_factory.mktemp("azurite"), "uploads") as made:
        yield made


def test_a_device_writes_there_and_back_ends_hear_what_came(
    emulator: Emulator, start_hub: StartHub, tmp_path: Path
) -> None:
    account = tmp_path / "account"
    account.write_text(emulator.connection_string)
    hub = start_hub(IRONHUB_UPLOAD_ACCOUNT=str(account))
    device = hub.create_device(new_id("press"))
    told = begin_upload(hub, device, "log/a b.txt")
    assert (told["hostName"], told["containerName"]) == (f"127.0.0.1:{emulator.port}/{NAME}", "uploads")
    outcome: dict[str, Any] = {"correlationId": told["correlationId"], "isSuccess": True, "statusCode": 200}
    refused = ask(hub, device, "files/notifications", outcome)
    assert refused.headers["iothub-errorcode"] == "InvalidStorageEndpointOrBlob"
    with BlobClient(emulator.endpoint, "uploads", told["blobName"], credential=told["sasToken"]) as blob:
        blob.upload_blob(b"12345")
    assert ask(hub, device, "files/notifications", outcome).status_code == 204
    assert [each["size"] for each in notifications(hub, device)] == [5]
    with emulator.service() as service, service.get_blob_client("uploads", told["blobName"]) as blob:
        assert blob.download_blob().readall() == b"12345"


def test_an_account_that_is_away_is_said_and_the_device_may_try_again(start_hub: StartHub, tmp_path: Path) -> None:
    account = tmp_path / "account"
    account.write_text(f"AccountName={NAME};AccountKey={KEY};BlobEndpoint=http://127.0.0.1:{free_port()}/{NAME}")
    hub = start_hub(IRONHUB_UPLOAD_ACCOUNT=str(account))
    device = hub.create_device(new_id("press"))
    told = begin_upload(hub, device, "a")
    outcome = {"correlationId": told["correlationId"], "isSuccess": True, "statusCode": 200}
    for _ in range(2):
        assert ask(hub, device, "files/notifications", outcome).status_code == 503
