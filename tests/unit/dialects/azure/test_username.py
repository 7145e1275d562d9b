"""Every form of username that the vendor's SDKs send, and the forms that are refused."""

import pytest

from ironhub.core.ids import identity
from ironhub.dialects.azure.username import (
    MAX_USERNAME,
    ApiVersionMissing,
    ClientIdMismatch,
    ConnectClaim,
    ConnectMalformed,
    decode_connect,
)


def claim(client_id: str, username: str) -> ConnectClaim:
    return decode_connect(client_id, username)


def test_the_python_sdk_is_understood() -> None:
    username = (
        "hub.example/press-7/?api-version=2019-10-01"
        "&DeviceClientType=azure-iot-device-iothub-py%2F2.14.0%283.11.7%3BLinux%3Bx86_64%29"
    )
    assert claim("press-7", username) == ConnectClaim(
        identity("press-7"),
        "hub.example",
        "2019-10-01",
        client_type="azure-iot-device-iothub-py/2.14.0(3.11.7;Linux;x86_64)",
    )


def test_a_module_of_the_python_sdk_is_understood() -> None:
    got = claim("press-7/arm", "hub.example/press-7/arm/?api-version=2019-10-01&DeviceClientType=x")
    assert got.identity == identity("press-7", "arm")


def test_the_node_sdk_with_a_port_and_a_raw_model_id_is_understood() -> None:
    got = claim(
        "d", "localhost:18883/d/?api-version=2021-04-12&model-id=dtmi:acme:Press;1&DeviceClientType=n%2F1%20(x)"
    )
    assert got.host == "localhost:18883"
    assert got.model_id == "dtmi:acme:Press;1"
    assert got.client_type == "n/1 (x)"


@pytest.mark.parametrize(
    "username",
    [
        "h/d/?api-version=2020-09-30&DeviceClientType=c&model-id=dtmi%3Aacme%3APress%3B1",
        "h/d/?model-id=dtmi%3Aacme%3APress%3B1&api-version=2020-09-30",
        "h/d/?auth-chain={a;b}&api-version=2020-09-30&model-id=dtmi%3aacme%3aPress%3b1",
        "h/d/api-version=2020-09-30&model-id=dtmi:acme:Press;1",
        "h/d?api-version=2020-09-30&model-id=dtmi:acme:Press;1",
        "h/d/?api-version=2020-09-30&api-version=1999&model-id=dtmi:acme:Press;1&model-id=other",
    ],
)
def test_parameters_come_in_any_order_and_form_and_the_first_counts(username: str) -> None:
    got = claim("d", username)
    assert (got.api_version, got.model_id) == ("2020-09-30", "dtmi:acme:Press;1")


@pytest.mark.parametrize("device", ["a?b", "a%2Fb", "50%", "a@b:c", "A.b_c*!(),='$#+", "x" * 128])
def test_ids_stand_as_they_are_and_are_never_decoded(device: str) -> None:
    assert claim(device, f"h/{device}/?api-version=1").identity == identity(device)


@pytest.mark.parametrize(
    ("client_id", "username"),
    [
        ("d", "h/e/?api-version=1"),
        ("d", "h/D/?api-version=1"),
        ("d", "h/d0/?api-version=1"),
        ("d0", "h/d/?api-version=1"),
        ("d", "h/d/m/?api-version=1"),
        ("d/m", "h/d/?api-version=1"),
        ("d/m", "h/d/m2/?api-version=1"),
        ("a%2Fb", "h/a/b/?api-version=1"),
        ("reg1", "0ne00000001/registrations/reg1/api-version=2019-03-31"),
    ],
)
def test_a_username_of_somebody_else_is_refused(client_id: str, username: str) -> None:
    with pytest.raises(ClientIdMismatch):
        claim(client_id, username)


@pytest.mark.parametrize("username", ["h/d", "h/d/", "h/d/?", "h/d/?api-version=", "h/d/?a=b", "h/d?x/?api-version=1"])
def test_an_api_version_is_needed(username: str) -> None:
    with pytest.raises(ApiVersionMissing):
        claim("d", username)


@pytest.mark.parametrize("username", [None, "", "h", "/d/?api-version=1", "h/d/?api-version=" + "1" * MAX_USERNAME])
def test_what_is_no_username_is_refused(username: str | None) -> None:
    with pytest.raises(ConnectMalformed):
        decode_connect("d", username)


@pytest.mark.parametrize("client_id", ["", "/", "d/", "/m", "d/m/x", "ä", "a b", "x" * 129])
def test_what_is_no_id_is_refused(client_id: str) -> None:
    with pytest.raises(ConnectMalformed):
        claim(client_id, f"h/{client_id}/?api-version=1")
