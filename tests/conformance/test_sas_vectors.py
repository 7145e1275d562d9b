"""Tokens as the vendor's clients and OpenSSL make them are believed, and ours are the same, byte for byte."""

import base64
import subprocess

import pytest
from azure.iot.device.common.auth.sastoken import RenewableSasToken
from azure.iot.device.common.auth.signing_mechanism import SymmetricKeySigningMechanism
from azure.iot.hub.sastoken import SasToken

from ironhub.identity.sas import derive_device_key, make_sas_token, parse_sas_token, verify_sas_token

KEY = b"k" * 32
KEY_TEXT = "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="
EXPIRY = 1_900_000_000
RESOURCES = [
    "myhub.example",
    "myhub.example/devices/dev1",
    "myhub.example/devices/dev1/modules/mod1",
    "localhost:18883/devices/a%2Fb",
    "myhub.example/devices/A.b+c%d_e#f*g?h!i(j)k,l:m=n@o$p'q",
]


def believed(text: str, key: bytes = KEY) -> str:
    return verify_sas_token(parse_sas_token(text), keys=(key,), now=0.0).resource


@pytest.mark.parametrize(
    ("signed", "signature"),
    [
        ("myhub.example%2Fdevices%2Fdev1", "FRKKQsmWGT9ad9yWC3PsF8DLYwsoIAjFGjLbakyt3lw="),
        ("myhub.example%2Fdevices%2Fdev1%2Fmodules%2Fmod1", "IMsXaThuSRORuXk1qRh0ZsHTH26K6RxPgftFvOjakbE="),
        ("0ne00000001%2Fregistrations%2Freg1", "pc0IWWGNE/KR7WyLrY+B4KXVhdiLepJxBvzFEQKMlLY="),
        ("0ne00000001/registrations/reg1", "2LCMv6MpWu4ZA0HBJxa72+af2GszBxdHOkLt9qsA1i4="),
    ],
)
def test_the_reference_vectors_hold(signed: str, signature: str) -> None:
    """As the Python and Node SDKs sign; the last is the Node provisioning client's, which encodes nothing."""
    assert base64.b64decode(KEY_TEXT) == KEY
    text = f"SharedAccessSignature sr={signed}&sig={signature}&se={EXPIRY}"
    assert believed(text) == signed.replace("%2F", "/")
    if "%" in signed:
        ours = parse_sas_token(make_sas_token(signed.replace("%2F", "/"), KEY, EXPIRY))
        assert ours == parse_sas_token(text)


@pytest.mark.parametrize(
    ("group_key", "registration_id", "derived"),
    [
        (
            "8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw==",
            "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6",
            "Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc=",
        ),
        (KEY_TEXT, "reg1", "fdNUs6KMIzSW8GIbvkg2eBWDte/GPUFK7kWOhvGoXrY="),
    ],
)
def test_group_derived_keys_hold(group_key: str, registration_id: str, derived: str) -> None:
    """DPS documentation, "How to use symmetric key enrollment groups"."""
    assert derive_device_key(base64.b64decode(group_key), registration_id) == base64.b64decode(derived)


@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.parametrize("policy", [None, "iothubowner"])
def test_the_device_sdk_makes_the_same_token(resource: str, policy: str | None) -> None:
    signer = SymmetricKeySigningMechanism(KEY_TEXT)  # type: ignore[no-untyped-call]  # the SDK has no types
    theirs = RenewableSasToken(resource, signer, key_name=policy)  # type: ignore[no-untyped-call]  # nor here
    assert believed(str(theirs)) == resource
    assert make_sas_token(resource, KEY, theirs.expiry_time, policy) == str(theirs)


@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.parametrize("policy", [None, "iothubowner"])
def test_the_service_sdk_makes_the_same_token(resource: str, policy: str | None) -> None:
    """It leaves "/" in the signature as it is, so what the two say is compared, not how."""
    theirs = SasToken(resource, KEY_TEXT, policy)
    assert believed(str(theirs)) == resource
    ours = make_sas_token(resource, KEY, theirs.expiry_time, policy)
    assert parse_sas_token(ours) == parse_sas_token(str(theirs))


@pytest.mark.parametrize("resource", RESOURCES)
def test_openssl_makes_the_same_signature(resource: str) -> None:
    ours = parse_sas_token(make_sas_token(resource, KEY, EXPIRY))
    message = f"{ours.signed_resource}\n{EXPIRY}".encode()
    command = ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{KEY.hex()}", "-binary"]
    signature = subprocess.run(command, input=message, capture_output=True, check=True).stdout
    assert ours.signature == signature


def test_the_strict_encoding_of_the_node_sdk_is_believed_as_it_stands() -> None:
    """It writes five characters with lower-case hex digits and the others with upper-case ones."""
    signed = "myhub.example%2Fdevices%2Fa%2ab%28c%29%21%27"
    command = ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{KEY.hex()}", "-binary"]
    message = f"{signed}\n{EXPIRY}".encode()
    signature = subprocess.run(command, input=message, capture_output=True, check=True).stdout
    text = f"SharedAccessSignature sr={signed}&sig={base64.b64encode(signature).decode()}&skn=&se={EXPIRY}"
    assert believed(text) == "myhub.example/devices/a*b(c)!'"
    assert parse_sas_token(text).policy is None
