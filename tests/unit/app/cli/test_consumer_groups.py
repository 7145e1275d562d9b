"""Tests of app/cli/consumer_groups.py."""

from tests.unit.app.cli.conftest import Cli


def test_every_hub_has_one_group_that_stays(cli: Cli) -> None:
    assert cli("consumer-group", "list", "-o", "json").json[0]["name"] == "$Default"
    assert "$Default" in cli("consumer-group", "list").out
    assert "with the hub" in cli("consumer-group", "show", "$default").out
    assert cli("consumer-group", "delete", "$Default", "--yes").err.startswith("error: consumer_group.needed: ")


def test_a_group_is_made_shown_and_deleted(cli: Cli) -> None:
    made = cli("consumer-group", "create", "Billing", "-o", "json").json
    assert (made["name"], made["readers"]) == ("Billing", 0)
    assert cli("consumer-group", "create", "billing", "-o", "json").json == made
    shown = cli("consumer-group", "show", "billing").out
    assert "Billing" in shown
    assert made["created_at"] in shown
    assert made["created_at"] in cli("consumer-group", "list").out
    assert cli("consumer-group", "delete", "billing", "--yes").out == "billing is deleted.\n"
    assert cli("consumer-group", "show", "billing").err.startswith("error: consumer_group.not_found: ")


def test_a_name_that_cannot_be_is_told(cli: Cli) -> None:
    assert cli("consumer-group", "create", "a b").err.startswith("error: argument.invalid: ")
