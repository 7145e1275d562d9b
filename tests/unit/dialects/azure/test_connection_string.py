"""Connection strings as the vendor's SDKs take them."""

import pytest

from ironhub.core.ids import identity
from ironhub.dialects.azure.connection_string import (
    MAX_LENGTH,
    ConnectionStringInvalid,
    decode_connection_string,
    device_connection_string,
    events_connection_string,
    policy_connection_string,
)

KEY = b"k" * 32
TEXT = "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="


def test_a_device_connects_by_key_or_by_certificate() -> None:
    by_key = device_connection_string("localhost", identity("d"), KEY)
    assert by_key == f"HostName=localhost;DeviceId=d;SharedAccessKey={TEXT}"
    assert device_connection_string("h", identity("d"), None) == "HostName=h;DeviceId=d;x509=true"


def test_a_module_is_named_too() -> None:
    text = device_connection_string("h", identity("d", "m"), KEY)
    assert text == f"HostName=h;DeviceId=d;ModuleId=m;SharedAccessKey={TEXT}"


def test_back_ends_connect_by_policy() -> None:
    text = policy_connection_string("h", "service", KEY)
    assert text == f"HostName=h;SharedAccessKeyName=service;SharedAccessKey={TEXT}"
    assert decode_connection_string(text) == {
        "HostName": "h",
        "SharedAccessKeyName": "service",
        "SharedAccessKey": TEXT,
    }


def test_readers_of_events_get_an_endpoint() -> None:
    text = events_connection_string("h", "service", KEY)
    assert text == f"Endpoint=sb://h/;SharedAccessKeyName=service;SharedAccessKey={TEXT};EntityPath=events"


def test_a_trailing_semicolon_does_no_harm() -> None:
    assert decode_connection_string(" HostName=h;DeviceId=d; ".strip()) == {"HostName": "h", "DeviceId": "d"}


@pytest.mark.parametrize("text", ["", ";", "HostName", "=x", "A=1;A=2", "A=1;;B=2", "A=" + "x" * MAX_LENGTH])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ConnectionStringInvalid):
        decode_connection_string(text)
