"""Uploads into an account that is not the hub's own: azurite, the vendor's emulator, in a process of its own."""

import shutil
import socket
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from azure.storage.blob import BlobClient, BlobServiceClient
from tests.e2e.conftest import StartHub
from tests.e2e.files import ask, begin_upload, notifications
from tests.e2e.node_process import SCRIPTS
from tests.e2e.python_client import PATIENCE, new_id

KEY: Final = b64encode(b"k" * 64).decode()
NAME: Final = "plant"


def free_port() -> int:
    """A port of 127.0.0.1 where nobody listens just now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


class Emulator:
    """An account on a loopback address."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}/{NAME}"
        self.connection_string = f"AccountName={NAME};AccountKey={KEY};BlobEndpoint={self.endpoint};"
        node = shutil.which("node")
        assert node is not None
        command = [
            node,
            str(SCRIPTS / "node_modules/azurite/dist/src/blob/main.js"),
            "--silent",
            "--skipApiVersionCheck",
        ]
        where = ["--blobHost", "127.0.0.1", "--blobPort", str(self.port), "--location", str(directory)]
        environment = {"AZURITE_ACCOUNTS": f"{NAME}:{KEY}", "PATH": str(Path(node).parent)}
        self.process = subprocess.Popen([*command, *where], stdout=subprocess.PIPE, text=True, env=environment)

    def wait(self) -> None:
        """Until it listens."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if "successfully listen" in line.lower():
                return
        raise AssertionError("the emulator ended")

    def service(self) -> BlobServiceClient:
        """The account, as its owner sees it."""
        return BlobServiceClient.from_connection_string(self.connection_string)


@pytest.fixture(scope="module")
def emulator(_node_sdks: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """The account, with the container that uploads go into."""
    made = Emulator(tmp_path_factory.mktemp("azurite"))
    try:
        made.wait()
        with made.service() as service:
            service.create_container("uploads")
        yield made
    finally:
        made.process.terminate()
        made.process.wait(PATIENCE)
        assert made.process.stdout is not None
        made.process.stdout.close()


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
