"""Tests of app/quickstart/devices.py; the vendor's SDK itself is driven in tests/e2e."""

import asyncio
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from tests.fakes.clock import FakeClock
from tests.fakes.pki import make_authority

from ironhub.app.cli.problems import Problem
from ironhub.app.quickstart import devices
from ironhub.app.quickstart.devices import (
    SimulatedDevice,
    device_by_certificate,
    device_by_key,
    reading,
    self_signed,
    vendor_sdk,
)

CA = make_authority("hub").pem.decode()


class Registrar:
    """Answers like the admin API; devices that are there already are refused once more."""

    def __init__(self, *there: str) -> None:
        self.devices: dict[str, dict[str, Any]] = {name: {} for name in there}

    async def send(self, method: str, *path: str, body: dict[str, Any]) -> Any:
        if method == "PATCH":
            self.devices[path[1]] = body
        elif body["device_id"] == "quickstart-denied":
            raise Problem("access.denied", "no", "ask", status=403)
        elif body["device_id"] in self.devices:
            raise Problem("device.exists", "there", "change it", status=409)
        else:
            self.devices[body["device_id"]] = body

    async def get(self, *path: str, **query: str) -> Any:
        text = f"HostName={query['host']};DeviceId={query['device']};SharedAccessKey=a2V5a2V5a2V5a2V5"
        return {"connection_string": text}


class FakeSdkClient:
    """The part of the SDK's client that a simulated device calls."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.sent: list[Any] = []
        self.calls: list[str] = []
        self._failure = failure

    def connect(self) -> None:
        self.calls.append("connect")
        if self._failure:
            raise self._failure

    def send_message(self, message: Any) -> None:
        self.sent.append(message)

    def shutdown(self) -> None:
        self.calls.append("shutdown")


@pytest.mark.parametrize("there", [(), ("quickstart-key", "quickstart-cert")])
async def test_devices_are_registered_as_often_as_you_like(tmp_path: Path, there: tuple[str, ...]) -> None:
    registrar = Registrar(*there)
    by_key = await device_by_key(registrar, CA)  # type: ignore[arg-type]
    by_certificate = await device_by_certificate(registrar, CA, tmp_path, FakeClock())  # type: ignore[arg-type]
    for client in (by_key, by_certificate):
        await asyncio.to_thread(client.shutdown)
    assert registrar.devices["quickstart-key"]["auth"] == {"kind": "sas"}
    assert len(registrar.devices["quickstart-cert"]["auth"]["thumbprints"][0]) == 64
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600


async def test_another_refusal_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "KEY_DEVICE", "quickstart-denied")
    with pytest.raises(Problem, match="no"):
        await device_by_key(Registrar(), CA)  # type: ignore[arg-type]


async def test_a_device_connects_sends_and_says_goodbye(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "INTERVAL", 0.0)
    client = FakeSdkClient()
    device = SimulatedDevice("d", client, FakeClock(), "run")
    await device.drive(2)
    await device.close()
    assert client.calls == ["connect", "shutdown"]
    assert [message.message_id for message in client.sent] == ["run-0", "run-1"] == list(device.sent)
    assert client.sent[0].content_type == "application/json"
    assert client.sent[0].content_encoding == "utf-8"


async def test_a_device_that_the_sdk_gives_up_is_a_problem() -> None:
    failure = vendor_sdk().exceptions.ConnectionFailedError("no way")
    with pytest.raises(Problem, match="d cannot go on: no way"):
        await SimulatedDevice("d", FakeSdkClient(failure), FakeClock(), "run").drive(None)


def test_without_the_sdk_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.iot", None)
    with pytest.raises(Problem) as refused:
        vendor_sdk()
    assert "ironhub[quickstart]" in refused.value.next_step


def test_what_a_machine_measures_is_believable() -> None:
    temperatures = [reading(number)["temperature"] for number in range(400)]
    assert temperatures[0] == 21.5
    assert all(20 < temperature < 62 for temperature in temperatures)
    assert len(set(temperatures)) > 100


def test_a_certificate_vouches_for_itself_for_a_month() -> None:
    clock = FakeClock()
    certificate, key = self_signed("d", clock.now())
    certificate.verify_directly_issued_by(certificate)
    assert certificate.public_key() == key.public_key()
    assert len(certificate.fingerprint(hashes.SHA256())) == 32
    begin, end = certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp()
    assert begin < clock.now() < end
