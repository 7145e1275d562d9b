"""What the load generator sends over HTTPS: whole requests, as the vendor's SDKs write them."""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

from tools.bench.credentials import API_VERSION, SAS_KEY, sas_token
from tools.bench.fleet import OWNER

BULK: Final = 100
"""Devices of one bulk call."""
PAGE: Final = 100
"""Twins of one page."""
METHOD: Final = "echo"


class Calls:
    """Makes requests to the hub named `host`, as its owner or as its devices."""

    def __init__(self, host: str, owner_key: bytes, expires_at: int) -> None:
        self._host = host
        self._expires_at = expires_at
        self._owner = f"{sas_token(host, owner_key, expires_at)}&skn={OWNER}"

    def get_device(self, ids: Sequence[str]) -> Iterator[bytes]:
        """Read a device."""
        return (self._as_owner("GET", f"/devices/{name}") for name in ids)

    def put_device(self, ids: Sequence[str]) -> Iterator[bytes]:
        """Change a device."""
        for number, name in enumerate(ids):
            body = {"deviceId": name, "status": "enabled", "statusReason": f"measured {number % 10}"}
            yield self._as_owner("PUT", f"/devices/{name}", body, **{"If-Match": '"*"'})

    def patch_twin(self, ids: Sequence[str]) -> Iterator[bytes]:
        """Change a desired property of a device that is not connected."""
        for number, name in enumerate(ids):
            body = {"properties": {"desired": {"interval": number % 100}}}
            yield self._as_owner("PATCH", f"/twins/{name}", body)

    def query_page(self, ids: Sequence[str]) -> Iterator[bytes]:
        """Ask for a page of twins."""
        del ids
        body = {"query": "SELECT * FROM devices"}
        yield self._as_owner("POST", "/devices/query", body, **{"x-ms-max-item-count": str(PAGE)})

    def bulk(self, ids: Sequence[str]) -> Iterator[bytes]:
        """Change a hundred devices in one call."""
        left = iter(ids)
        while batch := list(islice(left, BULK)):
            rows = [{"id": name, "importMode": "update", "status": "enabled"} for name in batch]
            yield self._as_owner("POST", "/devices", rows)

    def telemetry(self, ids: Sequence[str]) -> Iterator[bytes]:
        """Send a message of 100 bytes as the device itself, with its own key."""
        for name in ids:
            token = sas_token(f"{self._host}/devices/{name}", SAS_KEY, self._expires_at)
            yield self._request("POST", f"/devices/{name}/messages/events", token, b"x" * 100)

    def method(self, ids: Sequence[str]) -> Iterator[bytes]:
        """Call a method of a connected device and wait for its answer."""
        body = {"methodName": METHOD, "responseTimeoutInSeconds": 30, "payload": {"n": 1}}
        return (self._as_owner("POST", f"/twins/{name}/methods", body) for name in ids)

    def _as_owner(self, method: str, path: str, value: Any = None, **headers: str) -> bytes:
        body = b"" if value is None else json.dumps(value).encode()
        return self._request(method, path, self._owner, body, **headers)

    def _request(self, method: str, path: str, token: str, body: bytes, **headers: str) -> bytes:
        lines = {"Host": self._host, "Authorization": token, "Accept": "application/json"}
        if body:
            lines |= {"Content-Type": "application/json; charset=utf-8", "Content-Length": str(len(body))}
        head = "".join(f"{name}: {value}\r\n" for name, value in (lines | headers).items())
        return f"{method} {path}?api-version={API_VERSION} HTTP/1.1\r\n{head}\r\n".encode() + body
