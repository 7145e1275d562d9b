"""Tests of app/cli/configurations.py."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.app.cli.conftest import Cli

VENDORS = {
    "content": {"deviceContent": {"properties.desired.settings": {"speed": 3}}},
    "targetCondition": "tags.hall = 'b'",
    "priority": 7,
    "labels": {"by": "plant"},
    "metrics": {"queries": {"all": "SELECT deviceId FROM devices"}},
}


def test_a_configuration_from_its_beginning_to_its_end(cli: Cli) -> None:
    options = ["--target", "tags.hall = 'b'", "--content", '{"device": {"settings.speed": 3}}', "--label", "by=plant"]
    metric = "SELECT deviceId FROM devices WHERE tags.a = 1"
    cli("device", "create", "press-1")
    made = cli("config", "create", "speed", *options, "--metric", f"all={metric}", "-o", "json").json
    assert (made["content"], made["labels"]) == ({"device": {"settings.speed": 3}}, {"by": "plant"})
    assert made["metrics"] == {"all": metric}
    assert "speed" in cli("config", "list").out
    assert cli("config", "update", "speed", "--priority", "9", "-o", "json").json["priority"] == 9
    assert "tags.hall = 'b'" in cli("config", "show", "speed").out
    assert cli("config", "metrics", "speed").code == 0
    assert cli("config", "delete", "speed", "--yes").out == "speed is deleted.\n"
    assert cli("config", "list", "-o", "json").json == []


@pytest.mark.parametrize("nested", [False, True])
def test_a_file_may_be_in_the_vendors_words(cli: Cli, tmp_path: Path, nested: bool) -> None:
    file = tmp_path / "speed.json"
    file.write_text(json.dumps(VENDORS))
    made = cli("config", "create", "vendors", "--file", str(file), "--priority", "8", "-o", "json").json
    assert (made["content"], made["target"]) == ({"device": {"settings": {"speed": 3}}}, "tags.hall = 'b'")
    assert (made["priority"], made["metrics"]) == (8, {"all": "SELECT deviceId FROM devices"})
    cli("config", "delete", "vendors", "--yes")
    content: dict[str, Any] = {"modulesContent": {"$edgeAgent": {"properties.desired": {"modules": {}}}}}
    file.write_text(json.dumps({"content": content} if nested else content))
    made = cli("config", "create", "edge", "--target", "*", "--content", f"@{file}", "-o", "json").json
    assert made["content"] == {"modules": {"$edgeAgent": {"": {"modules": {}}}}}
    cli("config", "delete", "edge", "--yes")


def test_a_file_may_be_yaml(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "speed.yaml"
    file.write_text("target: '*'\npriority: 3\ncontent:\n  device:\n    settings.speed: 4\n")
    made = cli("config", "create", "yaml", "--file", str(file), "-o", "json").json
    assert (made["target"], made["priority"], made["content"]) == ("*", 3, {"device": {"settings.speed": 4}})
    cli("config", "delete", "yaml", "--yes")


def test_conditions_are_tried(cli: Cli) -> None:
    assert cli("config", "test", "--target", "tags.hall = 'b'").out == "Nothing is wrong.\n"
    assert "target" in cli("config", "test", "--target", "tags.").out
    told = cli("config", "test", "--metric", "bad=SELECT", "-o", "json").json
    assert list(told["metrics"]) == ["bad"]


def test_content_is_written_to_one_device(cli: Cli) -> None:
    cli("device", "create", "press-9")
    assert cli("config", "apply", "press-9", "--content", '{"device": {"a": 1}}').out == "Written to press-9.\n"
    assert cli("twin", "show", "press-9", "-o", "json").json["desired"]["properties"] == {"a": 1}


def test_what_cannot_be_is_refused(cli: Cli) -> None:
    assert cli("config", "show", "nobody").err.startswith("error: configuration.not_found:")
    told = cli("config", "create", "Speed", "--content", '{"device": {"a": 1}}').err
    assert told.startswith("error: configuration.invalid:")
    assert cli("config", "create", "a", "--content", "[1]").code == 2
    assert cli("config", "create", "a", "--label", "x", "--content", '{"device": {"a": 1}}').code == 2
