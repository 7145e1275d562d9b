"""Devices and modules in the registry's JSON, as the Python and Node SDKs write and read it."""

import json
from base64 import b64encode
from typing import Any

import pytest

from ironhub.core.errors import InvalidArgument
from ironhub.core.ids import DeviceId, ModuleId, identity
from ironhub.core.strict_json import JsonInvalid
from ironhub.dialects.azure.identity_json import (
    IdMismatch,
    decode_credentials,
    decode_device,
    decode_module,
    encode_device,
    encode_module,
)
from ironhub.identity.model import CredentialKind, Credentials, SymmetricKeys, Thumbprints
from ironhub.registry.model import Device, DeviceDraft, DeviceStatus, Module, ModuleDraft, Presence

D = DeviceId("press-7")
KEY = b64encode(b"k" * 32).decode()
SHA1, SHA256 = "ab" * 20, "cd" * 32


def device(body: Any) -> DeviceDraft:
    return decode_device(json.dumps(body).encode(), D)


def test_the_body_of_the_python_sdk_is_read() -> None:
    draft = device(
        {
            "deviceId": "press-7",
            "status": "disabled",
            "statusReason": "service",
            "authentication": {"symmetricKey": {"primaryKey": KEY, "secondaryKey": KEY}, "type": "sas"},
            "capabilities": {"iotEdge": True},
            "deviceScope": "s",
            "parentScopes": ["p"],
        }
    )
    keys = SymmetricKeys(b"k" * 32, b"k" * 32)
    assert draft == DeviceDraft(
        status=DeviceStatus.DISABLED,
        status_reason="service",
        credentials=Credentials(CredentialKind.SAS, keys=keys),
        edge_capable=True,
        scope="s",
        parent_scopes=("p",),
    )


def test_the_empty_keys_of_the_node_sdk_mean_none_given() -> None:
    given = {"type": "sas", "symmetricKey": {"primaryKey": "", "secondaryKey": ""}}
    draft = device({"deviceId": "press-7", "status": "enabled", "authentication": given, "etag": "x"})
    assert draft == DeviceDraft(status=DeviceStatus.ENABLED, credentials=Credentials(CredentialKind.SAS))


def test_an_empty_object_wants_nothing_in_particular() -> None:
    assert device({}) == DeviceDraft()
    assert device({"authentication": None, "status": None, "capabilities": None}) == DeviceDraft()


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (None, None),
        ({}, None),
        ({"x509Thumbprint": {"primaryThumbprint": None, "secondaryThumbprint": ""}}, None),
        ({"type": "CertificateAuthority"}, Credentials(CredentialKind.CERTIFICATE_AUTHORITY)),
        ({"type": "none"}, Credentials(CredentialKind.NONE)),
        (
            {"x509Thumbprint": {"primaryThumbprint": SHA1.upper()}},
            Credentials(CredentialKind.SELF_SIGNED, thumbprints=Thumbprints(SHA1, None)),
        ),
        (
            {
                "type": "selfSigned",
                "symmetricKey": {"primaryKey": KEY, "secondaryKey": KEY},
                "x509Thumbprint": {"primaryThumbprint": "\u200e" + "AB " * 20, "secondaryThumbprint": "CD:" * 32},
            },
            Credentials(CredentialKind.SELF_SIGNED, thumbprints=Thumbprints(SHA1, SHA256)),
        ),
        (
            {"symmetricKey": {"primaryKey": KEY, "secondaryKey": KEY}},
            Credentials(CredentialKind.SAS, keys=SymmetricKeys(b"k" * 32, b"k" * 32)),
        ),
    ],
)
def test_credentials_are_told_by_type_or_by_what_is_there(given: Any, wanted: Credentials | None) -> None:
    assert decode_credentials(given) == wanted


