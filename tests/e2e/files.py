"""What the tests of uploads share: where a device may write, and what back ends hear of it."""

import os
import ssl
from typing import Any

import httpx
from tests.fakes.raw_device import token_for
from tests.fakes.running_hub import Registered, RunningHub

VERSION = "?api-version=2021-04-12"


def begin_upload(hub: RunningHub, device: Registered, name: str) -> dict[str, Any]:
    """The answer to the first call of the handshake."""
    answer = ask(hub, device, "files", {"blobName": name})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def ask(hub: RunningHub, device: Registered, path: str, body: dict[str, Any]) -> httpx.Response:
    """A call of the handshake, as `device`."""
    context = ssl.create_default_context(cafile=str(hub.ca_path))
    with httpx.Client(base_url=f"https://{hub.address}:{hub.ready['https']}", verify=context) as client:
        headers = {"Authorization": token_for(hub, device)}
        return client.post(f"/devices/{device.device_id}/{path}{VERSION}", json=body, headers=headers)


def url_of(told: dict[str, Any]) -> str:
    """Where the blob is, with its link, put together as the vendor's SDKs do."""
    return f"https://{told['hostName']}/{told['containerName']}/{told['blobName']}{told['sasToken']}"


def upload(hub: RunningHub, device: Registered, name: str, content: bytes) -> None:
    """The whole handshake, as a device does it that has no SDK."""
    told = begin_upload(hub, device, name)
    context = ssl.create_default_context(cafile=str(hub.ca_path))
    headers = {"x-ms-blob-type": "BlockBlob"}
    httpx.put(url_of(told), content=content, headers=headers, verify=context).raise_for_status()
    outcome = {"correlationId": told["correlationId"], "isSuccess": True, "statusCode": 200}
    assert ask(hub, device, "files/notifications", outcome).status_code == 204


def container_url(hub: RunningHub, container: str, permissions: str) -> str:
    """A link to a container."""
    link = hub.call(
        "POST", f"/files/containers/{container}/link", json={"permissions": permissions, "host": hub.address}
    )
    url: str = link["url"]
    return url


def notifications(hub: RunningHub, device: Registered) -> list[dict[str, Any]]:
    """What back ends would hear of this device's files."""
    found = hub.call("GET", "/files/notifications", params={"limit": 1000})["notifications"]
    return [each for each in found if each["device_id"] == device.device_id]


def noise(size: int) -> bytes:
    """Content that nobody guesses."""
    return os.urandom(size)
