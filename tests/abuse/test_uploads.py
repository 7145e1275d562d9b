"""Uploads as an attacker makes them: links of others, paths that lead elsewhere, bodies that lie, flood or end."""

import json
import ssl
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

import httpx
import psutil
import pytest
from tests.fakes.bystander import new_device
from tests.fakes.raw_device import RESET, TlsStream, read_answer, shown_secrets, token_for
from tests.fakes.running_hub import Registered, RunningHub

MEBIBYTE: Final = 1 << 20
BLOCK: Final = {"x-ms-blob-type": "BlockBlob"}


@pytest.fixture
def client(hub: RunningHub) -> Iterator[httpx.Client]:
    """Speaks to the hub and trusts it."""
    context = ssl.create_default_context(cafile=str(hub.ca_path))
    with httpx.Client(base_url=f"https://{hub.address}:{hub.ready['https']}", verify=context, timeout=30) as made:
        yield made


def begin(hub: RunningHub, client: httpx.Client, device: Registered, name: str = "a.txt") -> httpx.Response:
    """The first call of the handshake."""
    headers = {"Authorization": token_for(hub, device)}
    return client.post(f"/devices/{device.device_id}/files", content=json.dumps({"blobName": name}), headers=headers)


def path_of(answer: httpx.Response) -> tuple[str, str]:
    """Path and link of the blob."""
    told = answer.json()
    token: str = told["sasToken"]
    shown_secrets.add(unquote(token.partition("sig=")[2])[:16])
    return f"/{told['containerName']}/{told['blobName']}", token


@pytest.mark.parametrize(
    "name", ["../other/a", "..", "a/../../other/a", "/other/a", "a//b", "a\\..\\b", "a\u0000", "x" * 2000, ".", "a/"]
)
def test_no_name_leads_out_of_a_devices_own_place(hub: RunningHub, client: httpx.Client, name: str) -> None:
    answer = begin(hub, client, new_device(hub), name)
    assert (answer.status_code, answer.headers["iothub-errorcode"]) == (400, "ArgumentInvalid")


def test_a_link_opens_nothing_but_its_blob(hub: RunningHub, client: httpx.Client) -> None:
    mine, other = new_device(hub), new_device(hub)
    path, token = path_of(begin(hub, client, mine))
    elsewhere, _ = path_of(begin(hub, client, other))
    assert client.put(path + token, content=b"mine", headers=BLOCK).status_code == 201
    own = path.rpartition("/")[0]
    for target in (
        elsewhere,
        f"{own}/b.txt",
        f"{own}/A.TXT",
        f"{own}/x/..%2fa.txt",
        f"{own}/%2e%2e/{other.device_id}/a.txt",
        f"/uploads/{quote(path, safe='')}",
        "/uploads",
        "/others/a.txt",
    ):
        for method in ("GET", "PUT", "DELETE"):
            answer = client.request(method, target + token, headers=BLOCK)
            assert answer.status_code in (400, 403, 404, 405), (method, target)
    for more in ("&comp=block&blockid=YQ%3D%3D", "&comp=blocklist"):
        assert client.put(elsewhere + token + more, content=b"x").status_code == 403
    listing = client.get(f"/uploads{token}&restype=container&comp=list")
    assert listing.status_code == 403
    assert client.get(path + token).content == b"mine"


def test_a_changed_link_is_none(hub: RunningHub, client: httpx.Client) -> None:
    path, token = path_of(begin(hub, client, new_device(hub)))
    for changed in (
        "",
        token.replace("sp=rw", "sp=rwd"),
        token.replace("sr=b", "sr=c"),
        token.replace("se=2", "se=3"),
        token.replace("sv=2021-08-06", "sv=2019-12-12"),
        f"{token}&sp=rwdl",
        f"{token}&SIG=x",
        f"{token}&sip=0.0.0.0-255.255.255.255",
        token[:-8],
    ):
        answer = client.put(path + changed, content=b"x", headers=BLOCK)
        assert (answer.status_code, answer.headers["x-ms-error-code"]) == (403, "AuthenticationFailed"), changed


def test_a_devices_token_opens_no_blob_and_a_link_no_device(hub: RunningHub, client: httpx.Client) -> None:
    device = new_device(hub)
    path, token = path_of(begin(hub, client, device))
    bearer = {"Authorization": token_for(hub, device), **BLOCK}
    assert client.put(path, content=b"x", headers=bearer).status_code == 403
    assert client.get(f"/devices/{device.device_id}{token}").status_code == 401


def test_a_body_that_is_shorter_than_it_says_leaves_nothing(hub: RunningHub, client: httpx.Client) -> None:
    path, token = path_of(begin(hub, client, new_device(hub)))
    for _ in range(3):
        stream = upload_of(hub, path + token, 10 * MEBIBYTE)
        stream.send(b"x" * MEBIBYTE)
        stream.close()
    assert client.get(path + token).status_code == 404
    hub.wait_for(lambda: not remains(hub))
    assert remains(hub) == []


def test_a_body_that_is_longer_than_it_says_is_cut_where_it_said(hub: RunningHub, client: httpx.Client) -> None:
    path, token = path_of(begin(hub, client, new_device(hub)))
    stream = upload_of(hub, path + token, 4)
    with suppress(*RESET):
        stream.send(b"fourDELETE /uploads HTTP/1.1\r\n\r\n")
    first = read_answer(stream)
    assert first is not None
    assert first.status == 201
    stream.close()
    assert client.get(path + token).content == b"four"


def test_more_than_a_blob_may_have_is_refused_before_it_comes(hub: RunningHub, client: httpx.Client) -> None:
    path, token = path_of(begin(hub, client, new_device(hub)))
    stream = upload_of(hub, path + token, 6 << 30)
    answer = read_answer(stream)
    assert answer is not None
    assert answer.status == 413
    stream.close()


def test_a_stranger_sends_no_body_at_all(hub: RunningHub) -> None:
    stream = upload_of(hub, "/uploads/x/a?sv=2021-08-06&sr=b&sp=rw&se=2099-01-01&sig=x", 10 * MEBIBYTE)
    answer = read_answer(stream)
    assert answer is not None
    assert answer.status == 403
    stream.close()


def test_many_who_stop_half_way_cost_little_memory(hub: RunningHub, client: httpx.Client) -> None:
    process = psutil.Process(hub.pid)
    path, token = path_of(begin(hub, client, new_device(hub)))
    before = process.memory_info().rss
    streams = [upload_of(hub, path + token, 64 * MEBIBYTE) for _ in range(20)]
    try:
        for stream in streams:
            stream.send(b"x" * 2 * MEBIBYTE)
        assert client.get(path + token).status_code == 404
        assert process.memory_info().rss - before < 20 * MEBIBYTE
    finally:
        for stream in streams:
            stream.close()


def upload_of(hub: RunningHub, target: str, length: int) -> TlsStream:
    """A connection on which the head of an upload was sent."""
    stream = TlsStream(hub.address, hub.ready["https"])
    lines = [f"PUT {target} HTTP/1.1", f"Host: {hub.address}", f"Content-Length: {length}", "x-ms-blob-type: BlockBlob"]
    stream.send(("\r\n".join([*lines, "", ""])).encode())
    return stream


def remains(hub: RunningHub) -> list[Path]:
    """Files that hold a part of what was not finished."""
    return [path for path in (hub.data / "blobs").rglob("*") if path.is_file() and path.stat().st_size > 1000]
