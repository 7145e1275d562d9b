"""Tests of app/cli/policies.py."""

from tests.unit.app.cli.conftest import Cli


def test_policies_are_listed_without_keys(cli: Cli) -> None:
    listed = cli("policy", "list", "-o", "json").json
    assert [policy["name"] for policy in listed][:2] == ["iothubowner", "service"]
    assert "RegistryRead, RegistryWrite" in cli("policy", "list").out
    assert "key" not in str(listed).lower()


def test_a_rolled_key_is_in_the_connection_string_that_is_printed(cli: Cli) -> None:
    before = cli("connection-string", "--policy", "service").out
    rolled = cli("policy", "roll", "service").out
    assert rolled != before
    assert cli("connection-string", "--policy", "service").out == rolled
    second = cli("policy", "roll", "service", "--key", "secondary", "--yes", "-o", "json").json["connection_string"]
    assert second.startswith("HostName=localhost;SharedAccessKeyName=service;SharedAccessKey=")
    assert second != rolled.strip()
    assert cli("connection-string", "--policy", "service").out == rolled


def test_a_policy_that_is_not_there_is_told(cli: Cli) -> None:
    said = cli("policy", "roll", "nobody")
    assert said.code == 1
    assert said.err.startswith("error: policy.not_found: ")


def test_a_policy_is_made_changed_and_deleted(cli: Cli) -> None:
    made = cli("policy", "set", "reader", "--right", "RegistryRead", "--right", "ServiceConnect")
    assert "RegistryRead, ServiceConnect" in made.out
    assert cli("policy", "set", "reader", "--right", "RegistryRead", "-o", "json").json["rights"] == ["RegistryRead"]
    assert cli("policy", "delete", "reader", "--yes").out == "reader is deleted.\n"
    assert cli("policy", "delete", "reader", "--yes").err.startswith("error: policy.not_found: ")
    assert cli("policy", "set", "reader").code == 2
