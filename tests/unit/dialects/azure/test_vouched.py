"""Names that only the hub may use."""

import pytest

from ironhub.dialects.azure.vouched import is_vouched


@pytest.mark.parametrize(
    "name",
    ["iothub-connection-device-id", "IoTHub-EnqueuedTime", " dt-dataschema ", "X-OPT-anything", "mqtt-dup"],
)
def test_a_name_is_the_hubs_in_any_case(name: str) -> None:
    assert is_vouched(name)


@pytest.mark.parametrize("name", ["", "iothub-ack", "iothub-connection", "temperature", "my-x-opt-name", "dt-subject"])
def test_other_names_are_free(name: str) -> None:
    assert not is_vouched(name)
