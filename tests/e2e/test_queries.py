"""Queries by the vendor's unmodified service SDKs, the requests of its command line extension, and our command line."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from azure.iot.hub import IoTHubRegistryManager
from azure.iot.hub.models import QuerySpecification, Twin
from msrest.exceptions import HttpOperationError
from tests.covers import covers
from tests.e2e.command_line import CommandLine
from tests.e2e.node_process import NodeError, NodeProcess
from tests.e2e.python_client import new_id
from tests.fakes.running_hub import RunningHub

# What the extension sends (azure-service-api 8.1), with the ids that a test made.
EXTENSION = (
    "select * from devices",
    "select * from devices where capabilities.iotEdge = true",
    "select deviceId from devices where array_contains(parentScopes, 'ms-azure-iot-edge://nobody-1')",
    "SELECT deviceId FROM devices",
    "SELECT deviceId, deviceScope FROM devices",
    "SELECT * FROM devices.modules where devices.Id = 'nobody'",
    "SELECT * FROM devices.modules",
    "SELECT * FROM devices.jobs",
)


@pytest.fixture
def registry(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The SDK's registry manager, as a service."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(hub.ca_path))
    return IoTHubRegistryManager.from_connection_string(hub.connection_string(policy="iothubowner"))


@pytest.fixture
def fleet(registry: Any) -> tuple[str, list[str]]:
    """A hall and the ids of five devices that stand in it."""
    hall = new_id("hall")
    ids = sorted(new_id("press") for _ in range(5))
    for number, device_id in enumerate(ids):
        registry.create_device_with_sas(device_id, "", "", "enabled")
        registry.update_twin(device_id, Twin(tags={"hall": hall, "number": number}))
    return hall, ids


def pages_of(registry: Any, text: str, size: int) -> list[Any]:
    """Every page of a query."""
    pages = [registry.query_iot_hub(QuerySpecification(query=text), None, size)]
    while pages[-1].continuation_token:
        pages.append(registry.query_iot_hub(QuerySpecification(query=text), pages[-1].continuation_token, size))
    return pages


@covers("py:IoTHubRegistryManager.query_iot_hub")
def test_whole_twins_come_page_by_page(registry: Any, fleet: tuple[str, list[str]]) -> None:
    hall, ids = fleet
    pages = pages_of(registry, f"SELECT * FROM devices WHERE tags.hall = '{hall}'", 2)
    assert [len(page.items) for page in pages] == [2, 2, 1]
    assert {page.type for page in pages} == {"Twin"}
    twins = [twin for page in pages for twin in page.items]
    assert [twin.device_id for twin in twins] == ids
    assert [twin.tags["number"] for twin in twins] == [0, 1, 2, 3, 4]
    assert twins[0].as_dict() == registry.get_twin(ids[0]).as_dict()


@covers("py:IoTHubRegistryManager.query_iot_hub")
def test_columns_and_counts_are_raw(registry: Any, fleet: tuple[str, list[str]]) -> None:
    hall, _ = fleet
    [page] = pages_of(
        registry, f"SELECT COUNT() AS n, MAX(tags.number) AS most FROM devices WHERE tags.hall = '{hall}'", 10
    )
    assert page.type == "raw"
    assert page.items[0].additional_properties == {"n": 5, "most": 4}
    [page] = pages_of(registry, f"SELECT TOP 2 tags.number AS place FROM devices WHERE tags.hall = '{hall}'", 10)
    assert [row.additional_properties for row in page.items] == [{"place": 0}, {"place": 1}]


@covers("py:IoTHubRegistryManager.query_iot_hub")
def test_what_is_no_query_and_what_is_no_token_is_refused(registry: Any, fleet: tuple[str, list[str]]) -> None:
    hall, _ = fleet
    text = f"SELECT * FROM devices WHERE tags.hall = '{hall}'"
    token = registry.query_iot_hub(QuerySpecification(query=text), None, 2).continuation_token
    refused: Sequence[tuple[str, str | None]] = (
        ("SELECT * FORM devices", None),
        (text, token[:-8] + "AAAAAAAA"),
        (text + " OR true", token),
    )
    for query, continuation in refused:
        with pytest.raises(HttpOperationError) as caught:
            registry.query_iot_hub(QuerySpecification(query=query), continuation, 2)
        response = caught.value.response
        assert (response.status_code, response.headers["iothub-errorcode"]) == (400, "ArgumentInvalid")
        message = json.loads(response.text)["Message"]
        wanted = "SQL query parse failed: line 1, column 10" if continuation is None else "the continuation token"
        assert message.startswith(f"ErrorCode:ArgumentInvalid;{wanted}")


@pytest.mark.parametrize("text", EXTENSION)
def test_what_the_command_line_extension_asks_is_answered(registry: Any, text: str) -> None:
    page = registry.query_iot_hub(QuerySpecification(query=text), None, 100)
    assert isinstance(page.items, list)


@covers("node:Registry.createQuery")
def test_node_gets_twins_and_rows(node_service: NodeProcess, fleet: tuple[str, list[str]]) -> None:
    hall, ids = fleet
    where = f"WHERE tags.hall = '{hall}'"
    twins = node_service.ask("query", text=f"SELECT * FROM devices {where}", pageSize=3, method="nextAsTwin")
    assert [[twin["deviceId"] for twin in page] for page in twins] == [ids[:3], ids[3:]]
    assert twins[0][1]["tags"] == {"hall": hall, "number": 1}
    rows = node_service.ask("query", text=f"SELECT COUNT() AS n FROM devices {where}", pageSize=3, method="next")
    assert rows == [[{"n": 5}]]
    with pytest.raises(NodeError) as caught:
        node_service.ask("query", text="SELECT", pageSize=3, method="next")
    assert caught.value.name == "ArgumentError"


def test_the_command_line_finds_them_with_the_hub_running(hub: RunningHub, fleet: tuple[str, list[str]]) -> None:
    hall, ids = fleet
    cli = CommandLine(hub.data)
    text = f"SELECT deviceId, tags.number FROM devices WHERE tags.hall = '{hall}'"
    rows = cli.ask("query", text, "--page-size", "2")
    assert rows == [{"deviceId": device_id, "number": number} for number, device_id in enumerate(ids)]
    assert len(cli.ask("query", text, "--limit", "3")) == 3
    assert ids[0] in cli.run("query", f"SELECT * FROM devices WHERE tags.hall = '{hall}'")
    assert "query.invalid: SQL query parse failed: line 1, column 9" in cli.run("query", "SELECT *", code=1)
