"""Two devices, one known by key and one by certificate, registered and driven by the vendor's unmodified SDK."""

import asyncio
import itertools
import json
import math
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ironhub.app.cli.problems import Problem
from ironhub.core.clock import Clock

if TYPE_CHECKING:
    from ironhub.app.cli.client import AdminClient

KEY_DEVICE: Final = "quickstart-key"
CERTIFICATE_DEVICE: Final = "quickstart-cert"
HOST: Final = "localhost"
INTERVAL: Final = 0.5
"""Seconds between two messages of a device."""
_LIFETIME: Final = timedelta(days=30)


def vendor_sdk() -> Any:
    """Return the module of the vendor's device SDK. Raises Problem: it is not installed."""
    try:
        from azure.iot import device
    except ImportError as error:
        step = "Install it: pip install 'ironhub[quickstart]'"
        raise Problem("quickstart.sdk_missing", "the vendor's SDK (azure-iot-device) is not installed", step) from error
    return device


async def device_by_key(hub: "AdminClient", ca_pem: str) -> Any:
    """Register a device with keys, as often as you like, and return the SDK's client for it."""
    await _ensure(hub, KEY_DEVICE, {"kind": "sas"})
    text = (await hub.get("connection-string", device=KEY_DEVICE, host=HOST))["connection_string"]
    return vendor_sdk().IoTHubDeviceClient.create_from_connection_string(text, server_verification_cert=ca_pem)


async def device_by_certificate(hub: "AdminClient", ca_pem: str, place: Path, clock: Clock) -> Any:
    """Make a self-signed certificate in `place`, register a device known by it, and return the SDK's client for it."""
    certificate, key = self_signed(CERTIFICATE_DEVICE, clock.now())
    await _ensure(
        hub,
        CERTIFICATE_DEVICE,
        {"kind": "x509-thumbprint", "thumbprints": [certificate.fingerprint(hashes.SHA256()).hex()]},
    )
    files = {"cert.pem": certificate.public_bytes(Encoding.PEM), "key.pem": _key_pem(key)}
    for name, content in files.items():
        (place / name).touch(mode=0o600)
        (place / name).write_bytes(content)
    sdk = vendor_sdk()
    identity = sdk.X509(cert_file=str(place / "cert.pem"), key_file=str(place / "key.pem"))
    return sdk.IoTHubDeviceClient.create_from_x509_certificate(
        identity, HOST, CERTIFICATE_DEVICE, server_verification_cert=ca_pem
    )


class SimulatedDevice:
    """A machine that tells its temperature, pressure and speed."""

    def __init__(self, device_id: str, client: Any, clock: Clock, run: str) -> None:
        self.device_id = device_id
        self._client = client
        self._clock = clock
        self._run = run
        self.sent: dict[str, float] = {}
        """Message id → when it was handed to the SDK, monotonic seconds; until it has arrived."""

    async def drive(self, messages: int | None) -> None:
        """Connect and send `messages` (None: for ever). Raises Problem: the SDK gave up."""
        numbers: Iterable[int] = itertools.count() if messages is None else range(messages)
        message_class = vendor_sdk().Message
        try:
            await asyncio.to_thread(self._client.connect)
            for number in numbers:
                message = message_class(
                    json.dumps(reading(number)), content_encoding="utf-8", content_type="application/json"
                )
                message.message_id = f"{self._run}-{number}"
                self.sent[message.message_id] = self._clock.monotonic()
                await asyncio.to_thread(self._client.send_message, message)
                await asyncio.sleep(INTERVAL)
        except vendor_sdk().exceptions.ClientError as error:
            step = "Look whether the hub listens on loopback (bind), and run `ironhub doctor`."
            raise Problem("quickstart.device", f"{self.device_id} cannot go on: {error}", step) from error

    async def close(self) -> None:
        """Disconnect and end the SDK's threads."""
        with suppress(vendor_sdk().exceptions.ClientError):
            await asyncio.to_thread(self._client.shutdown)


def reading(number: int) -> dict[str, float]:
    """Return what the machine measures the `number`th time: it warms up, and swings a little."""
    warm = 1 - math.exp(-number / 40)
    return {
        "temperature": round(21.5 + 38 * warm + 0.8 * math.sin(number / 3), 1),
        "pressure": round(4.2 + 0.3 * math.sin(number / 7), 2),
        "rpm": float(round(1450 * warm + 12 * math.sin(number))),
    }


def self_signed(common_name: str, now: float) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Return a certificate that vouches for itself, good for a month, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    begin = datetime.fromtimestamp(now, UTC) - timedelta(hours=1)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(begin).not_valid_after(begin + _LIFETIME)
    return builder.sign(key, hashes.SHA256()), key


async def _ensure(hub: "AdminClient", device_id: str, auth: dict[str, Any]) -> None:
    """Create the device, or make the one that an earlier quickstart left what it must be."""
    try:
        await hub.send("POST", "devices", body={"device_id": device_id, "auth": auth})
    except Problem as problem:
        if problem.status != 409:
            raise
        await hub.send("PATCH", "devices", device_id, body={"auth": auth, "status": "enabled"})


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