@pytest.mark.parametrize(
    "body",
    [
        {"status": "paused"},
        {"status": 1},
        {"statusReason": []},
        {"capabilities": []},
        {"capabilities": {"iotEdge": "yes"}},
        {"parentScopes": "p"},
        {"parentScopes": [1]},
        {"authentication": "sas"},
        {"authentication": {"type": "password"}},
        {"authentication": {"type": "selfSigned"}},
        {"authentication": {"symmetricKey": {"primaryKey": KEY}}},
        {"authentication": {"symmetricKey": {"primaryKey": KEY, "secondaryKey": "é"}}},
        {"authentication": {"symmetricKey": {"primaryKey": KEY, "secondaryKey": "a2tr"}}},
        {"authentication": {"symmetricKey": {"primaryKey": KEY, "secondaryKey": b64encode(b"x" * 65).decode()}}},
        {"authentication": {"symmetricKey": {"primaryKey": KEY, "secondaryKey": KEY + "!"}}},
        {"authentication": {"x509Thumbprint": {"primaryThumbprint": "ab" * 19}}},
        {"authentication": {"x509Thumbprint": {"primaryThumbprint": "zz" * 20}}},
    ],
)
def test_a_field_that_breaks_a_rule_is_refused(body: Any) -> None:
    with pytest.raises(InvalidArgument):
        device(body)


def test_a_refusal_never_repeats_a_key() -> None:
    with pytest.raises(InvalidArgument) as refusal:
        device({"authentication": {"symmetricKey": {"primaryKey": "s3cret", "secondaryKey": "s3cret"}}})
    assert "s3cret" not in str(refusal.value)


def test_ids_in_address_and_body_must_agree() -> None:
    with pytest.raises(IdMismatch):
        device({"deviceId": "PRESS-7"})
    with pytest.raises(IdMismatch):
        decode_module(b'{"deviceId":"press-7","moduleId":"leg"}', identity("press-7", "arm"))


def test_a_body_that_is_no_object_is_refused() -> None:
    with pytest.raises(JsonInvalid):
        decode_device(b"[]", D)


def test_a_module_is_read() -> None:
    body = b'{"deviceId":"press-7","moduleId":"arm","managedBy":"me","authentication":{"type":"none"}}'
    assert decode_module(body, identity("press-7", "arm")) == ModuleDraft(
        credentials=Credentials(CredentialKind.NONE), managed_by="me"
    )


def test_a_device_is_shown_in_full() -> None:
    shown = encode_device(
        Device(
            D,
            "638",
            "e=",
            Credentials(CredentialKind.SAS, keys=SymmetricKeys(b"k" * 32, b"k" * 32)),
            created_at=0.0,
            status_changed_at=1_769_860_800.0,
            scope="ms-azure-iot-edge://x",
            presence=Presence(connected=True, changed_at=1_769_860_800.5),
            pending_commands=3,
        )
    )
    assert shown == {
        "deviceId": "press-7",
        "generationId": "638",
        "etag": "e=",
        "connectionState": "Connected",
        "connectionStateUpdatedTime": "2026-01-31T12:00:00.5000000Z",
        "lastActivityTime": "0001-01-01T00:00:00",
        "status": "enabled",
        "statusReason": None,
        "statusUpdatedTime": "2026-01-31T12:00:00.0000000Z",
        "cloudToDeviceMessageCount": 3,
        "authentication": {
            "symmetricKey": {"primaryKey": KEY, "secondaryKey": KEY},
            "x509Thumbprint": {"primaryThumbprint": None, "secondaryThumbprint": None},
            "type": "sas",
        },
        "capabilities": {"iotEdge": False},
        "parentScopes": [],
        "deviceScope": "ms-azure-iot-edge://x",
    }


def test_a_module_is_shown_with_its_thumbprints_in_the_vendors_case() -> None:
    credentials = Credentials(CredentialKind.SELF_SIGNED, thumbprints=Thumbprints(SHA1, SHA256))
    shown = encode_module(Module(D, ModuleId("arm"), "1", "e", credentials, created_at=0.0))
    assert shown["moduleId"] == "arm"
    assert shown["managedBy"] is None
    assert shown["connectionState"] == "Disconnected"
    assert shown["authentication"] == {
        "symmetricKey": {"primaryKey": None, "secondaryKey": None},
        "x509Thumbprint": {"primaryThumbprint": SHA1.upper(), "secondaryThumbprint": SHA256.upper()},
        "type": "selfSigned",
    }
    assert decode_credentials(shown["authentication"]) == credentials
