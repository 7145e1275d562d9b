import pytest

from ironhub.core.errors import InvalidArgument
from ironhub.core.ids import device_id, identity, module_id
from ironhub.identity.model import CredentialKind, Credentials, SymmetricKeys, Thumbprints
from ironhub.registry.model import Device, DeviceStatus, Module, check_credentials

SAS, PINNED = CredentialKind.SAS, CredentialKind.SELF_SIGNED


def test_a_device_and_a_module_know_their_identity() -> None:
    credentials = Credentials(SAS)
    device = Device(device_id("d1"), "1", "e", credentials, created_at=1.0)
    module = Module(device_id("d1"), module_id("m1"), "1", "e", credentials, created_at=1.0)
    assert (device.identity, module.identity) == (identity("d1"), identity("d1", "m1"))
    assert (device.status, device.presence.connected) == (DeviceStatus.ENABLED, False)


@pytest.mark.parametrize(
    "credentials",
    [
        Credentials(SAS),
        Credentials(SAS, keys=SymmetricKeys(b"p" * 16, b"s" * 64)),
        Credentials(PINNED, thumbprints=Thumbprints("a" * 40, None)),
        Credentials(PINNED, thumbprints=Thumbprints(None, "0" * 64)),
        Credentials(CredentialKind.CERTIFICATE_AUTHORITY),
        Credentials(CredentialKind.NONE),
    ],
)
def test_good_credentials_are_taken(credentials: Credentials) -> None:
    check_credentials(credentials)


@pytest.mark.parametrize(
    ("credentials", "reason"),
    [
        (Credentials(SAS, keys=SymmetricKeys(b"p" * 15, b"s" * 32)), "16 to 64 bytes"),
        (Credentials(SAS, keys=SymmetricKeys(b"p" * 32, b"")), "16 to 64 bytes"),
        (Credentials(SAS, keys=SymmetricKeys(b"p" * 32, b"s" * 65)), "16 to 64 bytes"),
        (Credentials(PINNED), "needs a thumbprint"),
        (Credentials(PINNED, thumbprints=Thumbprints(None, None)), "needs a thumbprint"),
        (Credentials(PINNED, thumbprints=Thumbprints("A" * 40, None)), "lower-case"),
        (Credentials(PINNED, thumbprints=Thumbprints("a" * 40, "a" * 41)), "lower-case"),
        (Credentials(PINNED, thumbprints=Thumbprints("a" * 40 + "\n", None)), "lower-case"),
        (Credentials(PINNED, thumbprints=Thumbprints("", None)), "lower-case"),
    ],
)
def test_credentials_nobody_could_use_are_refused_without_showing_them(credentials: Credentials, reason: str) -> None:
    with pytest.raises(InvalidArgument, match=reason) as refused:
        check_credentials(credentials)
    assert "ppp" not in str(refused.value) + refused.value.detail
